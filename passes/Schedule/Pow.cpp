#include "passes/Schedule/Pow.h"

#include "passes/Schedule/MathBuilder.h"

#include <limits>

using namespace mlir;

namespace adze::schedule {
namespace {

using arith::CmpFPredicate;

/// Arithmetic on f64 of the shape of a given f32 type.
class DoubleBuilder {
 public:
  DoubleBuilder(OpBuilder &b, Location loc, Type f32)
      : b(b), loc(loc), type(like(f32, b.getF64Type())), intType(like(f32, b.getI64Type())) {}

  static Type like(Type shaped, Type element) {
    auto vector = dyn_cast<VectorType>(shaped);
    return vector ? Type(vector.clone(element)) : element;
  }
  Value splat(Type of, TypedAttr v) {
    auto vector = dyn_cast<VectorType>(of);
    return arith::ConstantOp::create(b, loc,
                                     vector ? DenseElementsAttr::get(vector, Attribute(v)) : v);
  }
  Value constant(double v) { return splat(type, b.getF64FloatAttr(v)); }
  Value integer(int64_t v) { return splat(intType, b.getI64IntegerAttr(v)); }
  Value add(Value l, Value r) {
    return arith::AddFOp::create(b, loc, l, r, arith::FastMathFlags::contract);
  }
  Value sub(Value l, Value r) { return arith::SubFOp::create(b, loc, l, r); }
  Value mul(Value l, Value r) {
    return arith::MulFOp::create(b, loc, l, r, arith::FastMathFlags::contract);
  }
  Value bits(Value v) { return arith::BitcastOp::create(b, loc, intType, v); }
  Value fromBits(Value v) { return arith::BitcastOp::create(b, loc, type, v); }
  /// coefficients[0] + x * (coefficients[1] + ...).
  Value polynomial(Value x, ArrayRef<double> coefficients) {
    Value sum = constant(coefficients.back());
    for (double c : llvm::reverse(coefficients.drop_back())) sum = add(mul(sum, x), constant(c));
    return sum;
  }

  OpBuilder &b;
  Location loc;
  Type type, intType;
};

/// x = 2^e m with m in [sqrt(1/2), sqrt(2)): e + log2(m), log m = 2 artanh f of
/// f = (m - 1) / (m + 1), |f| < 0.172, by its series to f^15.
Value buildLog2(DoubleBuilder &d, Value x) {
  Value bits = d.bits(x), rootHalf = d.integer(0x3fe6a09e667f3bcd);  // sqrt(1/2)
  Value above = arith::SubIOp::create(d.b, d.loc, bits, rootHalf);
  Value exponent = arith::ShRSIOp::create(d.b, d.loc, above, d.integer(52));
  Value shifted = arith::ShLIOp::create(d.b, d.loc, exponent, d.integer(52));
  Value m = d.fromBits(arith::SubIOp::create(d.b, d.loc, bits, shifted));
  Value one = d.constant(1);
  Value f = arith::DivFOp::create(d.b, d.loc, d.sub(m, one), d.add(m, one));
  constexpr double scale = 2 / 0.69314718055994530942;
  Value series = d.polynomial(d.mul(f, f), {scale, scale / 3, scale / 5, scale / 7, scale / 9,
                                            scale / 11, scale / 13, scale / 15});
  Value whole = arith::SIToFPOp::create(d.b, d.loc, d.type, exponent);
  return d.add(d.mul(f, series), whole);
}

/// 2^p of p in [-1000, 1000]: 2^n e^(r ln 2), |r| <= 1/2, by the series to r^10.
Value buildExp2(DoubleBuilder &d, Value p) {
  Value n = math::RoundEvenOp::create(d.b, d.loc, p);
  Value t = d.mul(d.sub(p, n), d.constant(0.69314718055994530942));
  SmallVector<double> coefficients{1};
  for (int k = 1; k <= 10; ++k) coefficients.push_back(coefficients.back() / k);
  Value fraction = d.polynomial(t, coefficients);
  Value whole = arith::FPToSIOp::create(d.b, d.loc, d.intType, n);
  Value biased = arith::AddIOp::create(d.b, d.loc, whole, d.integer(1023));
  return d.mul(fraction, d.fromBits(arith::ShLIOp::create(d.b, d.loc, biased, d.integer(52))));
}

/// p within [-limit, limit]; p is not NaN.
Value clamp(DoubleBuilder &d, Value p, double limit) {
  for (double bound : {limit, -limit}) {
    auto beyond = arith::CmpFOp::create(
        d.b, d.loc, bound > 0 ? CmpFPredicate::OGT : CmpFPredicate::OLT, p, d.constant(bound));
    p = arith::SelectOp::create(d.b, d.loc, beyond, d.constant(bound), p);
  }
  return p;
}

/// y compared with what is left without its fraction.
Value isWhole(MathBuilder &m, Value y, CmpFPredicate equal) {
  return m.compare(equal, math::TruncOp::create(m.builder, m.loc, y), y);
}

/// y is an odd integer; none is of a size of 2^24 or more.
Value isOdd(MathBuilder &m, Value y) {
  Value half = m.mul(y, m.constant(0.5f));
  return arith::AndIOp::create(m.builder, m.loc, isWhole(m, y, CmpFPredicate::OEQ),
                               isWhole(m, half, CmpFPredicate::UNE));
}

/// y log2(x) of x >= 0 and not NaN; 0 where that is no number.
Value buildProduct(DoubleBuilder &d, MathBuilder &m, Value x, Value y) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Value isZero = m.compare(CmpFPredicate::OEQ, x, m.constant(0));
  Value isFinite =
      m.compare(CmpFPredicate::OLT, x, m.constant(std::numeric_limits<float>::infinity()));
  Value base = m.select(isZero, m.constant(1), m.select(isFinite, x, m.constant(1)));
  Value log = buildLog2(d, arith::ExtFOp::create(d.b, d.loc, d.type, base));
  log = m.select(isZero, d.constant(-kInfinity), m.select(isFinite, log, d.constant(kInfinity)));
  Value p = d.mul(log, arith::ExtFOp::create(d.b, d.loc, d.type, y));
  return m.select(m.compare(CmpFPredicate::UNO, p, p), d.constant(0), p);
}

}  // namespace

Value buildPow(OpBuilder &b, Location loc, Value x, Value y) {
  MathBuilder m(b, loc, x.getType());
  DoubleBuilder d(b, loc, x.getType());
  Value zero = m.constant(0), one = m.constant(1),
        nan = m.constant(std::numeric_limits<float>::quiet_NaN());
  auto both = [&](Value l, Value r) -> Value { return arith::AndIOp::create(b, loc, l, r); };
  auto either = [&](Value l, Value r) -> Value { return arith::OrIOp::create(b, loc, l, r); };
  // Beyond these all is zero or infinite in f32.
  Value p = clamp(d, buildProduct(d, m, m.abs(x), y), 200);
  Value power = arith::TruncFOp::create(b, loc, x.getType(), buildExp2(d, p));
  power = m.select(isOdd(m, y), m.copySign(power, x), power);
  Value isRoot =
      both(m.compare(CmpFPredicate::OLT, x, zero),
           m.compare(CmpFPredicate::OGT, x, m.constant(-std::numeric_limits<float>::infinity())));
  isRoot = both(isRoot, isWhole(m, y, CmpFPredicate::UNE));
  power = m.select(either(isRoot, m.compare(CmpFPredicate::UNO, x, y)), nan, power);
  Value isOne =
      either(m.compare(CmpFPredicate::OEQ, x, one), m.compare(CmpFPredicate::OEQ, y, zero));
  return m.select(isOne, one, power);
}

}  // namespace adze::schedule
