// Constants -> the weights section.
#include "dialects/Graph/Graph.h"
#include "dialects/Rt/Rt.h"
#include "passes/Rt/Passes.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_EXTERNALIZECONSTANTS
#include "passes/Rt/Passes.h.inc"

static constexpr int64_t kWeightAlignment = 64;
static constexpr int64_t kInlineElements = 16;

/// The elements as generated code reads them, when they lie in memory so;
/// an empty ref when they have to be expanded.
static ArrayRef<char> storedBytes(ElementsAttr value) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob ? blob->getData() : ArrayRef<char>();
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense || dense.isSplat() || dense.getElementType().isInteger(1)) return {};
  return dense.getRawData();
}

/// Splats and bools, written out.
static std::vector<char> expandedBytes(DenseElementsAttr dense) {
  std::vector<char> out;
  if (dense.getElementType().isInteger(1)) {
    for (bool v : dense.getValues<bool>()) out.push_back(v ? 1 : 0);
    return out;
  }
  ArrayRef<char> one = dense.getRawData();
  for (int64_t i = 0; i < dense.getNumElements(); ++i) out.insert(out.end(), one.begin(), one.end());
  return out;
}

int64_t WeightPool::add(ElementsAttr value, int64_t &byteSize) {
  if (auto it = byAttr_.find(value); it != byAttr_.end()) {
    byteSize = it->second.second;
    return it->second.first;
  }
  ArrayRef<char> bytes = storedBytes(value);
  if (bytes.empty() && isa<DenseElementsAttr>(value)) {
    owned_.push_back(
        std::make_shared<std::vector<char>>(expandedBytes(cast<DenseElementsAttr>(value))));
    bytes = *owned_.back();
  }
  byteSize = bytes.size();
  uint64_t hash = llvm::xxh3_64bits(llvm::ArrayRef<uint8_t>(
      reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  for (size_t i : byHash_[hash])
    if (pieces_[i].bytes == bytes) return (byAttr_[value] = {pieces_[i].offset, byteSize}).first;
  int64_t offset = (size_ + kWeightAlignment - 1) / kWeightAlignment * kWeightAlignment;
  byHash_[hash].push_back(pieces_.size());
  pieces_.push_back({offset, bytes});
  size_ = offset + byteSize;
  byAttr_[value] = {offset, byteSize};
  return offset;
}

namespace {
struct ExternalizeConstantsPass : impl::ExternalizeConstantsBase<ExternalizeConstantsPass> {
  ExternalizeConstantsPass() : pool(std::make_shared<WeightPool>()) {}
  explicit ExternalizeConstantsPass(std::shared_ptr<WeightPool> pool) : pool(std::move(pool)) {}

  void runOnOperation() override {
    SmallVector<graph::ConstantOp> constants;
    getOperation().walk([&](graph::ConstantOp op) {
      if (op.getType().getNumElements() > kInlineElements) constants.push_back(op);
    });
    for (graph::ConstantOp op : constants) {
      int64_t bytes = 0;
      int64_t offset = pool->add(op.getValue(), bytes);
      OpBuilder b(op);
      Value v = rt::ConstantOp::create(b, op.getLoc(), op.getType(), offset, bytes);
      op.getResult().replaceAllUsesWith(v);
      op.erase();
    }
    numBytes = pool->size();
  }

  std::shared_ptr<WeightPool> pool;
};
}  // namespace

std::unique_ptr<Pass> createExternalizeConstants(std::shared_ptr<WeightPool> pool) {
  return std::make_unique<ExternalizeConstantsPass>(std::move(pool));
}

}  // namespace adze
