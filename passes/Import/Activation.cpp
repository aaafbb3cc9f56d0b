// Activations, composed from scalar functions.
#include "passes/Import/NodeBuilder.h"

#include <cmath>

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;

static Value zeroLike(NodeBuilder &nb, Value x) { return nb.splat(nb.element(x), 0); }
static Value lessThan0(NodeBuilder &nb, Value x) { return nb.ew(Fn::Less, {x, zeroLike(nb, x)}); }

static Values convertRelu(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {nb.max(x, zeroLike(nb, x))};
}

static Values convertLeakyRelu(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {nb.select(lessThan0(nb, x), nb.mulS(x, nb.floatAttr("alpha", 0.01)), x)};
}

static Values convertPRelu(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {nb.select(lessThan0(nb, x), nb.mul(x, nb.in(1)), x)};
}

static Values convertThresholdedRelu(NodeBuilder &nb) {
  Value x = nb.in(0), alpha = nb.splat(nb.element(x), nb.floatAttr("alpha", 1));
  return {nb.select(nb.ew(Fn::Greater, {x, alpha}), x, zeroLike(nb, x))};
}

/// alpha * (exp(x / scale) - 1)
static Value expMinus1(NodeBuilder &nb, Value x, double alpha, double scale = 1) {
  Value y = scale == 1 ? x : nb.mulS(x, 1 / scale);
  return nb.mulS(nb.addS(nb.ew(Fn::Exp, y), -1), alpha);
}

static Values convertElu(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {nb.select(lessThan0(nb, x), expMinus1(nb, x, nb.floatAttr("alpha", 1)), x)};
}

/// max(0, x) + min(0, alpha * (exp(x / alpha) - 1))
static Values convertCelu(NodeBuilder &nb) {
  Value x = nb.in(0), zero = zeroLike(nb, x);
  double alpha = nb.floatAttr("alpha", 1);
  if (alpha == 0) return {nb.invalid("alpha is 0")};
  return {nb.add(nb.max(x, zero), nb.min(expMinus1(nb, x, alpha, alpha), zero))};
}

static Values convertSelu(NodeBuilder &nb) {
  Value x = nb.in(0);
  double alpha = nb.floatAttr("alpha", 1.67326319217681884765625);
  double gamma = nb.floatAttr("gamma", 1.05070102214813232421875);
  return {nb.mulS(nb.select(nb.ew(Fn::Greater, {x, zeroLike(nb, x)}), x, expMinus1(nb, x, alpha)),
                  gamma)};
}

static Value hardSigmoid(NodeBuilder &nb, Value x, double alpha, double beta) {
  if (!x) return x;
  Value y = nb.addS(nb.mulS(x, alpha), beta);
  return nb.min(nb.max(y, zeroLike(nb, x)), nb.splat(nb.element(x), 1));
}

static Values convertHardSigmoid(NodeBuilder &nb) {
  return {hardSigmoid(nb, nb.in(0), nb.floatAttr("alpha", 0.2), nb.floatAttr("beta", 0.5))};
}

static Values convertHardSwish(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {nb.mul(x, hardSigmoid(nb, x, 1.0 / 6.0, 0.5))};
}

/// max(x, 0) + log(1 + exp(-|x|)): no overflow for large x.
static Value softplus(NodeBuilder &nb, Value x) {
  if (!x) return x;
  Value e = nb.ew(Fn::Exp, nb.ew(Fn::Neg, nb.ew(Fn::Abs, x)));
  return nb.add(nb.max(x, zeroLike(nb, x)), nb.ew(Fn::Log, nb.addS(e, 1)));
}

static Values convertSoftplus(NodeBuilder &nb) { return {softplus(nb, nb.in(0))}; }

static Values convertMish(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {nb.mul(x, nb.ew(Fn::Tanh, softplus(nb, x)))};
}

static Values convertSoftsign(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {nb.div(x, nb.addS(nb.ew(Fn::Abs, x), 1))};
}

static Values convertSwish(NodeBuilder &nb) {
  Value x = nb.in(0);
  double alpha = nb.floatAttr("alpha", 1);
  return {nb.mul(x, nb.ew(Fn::Sigmoid, alpha == 1 ? x : nb.mulS(x, alpha)))};
}

static Values convertShrink(NodeBuilder &nb) {
  Value x = nb.in(0);
  if (!x) return {x};
  double lambd = nb.floatAttr("lambd", 0.5), bias = nb.floatAttr("bias", 0);
  Value below = nb.ew(Fn::Less, {x, nb.splat(nb.element(x), -lambd)});
  Value above = nb.ew(Fn::Greater, {x, nb.splat(nb.element(x), lambd)});
  Value rest = nb.select(above, nb.addS(x, -bias), zeroLike(nb, x));
  return {nb.select(below, nb.addS(x, bias), rest)};
}

static Value geluErf(NodeBuilder &nb, Value x) {
  Value e = nb.ew(Fn::Erf, nb.mulS(x, std::sqrt(0.5)));
  return nb.mul(nb.mulS(x, 0.5), nb.addS(e, 1));
}

static Value geluTanh(NodeBuilder &nb, Value x) {
  if (!x) return x;
  Value cube = nb.mul(nb.mul(x, x), x);
  Value inner = nb.mulS(nb.add(x, nb.mulS(cube, 0.044715)), std::sqrt(2 / M_PI));
  return nb.mul(nb.mulS(x, 0.5), nb.addS(nb.ew(Fn::Tanh, inner), 1));
}

static Values convertGelu(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {nb.strAttr("approximate", "none") == "tanh" ? geluTanh(nb, x) : geluErf(nb, x)};
}

static Value plusBias(NodeBuilder &nb) {
  return nb.has(1) ? nb.add(nb.in(0), nb.in(1)) : nb.in(0);
}
static Values convertBiasGelu(NodeBuilder &nb) { return {geluErf(nb, plusBias(nb))}; }
static Values convertFastGelu(NodeBuilder &nb) { return {geluTanh(nb, plusBias(nb))}; }
static Values convertQuickGelu(NodeBuilder &nb) {
  Value x = nb.in(0);
  return {nb.mul(x, nb.ew(Fn::Sigmoid, nb.mulS(x, nb.floatAttr("alpha", 1.702))))};
}

void populateActivation(OpTable &t) {
  t.push_back({"", "Relu", 1, 0, kNumbers, convertRelu});
  t.push_back({"", "LeakyRelu", 1, 0, kFloats, convertLeakyRelu});
  t.push_back({"", "PRelu", 7, 0, kNumbers, convertPRelu});
  t.push_back({"", "ThresholdedRelu", 10, 0, kFloats, convertThresholdedRelu});
  t.push_back({"", "Elu", 1, 0, kFloats, convertElu});
  t.push_back({"", "Celu", 12, 0, kFloats, convertCelu});
  t.push_back({"", "Selu", 1, 0, kFloats, convertSelu});
  t.push_back({"", "HardSigmoid", 1, 0, kFloats, convertHardSigmoid});
  t.push_back({"", "HardSwish", 14, 0, kFloats, convertHardSwish});
  t.push_back({"", "Softplus", 1, 0, kFloats, convertSoftplus});
  t.push_back({"", "Softsign", 1, 0, kFloats, convertSoftsign});
  t.push_back({"", "Mish", 18, 0, kFloats, convertMish});
  t.push_back({"", "Swish", 24, 0, kFloats, convertSwish});
  t.push_back({"", "Shrink", 9, 0, kNumbers, convertShrink});
  t.push_back({"", "Gelu", 20, 0, kFloats, convertGelu});
  t.push_back({"com.microsoft", "Gelu", 1, 0, kFloats, convertGelu});
  t.push_back({"com.microsoft", "BiasGelu", 1, 0, kFloats, convertBiasGelu});
  t.push_back({"com.microsoft", "FastGelu", 1, 0, kFloats, convertFastGelu});
  t.push_back({"com.microsoft", "QuickGelu", 1, 0, kFloats, convertQuickGelu});
}

}  // namespace adze::convert
