// Operators whose result is a shape or follows from one.
#include "passes/Import/Constants.h"
#include "passes/Import/RuntimeAxes.h"

#include <algorithm>

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;

static Values convertShape(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  int64_t r = nb.rank(x);
  auto bound = [&](StringRef name, int64_t otherwise) {
    int64_t v = nb.intAttr(name, otherwise);
    return std::clamp<int64_t>(v < 0 ? v + r : v, 0, r);
  };
  int64_t start = bound("start", 0), end = bound("end", r);
  return {nb.dims(x, start, std::max(start, end))};
}

static Values convertSize(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {nb.scalar(nb.count(x, 0, nb.rank(x)))};
}

/// `v` holds extents taken from tensors: a zero in it is an extent of zero.
static bool comesFromShapes(Value v, int depth = 0) {
  Operation *op = v.getDefiningOp();
  if (!op || depth > 32) return false;
  if (isa<graph::ShapeOfOp, graph::ConstantOp>(op)) return true;
  if (!isa<graph::ConcatOp, graph::SliceOp, graph::GatherOp, graph::ReshapeOp, graph::CastOp,
           graph::ElementwiseOp, graph::ReduceOp>(op))
    return false;
  return llvm::all_of(op->getOperands(),
                      [&](Value operand) { return comesFromShapes(operand, depth + 1); });
}

/// The i-th extent asked for, where a zero copies the input's extent.
static Value wantedExtent(NodeBuilder &nb, Value x, Value shape, int64_t i,
                          std::optional<int64_t> known, bool exact) {
  bool canCopy = i < nb.rank(x);
  if (known) return *known == 0 && canCopy ? nb.dim(x, i) : nb.ints({*known});
  Value piece = nb.slice(shape, 0, i, i + 1);
  if (exact || !canCopy) return piece;
  return nb.select(nb.ew(Fn::Equal, {piece, nb.ints({0})}), nb.dim(x, i), piece);
}

static Values convertReshape(NodeBuilder &nb) {
  Value x = nb.in(0), shape;
  if (nb.version() < 5) shape = nb.ints(nb.intsAttr("shape").value_or(Ints()));
  else shape = nb.indexVector(nb.in(1));
  if (!x || !shape) return {Value()};
  if (nb.boolAttr("allowzero")) return {nb.reshape(x, shape)};
  int64_t length = nb.extent(shape, 0);
  if (ShapedType::isDynamic(length)) {
    return {nb.unsupported("the length of its shape is computed at run time")};
  }
  auto known = graph::partialInts(shape);
  bool exact = comesFromShapes(shape);
  bool copies = known && llvm::is_contained(*known, std::optional<int64_t>(0));
  if (exact && !copies) return {nb.reshape(x, shape)};
  SmallVector<Value> pieces;
  for (int64_t i = 0; i < length; ++i)
    pieces.push_back(
        wantedExtent(nb, x, shape, i, known ? (*known)[i] : std::nullopt, exact));
  return {nb.reshape(x, nb.join(pieces))};
}

static Values convertFlatten(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  int64_t r = nb.rank(x), axis = nb.intAttr("axis", 1);
  if (axis < 0) axis += r;
  if (axis < 0 || axis > r) return {nb.invalid("axis is out of range")};
  return {nb.reshape(x, nb.join({nb.count(x, 0, axis), nb.count(x, axis, r)}))};
}

static Values convertSqueeze(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (x && nb.isRuntime(1)) {
    int64_t count = nb.type(nb.in(1)).hasStaticShape() ? nb.type(nb.in(1)).getNumElements() : -1;
    if (count < 0 || count > nb.rank(x)) return {nb.unsupported("axes are computed at run time")};
    Value kept = nb.ew(Fn::Not, axisMask(nb, nb.in(1), nb.rank(x)));
    return {nb.reshape(x, maskedEntries(nb, nb.shapeOf(x), kept, nb.rank(x) - count))};
  }
  std::optional<Ints> given = nb.intsAttrOrInput("axes", 1);
  if (!x || nb.failed()) return {Value()};
  Ints axes;
  if (given) axes = nb.axes(*given, nb.rank(x));
  for (int64_t i = 0; !given && i < nb.rank(x); ++i) {
    if (nb.extent(x, i) == 1) axes.push_back(i);
    else if (ShapedType::isDynamic(nb.extent(x, i)))
      return {nb.unsupported("no axes are given and axis " + Twine(i) + " is dynamic")};
  }
  for (int64_t a : axes)
    if (nb.extent(x, a) != 1 && !ShapedType::isDynamic(nb.extent(x, a)))
      return {nb.invalid("axis " + Twine(a) + " has extent " + Twine(nb.extent(x, a)))};
  return {nb.squeeze(x, axes)};
}

static Values convertUnsqueeze(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (x && nb.isRuntime(1)) {
    if (!nb.type(nb.in(1)).hasStaticShape())
      return {nb.unsupported("the number of its axes is computed at run time")};
    int64_t rank = nb.rank(x) + nb.type(nb.in(1)).getNumElements();
    return {unsqueezeMasked(nb, x, axisMask(nb, nb.in(1), rank))};
  }
  std::optional<Ints> given = nb.intsAttrOrInput("axes", 1);
  if (!x || nb.failed()) return {Value()};
  if (!given) return {nb.invalid("axes are missing")};
  return {nb.unsqueeze(x, nb.axes(*given, nb.rank(x) + given->size()))};
}

/// Two-way broadcast: the result's extents are those of x and `shape` joined.
static Values convertExpand(NodeBuilder &nb) {
  Value x = nb.in(0), shape = nb.indexVector(nb.in(1));
  if (!x || !shape) return {Value()};
  int64_t length = nb.extent(shape, 0);
  if (ShapedType::isDynamic(length))
    return {nb.unsupported("the length of its shape is computed at run time")};
  int64_t r = std::max(length, nb.rank(x));
  x = nb.withRank(x, r);
  auto known = graph::partialInts(shape);
  SmallVector<Value> pieces;
  for (int64_t i = 0; i < r; ++i) {
    int64_t s = i - (r - length);
    std::optional<int64_t> want = s < 0 ? std::optional<int64_t>(1)
                                        : known ? (*known)[s] : std::nullopt;
    int64_t have = nb.extent(x, i);
    if (want == 1) pieces.push_back(nb.dim(x, i));
    else if (want) pieces.push_back(nb.ints({*want}));
    else if (have == 1) pieces.push_back(nb.slice(shape, 0, s, s + 1));
    else if (!ShapedType::isDynamic(have)) pieces.push_back(nb.ints({have}));
    else {
      // An entry that is neither 1 nor the extent is for adze.expand to refuse.
      Value piece = nb.slice(shape, 0, s, s + 1), extent = nb.dim(x, i);
      pieces.push_back(nb.select(nb.ew(Fn::Equal, {piece, nb.ints({1})}), extent, piece));
    }
  }
  return {nb.expand(x, nb.join(pieces))};
}

static Values convertConstantOfShape(NodeBuilder &nb) {
  Value shape = nb.indexVector(nb.in(0));
  Value value;
  if (auto given = dyn_cast_if_present<ElementsAttr>(nb.node.onnxAttr("value")))
    value = nb.scalar(nb.constant(given));
  else
    value = nb.splat(nb.f32(), 0);
  return {nb.expand(value, shape)};
}

/// A Constant node whose value stands in an attribute other than `value`.
static Values convertConstant(NodeBuilder &nb) {
  if (auto given = dyn_cast_if_present<ElementsAttr>(nb.node.onnxAttr("value")))
    return {nb.constant(given)};
  if (nb.hasAttr("value_int")) return {nb.index(nb.intAttr("value_int"))};
  if (nb.hasAttr("value_float")) return {nb.splat(nb.f32(), nb.floatAttr("value_float"))};
  if (auto given = nb.intsAttr("value_ints")) return {nb.ints(*given)};
  if (auto given = nb.floatsAttr("value_floats")) return {nb.floats(*given)};
  return {nb.unsupported("its value is a string or a sparse tensor")};
}

static Values convertRange(NodeBuilder &nb) {
  return {nb.range(nb.scalar(nb.in(0)), nb.scalar(nb.in(1)), nb.scalar(nb.in(2)))};
}

/// Ones on diagonal k: columns - rows == k.
static Values convertEyeLike(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  if (nb.rank(x) != 2) return {nb.invalid("its input must have rank 2")};
  Type type = nb.hasAttr("dtype") ? nb.dtype(nb.intAttr("dtype")) : nb.element(x);
  Value zero = nb.index(0), one = nb.index(1);
  Value rows = nb.range(zero, nb.scalar(nb.dim(x, 0)), one);
  Value cols = nb.range(zero, nb.scalar(nb.dim(x, 1)), one);
  Value diagonal = nb.sub(nb.unsqueeze(cols, {0}), nb.unsqueeze(rows, {1}));
  return {nb.cast(nb.ew(Fn::Equal, {diagonal, nb.index(nb.intAttr("k"))}), type)};
}

void populateShape(OpTable &t) {
  t.push_back({"", "Shape", 1, 0, kAll, convertShape});
  t.push_back({"", "Size", 1, 0, kAll, convertSize});
  t.push_back({"", "Reshape", 1, 0, kAll, convertReshape});
  t.push_back({"", "Flatten", 1, 0, kAll, convertFlatten});
  t.push_back({"", "Squeeze", 1, 0, kAll, convertSqueeze});
  t.push_back({"", "Unsqueeze", 1, 0, kAll, convertUnsqueeze});
  t.push_back({"", "Expand", 8, 0, kAll, convertExpand});
  t.push_back({"", "ConstantOfShape", 9, 0, kI64, convertConstantOfShape});
  t.push_back({"", "Constant", 1, 0, kAll, convertConstant});
  t.push_back({"", "Range", 11, 0, kNumbers, convertRange});
  t.push_back({"", "EyeLike", 9, 0, kAny, convertEyeLike});
}

}  // namespace adze::convert
