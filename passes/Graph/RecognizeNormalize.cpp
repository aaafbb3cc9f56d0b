// adze-recognize-normalize
#include "passes/Graph/ConstantQueries.h"
#include "passes/Graph/Passes.h"
#include "passes/Graph/Rewrite.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {
#define GEN_PASS_DEF_RECOGNIZENORMALIZE
#include "passes/Graph/Passes.h.inc"

namespace {

using Fn = ElementwiseFn;

/// What normalize needs to know.
struct Match {
  Value x;
  SmallVector<int64_t> axes;
  double epsilon = 0;
  bool center = false;
};

/// The operand beside the one for which `is` holds, of a commutative op.
template <typename F>
Value otherOperand(ElementwiseOp op, F is) {
  if (is(op.getArgs()[0])) return op.getArgs()[1];
  return is(op.getArgs()[1]) ? op.getArgs()[0] : Value();
}

/// d where v = d * d or pow(d, 2).
Value squareRootOf(Value v) {
  if (ElementwiseOp mul = elementwise(v, Fn::Mul))
    return mul.getArgs()[0] == mul.getArgs()[1] ? mul.getArgs()[0] : Value();
  ElementwiseOp pow = elementwise(v, Fn::Pow);
  if (!pow || splatValue(pow.getArgs()[1]) != 2.0) return {};
  return broadcastsInto(pow.getArgs()[1], pow.getArgs()[0]) ? pow.getArgs()[0] : Value();
}

ReduceOp keptMean(Value v) {
  auto mean = v.getDefiningOp<ReduceOp>();
  return mean && mean.getKind() == ReduceKind::Mean && mean.getKeepdims() ? mean : ReduceOp();
}

/// mean(d^2) + epsilon of `d`: fills axes and epsilon.
bool matchVariance(Value v, Value d, Match &match) {
  ElementwiseOp add = elementwise(v, Fn::Add);
  if (!add) return false;
  Value mean = otherOperand(add, [](Value o) { return splatValue(o).has_value(); });
  if (!mean) return false;
  Value epsilon = add.getArgs()[mean == add.getArgs()[0] ? 1 : 0];
  auto type = cast<RankedTensorType>(epsilon.getType());
  ReduceOp reduce = keptMean(mean);
  if (type.getNumElements() != 1 || !broadcastsInto(epsilon, mean) || !reduce) return false;
  match.axes.assign(reduce.getAxes().begin(), reduce.getAxes().end());
  match.epsilon = *splatValue(epsilon);
  return squareRootOf(reduce.getX()) == d;
}

/// The value whose square root `root` divides by: of v / sqrt(e), v * rsqrt(e),
/// v * pow(e, -0.5) and v * (1 / sqrt(e)); `v` gets the dividend.
Value matchQuotient(ElementwiseOp op, Value &dividend) {
  if (op.getFn() == Fn::Div) {
    ElementwiseOp root = elementwise(op.getArgs()[1], Fn::Sqrt);
    dividend = op.getArgs()[0];
    return root ? root.getArgs()[0] : Value();
  }
  if (op.getFn() != Fn::Mul) return {};
  for (unsigned i : {0, 1}) {
    Value factor = op.getArgs()[i];
    dividend = op.getArgs()[1 - i];
    if (ElementwiseOp root = elementwise(factor, Fn::Rsqrt)) return root.getArgs()[0];
    ElementwiseOp pow = elementwise(factor, Fn::Pow);
    if (pow && splatValue(pow.getArgs()[1]) == -0.5 &&
        broadcastsInto(pow.getArgs()[1], pow.getArgs()[0]))
      return pow.getArgs()[0];
    ElementwiseOp reciprocal = elementwise(factor, Fn::Div);
    if (!reciprocal || splatValue(reciprocal.getArgs()[0]) != 1.0) continue;
    if (!broadcastsInto(reciprocal.getArgs()[0], reciprocal.getArgs()[1])) continue;
    if (ElementwiseOp root = elementwise(reciprocal.getArgs()[1], Fn::Sqrt))
      return root.getArgs()[0];
  }
  return {};
}

/// x of d = x - mean(x) over the match's axes; d itself when it is not centred.
void matchCentre(Value d, Match &match) {
  match.x = d;
  ElementwiseOp sub = elementwise(d, Fn::Sub);
  ReduceOp mean = sub ? keptMean(sub.getArgs()[1]) : ReduceOp();
  if (!mean || mean.getX() != sub.getArgs()[0] || mean.getAxes() != ArrayRef(match.axes)) return;
  match.x = mean.getX();
  match.center = true;
}

bool matchNormalize(ElementwiseOp op, Match &match) {
  // epsilon is kept as f32, too coarse beside f64.
  auto type = dyn_cast<FloatType>(getElementTypeOrSelf(op.getType()));
  if (!type || type.getWidth() > 32) return false;
  Value dividend, e = matchQuotient(op, dividend);
  if (!e || !matchVariance(e, dividend, match) || match.epsilon < 0) return false;
  matchCentre(dividend, match);
  return true;
}

NormalizeOp build(ElementwiseOp op, const Match &match) {
  OpBuilder b(op);
  return NormalizeOp::create(b, fusedLocation(op, opsBetween(op, match.x)), op.getType(), match.x, Value(), Value(),
                             ArrayRef<int64_t>(match.axes), APFloat(float(match.epsilon)),
                             match.center);
}

/// The normalize that `op` scales or shifts by an operand which may join it.
NormalizeOp affineOf(ElementwiseOp op, Value &operand) {
  for (unsigned i : {0, 1}) {
    auto norm = op.getArgs()[i].getDefiningOp<NormalizeOp>();
    operand = op.getArgs()[1 - i];
    if (norm && norm->hasOneUse() && broadcastsInto(operand, norm.getX())) return norm;
  }
  return {};
}

/// normalize(x) * s -> normalize(x, s); normalize(x, s) + b -> normalize(x, s, b)
bool joinAffine(ElementwiseOp op) {
  bool scale = op.getFn() == Fn::Mul, bias = op.getFn() == Fn::Add;
  Value operand;
  NormalizeOp norm = scale || bias ? affineOf(op, operand) : NormalizeOp();
  if (!norm || norm.getBias() || (scale && norm.getScale())) return false;
  OpBuilder b(op);
  auto joined = NormalizeOp::create(
      b, b.getFusedLoc({norm.getLoc(), op.getLoc()}), op.getType(), norm.getX(),
      scale ? operand : norm.getScale(), bias ? operand : Value(), norm.getAxes(),
      norm.getEpsilon(), norm.getCenter());
  op.getResult().replaceAllUsesWith(joined.getResult());
  return true;
}

struct RecognizeNormalizePass : public impl::RecognizeNormalizeBase<RecognizeNormalizePass> {
  void runOnOperation() override {
    SmallVector<Operation *> dead;
    getOperation()->walk([&](ElementwiseOp op) {
      Match match;
      if (matchNormalize(op, match)) {
        op.getResult().replaceAllUsesWith(build(op, match).getResult());
        ++numNormalize;
      } else if (joinAffine(op)) {
        ++numAffine;
      } else {
        return;
      }
      dead.push_back(op);
    });
    eraseChains(dead);
  }
};

}  // namespace
}  // namespace adze
