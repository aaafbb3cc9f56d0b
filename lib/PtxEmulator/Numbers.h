// Number formats of the GPU in terms of the host's integers and floats. Half
// and bfloat16 conversions are branch-free so that loops over lanes vectorise.
// Every NaN that arithmetic makes is the GPU's canonical one.
#pragma once
#include <cmath>
#include <cstdint>

namespace adze::ptx {

template <class To, class From>
inline To bitsAs(From value) {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, value);
}

inline constexpr uint32_t kNan32 = 0x7fffffff;
inline constexpr uint16_t kNan16 = 0x7fff;
inline constexpr uint64_t kNan64 = 0xfff8000000000000;

/// IEEE half, kept as its bits.
struct Half {
  uint16_t bits;
};
/// bfloat16, kept as its bits.
struct Bf16 {
  uint16_t bits;
};
/// Two of them in a 32-bit register, the first in the low half.
struct Half2 {
  uint32_t bits;
};
struct Bf162 {
  uint32_t bits;
};

enum class Rounding : uint8_t { Nearest, Zero, Down, Up, NearestAway };

inline float toFloat(Half h) {
  uint32_t magnitude = h.bits & 0x7fffu;
  float scaled = bitsAs<float>(magnitude << 13) * 0x1p112f;  // moves the exponent, subnormals too
  uint32_t bits = bitsAs<uint32_t>(scaled);
  bits |= magnitude >= 0x7c00u ? 0x7f800000u : 0u;
  return bitsAs<float>(bits | (h.bits & 0x8000u) << 16);
}
inline float toFloat(Bf16 b) { return bitsAs<float>(static_cast<uint32_t>(b.bits) << 16); }

/// To nearest, ties to even.
inline Half toHalf(float f) {
  uint32_t x = bitsAs<uint32_t>(f), magnitude = x & 0x7fffffffu;
  uint32_t normal = (magnitude + 0xfffu + (magnitude >> 13 & 1u) - (112u << 23)) >> 13;
  // Adding one half aligns a subnormal result's last place with float's.
  uint32_t subnormal = bitsAs<uint32_t>(bitsAs<float>(magnitude) + 0.5f) - 0x3f000000u;
  uint32_t r = magnitude < 0x38800000u ? subnormal : normal;
  r = magnitude >= 0x477ff000u ? 0x7c00u : r;
  uint32_t sign = x >> 16 & 0x8000u;
  return {static_cast<uint16_t>(magnitude > 0x7f800000u ? kNan16 : r | sign)};
}
inline Bf16 toBf16(float f) {
  uint32_t x = bitsAs<uint32_t>(f), magnitude = x & 0x7fffffffu;
  uint32_t r = (x + 0x7fffu + (x >> 16 & 1u)) >> 16;
  return {static_cast<uint16_t>(magnitude > 0x7f800000u ? kNan16 : r)};
}

inline float canonical(float f) { return f != f ? bitsAs<float>(kNan32) : f; }
inline Half canonical(Half h) { return {(h.bits & 0x7fffu) > 0x7c00u ? kNan16 : h.bits}; }
inline Bf16 canonical(Bf16 b) { return {(b.bits & 0x7fffu) > 0x7f80u ? kNan16 : b.bits}; }

/// Subnormals become zero of the same sign.
inline float flushed(float f) {
  uint32_t x = bitsAs<uint32_t>(f);
  return bitsAs<float>((x & 0x7f800000u) == 0 ? x & 0x80000000u : x);
}
/// To [0, 1]; NaN becomes 0.
inline float saturated(float f) { return f > 0.0f ? (f < 1.0f ? f : 1.0f) : 0.0f; }
inline double saturated(double f) { return f > 0.0 ? (f < 1.0 ? f : 1.0) : 0.0; }

inline Half low(Half2 v) { return {static_cast<uint16_t>(v.bits)}; }
inline Half high(Half2 v) { return {static_cast<uint16_t>(v.bits >> 16)}; }
inline Bf16 low(Bf162 v) { return {static_cast<uint16_t>(v.bits)}; }
inline Bf16 high(Bf162 v) { return {static_cast<uint16_t>(v.bits >> 16)}; }
inline Half2 pair(Half l, Half h) { return {static_cast<uint32_t>(l.bits | h.bits << 16)}; }
inline Bf162 pair(Bf16 l, Bf16 h) { return {static_cast<uint32_t>(l.bits | h.bits << 16)}; }

/// a + b rounded to odd: rounding the result once more, to fewer bits, gives
/// what rounding the exact sum would (Boldo and Melquiond, 2008).
inline double addToOdd(double a, double b) {
  double sum = a + b, other = sum - a, rest = (a - (sum - other)) + (b - other);
  uint64_t bits = bitsAs<uint64_t>(sum);
  bool inexact = rest != 0.0 && sum - sum == 0.0 && (bits & 1) == 0;
  // One step towards the rest: up in magnitude when it has the sum's sign.
  uint64_t step = (rest > 0.0) == (sum > 0.0) ? 1 : ~uint64_t{0};
  return bitsAs<double>(inexact ? bits + step : bits);
}

/// A format of sign, exponent and fraction, at most 32 bits wide.
struct FloatFormat {
  int exponentBits, fractionBits, bias;
  bool infinities;  ///< false: the top exponent holds numbers, all ones is NaN (e4m3)
};
inline constexpr FloatFormat kF32{8, 23, 127, true}, kF16{5, 10, 15, true}, kBf16{8, 7, 127, true},
    kTf32{8, 10, 127, true}, kE5m2{5, 2, 15, true}, kE4m3{4, 3, 7, false};

/// Bits of `value` in `format`. `finite`: what overflows becomes the largest
/// number. NaN gives all ones below the sign.
inline uint32_t encodeFloat(double value, FloatFormat format, Rounding mode, bool finite = false) {
  uint64_t x = bitsAs<uint64_t>(value);
  uint32_t sign = static_cast<uint32_t>(x >> 63), width = format.exponentBits + format.fractionBits;
  uint32_t nan = (1u << width) - 1;
  uint32_t infinity = ((1u << format.exponentBits) - 1) << format.fractionBits;
  uint32_t largest = format.infinities ? infinity - 1 : nan - 1;
  if (value != value) return nan;
  double magnitude = sign ? -value : value;
  uint32_t result = 0;
  bool overflow = magnitude > 0x1p300;
  if (magnitude != 0 && !overflow) {
    int exponent = static_cast<int>(x >> 52 & 0x7ff) - 1023;
    int least = 1 - format.bias;
    int scale = (exponent < least ? least : exponent) - format.fractionBits;
    double units = std::ldexp(magnitude, -scale), whole = std::floor(units), rest = units - whole;
    uint64_t n = static_cast<uint64_t>(whole);
    bool up = mode == Rounding::Nearest       ? rest > 0.5 || (rest == 0.5 && (n & 1))
              : mode == Rounding::NearestAway ? rest >= 0.5
              : mode == Rounding::Up          ? rest > 0 && !sign
              : mode == Rounding::Down        ? rest > 0 && sign
                                              : false;
    n += up;
    int64_t biased = exponent < least ? 0 : exponent + format.bias - 1;
    uint64_t encoded = (static_cast<uint64_t>(biased) << format.fractionBits) + n;
    overflow = encoded > largest;
    result = static_cast<uint32_t>(encoded);
  }
  if (overflow) {
    bool infinite = std::isinf(value);
    bool down = !infinite && (mode == Rounding::Zero || (mode == Rounding::Down && !sign) ||
                              (mode == Rounding::Up && sign));
    result = finite || down ? largest : format.infinities ? infinity : nan;
  }
  return sign << width | result;
}

inline double decodeFloat(uint32_t bits, FloatFormat format) {
  uint32_t fraction = bits & ((1u << format.fractionBits) - 1);
  uint32_t top = (1u << format.exponentBits) - 1;
  uint32_t exponent = bits >> format.fractionBits & top;
  bool negative = bits >> (format.exponentBits + format.fractionBits) & 1;
  double value;
  if (exponent == top && format.infinities)
    value = fraction ? __builtin_nan("") : __builtin_inf();
  else if (exponent == top && fraction == (1u << format.fractionBits) - 1)
    value = __builtin_nan("");
  else if (exponent == 0)
    value = std::ldexp(fraction, 1 - format.bias - format.fractionBits);
  else
    value = std::ldexp(fraction + (1u << format.fractionBits),
                       static_cast<int>(exponent) - format.bias - format.fractionBits);
  return negative ? -value : value;
}

/// `value`, of a sum or product rounded to odd, as a float.
inline float roundToFloat(double value, Rounding mode) {
  if (value != value) return bitsAs<float>(kNan32);
  if (value == 0) return static_cast<float>(value);
  return bitsAs<float>(encodeFloat(value, kF32, mode));
}

/// fma of small formats: the product is exact in double.
inline double fmaToOdd(double a, double b, double c) { return addToOdd(a * b, c); }

}  // namespace adze::ptx
