// Operators of the com.microsoft domain that exported models use. Families
// that ONNX has as well stand in their own files.
#include "passes/Import/Constants.h"
#include "passes/Import/Windows.h"

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;

/// The activation named by the attribute, with its parameters.
static Value activated(NodeBuilder &nb, Value x) {
  StringRef name = nb.strAttr("activation");
  SmallVector<float> params = nb.floatsAttr("activation_params").value_or(SmallVector<float>());
  auto param = [&](size_t i, float otherwise) { return i < params.size() ? params[i] : otherwise; };
  if (!x || name.empty()) return x;
  Value zero = nb.splat(nb.element(x), 0);
  if (name == "Relu") return nb.max(x, zero);
  if (name == "Sigmoid") return nb.ew(Fn::Sigmoid, x);
  if (name == "Tanh") return nb.ew(Fn::Tanh, x);
  if (name == "LeakyRelu")
    return nb.select(nb.ew(Fn::Less, {x, zero}), nb.mulS(x, param(0, 0.01f)), x);
  if (name == "Clip")
    return nb.min(nb.max(x, nb.splat(nb.element(x), param(0, -3.4e38f))),
                  nb.splat(nb.element(x), param(1, 3.4e38f)));
  if (name == "HardSigmoid") {
    Value y = nb.addS(nb.mulS(x, param(0, 0.2f)), param(1, 0.5f));
    return nb.min(nb.max(y, zero), nb.splat(nb.element(x), 1));
  }
  return nb.unsupported("it fuses the activation " + name);
}

/// activation(conv(x, w, b) + z)
static Values convertFusedConv(NodeBuilder &nb) {
  Value x = nb.in(0);
  Value y = buildConv(nb, x, nb.in(1), nb.optional(2), nb.splat(nb.element(x), 0));
  if (nb.has(3)) y = nb.add(y, nb.in(3));
  return {activated(nb, y)};
}

static Values convertFusedGemm(NodeBuilder &nb) {
  Value a = nb.in(0), b = nb.in(1);
  Value y = nb.matmul(a, b, nb.boolAttr("transA"), nb.boolAttr("transB"));
  if (!y) return {y};
  double alpha = nb.floatAttr("alpha", 1), beta = nb.floatAttr("beta", 1);
  if (alpha != 1) y = nb.mulS(y, alpha);
  if (nb.has(2)) y = nb.add(y, beta == 1 ? nb.in(2) : nb.mulS(nb.in(2), beta));
  return {activated(nb, y)};
}

/// Bytes [..., n] as their halves [..., 2n], the low one first.
static Value nibbles(NodeBuilder &nb, Value bytes) {
  if (!bytes) return bytes;
  int64_t r = nb.rank(bytes);
  Type u8 = nb.element(bytes);
  Value low = nb.ew(Fn::BitwiseAnd, {bytes, nb.scalarInt(u8, 15)});
  Value high = nb.ew(Fn::ShiftRight, {bytes, nb.scalarInt(u8, 4)});
  Value both = nb.concat({nb.unsqueeze(low, {r}), nb.unsqueeze(high, {r})}, r);
  return nb.reshape(both, nb.join({nb.dims(bytes, 0, r - 1), nb.ints({-1})}));
}

/// a [..., K] times the dequantized weight: b [N, K / block, bytes], one scale
/// and zero point a block.
static Values convertMatMulNBits(NodeBuilder &nb) {
  int64_t bits = nb.intAttr("bits", 4), k = nb.intAttr("K"), n = nb.intAttr("N");
  int64_t block = nb.intAttr("block_size");
  if (bits != 4 && bits != 8) return {nb.unsupported("its weight has " + Twine(bits) + " bits")};
  if (k < 1 || n < 1 || block < 1) return {nb.invalid("K, N and block_size must be positive")};
  if (nb.has(4)) return {nb.unsupported("it reorders its groups by g_idx")};
  int64_t blocks = (k + block - 1) / block;
  Value a = nb.in(0), bytes = nb.in(1), scales = nb.in(2);
  if (!a || !bytes || !scales) return {Value()};
  Type type = nb.element(scales);
  Value q = bits == 4 ? nibbles(nb, bytes) : bytes;
  q = nb.reshape(nb.cast(q, type), {n, blocks, block});
  Value point = nb.splat(type, bits == 4 ? 8 : 128);
  if (nb.has(3)) {
    Value packed = nb.in(3);
    if (isa<FloatType>(nb.element(packed))) {
      point = nb.reshape(nb.cast(packed, type), {n, blocks, 1});
    } else {
      packed = nb.reshape(packed, {n, -1});
      Value points = nb.slice(bits == 4 ? nibbles(nb, packed) : packed, 1, 0, blocks);
      point = nb.reshape(nb.cast(points, type), {n, blocks, 1});
    }
  }
  Value w = nb.mul(nb.sub(q, point), nb.reshape(scales, {n, blocks, 1}));
  w = nb.reshape(w, {n, blocks * block});
  if (blocks * block != k) w = nb.slice(w, 1, 0, k);
  Value y = nb.matmul(a, nb.cast(w, nb.element(a)), false, true);
  return {nb.has(5) ? nb.add(y, nb.in(5)) : y};
}

void populateMicrosoft(OpTable &t) {
  t.push_back({"com.microsoft", "FusedConv", 1, 0, kFloats, convertFusedConv});
  t.push_back({"com.microsoft", "FusedGemm", 1, 0, kFloats, convertFusedGemm});
  t.push_back({"com.microsoft", "MatMulNBits", 1, 0, kFloats, convertMatMulNBits});
}

}  // namespace adze::convert
