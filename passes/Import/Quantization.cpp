// Quantization, and operators on quantized integers.
#include "passes/Import/NodeBuilder.h"
#include "passes/Import/Windows.h"

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;
using graph::ReduceKind;

namespace {
struct Scale {
  Value scale, zeroPoint;
  int64_t axis = 0, blockSize = 0;
};
}  // namespace

/// Scale and zero point as adze.quantize takes them; `type` is that of a zero
/// point which is not given.
static Scale readScale(NodeBuilder &nb, Value x, Value scale, Value zeroPoint, Type type) {
  if (!x || !scale) return {};
  Scale s{scale, zeroPoint, 0, nb.intAttr("block_size")};
  bool single = nb.type(scale).getShape() == ArrayRef<int64_t>{1};
  if (s.blockSize == 0 && (single || nb.rank(scale) == 0)) {
    s.scale = nb.scalar(scale), s.zeroPoint = zeroPoint ? nb.scalar(zeroPoint) : Value();
  } else if (nb.rank(scale) != 0) {
    s.axis = nb.axis(nb.intAttr("axis", 1), nb.rank(x));
  }
  if (!s.zeroPoint)
    s.zeroPoint = nb.expand(nb.splat(type, 0), nb.shapeOf(s.scale));
  return s;
}

static Values convertQuantizeLinear(NodeBuilder &nb) {
  Value x = nb.in(0), zeroPoint = nb.optional(2);
  Type type = nb.b.getIntegerType(8, false);
  if (zeroPoint) type = nb.element(zeroPoint);
  else if (int64_t wanted = nb.intAttr("output_dtype")) type = nb.dtype(wanted);
  Scale s = readScale(nb, x, nb.in(1), zeroPoint, type);
  if (!x || !s.scale) return {Value()};
  if (isa<IntegerType>(nb.element(x)) && !nb.element(x).isInteger(32)) x = nb.cast(x, nb.f32());
  return {nb.quantize(x, s.scale, s.zeroPoint, s.axis, s.blockSize,
                      nb.boolAttr("saturate", true))};
}

static Values convertDequantizeLinear(NodeBuilder &nb) {
  Value x = nb.in(0);
  Scale s = readScale(nb, x, nb.in(1), nb.optional(2), nb.element(x));
  if (!s.scale) return {Value()};
  Value y = nb.dequantize(x, s.scale, s.zeroPoint, s.axis, s.blockSize);
  if (int64_t wanted = nb.intAttr("output_dtype")) y = nb.cast(y, nb.dtype(wanted));
  return {y};
}

/// Range with 0 inside to 255 steps; the zero point rounds half to even.
static Values convertDynamicQuantizeLinear(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  Ints all = iota(nb.rank(x));
  Value zero = nb.splat(nb.f32(), 0), top = nb.splat(nb.f32(), 255);
  Value low = nb.min(nb.reduce(x, ReduceKind::Min, all, false), zero);
  Value high = nb.max(nb.reduce(x, ReduceKind::Max, all, false), zero);
  Value scale = nb.div(nb.sub(high, low), top);
  // All zeros: any scale will do, but 0 / 0 will not.
  scale = nb.select(nb.ew(Fn::Equal, {scale, zero}), nb.splat(nb.f32(), 1), scale);
  Value point = nb.ew(Fn::RoundEven, nb.div(nb.ew(Fn::Neg, low), scale));
  point = nb.cast(nb.min(nb.max(point, zero), top), nb.b.getIntegerType(8, false));
  return {nb.quantize(x, scale, point), scale, point};
}

//===-- Integer products ---------------------------------------------------===//

static Type i32(NodeBuilder &nb) { return nb.b.getI32Type(); }

/// x - zero point in i32; `behind` axes of one follow a zero point of rank 1.
static Value centred(NodeBuilder &nb, Value x, Value zeroPoint, int64_t behind) {
  Value wide = nb.cast(x, i32(nb));
  if (!zeroPoint || !wide) return wide;
  Value point = nb.cast(zeroPoint, i32(nb));
  if (nb.rank(point) == 1) {
    Ints axes;
    for (int64_t i = 0; i < behind; ++i) axes.push_back(1 + i);
    point = nb.extent(point, 0) == 1 ? nb.scalar(point) : nb.unsqueeze(point, axes);
  }
  return nb.sub(wide, point);
}

/// Absent, or a constant of zeros.
static bool isZero(Value zeroPoint) {
  if (!zeroPoint) return true;
  auto values = graph::constantInts(zeroPoint);
  return values && llvm::all_of(*values, [](int64_t v) { return v == 0; });
}

static Value integerMatMul(NodeBuilder &nb, Value a, Value aPoint, Value b, Value bPoint) {
  if (!a || !b) return {};
  if (nb.rank(a) < 2 || nb.rank(b) < 2) return nb.unsupported("an operand has rank 1");
  if (isZero(aPoint) && isZero(bPoint)) return nb.matmul(a, b, false, false, i32(nb));
  // a's points are one a row, b's one a column.
  return nb.matmul(centred(nb, a, aPoint, 1), centred(nb, b, bPoint, 0), false, false, i32(nb));
}

static Values convertMatMulInteger(NodeBuilder &nb) {
  return {integerMatMul(nb, nb.in(0), nb.optional(2), nb.in(1), nb.optional(3))};
}

static Value integerConv(NodeBuilder &nb, Value x, Value xPoint, Value w, Value wPoint,
                         Value bias) {
  if (!x || !w) return {};
  // The padding stands for x's zero point, which is 0 once it is subtracted.
  return buildConv(nb, centred(nb, x, xPoint, 0), centred(nb, w, wPoint, nb.rank(w) - 1), bias,
                   nb.scalarInt(i32(nb), 0), i32(nb));
}

static Values convertConvInteger(NodeBuilder &nb) {
  return {integerConv(nb, nb.in(0), nb.optional(2), nb.in(1), nb.optional(3), Value())};
}

/// The i32 accumulator times both scales, quantized to y's.
static Value requantize(NodeBuilder &nb, Value acc, Value scale, Value yScale, Value yPoint) {
  if (!acc || !yScale || !yPoint) return {};
  Value real = nb.mul(nb.cast(acc, nb.f32()), nb.cast(scale, nb.f32()));
  return nb.quantize(real, nb.cast(nb.scalar(yScale), nb.f32()), nb.scalar(yPoint));
}

static Value scalarIfOne(NodeBuilder &nb, Value v) {
  return v && nb.rank(v) == 1 && nb.extent(v, 0) == 1 ? nb.scalar(v) : v;
}

static Values convertQLinearMatMul(NodeBuilder &nb) {
  Value aScale = scalarIfOne(nb, nb.in(1)), bScale = scalarIfOne(nb, nb.in(4));
  Value acc = integerMatMul(nb, nb.in(0), nb.in(2), nb.in(3), nb.in(5));
  if (!aScale || !bScale) return {Value()};
  if (nb.rank(aScale) == 1) aScale = nb.unsqueeze(aScale, {1});
  return {requantize(nb, acc, nb.mul(aScale, bScale), nb.in(6), nb.in(7))};
}

static Values convertQLinearConv(NodeBuilder &nb) {
  Value wScale = scalarIfOne(nb, nb.in(4)), xScale = nb.in(1);
  Value acc = integerConv(nb, nb.in(0), nb.in(2), nb.in(3), nb.in(5), nb.optional(8));
  if (!acc || !wScale || !xScale) return {Value()};
  if (nb.rank(wScale) == 1) {
    Ints behind;
    for (int64_t i = 0; i < nb.rank(acc) - 2; ++i) behind.push_back(1 + i);
    wScale = nb.unsqueeze(wScale, behind);
  }
  return {requantize(nb, acc, nb.mul(nb.scalar(xScale), wScale), nb.in(6), nb.in(7))};
}

//===-- com.microsoft ------------------------------------------------------===//

static Value dequantizedInput(NodeBuilder &nb, unsigned at) {
  Value x = nb.in(at);
  Scale s = readScale(nb, x, nb.in(at + 1), nb.optional(at + 2), nb.element(x));
  return s.scale ? nb.dequantize(x, s.scale, s.zeroPoint, s.axis) : Value();
}

static Value quantizedOutput(NodeBuilder &nb, Value y, unsigned at, Type type) {
  Scale s = readScale(nb, y, nb.in(at), nb.optional(at + 1), type);
  return s.scale ? nb.quantize(y, s.scale, s.zeroPoint, s.axis) : Value();
}

template <Fn fn>
static Values convertQLinearBinary(NodeBuilder &nb) {
  Value y = nb.ew(fn, {dequantizedInput(nb, 0), dequantizedInput(nb, 3)});
  return {quantizedOutput(nb, y, 6, nb.element(nb.in(0)))};
}

static Values convertQLinearSigmoid(NodeBuilder &nb) {
  Value y = nb.ew(Fn::Sigmoid, dequantizedInput(nb, 0));
  return {quantizedOutput(nb, y, 3, nb.element(nb.in(0)))};
}

static Values convertQLinearLeakyRelu(NodeBuilder &nb) {
  Value x = dequantizedInput(nb, 0);
  if (!x) return {x};
  Value y = nb.select(nb.ew(Fn::Less, {x, nb.splat(nb.element(x), 0)}),
                      nb.mulS(x, nb.floatAttr("alpha", 0.01)), x);
  return {quantizedOutput(nb, y, 3, nb.element(nb.in(0)))};
}

static Values convertQLinearGlobalAveragePool(NodeBuilder &nb) {
  Value x = dequantizedInput(nb, 0);
  if (!x) return {x};
  bool last = nb.boolAttr("channels_last");
  Ints axes = otherAxes(last ? Ints{0, nb.rank(x) - 1} : Ints{0, 1}, nb.rank(x));
  return {quantizedOutput(nb, nb.reduce(x, ReduceKind::Mean, axes), 3, nb.element(nb.in(0)))};
}

/// y scale and point, then (tensor, scale, point) for each input.
static Values convertQLinearConcat(NodeBuilder &nb) {
  SmallVector<Value> xs;
  for (unsigned i = 2; i + 2 < nb.inputs.size(); i += 3) xs.push_back(dequantizedInput(nb, i));
  if (xs.empty() || !xs.front()) return {nb.invalid("it has no inputs")};
  Value y = nb.concat(xs, nb.axis(nb.intAttr("axis"), nb.rank(xs.front())));
  return {quantizedOutput(nb, y, 0, nb.element(nb.in(2)))};
}

void populateQuantization(OpTable &t) {
  const uint32_t bytes = kI8 | kU8;
  for (const char *domain : {"", "com.microsoft"}) {
    int64_t first = *domain ? 1 : 10;
    t.push_back({domain, "QuantizeLinear", first, 0, kFloats | kI32, convertQuantizeLinear});
    t.push_back({domain, "DequantizeLinear", first, 0, kQuantized, convertDequantizeLinear});
  }
  t.push_back({"", "DynamicQuantizeLinear", 11, 0, kF32, convertDynamicQuantizeLinear});
  t.push_back({"", "MatMulInteger", 10, 0, bytes, convertMatMulInteger});
  t.push_back({"", "ConvInteger", 10, 0, bytes, convertConvInteger});
  t.push_back({"", "QLinearMatMul", 10, 0, bytes, convertQLinearMatMul});
  t.push_back({"", "QLinearConv", 10, 0, bytes, convertQLinearConv});
  t.push_back({"com.microsoft", "QLinearAdd", 1, 0, bytes, convertQLinearBinary<Fn::Add>});
  t.push_back({"com.microsoft", "QLinearMul", 1, 0, bytes, convertQLinearBinary<Fn::Mul>});
  t.push_back({"com.microsoft", "QLinearSigmoid", 1, 0, bytes, convertQLinearSigmoid});
  t.push_back({"com.microsoft", "QLinearLeakyRelu", 1, 0, bytes, convertQLinearLeakyRelu});
  t.push_back({"com.microsoft", "QLinearGlobalAveragePool", 1, 0, bytes,
               convertQLinearGlobalAveragePool});
  t.push_back({"com.microsoft", "QLinearConcat", 1, 0, kF32, convertQLinearConcat});
}

}  // namespace adze::convert
