// adze-recognize-softmax
#include "passes/Graph/ConstantQueries.h"
#include "passes/Graph/Passes.h"
#include "passes/Graph/Rewrite.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {
#define GEN_PASS_DEF_RECOGNIZESOFTMAX
#include "passes/Graph/Passes.h.inc"

namespace {

using Fn = ElementwiseFn;

/// A reduction of one axis that is kept.
ReduceOp keptReduction(Value v, ReduceKind kind) {
  auto reduce = v.getDefiningOp<ReduceOp>();
  bool fits = reduce && reduce.getKind() == kind && reduce.getKeepdims() && reduce.getAxes().size() == 1;
  return fits ? reduce : ReduceOp();
}

/// x of d = x - max(x) along an axis, which `axis` gets.
Value shiftedBelowMax(Value d, int64_t &axis) {
  ElementwiseOp sub = elementwise(d, Fn::Sub);
  ReduceOp max = sub ? keptReduction(sub.getArgs()[1], ReduceKind::Max) : ReduceOp();
  if (!max || max.getX() != sub.getArgs()[0]) return {};
  axis = max.getAxes()[0];
  return max.getX();
}

/// d of sum(exp(d)) along the axis.
Value summedExponent(Value sum, int64_t axis) {
  ReduceOp reduce = keptReduction(sum, ReduceKind::Sum);
  ElementwiseOp exp = reduce ? elementwise(reduce.getX(), Fn::Exp) : ElementwiseOp();
  return exp && reduce.getAxes()[0] == axis ? exp.getArgs()[0] : Value();
}

/// e / sum(e), or d - log(sum(exp(d))), of e = exp(d) and d = x - max(x).
SoftmaxOp matchSoftmax(ElementwiseOp op) {
  bool log = op.getFn() == Fn::Sub;
  if (!log && op.getFn() != Fn::Div) return {};
  Value d = op.getArgs()[0], sum = op.getArgs()[1];
  ElementwiseOp outer = elementwise(log ? sum : d, log ? Fn::Log : Fn::Exp);
  if (!outer) return {};
  (log ? sum : d) = outer.getArgs()[0];
  int64_t axis = 0;
  Value x = shiftedBelowMax(d, axis);
  if (!x || summedExponent(sum, axis) != d || x.getType() != op.getType()) return {};
  OpBuilder b(op);
  return SoftmaxOp::create(b, fusedLocation(op, opsBetween(op, x)), op.getType(), x, axis, log);
}

struct RecognizeSoftmaxPass : public impl::RecognizeSoftmaxBase<RecognizeSoftmaxPass> {
  void runOnOperation() override {
    SmallVector<Operation *> dead;
    getOperation()->walk([&](ElementwiseOp op) {
      SoftmaxOp softmax = matchSoftmax(op);
      if (!softmax) return;
      op.getResult().replaceAllUsesWith(softmax.getResult());
      dead.push_back(op);
      ++numFound;
    });
    eraseChains(dead);
  }
};

}  // namespace
}  // namespace adze
