// On its own, so that the runtime links it without the printers.
#include "lib/Support/Diagnostics.h"

namespace adze {

std::string printable(std::string_view s, size_t max) {
  static const char *hex = "0123456789abcdef";
  std::string out;
  for (unsigned char c : s) {
    if (out.size() >= max) {
      out += "...";
      break;
    }
    if (c < 0x20 || c == 0x7f) {
      out += "\\x";
      out += hex[c >> 4];
      out += hex[c & 15];
    } else {
      out += static_cast<char>(c);
    }
  }
  return out;
}

}  // namespace adze
