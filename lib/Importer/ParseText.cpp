// ONNX's text format, by onnx's own parser.
#include "lib/Importer/Session.h"

#include "onnx/defs/parser.h"

namespace adze::importer {

// The parser recurses into graphs: count brackets first.
static bool depthWithin(std::string_view text, int limit) {
  int depth = 0;
  for (char c : text) {
    if (c == '{' || c == '<' || c == '(') ++depth;
    if (c == '}' || c == '>' || c == ')') --depth;
    if (depth > limit) return false;
  }
  return true;
}

bool parseText(Session &s, std::span<const std::byte> bytes) {
  std::string_view text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
  if (!depthWithin(text, 4 * s.options.maxDepth)) {
    s.error("ADZ0105", "graphs are nested too deeply", {}, ExitCode::ResourceLimit);
    return false;
  }
  std::string why;
  try {
    auto status = onnx::OnnxParser::Parse(s.model, text);
    if (status.IsOK()) return true;
    why = status.ErrorMessage();
  } catch (const std::exception &e) {
    why = e.what();
  }
  s.error("ADZ0104", "cannot read the model text: " + cleanMessage(s, why));
  return false;
}

}  // namespace adze::importer
