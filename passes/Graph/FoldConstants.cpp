// adze-fold-constants
#include "lib/Reference/Fold.h"
#include "passes/Graph/Passes.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {
#define GEN_PASS_DEF_FOLDCONSTANTS
#include "passes/Graph/Passes.h.inc"

namespace {

constexpr int64_t kAlwaysBytes = 4096;
constexpr int64_t kMostGrowth = 4;

int64_t bytesOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  int64_t width = std::max<int64_t>(8, tensor.getElementTypeBitWidth());
  int64_t count = 1;
  for (int64_t extent : tensor.getShape())
    if (llvm::MulOverflow(count, extent, count)) return INT64_MAX;
  return llvm::MulOverflow(count, width / 8, count) ? INT64_MAX : count;
}

ElementsAttr constantOf(Value v) {
  auto op = v.getDefiningOp<ConstantOp>();
  return op ? op.getValue() : ElementsAttr();
}

/// The result as a constant when each of its integers is known.
ElementsAttr knownIntegers(Operation *op) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  if (!type.getElementType().isSignlessInteger(64) || !type.hasStaticShape()) return {};
  auto known = partialInts(op->getResult(0));
  if (!known || int64_t(known->size()) != type.getNumElements()) return {};
  SmallVector<int64_t> values;
  for (std::optional<int64_t> v : *known) {
    if (!v) return {};
    values.push_back(*v);
  }
  return DenseIntElementsAttr::get(type, values);
}

/// Worth its place in the artifact.
bool isSmallEnough(Operation *op) {
  int64_t operands = 0, results = 0;
  for (Value v : op->getOperands()) operands += bytesOf(v.getType());
  for (Type t : op->getResultTypes()) {
    if (!cast<RankedTensorType>(t).hasStaticShape()) return false;
    if (llvm::AddOverflow(results, bytesOf(t), results)) return false;
  }
  return results <= kAlwaysBytes || results / kMostGrowth <= operands;
}

/// A splat that only moves stays one, without being written out.
ElementsAttr movedSplat(Operation *op) {
  if (!isa<TransposeOp, ReshapeOp, ExpandOp, TileOp>(op)) return {};
  auto dense = dyn_cast<DenseElementsAttr>(constantOf(op->getOperand(0)));
  if (!dense || !dense.isSplat()) return {};
  return dense.resizeSplat(cast<RankedTensorType>(op->getResult(0).getType()));
}

/// Constants in place of the results; empty: the op stays.
SmallVector<ElementsAttr> folded(Operation *op) {
  if (op->getNumResults() == 1)
    if (ElementsAttr known = knownIntegers(op)) return {known};
  bool constant = llvm::all_of(op->getOperands(), [](Value v) { return bool(constantOf(v)); });
  if (!constant || op->getNumOperands() == 0 || !isSmallEnough(op)) return {};
  if (ElementsAttr splat = movedSplat(op)) return {splat};
  constexpr int64_t kMostBytes = int64_t(1) << 31;
  return reference::foldConstants(op, kMostBytes).value_or(SmallVector<ElementsAttr>());
}

struct FoldConstantsPass : public impl::FoldConstantsBase<FoldConstantsPass> {
  void runOnOperation() override {
    SmallVector<Operation *> dead;
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isa<AdzeDialect>(op->getDialect()) || op->getNumRegions() != 0) return;
      if (op->getNumResults() == 0 || isa<ConstantOp>(op) || !isPure(op)) return;
      if (isa<RelayoutOp>(op)) return;  // constants are row-major
      bool tensors = llvm::all_of(op->getResultTypes(), [](Type t) { return isa<RankedTensorType>(t); });
      SmallVector<ElementsAttr> values = tensors ? folded(op) : SmallVector<ElementsAttr>();
      // A value of a more static type than the result's may not suit its users.
      bool fits = llvm::equal(op->getResultTypes(), values, [](Type t, ElementsAttr v) {
        return v.getType() == t;
      });
      if (!fits) return;
      replace(op, values);
      dead.push_back(op);
    });
    for (Operation *op : llvm::reverse(dead)) op->erase();
    // Folded operands are dead now; large ones should not wait for another pass.
    SmallVector<ElementsAttr> gone;
    getOperation()->walk([&](ConstantOp op) {
      if (!op.use_empty()) return;
      gone.push_back(op.getValue());
      op.erase();
    });
    if (isa<ModuleOp>(getOperation())) releaseUnused(getOperation(), gone);
  }

  void replace(Operation *op, ArrayRef<ElementsAttr> values) {
    OpBuilder b(op);
    for (auto [result, value] : llvm::zip(op->getResults(), values)) {
      result.replaceAllUsesWith(ConstantOp::create(b, op->getLoc(), value).getResult());
      numBytes += bytesOf(result.getType());
    }
    ++numFolded;
  }
};

}  // namespace
}  // namespace adze
