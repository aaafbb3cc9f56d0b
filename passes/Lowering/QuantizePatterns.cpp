// quantize, dequantize.
#include "passes/Lowering/Emitter.h"

using namespace mlir;

namespace adze::lowering {

namespace {

/// Reads scale or zero point (operand `i`) for element `at` of x: one for all,
/// one a position along the axis, or one a block.
Value parameter(Emitter &e, OpBuilder &b, Location loc, unsigned i, ValueRange at, int64_t axis,
                int64_t block) {
  Value v = e.operand(i);
  int64_t rank = rankOf(v);
  if (rank == 0) return tensor::ExtractOp::create(b, loc, v, ValueRange());
  if (rank == 1 && !block) {
    bool single = tensorType(v).getDimSize(0) == 1;
    Value index = single ? arith::ConstantIndexOp::create(b, loc, 0).getResult() : at[axis];
    return tensor::ExtractOp::create(b, loc, v, index);
  }
  SmallVector<Value> reads(at);
  Value size = arith::ConstantIndexOp::create(b, loc, std::max<int64_t>(block, 1));
  reads[axis] = arith::DivUIOp::create(b, loc, reads[axis], size);
  return tensor::ExtractOp::create(b, loc, v, reads);
}

/// A generic over x whose body gets x's element, then the stored scale and zero
/// point.
template <typename OpTy>
Value mapQuantized(OpTy op, Emitter &e, Type storage,
                   function_ref<Value(OpBuilder &, Location, Value, Value, Value)> body) {
  Folds extents = e.extents(0);
  int64_t rank = extents.size(), axis = op.getAxis(), block = op.getBlockSize();
  bool vectors = block == 0;
  SmallVector<Value> ins{e.operand(0)};
  SmallVector<AffineMap> maps{e.identity(rank)};
  if (vectors)
    for (unsigned i : {1u, 2u}) {
      SmallVector<AffineExpr> at;
      Value v = e.operand(i);
      if (rankOf(v) == 1) {
        bool single = tensorType(v).getDimSize(0) == 1;
        at.push_back(single ? e.b.getAffineConstantExpr(0) : e.b.getAffineDimExpr(axis));
      }
      ins.push_back(v);
      maps.push_back(e.affineMap(rank, at));
    }
  return e.map(ins, maps, extents, storage, [&](OpBuilder &b, Location loc, ValueRange args) {
    if (vectors) return body(b, loc, args[0], args[1], args[2]);
    SmallVector<Value> at;
    for (int64_t d = 0; d < rank; ++d) at.push_back(linalg::IndexOp::create(b, loc, d));
    return body(b, loc, args[0], parameter(e, b, loc, 1, at, axis, block),
                parameter(e, b, loc, 2, at, axis, block));
  });
}

bool isPlainNumber(Type t) {
  return isa<IntegerType, Float16Type, BFloat16Type, Float32Type, Float64Type>(t);
}

/// adze.quantize -> divide, round half to even, add the zero point, saturate.
struct LowerQuantize : Lower<graph::QuantizeOp> {
  using Lower::Lower;
  LogicalResult lower(graph::QuantizeOp op, Emitter &e) const override {
    Type from = e.adzeElement(0), scaleType = e.adzeElement(1), zeroType = e.adzeElement(2);
    Type to = elementOf(op.getResult());
    if (!isPlainNumber(from) || !isPlainNumber(scaleType) || !isa<IntegerType>(to))
      return e.unsupported("this element type has no scalar code");
    Type f32 = e.b.getF32Type();
    e.setResultExtents(0, e.extents(0));
    auto body = [&](OpBuilder &b, Location loc, Value x, Value scale, Value zero) -> Value {
      Value v = widen(b, loc, loadScalar(b, loc, x, from), from, f32);
      Value s = widen(b, loc, loadScalar(b, loc, scale, scaleType), scaleType, f32);
      v = math::RoundEvenOp::create(b, loc, arith::DivFOp::create(b, loc, v, s));
      v = arith::AddFOp::create(b, loc, v, widen(b, loc, zero, zeroType, f32));
      return emitCast(b, loc, v, f32, to);
    };
    return e.replace(mapQuantized(op, e, storageType(to), body));
  }
};

/// adze.dequantize -> (x - zero point) * scale.
struct LowerDequantize : Lower<graph::DequantizeOp> {
  using Lower::Lower;
  LogicalResult lower(graph::DequantizeOp op, Emitter &e) const override {
    Type from = e.adzeElement(0), scaleType = e.adzeElement(1), zeroType = e.adzeElement(2);
    Type to = elementOf(op.getResult());
    if (!isa<IntegerType>(from) || !isPlainNumber(scaleType) || !isPlainNumber(to))
      return e.unsupported("this element type has no scalar code");
    Type compute = computeType(scaleType), i32 = e.b.getI32Type();
    e.setResultExtents(0, e.extents(0));
    auto body = [&](OpBuilder &b, Location loc, Value x, Value scale, Value zero) -> Value {
      Value l = widen(b, loc, x, from, i32), r = widen(b, loc, zero, zeroType, i32);
      Value v = arith::SIToFPOp::create(b, loc, compute, arith::SubIOp::create(b, loc, l, r));
      v = arith::MulFOp::create(b, loc, v, loadScalar(b, loc, scale, scaleType));
      return emitCast(b, loc, v, compute, to);
    };
    return e.replace(mapQuantized(op, e, storageType(to), body));
  }
};

}  // namespace

void populateQuantizePatterns(const TypeConverter &types, LoweringState &state,
                              RewritePatternSet &patterns) {
  addPatterns<LowerQuantize, LowerDequantize>(types, state, patterns);
}

}  // namespace adze::lowering
