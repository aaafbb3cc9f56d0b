// Chains of linalg.generic inside a kernel -> one.
#include "passes/Rt/Passes.h"
#include "passes/Schedule/MachineModel.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "passes/Rt/Passes.h.inc"

namespace {

bool readsOuts(linalg::LinalgOp op) {
  return llvm::any_of(op.getDpsInitsMutable(),
                      [&](OpOperand &o) { return op.payloadUsesValueFromOperand(&o); });
}

/// Nothing but another order of elements.
bool isMove(linalg::LinalgOp op) {
  Operation *yield = op.getBlock()->getTerminator();
  return isa<BlockArgument>(yield->getOperand(0)) && yield->getNumOperands() == 1;
}

/// Sums of products of two operands.
bool isContraction(linalg::LinalgOp op) {
  return op.getNumReductionLoops() > 0 && op.getNumDpsInputs() > 1;
}

/// Merge the producer of `use` into its owner? Where matrix units make attention of a chain, a
/// softmax's quotient is not computed again for each column of values.
bool shouldFuse(OpOperand *use, bool keepsFactors) {
  auto producer = use->get().getDefiningOp<linalg::LinalgOp>();
  if (!producer || !use->get().hasOneUse() || readsOuts(producer)) return false;
  return !keepsFactors || isMove(producer) || !isContraction(cast<linalg::LinalgOp>(use->getOwner()));
}

struct FuseElementwisePass : impl::FuseElementwiseBase<FuseElementwisePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    bool keepsFactors = schedule::MachineModel::of(getOperation()).scoreDepth > 0;
    linalg::populateElementwiseOpsFusionPatterns(
        patterns, [=](OpOperand *use) { return shouldFuse(use, keepsFactors); });
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) signalPassFailure();
  }
};

}  // namespace
}  // namespace adze
