#include "lib/Artifact/Count.h"

#include "lib/Support/Checked.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace adze::artifact {

namespace {
// Far above what the compiler writes; they bound a crafted artifact's work.
constexpr size_t kMaxTokens = 4096;
constexpr size_t kMaxDepth = 64;

/// A whole word as a number; nullopt for anything else, overflow included.
std::optional<int64_t> number(std::string_view word) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  return value;
}
}  // namespace

std::optional<Count::Token> Count::parseToken(std::string_view word, uint32_t extents) {
  static constexpr std::pair<std::string_view, Kind> kOperators[] = {
      {"+", Kind::Add}, {"-", Kind::Sub},   {"*", Kind::Mul},
      {"/", Kind::Div}, {"min", Kind::Min}, {"max", Kind::Max}, {"broadcast", Kind::Broadcast}};
  for (const auto &[name, kind] : kOperators)
    if (word == name) return Token{kind};
  bool extent = word.starts_with('e');
  auto value = number(extent ? word.substr(1) : word);
  if (!value || (extent && (*value < 0 || *value >= extents))) return std::nullopt;
  return Token{extent ? Kind::Extent : Kind::Number, *value};
}

std::optional<Count> Count::parse(std::string_view text, uint32_t extents) {
  Count count;
  size_t depth = 0;
  for (bool more = true; more;) {
    size_t end = text.find(' ');
    auto token = parseToken(text.substr(0, end), extents);
    if (!token || count.tokens_.size() == kMaxTokens) return std::nullopt;
    bool operand = token->kind == Kind::Number || token->kind == Kind::Extent;
    if (operand ? depth == kMaxDepth : depth < 2) return std::nullopt;
    depth = operand ? depth + 1 : depth - 1;
    count.tokens_.push_back(*token);
    more = end != std::string_view::npos;
    if (more) text.remove_prefix(end + 1);
  }
  if (depth != 1) return std::nullopt;
  return count;
}

std::optional<int64_t> Count::apply(Kind kind, int64_t a, int64_t b) {
  switch (kind) {
    case Kind::Add: return checkedAdd(a, b);
    case Kind::Sub: return b == INT64_MIN ? std::nullopt : checkedAdd(a, -b);
    case Kind::Mul: return checkedMul(a, b);
    case Kind::Div:
      if (b < 1) return std::nullopt;
      return a / b - (a % b < 0);
    case Kind::Min: return std::min(a, b);
    case Kind::Max: return std::max(a, b);
    case Kind::Broadcast: return a == 1 ? b : a;
    default: return std::nullopt;
  }
}

std::optional<int64_t> Count::at(std::span<const int64_t> extents) const {
  std::array<int64_t, kMaxDepth> stack;
  size_t depth = 0;
  for (const Token &token : tokens_) {
    if (token.kind == Kind::Number) {
      stack[depth++] = token.value;
    } else if (token.kind == Kind::Extent) {
      if (static_cast<size_t>(token.value) >= extents.size()) return std::nullopt;
      stack[depth++] = extents[token.value];
    } else {
      auto value = apply(token.kind, stack[depth - 2], stack[depth - 1]);
      if (!value) return std::nullopt;
      stack[--depth - 1] = *value;
    }
  }
  if (depth != 1 || stack[0] < 0) return std::nullopt;
  return stack[0];
}

}  // namespace adze::artifact
