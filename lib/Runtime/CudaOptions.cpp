#include "lib/Runtime/CudaOptions.h"

#include "lib/Runtime/Device.h"

#include <algorithm>
#include <charconv>

namespace adze::runtime {

namespace {
/// All of the text is a number that is not negative.
template <typename T>
bool parseNumber(std::string_view text, T &number) {
  auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), number);
  return bad == std::errc() && end == text.data() + text.size() && number >= 0;
}

/// "25%", "25%@2".
bool parseShare(std::string_view text, size_t percent, CudaOptions &options) {
  std::string_view part = text.substr(percent + 1);
  bool numbered = part.starts_with('@') && parseNumber(part.substr(1), options.part);
  return parseNumber(text.substr(0, percent), options.percent) && options.percent >= 1 &&
         options.percent <= 100 && (numbered || part.empty()) && options.part >= 1;
}

bool parseOption(std::string_view text, CudaOptions &options) {
  if (text == "unified") return options.unified = true;
  if (size_t at = text.find('%'); at < text.size()) return parseShare(text, at, options);
  constexpr std::string_view kPinned = "pinned=";
  return text.starts_with(kPinned) &&
         parseNumber(text.substr(kPinned.size()), options.pinnedLimit);
}
}  // namespace

std::optional<CudaOptions> CudaOptions::parse(std::string_view text, Diagnostic &error) {
  CudaOptions options;
  size_t slash = std::min(text.find('/'), text.size());
  std::string_view number = text.substr(0, slash);
  if (!number.empty() && !parseNumber(number, options.number)) {
    failWith(error, ExitCode::Usage, "ADZ0702",
             "'" + printable(number, 40) + "' is no GPU's number", "the first is `cuda:0`");
    return std::nullopt;
  }
  while (slash < text.size()) {
    text.remove_prefix(slash + 1);
    slash = std::min(text.find('/'), text.size());
    std::string_view option = text.substr(0, slash);
    if (parseOption(option, options)) continue;
    failWith(error, ExitCode::Usage, "ADZ0702",
             "'" + printable(option, 40) + "' is no way to use a GPU",
             "there are `50%`, `unified` and `pinned=BYTES`");
    return std::nullopt;
  }
  return options;
}

}  // namespace adze::runtime
