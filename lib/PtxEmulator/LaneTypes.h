// The types and functions that the expressions in Lane*.def are made of.
// Included by the files that expand them and by nothing else.
#pragma once
#include "lib/PtxEmulator/LaneOps.h"
#include "lib/PtxEmulator/Numbers.h"

#include <cstring>
#include <type_traits>

namespace adze::ptx {
namespace {

using u8 = uint8_t;
using s8 = int8_t;
using u16 = uint16_t;
using s16 = int16_t;
using u32 = uint32_t;
using s32 = int32_t;
using u64 = uint64_t;
using s64 = int64_t;
struct None {};
using Pred = bool;

template <class T>
inline constexpr RowKind kRowKind = std::is_same_v<T, None>   ? RowKind::None
                                    : std::is_same_v<T, Pred> ? RowKind::Pred
                                    : sizeof(T) == 8          ? RowKind::Row64
                                                              : RowKind::Row32;

template <class T>
inline T getLane(const void *row, int lane) {
  if constexpr (std::is_same_v<T, None>) {
    return {};
  } else if constexpr (std::is_same_v<T, Pred>) {
    return *static_cast<const u32 *>(row) >> lane & 1;
  } else if constexpr (sizeof(T) == 8) {
    return bitsAs<T>(static_cast<const u64 *>(row)[lane]);
  } else if constexpr (sizeof(T) == 4) {
    return bitsAs<T>(static_cast<const u32 *>(row)[lane]);
  } else if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(static_cast<const u32 *>(row)[lane]);
  } else {
    return T{static_cast<u16>(static_cast<const u32 *>(row)[lane])};
  }
}

template <class T>
inline void setLane(void *row, int lane, T value) {
  if constexpr (sizeof(T) == 8)
    static_cast<u64 *>(row)[lane] = bitsAs<u64>(value);
  else if constexpr (sizeof(T) == 4)
    static_cast<u32 *>(row)[lane] = bitsAs<u32>(value);
  else if constexpr (std::is_integral_v<T>)
    static_cast<u32 *>(row)[lane] = static_cast<u32>(value);  // signed types extend
  else
    static_cast<u32 *>(row)[lane] = value.bits;
}

template <class U, class T>
inline U mulLow(T a, T b) {
  using Wide = std::conditional_t<sizeof(U) == 8, u64, u32>;
  return static_cast<U>(static_cast<Wide>(static_cast<U>(a)) * static_cast<Wide>(static_cast<U>(b)));
}
template <class T>
inline T mulHigh(T a, T b) {
  if constexpr (sizeof(T) == 8) {
    using Wide = std::conditional_t<std::is_signed_v<T>, __int128, unsigned __int128>;
    return static_cast<T>(static_cast<Wide>(a) * b >> 64);
  } else {
    using Wide = std::conditional_t<std::is_signed_v<T>, s64, u64>;
    return static_cast<T>(static_cast<Wide>(a) * b >> (8 * sizeof(T)));
  }
}
/// Division by zero gives all ones, quotient and remainder: the PTX manual
/// leaves it open, this is what hardware does.
template <class T>
inline T divide(T a, T b) {
  if (b == 0) return static_cast<T>(~T{0});
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return static_cast<T>(std::make_unsigned_t<T>(0) - static_cast<std::make_unsigned_t<T>>(a));
  return static_cast<T>(a / b);
}
template <class T>
inline T remainder(T a, T b) {
  if (b == 0) return static_cast<T>(~T{0});
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return 0;
  return static_cast<T>(a % b);
}

/// The low 24 bits, extended.
inline s32 low24(s32 a) { return static_cast<s32>(static_cast<u32>(a) << 8) >> 8; }

template <class T, class V>
inline T clampTo(V value) {
  constexpr auto least = std::is_signed_v<T> ? static_cast<T>(T{1} << (8 * sizeof(T) - 1)) : T{0};
  constexpr auto most = static_cast<T>(~static_cast<std::make_unsigned_t<T>>(least));
  if constexpr (std::is_signed_v<V>) {
    if constexpr (std::is_signed_v<T>) {
      if (static_cast<s64>(value) < static_cast<s64>(least)) return least;
      if (static_cast<s64>(value) > static_cast<s64>(most)) return most;
    } else {
      if (value < 0) return 0;
      if (static_cast<u64>(value) > static_cast<u64>(most)) return most;
    }
  } else if (static_cast<u64>(value) > static_cast<u64>(most)) {
    return most;
  }
  return static_cast<T>(value);
}

template <class T, class F>
inline u32 eachHalf(u32 a, u32 b, F f) {
  T l = f(static_cast<T>(a), static_cast<T>(b)), h = f(static_cast<T>(a >> 16), static_cast<T>(b >> 16));
  return static_cast<u16>(l) | static_cast<u32>(static_cast<u16>(h)) << 16;
}

inline u32 lookup3(u32 a, u32 b, u32 c, u32 table) {
  u32 r = 0;
  for (int i = 0; i < 8; ++i) {
    u32 term = (i & 4 ? a : ~a) & (i & 2 ? b : ~b) & (i & 1 ? c : ~c);
    r |= table >> i & 1 ? term : 0;
  }
  return r;
}

inline constexpr u32 kBackward4[] = {0x5670, 0x6701, 0x7012, 0x0123};
inline constexpr u32 kEdgeLeft[] = {0x3210, 0x3211, 0x3222, 0x3333};
inline constexpr u32 kEdgeRight[] = {0x0000, 0x1110, 0x2210, 0x3210};

/// Byte i of the result is the byte of b:a that the selector's nibble i names;
/// the nibble's top bit spreads that byte's sign instead.
inline u32 permute(u32 a, u32 b, u32 selector) {
  u64 source = static_cast<u64>(b) << 32 | a;
  u32 r = 0;
  for (int i = 0; i < 4; ++i) {
    u32 nibble = selector >> (4 * i) & 15;
    u32 byte = static_cast<u32>(source >> (8 * (nibble & 7))) & 0xff;
    if (nibble & 8) byte = byte & 0x80 ? 0xff : 0;
    r |= byte << (8 * i);
  }
  return r;
}

/// Position of the highest bit that differs from the sign; all ones if none.
template <class U, class T>
inline u32 findBit(T value, int width) {
  U x = static_cast<U>(value);
  if constexpr (std::is_signed_v<T>)
    if (value < 0) x = static_cast<U>(~x);
  if (x == 0) return ~0u;
  return static_cast<u32>(63 - __builtin_clzll(static_cast<u64>(x)));
}

template <class U>
inline U extract(U a, u32 position, u32 length, bool isSigned) {
  constexpr u32 width = 8 * sizeof(U);
  position &= 0xff, length &= 0xff;
  U field = position < width ? static_cast<U>(a >> (position & (width - 1))) : 0;
  if (length < width) field &= static_cast<U>((U{1} << (length & (width - 1))) - 1);
  if (!isSigned || length == 0) return field;
  u32 top = position + length - 1 < width - 1 ? position + length - 1 : width - 1;
  bool ones = a >> top & 1;
  u32 kept = position < width ? (length < width - position ? length : width - position) : 0;
  U above = kept < width ? static_cast<U>(~U{0} << (kept & (width - 1))) : 0;
  return ones ? field | above : field & ~above;
}
/// The low `length` bits of a replace those of b at `position`.
template <class U>
inline U insert(U a, U b, u32 position, u32 length) {
  constexpr u32 width = 8 * sizeof(U);
  position &= 0xff, length &= 0xff;
  if (position >= width) return b;
  U mask = length < width ? static_cast<U>((U{1} << (length & (width - 1))) - 1) : static_cast<U>(~U{0});
  mask = static_cast<U>(mask << position);
  return static_cast<U>((b & ~mask) | (static_cast<U>(a << position) & mask));
}

inline u64 reversed(u64 x) {
  x = (x >> 1 & 0x5555555555555555) | (x & 0x5555555555555555) << 1;
  x = (x >> 2 & 0x3333333333333333) | (x & 0x3333333333333333) << 2;
  x = (x >> 4 & 0x0f0f0f0f0f0f0f0f) | (x & 0x0f0f0f0f0f0f0f0f) << 4;
  return __builtin_bswap64(x);
}

template <class A, class B>
inline u32 dot4(u32 a, u32 b, u32 c) {
  for (int i = 0; i < 4; ++i)
    c += static_cast<u32>(static_cast<s32>(static_cast<A>(a >> 8 * i)) * static_cast<s32>(static_cast<B>(b >> 8 * i)));
  return c;
}
template <class A, class B>
inline u32 dot2(u32 a, u32 b, u32 c) {
  using Wide = std::conditional_t<std::is_signed_v<A>, s16, u16>;
  for (int i = 0; i < 2; ++i)
    c += static_cast<u32>(static_cast<s32>(static_cast<Wide>(a >> 16 * i)) * static_cast<s32>(static_cast<B>(b >> 8 * i)));
  return c;
}

inline Half flushed(Half h) { return {static_cast<u16>((h.bits & 0x7c00) == 0 ? h.bits & 0x8000 : h.bits)}; }
/// NaN where an operand is one; min and max alone drop it.
inline float withNan(float r, float x, float y) { return x != x || y != y ? bitsAs<float>(kNan32) : r; }
inline float positive(float x) { return x != x ? x : (x > 0.0f ? x : 0.0f); }

/// The lesser number; -0 is less than +0, a NaN loses to a number.
template <class F>
inline F smaller(F x, F y) {
  F r = x < y || (x == y && std::signbit(x)) ? x : y;
  r = y != y ? x : r;
  r = x != x ? y : r;
  if constexpr (sizeof(F) == 4) return canonical(r);
  return r;
}
template <class F>
inline F larger(F x, F y) {
  F r = x > y || (x == y && std::signbit(y)) ? x : y;
  r = y != y ? x : r;
  r = x != x ? y : r;
  if constexpr (sizeof(F) == 4) return canonical(r);
  return r;
}

/// A sum towards minus infinity: zero is -0 unless both addends are +0.
inline float sumDown(double a, double b) {
  double sum = addToOdd(a, b);
  if (sum == 0) return std::signbit(a) || std::signbit(b) ? -0.0f : 0.0f;
  return roundToFloat(sum, Rounding::Down);
}

/// Sign changes make a NaN canonical, one of doubles quiet.
inline u32 changeSign(u32 a, u32 changed) { return (a & 0x7fffffffu) > 0x7f800000u ? kNan32 : changed; }
inline u16 changeSign16(u16 a, u16 infinity, u16 changed) { return (a & 0x7fffu) > infinity ? kNan16 : changed; }
inline u32 changeSigns(u32 a, u16 infinity, u32 changed) {
  u32 low = changeSign16(static_cast<u16>(a), infinity, static_cast<u16>(changed));
  return low | static_cast<u32>(changeSign16(static_cast<u16>(a >> 16), infinity, static_cast<u16>(changed >> 16))) << 16;
}
inline u64 changeSign(u64 a, u64 changed) {
  return (a & ~(u64{1} << 63)) > 0x7ff0000000000000 ? a | u64{1} << 51 : changed;
}

/// a times an approximate 1 / b, which is 0 beyond 2^126.
inline float quickQuotient(float a, float b) {
  float magnitude = __builtin_fabsf(b);
  if (magnitude > 0x1p126f && magnitude - magnitude == 0) b = __builtin_copysignf(__builtin_inff(), b);
  return canonical(a / b);
}

/// A NaN result is an operand's, made quiet, or the default one.
inline double quiet64(double r, double a, double b = 0, double c = 0) {
  if (r == r) return r;
  double from = a != a ? a : b != b ? b : c;
  return bitsAs<double>(from != from ? bitsAs<u64>(from) | u64{1} << 51 : kNan64);
}
/// Keeps a NaN's sign and payload, quiet.
inline double widened(float x) {
  u32 bits = bitsAs<u32>(x);
  u64 nan = static_cast<u64>(bits >> 31) << 63 | static_cast<u64>(0x7ffu) << 52 | static_cast<u64>(bits & 0x7fffff) << 29 | u64{1} << 51;
  return x != x ? bitsAs<double>(nan) : static_cast<double>(x);
}

/// a + b in float, rounded to odd (see addToOdd).
inline float addToOddFloat(float a, float b) {
  float sum = a + b, other = sum - a, rest = (a - (sum - other)) + (b - other);
  u32 bits = bitsAs<u32>(sum);
  bool inexact = rest != 0.0f && sum - sum == 0.0f && (bits & 1) == 0;
  u32 step = (rest > 0.0f) == (sum > 0.0f) ? 1u : ~0u;
  return bitsAs<float>(inexact ? bits + step : bits);
}
/// The float next to `d` with an odd last place unless `d` is one exactly.
inline float oddFloat(double d) {
  float f = static_cast<float>(d);
  u32 bits = bitsAs<u32>(f);
  double rest = d - static_cast<double>(f);
  if (f - f != 0.0f) return f == f && d - d == 0.0 ? bitsAs<float>(bits - 1) : f;
  bool inexact = rest != 0.0 && (bits & 1) == 0;
  u32 step = (rest > 0.0) == !std::signbit(f) ? 1u : ~0u;
  return bitsAs<float>(inexact ? bits + step : bits);
}

template <class V, class F>
inline V both(V a, V b, F f) { return pair(f(low(a), low(b)), f(high(a), high(b))); }
template <class V, class F>
inline V both(V a, V b, V c, F f) { return pair(f(low(a), low(b), low(c)), f(high(a), high(b), high(c))); }

/// An integral value to an integer, clamped. NaN gives 0, but the top bit where
/// source or result have 64 bits.
template <class T>
inline T toInteger(double value, bool from64 = false) {
  constexpr bool isSigned = std::is_signed_v<T>;
  constexpr int bits = 8 * sizeof(T) - isSigned;
  constexpr double limit = bits == 64 ? 0x1p64 : static_cast<double>(u64{1} << bits);
  constexpr T least = isSigned ? static_cast<T>(T{1} << (8 * sizeof(T) - 1)) : T{0};
  constexpr T most = static_cast<T>(~static_cast<std::make_unsigned_t<T>>(least));
  if (value != value) return from64 || sizeof(T) == 8 ? static_cast<T>(u64{1} << (8 * sizeof(T) - 1)) : T{0};
  if (value >= limit) return most;
  if (value < (isSigned ? -limit : 0.0)) return least;
  return static_cast<T>(value);
}

template <class D>
inline D fromBits(u32 bits) {
  if constexpr (std::is_same_v<D, float>)
    return bitsAs<float>(bits);
  else
    return D{static_cast<u16>(bits)};
}
/// A 64-bit integer does not fit a double: its low bits are folded into one
/// sticky bit first.
template <class D, class A>
inline D fromInteger(A value, FloatFormat format, Rounding mode) {
  bool negative = std::is_signed_v<A> && value < 0;
  u64 magnitude = negative ? u64{0} - static_cast<u64>(value) : static_cast<u64>(value);
  if (magnitude >> 52) magnitude = (magnitude >> 12 | ((magnitude & 0xfff) != 0)) << 12;
  double d = static_cast<double>(magnitude);
  return fromBits<D>(encodeFloat(negative ? -d : d, format, mode));
}
/// NaN becomes canonical, from a double the top of its payload.
template <class D, class S>
inline D narrow(S value, FloatFormat format, Rounding mode) {
  if (value == value) return fromBits<D>(encodeFloat(static_cast<double>(value), format, mode));
  int width = format.exponentBits + format.fractionBits;
  if constexpr (sizeof(S) == 8) {
    u64 x = bitsAs<u64>(value) | u64{1} << 51;
    u32 fraction = static_cast<u32>((x & ((u64{1} << 52) - 1)) >> (52 - format.fractionBits));
    return fromBits<D>(static_cast<u32>(x >> 63) << width | ((1u << format.exponentBits) - 1) << format.fractionBits | fraction);
  }
  return fromBits<D>((1u << width) - 1);
}
inline u32 toTf32(float value, Rounding mode) {
  // .rna keeps the top of a NaN's bits, the others make it canonical.
  if (value != value) return (mode == Rounding::NearestAway ? bitsAs<u32>(value) : kNan32) & 0xffffe000u;
  return encodeFloat(value, kTf32, mode) << 13;
}
inline u16 pairOf8(float high, float low, FloatFormat format) {
  return static_cast<u16>(encodeFloat(high, format, Rounding::Nearest, true) << 8 |
                          encodeFloat(low, format, Rounding::Nearest, true));
}
inline Half halfOf8(u32 bits, FloatFormat format) {
  return toHalf(static_cast<float>(decodeFloat(bits, format)));
}

template <class R, class A, class B, class C, class D, auto F>
void lanes(void *result, const void *a, const void *b, const void *c, const void *d) {
  if constexpr (std::is_same_v<R, Pred>) {
    u32 mask = 0;
    for (int l = 0; l < kLanes; ++l)
      mask |= static_cast<u32>(F(getLane<A>(a, l), getLane<B>(b, l), getLane<C>(c, l), getLane<D>(d, l)) ? 1 : 0) << l;
    *static_cast<u32 *>(result) = mask;
  } else {
    // The result may be one of the operands, whole: no lane reads another's.
#ifdef __clang__
#pragma clang loop vectorize(assume_safety)
#endif
    for (int l = 0; l < kLanes; ++l)
      setLane<R>(result, l, static_cast<R>(F(getLane<A>(a, l), getLane<B>(b, l), getLane<C>(c, l), getLane<D>(d, l))));
  }
}

}  // namespace
}  // namespace adze::ptx
