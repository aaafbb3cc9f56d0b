// Checked arithmetic for sizes that come from input: an overflow is a value
// (std::nullopt), never undefined behaviour.
#pragma once
#include <cstdint>
#include <optional>
#include <span>

namespace adze {

inline std::optional<int64_t> checkedAdd(int64_t a, int64_t b) {
  int64_t r;
  if (__builtin_add_overflow(a, b, &r)) return std::nullopt;
  return r;
}

inline std::optional<int64_t> checkedMul(int64_t a, int64_t b) {
  int64_t r;
  if (__builtin_mul_overflow(a, b, &r)) return std::nullopt;
  return r;
}

/// Number of elements of `shape`; nullopt on a negative extent or overflow.
inline std::optional<int64_t> checkedNumElements(std::span<const int64_t> shape) {
  int64_t n = 1;
  for (int64_t d : shape)
    if (d == 0) n = 0;
  for (int64_t d : shape) {
    if (d < 0) return std::nullopt;
    if (n == 0) continue;
    auto r = checkedMul(n, d);
    if (!r) return std::nullopt;
    n = *r;
  }
  return n;
}

/// [offset, offset + length) lies inside [0, size).
inline bool rangeInside(int64_t offset, int64_t length, int64_t size) {
  return offset >= 0 && length >= 0 && offset <= size && length <= size - offset;
}

}  // namespace adze
