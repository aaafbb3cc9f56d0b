#include "lib/Reference/ErrorBound.h"

#include "dialects/Graph/Graph.h"
#include "lib/Reference/Call.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace adze::reference {

using namespace graph;

double magnitudeOf(const Tensor &t) {
  double largest = 0;
  for (double v : toDoubles(t)) {
    if (!std::isfinite(v)) return INFINITY;
    largest = std::max(largest, std::fabs(v));
  }
  return largest;
}

static double epsilonOf(Type t) {
  return t.isF64() ? 0x1p-52 : t.isF16() ? 0x1p-10 : t.isBF16() ? 0x1p-7 : 0x1p-23;
}

/// Least distance between two numbers: relative rounding ends there. Only f16's
/// denormals are near the values of these programs.
static double leastStepOf(Type t) { return t.isF16() ? 0x1p-24 : 0; }

namespace {
/// What the bounds are made of, for one op.
struct Terms {
  Operation *op;
  ArrayRef<Known> ins;
  const Tensor &out;
  double epsilon;    ///< of the result's type
  double m, e;       ///< largest magnitude and error of the float operands
  double result;     ///< magnitude of the result
  double rounding;   ///< of one step at the result
  double sums;       ///< relative, of one step of a sum

  double mag(unsigned i) const { return magnitudeOf(ins[i].tensor); }
  /// The least that compiled code may have where the reference has ins[i].
  double least(unsigned i, bool magnitude) const {
    double low = INFINITY;
    for (double v : toDoubles(ins[i].tensor)) low = std::min(low, magnitude ? std::fabs(v) : v);
    return low - ins[i].error;
  }
  /// A sum of n products (or terms) each at most `term`, which err by `each`.
  double sum(double n, double term, double each) const {
    return n * each + n * term * sums * (2 + 3 * std::sqrt(n)) + rounding;
  }
};
}  // namespace

/// x ** y, whose exponent is a number of the graph: the relative error of the
/// base y times, and of the logarithm in exp(y log x).
static std::optional<double> power(const Terms &t) {
  if (t.ins[1].error != 0) return std::nullopt;
  double exponent = t.mag(1), low = t.least(0, /*magnitude=*/true);
  double far = std::max(std::fabs(std::log(t.mag(0))), std::fabs(std::log(std::max(low, 1e-30))));
  double own = (4 + 2 * exponent * far) * t.rounding;
  if (t.ins[0].error == 0) return own;
  // A square has no pole: |d(x ** y)| is at most y * m ** (y - 1).
  if (exponent >= 1 && t.least(1, false) >= 1)
    return exponent * std::pow(std::max(1.0, t.mag(0) + t.ins[0].error), exponent - 1) *
               t.ins[0].error + own;
  if (low <= 0) return std::nullopt;
  return t.result * std::expm1(exponent * t.ins[0].error / low) + own;
}

/// The operand's elements as those of a tensor of `shape`.
static std::vector<double> elements(const Known &k, ArrayRef<int64_t> shape) {
  return broadcastTo(toDoubles(k.tensor), k.tensor.shape(), shape);
}

/// Where a condition may go the other way, the branches are as far apart.
static double select(const Terms &t) {
  double apart = 0;
  ArrayRef<int64_t> shape = t.out.shape();
  if (!t.ins[0].unsure.empty()) {
    std::vector<int64_t> unsure = broadcastTo(t.ins[0].unsure, t.ins[0].tensor.shape(), shape);
    std::vector<double> a = elements(t.ins[1], shape), b = elements(t.ins[2], shape);
    for (size_t i = 0; i < a.size(); ++i)
      if (unsure[i]) apart = std::max(apart, std::fabs(a[i] - b[i]));
  }
  return t.e + apart;
}

/// How near an element is to a whole number plus `offset`.
static double nearest(const Terms &t, double offset) {
  if (t.e == 0) return INFINITY;
  double least = INFINITY;
  for (double v : toDoubles(t.ins[0].tensor))
    least = std::min(least, std::fabs(v - offset - std::round(v - offset)));
  return least;
}

static std::optional<double> elementwise(ElementwiseOp op, const Terms &t) {
  using Fn = ElementwiseFn;
  double e = t.e, own = t.rounding;
  auto since = [&](double low, auto slope) {
    return e == 0 ? std::optional(4 * own) : low <= 0 ? std::nullopt : std::optional(e * slope(low) + 4 * own);
  };
  switch (op.getFn()) {
    case Fn::Neg: case Fn::Abs: case Fn::Min: case Fn::Max: return e;
    case Fn::Select: return select(t);
    case Fn::Ceil: case Fn::Floor: return nearest(t, 0) > e ? std::optional(0.0) : std::nullopt;
    case Fn::RoundEven: return nearest(t, 0.5) > e ? std::optional(0.0) : std::nullopt;
    case Fn::Sign: return t.least(0, /*magnitude=*/true) > 0 ? std::optional(0.0) : std::nullopt;
    case Fn::Add: case Fn::Sub: return 2 * e + own;
    case Fn::Mul: return t.ins[0].error * t.mag(1) + t.ins[1].error * t.mag(0) +
                         t.ins[0].error * t.ins[1].error + own;
    case Fn::Tanh: case Fn::Sin: case Fn::Cos: case Fn::Atan: case Fn::Asinh: return e + 4 * own;
    // Made as 1/2 + r(x): its error does not shrink with it (docs/accuracy.md).
    case Fn::Sigmoid: return e + 4 * std::max(own, t.epsilon);
    case Fn::Erf: return 2 * e + 4 * own;
    case Fn::Exp: return t.result * std::expm1(e) + (4 + 2 * t.m) * own;
    case Fn::Sinh: case Fn::Cosh: return (t.result + 1) * std::expm1(e) + (4 + 2 * t.m) * own;
    case Fn::Sqrt: return since(t.least(0, false), [](double low) { return 0.5 / std::sqrt(low); });
    case Fn::Rsqrt: return since(t.least(0, false), [](double low) { return 0.5 * std::pow(low, -1.5); });
    case Fn::Log: return since(t.least(0, false), [](double low) { return 1 / low; });
    case Fn::Div: {
      if (t.ins[1].error == 0 && t.ins[0].error == 0) return own;
      double low = t.least(1, /*magnitude=*/true);
      if (low <= 0) return std::nullopt;
      return (t.ins[0].error + t.result * t.ins[1].error) / low + own;
    }
    case Fn::Pow: return power(t);
    default: return e == 0 ? std::optional(8 * own) : std::nullopt;
  }
}

static double numel(ArrayRef<int64_t> shape, ArrayRef<int64_t> axes) {
  double n = 1;
  for (int64_t a : axes) n *= double(shape[a]);
  return n;
}

/// The error of a float result.
static std::optional<double> errorOf(Operation *op, ArrayRef<Known> ins, const Tensor &out) {
  Terms t{op, ins, out, 0, 0, 0, 0, 0, 0};
  for (const Known &k : ins)
    if (isFloat(k.tensor.element()))
      t.m = std::max(t.m, magnitudeOf(k.tensor)), t.e = std::max(t.e, k.error);
  double epsilon = t.epsilon = epsilonOf(out.element());
  t.result = magnitudeOf(out);
  // Twice what one rounding may err by: the two programs round apart.
  t.rounding = std::max(epsilon * t.result, leastStepOf(out.element()));
  t.sums = std::min(epsilon, 0x1p-23);
  ArrayRef<int64_t> shape = ins.empty() ? ArrayRef<int64_t>() : ins[0].tensor.shape();
  using Result = std::optional<double>;
  return TypeSwitch<Operation *, Result>(op)
      .Case([&](ElementwiseOp e) { return elementwise(e, t); })
      .Case<CastOp, DequantizeOp>([&](Operation *) -> Result { return t.e + 2 * t.rounding; })
      .Case([&](ReduceOp r) -> Result {
        double n = numel(shape, r.getAxes());
        if (r.getKind() == ReduceKind::Max || r.getKind() == ReduceKind::Min) return t.e;
        if (r.getKind() == ReduceKind::Sum) return t.sum(n, t.m, t.e);
        if (r.getKind() == ReduceKind::Mean) return t.sum(n, t.m, t.e) / std::max(n, 1.0) + t.rounding;
        double most = std::pow(std::max(t.m, 1.0), n);
        return n * most * (t.e + t.sums) + t.rounding;
      })
      .Case([&](CumulativeOp c) -> Result {
        if (c.getKind() != ReduceKind::Sum) return std::nullopt;
        return t.sum(double(shape[c.getAxis()]), t.m, t.e + epsilon * t.result);
      })
      // The largest exponent is 0: the sum is at least 1.
      .Case([&](SoftmaxOp s) -> Result {
        double n = double(shape[s.getAxis()]), own = t.sums * (8 + 4 * t.m + 3 * std::sqrt(n));
        return 2 * t.e + own * std::max(1.0, t.result) + t.rounding;
      })
      .Case([&](NormalizeOp n) -> Result {
        double steep = 1 / std::sqrt(n.getEpsilon().convertToFloat()), affine = 1;
        if (n.getScale()) affine = t.mag(1);
        double terms = numel(shape, n.getAxes());
        double each = 2 * t.e + t.sums * (8 + 3 * std::sqrt(terms)) * (1 + t.m);
        return affine * each * steep * (2 + t.m * steep) + 2 * t.rounding;
      })
      .Case([&](MatmulOp m) -> Result {
        double k = double(shape[shape.size() - (m.getTransposeA() ? 2 : 1)]);
        double a = t.mag(0), b = t.mag(1);
        return t.sum(k, a * b, ins[0].error * b + ins[1].error * a + ins[0].error * ins[1].error);
      })
      .Case<ConvOp, ConvTransposeOp>([&](auto c) -> Result {
        double k = 1, b = t.mag(1);
        for (int64_t d : ins[1].tensor.shape()) k *= double(d);
        k /= double(ins[1].tensor.dim(std::is_same_v<decltype(c), ConvOp> ? 0 : 1));  // NCHW
        double bias = ins.size() > 2 ? ins[2].error + t.sums * t.mag(2) : 0;
        return t.sum(k, t.mag(0) * b, ins[0].error * b) + bias + t.rounding;
      })
      .Case([&](PoolOp p) -> Result {
        double n = 1;
        for (int64_t k : p.getKernel()) n *= double(k);
        return p.getKind() == PoolKind::Max ? t.e : t.sum(n, t.m, t.e) / n + t.rounding;
      })
      // Positions are computed in f32; a slope is at most 2m an element.
      .Case([&](ResizeOp r) -> Result {
        if (r.getMode() == "nearest") return t.e;
        double position = 0;
        for (int64_t d : shape) position += double(d);
        for (int64_t d : out.shape()) position += double(d);
        return 3 * t.e + 4 * t.m * 0x1p-23 * (4 + position) + 4 * t.rounding;
      })
      .Case<ScatterElementsOp, ScatterNDOp>([&](auto s) -> Result {
        double n = double(ins[2].tensor.size());
        if (s.getReduction() == ScatterReduction::Mul) return std::nullopt;
        return s.getReduction() == ScatterReduction::Add ? t.sum(n + 1, t.result, t.e) : t.e;
      })
      .Case<TransposeOp, ReshapeOp, ExpandOp, ConcatOp, SliceOp, PadOp, TileOp, GatherOp,
            GatherElementsOp, GatherNDOp, TriluOp, TopKOp, MaxPoolIndicesOp, ReverseSequenceOp,
            OneHotOp, ConstantOp>([&](Operation *) -> Result { return t.e; })
      .Default([&](Operation *) -> Result { return t.e == 0 ? Result(4 * t.rounding) : std::nullopt; });
}

static bool isComparison(ElementwiseFn fn) {
  return fn >= ElementwiseFn::Equal && fn <= ElementwiseFn::GreaterEqual;
}

/// Elements of a comparison whose operands are no further apart than they err.
static std::vector<int64_t> unsureOf(ArrayRef<Known> ins, ArrayRef<int64_t> shape) {
  std::vector<double> a = elements(ins[0], shape), b = elements(ins[1], shape);
  std::vector<int64_t> unsure(a.size());
  for (size_t i = 0; i < a.size(); ++i)
    unsure[i] = std::fabs(a[i] - b[i]) <= ins[0].error + ins[1].error;
  return unsure;
}

/// Whole numbers and bools are equal, or follow from what is not known exactly.
static std::optional<Known> followWhole(Operation *op, ArrayRef<Known> ins, Known result) {
  auto exact = [](const Known &k) { return k.error == 0 && k.unsure.empty(); };
  if (isa<ShapeOfOp>(op) || llvm::all_of(ins, exact)) return result;
  auto e = dyn_cast<ElementwiseOp>(op);
  if (e && isComparison(e.getFn()) && isFloat(ins[0].tensor.element())) {
    result.unsure = unsureOf(ins, result.tensor.shape());
    if (!llvm::is_contained(result.unsure, 1)) result.unsure.clear();
    return result;
  }
  if (e && e.getFn() == ElementwiseFn::Not) return result.unsure = ins[0].unsure, result;
  // Finite on both sides, or the error would have no bound.
  if (e && (e.getFn() == ElementwiseFn::IsInf || e.getFn() == ElementwiseFn::IsNaN)) return result;
  return std::nullopt;
}

std::optional<Known> follow(Operation *op, ArrayRef<Known> ins, Value value, const Tensor &out) {
  if (op->getNumRegions()) return std::nullopt;  // its ops' errors are not seen here
  if (!isFloat(out.element())) return followWhole(op, ins, {value, out});
  auto e = dyn_cast<ElementwiseOp>(op);
  bool selects = e && e.getFn() == ElementwiseFn::Select;
  if (!selects && llvm::any_of(ins, [](const Known &k) { return !k.unsure.empty(); }))
    return std::nullopt;
  std::optional<double> error = errorOf(op, ins, out);
  if (!error || !std::isfinite(*error)) return std::nullopt;
  return Known{value, out, *error};
}

void ErrorBounds::observe(Value v, const Tensor &t) {
  Operation *op = v.getDefiningOp();
  SmallVector<Known> ins;
  for (Value operand : op->getOperands()) {
    auto found = known.find(operand);
    if (found == known.end()) return;
    ins.push_back(found->second);
  }
  if (auto followed = follow(op, ins, v, t))
    known[v] = std::move(*followed);
  else if (!unbounded_)
    unbounded_ = op;
}

std::optional<double> ErrorBounds::of(Value v) const {
  auto found = known.find(v);
  if (found == known.end() || !found->second.unsure.empty()) return std::nullopt;
  return found->second.error;
}

}  // namespace adze::reference
