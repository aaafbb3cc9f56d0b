// pool, max_pool_indices.
#include "passes/Lowering/Emitter.h"

#include <limits>

using namespace mlir;

namespace adze::lowering {

namespace {

/// The loops of a windowed op: batch and channels, output positions, window.
struct WindowNest {
  SmallVector<utils::IteratorType> iterators;
  SmallVector<AffineExpr> read, write, window;
};

template <typename OpTy>
WindowNest makeNest(OpTy op, Emitter &e, bool nhwc) {
  WindowNest nest;
  int64_t spatial = op.getKernel().size(), rank = spatial + 2, first = nhwc ? 1 : 2;
  nest.iterators = parallel(rank);
  nest.iterators.append(spatial, utils::IteratorType::reduction);
  for (int64_t d = 0; d < rank; ++d) {
    AffineExpr at = e.b.getAffineDimExpr(d);
    nest.write.push_back(at);
    int64_t axis = d - first;
    if (axis >= 0 && axis < spatial)
      at = at * op.getStrides()[axis] + e.b.getAffineDimExpr(rank + axis) * op.getDilations()[axis];
    nest.read.push_back(at);
  }
  for (int64_t i = 0; i < spatial; ++i) nest.window.push_back(e.b.getAffineDimExpr(rank + i));
  return nest;
}

/// Padding before and after, with what windows that hang over in ceil mode need.
template <typename OpTy>
Value padded(OpTy op, Emitter &e, bool nhwc, ArrayRef<Fold> extents, Value scalar) {
  int64_t spatial = op.getKernel().size(), rank = spatial + 2, first = nhwc ? 1 : 2;
  Folds low(rank, e.m.constant(0)), high = low;
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t begin = op.getPads()[i], end = op.getPads()[spatial + i];
    low[first + i] = e.m.constant(begin);
    high[first + i] = e.m.constant(end);
    if (!op.getCeilMode()) continue;
    int64_t reach = (op.getKernel()[i] - 1) * op.getDilations()[i] + 1;
    Fold last = e.m.mul(e.m.sub(extents[first + i], e.m.constant(1)), e.m.constant(op.getStrides()[i]));
    Fold needed = e.m.sub(e.m.add(last, e.m.constant(reach - begin)), e.extent(0, first + i));
    high[first + i] = e.m.max(needed, e.m.constant(end));
  }
  return e.pad(e.operand(0), low, high, scalar);
}

Value lowest(Emitter &e, Type element, Type type) {
  if (isa<FloatType>(type))
    return scalarConstant(e.b, e.loc, type, -std::numeric_limits<double>::infinity());
  unsigned width = type.getIntOrFloatBitWidth();
  bool isUnsigned = cast<IntegerType>(element).isUnsigned();
  APInt v = isUnsigned ? APInt::getZero(width) : APInt::getSignedMinValue(width);
  return arith::ConstantOp::create(e.b, e.loc, IntegerAttr::get(type, v));
}

/// adze.pool -> pad, fill, one generic over the window, and for averages and
/// norms an epilogue in place.
struct LowerPool : Lower<graph::PoolOp> {
  using Lower::Lower;

  static Value accumulate(graph::PoolOp op, OpBuilder &b, Location loc, Value v, Value acc,
                          Type element) {
    switch (op.getKind()) {
      case graph::PoolKind::Max:
        if (isa<FloatType>(v.getType())) return arith::MaximumFOp::create(b, loc, acc, v);
        if (element.isUnsignedInteger()) return arith::MaxUIOp::create(b, loc, acc, v);
        return arith::MaxSIOp::create(b, loc, acc, v);
      case graph::PoolKind::Average: return arith::AddFOp::create(b, loc, acc, v);
      case graph::PoolKind::Lp: break;
    }
    if (op.getP() == 2) return multiplyAdd(b, loc, v, v, acc);
    v = math::AbsFOp::create(b, loc, v);
    if (op.getP() != 1)
      v = math::PowFOp::create(b, loc, v, scalarConstant(b, loc, v.getType(), op.getP()));
    return arith::AddFOp::create(b, loc, acc, v);
  }

  /// How many window positions of axis `i` lie in the input, or in the padded
  /// input if padding counts.
  static Value countAlong(graph::PoolOp op, OpBuilder &b, Location loc, int64_t i, Value out,
                          Value extent) {
    int64_t spatial = op.getKernel().size(), begin = op.getPads()[i], end = op.getPads()[spatial + i];
    int64_t d = op.getDilations()[i];
    auto c = [&](int64_t v) -> Value { return arith::ConstantIndexOp::create(b, loc, v); };
    auto add = [&](Value l, Value r) -> Value { return arith::AddIOp::create(b, loc, l, r); };
    auto sub = [&](Value l, Value r) -> Value { return arith::SubIOp::create(b, loc, l, r); };
    auto stepsTo = [&](Value distance) -> Value {  // ceil(max(distance, 0) / d)
      Value v = arith::MaxSIOp::create(b, loc, distance, c(0));
      return d == 1 ? v : arith::CeilDivSIOp::create(b, loc, v, c(d)).getResult();
    };
    Value start = sub(arith::MulIOp::create(b, loc, out, c(op.getStrides()[i])), c(begin));
    bool padding = op.getCountIncludePad();
    Value low = padding ? c(-begin) : c(0), high = padding ? add(extent, c(end)) : extent;
    Value from = stepsTo(sub(low, start));
    Value to = arith::MinSIOp::create(b, loc, stepsTo(sub(high, start)), c(op.getKernel()[i]));
    return arith::MaxSIOp::create(b, loc, sub(to, from), c(0));
  }

  static Value windowCount(graph::PoolOp op, OpBuilder &b, Location loc, ArrayRef<Value> extents,
                           int64_t first, Type type) {
    bool everyWindowFull = llvm::all_of(op.getPads(), [](int64_t p) { return p == 0; });
    everyWindowFull = (everyWindowFull || op.getCountIncludePad()) && !op.getCeilMode();
    if (everyWindowFull) {
      double n = 1;
      for (int64_t k : op.getKernel()) n *= k;
      return scalarConstant(b, loc, type, n);
    }
    Value n;
    for (int64_t i = 0, s = op.getKernel().size(); i < s; ++i) {
      Value at = linalg::IndexOp::create(b, loc, first + i);
      Value along = countAlong(op, b, loc, i, at, extents[i]);
      n = n ? arith::MulIOp::create(b, loc, n, along).getResult() : along;
    }
    n = arith::MaxSIOp::create(b, loc, n, arith::ConstantIndexOp::create(b, loc, 1));
    n = arith::IndexCastOp::create(b, loc, b.getI64Type(), n);
    return emitCast(b, loc, n, b.getI64Type(), type);
  }

  static Value finish(graph::PoolOp op, Emitter &e, Value acc, ArrayRef<Fold> extents, int64_t first) {
    Type element = e.adzeElement(0), storage = storageType(element), type = elementOf(acc);
    if (op.getKind() == graph::PoolKind::Max) return acc;
    SmallVector<Value> inputs;
    for (int64_t i = 0, s = op.getKernel().size(); i < s; ++i)
      inputs.push_back(e.m.value(e.extent(0, first + i)));
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      Value v = args[0];
      if (op.getKind() == graph::PoolKind::Average)
        v = arith::DivFOp::create(b, loc, v, windowCount(op, b, loc, inputs, first, type));
      else if (op.getP() == 2)
        v = math::SqrtOp::create(b, loc, v);
      else if (op.getP() != 1)
        v = math::PowFOp::create(b, loc, v, scalarConstant(b, loc, type, 1.0 / op.getP()));
      return emitCast(b, loc, v, type, storage);
    };
    AffineMap id = e.identity(extents.size());
    if (storage == type) return e.generic({}, acc, id, parallel(extents.size()), body);
    return e.map(acc, id, extents, storage, body);
  }

  LogicalResult lower(graph::PoolOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    Type element = e.adzeElement(0), storage = storageType(element);
    bool isMax = op.getKind() == graph::PoolKind::Max, isFloat = isa<FloatType>(element);
    if (!isMax && !isFloat) return e.unsupported("integer averages have no scalar code");
    Type type = isMax ? storage : computeType(element);
    bool nhwc = op.getLayout() == graph::DataLayout::NHWC;
    auto edge = [&](Type t) { return isMax ? lowest(e, element, t) : scalarConstant(e.b, e.loc, t, 0); };
    Value x = padded(op, e, nhwc, *extents, edge(storage));
    WindowNest nest = makeNest(op, e, nhwc);
    Folds window;
    for (int64_t k : op.getKernel()) window.push_back(e.m.constant(k));
    int64_t n = nest.iterators.size();
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
      Value v = isMax ? args[0] : loadScalar(b, loc, args[0], element);
      return accumulate(op, b, loc, v, args[2], element);
    };
    Value acc = e.generic({x, e.empty(window, storage)}, e.filled(*extents, edge(type)),
                          {e.affineMap(n, nest.read), e.affineMap(n, nest.window),
                           e.affineMap(n, nest.write)},
                          nest.iterators, body);
    e.getState().overwritable.insert(op.getResult());
    return e.replace(finish(op, e, acc, *extents, nhwc ? 1 : 2));
  }
};

/// adze.max_pool_indices -> one generic that carries the maximum and its flat
/// index in x.
struct LowerMaxPoolIndices : Lower<graph::MaxPoolIndicesOp> {
  using Lower::Lower;

  /// The flat index in the unpadded x of the current window element.
  static Value flatIndex(graph::MaxPoolIndicesOp op, OpBuilder &b, Location loc,
                         ArrayRef<Value> extents) {
    int64_t spatial = op.getKernel().size();
    auto c = [&](int64_t v) -> Value { return arith::ConstantIndexOp::create(b, loc, v); };
    auto mulAdd = [&](Value base, Value extent, Value at) -> Value {
      return arith::AddIOp::create(b, loc, arith::MulIOp::create(b, loc, base, extent), at);
    };
    SmallVector<Value> at;
    for (int64_t i = 0; i < spatial; ++i) {
      Value o = linalg::IndexOp::create(b, loc, 2 + i);
      Value k = linalg::IndexOp::create(b, loc, 2 + spatial + i);
      Value start = arith::SubIOp::create(
          b, loc, arith::MulIOp::create(b, loc, o, c(op.getStrides()[i])), c(op.getPads()[i]));
      at.push_back(mulAdd(k, c(op.getDilations()[i]), start));
    }
    Value plane = mulAdd(linalg::IndexOp::create(b, loc, 0), extents[1],
                         linalg::IndexOp::create(b, loc, 1));
    Value flat = plane;
    if (!op.getColumnMajor()) {
      for (int64_t i = 0; i < spatial; ++i) flat = mulAdd(flat, extents[2 + i], at[i]);
      return flat;
    }
    for (int64_t i = spatial - 1; i >= 0; --i) flat = mulAdd(flat, extents[2 + i], at[i]);
    return flat;
  }

  LogicalResult lower(graph::MaxPoolIndicesOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents(0);
    if (failed(extents)) return e.unsupported("its result extents are not known");
    Type element = e.adzeElement(0), storage = storageType(element), i64 = e.b.getI64Type();
    Value low = lowest(e, element, storage);
    Value x = padded(op, e, /*nhwc=*/false, *extents, low);
    WindowNest nest = makeNest(op, e, /*nhwc=*/false);
    Folds window;
    for (int64_t k : op.getKernel()) window.push_back(e.m.constant(k));
    SmallVector<Value> inputs = e.m.values(e.extents(0));
    auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> SmallVector<Value> {
      Value more;
      if (isa<FloatType>(element))
        more = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, args[0], args[2]);
      else
        more = arith::CmpIOp::create(b, loc, element.isUnsignedInteger() ? arith::CmpIPredicate::ugt
                                                                        : arith::CmpIPredicate::sgt,
                                     args[0], args[2]);
      Value flat = arith::IndexCastOp::create(b, loc, i64, flatIndex(op, b, loc, inputs));
      return {arith::SelectOp::create(b, loc, more, args[0], args[2]),
              arith::SelectOp::create(b, loc, more, flat, args[3])};
    };
    int64_t n = nest.iterators.size();
    AffineMap write = e.affineMap(n, nest.write);
    ValueRange r = e.generics(
        {x, e.empty(window, storage)},
        {e.filled(*extents, low), e.filled(*extents, intConstant(e.b, e.loc, i64, 0))},
        {e.affineMap(n, nest.read), e.affineMap(n, nest.window), write, write}, nest.iterators, body);
    return e.replace(r);
  }
};

}  // namespace

void populatePoolPatterns(const TypeConverter &types, LoweringState &state,
                          RewritePatternSet &patterns) {
  addPatterns<LowerPool, LowerMaxPoolIndices>(types, state, patterns);
}

}  // namespace adze::lowering
