// matmul, conv.
#include "passes/Lowering/Contraction.h"

using namespace mlir;

namespace adze::lowering {

Type accumulatorType(Type element, std::optional<Type> given) {
  if (given) return storageType(*given);
  return isa<FloatType>(element) ? computeType(element) : storageType(element);
}

Value contract(Emitter &e, Value a, AffineMap aMap, Value w, AffineMap wMap, ArrayRef<Fold> extents,
               AffineMap outMap, ArrayRef<utils::IteratorType> iterators, Type accumulator) {
  Type aElement = e.adzeElement(0), wElement = e.adzeElement(1);
  auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
    Value l = widen(b, loc, loadScalar(b, loc, args[0], aElement), aElement, accumulator);
    Value r = widen(b, loc, loadScalar(b, loc, args[1], wElement), wElement, accumulator);
    return multiplyAdd(b, loc, l, r, args[2]);
  };
  return e.generic({a, w}, e.zeros(extents, accumulator), {aMap, wMap, outMap}, iterators, body);
}

Value finishContraction(Emitter &e, Value acc, Type element, unsigned biasOperand,
                        std::optional<AffineMap> biasMap) {
  Type storage = storageType(element), accumulator = elementOf(acc);
  int64_t rank = rankOf(acc);
  if (!biasMap && storage == accumulator) return acc;
  auto body = [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
    Value v = args.back();
    if (storage != accumulator) v = args[biasMap ? 1 : 0];
    if (biasMap) {
      Type own = e.adzeElement(biasOperand);
      Value bias = widen(b, loc, loadScalar(b, loc, args[0], own), own, accumulator);
      v = isa<FloatType>(accumulator) ? arith::AddFOp::create(b, loc, v, bias).getResult()
                                      : arith::AddIOp::create(b, loc, v, bias).getResult();
    }
    return emitCast(b, loc, v, accumulator, storage);
  };
  SmallVector<Value> ins;
  SmallVector<AffineMap> maps;
  if (biasMap) ins.push_back(e.operand(biasOperand)), maps.push_back(*biasMap);
  Value out = acc;
  if (storage != accumulator) {
    ins.push_back(acc);
    maps.push_back(e.identity(rank));
    out = e.empty(e.extentsOf(acc), storage);
  }
  maps.push_back(e.identity(rank));
  return e.generic(ins, out, maps, parallel(rank), body);
}

namespace {

/// How weights whose row-major map ends in loop `column` are read where they
/// are stored in panels.
AffineMap panelMap(Emitter &e, graph::PanelsAttr panels, AffineMap rows) {
  SmallVector<AffineExpr> results(rows.getResults());
  AffineExpr column = results.back(), tile = e.b.getAffineConstantExpr(panels.getTile());
  results.back() = column % tile;
  results.insert(results.begin(), column.floorDiv(tile));
  return e.affineMap(rows.getNumDims(), results);
}

/// adze.matmul -> fill and a generic over (batch..., m, n, k).
struct LowerMatmul : Lower<graph::MatmulOp> {
  using Lower::Lower;

  /// Reads operand `i`; its last two dimensions at loops `row`, `column`.
  static AffineMap operandMap(Emitter &e, unsigned i, Value &v, ArrayRef<Fold> extents,
                              ArrayRef<AffineExpr> target, int64_t row, int64_t column) {
    Folds own = e.extents(i), space(extents.drop_back(2));
    SmallVector<AffineExpr> exprs(target.drop_back(2));
    for (int64_t d = own.size() - 2; d < int64_t(own.size()); ++d) {
      space.push_back(own[d]);
      exprs.push_back(e.exprs().dim(e.original(i), d));
    }
    AffineMap map = e.broadcastMap(i, v, space, exprs);
    SmallVector<AffineExpr> results(map.getResults().drop_back(2));
    results.push_back(e.b.getAffineDimExpr(row));
    results.push_back(e.b.getAffineDimExpr(column));
    return e.affineMap(extents.size() + 1, results);
  }

  LogicalResult lower(graph::MatmulOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    Type element = elementOf(op.getResult());
    if (!isa<IntegerType, Float16Type, BFloat16Type, Float32Type, Float64Type>(e.adzeElement(0)))
      return e.unsupported("products of this element type have no scalar code");
    int64_t rank = extents->size(), row = rank - 2, column = rank - 1, k = rank;
    bool ta = op.getTransposeA(), tb = op.getTransposeB();
    SmallVector<AffineExpr> target = e.exprsOf(op.getResult());
    Value a = e.operand(0), w = e.operand(1);
    AffineMap aMap = operandMap(e, 0, a, *extents, target, ta ? k : row, ta ? row : k);
    AffineMap wMap;
    if (graph::PanelsAttr panels = graph::layoutOf(op.getB().getType()))
      wMap = panelMap(e, panels, e.affineMap(rank + 1, {e.b.getAffineDimExpr(k), e.b.getAffineDimExpr(column)}));
    else
      wMap = operandMap(e, 1, w, *extents, target, tb ? column : k, tb ? k : column);
    SmallVector<utils::IteratorType> iterators = parallel(rank);
    iterators.push_back(utils::IteratorType::reduction);
    AffineMap outMap = e.identity(rank + 1).getMajorSubMap(rank);
    Type accumulator = accumulatorType(e.adzeElement(0), op.getAccumulator());
    Value acc = contract(e, a, aMap, w, wMap, *extents, outMap, iterators, accumulator);
    e.getState().overwritable.insert(op.getResult());
    return e.replace(finishContraction(e, acc, element, 0, std::nullopt));
  }
};

/// The loops of a convolution and where each operand stands in them.
class ConvNest {
 public:
  ConvNest(graph::ConvOp op, Emitter &e)
      : op(op), e(e), spatial(op.getStrides().size()), nhwc(op.getLayout() == graph::DataLayout::NHWC),
        channelAxis(nhwc ? spatial + 1 : 1), x(e.operand(0)), w(e.operand(1)) {}

  Value build(ArrayRef<Fold> extents, Type accumulator);

 private:
  using List = SmallVector<AffineExpr>;
  AffineExpr loop(utils::IteratorType kind) {
    iterators.push_back(kind);
    return e.b.getAffineDimExpr(iterators.size() - 1);
  }
  AffineExpr outer() { return loop(utils::IteratorType::parallel); }
  AffineExpr inner() { return loop(utils::IteratorType::reduction); }

  void padInput();
  void splitGroups();
  void makeLoops();
  List ordered(AffineExpr batch, ArrayRef<AffineExpr> channels, ArrayRef<AffineExpr> spatials);
  ReassociationIndices single(int64_t d) { return {d}; }
  SmallVector<ReassociationIndices> splitAxis(int64_t rank, int64_t axis);
  Folds withSplit(ArrayRef<Fold> extents, int64_t axis, Fold outerExtent, Fold innerExtent);

  graph::ConvOp op;
  Emitter &e;
  int64_t spatial;
  bool nhwc;
  int64_t channelAxis;
  Value x, w;
  bool grouped = false, depthwise = false;
  SmallVector<utils::IteratorType> iterators;
  List xAt, wAt, outAt;
};

void ConvNest::padInput() {
  int64_t rank = spatial + 2, first = nhwc ? 1 : 2;
  Folds low(rank, e.m.constant(0)), high = low;
  bool any = false;
  for (int64_t i = 0; i < spatial; ++i) {
    low[first + i] = e.m.constant(op.getPads()[i]);
    high[first + i] = e.m.constant(op.getPads()[spatial + i]);
    any |= op.getPads()[i] || op.getPads()[spatial + i];
  }
  if (any) x = e.pad(x, low, high, scalarConstant(e.b, e.loc, elementOf(x), 0));
}

SmallVector<ReassociationIndices> ConvNest::splitAxis(int64_t rank, int64_t axis) {
  SmallVector<ReassociationIndices> groups;
  for (int64_t d = 0, next = 0; d < rank; ++d) {
    groups.push_back(single(next++));
    if (d == axis) groups.back().push_back(next++);
  }
  return groups;
}

Folds ConvNest::withSplit(ArrayRef<Fold> extents, int64_t axis, Fold outerExtent, Fold innerExtent) {
  Folds r(extents);
  r[axis] = outerExtent;
  r.insert(r.begin() + axis + 1, innerExtent);
  return r;
}

/// Depthwise drops the weights' unit channel; other groups become an axis of
/// the input's channels and of the weights' outputs.
void ConvNest::splitGroups() {
  int64_t groups = op.getGroups(), rank = spatial + 2;
  int64_t outputAxis = nhwc ? spatial + 1 : 0, inputAxis = nhwc ? spatial : 1;
  Fold perGroup = e.extent(1, inputAxis), outputs = e.extent(1, outputAxis);
  if (groups == 1) return;
  depthwise = isConstantIntValue(perGroup, 1) && isConstantIntValue(outputs, groups);
  grouped = !depthwise;
  if (depthwise) {
    SmallVector<ReassociationIndices> keep = splitAxis(rank - 1, nhwc ? spatial : 0);
    w = e.collapse(w, keep);
    return;
  }
  Fold g = e.m.constant(groups), perOutput = e.m.floorDiv(outputs, g);
  x = e.expand(x, splitAxis(rank, channelAxis), withSplit(e.extentsOf(x), channelAxis, g, perGroup));
  w = e.expand(w, splitAxis(rank, outputAxis), withSplit(e.extentsOf(w), outputAxis, g, perOutput));
}

ConvNest::List ConvNest::ordered(AffineExpr batch, ArrayRef<AffineExpr> channels,
                                 ArrayRef<AffineExpr> spatials) {
  List r{batch};
  llvm::append_range(r, nhwc ? spatials : channels);
  llvm::append_range(r, nhwc ? channels : spatials);
  return r;
}

void ConvNest::makeLoops() {
  AffineExpr batch = outer(), group, output, input;
  List outs, kernels, reads;
  auto channels = [&] {
    if (grouped || depthwise) group = outer();
    if (!depthwise) output = outer();
  };
  if (!nhwc) channels();
  for (int64_t i = 0; i < spatial; ++i) outs.push_back(outer());
  if (nhwc) channels();
  if (!nhwc && !depthwise) input = inner();
  for (int64_t i = 0; i < spatial; ++i) kernels.push_back(inner());
  if (nhwc && !depthwise) input = inner();
  for (int64_t i = 0; i < spatial; ++i)
    reads.push_back(outs[i] * op.getStrides()[i] + kernels[i] * op.getDilations()[i]);
  List in, out, weight(kernels);
  if (group) in.push_back(group), out.push_back(group);
  if (!depthwise) in.push_back(input), out.push_back(output);
  xAt = ordered(batch, in, reads);
  outAt = ordered(batch, out, outs);
  List beside;  // weights' channel dimensions
  if (nhwc && !depthwise) beside.push_back(input);
  if (group) beside.push_back(group);
  if (!depthwise) beside.push_back(output);
  if (!nhwc && !depthwise) beside.push_back(input);
  wAt = nhwc ? kernels : beside;
  llvm::append_range(wAt, nhwc ? beside : kernels);
}

Value ConvNest::build(ArrayRef<Fold> extents, Type accumulator) {
  padInput();
  splitGroups();
  makeLoops();
  Folds out(extents);
  if (grouped) {
    Fold g = e.m.constant(op.getGroups());
    out = withSplit(extents, channelAxis, g, e.m.floorDiv(extents[channelAxis], g));
  }
  int64_t n = iterators.size();
  AffineMap wMap = e.affineMap(n, wAt);
  if (graph::PanelsAttr panels = graph::layoutOf(op.getW().getType())) wMap = panelMap(e, panels, wMap);
  Value acc = contract(e, x, e.affineMap(n, xAt), w, wMap, out,
                       e.affineMap(n, outAt), iterators, accumulator);
  return grouped ? e.collapse(acc, splitAxis(spatial + 2, channelAxis)) : acc;
}

/// adze.conv -> pad, fill and one generic; the bias is added in place.
struct LowerConv : Lower<graph::ConvOp> {
  using Lower::Lower;
  LogicalResult lower(graph::ConvOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    if (!isa<IntegerType, Float16Type, BFloat16Type, Float32Type, Float64Type>(e.adzeElement(0)))
      return e.unsupported("products of this element type have no scalar code");
    int64_t rank = extents->size();
    bool nhwc = op.getLayout() == graph::DataLayout::NHWC;
    int64_t channelAxis = nhwc ? rank - 1 : 1;
    Type accumulator = accumulatorType(e.adzeElement(0), op.getAccumulator());
    graph::PanelsAttr panels = graph::layoutOf(op.getW().getType());
    Value acc = panels && panels.getWinograd() ? contractWinograd(e, op, *extents)
                                               : ConvNest(op, e).build(*extents, accumulator);
    std::optional<AffineMap> biasMap;
    if (op.getBias()) biasMap = e.affineMap(rank, {e.b.getAffineDimExpr(channelAxis)});
    e.getState().overwritable.insert(op.getResult());
    return e.replace(finishContraction(e, acc, elementOf(op.getResult()), 2, biasMap));
  }
};

}  // namespace

void populateContractionPatterns(const TypeConverter &types, LoweringState &state,
                                 RewritePatternSet &patterns) {
  addPatterns<LowerMatmul, LowerConv>(types, state, patterns);
}

}  // namespace adze::lowering
