// scatter_elements, scatter_nd.
#include "passes/Lowering/Indices.h"

using namespace mlir;

namespace adze::lowering {

namespace {

using graph::ScatterReduction;

/// What an update makes of the element it meets; both stored.
Value join(OpBuilder &b, Location loc, ScatterReduction reduction, Value old, Value update,
           Type element) {
  using graph::ElementwiseFn;
  if (reduction == ScatterReduction::None) return update;
  ElementwiseFn fn = reduction == ScatterReduction::Add   ? ElementwiseFn::Add
                     : reduction == ScatterReduction::Mul ? ElementwiseFn::Mul
                     : reduction == ScatterReduction::Max ? ElementwiseFn::Max
                                                          : ElementwiseFn::Min;
  Value l = loadScalar(b, loc, old, element), r = loadScalar(b, loc, update, element);
  return storeScalar(b, loc, emitFunction(b, loc, fn, {l, r}, {element, element}), element);
}

/// Loops over `extents` that carry x; `target` gives the element each iteration
/// writes. Updates are applied in order, so that duplicates are defined.
Value scatterLoops(Emitter &e, ArrayRef<Fold> extents, ScatterReduction reduction,
                   function_ref<SmallVector<Value>(OpBuilder &, Location, ValueRange)> target) {
  SmallVector<Value> lows(extents.size(), e.index(0)), highs = e.m.values(extents),
      steps(extents.size(), e.index(1));
  Value updates = e.operand(2);
  Type element = e.adzeElement(0);
  auto body = [&](OpBuilder &b, Location loc, ValueRange at,
                  ValueRange carried) -> scf::ValueVector {
    SmallVector<Value> where = target(b, loc, at);
    Value update = tensor::ExtractOp::create(b, loc, updates, at);
    Value old;
    if (reduction != ScatterReduction::None)
      old = tensor::ExtractOp::create(b, loc, carried[0], where);
    Value v = join(b, loc, reduction, old, update, element);
    return {tensor::InsertOp::create(b, loc, v, carried[0], where)};
  };
  return scf::buildLoopNest(e.b, e.loc, lows, highs, steps, ValueRange{e.operand(0)}, body).results[0];
}

constexpr StringLiteral kOutOfRange = "an index is out of range";

/// adze.scatter_elements -> loops over the indices that write into a copy.
struct LowerScatterElements : Lower<graph::ScatterElementsOp> {
  using Lower::Lower;
  LogicalResult lower(graph::ScatterElementsOp op, Emitter &e) const override {
    if (e.adzeElement(0).isInteger(1) && op.getReduction() != ScatterReduction::None)
      return e.unsupported("bool updates do not combine");
    e.setResultExtents(0, e.extents(0));
    int64_t axis = op.getAxis();
    Fold extent = e.extent(0, axis);
    checkIndices(e, 1, extent, kOutOfRange);
    Value indices = e.operand(1), n = e.m.value(extent);
    auto target = [&](OpBuilder &b, Location loc, ValueRange at) {
      SmallVector<Value> where(at);
      Value i = toIndex(b, loc, tensor::ExtractOp::create(b, loc, indices, at));
      where[axis] = wrapIndex(b, loc, i, n);
      return where;
    };
    return e.replace(scatterLoops(e, e.extents(1), op.getReduction(), target));
  }
};

/// adze.scatter_nd -> loops over the updates that write into a copy.
struct LowerScatterND : Lower<graph::ScatterNDOp> {
  using Lower::Lower;
  LogicalResult lower(graph::ScatterNDOp op, Emitter &e) const override {
    if (e.adzeElement(0).isInteger(1) && op.getReduction() != ScatterReduction::None)
      return e.unsupported("bool updates do not combine");
    Folds from = e.extents(0);
    e.setResultExtents(0, from);
    int64_t q = rankOf(op.getIndices());
    std::optional<int64_t> depth = getConstantIntValue(e.extent(1, q - 1));
    if (!depth) return e.unsupported("the length of its index tuples is dynamic");
    checkTuples(e, 1, ArrayRef<Fold>(from).take_front(*depth), kOutOfRange);
    SmallVector<Value> sizes = e.m.values(from);
    Value indices = e.operand(1);
    auto target = [&](OpBuilder &b, Location loc, ValueRange at) {
      SmallVector<Value> where, tuple(at.take_front(q - 1));
      tuple.push_back({});
      for (int64_t k = 0; k < *depth; ++k) {
        tuple.back() = arith::ConstantIndexOp::create(b, loc, k);
        Value i = toIndex(b, loc, tensor::ExtractOp::create(b, loc, indices, tuple));
        where.push_back(wrapIndex(b, loc, i, sizes[k]));
      }
      llvm::append_range(where, at.drop_front(q - 1));
      return where;
    };
    Folds loops = e.extents(1);
    loops.pop_back();
    llvm::append_range(loops, ArrayRef<Fold>(from).drop_front(*depth));
    return e.replace(scatterLoops(e, loops, op.getReduction(), target));
  }
};

}  // namespace

void populateScatterPatterns(const TypeConverter &types, LoweringState &state,
                             RewritePatternSet &patterns) {
  addPatterns<LowerScatterElements, LowerScatterND>(types, state, patterns);
}

}  // namespace adze::lowering
