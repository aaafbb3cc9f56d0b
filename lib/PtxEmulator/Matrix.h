// Small matrices of tensor instructions: element formats, and the products.
#pragma once
#include "lib/PtxEmulator/LaneOps.h"
#include "lib/PtxEmulator/Numbers.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace adze::ptx {

enum class Element : uint8_t { F16, Bf16, Tf32, E4m3, E5m2, S8, U8, S4, U4, F64, F32, S32 };

struct ElementInfo {
  std::string_view name;
  Element element;
  uint8_t bits;   ///< in a fragment or in memory
  bool integer;
};
std::optional<ElementInfo> elementNamed(std::string_view name);
const ElementInfo &infoOf(Element e);

/// A number of a format from its bits; integers for integer formats.
inline int32_t elementToInt(Element e, uint32_t bits) {
  switch (e) {
    case Element::S8: return static_cast<int8_t>(bits);
    case Element::U8: return static_cast<uint8_t>(bits);
    case Element::S4: return static_cast<int8_t>(bits << 4) >> 4;
    case Element::U4: return static_cast<int32_t>(bits & 15);
    default: return static_cast<int32_t>(bits);
  }
}
inline float elementToFloat(Element e, uint32_t bits) {
  switch (e) {
    case Element::F16: return toFloat(Half{static_cast<uint16_t>(bits)});
    case Element::Bf16: return toFloat(Bf16{static_cast<uint16_t>(bits)});
    case Element::Tf32: return bitsAs<float>(bits & 0xffffe000u);  // the rest is ignored
    case Element::E4m3: return static_cast<float>(decodeFloat(bits & 0xff, kE4m3));
    case Element::E5m2: return static_cast<float>(decodeFloat(bits & 0xff, kE5m2));
    case Element::F32: return bitsAs<float>(bits);
    default: return static_cast<float>(elementToInt(e, bits));
  }
}
/// Calls f with a function from bits to float that knows the format.
template <class F>
inline void withElement(Element e, F f) {
  if (e == Element::F16) f([](uint32_t x) { return elementToFloat(Element::F16, x); });
  else if (e == Element::Bf16) f([](uint32_t x) { return elementToFloat(Element::Bf16, x); });
  else if (e == Element::Tf32) f([](uint32_t x) { return elementToFloat(Element::Tf32, x); });
  else if (e == Element::F32) f([](uint32_t x) { return elementToFloat(Element::F32, x); });
  else f([e](uint32_t x) { return elementToFloat(e, x); });
}

/// m x k times k x n onto m x n, all row-major, n at most 256; `b` is k x n.
/// Sums as Hopper's tensor cores do (TensorCore.inc).
void multiplyFloat(float *c, const float *a, const float *b, int m, int n, int k, TensorSum mode = TensorSum::Float);
/// mma of 8-bit floats on Hopper, which are two products of halves: the first
/// takes elements 0 and 1 of every four, the second the rest, and C is added last.
void multiplyEighths(float *c, const float *a, const float *b, int m, int n, int k);
/// Exact, modulo 2^32, or clamped at the end.
void multiplyInt(int32_t *c, const int32_t *a, const int32_t *b, int m, int n, int k, bool saturate);

/// "m16n8k16" into its numbers.
struct Shape {
  int m = 0, n = 0, k = 0;
};
std::optional<Shape> shapeNamed(std::string_view text);

}  // namespace adze::ptx
