// Inference of reductions, normalisations, sorting and selection.
#include "dialects/Graph/Infer.h"

using namespace mlir;

namespace adze::graph {

/// The shape of x with `axes` (sorted) dropped, or kept as 1.
static Shape reducedShape(ArrayRef<int64_t> x, ArrayRef<int64_t> axes, bool keepdims) {
  Shape shape;
  for (auto [i, d] : llvm::enumerate(x)) {
    if (!llvm::is_contained(axes, int64_t(i)))
      shape.push_back(d);
    else if (keepdims)
      shape.push_back(1);
  }
  return shape;
}

ADZE_INFER(ReduceOp) {
  ArrayRef<int64_t> x = shapeOf(op.getX());
  Type element = elementOf(op.getX());
  if (failed(out.axes(op.getAxes(), x.size()))) return failure();
  ReduceKind kind = op.getKind();
  if (element.isInteger(1) && kind != ReduceKind::Max && kind != ReduceKind::Min)
    return out.error("cannot reduce bool elements by ", stringifyReduceKind(kind));
  return out.add(reducedShape(x, op.getAxes(), op.getKeepdims()), element);
}

ADZE_INFER(ArgReduceOp) {
  ArrayRef<int64_t> x = shapeOf(op.getX());
  int64_t axis = op.getAxis();
  if (failed(out.axis(axis, x.size()))) return failure();
  if (x[axis] == 0) return out.error("axis ", axis, " is empty: it has no extreme");
  return out.addIndices(reducedShape(x, axis, op.getKeepdims()));
}

ADZE_INFER(CumulativeOp) {
  Type element = elementOf(op.getX());
  if (failed(out.axis(op.getAxis(), rankOf(op.getX())))) return failure();
  if (op.getKind() != ReduceKind::Sum && op.getKind() != ReduceKind::Prod)
    return out.error("a running reduction is a sum or a product, not ",
                     stringifyReduceKind(op.getKind()));
  if (element.isInteger(1)) return out.error("does not take elements of type ", element);
  return out.add(shapeOf(op.getX()), element);
}

ADZE_INFER(SoftmaxOp) {
  if (failed(out.floats(op.getX(), "the input")) ||
      failed(out.axis(op.getAxis(), rankOf(op.getX()))))
    return failure();
  return out.add(shapeOf(op.getX()), elementOf(op.getX()));
}

ADZE_INFER(NormalizeOp) {
  ArrayRef<int64_t> x = shapeOf(op.getX());
  if (failed(out.floats(op.getX(), "the input")) || failed(out.axes(op.getAxes(), x.size())))
    return failure();
  if (op.getAxes().empty()) return out.error("needs at least one axis");
  for (auto [v, name] : {std::pair(op.getScale(), "scale"), std::pair(op.getBias(), "bias")})
    if (v && (failed(out.elements(v, elementOf(op.getX()), name)) ||
              failed(out.broadcastsTo(v, x, name))))
      return failure();
  return out.add(x, elementOf(op.getX()));
}

ADZE_INFER(TopKOp) {
  Shape shape(shapeOf(op.getX()));
  int64_t axis = op.getAxis();
  if (failed(out.axis(axis, shape.size())) || failed(out.rankIs(op.getK(), 0, "k")))
    return failure();
  std::optional<int64_t> k = knownInts(op.getK(), 1)[0];
  if (k && *k < 0) return out.error("k is ", *k);
  if (k && !isDynamic(shape[axis]) && *k > shape[axis])
    return out.error("k is ", *k, ", but axis ", axis, " has ", shape[axis], " elements");
  shape[axis] = k.value_or(kDynamic);
  return success(succeeded(out.add(shape, elementOf(op.getX()))) &&
                 succeeded(out.addIndices(shape)));
}

ADZE_INFER(NonZeroOp) { return out.addIndices({rankOf(op.getX()), kDynamic}); }

ADZE_INFER(UniqueOp) {
  Shape values{kDynamic};
  int64_t inverse = kDynamic;
  if (std::optional<int64_t> axis = op.getAxis()) {
    values = Shape(shapeOf(op.getX()));
    if (failed(out.axis(*axis, values.size()))) return failure();
    inverse = std::exchange(values[*axis], kDynamic);
  } else if (std::optional<int64_t> count = countOf(op.getX())) {
    inverse = *count;
  }
  if (failed(out.add(values, elementOf(op.getX())))) return failure();
  for (int64_t n : {kDynamic, inverse, kDynamic})
    if (failed(out.addIndices({n}))) return failure();
  return success();
}

ADZE_INFER(NmsOp) {
  if (failed(out.rankIs(op.getBoxes(), 3, "boxes")) ||
      failed(out.rankIs(op.getScores(), 3, "scores")))
    return failure();
  for (auto [v, name] :
       {std::pair(op.getBoxes(), "boxes"), std::pair(op.getScores(), "scores"),
        std::pair(op.getIouThreshold(), "iou_threshold"),
        std::pair(op.getScoreThreshold(), "score_threshold")})
    if (failed(out.floats(v, name))) return failure();
  for (auto [v, name] : {std::pair(op.getMaxOutput(), "max_output_boxes_per_class"),
                         std::pair(op.getIouThreshold(), "iou_threshold"),
                         std::pair(op.getScoreThreshold(), "score_threshold")})
    if (failed(out.rankIs(v, 0, name))) return failure();
  ArrayRef<int64_t> boxes = shapeOf(op.getBoxes()), scores = shapeOf(op.getScores());
  int64_t batch = boxes[0], count = boxes[1], corners = 4;
  if (failed(out.sameExtent(batch, scores[0], "batch extents of boxes and scores")) ||
      failed(out.sameExtent(count, scores[2], "numbers of boxes and scores")) ||
      failed(out.sameExtent(corners, boxes[2], "coordinates of a box")))
    return failure();
  return out.addIndices({kDynamic, 3});
}

}  // namespace adze::graph
