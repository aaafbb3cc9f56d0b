// Counts that depend on the extents of a kernel's launch: operations, bytes.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace adze::artifact {

/// A number in postfix over the extents e0, e1, ... that a kernel's arguments
/// have at a launch, dynamic dimensions only, in order: "e0 e1 * 2304 *". The
/// operators are + - * / (rounds down) min max, and `a b broadcast`: b where a is
/// one, else a.
class Count {
 public:
  /// Nullopt where the text is no such expression, names an extent beyond
  /// `extents`, or is longer than any kernel needs.
  static std::optional<Count> parse(std::string_view text, uint32_t extents);

  /// The value at these extents (as many as parse was told); nullopt when it
  /// overflows, divides by less than one, or comes out negative.
  std::optional<int64_t> at(std::span<const int64_t> extents) const;

 private:
  enum class Kind : uint8_t { Number, Extent, Add, Sub, Mul, Div, Min, Max, Broadcast };
  struct Token {
    Kind kind;
    int64_t value = 0;  ///< the number, or the extent's index
  };
  static std::optional<Token> parseToken(std::string_view word, uint32_t extents);
  static std::optional<int64_t> apply(Kind kind, int64_t a, int64_t b);

  std::vector<Token> tokens_;
};

}  // namespace adze::artifact
