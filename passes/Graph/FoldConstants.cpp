// adze-fold-constants
#include "passes/Graph/ConstantData.h"
#include "passes/Graph/Passes.h"

#ifdef ADZE_WITH_REFERENCE
#include "lib/Reference/Evaluate.h"
#endif

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

#ifdef ADZE_WITH_REFERENCE
/// All results by the reference evaluator; empty when it cannot.
SmallVector<ElementsAttr> evaluated(Operation *op) {
  SmallVector<reference::Tensor> inputs;
  for (Value v : op->getOperands()) {
    auto tensor = reference::Tensor::fromAttr(constantOf(v));
    if (!tensor) return {};
    inputs.push_back(std::move(*tensor));
  }
  auto results = reference::evaluate(op, inputs);
  SmallVector<ElementsAttr> out;
  if (failed(results)) return {};
  for (auto [tensor, type] : llvm::zip(*results, op->getResultTypes())) {
    auto owner = std::make_shared<reference::Tensor>(tensor);
    if (tensor.type() != type) return {};
    ElementsAttr attr = makeConstant(tensor.type(), {tensor.bytes(), size_t(tensor.byteSize())}, owner);
    if (!attr) return {};
    out.push_back(attr);
  }
  return out;
}
#else
SmallVector<ElementsAttr> evaluated(Operation *) { return {}; }
#endif

/// Constants in place of the results; empty: the op stays.
SmallVector<ElementsAttr> folded(Operation *op) {
  if (op->getNumResults() == 1)
    if (ElementsAttr known = knownIntegers(op)) return {known};
  bool constant = llvm::all_of(op->getOperands(), [](Value v) { return bool(constantOf(v)); });
  if (!constant || op->getNumOperands() == 0 || !isSmallEnough(op)) return {};
  // Weights move fast, without the evaluator.
  if (auto t = dyn_cast<TransposeOp>(op))
    if (ElementsAttr moved = transposeConstant(constantOf(t.getX()), t.getPerm())) return {moved};
  if (auto r = dyn_cast<ReshapeOp>(op))
    if (ElementsAttr same = reshapeConstant(constantOf(r.getX()), r.getType())) return {same};
  return evaluated(op);
}

struct FoldConstantsPass : public impl::FoldConstantsBase<FoldConstantsPass> {
  void runOnOperation() override {
    SmallVector<Operation *> dead;
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (!isa<AdzeDialect>(op->getDialect()) || op->getNumRegions() != 0) return;
      if (op->getNumResults() == 0 || isa<ConstantOp>(op) || !isPure(op)) return;
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
    getOperation()->walk([](ConstantOp op) {
      if (op.use_empty()) op.erase();
    });
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
