// "x=1x3x640x640", "x=1..8x3x64..960": the text form of shape overrides.
#include "lib/Compiler/Compiler.h"

#include <charconv>

namespace adze {

static bool parseExtent(std::string_view text, int64_t &value) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0;
}

static bool parseRange(std::string_view text, ExtentRange &range) {
  size_t dots = text.find("..");
  if (dots == std::string_view::npos) return parseExtent(text, range.min) && (range.max = range.min, true);
  return parseExtent(text.substr(0, dots), range.min) &&
         parseExtent(text.substr(dots + 2), range.max) && range.min <= range.max;
}

std::optional<ShapeOverride> parseShape(std::string_view text) {
  // Names may hold '=': the last one ends the name.
  size_t equals = text.rfind('=');
  if (equals == std::string_view::npos || equals == 0) return std::nullopt;
  ShapeOverride out;
  out.input = std::string(text.substr(0, equals));
  std::string_view dims = text.substr(equals + 1);
  while (!dims.empty()) {
    size_t x = dims.find_first_of("x,");
    ExtentRange range;
    if (!parseRange(dims.substr(0, x), range)) return std::nullopt;
    out.dims.push_back(range);
    if (x == std::string_view::npos) return out;
    dims.remove_prefix(x + 1);
    if (dims.empty()) return std::nullopt;
  }
  return out;
}

}  // namespace adze
