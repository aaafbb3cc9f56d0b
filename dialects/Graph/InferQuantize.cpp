// Inference of quantize and dequantize.
#include "dialects/Graph/Infer.h"

using namespace mlir;

namespace adze::graph {

/// Scale and zero point: rank 0, a list along `axis`, or blocks along `axis`.
template <typename Adaptor>
static LogicalResult checkScale(Adaptor op, Infer &out) {
  ArrayRef<int64_t> x = shapeOf(op.getX()), scale = shapeOf(op.getScale());
  int64_t axis = op.getAxis(), block = op.getBlockSize();
  if (failed(out.floats(op.getScale(), "scale"))) return failure();
  if (failed(verifyCompatibleShape(scale, shapeOf(op.getZeroPoint()))))
    return out.error("scale and zero point have different shapes: ", shapeText(scale), " and ",
                     shapeText(shapeOf(op.getZeroPoint())));
  if (block < 0) return out.error("block_size is ", block);
  if (block == 0 && scale.empty()) return success();
  if (failed(out.axis(axis, x.size()))) return failure();
  if (block == 0) return out.list(op.getScale(), x[axis], "scale");
  if (failed(out.rankIs(op.getScale(), x.size(), "a blocked scale"))) return failure();
  Shape expected(x);
  if (!isDynamic(x[axis])) expected[axis] = x[axis] == 0 ? 0 : (x[axis] - 1) / block + 1;
  if (succeeded(verifyCompatibleShape(expected, scale))) return success();
  return out.error("a blocked scale must have shape ", shapeText(expected), ", got ",
                   shapeText(scale));
}

static bool isQuantized(Type type) {
  if (isa<FloatType>(type)) return type.getIntOrFloatBitWidth() <= 8;
  return !type.isInteger(1) && type.getIntOrFloatBitWidth() <= 32;
}

ADZE_INFER(QuantizeOp) {
  Type element = elementOf(op.getZeroPoint());
  if (!isQuantized(element)) return out.error("cannot quantize to ", element);
  if (!isa<FloatType>(elementOf(op.getX())) && !elementOf(op.getX()).isInteger(32))
    return out.error("cannot quantize elements of type ", elementOf(op.getX()));
  if (failed(checkScale(op, out))) return failure();
  return out.add(shapeOf(op.getX()), element);
}

ADZE_INFER(DequantizeOp) {
  Type element = elementOf(op.getX());
  if (!isQuantized(element)) return out.error("cannot dequantize elements of type ", element);
  if (failed(out.elements(op.getZeroPoint(), element, "the zero point")) ||
      failed(checkScale(op, out)))
    return failure();
  return out.add(shapeOf(op.getX()), elementOf(op.getScale()));
}

}  // namespace adze::graph
