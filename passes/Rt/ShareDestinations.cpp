// tensor.empty that ends in a destination -> that destination.
#include "passes/Rt/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_SHAREDESTINATIONS
#include "passes/Rt/Passes.h.inc"

namespace {
bool hasLoop(func::FuncOp f) {
  return f.walk([](LoopLikeOpInterface) { return WalkResult::interrupt(); }).wasInterrupted();
}

/// A value that is two results ends in the first one's destination, and is
/// copied from there to the second's.
void chainEqualResults(func::FuncOp f) {
  llvm::DenseMap<Value, Value> first;
  f.walk([&](bufferization::MaterializeInDestinationOp op) {
    auto [it, isFirst] = first.try_emplace(op.getSource(), op.getResult());
    if (!isFirst && it->second.getParentBlock() == op->getBlock()) op.getSourceMutable().assign(it->second);
  });
}

/// What several ops write over is filled for each of them: bufferization would copy it.
void splitFills(func::FuncOp f) {
  f.walk([](linalg::FillOp fill) {
    auto empty = fill.output().getDefiningOp<tensor::EmptyOp>();
    SmallVector<OpOperand *> written;
    for (OpOperand &use : fill->getUses()) {
      auto op = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
      if (op && op.isDpsInit(&use)) written.push_back(&use);
    }
    if (!empty || written.size() < 2) return;
    for (OpOperand *use : written) {
      OpBuilder b(use->getOwner());
      IRMapping own;
      b.clone(*empty, own);
      use->set(b.clone(*fill, own)->getResult(0));
    }
    if (fill.use_empty()) fill.erase();
  });
}

struct ShareDestinationsPass : impl::ShareDestinationsBase<ShareDestinationsPass> {
  void runOnOperation() override {
    for (auto f : getOperation().getOps<func::FuncOp>()) {
      chainEqualResults(f);
      splitFills(f);
    }
    // Function arguments are writable only where the module is analysed whole.
    bufferization::OneShotBufferizationOptions options;
    options.allowReturnAllocsFromLoops = true;
    options.bufferizeFunctionBoundaries = true;
    bufferization::OneShotAnalysisState state(getOperation(), options);
    if (failed(bufferization::analyzeModuleOp(getOperation(), state))) return signalPassFailure();
    IRRewriter rewriter(&getContext());
    for (auto f : getOperation().getOps<func::FuncOp>())
      if (!f.isExternal() && !hasLoop(f) && failed(share(rewriter, f, state)))
        return signalPassFailure();
  }

  /// The destinations of results first: parts that are put together to a result
  /// are then parts of its destination.
  static LogicalResult share(RewriterBase &rewriter, func::FuncOp f,
                             bufferization::OneShotAnalysisState &state) {
    SmallVector<Operation *> order;
    f.walk([&](bufferization::MaterializeInDestinationOp op) { order.push_back(op); });
    order.push_back(f);
    for (Operation *op : order)
      if (failed(bufferization::eliminateEmptyTensors(rewriter, op, state))) return failure();
    return success();
  }
};
}  // namespace
}  // namespace adze
