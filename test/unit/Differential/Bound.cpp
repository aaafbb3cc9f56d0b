#include "Bound.h"

#include "dialects/Graph/Graph.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace adze::differential {

using namespace graph;
using reference::Tensor;

double magnitudeOf(const Tensor &t) {
  double largest = 0;
  for (double v : reference::toDoubles(t)) {
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
  double m, e;       ///< largest magnitude and error of the float operands
  double result;     ///< magnitude of the result
  double rounding;   ///< of one step at the result
  double sums;       ///< relative, of one step of a sum

  double mag(unsigned i) const { return magnitudeOf(ins[i].tensor); }
  /// A sum of n products (or terms) each at most `term`, which err by `each`.
  double sum(double n, double term, double each) const {
    return n * each + n * term * sums * (2 + 3 * std::sqrt(n)) + rounding;
  }
};
}  // namespace

static std::optional<double> elementwise(ElementwiseOp op, const Terms &t) {
  using Fn = ElementwiseFn;
  double e = t.e, own = t.rounding;
  switch (op.getFn()) {
    case Fn::Neg: case Fn::Abs: case Fn::Min: case Fn::Max: case Fn::Select: return e;
    case Fn::Add: case Fn::Sub: return 2 * e + own;
    case Fn::Mul: return t.ins[0].error * t.mag(1) + t.ins[1].error * t.mag(0) +
                         t.ins[0].error * t.ins[1].error + own;
    case Fn::Tanh: case Fn::Sigmoid: case Fn::Sin: case Fn::Cos: case Fn::Atan: return e + 4 * own;
    case Fn::Erf: return 2 * e + 4 * own;
    case Fn::Exp: return t.result * std::expm1(e) + (4 + 2 * t.m) * own;
    // Made with operands of 1 and more only.
    case Fn::Sqrt: case Fn::Log: case Fn::Rsqrt: return e + 4 * own;
    case Fn::Div: return t.ins[0].error + t.ins[1].error * t.mag(0) + own;
    default: return e == 0 ? std::optional(own) : std::nullopt;
  }
}

static double numel(ArrayRef<int64_t> shape, ArrayRef<int64_t> axes) {
  double n = 1;
  for (int64_t a : axes) n *= double(shape[a]);
  return n;
}

std::optional<double> errorOf(Operation *op, ArrayRef<Known> ins, const Tensor &out) {
  Terms t{op, ins, 0, 0, 0, 0, 0};
  for (const Known &k : ins)
    if (reference::isFloat(k.tensor.element()))
      t.m = std::max(t.m, magnitudeOf(k.tensor)), t.e = std::max(t.e, k.error);
  // Whole numbers are equal, or follow from what is not known exactly.
  if (!reference::isFloat(out.element())) return t.e == 0 ? std::optional(0.0) : std::nullopt;
  double epsilon = epsilonOf(out.element());
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

}  // namespace adze::differential
