// memref.dim of a reshaped view -> the extents that the view was made from.
#include "passes/Rt/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_RESOLVEEXTENTS
#include "passes/Rt/Passes.h.inc"

namespace {

/// An extent of an expanded view -> what its output shape says.
struct DimOfExpandShape : OpRewritePattern<memref::DimOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(memref::DimOp op, PatternRewriter &b) const override {
    auto view = op.getSource().getDefiningOp<memref::ExpandShapeOp>();
    auto index = op.getConstantIndex();
    if (!view || !index) return b.notifyMatchFailure(op, "no dimension of an expanded view");
    OpFoldResult extent = view.getMixedOutputShape()[*index];
    b.replaceOp(op, getValueOrCreateConstantIndexOp(b, op.getLoc(), extent));
    return success();
  }
};

/// An extent of a collapsed view -> the product of those that it was made of.
struct DimOfCollapseShape : OpRewritePattern<memref::DimOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(memref::DimOp op, PatternRewriter &b) const override {
    auto view = op.getSource().getDefiningOp<memref::CollapseShapeOp>();
    auto index = op.getConstantIndex();
    if (!view || !index) return b.notifyMatchFailure(op, "no dimension of a collapsed view");
    Value product;
    ReassociationIndices group = view.getReassociationIndices()[*index];
    for (int64_t d : group) {
      Value extent = memref::DimOp::create(b, op.getLoc(), view.getSrc(), d);
      product = product ? arith::MulIOp::create(b, op.getLoc(), product, extent).getResult() : extent;
    }
    b.replaceOp(op, product);
    return success();
  }
};

struct ResolveExtentsPass : impl::ResolveExtentsBase<ResolveExtentsPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<DimOfExpandShape, DimOfCollapseShape>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) signalPassFailure();
  }
};

}  // namespace
}  // namespace adze
