#include "passes/Import/Folding.h"

#include "dialects/Graph/Graph.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace adze::convert {

/// Replaces an index tensor of which every element is known.
bool Folder::foldKnownInts(OpBuilder &b, Operation *op, Value &result) {
  if (op->getNumResults() != 1) return false;
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !type.hasStaticShape() || !type.getElementType().isSignlessInteger(64)) return false;
  auto known = graph::partialInts(op->getResult(0));
  if (!known || llvm::is_contained(*known, std::nullopt)) return false;
  SmallVector<int64_t> values;
  for (std::optional<int64_t> v : *known) values.push_back(*v);
  if (int64_t(values.size()) != type.getNumElements()) return false;
  result = graph::ConstantOp::create(b, op->getLoc(), DenseElementsAttr::get(type, ArrayRef(values)));
  return true;
}

SmallVector<Value, 2> Folder::fold(OpBuilder &b, Operation *op) {
  Value known;
  if (foldKnownInts(b, op, known)) {
    op->erase();
    return {known};
  }
  return SmallVector<Value, 2>(op->getResults());
}

}  // namespace adze::convert
