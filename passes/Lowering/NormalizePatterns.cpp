// softmax, normalize.
#include "passes/Lowering/Emitter.h"

#include <limits>

using namespace mlir;

namespace adze::lowering {

namespace {

bool isReal(Type element) {
  return isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(element);
}

/// adze.softmax -> generics that share the row: max, exp(x - max), sum, and the
/// division in place. Half precision stays in f32 until the end.
struct LowerSoftmax : Lower<graph::SoftmaxOp> {
  using Lower::Lower;

  struct Row {
    Emitter &e;
    Folds extents;
    int64_t axis;
    Type element, compute;
    AffineMap id, dropped;
    Value init(double v) const { return scalarConstant(e.b, e.loc, compute, v); }
  };

  static Value maximum(const Row &r) {
    // The maximum only scales: a NaN shows up in the sum whatever it does here.
    auto relaxed = arith::FastMathFlagsAttr::get(
        r.e.b.getContext(), arith::FastMathFlags::nnan | arith::FastMathFlags::nsz);
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      Value v = loadScalar(b, loc, args[0], r.element);
      return arith::MaximumFOp::create(b, loc, args[1], v, relaxed);
    };
    Value low = r.init(-std::numeric_limits<double>::infinity());
    return r.e.reduce(r.e.operand(0), r.id, r.extents, r.axis, low, body);
  }

  static Value sum(const Row &r, Value terms, bool exponentials) {
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      Value v = args[0];
      if (!exponentials) v = math::ExpOp::create(b, loc, v);
      return arith::AddFOp::create(b, loc, args[1], v);
    };
    return r.e.reduce(terms, r.id, r.extents, r.axis, r.init(0), body);
  }

  LogicalResult lower(graph::SoftmaxOp op, Emitter &e) const override {
    Type element = e.adzeElement(0), storage = storageType(element);
    if (!isReal(element)) return e.unsupported("softmax of this element type has no scalar code");
    int64_t axis = op.getAxis(), rank = rankOf(op.getX());
    Row r{e, e.extents(0), axis, element, computeType(element), e.identity(rank),
          e.droppedMap(rank, axis)};
    e.setResultExtents(0, r.extents);
    bool isLog = op.getLog();
    Value top = maximum(r);
    auto shifted = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      Value v = loadScalar(b, loc, args[0], element);
      v = arith::SubFOp::create(b, loc, v, args[1]);
      return isLog ? v : math::ExpOp::create(b, loc, v).getResult();
    };
    Value terms = e.map({e.operand(0), top}, {r.id, r.dropped}, r.extents, r.compute, shifted);
    Value total = sum(r, terms, !isLog);
    auto finish = [&](OpBuilder &b, Location loc, Value term, Value sum) -> Value {
      Value v = isLog ? arith::SubFOp::create(b, loc, term, math::LogOp::create(b, loc, sum)).getResult()
                      : arith::DivFOp::create(b, loc, term, sum).getResult();
      return storeScalar(b, loc, v, element);
    };
    if (storage == r.compute)
      return e.replace(e.generic(total, terms, {r.dropped, r.id}, parallel(rank),
                                 [&](OpBuilder &b, Location loc, ValueRange args) {
                                   return finish(b, loc, args[1], args[0]);
                                 }));
    return e.replace(e.map({terms, total}, {r.id, r.dropped}, r.extents, storage,
                           [&](OpBuilder &b, Location loc, ValueRange args) {
                             return finish(b, loc, args[0], args[1]);
                           }));
  }
};

/// adze.normalize -> mean, centred sum of squares, reciprocal deviation, and
/// one elementwise pass.
struct LowerNormalize : Lower<graph::NormalizeOp> {
  using Lower::Lower;

  LogicalResult lower(graph::NormalizeOp op, Emitter &e) const override {
    Type element = e.adzeElement(0);
    if (!isReal(element)) return e.unsupported("this element type has no scalar code");
    Type compute = computeType(element);
    Folds extents = e.extents(0);
    e.setResultExtents(0, extents);
    int64_t rank = extents.size();
    ArrayRef<int64_t> axes = op.getAxes();
    AffineMap id = e.identity(rank), dropped = e.droppedMap(rank, axes);
    Value x = e.operand(0), zero = scalarConstant(e.b, e.loc, compute, 0);
    Fold count = e.m.constant(1);
    for (int64_t a : axes) count = e.m.mul(count, extents[a]);
    Value n = arith::IndexCastOp::create(e.b, e.loc, e.b.getI64Type(), e.m.value(count));
    n = emitCast(e.b, e.loc, n, e.b.getI64Type(), compute);

    SmallVector<Value> ins{x};
    SmallVector<AffineMap> maps{id};
    bool center = op.getCenter();
    if (center) {
      Value sum = e.reduce(x, id, extents, axes, zero,
                           [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                             Value v = loadScalar(b, loc, args[0], element);
                             return arith::AddFOp::create(b, loc, args[1], v);
                           });
      Value mean = e.generic({}, sum, e.identity(rankOf(sum)), parallel(rankOf(sum)),
                             [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                               return arith::DivFOp::create(b, loc, args[0], n);
                             });
      ins.push_back(mean);
      maps.push_back(dropped);
    }
    auto centred = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      Value v = loadScalar(b, loc, args[0], element);
      return center ? arith::SubFOp::create(b, loc, v, args[1]).getResult() : v;
    };
    Value squares = e.reduce(ins, maps, extents, axes, zero,
                             [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                               Value v = centred(b, loc, args);
                               return multiplyAdd(b, loc, v, v, args.back());
                             });
    Value epsilon = arith::ConstantOp::create(
        e.b, e.loc, FloatAttr::get(compute, op.getEpsilon().convertToFloat()));
    Value one = scalarConstant(e.b, e.loc, compute, 1);
    Value factor = e.generic({}, squares, e.identity(rankOf(squares)), parallel(rankOf(squares)),
                             [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                               Value v = arith::DivFOp::create(b, loc, args[0], n);
                               v = arith::AddFOp::create(b, loc, v, epsilon);
                               return arith::DivFOp::create(b, loc, one,
                                                            math::SqrtOp::create(b, loc, v));
                             });
    ins.push_back(factor);
    maps.push_back(dropped);
    size_t factorAt = ins.size() - 1;
    SmallVector<AffineExpr> target = e.exprsOf(op.getX());
    SmallVector<std::pair<size_t, Type>> affine;  // block argument and adze type
    for (unsigned i = 1; i < op->getNumOperands(); ++i) {
      Value v = e.operand(i);
      maps.push_back(e.broadcastMap(i, v, extents, target));
      affine.push_back({ins.size(), e.adzeElement(i)});
      ins.push_back(v);
    }
    bool hasScale = bool(op.getScale());
    return e.replace(e.map(ins, maps, extents, storageType(element),
                           [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      Value v = arith::MulFOp::create(b, loc, centred(b, loc, args), args[factorAt]);
      for (auto [i, entry] : llvm::enumerate(affine)) {
        Value k = widen(b, loc, loadScalar(b, loc, args[entry.first], entry.second), entry.second,
                        compute);
        v = hasScale && i == 0 ? arith::MulFOp::create(b, loc, v, k).getResult()
                               : arith::AddFOp::create(b, loc, v, k).getResult();
      }
      return storeScalar(b, loc, v, element);
    }));
  }
};

}  // namespace

void populateNormalizePatterns(const TypeConverter &types, LoweringState &state,
                               RewritePatternSet &patterns) {
  addPatterns<LowerSoftmax, LowerNormalize>(types, state, patterns);
}

}  // namespace adze::lowering
