// Changing element types: cast, bitcast.
#include "lib/Reference/Call.h"
#include "lib/Reference/Saturate.h"

#include <cmath>

using namespace mlir;

namespace adze::reference {

int64_t saturatedInt(Type type, double v) {
  if (std::isnan(v)) return 0;
  v = std::trunc(v);
  bool wide = isUnsigned(type) && type.getIntOrFloatBitWidth() >= 64;
  if (wide) return v <= 0 ? 0 : v >= 0x1p64 ? -1 : int64_t(uint64_t(v));
  if (v <= double(lowestInt(type))) return lowestInt(type);
  if (v >= double(highestInt(type))) return highestInt(type);
  return int64_t(v);
}

double saturatedFloat(Type type, double v) {
  double most = largestFinite(type);
  return std::isnan(v) ? v : std::clamp(v, -most, most);
}

/// f8E8M0FNU holds powers of two: ONNX rounds up to the next one by default.
static double powerOfTwoUp(double v) {
  int exponent = 0;
  double mantissa = std::frexp(v, &exponent);
  return v > 0 && std::isfinite(v) && mantissa > 0.5 ? std::ldexp(1.0, exponent) : v;
}

/// Integers below eight bits wrap, as ONNX's own arrays of them do.
static int64_t castToInt(Type to, double v) {
  if (to.isInteger(1)) return v != 0;
  bool narrow = to.getIntOrFloatBitWidth() < 8;
  return saturatedInt(narrow ? Type(IntegerType::get(to.getContext(), 64)) : to, v);
}

static void castFromFloats(const Tensor &x, Tensor &out, bool saturate) {
  Type to = out.element();
  std::vector<double> values = toDoubles(x);
  if (isFloat(to)) {
    if (isa<Float8E8M0FNUType>(to)) llvm::transform(values, values.begin(), powerOfTwoUp);
    if (saturate && to.getIntOrFloatBitWidth() <= 8)
      for (double &v : values) v = saturatedFloat(to, v);
    return storeDoubles(out, values);
  }
  std::vector<int64_t> ints(values.size());
  for (auto [v, i] : llvm::zip_equal(values, ints)) i = castToInt(to, v);
  storeInts(out, ints);
}

static void castFromInts(const Tensor &x, Tensor &out) {
  Type to = out.element();
  std::vector<int64_t> values = toInts(x);
  if (to.isInteger(1))
    for (int64_t &v : values) v = v != 0;
  if (!isFloat(to)) return storeInts(out, values);
  if (!to.isF32()) return storeDoubles(out, toDoubles(x));
  // Straight to f32: double in between would round twice.
  bool u = isUnsigned(x.element());
  for (auto [v, f] : llvm::zip_equal(values, out.mutableData<float>()))
    f = u ? float(uint64_t(v)) : float(v);
}

ADZE_EVALUATE(CastOp) {
  const Tensor &x = call.in(0);
  if (x.element() == op.getTo())
    call.out() = x;
  else if (isFloat(x.element()))
    castFromFloats(x, call.out(), op.getSaturate());
  else
    castFromInts(x, call.out());
  return success();
}

ADZE_EVALUATE(BitcastOp) {
  const Tensor &x = call.in(0);
  unsigned width = x.element().getIntOrFloatBitWidth();
  if (width >= 8) {
    call.out() = x.as(RankedTensorType::get(x.shape(), op.getTo()));
    return success();
  }
  // Narrow elements are stored extended, by the new type's sign.
  uint8_t mask = (1u << width) - 1;
  for (auto [from, to] : llvm::zip_equal(x.data<uint8_t>(), call.out().mutableData<uint8_t>()))
    to = isFloat(op.getTo()) ? from & mask : uint8_t(wrapInt(op.getTo(), from & mask));
  return success();
}

}  // namespace adze::reference
