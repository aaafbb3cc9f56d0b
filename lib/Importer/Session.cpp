#include "lib/Importer/Session.h"

#include <charconv>

namespace adze::importer {

int64_t Session::idOf(const std::string &name) const {
  std::string start = prefix + "#";
  if (name.compare(0, start.size(), start) != 0) return -1;
  int64_t id = -1;
  auto [end, ec] = std::from_chars(name.data() + start.size(), name.data() + name.size(), id);
  if (ec != std::errc() || end != name.data() + name.size()) return -1;
  return id >= 0 && id < int64_t(origins.size()) ? id : -1;
}

void Session::error(std::string code, std::string message, std::string help, ExitCode exit) {
  diags.error(exit, std::move(code), std::move(message), std::move(help));
}

void Session::errorAt(const std::string &graph, int64_t index, const onnx::NodeProto &node,
                      std::string code, std::string message, std::string help, ExitCode exit) {
  Diagnostic d;
  d.exitCode = exit;
  d.code = std::move(code);
  d.message = std::move(message);
  d.help = std::move(help);
  d.graph = graph;
  d.node = !node.name().empty() || node.output_size() == 0 ? node.name() : node.output(0);
  d.nodeIndex = index;
  d.opType = node.op_type();
  d.opset = originalOpset;
  diags.report(std::move(d));
}

Diagnostic Session::at(int64_t id, std::string code, std::string message) const {
  Diagnostic d;
  d.code = std::move(code);
  d.message = std::move(message);
  if (id < 0) return d;
  const NodeOrigin *origin = &origins[id];
  if (origin->caller >= 0)
    d.notes.push_back("inside function '" + origin->graph + "', at its node '" + origin->name +
                      "' (" + origin->opType + ")");
  while (origin->caller >= 0) origin = &origins[origin->caller];
  d.graph = origin->graph;
  d.node = origin->name;
  d.nodeIndex = origin->index;
  d.opType = origin->opType;
  d.opset = originalOpset;
  return d;
}

void Session::note(std::string message, std::string help) {
  Diagnostic d;
  d.severity = Severity::Note;
  d.message = std::move(message);
  d.help = std::move(help);
  diags.report(std::move(d));
}

std::string cleanMessage(const Session &s, const std::string &what) {
  std::string line = what.substr(0, what.find('\n'));
  line = line.substr(0, line.find("==>"));
  // "file.cc:12: function: text" and "[TypeInferenceError] text".
  for (const char *mark : {"[ShapeInferenceError] ", "[TypeInferenceError] ", "` failed: "})
    if (size_t at = line.rfind(mark); at != line.npos) line = line.substr(at + std::string(mark).size());
  // Temporary names mean nothing to the reader.
  for (size_t at; (at = line.find(s.prefix)) != line.npos;) {
    size_t end = line.find_first_of(" ,;:)'\"", at);
    int64_t id = s.idOf(line.substr(at, end == line.npos ? end : end - at));
    std::string name = id >= 0 ? printable(s.origins[id].name, 60) : "";
    // A name that starts with the prefix cannot come back: no origin has one.
    line.replace(at, end == line.npos ? end : end - at, name);
  }
  while (!line.empty() && (line.back() == ' ' || line.back() == '.')) line.pop_back();
  return line;
}

}  // namespace adze::importer
