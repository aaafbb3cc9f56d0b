// tensor.collapse_shape after a linalg op -> after what uses it.
#include "passes/Rt/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_SINKRESHAPES
#include "passes/Rt/Passes.h.inc"

namespace {

using Groups = SmallVector<ReassociationIndices>;

/// Extents of `v`, which a chain of linalg ops computes, as the tensor.empty
/// below it has them: they are there before any of the ops.
FailureOr<SmallVector<OpFoldResult>> extentsOf(Value v) {
  while (auto op = v.getDefiningOp<linalg::LinalgOp>())
    v = op.getDpsInitOperand(cast<OpResult>(v).getResultNumber())->get();
  auto empty = v.getDefiningOp<tensor::EmptyOp>();
  if (!empty) return failure();
  return empty.getMixedSizes();
}

/// A linalg op's result, collapsed, that nothing else reads.
struct Collapsed {
  Value wide;
  Groups groups;
  SmallVector<OpFoldResult> extents;  ///< of `wide`
};

FailureOr<Collapsed> collapsed(Value v) {
  auto op = v.getDefiningOp<tensor::CollapseShapeOp>();
  if (!op || !v.hasOneUse() || !op.getSrc().getDefiningOp<linalg::LinalgOp>()) return failure();
  auto extents = extentsOf(op.getSrc());
  if (failed(extents)) return failure();
  return Collapsed{op.getSrc(), op.getReassociationIndices(), *extents};
}

/// The type that collapses to `narrow` by `groups`; null where one of the two
/// is static and the other is not.
RankedTensorType wideType(RankedTensorType narrow, ArrayRef<ReassociationIndices> groups,
                          ArrayRef<OpFoldResult> extents) {
  SmallVector<int64_t> shape;
  for (OpFoldResult extent : extents)
    shape.push_back(getConstantIntValue(extent).value_or(ShapedType::kDynamic));
  auto type = RankedTensorType::get(shape, narrow.getElementType());
  if (tensor::CollapseShapeOp::inferCollapsedType(type, groups) != narrow) return {};
  return type;
}

/// An elementwise op on a collapsed value -> the op on the value, collapsed.
struct SinkThroughElementwise : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &b) const override {
    if (!op.hasPureTensorSemantics() || op.getNumParallelLoops() != op.getNumLoops() ||
        op.getNumResults() != 1 || op.hasIndexSemantics())
      return b.notifyMatchFailure(op, "not elementwise");
    for (OpOperand &use : op->getOpOperands()) {
      FailureOr<Collapsed> source = collapsed(use.get());
      if (failed(source) || !op.getMatchingIndexingMap(&use).isIdentity()) continue;
      if (succeeded(widen(op, use, *source, b))) return success();
    }
    return b.notifyMatchFailure(op, "reads no collapsed result of a linalg op");
  }

  /// How an operand is read in the wide space: its dimensions that the groups
  /// split, and the map.
  struct Access {
    Groups groups;
    SmallVector<OpFoldResult> extents;
    SmallVector<AffineExpr> results;
    bool splits = false;
  };

  static FailureOr<Access> accessOf(AffineMap map, const Collapsed &source, OpBuilder &b,
                                    Value operand) {
    Access access;
    auto type = cast<RankedTensorType>(operand.getType());
    for (auto [d, expr] : llvm::enumerate(map.getResults())) {
      access.groups.emplace_back();
      auto add = [&](AffineExpr result, OpFoldResult extent) {
        access.groups.back().push_back(access.results.size());
        access.results.push_back(result);
        access.extents.push_back(extent);
      };
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim) {
        if (!isa<AffineConstantExpr>(expr) || type.isDynamicDim(d)) return failure();
        add(expr, b.getIndexAttr(type.getDimSize(d)));
        continue;
      }
      const ReassociationIndices &group = source.groups[dim.getPosition()];
      for (int64_t wide : group) add(b.getAffineDimExpr(wide), source.extents[wide]);
      access.splits |= group.size() > 1;
    }
    return access;
  }

  static LogicalResult widen(linalg::GenericOp op, OpOperand &use, const Collapsed &source,
                             PatternRewriter &b) {
    SmallVector<Access> accesses;
    SmallVector<RankedTensorType> types;
    for (OpOperand &operand : op->getOpOperands()) {
      FailureOr<Access> access =
          accessOf(op.getMatchingIndexingMap(&operand), source, b, operand.get());
      auto type = dyn_cast<RankedTensorType>(operand.get().getType());
      if (failed(access) || !type) return b.notifyMatchFailure(op, "reads by more than dimensions");
      types.push_back(access->splits ? wideType(type, access->groups, access->extents) : type);
      if (!types.back()) return b.notifyMatchFailure(op, "extents known here only are not kept");
      accesses.push_back(std::move(*access));
    }
    SmallVector<Value> operands;
    SmallVector<AffineMap> maps;
    int64_t rank = source.extents.size();
    for (auto [i, operand] : llvm::enumerate(op->getOpOperands())) {
      Value v = operand.get();
      if (&operand == &use)
        v = source.wide;
      else if (accesses[i].splits)
        v = tensor::ExpandShapeOp::create(b, op.getLoc(), types[i], v, accesses[i].groups,
                                          accesses[i].extents);
      operands.push_back(v);
      maps.push_back(AffineMap::get(rank, 0, accesses[i].results, b.getContext()));
    }
    replace(op, operands, maps, source, b);
    return success();
  }

  static void replace(linalg::GenericOp op, ArrayRef<Value> operands, ArrayRef<AffineMap> maps,
                      const Collapsed &source, PatternRewriter &b) {
    unsigned inputs = op.getNumDpsInputs();
    Value out = operands[inputs];
    SmallVector<utils::IteratorType> iterators(source.extents.size(), utils::IteratorType::parallel);
    auto wide = linalg::GenericOp::create(b, op.getLoc(), out.getType(), operands.take_front(inputs),
                                          out, maps, iterators);
    b.inlineRegionBefore(op.getRegion(), wide.getRegion(), wide.getRegion().begin());
    b.replaceOpWithNewOp<tensor::CollapseShapeOp>(op, op.getResult(0).getType(), wide.getResult(0),
                                                  source.groups);
  }
};

/// A collapsed value stored in a destination -> the value stored in the
/// destination's wide view.
struct SinkIntoDestination : OpRewritePattern<bufferization::MaterializeInDestinationOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(bufferization::MaterializeInDestinationOp op,
                                PatternRewriter &b) const override {
    FailureOr<Collapsed> source = collapsed(op.getSource());
    auto type = dyn_cast<RankedTensorType>(op.getDest().getType());
    auto argument = dyn_cast<BlockArgument>(op.getDest());
    if (failed(source) || !type || !argument)
      return b.notifyMatchFailure(op, "stores no collapsed result in an argument");
    RankedTensorType wide = wideType(type, source->groups, source->extents);
    if (!wide) return b.notifyMatchFailure(op, "extents known here only are not kept");
    if (!placeAfter(source->extents, argument.getOwner(), b))
      return b.notifyMatchFailure(op, "the extents are computed elsewhere");
    Value view = tensor::ExpandShapeOp::create(b, op.getLoc(), wide, argument, source->groups,
                                               source->extents);
    b.setInsertionPoint(op);
    Value stored =
        bufferization::MaterializeInDestinationOp::create(b, op.getLoc(), source->wide, view)
            .getResult();
    b.replaceOpWithNewOp<tensor::CollapseShapeOp>(op, type, stored, source->groups);
    return success();
  }

  /// Right after the extents, and so before what computes the value: only a
  /// view that is there by then can take the place of its buffer.
  static bool placeAfter(ArrayRef<OpFoldResult> extents, Block *block, PatternRewriter &b) {
    b.setInsertionPointToStart(block);
    for (OpFoldResult extent : extents) {
      auto value = dyn_cast_if_present<Value>(extent);
      Operation *def = value ? value.getDefiningOp() : nullptr;
      if (!def) continue;
      if (def->getBlock() != block) return false;
      if (b.getInsertionPoint() == block->end() || !def->isBeforeInBlock(&*b.getInsertionPoint()))
        b.setInsertionPointAfter(def);
    }
    return true;
  }
};

struct SinkReshapesPass : impl::SinkReshapesBase<SinkReshapesPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SinkThroughElementwise, SinkIntoDestination>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) signalPassFailure();
  }
};

}  // namespace
}  // namespace adze
