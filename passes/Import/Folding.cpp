#include "passes/Import/Folding.h"

#include "dialects/Graph/Graph.h"
#include "lib/Reference/Fold.h"
#include "lib/Support/Checked.h"

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

/// Bytes of a static type, a byte for each sub-byte element; -1 when dynamic.
static int64_t bytesOf(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  if (!tensor.hasStaticShape()) return -1;
  auto bytes = checkedMul(tensor.getNumElements(), (tensor.getElementTypeBitWidth() + 7) / 8);
  return bytes.value_or(INT64_MAX);
}

/// The evaluator is exact, not fast: products of more than this stay.
static constexpr int64_t kMaxAnchorBytes = 64 << 10;

static bool isCostly(Operation *op) {
  return isa<graph::ConvOp, graph::ConvTransposeOp, graph::MatmulOp, graph::RecurrentOp,
             graph::PoolOp, graph::ResizeOp, graph::NmsOp, graph::UniqueOp>(op);
}

int64_t Folder::allowance(Operation *op) const {
  if (op->getNumRegions()) return 0;
  int64_t in = 0, out = 0;
  for (Value v : op->getOperands()) {
    if (!v.getDefiningOp<graph::ConstantOp>()) return 0;
    in += bytesOf(v.getType());
  }
  bool dynamic = false;
  for (Type type : op->getResultTypes()) {
    int64_t bytes = bytesOf(type);
    dynamic |= bytes < 0;
    out = bytes > INT64_MAX - out ? INT64_MAX : out + std::max<int64_t>(bytes, 0);
  }
  if (isCostly(op) && (in > kMaxAnchorBytes || out > kMaxAnchorBytes)) return 0;
  int64_t most = std::max(kSmallBytes, in <= INT64_MAX / kMaxGrowth ? in * kMaxGrowth : INT64_MAX);
  most = std::min(most, std::max(kSmallBytes, kBudgetBytes + in - bytesMade_));
  return dynamic || out <= most ? most : 0;
}

SmallVector<Value, 2> Folder::fold(OpBuilder &b, Operation *op) {
  Value known;
  if (foldKnownInts(b, op, known)) {
    op->erase();
    return {known};
  }
  SmallVector<Value, 2> results(op->getResults());
  int64_t most = allowance(op);
  if (most == 0) return results;
  auto values = reference::foldConstants(op, most);
  if (!values || values->size() != results.size()) return results;
  // What grows counts; a transposed weight takes the place of the old one.
  int64_t in = 0;
  for (Value v : op->getOperands()) in += bytesOf(v.getType());
  for (auto [result, value] : llvm::zip(results, *values)) {
    bytesMade_ += std::max<int64_t>(bytesOf(value.getType()) - std::exchange(in, 0), 0);
    result = graph::ConstantOp::create(b, op->getLoc(), value);
  }
  op->erase();
  return results;
}

}  // namespace adze::convert
