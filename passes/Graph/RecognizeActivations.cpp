// adze-recognize-activations
#include "passes/Graph/ConstantQueries.h"
#include "passes/Graph/Passes.h"
#include "passes/Graph/Rewrite.h"

#include <cmath>

using namespace mlir;
using namespace adze::graph;

namespace adze {
#define GEN_PASS_DEF_RECOGNIZEACTIVATIONS
#include "passes/Graph/Passes.h.inc"

namespace {

using Fn = ElementwiseFn;

/// The value of a constant with one element.
std::optional<double> numberOf(Value v) {
  auto type = cast<RankedTensorType>(v.getType());
  return type.hasStaticShape() && type.getNumElements() == 1 ? splatValue(v) : std::nullopt;
}

/// A product of values and one number.
struct Product {
  SmallVector<Value> factors;
  double number = 1;
  SmallVector<Operation *> ops;  ///< that multiply
};

/// Takes apart multiplications and divisions by numbers, as far as nothing else
/// uses what is in between.
void addFactors(Value v, Product &product, bool root) {
  constexpr size_t kMostOps = 8;
  if (std::optional<double> c = numberOf(v)) {
    product.number *= *c;
    return;
  }
  auto op = v.getDefiningOp<ElementwiseOp>();
  bool inner = op && (root || v.hasOneUse()) && product.ops.size() < kMostOps;
  bool scales = inner && op.getFn() == Fn::Div && numberOf(op.getArgs()[1]).value_or(0) != 0;
  if (!scales && !(inner && op.getFn() == Fn::Mul)) {
    product.factors.push_back(v);
    return;
  }
  product.ops.push_back(op);
  addFactors(op.getArgs()[0], product, false);
  if (scales) product.number /= *numberOf(op.getArgs()[1]);
  else addFactors(op.getArgs()[1], product, false);
}

Product productOf(Value v) {
  Product product;
  addFactors(v, product, true);
  return product;
}

/// `number` is 1 but for what rounding a constant to f32 costs.
bool isOne(double number) { return std::abs(number - 1) < 0x1p-22; }

/// f32 has the number, with room for products by it.
bool isModest(double number) { return std::abs(number) <= 0x1p100; }

/// v = x + c: x; null if it is not.
Value addendOf(Value v, double c) {
  ElementwiseOp add = elementwise(v, Fn::Add);
  if (!add) return {};
  for (unsigned i : {0, 1})
    if (numberOf(add.getArgs()[i]) == c) return add.getArgs()[1 - i];
  return {};
}

/// v = max(x, c) or min(x, c): x.
Value limitedBy(Value v, Fn fn, double c) {
  ElementwiseOp limit = elementwise(v, fn);
  if (!limit) return {};
  for (unsigned i : {0, 1})
    if (numberOf(limit.getArgs()[i]) == c) return limit.getArgs()[1 - i];
  return {};
}

/// x of clip(x + 3, 0, 6).
Value hardSigmoidOf(Value v) {
  Value low = limitedBy(v, Fn::Min, 6), x = low ? limitedBy(low, Fn::Max, 0) : Value();
  if (!x && (low = limitedBy(v, Fn::Max, 0))) x = limitedBy(low, Fn::Min, 6);
  return x ? addendOf(x, 3) : Value();
}

/// Builds at an op, which the result replaces.
class Writer {
 public:
  Writer(ElementwiseOp root, ArrayRef<Operation *> parts)
      : b(root), loc(fusedLocation(root, parts)), type(root.getType()) {}

  Value number(double v) {
    auto scalar = RankedTensorType::get({}, type.getElementType());
    return ConstantOp::create(b, loc, cast<ElementsAttr>(DenseElementsAttr::get(
                                          scalar, b.getFloatAttr(type.getElementType(), v))));
  }
  Value apply(Fn fn, ValueRange args) { return ElementwiseOp::create(b, loc, type, fn, args); }
  Value times(Value x, double c) { return isOne(c) ? x : apply(Fn::Mul, {x, number(c)}); }

 private:
  OpBuilder b;
  Location loc;
  RankedTensorType type;
};

/// A division is among the ops.
bool divides(const Product &product) {
  return llvm::any_of(product.ops, [](Operation *op) { return cast<ElementwiseOp>(op).getFn() == Fn::Div; });
}

/// x * clip(x + 3, 0, 6) / 6 -> x * (clip(x + 3, 0, 6) * (1 / 6)), and without
/// the x, a hard sigmoid, likewise.
Value hardSwish(ElementwiseOp op, const Product &product) {
  if (!divides(product) || !isOne(product.number * 6)) return {};
  for (Value factor : product.factors) {
    Value x = hardSigmoidOf(factor);
    bool alone = product.factors.size() == 1;
    bool pair = product.factors.size() == 2 && llvm::is_contained(product.factors, x);
    if (!x || factor.getType() != op.getType() || !(alone || pair)) continue;
    Writer w(op, product.ops);
    Value gate = w.apply(Fn::Mul, {factor, w.number(1.0 / 6)});
    return alone ? gate : w.apply(Fn::Mul, {x, gate});
  }
  return {};
}

/// x + a x^3 times k, of z: k and a; x must be known.
struct Cubic {
  double k = 0, a = 0;
};

std::optional<double> cubeOf(Value v, Value x) {
  Product product = productOf(v);
  unsigned power = 0;
  for (Value f : product.factors) {
    ElementwiseOp pow = elementwise(f, Fn::Pow);
    if (f == x) ++power;
    else if (pow && pow.getArgs()[0] == x && numberOf(pow.getArgs()[1]) == 3.0) power += 3;
    else if (pow && pow.getArgs()[0] == x && numberOf(pow.getArgs()[1]) == 2.0) power += 2;
    else return std::nullopt;
  }
  return power == 3 ? std::optional(product.number) : std::nullopt;
}

std::optional<Cubic> cubicOf(Value z, Value x) {
  Product product = productOf(z);
  if (product.factors.size() != 1) return std::nullopt;
  ElementwiseOp add = elementwise(product.factors[0], Fn::Add);
  if (!add) return std::nullopt;
  for (unsigned i : {0, 1})
    if (add.getArgs()[i] == x)
      if (auto a = cubeOf(add.getArgs()[1 - i], x)) return Cubic{product.number, *a};
  return std::nullopt;
}

/// GELU, c * x * (1 + tanh(k (x + a x^3))) -> 2c * x * sigmoid(x * (2k + 2ka x^2)):
/// 1 + tanh(z) is 2 sigmoid(2z), and does not cancel.
Value tanhGelu(ElementwiseOp op, const Product &product, Value x, Value gate) {
  ElementwiseOp tanh = elementwise(gate, Fn::Tanh);
  std::optional<Cubic> cubic = tanh ? cubicOf(tanh.getArgs()[0], x) : std::nullopt;
  if (!cubic || !isModest(cubic->k) || !isModest(cubic->k * cubic->a) || !isModest(product.number))
    return {};
  Writer w(op, opsBetween(op, x));
  Value square = w.times(w.apply(Fn::Mul, {x, x}), 2 * cubic->k * cubic->a);
  Value z = w.apply(Fn::Mul, {x, w.apply(Fn::Add, {square, w.number(2 * cubic->k)})});
  Value y = w.apply(Fn::Mul, {x, w.apply(Fn::Sigmoid, {z})});
  return w.times(y, 2 * product.number);
}

/// GELU, c * x * (1 + erf(x / s)) -> (c x) * (1 + erf(x * (1 / s)))
Value erfGelu(ElementwiseOp op, const Product &product, Value x, Value gate) {
  ElementwiseOp erf = elementwise(gate, Fn::Erf);
  if (!erf) return {};
  Product inner = productOf(erf.getArgs()[0]);
  if (inner.factors != SmallVector<Value>{x} || !(divides(inner) || divides(product)) ||
      !isModest(inner.number) || !isModest(product.number))
    return {};
  Writer w(op, opsBetween(op, x));
  Value e = w.apply(Fn::Erf, {w.times(x, inner.number)});
  return w.apply(Fn::Mul, {w.times(x, product.number), w.apply(Fn::Add, {e, w.number(1)})});
}

Value gelu(ElementwiseOp op, const Product &product) {
  if (product.factors.size() != 2) return {};
  for (unsigned i : {0, 1}) {
    Value x = product.factors[i], sum = product.factors[1 - i], gate = addendOf(sum, 1);
    if (!gate || !sum.hasOneUse() || x.getType() != op.getType()) continue;
    if (Value v = tanhGelu(op, product, x, gate)) return v;
    if (Value v = erfGelu(op, product, x, gate)) return v;
  }
  return {};
}

/// n / (1 + exp(-x)) -> sigmoid(x) for n = 1, else n * sigmoid(x): SiLU for n = x.
Value logistic(ElementwiseOp op) {
  if (op.getFn() != Fn::Div) return {};
  Value sum = addendOf(op.getArgs()[1], 1);
  ElementwiseOp exp = sum ? elementwise(sum, Fn::Exp) : ElementwiseOp();
  if (!exp) return {};
  Value minus = exp.getArgs()[0], x;
  if (ElementwiseOp neg = elementwise(minus, Fn::Neg)) x = neg.getArgs()[0];
  if (!x || x.getType() != op.getType()) return {};
  Value n = op.getArgs()[0];
  Writer w(op, opsBetween(op, {x, n}));
  Value gate = w.apply(Fn::Sigmoid, {x});
  return numberOf(n) == 1.0 ? gate : w.apply(Fn::Mul, {n, gate});
}

struct RecognizeActivationsPass : public impl::RecognizeActivationsBase<RecognizeActivationsPass> {
  void runOnOperation() override {
    SmallVector<ElementwiseOp> ops;
    getOperation()->walk([&](ElementwiseOp op) { ops.push_back(op); });
    SmallVector<Operation *> dead;
    llvm::SmallPtrSet<Operation *, 16> inner;
    // The whole of a product comes before its parts.
    for (ElementwiseOp op : llvm::reverse(ops)) {
      bool multiplies = op.getFn() == Fn::Mul || op.getFn() == Fn::Div;
      // Half precision would round the new constants too far, f64 asks for more of
      // the old ones than exporters write.
      if (!getElementTypeOrSelf(op.getType()).isF32() || !multiplies || inner.contains(op)) continue;
      Product product = productOf(op.getResult());
      Value v = replacement(op, product);
      if (!v) continue;
      op.getResult().replaceAllUsesWith(v);
      inner.insert(product.ops.begin(), product.ops.end());
      dead.push_back(op);
      ++numFound;
    }
    eraseChains(dead);
  }

  static Value replacement(ElementwiseOp op, const Product &product) {
    if (Value v = logistic(op)) return v;
    if (Value v = hardSwish(op, product)) return v;
    return gelu(op, product);
  }
};

}  // namespace
}  // namespace adze
