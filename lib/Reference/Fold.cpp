// Constants out of evaluated ops.
#include "lib/Reference/Fold.h"

#include "dialects/Graph/Graph.h"
#include "lib/Reference/Evaluate.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/xxhash.h"

#include <cstdlib>
#include <cstring>

using namespace mlir;

namespace adze::reference {

constexpr int64_t kMaxUniquedBytes = 1024;

/// Bytes in the attribute's own layout: narrow integers without their extension.
static DenseElementsAttr denseAttr(const Tensor &t) {
  ArrayRef<char> bytes(t.bytes(), t.byteSize());
  unsigned width = t.element().getIntOrFloatBitWidth();
  if (t.size() == 0) return DenseElementsAttr::get(t.type(), ArrayRef<Attribute>());
  if (width == 1) {
    SmallVector<bool> bools(bytes.begin(), bytes.end());
    return DenseElementsAttr::get(t.type(), ArrayRef<bool>(bools));
  }
  if (width >= 8) return DenseElementsAttr::getFromRawBuffer(t.type(), bytes);
  SmallVector<char> masked;
  for (char b : bytes) masked.push_back(char(b & ((1 << width) - 1)));
  return DenseElementsAttr::getFromRawBuffer(t.type(), masked);
}

static bool sameBytes(const DialectResourceBlobManager::BlobEntry *entry, ArrayRef<char> bytes) {
  return entry && entry->getBlob() && entry->getBlob()->getData() == bytes;
}

static ElementsAttr resourceAttr(const Tensor &t) {
  ArrayRef<char> bytes(t.bytes(), t.byteSize());
  uint64_t hash =
      llvm::xxh3_64bits(ArrayRef(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  std::string name = "folded_" + llvm::utohexstr(hash, /*LowerCase=*/true, /*Width=*/16);
  auto &blobs = DenseResourceElementsHandle::getManagerInterface(t.type().getContext());
  auto *entry = blobs.getBlobManager().lookup(name);
  if (sameBytes(entry, bytes)) {
    auto *dialect = t.type().getContext()->getLoadedDialect<BuiltinDialect>();
    return DenseResourceElementsAttr::get(t.type(), DenseResourceElementsHandle(entry, dialect));
  }
  // Memory of another constant, which a reshape hands on, may go before this one.
  if (!t.owner())
    return DenseResourceElementsAttr::get(
        t.type(), name, HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, size_t(t.elementBytes())));
  // The tensor's memory becomes the blob's; nothing is copied.
  AsmResourceBlob blob(bytes, size_t(t.elementBytes()), [owner = t.owner()](void *, size_t, size_t) {},
                       /*dataIsMutable=*/false);
  return DenseResourceElementsAttr::get(t.type(), name, std::move(blob));
}

ElementsAttr toAttr(const Tensor &t) {
  bool narrow = t.element().getIntOrFloatBitWidth() < 8;
  if (narrow || t.byteSize() <= kMaxUniquedBytes) return denseAttr(t);
  return resourceAttr(t);
}

/// Operands as tensors, when all are constants.
static std::optional<Tensors> constantOperands(Operation *op) {
  Tensors inputs;
  for (Value v : op->getOperands()) {
    auto constant = v.getDefiningOp<graph::ConstantOp>();
    auto t = constant ? Tensor::fromAttr(constant.getValue()) : std::nullopt;
    if (!t) return std::nullopt;
    inputs.push_back(std::move(*t));
  }
  return inputs;
}

std::optional<SmallVector<ElementsAttr>> foldConstants(Operation *op, int64_t maxBytes) {
  if (op->getNumRegions() || !op->getNumResults() || isa<graph::ConstantOp>(op) ||
      !hasEvaluator(op->getName().getStringRef()))
    return std::nullopt;
  std::optional<Tensors> inputs = constantOperands(op);
  if (!inputs) return std::nullopt;
  Options options;
  options.maxBytes = maxBytes;
  FailureOr<Tensors> results = evaluate(op, *inputs, nullptr, options);
  if (failed(results)) return std::nullopt;
  SmallVector<ElementsAttr> attrs;
  for (const Tensor &t : *results) attrs.push_back(toAttr(t));
  return attrs;
}

}  // namespace adze::reference
