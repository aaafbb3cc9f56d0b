#include "passes/Schedule/Pow.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace adze::schedule {
namespace {

using arith::CmpFPredicate;

/// Arithmetic on f64 vectors as long as a given f32 vector.
class DoubleBuilder {
public:
  DoubleBuilder(OpBuilder &b, Location loc, VectorType f32)
      : b(b), loc(loc), type(f32.clone(b.getF64Type())), intType(f32.clone(b.getI64Type())) {}

  Value constant(double v) {
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, v));
  }
  Value integer(int64_t v) {
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(intType, v));
  }
  Value add(Value l, Value r) { return arith::AddFOp::create(b, loc, l, r, arith::FastMathFlags::contract); }
  Value sub(Value l, Value r) { return arith::SubFOp::create(b, loc, l, r); }
  Value mul(Value l, Value r) { return arith::MulFOp::create(b, loc, l, r, arith::FastMathFlags::contract); }
  Value bits(Value v) { return arith::BitcastOp::create(b, loc, intType, v); }
  Value fromBits(Value v) { return arith::BitcastOp::create(b, loc, type, v); }
  /// coefficients[0] + x * (coefficients[1] + ...).
  Value polynomial(Value x, ArrayRef<double> coefficients) {
    Value sum = constant(coefficients.back());
    for (double c : llvm::reverse(coefficients.drop_back()))
      sum = add(mul(sum, x), constant(c));
    return sum;
  }

  OpBuilder &b;
  Location loc;
  VectorType type, intType;
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
  for (int k = 1; k <= 10; ++k)
    coefficients.push_back(coefficients.back() / k);
  Value fraction = d.polynomial(t, coefficients);
  Value whole = arith::FPToSIOp::create(d.b, d.loc, d.intType, n);
  Value biased = arith::AddIOp::create(d.b, d.loc, whole, d.integer(1023));
  return d.mul(fraction, d.fromBits(arith::ShLIOp::create(d.b, d.loc, biased, d.integer(52))));
}

/// p within [-limit, limit]; p is not NaN.
Value clamp(DoubleBuilder &d, Value p, double limit) {
  for (double bound : {limit, -limit}) {
    auto beyond = arith::CmpFOp::create(d.b, d.loc, bound > 0 ? CmpFPredicate::OGT : CmpFPredicate::OLT,
                                        p, d.constant(bound));
    p = arith::SelectOp::create(d.b, d.loc, beyond, d.constant(bound), p);
  }
  return p;
}

Value splatOf(OpBuilder &b, Location loc, VectorType type, float v) {
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, v));
}

}  // namespace

Value isPowWithin(OpBuilder &b, Location loc, Value x, Value y) {
  auto type = cast<VectorType>(x.getType());
  Value zero = splatOf(b, loc, type, 0), infinity = splatOf(b, loc, type, INFINITY);
  auto compare = [&](CmpFPredicate p, Value l, Value r) -> Value {
    return arith::CmpFOp::create(b, loc, p, l, r);
  };
  Value size = math::AbsFOp::create(b, loc, y);
  Value nonzero = arith::OrIOp::create(b, loc, compare(CmpFPredicate::OGT, x, zero),
                                       compare(CmpFPredicate::OGT, y, zero));
  Value within = arith::AndIOp::create(b, loc, compare(CmpFPredicate::OGE, x, zero),
                                       compare(CmpFPredicate::OLT, x, infinity));
  within = arith::AndIOp::create(b, loc, within, compare(CmpFPredicate::OLT, size, infinity));
  return arith::AndIOp::create(b, loc, within, nonzero);
}

Value buildPow(OpBuilder &b, Location loc, Value x, Value y) {
  auto type = cast<VectorType>(x.getType());
  DoubleBuilder d(b, loc, type);
  Value zero = splatOf(b, loc, type, 0);
  Value isZero = arith::CmpFOp::create(b, loc, CmpFPredicate::OEQ, x, zero);
  Value base = arith::SelectOp::create(b, loc, isZero, splatOf(b, loc, type, 1), x);
  Value log = buildLog2(d, arith::ExtFOp::create(b, loc, d.type, base));
  Value p = d.mul(log, arith::ExtFOp::create(b, loc, d.type, y));
  // Beyond these all is zero or infinite in f32.
  p = clamp(d, p, 200);
  Value power = arith::TruncFOp::create(b, loc, type, buildExp2(d, p));
  return arith::SelectOp::create(b, loc, isZero, zero, power);
}

}  // namespace adze::schedule
