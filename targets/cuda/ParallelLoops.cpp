#include "targets/cuda/Passes.h"
#include "targets/cuda/ThreadLoops.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"

namespace adze::cuda {
#define GEN_PASS_DEF_PARALLELLOOPS
#include "targets/cuda/Passes.h.inc"
}  // namespace adze::cuda

using namespace mlir;

namespace adze::cuda {
namespace {

struct ParallelLoopsPass : impl::ParallelLoopsBase<ParallelLoopsPass> {
  void runOnOperation() override {
    if (!getOperation()->hasAttr(kDeviceAttr)) return;
    SmallVector<linalg::LinalgOp> ops;
    getOperation().walk([&](linalg::LinalgOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : ops) {
      rewriter.setInsertionPoint(op);
      if (op.getNumParallelLoops() == 0) giveThread(rewriter, op);
      if (failed(linalg::linalgOpToParallelLoops(rewriter, op))) {
        op.emitError() << "cannot be lowered to loops";
        return signalPassFailure();
      }
      rewriter.eraseOp(op);
    }
    SmallVector<scf::ForOp> nests;
    getOperation().walk([&](scf::ForOp op) {
      if (op->hasAttr(kThreadsAttr)) nests.push_back(op);
    });
    for (scf::ForOp op : nests) shareOut(rewriter, op);
  }

  /// Moves the op into a parallel loop of one iteration.
  static void giveThread(RewriterBase &rewriter, Operation *op) {
    Value zero = arith::ConstantIndexOp::create(rewriter, op->getLoc(), 0);
    Value one = arith::ConstantIndexOp::create(rewriter, op->getLoc(), 1);
    auto loop = scf::ParallelOp::create(rewriter, op->getLoc(), zero, one, one);
    op->moveBefore(loop.getBody(), loop.getBody()->begin());
    rewriter.setInsertionPoint(op);
  }
};

}  // namespace
}  // namespace adze::cuda
