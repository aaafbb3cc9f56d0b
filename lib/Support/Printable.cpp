// On its own, so that the runtime links it without the printers.
#include "lib/Support/Diagnostics.h"

namespace adze {

/// Bytes of the UTF-8 character that `s` starts with, and the character; 0 if
/// it starts with none (overlong forms and surrogates are none).
static size_t decode(std::string_view s, uint32_t &c) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(s[i]); };
  c = byte(0);
  if (c < 0x80) return 1;
  size_t n = c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xc2 && c < 0xe0 ? 2 : 0;
  if (n == 0 || s.size() < n) return 0;
  c &= 0x7f >> n;
  for (size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
    c = c << 6 | (byte(i) & 0x3f);
  }
  bool overlong = (n == 3 && c < 0x800) || (n == 4 && c < 0x10000);
  return overlong || c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0 : n;
}

/// Moves a terminal's cursor, or turns the direction of what follows.
static bool isControl(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || c == 0x061c ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

std::string printable(std::string_view s, size_t max) {
  static const char *hex = "0123456789abcdef";
  std::string out;
  while (!s.empty()) {
    if (out.size() >= max) {
      out += "...";
      break;
    }
    uint32_t c = 0;
    size_t n = decode(s, c);
    if (n && !isControl(c)) {
      out += s.substr(0, n);
    } else {
      for (unsigned char b : s.substr(0, n ? n : 1)) {
        out += "\\x";
        out += hex[b >> 4];
        out += hex[b & 15];
      }
    }
    s.remove_prefix(n ? n : 1);
  }
  return out;
}

}  // namespace adze
