// reduce, arg_reduce, cumulative.
#include "passes/Lowering/Emitter.h"

#include <limits>

using namespace mlir;

namespace adze::lowering {

namespace {

bool isUnsigned(Type element) {
  auto i = dyn_cast<IntegerType>(element);
  return i && (i.isUnsigned() || i.getWidth() == 1);
}

/// The neutral element of a reduction in its accumulator type.
Value neutral(Emitter &e, graph::ReduceKind kind, Type element, Type accumulator) {
  using graph::ReduceKind;
  if (kind == ReduceKind::Sum || kind == ReduceKind::Mean)
    return scalarConstant(e.b, e.loc, accumulator, 0);
  if (kind == ReduceKind::Prod) return scalarConstant(e.b, e.loc, accumulator, 1);
  bool lowest = kind == ReduceKind::Max;
  if (isa<FloatType>(accumulator)) {
    double inf = std::numeric_limits<double>::infinity();
    return scalarConstant(e.b, e.loc, accumulator, lowest ? -inf : inf);
  }
  unsigned width = accumulator.getIntOrFloatBitWidth();
  if (element.isInteger(1)) return intConstant(e.b, e.loc, accumulator, lowest ? 0 : 1);
  APInt v = isUnsigned(element) ? (lowest ? APInt::getZero(width) : APInt::getMaxValue(width))
                                : (lowest ? APInt::getSignedMinValue(width)
                                          : APInt::getSignedMaxValue(width));
  return arith::ConstantOp::create(e.b, e.loc, IntegerAttr::get(accumulator, v));
}

Value combine(OpBuilder &b, Location loc, graph::ReduceKind kind, Type element, Value v, Value acc) {
  using graph::ReduceKind;
  bool isFloat = isa<FloatType>(acc.getType());
  switch (kind) {
    case ReduceKind::Sum:
    case ReduceKind::Mean:
      if (isFloat) return arith::AddFOp::create(b, loc, acc, v);
      return arith::AddIOp::create(b, loc, acc, v);
    case ReduceKind::Prod:
      if (isFloat) return arith::MulFOp::create(b, loc, acc, v);
      return arith::MulIOp::create(b, loc, acc, v);
    case ReduceKind::Max:
      if (isFloat) return arith::MaximumFOp::create(b, loc, acc, v);
      if (isUnsigned(element)) return arith::MaxUIOp::create(b, loc, acc, v);
      return arith::MaxSIOp::create(b, loc, acc, v);
    case ReduceKind::Min:
      if (isFloat) return arith::MinimumFOp::create(b, loc, acc, v);
      if (isUnsigned(element)) return arith::MinUIOp::create(b, loc, acc, v);
      return arith::MinSIOp::create(b, loc, acc, v);
  }
  return acc;
}

/// adze.reduce -> fill and a generic over x; a mean is divided in place.
struct LowerReduce : Lower<graph::ReduceOp> {
  using Lower::Lower;

  /// Divides sums by the count and rounds to storage.
  static Value finish(graph::ReduceOp op, Emitter &e, Value acc, ArrayRef<Fold> from) {
    Type element = e.adzeElement(0), storage = storageType(element), type = elementOf(acc);
    bool mean = op.getKind() == graph::ReduceKind::Mean;
    if (!mean && storage == type) return acc;
    Fold count = e.m.constant(1);
    for (int64_t a : op.getAxes()) count = e.m.mul(count, from[a]);
    Value n = arith::IndexCastOp::create(e.b, e.loc, e.b.getI64Type(), e.m.value(count));
    n = emitCast(e.b, e.loc, n, e.b.getI64Type(), type);
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      Value v = args[0];
      if (mean)
        v = emitFunction(b, loc, graph::ElementwiseFn::Div, {v, n}, {element, element});
      return emitCast(b, loc, v, type, storage);
    };
    AffineMap id = e.identity(rankOf(acc));
    if (storage == type) return e.generic({}, acc, id, parallel(rankOf(acc)), body);
    return e.map(acc, id, e.extentsOf(acc), storage, body);
  }

  LogicalResult lower(graph::ReduceOp op, Emitter &e) const override {
    if (failed(e.resultExtents())) return e.unsupported("its result extents are not known");
    Type element = e.adzeElement(0);
    if (!isa<IntegerType, Float16Type, BFloat16Type, Float32Type, Float64Type>(element))
      return e.unsupported("sums of this element type have no scalar code");
    Type accumulator = isa<FloatType>(element) ? computeType(element) : storageType(element);
    Folds from = e.extents(0);
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
      Value v = element.isInteger(1) ? args[0] : loadScalar(b, loc, args[0], element);
      return combine(b, loc, op.getKind(), element, v, args[1]);
    };
    Value acc = e.reduce(e.operand(0), e.identity(from.size()), from, op.getAxes(),
                         neutral(e, op.getKind(), element, accumulator), body);
    Value r = finish(op, e, acc, from);
    if (op.getKeepdims()) r = e.insertUnitDims(r, op.getAxes());
    if (!op.getKeepdims()) e.getState().overwritable.insert(op.getResult());
    return e.replace(r);
  }
};

/// adze.arg_reduce -> a generic that carries the best value and its index.
struct LowerArgReduce : Lower<graph::ArgReduceOp> {
  using Lower::Lower;

  static Value better(graph::ArgReduceOp op, OpBuilder &b, Location loc, Type element, Value v,
                      Value best) {
    bool isMax = op.getKind() == graph::ArgKind::Max, last = op.getSelectLast();
    if (isa<FloatType>(v.getType())) {
      using P = arith::CmpFPredicate;
      P p = isMax ? (last ? P::OGE : P::OGT) : (last ? P::OLE : P::OLT);
      Value plain = arith::CmpFOp::create(b, loc, p, v, best);
      // The first NaN is the extreme, as in numpy.
      Value nan = arith::CmpFOp::create(b, loc, P::UNO, v, v);
      Value had = arith::CmpFOp::create(b, loc, P::ORD, best, best);
      return arith::OrIOp::create(b, loc, plain, arith::AndIOp::create(b, loc, nan, had));
    }
    using P = arith::CmpIPredicate;
    bool u = isUnsigned(element);
    P more = last ? (u ? P::uge : P::sge) : (u ? P::ugt : P::sgt);
    P less = last ? (u ? P::ule : P::sle) : (u ? P::ult : P::slt);
    return arith::CmpIOp::create(b, loc, isMax ? more : less, v, best);
  }

  LogicalResult lower(graph::ArgReduceOp op, Emitter &e) const override {
    if (failed(e.resultExtents())) return e.unsupported("its result extents are not known");
    Type element = e.adzeElement(0), i64 = e.b.getI64Type();
    Type compute = element.isInteger(1) ? storageType(element) : computeType(element);
    int64_t axis = op.getAxis();
    Folds from = e.extents(0), kept(from);
    kept.erase(kept.begin() + axis);
    int64_t rank = from.size();
    SmallVector<utils::IteratorType> iterators = parallel(rank);
    iterators[axis] = utils::IteratorType::reduction;
    AffineMap dropped = e.droppedMap(rank, axis);
    Value best = e.filled(kept, scalarConstant(e.b, e.loc, compute, 0));
    Value at = e.filled(kept, intConstant(e.b, e.loc, i64, -1));
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
      Value v = element.isInteger(1) ? args[0] : loadScalar(b, loc, args[0], element);
      Value i = linalg::IndexOp::create(b, loc, axis);
      i = arith::IndexCastOp::create(b, loc, i64, i);
      Value none = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, args[2],
                                         intConstant(b, loc, i64, 0));
      Value take = arith::OrIOp::create(b, loc, none, better(op, b, loc, element, v, args[1]));
      return {arith::SelectOp::create(b, loc, take, v, args[1]),
              arith::SelectOp::create(b, loc, take, i, args[2])};
    };
    Value r = e.generics(e.operand(0), {best, at}, {e.identity(rank), dropped, dropped}, iterators,
                         body)[1];
    if (op.getKeepdims()) r = e.insertUnitDims(r, axis);
    return e.replace(r);
  }
};

/// adze.cumulative -> a loop over the axis that carries the running value.
struct LowerCumulative : Lower<graph::CumulativeOp> {
  using Lower::Lower;
  LogicalResult lower(graph::CumulativeOp op, Emitter &e) const override {
    Type element = e.adzeElement(0), storage = storageType(element);
    Type compute = computeType(element);
    Folds extents = e.extents(0);
    e.setResultExtents(0, extents);
    int64_t axis = op.getAxis(), rank = extents.size();
    // Rows keep the axis, with extent 1: which one of several a slice drops is
    // lost in the strides of a memref.
    Folds sizes(extents), strides(rank, e.m.constant(1));
    sizes[axis] = e.m.constant(1);
    Value x = e.operand(0);
    Value running = e.filled(sizes, neutral(e, op.getKind(), element, compute));
    Value out = e.empty(extents, storage);
    Value count = e.m.value(extents[axis]), last = e.m.value(e.m.sub(extents[axis], e.m.constant(1)));
    auto step = [&](OpBuilder &b, Location loc, Value i, ValueRange carried) {
      Value at = op.getReverse() ? Value(arith::SubIOp::create(b, loc, last, i)) : i;
      Folds offsets(rank, e.m.constant(0));
      offsets[axis] = at;
      Value row = tensor::ExtractSliceOp::create(b, loc, x, offsets, sizes, strides);
      AffineMap id = e.identity(rank);
      auto body = [&](OpBuilder &nb, Location l, ValueRange args) -> SmallVector<Value> {
        Value v = loadScalar(nb, l, args[0], element);
        Value sum = combine(nb, l, op.getKind(), element, v, args[2]);
        return {storeScalar(nb, l, op.getExclusive() ? args[2] : sum, element), sum};
      };
      ValueRange r = e.generics(row, {e.empty(sizes, storage), carried[0]}, {id, id, id},
                                parallel(rank), body);
      Value written = tensor::InsertSliceOp::create(b, loc, r[0], carried[1], offsets, sizes, strides);
      scf::YieldOp::create(b, loc, ValueRange{r[1], written});
    };
    auto loop = scf::ForOp::create(e.b, e.loc, e.index(0), count, e.index(1),
                                   ValueRange{running, out}, step);
    return e.replace(loop.getResult(1));
  }
};

}  // namespace

void populateReducePatterns(const TypeConverter &types, LoweringState &state,
                            RewritePatternSet &patterns) {
  addPatterns<LowerReduce, LowerArgReduce, LowerCumulative>(types, state, patterns);
}

}  // namespace adze::lowering
