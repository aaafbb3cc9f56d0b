// Inference of the ops that move data: shapes, reshape, slice, pad, resize.
#include "dialects/Graph/Infer.h"

#include <cmath>

using namespace mlir;

namespace adze::graph {

ADZE_INFER(ShapeOfOp) { return out.addIndices({rankOf(op.getX())}); }

/// The only element of a constant scalar as a double.
static std::optional<double> constantNumber(Value v) {
  if (auto ints = constantInts(v); ints && ints->size() == 1) return double((*ints)[0]);
  auto constant = v.getDefiningOp<ConstantOp>();
  if (!constant) return std::nullopt;
  auto dense = dyn_cast<DenseFPElementsAttr>(constant.getValue());
  if (!dense || dense.getNumElements() != 1) return std::nullopt;
  APFloat value = *dense.begin();
  bool lost = false;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return value.convertToDouble();
}

ADZE_INFER(RangeOp) {
  Type element = elementOf(op.getStart());
  for (auto [v, name] : {std::pair(op.getStart(), "start"), std::pair(op.getLimit(), "limit"),
                         std::pair(op.getDelta(), "delta")})
    if (failed(out.rankIs(v, 0, name)) || failed(out.elements(v, element, name))) return failure();
  auto start = constantNumber(op.getStart()), limit = constantNumber(op.getLimit());
  auto delta = constantNumber(op.getDelta());
  if (delta && *delta == 0) return out.error("delta of a range is 0");
  if (!start || !limit || !delta) return out.add({kDynamic}, element);
  double count = std::max(0.0, std::ceil((*limit - *start) / *delta));
  if (!(count < 0x1p53)) return out.error("the range has too many elements");
  return out.add({int64_t(count)}, element);
}

/// The extent that -1 stands for: the extents of x that `shape` does not name,
/// multiplied. Dynamic extents that both sides have cancel.
static FailureOr<int64_t> inferredExtent(ReshapeOp::Adaptor op, ArrayRef<int64_t> shape,
                                         Infer &out) {
  SmallVector<DimOrigin> left;
  std::optional<int64_t> from = 1, to = 1;
  for (auto [i, d] : llvm::enumerate(shapeOf(op.getX())))
    if (isDynamic(d))
      left.push_back(dimOrigin(op.getX(), i));
    else if (from)
      from = checkedMul(*from, d);
  SmallVector<DimOrigin> origins = dimOrigins(op.getShape());
  for (auto [i, d] : llvm::enumerate(shape)) {
    if (isDynamic(d)) {
      auto *match = i < origins.size() ? llvm::find(left, origins[i]) : left.end();
      if (match == left.end()) return kDynamic;
      left.erase(match);
    } else if (d != -1 && to) {
      to = checkedMul(*to, d);
    }
  }
  if (!left.empty()) return kDynamic;
  if (!from || !to) return out.error("the shape is too large");
  if (*to == 0 ? *from != 0 : *from % *to != 0)
    return out.error("cannot reshape ", shapeText(shapeOf(op.getX())), " to ", shapeText(shape));
  if (*to == 0) return out.error("the entry -1 is not determined: other extents are 0");
  return *from / *to;
}

ADZE_INFER(ReshapeOp) {
  if (failed(out.rankIs(op.getShape(), 1, "shape"))) return failure();
  int64_t rank = shapeOf(op.getShape())[0];
  if (isDynamic(rank)) return out.error("the rank of the result is not known");
  Shape shape;
  for (std::optional<int64_t> d : knownInts(op.getShape(), rank)) {
    if (d && *d < -1) return out.error("shape has the entry ", *d);
    shape.push_back(d.value_or(kDynamic));
  }
  if (llvm::count(shape, -1) > 1) return out.error("shape has more than one entry -1");
  if (auto *rest = llvm::find(shape, -1); rest != shape.end()) {
    FailureOr<int64_t> extent = inferredExtent(op, shape, out);
    if (failed(extent)) return failure();
    *rest = *extent;
    return out.add(shape, elementOf(op.getX()));
  }
  std::optional<int64_t> from = countOf(op.getX());
  if (from && !llvm::is_contained(shape, kDynamic) && checkedNumElements(shape) != from)
    return out.error("cannot reshape ", shapeText(shapeOf(op.getX())), " to ", shapeText(shape));
  return out.add(shape, elementOf(op.getX()));
}

ADZE_INFER(ExpandOp) {
  if (failed(out.rankIs(op.getShape(), 1, "shape"))) return failure();
  int64_t rank = shapeOf(op.getShape())[0];
  if (isDynamic(rank)) return out.error("the rank of the result is not known");
  ArrayRef<int64_t> from = shapeOf(op.getX());
  if (rank < int64_t(from.size()))
    return out.error("shape has ", rank, " entries for a rank-", from.size(), " input");
  Shape shape;
  for (std::optional<int64_t> d : knownInts(op.getShape(), rank)) {
    if (d && *d < 0) return out.error("shape has the entry ", *d);
    shape.push_back(d.value_or(kDynamic));
  }
  for (auto [to, d] : llvm::zip(MutableArrayRef(shape).take_back(from.size()), from)) {
    if (isDynamic(d) || d == 1) continue;
    if (isDynamic(to)) to = d;
    if (to != d)
      return out.error("cannot expand ", shapeText(from), " to ", shapeText(shape));
  }
  return out.add(shape, elementOf(op.getX()));
}

ADZE_INFER(RelayoutOp) {
  PanelsAttr layout = op.getLayoutAttr();
  PanelsAttr from = layoutOf(op.getX().getType());
  if (from == layout) return out.error("changes no layout");
  if (from && from.getWinograd()) return out.error("cannot tell weights from Winograd coefficients");
  return out.add(shapeOf(op.getX()), elementOf(op.getX()), layout);
}

ADZE_INFER(TransposeOp) {
  ArrayRef<int64_t> from = shapeOf(op.getX()), perm = op.getPerm();
  if (perm.size() != from.size())
    return out.error("perm has ", perm.size(), " entries for a rank-", from.size(), " input");
  Shape shape;
  SmallVector<bool> seen(from.size(), false);
  for (int64_t p : perm) {
    if (failed(out.axis(p, from.size()))) return failure();
    if (std::exchange(seen[p], true)) return out.error("perm has axis ", p, " twice");
    shape.push_back(from[p]);
  }
  return out.add(shape, elementOf(op.getX()));
}

ADZE_INFER(ConcatOp) {
  if (op.getXs().empty()) return out.error("needs at least one input");
  Value first = op.getXs().front();
  Shape shape(shapeOf(first));
  int64_t axis = op.getAxis(), joined = 0;
  if (failed(out.axis(axis, shape.size()))) return failure();
  for (Value x : op.getXs()) {
    ArrayRef<int64_t> s = shapeOf(x);
    if (failed(out.rankIs(x, shape.size(), "every input")) ||
        failed(out.elements(x, elementOf(first), "every input")))
      return failure();
    for (int64_t i = 0; i < int64_t(s.size()); ++i)
      if (i != axis && failed(out.sameExtent(shape[i], s[i], "extents along axis " + Twine(i).str())))
        return failure();
    if (isDynamic(joined) || isDynamic(s[axis])) {
      joined = kDynamic;
    } else if (auto sum = checkedAdd(joined, s[axis])) {
      joined = *sum;
    } else {
      return out.error("the result's extent along axis ", axis, " is too large");
    }
  }
  shape[axis] = joined;
  return out.add(shape, elementOf(first));
}

/// The extent of a slice; an axis left alone keeps its own.
static int64_t sliceExtent(int64_t n, std::optional<int64_t> start, std::optional<int64_t> end,
                           std::optional<int64_t> step) {
  if (n == 0) return 0;
  if (!start || !end || !step) return kDynamic;
  if (!isDynamic(n)) return sliceRange(n, *start, *end, *step).count;
  // Both bounds on the same side of an unknown extent, or an empty range.
  if (*step > 0 && *start >= 0 && *end >= 0 && *end <= *start) return 0;
  return kDynamic;
}

ADZE_INFER(SliceOp) {
  ArrayRef<int64_t> from = shapeOf(op.getX());
  int64_t rank = from.size();
  if (failed(out.list(op.getStarts(), rank, "starts")) ||
      failed(out.list(op.getEnds(), rank, "ends")) || failed(out.list(op.getSteps(), rank, "steps")))
    return failure();
  PartialInts starts = knownInts(op.getStarts(), rank), ends = knownInts(op.getEnds(), rank);
  PartialInts steps = knownInts(op.getSteps(), rank);
  Shape shape;
  for (int64_t i = 0; i < rank; ++i) {
    if (steps[i] == 0) return out.error("the step of axis ", i, " is 0");
    shape.push_back(sliceExtent(from[i], starts[i], ends[i], steps[i]));
  }
  return out.add(shape, elementOf(op.getX()));
}

ADZE_INFER(PadOp) {
  ArrayRef<int64_t> from = shapeOf(op.getX());
  int64_t rank = from.size();
  if (failed(out.list(op.getPads(), 2 * rank, "pads")) ||
      failed(out.rankIs(op.getValue(), 0, "the padding value")) ||
      failed(out.elements(op.getValue(), elementOf(op.getX()), "the padding value")))
    return failure();
  PartialInts pads = knownInts(op.getPads(), 2 * rank);
  Shape shape;
  for (int64_t i = 0; i < rank; ++i) {
    if (isDynamic(from[i]) || !pads[i] || !pads[rank + i]) {
      bool alone = pads[i] == 0 && pads[rank + i] == 0;
      shape.push_back(alone ? from[i] : kDynamic);
      continue;
    }
    auto sum = checkedAdd(*pads[i], *pads[rank + i]);
    if (sum) sum = checkedAdd(*sum, from[i]);
    if (!sum || *sum < 0)
      return out.error("pads ", *pads[i], " and ", *pads[rank + i], " do not fit axis ", i,
                       " of extent ", from[i]);
    if (op.getMode() != PadMode::Constant && from[i] == 0 && *sum > 0)
      return out.error("axis ", i, " is empty: only constant padding can fill it");
    shape.push_back(*sum);
  }
  return out.add(shape, elementOf(op.getX()));
}

ADZE_INFER(TileOp) {
  ArrayRef<int64_t> from = shapeOf(op.getX());
  int64_t rank = from.size();
  if (failed(out.list(op.getRepeats(), rank, "repeats"))) return failure();
  Shape shape;
  for (auto [i, repeat] : llvm::enumerate(knownInts(op.getRepeats(), rank))) {
    if (repeat && *repeat < 0) return out.error("axis ", i, " is repeated ", *repeat, " times");
    if (repeat == 0 || from[i] == 0) {
      shape.push_back(0);
    } else if (!repeat || isDynamic(from[i])) {
      shape.push_back(kDynamic);
    } else if (auto extent = checkedMul(from[i], *repeat)) {
      shape.push_back(*extent);
    } else {
      return out.error("the result's extent along axis ", i, " is too large");
    }
  }
  return out.add(shape, elementOf(op.getX()));
}

static LogicalResult checkResizeModes(ResizeOp::Adaptor op, Infer &out) {
  auto oneOf = [&](StringRef what, StringRef value, ArrayRef<StringRef> known) -> LogicalResult {
    if (llvm::is_contained(known, value)) return success();
    return out.error("resize does not know the ", what, " '", value, "'");
  };
  if (failed(oneOf("mode", op.getMode(), {"nearest", "linear", "cubic"}))) return failure();
  if (failed(oneOf("coordinate transformation", op.getCoordinateMode(),
                   {"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners",
                    "asymmetric", "tf_crop_and_resize", "tf_half_pixel_for_nn"})))
    return failure();
  return oneOf("nearest mode", op.getNearestMode(),
               {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"});
}

ADZE_INFER(ResizeOp) {
  int64_t rank = rankOf(op.getX());
  if (failed(out.list(op.getSizes(), rank, "sizes")) ||
      failed(out.list(op.getScales(), rank, "scales")) || failed(checkResizeModes(op, out)))
    return failure();
  if (op.getRoi() && (failed(out.list(op.getRoi(), 2 * rank, "roi")) ||
                      failed(out.floats(op.getRoi(), "roi"))))
    return failure();
  if (!op.getRoi() && op.getCoordinateMode() == "tf_crop_and_resize")
    return out.error("tf_crop_and_resize needs roi");
  Shape shape;
  for (auto [i, size] : llvm::enumerate(knownInts(op.getSizes(), rank))) {
    if (size && *size < 0) return out.error("the size of axis ", i, " is ", *size);
    if (size && *size > 0 && shapeOf(op.getX())[i] == 0)
      return out.error("axis ", i, " is empty and cannot be resized to ", *size);
    shape.push_back(size.value_or(kDynamic));
  }
  return out.add(shape, elementOf(op.getX()));
}

}  // namespace adze::graph
