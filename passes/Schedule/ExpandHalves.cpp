// Conversions to 16-bit floats that CPUs or LLVM round twice or wrongly, by integer
// arithmetic. (AVX-512's to bf16 takes denormals for zero.)
#include "passes/Schedule/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"

namespace adze::schedule {
#define GEN_PASS_DEF_EXPANDHALVES
#include "passes/Schedule/Passes.h.inc"
}  // namespace adze::schedule

using namespace mlir;

namespace adze::schedule {
namespace {

using arith::CmpFPredicate;

/// Integer arithmetic on scalars, or lanes of vectors shaped as `like`.
struct Bits {
  OpBuilder &b;
  Location loc;
  Type like;

  Type as(Type element) const {
    auto vector = dyn_cast<VectorType>(like);
    return vector ? Type(vector.clone(element)) : element;
  }
  Type i16() const { return as(b.getI16Type()); }
  Type i32() const { return as(b.getI32Type()); }
  Type f32() const { return as(b.getF32Type()); }
  Value c(uint32_t v) const {
    TypedAttr attr = b.getI32IntegerAttr(int32_t(v));
    if (isa<VectorType>(like)) attr = DenseElementsAttr::get(cast<VectorType>(i32()), int32_t(v));
    return arith::ConstantOp::create(b, loc, attr);
  }
  Value bits(Value v, Type type) const { return arith::BitcastOp::create(b, loc, type, v); }
  Value add(Value l, Value r) const { return arith::AddIOp::create(b, loc, l, r); }
  Value sub(Value l, Value r) const { return arith::SubIOp::create(b, loc, l, r); }
  Value band(Value l, Value r) const { return arith::AndIOp::create(b, loc, l, r); }
  Value bor(Value l, Value r) const { return arith::OrIOp::create(b, loc, l, r); }
  Value right(Value v, uint32_t n) const { return arith::ShRUIOp::create(b, loc, v, c(n)); }
  Value select(Value condition, Value yes, Value no) const {
    return arith::SelectOp::create(b, loc, condition, yes, no);
  }
  Value narrow(Value v) const { return arith::TruncIOp::create(b, loc, i16(), v); }
};

/// f64 to f32, rounded to odd: what is lost of the value sets the last bit, so
/// that a second rounding, to fewer bits, is as good as one.
Value roundToOdd(const Bits &m, Value x) {
  Value near = arith::TruncFOp::create(m.b, m.loc, m.f32(), x);
  Value back = arith::ExtFOp::create(m.b, m.loc, x.getType(), near);
  auto compare = [&](CmpFPredicate p, Value l, Value r) {
    return arith::CmpFOp::create(m.b, m.loc, p, l, r).getResult();
  };
  TypedAttr zeroAttr = m.b.getF64FloatAttr(0);
  if (auto vector = dyn_cast<VectorType>(x.getType())) zeroAttr = DenseElementsAttr::get(vector, 0.0);
  Value zero = arith::ConstantOp::create(m.b, m.loc, zeroAttr);
  // Further from zero than x: then the neighbour is the one cut off.
  Value above = m.select(compare(CmpFPredicate::OLT, x, zero), compare(CmpFPredicate::OLT, back, x),
                         compare(CmpFPredicate::OGT, back, x));
  Value bits = m.bits(near, m.i32());
  Value cut = m.select(above, m.sub(bits, m.c(1)), bits);
  Value odd = m.bor(cut, m.c(1));
  return m.bits(m.select(compare(CmpFPredicate::ONE, back, x), odd, bits), m.f32());
}

/// Adds half of what is cut off, less a bit where the kept part is even.
Value roundBits(const Bits &m, Value bits, uint32_t dropped) {
  Value odd = m.band(m.right(bits, dropped), m.c(1));
  return m.right(m.add(m.add(bits, m.c((1u << (dropped - 1)) - 1)), odd), dropped);
}

Value toBF16(const Bits &m, Value x, Type type) {
  Value isNaN = arith::CmpFOp::create(m.b, m.loc, CmpFPredicate::UNO, x, x);
  Value rounded = roundBits(m, m.bits(x, m.i32()), 16);
  return m.bits(m.narrow(m.select(isNaN, m.c(0x7fc0), rounded)), type);
}

struct ExpandHalves : impl::ExpandHalvesBase<ExpandHalves> {
  void runOnOperation() override {
    getOperation()->walk([&](Operation *op) {
      if (auto narrow = dyn_cast<arith::TruncFOp>(op))
        truncate(narrow);
      else if (auto number = dyn_cast<arith::SIToFPOp>(op))
        fromInteger(number);
      else if (auto number = dyn_cast<arith::UIToFPOp>(op))
        fromInteger(number);
    });
  }

  /// By way of f64, which has every 32-bit integer.
  template <typename OpTy>
  void fromInteger(OpTy op) {
    Type element = getElementTypeOrSelf(op.getType());
    if (!element.isF16() && !element.isBF16()) return;
    OpBuilder b(op);
    Type wide = Bits{b, op.getLoc(), op.getType()}.as(b.getF64Type());
    Value x = OpTy::create(b, op.getLoc(), wide, op.getIn());
    auto narrow = arith::TruncFOp::create(b, op.getLoc(), op.getType(), x);
    op.replaceAllUsesWith(narrow.getResult());
    op.erase();
    truncate(narrow);
  }

  void truncate(arith::TruncFOp op) {
    Type type = op.getType(), to = getElementTypeOrSelf(type);
    Value x = op.getIn();
    bool isF64 = getElementTypeOrSelf(x).isF64();
    if ((!to.isF16() && !to.isBF16()) || (to.isF16() && !isF64)) return;
    OpBuilder b(op);
    Bits m{b, op.getLoc(), type};
    if (isF64) x = roundToOdd(m, x);
    Value result = to.isBF16() ? toBF16(m, x, type)
                               : arith::TruncFOp::create(b, op.getLoc(), type, x).getResult();
    op.replaceAllUsesWith(result);
    op.erase();
  }

};

}  // namespace
}  // namespace adze::schedule
