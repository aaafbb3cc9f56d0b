#include "passes/Fusion/Attention.h"
#include "passes/Fusion/FusionPlan.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {
namespace {

int64_t rankOf(Value v) { return cast<RankedTensorType>(v.getType()).getRank(); }

/// The transpose that makes `v` for its only user, where the last dimension of what it reads comes
/// to be the `last` from the end.
TransposeOp transposeOf(Value v, int64_t last) {
  auto op = v.getDefiningOp<TransposeOp>();
  return op && v.hasOneUse() && !op->hasAttr(kFuseAttr) && !op.getPerm().empty() &&
                 op.getPerm()[rankOf(v) - last] == rankOf(v) - 1
             ? op
             : TransposeOp();
}

bool isZero(Value v) {
  auto constant = v.getDefiningOp<ConstantOp>();
  auto values =
      constant ? dyn_cast<DenseFPElementsAttr>(constant.getValue()) : DenseFPElementsAttr();
  return values && values.isSplat() && values.getSplatValue<APFloat>().isZero();
}

/// Changes all weights of a row alike: another type, or 0 for rows that see no key.
bool keepsWeights(Operation *op, Value weights, DimExprs &exprs) {
  if (isa<CastOp>(op)) return true;
  auto select = dyn_cast<ElementwiseOp>(op);
  if (!select || select.getFn() != ElementwiseFn::Select) return false;
  Value condition = op->getOperand(0);
  bool either =
      op->getOperand(1) == weights ? isZero(op->getOperand(2)) : isZero(op->getOperand(1));
  return either &&
         (rankOf(condition) == 0 || exprs.constantDim(condition, rankOf(condition) - 1) == 1);
}

/// The matmul whose rows are those of `softmax`, or of what follows it point by point.
MatmulOp findValues(SoftmaxOp softmax, DimExprs &exprs) {
  Value weights = softmax.getResult();
  while (weights.hasOneUse()) {
    Operation *user = *weights.getUsers().begin();
    if (user->getBlock() != softmax->getBlock() || user->hasAttr(kFuseAttr)) return {};
    if (auto matmul = dyn_cast<MatmulOp>(user))
      return matmul.getA() == weights ? matmul : MatmulOp();
    bool follows =
        keepsWeights(user, weights, exprs) && sameShape(exprs, user->getResult(0), weights);
    if (!follows) return {};
    weights = user->getResult(0);
  }
  return {};
}

class AttentionFinder {
 public:
  AttentionFinder(SoftmaxOp softmax, MatmulOp scores, DimExprs &exprs,
                  const schedule::MachineModel &machine)
      : softmax(softmax), scores(scores), exprs(exprs), machine(machine) {}

  std::string whyNot() {
    found.values = findValues(softmax, exprs);
    if (!found.values) return "no matmul alone sums up its rows";
    if (softmax.getLog()) return "it is a logarithm";
    if (softmax.rowDims() == 0) return "it is not along rows";
    if (scores.rowDims() == 0 || found.values.rowDims() == 0)
      return "its rows are not the matmuls'";
    if (std::string why = whyNotRows(); !why.empty()) return why;
    if (std::string why = whyNotFactors(); !why.empty()) return why;
    findTransposes();
    return "";
  }

  bool pays() {
    found.cost = ScoreRows::cost(scores.getResult());
    ScoreRows rows{batches, extent(scores.getResult(), 2), extent(scores.getResult(), 1), depth,
                   2 + int64_t(found.transposes.size())};
    return rows.pays(scores.getResult(), machine);
  }

  Attention found;

 private:
  int64_t extent(Value v, int64_t fromLast) {
    return exprs.constantDim(v, rankOf(v) - fromLast).value_or(kUnknownExtent);
  }

  std::string whyNotRows() {
    Value from = scores.getResult(), to = found.values.getResult();
    if (rankOf(from) != rankOf(softmax.getX()) || rankOf(from) != rankOf(to))
      return "its rows are not the matmuls'";
    for (int64_t d = 0; d + 1 < rankOf(from); ++d) {
      if (!exprs.same(from, d, to, d)) return "its rows are not surely the matmuls'";
      if (d + 2 < rankOf(from))
        batches =
            llvm::SaturatingMultiply<uint64_t>(batches, exprs.constantDim(from, d).value_or(1));
    }
    return "";
  }

  std::string whyNotFactors() {
    Type element = scores.getA().getType().getElementType();
    for (Value v : {scores.getB(), found.values.getA(), found.values.getB()})
      if (getElementTypeOrSelf(v) != element) return "factors are of several types";
    if (!element.isF32() && !element.isF16() && !element.isBF16())
      return "matrix units do not multiply its factors";
    auto terms = exprs.constantDim(scores.getA(), rankOf(scores.getA()) - 1);
    auto columns =
        exprs.constantDim(found.values.getResult(), rankOf(found.values.getResult()) - 1);
    if (!terms || !columns || std::max(*terms, *columns) > machine.scoreDepth)
      return "its depth is not known to be within " + std::to_string(machine.scoreDepth);
    depth = *terms + *columns;
    // Four bytes are copied at once.
    int64_t unit = 32 / element.getIntOrFloatBitWidth();
    if (*terms % unit != 0 || *columns % unit != 0) return "its rows are no whole words";
    if (!scores.getTransposeB() && !transposeOf(scores.getB(), 2))
      return "a key's elements do not lie side by side";
    if (found.values.getTransposeB()) return "a value's elements do not lie side by side";
    return "";
  }

  void findTransposes() {
    auto add = [&](TransposeOp op) {
      if (op) found.transposes.push_back(op);
    };
    add(transposeOf(scores.getA(), 1));
    add(transposeOf(scores.getB(), scores.getTransposeB() ? 1 : 2));
    add(transposeOf(found.values.getB(), 1));
    Value result = found.values.getResult();
    if (!result.hasOneUse()) return;
    auto turn = dyn_cast<TransposeOp>(*result.getUsers().begin());
    if (turn && !turn->hasAttr(kFuseAttr) && turn.getPerm().back() == rankOf(result) - 1) add(turn);
  }

  SoftmaxOp softmax;
  MatmulOp scores;
  DimExprs &exprs;
  const schedule::MachineModel &machine;
  int64_t batches = 1, depth = 0;
};

}  // namespace

std::optional<Attention> findAttention(SoftmaxOp softmax, MatmulOp scores, bool always,
                                       DimExprs &exprs, const schedule::MachineModel &machine,
                                       std::string &why) {
  AttentionFinder finder(softmax, scores, exprs, machine);
  if (why = finder.whyNot(); !why.empty()) return std::nullopt;
  if (finder.pays() || always) return finder.found;
  why = "too few rows at once to go through so many columns one after the other";
  return std::nullopt;
}

}  // namespace adze
