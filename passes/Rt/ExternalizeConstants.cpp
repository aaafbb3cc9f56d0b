// Constants -> the weights section.
#include "dialects/Graph/Graph.h"
#include "dialects/Rt/Rt.h"
#include "lib/Support/Winograd.h"
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

/// Rows of `columns` elements as panels of `tile` of them, the last one filled
/// up with zeros.
static std::vector<char> inPanels(ArrayRef<char> rows, int64_t columns, int64_t tile,
                                  int64_t elementBytes) {
  int64_t width = columns * elementBytes, panel = tile * elementBytes;
  int64_t height = width ? rows.size() / width : 0, panels = llvm::divideCeil(columns, tile);
  std::vector<char> out(panels * height * panel, 0);
  char *to = out.data();
  for (int64_t first = 0; first < width; first += panel)
    for (int64_t row = 0; row < height; ++row, to += panel)
      std::memcpy(to, rows.data() + row * width + first, std::min(panel, width - first));
  return out;
}

/// Weights [3, 3, rest] as the [6, 6, rest] coefficients G w G^T of a Winograd
/// convolution, computed in double precision.
template <typename T>
static std::vector<char> asCoefficients(ArrayRef<char> weights) {
  constexpr Winograd matrices = winogradMatrices();
  constexpr int64_t n = kWinogradPoints;
  int64_t rest = weights.size() / sizeof(T) / 9;
  std::vector<char> out(n * n * rest * sizeof(T));
  auto *from = reinterpret_cast<const T *>(weights.data());
  auto *to = reinterpret_cast<T *>(out.data());
  for (int64_t a = 0; a < n; ++a)
    for (int64_t b = 0; b < n; ++b, to += rest)
      for (int64_t r = 0; r < rest; ++r) {
        double sum = 0;
        for (int64_t i = 0; i < 3; ++i)
          for (int64_t j = 0; j < 3; ++j)
            sum += matrices.filter[a][i] * matrices.filter[b][j] * from[(i * 3 + j) * rest + r];
        to[r] = static_cast<T>(sum);
      }
  return out;
}

int64_t WeightPool::add(ElementsAttr value, graph::PanelsAttr layout, int64_t &byteSize) {
  Key key(value, layout);
  if (auto it = byAttr_.find(key); it != byAttr_.end()) {
    byteSize = it->second.second;
    return it->second.first;
  }
  ArrayRef<char> bytes = storedBytes(value);
  auto own = [&](std::vector<char> made) {
    owned_.push_back(std::make_shared<std::vector<char>>(std::move(made)));
    bytes = *owned_.back();
  };
  if (bytes.empty() && isa<DenseElementsAttr>(value))
    own(expandedBytes(cast<DenseElementsAttr>(value)));
  int64_t elementBytes = bytes.size() / std::max<int64_t>(1, value.getNumElements());
  if (layout && layout.getWinograd())
    own(elementBytes == sizeof(float) ? asCoefficients<float>(bytes) : asCoefficients<double>(bytes));
  if (layout && !bytes.empty()) {
    auto shape = cast<ShapedType>(value.getType()).getShape();
    own(inPanels(bytes, shape.back(), layout.getTile(), elementBytes));
  }
  byteSize = bytes.size();
  uint64_t hash = llvm::xxh3_64bits(llvm::ArrayRef<uint8_t>(
      reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()));
  for (size_t i : byHash_[hash])
    if (pieces_[i].bytes == bytes) return (byAttr_[key] = {pieces_[i].offset, byteSize}).first;
  int64_t offset = (size_ + kWeightAlignment - 1) / kWeightAlignment * kWeightAlignment;
  byHash_[hash].push_back(pieces_.size());
  pieces_.push_back({offset, bytes});
  size_ = offset + byteSize;
  byAttr_[key] = {offset, byteSize};
  return offset;
}

namespace {
struct ExternalizeConstantsPass : impl::ExternalizeConstantsBase<ExternalizeConstantsPass> {
  ExternalizeConstantsPass() : pool(std::make_shared<WeightPool>()) {}
  ExternalizeConstantsPass(std::shared_ptr<WeightPool> pool, bool small)
      : pool(std::move(pool)), small(small) {}

  void runOnOperation() override {
    SmallVector<graph::ConstantOp> constants;
    llvm::DenseMap<void *, int> uses;  // of resources that may be freed on the way
    getOperation().walk([&](graph::ConstantOp op) {
      constants.push_back(op);
      ++uses[graph::blobOf(op.getValue())];
    });
    for (graph::ConstantOp op : constants) {
      ElementsAttr value = op.getValue();
      for (Operation *user : llvm::make_early_inc_range(op->getUsers()))
        if (auto relayout = dyn_cast<graph::RelayoutOp>(user)) externalize(relayout, value);
      auto *blob = graph::blobOf(value);
      if (op.use_empty()) {
        op.erase();
        if (blob && --uses[blob] == 0) blob->setBlob(AsmResourceBlob());
      } else if (op.getType().getNumElements() > kInlineElements) {
        externalize(op, value);  // the pool refers to the resource from now on
      } else if (small && op.getType().getNumElements() > 0 && !op->getParentOfType<graph::FusionOp>()) {
        externalizeData(op);
      }
    }
    numBytes = pool->size();
  }

  /// `value` in the layout of the op's result takes the op's place.
  void externalize(Operation *op, ElementsAttr value) {
    int64_t bytes = 0;
    Type type = op->getResult(0).getType();
    int64_t offset = pool->add(value, graph::layoutOf(type), bytes);
    OpBuilder b(op);
    Value v = rt::ConstantOp::create(b, op->getLoc(), type, offset, bytes);
    op->getResult(0).replaceAllUsesWith(v);
    op->erase();
  }

  /// Where the constant is data; what an op outside of kernels takes besides are extents,
  /// which host code knows best as constants.
  void externalizeData(graph::ConstantOp op) {
    auto isData = [](OpOperand &use) {
      Operation *user = use.getOwner();
      return user->getNumRegions() != 0 || user->hasTrait<OpTrait::IsTerminator>() ||
             use.getOperandNumber() == 0;
    };
    if (llvm::none_of(op->getUses(), isData)) return;
    OpBuilder b(op);
    auto data = cast<graph::ConstantOp>(b.clone(*op));
    op->getResult(0).replaceUsesWithIf(data->getResult(0), isData);
    externalize(data, op.getValue());
    if (op.use_empty()) op.erase();
  }

  std::shared_ptr<WeightPool> pool;
  bool small = false;
};
}  // namespace

std::unique_ptr<Pass> createExternalizeConstants(std::shared_ptr<WeightPool> pool, bool small) {
  return std::make_unique<ExternalizeConstantsPass>(std::move(pool), small);
}

}  // namespace adze
