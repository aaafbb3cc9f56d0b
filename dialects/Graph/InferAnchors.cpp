// Inference of the ops that kernels grow around: matmul, windowed ops,
// recurrent cells.
#include "dialects/Graph/Infer.h"

using namespace mlir;

namespace adze::graph {

/// The element type of a product of a and b: theirs, or `accumulator`, which
/// also lets integers of different types meet.
static FailureOr<Type> productElement(Value a, Value b, std::optional<Type> accumulator,
                                      Infer &out) {
  Type l = elementOf(a), r = elementOf(b);
  bool floats = isa<FloatType>(l), ints = !floats && !l.isInteger(1);
  if ((floats ? !isa<FloatType>(r) : !isa<IntegerType>(r)) || (!floats && !ints) || r.isInteger(1))
    return out.error("cannot multiply elements of types ", l, " and ", r);
  if (l != r && (floats || !accumulator))
    return out.error("needs one element type, got ", l, " and ", r);
  if (!accumulator) return l;
  if (isa<FloatType>(*accumulator) != floats || !accumulator->isIntOrFloat() ||
      accumulator->getIntOrFloatBitWidth() < l.getIntOrFloatBitWidth())
    return out.error("cannot accumulate products of ", l, " in ", *accumulator);
  return *accumulator;
}

/// The extents that two batch shapes broadcast to.
static FailureOr<Shape> broadcastBatch(ArrayRef<int64_t> a, ArrayRef<int64_t> b, Infer &out) {
  if (a.size() < b.size()) std::swap(a, b);
  Shape shape(a);
  for (auto [to, d] : llvm::zip(MutableArrayRef(shape).take_back(b.size()), b)) {
    if (to == d || d == 1) continue;
    if (to == 1 || isDynamic(to))
      to = d;
    else if (!isDynamic(d))
      return out.error("batch shapes do not broadcast: ", shapeText(a), " and ", shapeText(b));
  }
  return shape;
}

ADZE_INFER(MatmulOp) {
  Value a = op.getA(), b = op.getB();
  if (failed(out.rankAtLeast(a, 2, "a")) || failed(out.rankAtLeast(b, 2, "b"))) return failure();
  if (layoutOf(b.getType()) && (rankOf(b) != 2 || op.getTransposeB()))
    return out.error("only a matrix that is not transposed may be in panels");
  FailureOr<Type> element = productElement(a, b, op.getAccumulator(), out);
  if (failed(element)) return failure();
  auto last = [](Value v, bool swapped) {
    ArrayRef<int64_t> s = shapeOf(v).take_back(2);
    return swapped ? std::pair(s[1], s[0]) : std::pair(s[0], s[1]);
  };
  auto [m, k] = last(a, op.getTransposeA());
  auto [k2, n] = last(b, op.getTransposeB());
  if (failed(out.sameExtent(k, k2, "the extents to multiply over"))) return failure();
  FailureOr<Shape> shape = broadcastBatch(shapeOf(a).drop_back(2), shapeOf(b).drop_back(2), out);
  if (failed(shape)) return failure();
  shape->append({m, n});
  return out.add(*shape, *element);
}

/// The dimensions of a tensor that carries channels, in either layout.
struct Channels {
  int64_t batch, channels;
  ArrayRef<int64_t> spatial;

  Channels(ArrayRef<int64_t> shape, DataLayout layout) {
    bool nchw = layout == DataLayout::NCHW;
    batch = shape.front();
    channels = nchw ? shape[1] : shape.back();
    spatial = nchw ? shape.drop_front(2) : shape.drop_front().drop_back();
  }
};

static Shape windowedShape(int64_t batch, int64_t channels, ArrayRef<int64_t> spatial,
                           DataLayout layout) {
  Shape shape{batch};
  if (layout == DataLayout::NCHW) shape.push_back(channels);
  llvm::append_range(shape, spatial);
  if (layout == DataLayout::NHWC) shape.push_back(channels);
  return shape;
}

/// strides, pads and dilations of `spatial` axes.
template <typename Adaptor>
static LogicalResult checkWindow(Adaptor op, int64_t spatial, Infer &out) {
  if (failed(out.rankAtLeast(op.getX(), 3, "the input")) ||
      failed(out.entries(op.getStrides(), spatial, 1, "strides")) ||
      failed(out.entries(op.getPads(), 2 * spatial, 0, "pads")))
    return failure();
  return out.entries(op.getDilations(), spatial, 1, "dilations");
}

template <typename Adaptor>
static Window windowOf(Adaptor op, int64_t axis, int64_t kernel) {
  int64_t spatial = op.getStrides().size();
  return {kernel, op.getStrides()[axis], op.getDilations()[axis], op.getPads()[axis],
          op.getPads()[spatial + axis]};
}

/// Result extents of a window that slides over `in`.
template <typename Adaptor>
static FailureOr<Shape> slide(Adaptor op, ArrayRef<int64_t> in, ArrayRef<int64_t> kernel,
                              bool ceilMode, Infer &out) {
  Shape shape;
  for (auto [i, n, k] : llvm::enumerate(in, kernel)) {
    if (k == 0) return out.error("the kernel is empty along spatial axis ", i);
    if (isDynamic(n) || isDynamic(k)) {
      shape.push_back(kDynamic);
      continue;
    }
    std::optional<int64_t> extent = windowOf(op, i, k).resultExtent(n, ceilMode);
    if (!extent) return out.error("the window along spatial axis ", i, " is too large");
    if (*extent < 0)
      return out.error("the kernel, ", k, " long, does not fit spatial axis ", i, " of extent ", n,
                       " and its padding");
    shape.push_back(*extent);
  }
  return shape;
}

static LogicalResult checkGroups(int64_t groups, int64_t channels, StringRef what, Infer &out) {
  if (groups < 1) return out.error("group must be at least 1, got ", groups);
  if (isDynamic(channels) || channels % groups == 0) return success();
  return out.error(channels, " ", what, " do not divide into ", groups, " groups");
}

static LogicalResult checkBias(Value bias, int64_t &channels, Type element, Infer &out) {
  if (!bias) return success();
  if (failed(out.rankIs(bias, 1, "bias")) || failed(out.elements(bias, element, "bias")))
    return failure();
  return out.sameExtent(channels, shapeOf(bias)[0], "bias and result channels");
}

ADZE_INFER(ConvOp) {
  int64_t rank = rankOf(op.getX());
  if (failed(checkWindow(op, rank - 2, out)) || failed(out.rankIs(op.getW(), rank, "the weight")))
    return failure();
  if (layoutOf(op.getW().getType()) && (op.getLayout() != DataLayout::NHWC || op.getGroups() != 1))
    return out.error("only NHWC weights of one group may be in panels");
  if (PanelsAttr panels = layoutOf(op.getW().getType()); panels && panels.getWinograd())
    if (llvm::any_of(op.getStrides(), [](int64_t s) { return s != 1; }) ||
        llvm::any_of(op.getDilations(), [](int64_t d) { return d != 1; }))
      return out.error("Winograd coefficients are for strides and dilations of 1");
  FailureOr<Type> element = productElement(op.getX(), op.getW(), op.getAccumulator(), out);
  if (failed(element)) return failure();
  bool nchw = op.getLayout() == DataLayout::NCHW;
  Channels x(shapeOf(op.getX()), op.getLayout());
  ArrayRef<int64_t> w = shapeOf(op.getW());
  int64_t outputs = nchw ? w[0] : w.back(), inputs = nchw ? w[1] : w[rank - 2];
  ArrayRef<int64_t> kernel = nchw ? w.drop_front(2) : w.drop_back(2);
  int64_t groups = op.getGroups();
  if (failed(checkBias(op.getBias(), outputs, *element, out)) ||
      failed(checkGroups(groups, outputs, "output channels", out)))
    return failure();
  if (!isDynamic(inputs) && !isDynamic(x.channels) && checkedMul(inputs, groups) != x.channels)
    return out.error("the input has ", x.channels, " channels, the weight ", inputs, " in ", groups,
                     " groups");
  FailureOr<Shape> spatial = slide(op, x.spatial, kernel, false, out);
  if (failed(spatial)) return failure();
  return out.add(windowedShape(x.batch, outputs, *spatial, op.getLayout()), *element);
}

/// Result extents of a transposed convolution.
static FailureOr<Shape> spread(ConvTransposeOp::Adaptor op, ArrayRef<int64_t> in,
                               ArrayRef<int64_t> kernel, Infer &out) {
  Shape shape;
  for (auto [i, n, k] : llvm::enumerate(in, kernel)) {
    if (k == 0) return out.error("the kernel is empty along spatial axis ", i);
    if (isDynamic(n) || isDynamic(k)) {
      shape.push_back(kDynamic);
      continue;
    }
    auto extent = transposedExtent(windowOf(op, i, k), n, op.getOutputPadding()[i]);
    if (!extent) return out.error("the window along spatial axis ", i, " is too large");
    if (*extent < 0) return out.error("spatial axis ", i, " would have extent ", *extent);
    shape.push_back(*extent);
  }
  return shape;
}

ADZE_INFER(ConvTransposeOp) {
  int64_t rank = rankOf(op.getX());
  if (failed(checkWindow(op, rank - 2, out)) || failed(out.rankIs(op.getW(), rank, "the weight")) ||
      failed(out.entries(op.getOutputPadding(), rank - 2, 0, "output_padding")))
    return failure();
  FailureOr<Type> element = productElement(op.getX(), op.getW(), std::nullopt, out);
  if (failed(element)) return failure();
  bool nchw = op.getLayout() == DataLayout::NCHW;
  Channels x(shapeOf(op.getX()), op.getLayout());
  ArrayRef<int64_t> w = shapeOf(op.getW());
  int64_t inputs = nchw ? w[0] : w[rank - 2], perGroup = nchw ? w[1] : w.back();
  ArrayRef<int64_t> kernel = nchw ? w.drop_front(2) : w.drop_back(2);
  if (failed(out.sameExtent(inputs, x.channels, "channels of input and weight")) ||
      failed(checkGroups(op.getGroups(), inputs, "input channels", out)))
    return failure();
  std::optional<int64_t> outputs = kDynamic;
  if (!isDynamic(perGroup)) outputs = checkedMul(perGroup, op.getGroups());
  if (!outputs) return out.error("too many output channels");
  FailureOr<Shape> spatial = spread(op, x.spatial, kernel, out);
  if (failed(spatial) || failed(checkBias(op.getBias(), *outputs, *element, out))) return failure();
  return out.add(windowedShape(x.batch, *outputs, *spatial, op.getLayout()), *element);
}

/// The result shape of a pooling op.
template <typename Adaptor>
static FailureOr<Shape> poolShape(Adaptor op, DataLayout layout, Infer &out) {
  int64_t spatial = rankOf(op.getX()) - 2;
  if (failed(checkWindow(op, spatial, out)) ||
      failed(out.entries(op.getKernel(), spatial, 1, "kernel")))
    return failure();
  Channels x(shapeOf(op.getX()), layout);
  FailureOr<Shape> extents = slide(op, x.spatial, op.getKernel(), op.getCeilMode(), out);
  if (failed(extents)) return failure();
  return windowedShape(x.batch, x.channels, *extents, layout);
}

ADZE_INFER(PoolOp) {
  Type element = elementOf(op.getX());
  FailureOr<Shape> shape = poolShape(op, op.getLayout(), out);
  if (failed(shape)) return failure();
  if (op.getKind() != PoolKind::Max && failed(out.floats(op.getX(), "the input")))
    return failure();
  if (element.isInteger(1)) return out.error("cannot pool bool elements");
  if (op.getP() < 1) return out.error("p must be at least 1, got ", op.getP());
  return out.add(*shape, element);
}

ADZE_INFER(MaxPoolIndicesOp) {
  FailureOr<Shape> shape = poolShape(op, DataLayout::NCHW, out);
  if (failed(shape)) return failure();
  if (elementOf(op.getX()).isInteger(1)) return out.error("cannot pool bool elements");
  return success(succeeded(out.add(*shape, elementOf(op.getX()))) &&
                 succeeded(out.addIndices(*shape)));
}

/// Gates of a cell, and the activations that it names per direction.
static std::pair<int64_t, int64_t> cellSize(RecurrentKind kind) {
  if (kind == RecurrentKind::LSTM) return {4, 3};
  if (kind == RecurrentKind::GRU) return {3, 2};
  return {1, 1};
}

static LogicalResult checkActivations(RecurrentOp::Adaptor op, int64_t directions, Infer &out) {
  static constexpr StringRef known[] = {
      "Relu",       "Tanh",        "Sigmoid", "Affine",   "LeakyRelu", "ThresholdedRelu",
      "ScaledTanh", "HardSigmoid", "Elu",     "Softsign", "Softplus"};
  int64_t count = directions * cellSize(op.getKind()).second;
  if (int64_t(op.getActivations().size()) != count)
    return out.error("needs ", count, " activations, got ", op.getActivations().size());
  for (StringRef name : op.getActivations().getAsValueRange<StringAttr>())
    if (!llvm::is_contained(known, name)) return out.error("unknown activation '", name, "'");
  return success();
}

/// Checks an optional operand against the extents it must have.
static LogicalResult checkState(Value v, ArrayRef<int64_t> extents, StringRef name, Infer &out) {
  if (!v) return success();
  if (failed(out.rankIs(v, extents.size(), name))) return failure();
  if (succeeded(verifyCompatibleShape(extents, shapeOf(v)))) return success();
  return out.error(name, " must have shape ", shapeText(extents), ", got ", shapeText(shapeOf(v)));
}

ADZE_INFER(RecurrentOp) {
  for (auto [v, name] : {std::pair(op.getX(), "the input"), std::pair(op.getW(), "w"),
                         std::pair(op.getR(), "r")})
    if (failed(out.rankIs(v, 3, name)) || failed(out.floats(v, name)) ||
        failed(out.elements(v, elementOf(op.getX()), name)))
      return failure();
  StringRef direction = op.getDirection();
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
    return out.error("unknown direction '", direction, "'");
  int64_t directions = direction == "bidirectional" ? 2 : 1;
  if (failed(checkActivations(op, directions, out))) return failure();
  ArrayRef<int64_t> x = shapeOf(op.getX());
  int64_t gates = cellSize(op.getKind()).first, hidden = shapeOf(op.getR())[2];
  int64_t rows = shapeOf(op.getW())[1];
  if (isDynamic(hidden) && !isDynamic(rows)) hidden = rows / gates;
  auto times = [&](int64_t n) {
    return isDynamic(hidden) ? kDynamic : checkedMul(hidden, n).value_or(kDynamic);
  };
  int64_t batch = x[1];
  Shape state{directions, batch, hidden};
  if (failed(checkState(op.getW(), {directions, times(gates), x[2]}, "w", out)) ||
      failed(checkState(op.getR(), {directions, times(gates), hidden}, "r", out)) ||
      failed(checkState(op.getB(), {directions, times(2 * gates)}, "b", out)) ||
      failed(checkState(op.getSequenceLens(), batch, "sequence_lens", out)) ||
      failed(checkState(op.getH0(), state, "initial_h", out)) ||
      failed(checkState(op.getC0(), state, "initial_c", out)) ||
      failed(checkState(op.getP(), {directions, times(3)}, "p", out)))
    return failure();
  if (op.getSequenceLens() &&
      failed(out.elements(op.getSequenceLens(), IntegerType::get(out.ctx, 32), "sequence_lens")))
    return failure();
  for (Value v : {op.getB(), op.getH0(), op.getC0(), op.getP()})
    if (v && failed(out.elements(v, elementOf(op.getX()), "every operand"))) return failure();
  Type element = elementOf(op.getX());
  if (failed(out.add({x[0], directions, batch, hidden}, element)) || failed(out.add(state, element)))
    return failure();
  return out.add(state, element);
}

}  // namespace adze::graph
