// Inference of the ops that index: gather, scatter, reverse, trilu, one_hot.
#include "dialects/Graph/Infer.h"

using namespace mlir;

namespace adze::graph {

ADZE_INFER(GatherOp) {
  ArrayRef<int64_t> x = shapeOf(op.getX());
  int64_t axis = op.getAxis();
  if (failed(out.axis(axis, x.size())) || failed(out.indices(op.getIndices()))) return failure();
  Shape shape(x.take_front(axis));
  llvm::append_range(shape, shapeOf(op.getIndices()));
  llvm::append_range(shape, x.drop_front(axis + 1));
  return out.add(shape, elementOf(op.getX()));
}

/// indices have x's rank, and outside `axis` no extent above x's.
static LogicalResult checkElementIndices(Value x, Value indices, int64_t axis, Infer &out) {
  if (failed(out.axis(axis, rankOf(x))) || failed(out.indices(indices)) ||
      failed(out.rankIs(indices, rankOf(x), "indices")))
    return failure();
  for (auto [i, n, m] : llvm::enumerate(shapeOf(x), shapeOf(indices)))
    if (int64_t(i) != axis && !isDynamic(n) && !isDynamic(m) && m > n)
      return out.error("indices have extent ", m, " along axis ", i, ", the input only ", n);
  return success();
}

ADZE_INFER(GatherElementsOp) {
  if (failed(checkElementIndices(op.getX(), op.getIndices(), op.getAxis(), out))) return failure();
  return out.add(shapeOf(op.getIndices()), elementOf(op.getX()));
}

/// The length of an index tuple: the last extent of `indices`, 1 to `limit`.
static FailureOr<int64_t> tupleLength(Value indices, int64_t limit, Infer &out) {
  if (failed(out.indices(indices)) || failed(out.rankAtLeast(indices, 1, "indices")))
    return failure();
  int64_t k = shapeOf(indices).back();
  if (isDynamic(k)) return out.error("the last extent of indices is not known");
  if (k < 1 || k > limit)
    return out.error("the last extent of indices is ", k, ", but the input has ", limit,
                     " axes to index");
  return k;
}

ADZE_INFER(GatherNDOp) {
  ArrayRef<int64_t> x = shapeOf(op.getX()), indices = shapeOf(op.getIndices());
  int64_t batch = op.getBatchDims(), rank = x.size();
  if (batch < 0 || batch >= std::min<int64_t>(rank, indices.size()))
    return out.error("batch_dims ", batch, " is out of range for ranks ", rank, " and ",
                     indices.size());
  FailureOr<int64_t> k = tupleLength(op.getIndices(), rank - batch, out);
  if (failed(k)) return failure();
  Shape shape(indices.drop_back());
  for (int64_t i = 0; i < batch; ++i)
    if (failed(out.sameExtent(shape[i], x[i], "batch extents"))) return failure();
  llvm::append_range(shape, x.drop_front(batch + *k));
  return out.add(shape, elementOf(op.getX()));
}

/// Reductions other than none need numbers they are defined for.
static LogicalResult checkReduction(ScatterReduction reduction, Type element, Infer &out) {
  bool arithmetic = reduction == ScatterReduction::Add || reduction == ScatterReduction::Mul;
  if (!arithmetic || !element.isInteger(1)) return success();
  return out.error("cannot reduce bool elements by ", stringifyScatterReduction(reduction));
}

ADZE_INFER(ScatterElementsOp) {
  Type element = elementOf(op.getX());
  if (failed(checkElementIndices(op.getX(), op.getIndices(), op.getAxis(), out)) ||
      failed(out.elements(op.getUpdates(), element, "updates")) ||
      failed(out.rankIs(op.getUpdates(), rankOf(op.getX()), "updates")) ||
      failed(checkReduction(op.getReduction(), element, out)))
    return failure();
  if (failed(verifyCompatibleShape(shapeOf(op.getIndices()), shapeOf(op.getUpdates()))))
    return out.error("indices and updates have different shapes: ",
                     shapeText(shapeOf(op.getIndices())), " and ",
                     shapeText(shapeOf(op.getUpdates())));
  return out.add(shapeOf(op.getX()), element);
}

ADZE_INFER(ScatterNDOp) {
  ArrayRef<int64_t> x = shapeOf(op.getX());
  Type element = elementOf(op.getX());
  FailureOr<int64_t> k = tupleLength(op.getIndices(), x.size(), out);
  if (failed(k) || failed(out.elements(op.getUpdates(), element, "updates")) ||
      failed(checkReduction(op.getReduction(), element, out)))
    return failure();
  Shape expected(shapeOf(op.getIndices()).drop_back());
  llvm::append_range(expected, x.drop_front(*k));
  if (failed(verifyCompatibleShape(expected, shapeOf(op.getUpdates()))))
    return out.error("updates must have shape ", shapeText(expected), ", got ",
                     shapeText(shapeOf(op.getUpdates())));
  return out.add(x, element);
}

ADZE_INFER(ReverseSequenceOp) {
  int64_t batch = op.getBatchAxis(), time = op.getTimeAxis();
  if (failed(out.rankAtLeast(op.getX(), 2, "the input")) || failed(out.axis(batch, 2)) ||
      failed(out.axis(time, 2)))
    return failure();
  if (batch == time) return out.error("batch axis and time axis are both ", batch);
  ArrayRef<int64_t> x = shapeOf(op.getX());
  if (failed(out.list(op.getSequenceLens(), x[batch], "sequence_lens"))) return failure();
  return out.add(x, elementOf(op.getX()));
}

ADZE_INFER(TriluOp) {
  if (failed(out.rankAtLeast(op.getX(), 2, "the input")) || failed(out.rankIs(op.getK(), 0, "k")))
    return failure();
  return out.add(shapeOf(op.getX()), elementOf(op.getX()));
}

ADZE_INFER(OneHotOp) {
  ArrayRef<int64_t> indices = shapeOf(op.getIndices());
  int64_t axis = op.getAxis();
  if (failed(out.axis(axis, indices.size() + 1, "result")) ||
      failed(out.rankIs(op.getDepth(), 0, "depth")) || failed(out.list(op.getValues(), 2, "values")))
    return failure();
  if (elementOf(op.getIndices()).isInteger(1)) return out.error("indices must be numbers, got bool");
  std::optional<int64_t> depth = knownInts(op.getDepth(), 1)[0];
  if (depth && *depth < 0) return out.error("depth is ", *depth);
  Shape shape(indices);
  shape.insert(shape.begin() + axis, depth.value_or(kDynamic));
  return out.add(shape, elementOf(op.getValues()));
}

}  // namespace adze::graph
