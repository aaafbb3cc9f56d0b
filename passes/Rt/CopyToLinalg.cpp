// memref.copy between strided buffers -> linalg.generic.
#include "passes/Rt/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_COPYTOLINALG
#include "passes/Rt/Passes.h.inc"

namespace {
struct CopyToLinalgPass : impl::CopyToLinalgBase<CopyToLinalgPass> {
  void runOnOperation() override {
    SmallVector<memref::CopyOp> copies;
    getOperation().walk([&](memref::CopyOp op) { copies.push_back(op); });
    for (memref::CopyOp op : copies) {
      auto from = dyn_cast<MemRefType>(op.getSource().getType());
      auto to = dyn_cast<MemRefType>(op.getTarget().getType());
      if (!from || !to) continue;
      if (from.getLayout().isIdentity() && to.getLayout().isIdentity()) continue;
      replace(op, from.getRank());
    }
  }

  void replace(memref::CopyOp op, int64_t rank) {
    OpBuilder b(op);
    AffineMap id = b.getMultiDimIdentityMap(rank);
    SmallVector<utils::IteratorType> loops(rank, utils::IteratorType::parallel);
    linalg::GenericOp::create(b, op.getLoc(), op.getSource(), op.getTarget(),
                              SmallVector<AffineMap>{id, id}, loops,
                              [](OpBuilder &nb, Location loc, ValueRange args) {
                                linalg::YieldOp::create(nb, loc, args[0]);
                              });
    op.erase();
  }
};
}  // namespace
}  // namespace adze
