// quantize and dequantize, with ONNX's numerics.
#include "lib/Reference/Call.h"
#include "lib/Reference/Saturate.h"

#include <cmath>

using namespace mlir;

namespace adze::reference {

/// The element of scale and zero point for each element of x.
template <typename F>
static void forEachScale(const Tensor &x, const Tensor &scale, int64_t axis, int64_t block, F f) {
  if (scale.rank() == 0) {
    for (int64_t i = 0; i < x.size(); ++i) f(i, 0);
    return;
  }
  Lines lines(x.shape(), axis);
  Lines blocks(block ? scale.shape() : x.shape(), axis);
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t inner = i % lines.inner, at = i / lines.inner % lines.extent;
    int64_t outer = i / lines.inner / lines.extent;
    f(i, block ? (outer * blocks.extent + at / block) * lines.inner + inner : at);
  }
}

ADZE_EVALUATE(QuantizeOp) {
  const Tensor &x = call.in(0), &scale = call.in(1), &zero = call.in(2);
  Type to = zero.element();
  std::vector<double> values = toDoubles(x), scales = toDoubles(scale), zeros = toDoubles(zero);
  // The quotient is one of float32, as compiled code and onnxruntime have it: in
  // float16 ties would be more common, and fall elsewhere.
  Type precision = isFloat(x.element()) && x.element().getIntOrFloatBitWidth() > 32
                       ? x.element()
                       : Type(Float32Type::get(op.getContext()));
  std::vector<int64_t> ints(isFloat(to) ? 0 : values.size());
  forEachScale(x, scale, op.getAxis(), op.getBlockSize(), [&](int64_t i, int64_t s) {
    double v = roundTo(precision, values[i] / scales[s]);
    if (!isFloat(to)) {
      ints[i] = saturatedInt(to, std::nearbyint(v) + zeros[s]);
      return;
    }
    values[i] = v + zeros[s];
    if (op.getSaturate()) values[i] = saturatedFloat(to, values[i]);
  });
  isFloat(to) ? storeDoubles(call.out(), values) : storeInts(call.out(), ints);
  return success();
}

ADZE_EVALUATE(DequantizeOp) {
  const Tensor &x = call.in(0), &scale = call.in(1);
  std::vector<double> values = toDoubles(x), scales = toDoubles(scale);
  std::vector<double> zeros = toDoubles(call.in(2));
  forEachScale(x, scale, op.getAxis(), op.getBlockSize(),
               [&](int64_t i, int64_t s) { values[i] = (values[i] - zeros[s]) * scales[s]; });
  storeDoubles(call.out(), values);
  return success();
}

}  // namespace adze::reference
