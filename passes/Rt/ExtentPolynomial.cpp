#include "passes/Rt/ExtentPolynomial.h"

#include "lib/Support/Checked.h"

#include <algorithm>

namespace adze {

/// More terms than any sum of shapes has; beyond them a count is not worth it.
static constexpr size_t kMaxTerms = 64;

ExtentPolynomial ExtentPolynomial::constant(int64_t value) {
  ExtentPolynomial p;
  if (value) p.terms_[{}] = value;
  return p;
}

ExtentPolynomial ExtentPolynomial::factor(std::string postfix) {
  ExtentPolynomial p;
  p.terms_[{std::move(postfix)}] = 1;
  return p;
}

std::optional<int64_t> ExtentPolynomial::asConstant() const {
  if (terms_.empty()) return 0;
  if (terms_.size() > 1 || !terms_.begin()->first.empty()) return std::nullopt;
  return terms_.begin()->second;
}

std::string ExtentPolynomial::postfix() const {
  std::string text;
  auto add = [&](const std::string &term) { text += text.empty() ? term : " " + term + " +"; };
  for (const auto &[factors, coefficient] : terms_) {
    std::string term;
    for (const std::string &f : factors) term += term.empty() ? f : " " + f + " *";
    if (term.empty()) continue;
    if (coefficient != 1) term += " " + std::to_string(coefficient) + " *";
    add(term);
  }
  auto number = terms_.find({});
  if (number != terms_.end()) add(std::to_string(number->second));
  return text.empty() ? "0" : text;
}

std::optional<ExtentPolynomial> ExtentPolynomial::plus(const ExtentPolynomial &other) const {
  ExtentPolynomial sum = *this;
  for (const auto &[factors, coefficient] : other.terms_) {
    auto total = checkedAdd(sum.terms_[factors], coefficient);
    if (!total) return std::nullopt;
    sum.terms_[factors] = *total;
    if (*total == 0) sum.terms_.erase(factors);
  }
  if (sum.terms_.size() > kMaxTerms) return std::nullopt;
  return sum;
}

std::optional<ExtentPolynomial> ExtentPolynomial::times(const ExtentPolynomial &other) const {
  std::optional<ExtentPolynomial> product = ExtentPolynomial();
  for (const auto &[x, cx] : terms_)
    for (const auto &[y, cy] : other.terms_) {
      auto coefficient = checkedMul(cx, cy);
      if (!coefficient) return std::nullopt;
      std::vector<std::string> factors(x);
      factors.insert(factors.end(), y.begin(), y.end());
      std::sort(factors.begin(), factors.end());
      ExtentPolynomial term;
      term.terms_[factors] = *coefficient;
      product = product->plus(term);
      if (!product) return std::nullopt;
    }
  return product;
}

Amount Amount::operator+(const Amount &other) const {
  if (!value_ || !other.value_) return {};
  return value_->plus(*other.value_);
}

Amount Amount::operator*(const Amount &other) const {
  // What is not done at all needs no count of how often.
  if (asConstant() == 0 || other.asConstant() == 0) return 0;
  if (!value_ || !other.value_) return {};
  return value_->times(*other.value_);
}

/// fold(a, b) of constants; else a factor that says so.
template <typename Fold>
static Amount combine(const Amount &a, const Amount &b, const char *op, Fold fold) {
  if (!a.isKnown() || !b.isKnown()) return {};
  auto x = a.asConstant(), y = b.asConstant();
  if (x && y) return fold(*x, *y);
  return Amount(ExtentPolynomial::factor(a.postfix() + " " + b.postfix() + " " + op));
}

Amount Amount::over(const Amount &other) const {
  if (other == Amount(1)) return *this;
  return combine(*this, other, "/", [](int64_t x, int64_t y) {
    return y < 1 ? Amount() : Amount(x / y - (x % y < 0));
  });
}

Amount Amount::atMost(const Amount &other) const {
  if (*this == other) return *this;
  return combine(*this, other, "min", [](int64_t x, int64_t y) { return Amount(std::min(x, y)); });
}

Amount Amount::atLeast(const Amount &other) const {
  if (*this == other) return *this;
  return combine(*this, other, "max", [](int64_t x, int64_t y) { return Amount(std::max(x, y)); });
}

Amount Amount::broadcast(const Amount &other) const {
  if (*this == other) return *this;
  return combine(*this, other, "broadcast",
                 [](int64_t x, int64_t y) { return Amount(x == 1 ? y : x); });
}

}  // namespace adze
