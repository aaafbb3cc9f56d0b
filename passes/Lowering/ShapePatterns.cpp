// shape_of, reshape, expand, range, tile.
#include "passes/Lowering/Emitter.h"

using namespace mlir;

namespace adze::lowering {

namespace {

/// adze.shape_of of a tensor of high rank -> tensor.from_elements.
struct LowerShapeOf : Lower<graph::ShapeOfOp> {
  using Lower::Lower;
  LogicalResult lower(graph::ShapeOfOp op, Emitter &e) const override {
    SmallVector<Value> extents;
    for (Fold f : e.extents(0))
      extents.push_back(e.b.createOrFold<arith::IndexCastOp>(e.loc, e.b.getI64Type(), e.m.value(f)));
    auto type = RankedTensorType::get({int64_t(extents.size())}, e.b.getI64Type());
    return e.replace(tensor::FromElementsOp::create(e.b, e.loc, type, extents));
  }
};

/// adze.reshape -> tensor.collapse_shape and expand_shape: no copy.
struct LowerReshape : Lower<graph::ReshapeOp> {
  using Lower::Lower;
  LogicalResult lower(graph::ReshapeOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    SmallVector<AffineExpr> from = e.exprsOf(op.getX()), into = e.exprsOf(op.getResult());
    return e.replace(e.reshape(e.operand(0), from, *extents, into));
  }
};

/// adze.expand -> a broadcasting linalg.generic; nothing where no axis grows.
struct LowerExpand : Lower<graph::ExpandOp> {
  using Lower::Lower;
  LogicalResult lower(graph::ExpandOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    SmallVector<AffineExpr> into = e.exprsOf(op.getResult());
    if (e.exprsOf(op.getX()) == into) return e.replace(e.operand(0));
    Type storage = elementOf(e.operand(0));
    if (std::optional<TypedAttr> constant = e.splat(0)) {
      Value scalar = arith::ConstantOp::create(e.b, e.loc, *constant);
      return e.replace(e.filled(*extents, storeScalar(e.b, e.loc, scalar, e.adzeElement(0))));
    }
    Value v = e.operand(0);
    AffineMap map = e.broadcastMap(0, v, *extents, into);
    return e.replace(e.map(v, map, *extents, storage,
                           [](OpBuilder &, Location, ValueRange args) { return args[0]; }));
  }
};

/// adze.range -> start + i * delta.
struct LowerRange : Lower<graph::RangeOp> {
  using Lower::Lower;
  LogicalResult lower(graph::RangeOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extent is not known");
    Type element = e.adzeElement(0), storage = storageType(element);
    Value start = loadScalar(e.b, e.loc, e.element(0, 0), element);
    Value delta = loadScalar(e.b, e.loc, e.element(2, 0), element);
    Type compute = start.getType();
    auto body = [&](OpBuilder &b, Location loc, ValueRange at) -> Value {
      Value i = arith::IndexCastOp::create(b, loc, b.getI64Type(), at[0]);
      Value r;
      if (isa<FloatType>(compute)) {
        Value f = arith::SIToFPOp::create(b, loc, compute, i);
        r = arith::AddFOp::create(b, loc, start, arith::MulFOp::create(b, loc, f, delta));
      } else {
        i = emitCast(b, loc, i, b.getI64Type(), compute);
        r = arith::AddIOp::create(b, loc, start, arith::MulIOp::create(b, loc, i, delta));
      }
      return storeScalar(b, loc, r, element);
    };
    return e.replace(e.fromIndices(*extents, storage, body));
  }
};

/// adze.tile -> a generic with a repeat dimension before each repeated axis,
/// which collapses into the axis.
struct LowerTile : Lower<graph::TileOp> {
  using Lower::Lower;
  LogicalResult lower(graph::TileOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    Folds from = e.extents(0), split;
    SmallVector<ReassociationIndices> groups;
    SmallVector<int64_t> axisDim;
    for (int64_t i = 0, rank = from.size(); i < rank; ++i) {
      Fold repeat = e.elementIndex(1, i);
      ReassociationIndices &group = groups.emplace_back();
      if (!isConstantIntValue(repeat, 1)) {
        group.push_back(split.size());
        split.push_back(e.m.max(repeat, e.m.constant(0)));
      }
      group.push_back(split.size());
      axisDim.push_back(split.size());
      split.push_back(from[i]);
    }
    if (split.size() == from.size()) return e.replace(e.operand(0));
    SmallVector<AffineExpr> reads;
    for (int64_t d : axisDim) reads.push_back(e.b.getAffineDimExpr(d));
    Value tiled = e.map(e.operand(0), e.affineMap(split.size(), reads), split,
                        elementOf(e.operand(0)),
                        [](OpBuilder &, Location, ValueRange args) { return args[0]; });
    return e.replace(e.collapse(tiled, groups));
  }
};

}  // namespace

void populateShapePatterns(const TypeConverter &types, LoweringState &state,
                           RewritePatternSet &patterns) {
  addPatterns<LowerShapeOf, LowerReshape, LowerExpand, LowerRange, LowerTile>(types, state, patterns);
}

}  // namespace adze::lowering
