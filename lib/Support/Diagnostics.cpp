#include "lib/Support/Diagnostics.h"

#include <nlohmann/json.hpp>

#include <ostream>

namespace adze {

void DiagnosticEngine::report(Diagnostic d) {
  if (d.file.empty()) d.file = file_;
  if (d.severity == Severity::Error) {
    ++errors_;
    if (errors_ > limit_) return;
  }
  diags_.push_back(std::move(d));
}

void DiagnosticEngine::error(ExitCode exitCode, std::string code, std::string message,
                             std::string help) {
  Diagnostic d;
  d.exitCode = exitCode;
  d.code = std::move(code);
  d.message = std::move(message);
  d.help = std::move(help);
  report(std::move(d));
}

ExitCode DiagnosticEngine::exitCode() const {
  for (const Diagnostic &d : diags_)
    if (d.severity == Severity::Error) return d.exitCode;
  return ExitCode::Ok;
}

static const char *severityName(Severity s) {
  switch (s) {
    case Severity::Note: return "note";
    case Severity::Warning: return "warning";
    case Severity::Error: return "error";
  }
  return "error";
}

static void printWhere(std::ostream &os, const Diagnostic &d) {
  os << "  --> " << (d.file.empty() ? "<model>" : printable(d.file));
  const char *sep = ": ";
  if (!d.graph.empty()) {
    os << sep << "graph '" << printable(d.graph, 80) << "'";
    sep = " / ";
  }
  if (!d.node.empty() || d.nodeIndex >= 0) {
    os << sep << "node";
    if (d.nodeIndex >= 0) os << " #" << d.nodeIndex;
    if (!d.node.empty()) os << " '" << printable(d.node, 120) << "'";
  }
  if (!d.opType.empty()) {
    os << " (" << printable(d.opType, 60);
    if (d.opset > 0) os << ", opset " << d.opset;
    os << ")";
  }
  os << "\n";
}

void DiagnosticEngine::printText(std::ostream &os, bool color) const {
  for (const Diagnostic &d : diags_) {
    const char *on = !color ? "" : d.severity == Severity::Error ? "\033[1;31m" : "\033[1;33m";
    os << on << severityName(d.severity);
    if (!d.code.empty()) os << "[" << d.code << "]";
    os << (color ? "\033[0m" : "") << ": " << printable(d.message, 600) << "\n";
    if (!d.file.empty() || !d.node.empty()) printWhere(os, d);
    size_t shown = 0;
    for (const std::string &n : d.notes) {
      if (++shown > 5) break;
      os << "   = note: " << printable(n, 400) << "\n";
    }
    if (!d.help.empty()) os << "   = help: " << printable(d.help, 400) << "\n";
  }
  if (errors_ > limit_) os << "error: " << (errors_ - limit_) << " more errors not shown\n";
}

void DiagnosticEngine::printJson(std::ostream &os) const {
  nlohmann::json list = nlohmann::json::array();
  for (const Diagnostic &d : diags_) {
    nlohmann::json j{{"severity", severityName(d.severity)}, {"message", d.message}};
    if (d.severity == Severity::Error) j["exit_code"] = static_cast<int>(d.exitCode);
    if (!d.code.empty()) j["code"] = d.code;
    if (!d.file.empty()) j["file"] = d.file;
    if (!d.graph.empty()) j["graph"] = d.graph;
    if (!d.node.empty()) j["node"] = d.node;
    if (d.nodeIndex >= 0) j["node_index"] = d.nodeIndex;
    if (!d.opType.empty()) j["op"] = d.opType;
    if (d.opset > 0) j["opset"] = d.opset;
    if (!d.notes.empty()) j["notes"] = d.notes;
    if (!d.help.empty()) j["help"] = d.help;
    list.push_back(std::move(j));
  }
  // Names may hold bytes that are no UTF-8: replaced, not thrown on.
  os << nlohmann::json{{"diagnostics", list}}.dump(-1, ' ', false,
                                                   nlohmann::json::error_handler_t::replace)
     << "\n";
}

}  // namespace adze
