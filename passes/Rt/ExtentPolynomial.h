// Counts over the extents of a kernel's arguments, in a normal form.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace adze {

/// A sum of products of factors with whole coefficients. A factor is an extent
/// ("e3") or what is no polynomial in them ("e3 2 /"), in the postfix of
/// lib/Artifact/Count.h.
class ExtentPolynomial {
 public:
  static ExtentPolynomial constant(int64_t value);
  static ExtentPolynomial factor(std::string postfix);

  std::optional<int64_t> asConstant() const;
  /// As lib/Artifact/Count.h reads it.
  std::string postfix() const;
  /// Nullopt beyond 64 bits, or where it grows out of hand.
  std::optional<ExtentPolynomial> plus(const ExtentPolynomial &other) const;
  std::optional<ExtentPolynomial> times(const ExtentPolynomial &other) const;
  bool operator==(const ExtentPolynomial &) const = default;

 private:
  std::map<std::vector<std::string>, int64_t> terms_;  ///< sorted factors -> coefficient
};

/// A count, or that it is not known: an extent that the data decides, or numbers
/// beyond 64 bits.
class Amount {
 public:
  Amount() = default;
  Amount(std::optional<ExtentPolynomial> value) : value_(std::move(value)) {}
  Amount(int64_t number) : value_(ExtentPolynomial::constant(number)) {}

  bool isKnown() const { return value_.has_value(); }
  std::optional<int64_t> asConstant() const {
    return value_ ? value_->asConstant() : std::nullopt;
  }
  /// "" when not known.
  std::string postfix() const { return value_ ? value_->postfix() : ""; }
  bool operator==(const Amount &) const = default;

  Amount operator+(const Amount &other) const;
  Amount operator-(const Amount &other) const { return *this + other * Amount(-1); }
  Amount operator*(const Amount &other) const;
  /// Rounded down.
  Amount over(const Amount &other) const;
  Amount atMost(const Amount &other) const;
  Amount atLeast(const Amount &other) const;
  /// `other` where this is one.
  Amount broadcast(const Amount &other) const;

 private:
  std::optional<ExtentPolynomial> value_;
};

}  // namespace adze
