// PTX's fundamental types.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace adze::ptx {

struct ScalarType {
  std::string_view name;
  uint8_t bits;   ///< 1 for a predicate
  char kind;      ///< 'p' predicate, 'b' bits, 'u', 's', 'f'
};

inline constexpr ScalarType kScalarTypes[] = {
    {"pred", 1, 'p'},  {"b8", 8, 'b'},    {"b16", 16, 'b'},   {"b32", 32, 'b'},  {"b64", 64, 'b'},
    {"u8", 8, 'u'},    {"u16", 16, 'u'},  {"u32", 32, 'u'},   {"u64", 64, 'u'},  {"s8", 8, 's'},
    {"s16", 16, 's'},  {"s32", 32, 's'},  {"s64", 64, 's'},   {"f16", 16, 'f'},  {"f16x2", 32, 'f'},
    {"bf16", 16, 'f'}, {"bf16x2", 32, 'f'}, {"f32", 32, 'f'}, {"f64", 64, 'f'}};

inline std::optional<ScalarType> scalarType(std::string_view name) {
  for (const ScalarType &t : kScalarTypes)
    if (t.name == name) return t;
  return std::nullopt;
}

}  // namespace adze::ptx
