// Operators that move elements without computing on them.
#include "passes/Import/Constants.h"
#include "passes/Import/NodeBuilder.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;
using graph::ScatterReduction;

static Values convertTranspose(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  int64_t r = nb.rank(x);
  Ints perm = iota(r);
  std::reverse(perm.begin(), perm.end());
  if (auto given = nb.intsAttr("perm")) perm = *given;
  Ints sorted = perm;
  llvm::sort(sorted);
  if (sorted != iota(r)) return {nb.invalid("perm is no permutation of the input's axes")};
  return {nb.transpose(x, perm)};
}

static Values convertConcat(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  SmallVector<Value> xs;
  for (unsigned i = 0; i < nb.inputs.size(); ++i) xs.push_back(nb.in(i));
  return {nb.concat(xs, nb.axis(nb.intAttr("axis", 1), nb.rank(x)))};
}

//===-- Slice, Split, Pad, Tile --------------------------------------------===//

/// Entries for all axes: `given` where `axes` says, else `otherwise`.
static Value fullRank(NodeBuilder &nb, Value given, ArrayRef<int64_t> axes, int64_t rank,
                      int64_t otherwise) {
  if (!given) return nb.ints(Ints(rank, otherwise));
  if (Ints(axes) == iota(rank)) return given;
  SmallVector<Value> pieces;
  for (int64_t i = 0; i < rank; ++i) {
    const int64_t *at = llvm::find(axes, i);
    int64_t pos = at - axes.begin();
    pieces.push_back(at == axes.end() ? nb.ints({otherwise}) : nb.slice(given, 0, pos, pos + 1));
  }
  return nb.join(pieces);
}

/// Axes computed at run time: scatter the entries into full rank as data.
static Value scatteredByAxes(NodeBuilder &nb, Value given, Value axes, int64_t rank,
                             int64_t otherwise) {
  Value base = nb.ints(Ints(rank, otherwise));
  if (!given) return base;
  return nb.make<graph::ScatterElementsOp>({base, axes, given}, nb.named("axis", int64_t(0)));
}

static Values convertSlice(NodeBuilder &nb) {
  Value x = nb.in(0), starts, ends, steps, axesValue;
  if (!x) return {x};
  int64_t r = nb.rank(x);
  if (nb.version() < 10) {
    starts = nb.ints(nb.intsAttr("starts").value_or(Ints()));
    ends = nb.ints(nb.intsAttr("ends").value_or(Ints()));
    if (auto axes = nb.intsAttr("axes")) axesValue = nb.ints(*axes);
  } else {
    starts = nb.indexVector(nb.in(1)), ends = nb.indexVector(nb.in(2));
    if (nb.has(3)) axesValue = nb.indexVector(nb.in(3));
    if (nb.has(4)) steps = nb.indexVector(nb.in(4));
  }
  if (!starts || !ends) return {Value()};
  std::optional<Ints> axes;
  if (axesValue) axes = graph::constantInts(axesValue);
  else if (!ShapedType::isDynamic(nb.extent(starts, 0))) axes = iota(nb.extent(starts, 0));
  else return {nb.unsupported("the number of sliced axes is computed at run time")};
  if (axesValue && !axes) {
    Value negative = nb.ew(Fn::Less, {axesValue, nb.ints({0})});
    Value at = nb.select(negative, nb.add(axesValue, nb.ints({r})), axesValue);
    return {nb.slice(x, scatteredByAxes(nb, starts, at, r, 0),
                     scatteredByAxes(nb, ends, at, r, INT64_MAX),
                     scatteredByAxes(nb, steps, at, r, 1))};
  }
  for (int64_t &a : *axes) a = nb.axis(a, r);
  if (nb.failed() || int64_t(axes->size()) != nb.extent(starts, 0))
    return {nb.invalid("starts and axes differ in length")};
  if (auto known = steps ? graph::constantInts(steps) : std::nullopt)
    if (llvm::is_contained(*known, 0)) return {nb.invalid("a step is 0")};
  return {nb.slice(x, fullRank(nb, starts, *axes, r, 0), fullRank(nb, ends, *axes, r, INT64_MAX),
                   fullRank(nb, steps, *axes, r, 1))};
}

/// Pieces of equal size; the last may be smaller.
static Values splitEvenly(NodeBuilder &nb, Value x, int64_t axis, int64_t n) {
  int64_t extent = nb.extent(x, axis);
  Values out;
  if (!ShapedType::isDynamic(extent)) {
    int64_t size = (extent + n - 1) / n;
    for (int64_t i = 0; i < n; ++i)
      out.push_back(nb.slice(x, axis, std::min(i * size, extent), std::min((i + 1) * size, extent)));
    return out;
  }
  Value size = nb.div(nb.add(nb.dim(x, axis), nb.ints({n - 1})), nb.ints({n}));
  int64_t r = nb.rank(x);
  for (int64_t i = 0; i < n; ++i) {
    Value start = nb.mul(size, nb.ints({i})), end = nb.mul(size, nb.ints({i + 1}));
    out.push_back(nb.slice(x, fullRank(nb, start, {axis}, r, 0),
                           fullRank(nb, end, {axis}, r, INT64_MAX), nb.ints(Ints(r, 1))));
  }
  return out;
}

static Values convertSplit(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  int64_t axis = nb.axis(nb.intAttr("axis", 0), nb.rank(x)), n = nb.numOutputs();
  if (nb.failed()) return {Value()};
  if (!nb.has(1) && !nb.hasAttr("split")) return splitEvenly(nb, x, axis, n);
  std::optional<Ints> sizes = nb.intsAttr("split");
  if (!sizes) sizes = graph::constantInts(nb.in(1));
  Values out;
  if (!sizes) {  // sizes computed at run time
    Value lengths = nb.indexVector(nb.in(1)), start = nb.ints({0});
    for (int64_t i = 0, r = nb.rank(x); i < n; ++i) {
      Value end = nb.add(start, nb.slice(lengths, 0, i, i + 1));
      out.push_back(nb.slice(x, fullRank(nb, start, {axis}, r, 0),
                             fullRank(nb, end, {axis}, r, INT64_MAX), nb.ints(Ints(r, 1))));
      start = end;
    }
    return out;
  }
  if (int64_t(sizes->size()) != n) return {nb.invalid("split has not one entry an output")};
  int64_t start = 0;
  for (int64_t size : *sizes) {
    if (size < 0 || size > INT64_MAX - start) return {nb.invalid("split has a bad extent")};
    out.push_back(nb.slice(x, axis, start, start + size));
    start += size;
  }
  if (!ShapedType::isDynamic(nb.extent(x, axis)) && nb.extent(x, axis) != start)
    return {nb.invalid("the split sizes do not add up to the extent of the axis")};
  return out;
}

static Values convertPad(NodeBuilder &nb) {
  Value x = nb.in(0), pads, value;
  if (!x) return {x};
  int64_t r = nb.rank(x);
  if (nb.version() < 11) {
    pads = nb.ints(nb.intsAttr("pads", 2 * r, 0));
    value = nb.splat(nb.element(x), nb.floatAttr("value"));
  } else {
    pads = nb.indexVector(nb.in(1));
    value = nb.has(2) ? nb.scalar(nb.in(2)) : nb.splat(nb.element(x), 0);
  }
  if (nb.isRuntime(3)) {
    Value axes = nb.indexVector(nb.in(3));
    Value negative = nb.ew(Fn::Less, {axes, nb.ints({0})});
    Value at = nb.select(negative, nb.add(axes, nb.ints({r})), axes);
    pads = scatteredByAxes(nb, pads, nb.join({at, nb.add(at, nb.ints({r}))}), 2 * r, 0);
  } else if (nb.has(3)) {
    std::optional<Ints> given = nb.constantInts(3, "axes");
    if (!given || !pads) return {Value()};
    Ints both;
    for (int64_t a : *given) both.push_back(nb.axis(a, r));
    for (int64_t i = 0, k = given->size(); i < k; ++i) both.push_back(both[i] + r);
    if (nb.extent(pads, 0) != int64_t(both.size()))
      return {nb.invalid("pads has not two entries an axis")};
    pads = fullRank(nb, pads, both, 2 * r, 0);
  }
  auto mode = graph::symbolizePadMode(nb.strAttr("mode", "constant"));
  if (!mode) return {nb.invalid("mode is none of constant, reflect, edge, wrap")};
  return {nb.make<graph::PadOp>(
      {x, nb.listOf(pads, 2 * r), value}, nb.named("mode", graph::PadModeAttr::get(nb.b.getContext(), *mode)))};
}

static Values convertTile(NodeBuilder &nb) {
  Value x = nb.in(0), repeats = nb.indexVector(nb.in(1));
  return {nb.make<graph::TileOp>({x, nb.listOf(repeats, nb.rank(x))})};
}

/// Pads or crops around the centre to given extents.
static Values convertCenterCropPad(NodeBuilder &nb) {
  Value x = nb.in(0), shape = nb.indexVector(nb.in(1));
  if (!x || !shape) return {Value()};
  int64_t r = nb.rank(x);
  Ints axes = iota(r);
  if (auto given = nb.intsAttr("axes")) {
    axes = *given;
    for (int64_t &a : axes) a = nb.axis(a, r);
  }
  shape = nb.listOf(shape, axes.size());
  SmallVector<Value> before(r, nb.ints({0})), after(r, nb.ints({0}));
  Value two = nb.ints({2}), zero = nb.ints({0});
  for (auto [i, a] : llvm::enumerate(axes)) {
    Value want = nb.slice(shape, 0, i, i + 1), grow = nb.sub(want, nb.dim(x, a));
    // Growing and cropping both halve towards the front: floor of the amount.
    Value half = nb.div(nb.ew(Fn::Abs, grow), two);
    Value negative = nb.ew(Fn::Less, {grow, zero});
    before[a] = nb.select(negative, nb.ew(Fn::Neg, half), half);
    after[a] = nb.sub(grow, before[a]);
  }
  llvm::append_range(before, after);
  return {nb.make<graph::PadOp>({x, nb.join(before), nb.splat(nb.element(x), 0)})};
}

//===-- Gather and scatter -------------------------------------------------===//

/// Refuses constant indices that no run could use. `limits` are the extents
/// that the components of an index count in, in turn. What is computed is
/// checked when the model runs.
static void checkIndices(NodeBuilder &nb, Value indices, ArrayRef<int64_t> limits) {
  if (!indices || limits.empty() || nb.failed()) return;
  auto known = graph::constantInts(indices);
  if (!known) return;
  for (auto [i, index] : llvm::enumerate(*known)) {
    int64_t limit = limits[i % limits.size()];
    if (ShapedType::isDynamic(limit) || (index >= -limit && index < limit)) continue;
    return void(nb.invalid("index " + Twine(index) + " is out of range for extent " + Twine(limit)));
  }
}

/// The axis of a node whose input 1 holds indices along it, checked.
static int64_t indexedAxis(NodeBuilder &nb, Value x) {
  int64_t axis = nb.axis(nb.intAttr("axis"), nb.rank(x));
  if (x && !nb.failed()) checkIndices(nb, nb.in(1), nb.extent(x, axis));
  return axis;
}

/// Checks tuples along the last axis of `indices` against x's axes behind the
/// batch axes.
static void checkTuples(NodeBuilder &nb, Value x, Value indices, int64_t batchDims) {
  if (!x || !indices || nb.rank(indices) < 1 || batchDims < 0) return;
  int64_t depth = nb.extent(indices, nb.rank(indices) - 1);
  if (depth > 0 && batchDims + depth <= nb.rank(x))
    checkIndices(nb, indices, nb.type(x).getShape().slice(batchDims, depth));
}

static Values convertGather(NodeBuilder &nb) {
  Value x = nb.in(0);
  int64_t axis = indexedAxis(nb, x);
  return {nb.gather(x, nb.in(1), axis)};
}

static Values convertGatherElements(NodeBuilder &nb) {
  Value x = nb.in(0);
  int64_t axis = indexedAxis(nb, x);
  return {nb.make<graph::GatherElementsOp>({x, nb.in(1)}, nb.named("axis", axis))};
}

static Values convertGatherND(NodeBuilder &nb) {
  int64_t batchDims = nb.intAttr("batch_dims");
  checkTuples(nb, nb.in(0), nb.in(1), batchDims);
  return {nb.make<graph::GatherNDOp>({nb.in(0), nb.in(1)}, nb.named("batch_dims", batchDims))};
}

static NamedAttribute scatterReduction(NodeBuilder &nb) {
  auto kind = graph::symbolizeScatterReduction(nb.strAttr("reduction", "none"));
  if (!kind) nb.invalid("reduction is none of none, add, mul, max, min");
  return nb.named("reduction", graph::ScatterReductionAttr::get(
                                   nb.b.getContext(), kind.value_or(ScatterReduction::None)));
}

static Values convertScatterElements(NodeBuilder &nb) {
  Value x = nb.in(0);
  int64_t axis = indexedAxis(nb, x);
  return {nb.make<graph::ScatterElementsOp>({x, nb.in(1), nb.in(2)},
                                            {nb.named("axis", axis), scatterReduction(nb)})};
}

static Values convertScatterND(NodeBuilder &nb) {
  checkTuples(nb, nb.in(0), nb.in(1), 0);
  return {nb.make<graph::ScatterNDOp>({nb.in(0), nb.in(1), nb.in(2)}, scatterReduction(nb))};
}

/// Slices of x along the axis (or of x flattened) where the condition holds.
static Values convertCompress(NodeBuilder &nb) {
  Value x = nb.in(0), condition = nb.in(1);
  if (!x || !condition) return {Value()};
  int64_t axis = 0;
  if (nb.hasAttr("axis")) axis = nb.axis(nb.intAttr("axis"), nb.rank(x));
  else x = nb.reshape(x, ArrayRef<int64_t>{-1});
  Value at = nb.make<graph::NonZeroOp>(condition);
  return {nb.gather(x, nb.reshape(at, ArrayRef<int64_t>{-1}), axis)};
}

static Values convertTensorScatter(NodeBuilder &nb) {
  Value cache = nb.in(0), update = nb.in(1);
  if (!cache || !update) return {Value()};
  int64_t r = nb.rank(cache), axis = nb.axis(nb.intAttr("axis", -2), r);
  if (axis == 0) return {nb.invalid("axis 0 is the batch")};
  // Row numbers along the axis, wrapped when the cache is circular.
  Value steps = nb.range(nb.index(0), nb.scalar(nb.dim(update, axis)), nb.index(1));
  Value first = nb.has(2) ? nb.cast(nb.in(2), nb.i64()) : nb.ints({0});
  Value at = nb.add(nb.unsqueeze(first, {1}), nb.unsqueeze(steps, {0}));
  if (nb.strAttr("mode", "linear") == "circular") at = nb.ew(Fn::Mod, {at, nb.dim(cache, axis)});
  // As indices for scatter_elements: [B, 1.., S, 1..] over update's shape.
  Ints ones;
  for (int64_t i = 1; i < r; ++i)
    if (i != axis) ones.push_back(i);
  at = nb.expand(nb.unsqueeze(at, ones), nb.shapeOf(update));
  return {nb.make<graph::ScatterElementsOp>({cache, at, update}, nb.named("axis", axis))};
}

//===-- The rest -----------------------------------------------------------===//

static Values convertReverseSequence(NodeBuilder &nb) {
  return {nb.make<graph::ReverseSequenceOp>(
      {nb.in(0), nb.cast(nb.in(1), nb.i64())},
      {nb.named("batch_axis", nb.intAttr("batch_axis", 1)),
       nb.named("time_axis", nb.intAttr("time_axis", 0))})};
}

static Values convertTrilu(NodeBuilder &nb) {
  Value k = nb.has(1) ? nb.scalar(nb.in(1)) : nb.index(0);
  return {nb.make<graph::TriluOp>({nb.in(0), k}, nb.flag("upper", nb.boolAttr("upper", true)))};
}

static Values convertOneHot(NodeBuilder &nb) {
  Value x = nb.in(0);
  int64_t axis = nb.axis(nb.intAttr("axis", -1), nb.rank(x) + 1);
  if (x && isa<FloatType>(nb.element(x))) x = nb.cast(x, nb.i64());
  Value depth = nb.scalar(nb.cast(nb.in(1), nb.i64()));
  return {nb.make<graph::OneHotOp>({x, depth, nb.in(2)}, nb.named("axis", axis))};
}

/// [N, C, H, W] -> [N, C/b^2, H*b, W*b]
static Values convertDepthToSpace(NodeBuilder &nb) {
  Value x = nb.in(0);
  int64_t bs = nb.intAttr("blocksize");
  if (!x) return {x};
  if (nb.rank(x) != 4 || bs < 1) return {nb.invalid("needs rank 4 and a positive blocksize")};
  bool crd = nb.strAttr("mode", "DCR") == "CRD";
  Value n = nb.dim(x, 0), h = nb.dim(x, 2), w = nb.dim(x, 3), b = nb.ints({bs});
  Value c = nb.div(nb.dim(x, 1), nb.ints({bs * bs}));
  Value y = crd ? nb.reshape(x, nb.join({n, c, b, b, h, w}))
                : nb.reshape(x, nb.join({n, b, b, c, h, w}));
  y = crd ? nb.transpose(y, {0, 1, 4, 2, 5, 3}) : nb.transpose(y, {0, 3, 4, 1, 5, 2});
  return {nb.reshape(y, nb.join({n, c, nb.mul(h, b), nb.mul(w, b)}))};
}

/// [N, C, H, W] -> [N, C*b^2, H/b, W/b]
static Values convertSpaceToDepth(NodeBuilder &nb) {
  Value x = nb.in(0);
  int64_t bs = nb.intAttr("blocksize");
  if (!x) return {x};
  if (nb.rank(x) != 4 || bs < 1) return {nb.invalid("needs rank 4 and a positive blocksize")};
  bool crd = nb.strAttr("mode", "DCR") == "CRD";
  Value n = nb.dim(x, 0), c = nb.dim(x, 1), b = nb.ints({bs});
  Value h = nb.div(nb.dim(x, 2), b), w = nb.div(nb.dim(x, 3), b);
  Value y = nb.reshape(x, nb.join({n, c, h, b, w, b}));
  y = crd ? nb.transpose(y, {0, 1, 3, 5, 2, 4}) : nb.transpose(y, {0, 3, 5, 1, 2, 4});
  return {nb.reshape(y, nb.join({n, nb.mul(c, nb.ints({bs * bs})), h, w}))};
}

void populateDataMovement(OpTable &t) {
  t.push_back({"", "Transpose", 1, 0, kAll, convertTranspose});
  t.push_back({"", "Concat", 1, 0, kAll, convertConcat});
  t.push_back({"", "Slice", 1, 0, kAll, convertSlice});
  t.push_back({"", "Split", 2, 0, kAll, convertSplit});
  t.push_back({"", "Pad", 2, 0, kAny, convertPad});
  t.push_back({"", "Tile", 6, 0, kAll, convertTile});
  t.push_back({"", "CenterCropPad", 18, 0, kAny, convertCenterCropPad});
  t.push_back({"", "Gather", 1, 0, kAll, convertGather});
  t.push_back({"", "GatherElements", 11, 0, kAll, convertGatherElements});
  t.push_back({"", "GatherND", 11, 0, kAll, convertGatherND});
  t.push_back({"", "Scatter", 9, 0, kAll, convertScatterElements});
  t.push_back({"", "ScatterElements", 11, 0, kAll, convertScatterElements});
  t.push_back({"", "ScatterND", 11, 0, kAll, convertScatterND});
  t.push_back({"", "TensorScatter", 24, 0, kAll, convertTensorScatter});
  t.push_back({"", "Compress", 9, 0, kAll, convertCompress});
  t.push_back({"", "ReverseSequence", 10, 0, kAll, convertReverseSequence});
  t.push_back({"", "Trilu", 14, 0, kAny, convertTrilu});
  t.push_back({"", "OneHot", 9, 0, kNumbers, convertOneHot});
  t.push_back({"", "DepthToSpace", 1, 0, kAll, convertDepthToSpace});
  t.push_back({"", "SpaceToDepth", 1, 0, kAll, convertSpaceToDepth});
}

}  // namespace adze::convert
