// adze-propagate-transposes
#include "passes/Layout/Passes.h"
#include "passes/Layout/TransposeMover.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {
#define GEN_PASS_DEF_PROPAGATETRANSPOSES
#include "passes/Layout/Passes.h.inc"

namespace {

/// A transpose of the last two axes alone.
bool swapsLastTwo(ArrayRef<int64_t> perm) {
  int64_t r = perm.size();
  if (r < 2 || perm[r - 1] != r - 2 || perm[r - 2] != r - 1) return false;
  return isIdentity(perm.drop_back(2));
}

/// matmul(transpose(a), b) -> matmul(a, b) {transpose_a}. A constant's
/// transpose folds instead, into the order that kernels like.
void foldIntoMatmul(MatmulOp op) {
  for (unsigned i : {0, 1}) {
    auto t = op->getOperand(i).getDefiningOp<TransposeOp>();
    if (!t || !swapsLastTwo(t.getPerm()) || matchPattern(t.getX(), m_Constant())) continue;
    op->setOperand(i, t.getX());
    if (i == 0) op.setTransposeA(!op.getTransposeA());
    else op.setTransposeB(!op.getTransposeB());
  }
}

/// A transpose that only moves extents of 1 -> reshape.
bool toReshape(TransposeOp op) {
  auto type = cast<RankedTensorType>(op.getX().getType());
  int64_t last = -1;
  Perm axes;
  for (int64_t p : op.getPerm()) {
    bool one = type.getDimSize(p) == 1;
    if (!one && p < last) return false;
    if (!one) last = p;
    axes.push_back(one ? -1 : p);
  }
  OpBuilder b(op);
  Value shape = extentsForReshape(b, op.getLoc(), op.getX(), op.getType().getShape(), axes);
  auto reshape = ReshapeOp::create(b, op.getLoc(), op.getType(), op.getX(), shape);
  op.getResult().replaceAllUsesWith(reshape.getResult());
  return true;
}

struct PropagateTransposesPass : public impl::PropagateTransposesBase<PropagateTransposesPass> {
  void runOnOperation() override {
    TransposeMover mover(getOperation());
    SmallVector<Block *> blocks;
    getOperation()->walk([&](Block *block) {
      if (isa<func::FuncOp, IfOp, LoopOp>(block->getParentOp())) blocks.push_back(block);
    });
    for (Block *block : blocks) {
      sinkAll(*block, mover, /*optimistic=*/true);
      hoistAll(*block, mover);
      sinkAll(*block, mover, /*optimistic=*/false);
      finish(*block);
    }
  }

  /// Downwards, so that an op sees what became of its operands. New transposes
  /// stand right behind the op and come next.
  void sinkAll(Block &block, TransposeMover &mover, bool optimistic) {
    for (Operation *op = block.empty() ? nullptr : &block.front(); op;) {
      bool dead = false;
      if (auto t = dyn_cast<TransposeOp>(op)) dead = mover.simplify(t);
      else numSunk += mover.sink(op, optimistic);
      Operation *next = op->getNextNode();
      if (dead) op->erase();
      op = next;
    }
    eraseDead(block);
  }

  void hoistAll(Block &block, TransposeMover &mover) {
    SmallVector<TransposeOp> work(block.getOps<TransposeOp>());
    // Every hoist moves a transpose over one op: the bound is generous.
    size_t steps = 8 * work.size() + 64;
    while (!work.empty() && steps-- > 0) {
      TransposeOp t = work.pop_back_val();
      SmallVector<TransposeOp> made;
      if (!mover.hoist(t, made)) continue;
      ++numHoisted;
      llvm::append_range(work, llvm::reverse(made));
    }
  }

  /// Transposes and shape_ofs whose result nothing uses, users before producers.
  static void eraseDead(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isa<TransposeOp, ShapeOfOp>(op) && op.use_empty()) op.erase();
  }

  void finish(Block &block) {
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (auto matmul = dyn_cast<MatmulOp>(op)) foldIntoMatmul(matmul);
      auto t = dyn_cast<TransposeOp>(op);
      if (t && toReshape(t)) t.erase();
    }
    eraseDead(block);
    for (TransposeOp t : block.getOps<TransposeOp>()) numLeft += !matchPattern(t.getX(), m_Constant());
  }
};

}  // namespace
}  // namespace adze
