#include "passes/Schedule/Prepare.h"

#include "mlir/Dialect/Linalg/Transforms/Transforms.h"

using namespace mlir;

namespace adze::schedule {

/// Deallocations go to the end of their block: between a contraction and its
/// epilogue they would keep the two apart.
static void sinkDeallocs(Operation *root) {
  SmallVector<memref::DeallocOp> deallocs;
  root->walk([&](memref::DeallocOp op) { deallocs.push_back(op); });
  for (memref::DeallocOp op : deallocs)
    if (op->getBlock()->mightHaveTerminator())
      op->moveBefore(op->getBlock()->getTerminator());
}

void generalizeKernels(Operation *root) {
  sinkDeallocs(root);
  SmallVector<Operation *> work;
  root->walk([&](Operation *op) {
    if (isa<memref::CopyOp>(op))
      work.push_back(op);
    else if (auto named = dyn_cast<linalg::LinalgOp>(op);
             named && named.hasPureBufferSemantics() && !isa<linalg::GenericOp>(op))
      work.push_back(op);
  });
  IRRewriter rewriter(root->getContext());
  for (Operation *op : work) {
    rewriter.setInsertionPoint(op);
    if (auto copy = dyn_cast<memref::CopyOp>(op)) {
      op = linalg::CopyOp::create(rewriter, op->getLoc(), copy.getSource(), copy.getTarget());
      rewriter.eraseOp(copy);
      rewriter.setInsertionPoint(op);
    }
    // A failure leaves the named op, which the loop fallback takes.
    (void)linalg::generalizeNamedOp(rewriter, cast<linalg::LinalgOp>(op));
  }
}

}  // namespace adze::schedule
