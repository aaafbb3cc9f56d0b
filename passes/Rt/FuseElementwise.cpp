// Chains of linalg.generic inside a kernel -> one.
#include "passes/Rt/Passes.h"

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

/// Merge the producer of `use` into its owner?
bool shouldFuse(OpOperand *use) {
  auto producer = use->get().getDefiningOp<linalg::LinalgOp>();
  return producer && use->get().hasOneUse() && !readsOuts(producer);
}

struct FuseElementwisePass : impl::FuseElementwiseBase<FuseElementwisePass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) signalPassFailure();
  }
};

}  // namespace
}  // namespace adze
