// conv_transpose.
#include "passes/Lowering/Contraction.h"

using namespace mlir;

namespace adze::lowering {

namespace {

/// adze.conv_transpose -> where windows neither overlap nor leave gaps, one
/// contraction whose result collapses; else a convolution of the input spread
/// out by the strides with the mirrored kernel.
class TransposedNest {
 public:
  TransposedNest(graph::ConvTransposeOp op, Emitter &e, ArrayRef<Fold> extents)
      : op(op), e(e), extents(extents), spatial(op.getStrides().size()), rank(spatial + 2),
        nhwc(op.getLayout() == graph::DataLayout::NHWC), first(nhwc ? 1 : 2),
        firstKernel(nhwc ? 0 : 2), channelAxis(nhwc ? spatial + 1 : 1), x(e.operand(0)),
        w(e.operand(1)), accumulator(accumulatorType(e.adzeElement(0))) {}

  Value build() { return tiles() ? buildTiles() : buildSpread(); }

 private:
  using List = SmallVector<AffineExpr>;
  bool tiles();
  Value buildTiles();
  Value buildSpread();
  Value spread();
  Value mirrored();
  AffineExpr loop(utils::IteratorType kind) {
    iterators.push_back(kind);
    return e.b.getAffineDimExpr(iterators.size() - 1);
  }
  AffineExpr outer() { return loop(utils::IteratorType::parallel); }
  AffineExpr inner() { return loop(utils::IteratorType::reduction); }
  List place(AffineExpr batch, ArrayRef<AffineExpr> channels, ArrayRef<AffineExpr> positions) {
    List r{batch};
    llvm::append_range(r, nhwc ? positions : channels);
    llvm::append_range(r, nhwc ? channels : positions);
    return r;
  }
  SmallVector<ReassociationIndices> split(int64_t n, int64_t axis) {
    SmallVector<ReassociationIndices> groups;
    for (int64_t d = 0, next = 0; d < n; ++d) {
      groups.push_back({next++});
      if (d == axis) groups.back().push_back(next++);
    }
    return groups;
  }
  Folds withSplit(ArrayRef<Fold> from, int64_t axis, Fold major, Fold minor) {
    Folds r(from);
    r[axis] = major;
    r.insert(r.begin() + axis + 1, minor);
    return r;
  }

  graph::ConvTransposeOp op;
  Emitter &e;
  ArrayRef<Fold> extents;
  int64_t spatial, rank;
  bool nhwc;
  int64_t first, firstKernel, channelAxis;
  Value x, w;
  Type accumulator;
  SmallVector<utils::IteratorType> iterators;
};

bool TransposedNest::tiles() {
  auto zero = [](int64_t v) { return v == 0; };
  bool plain = op.getGroups() == 1 && llvm::all_of(op.getPads(), zero) &&
               llvm::all_of(op.getOutputPadding(), zero) &&
               llvm::all_of(op.getDilations(), [](int64_t d) { return d == 1; });
  for (int64_t i = 0; plain && i < spatial; ++i)
    plain = isConstantIntValue(e.extent(1, firstKernel + i), op.getStrides()[i]);
  return plain;
}

Value TransposedNest::buildTiles() {
  AffineExpr batch = outer(), output;
  List positions, kernels, written;
  if (!nhwc) output = outer();
  for (int64_t i = 0; i < spatial; ++i) {
    positions.push_back(outer());
    kernels.push_back(outer());
    written.push_back(positions.back());
    written.push_back(kernels.back());
  }
  if (nhwc) output = outer();
  AffineExpr input = inner();
  Folds out;
  SmallVector<ReassociationIndices> groups;
  for (int64_t d = 0; d < rank; ++d) {
    int64_t i = d - first;
    groups.push_back({int64_t(out.size())});
    if (i < 0 || i >= spatial) {
      out.push_back(extents[d]);
      continue;
    }
    out.push_back(e.extent(0, d));
    groups.back().push_back(out.size());
    out.push_back(e.m.constant(op.getStrides()[i]));
  }
  List wAt = nhwc ? kernels : List{input, output};
  llvm::append_range(wAt, nhwc ? List{input, output} : kernels);
  int64_t n = iterators.size();
  Value acc = contract(e, x, e.affineMap(n, place(batch, input, positions)), w, e.affineMap(n, wAt),
                       out, e.affineMap(n, place(batch, output, written)), iterators, accumulator);
  return e.collapse(acc, groups);
}

/// x with stride - 1 zeros between positions and the padding around it.
Value TransposedNest::spread() {
  Folds wide = e.extents(0), sizes(wide), offsets(rank, e.m.constant(0)), steps(rank, e.m.constant(1));
  Folds low(rank, e.m.constant(0)), high(rank, e.m.constant(0));
  bool gaps = false;
  for (int64_t i = 0; i < spatial; ++i) {
    int64_t d = first + i, stride = op.getStrides()[i];
    gaps |= stride != 1;
    steps[d] = e.m.constant(stride);
    Fold reach = e.m.mul(e.m.sub(wide[d], e.m.constant(1)), e.m.constant(stride));
    wide[d] = e.m.max(e.m.add(reach, e.m.constant(1)), e.m.constant(0));
    Fold kernel = e.m.mul(e.m.sub(e.extent(1, firstKernel + i), e.m.constant(1)),
                          e.m.constant(op.getDilations()[i]));
    low[d] = e.m.sub(kernel, e.m.constant(op.getPads()[i]));
    high[d] = e.m.add(kernel, e.m.constant(op.getOutputPadding()[i] - op.getPads()[spatial + i]));
  }
  Type storage = elementOf(x);
  Value v = x;
  if (gaps) {
    Value source = e.cast(x, e.empty(sizes, storage).getType());
    v = tensor::InsertSliceOp::create(e.b, e.loc, source, e.zeros(wide, storage), offsets, sizes, steps);
  }
  return e.pad(v, low, high, scalarConstant(e.b, e.loc, storage, 0));
}

/// The weights with each kernel axis read backwards.
Value TransposedNest::mirrored() {
  Folds sizes = e.extents(1);
  SmallVector<Value> last;
  for (int64_t i = 0; i < spatial; ++i)
    last.push_back(e.m.value(e.m.sub(sizes[firstKernel + i], e.m.constant(1))));
  Value source = w;
  return e.fromIndices(sizes, elementOf(w), [&](OpBuilder &b, Location loc, ValueRange at) -> Value {
    SmallVector<Value> from(at);
    for (int64_t i = 0; i < spatial; ++i)
      from[firstKernel + i] = arith::SubIOp::create(b, loc, last[i], from[firstKernel + i]);
    return tensor::ExtractOp::create(b, loc, source, from);
  });
}

Value TransposedNest::buildSpread() {
  int64_t groups = op.getGroups();
  int64_t inputAxis = nhwc ? spatial : 0;  // of the weights
  Value input = spread(), weights = mirrored();
  Folds out(extents);
  if (groups > 1) {
    Fold g = e.m.constant(groups), perGroup = e.m.floorDiv(e.extent(1, inputAxis), g);
    input = e.expand(input, split(rank, channelAxis),
                     withSplit(e.extentsOf(input), channelAxis, g, perGroup));
    weights = e.expand(weights, split(rank, inputAxis),
                       withSplit(e.extentsOf(weights), inputAxis, g, perGroup));
    out = withSplit(extents, channelAxis, g, e.m.floorDiv(extents[channelAxis], g));
  }
  AffineExpr batch = outer();
  List group, outs, kernels, reads;
  AffineExpr output;
  auto channels = [&] {
    if (groups > 1) group.push_back(outer());
    output = outer();
  };
  if (!nhwc) channels();
  for (int64_t i = 0; i < spatial; ++i) outs.push_back(outer());
  if (nhwc) channels();
  for (int64_t i = 0; i < spatial; ++i) kernels.push_back(inner());
  AffineExpr in = inner();
  for (int64_t i = 0; i < spatial; ++i)
    reads.push_back(outs[i] + kernels[i] * op.getDilations()[i]);
  List read(group), written(group), wAt(group);
  read.push_back(in);
  written.push_back(output);
  wAt.push_back(in);
  wAt.push_back(output);
  wAt.insert(nhwc ? wAt.begin() : wAt.end(), kernels.begin(), kernels.end());
  int64_t n = iterators.size();
  Value acc = contract(e, input, e.affineMap(n, place(batch, read, reads)), weights,
                       e.affineMap(n, wAt), out, e.affineMap(n, place(batch, written, outs)),
                       iterators, accumulator);
  return groups > 1 ? e.collapse(acc, split(rank, channelAxis)) : acc;
}

struct LowerConvTranspose : Lower<graph::ConvTransposeOp> {
  using Lower::Lower;
  LogicalResult lower(graph::ConvTransposeOp op, Emitter &e) const override {
    FailureOr<Folds> extents = e.resultExtents();
    if (failed(extents)) return e.unsupported("its result extents are not known");
    if (!isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(e.adzeElement(0)))
      return e.unsupported("products of this element type have no scalar code");
    int64_t rank = extents->size();
    int64_t channelAxis = op.getLayout() == graph::DataLayout::NHWC ? rank - 1 : 1;
    Value acc = TransposedNest(op, e, *extents).build();
    std::optional<AffineMap> biasMap;
    if (op.getBias()) biasMap = e.affineMap(rank, {e.b.getAffineDimExpr(channelAxis)});
    e.getState().overwritable.insert(op.getResult());
    return e.replace(finishContraction(e, acc, elementOf(op.getResult()), 2, biasMap));
  }
};

}  // namespace

void populateConvTransposePatterns(const TypeConverter &types, LoweringState &state,
                                   RewritePatternSet &patterns) {
  addPatterns<LowerConvTranspose>(types, state, patterns);
}

}  // namespace adze::lowering
