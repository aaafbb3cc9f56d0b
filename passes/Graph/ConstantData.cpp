#include "passes/Graph/ConstantData.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <cstring>

using namespace mlir;

namespace adze {

static constexpr size_t kUniquedBytes = 1024;

ArrayRef<char> constantBytes(ElementsAttr attr) {
  unsigned width = attr.getElementType().getIntOrFloatBitWidth();
  if (width % 8 != 0) return {};
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    bool fits = blob && blob->getData().size() == size_t(attr.getNumElements()) * (width / 8);
    return fits ? blob->getData() : ArrayRef<char>();
  }
  auto dense = dyn_cast<DenseElementsAttr>(attr);
  if (!dense || dense.isSplat()) return {};
  return dense.getRawData();
}

ElementsAttr makeConstant(RankedTensorType type, ArrayRef<char> bytes,
                          std::shared_ptr<const void> owner) {
  if (type.getElementType().isInteger(1)) {
    if (int64_t(bytes.size()) != type.getNumElements()) return {};
    SmallVector<bool> values;
    for (char c : bytes) values.push_back(c != 0);
    return DenseElementsAttr::get(type, values);
  }
  unsigned width = type.getElementTypeBitWidth();
  if (width % 8 != 0 || bytes.size() != size_t(type.getNumElements()) * (width / 8)) return {};
  if (bytes.size() <= kUniquedBytes) return DenseElementsAttr::getFromRawBuffer(type, bytes);
  constexpr size_t kAlignment = 16;
  AsmResourceBlob blob(bytes, kAlignment, [owner](void *, size_t, size_t) {},
                       /*dataIsMutable=*/false);
  return DenseResourceElementsAttr::get(type, "folded", std::move(blob));
}

/// Copies in the result's order; `strides` are the source's, per result axis.
template <typename T>
static void gatherStrided(const T *from, T *to, ArrayRef<int64_t> shape,
                          ArrayRef<int64_t> strides) {
  SmallVector<int64_t> index(shape.size(), 0);
  int64_t inner = shape.back(), step = strides.back(), at = 0;
  while (true) {
    for (int64_t i = 0; i < inner; ++i) *to++ = from[at + i * step];
    int64_t axis = int64_t(shape.size()) - 2;
    for (; axis >= 0; --axis) {
      at += strides[axis];
      if (++index[axis] < shape[axis]) break;
      at -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
    if (axis < 0) return;
  }
}

ElementsAttr transposeConstant(ElementsAttr attr, ArrayRef<int64_t> perm) {
  auto type = cast<RankedTensorType>(attr.getType());
  SmallVector<int64_t> shape, from(perm.size()), strides;
  int64_t step = 1;
  for (int64_t i = type.getRank() - 1; i >= 0; --i) from[i] = step, step *= type.getDimSize(i);
  for (int64_t p : perm) shape.push_back(type.getDimSize(p)), strides.push_back(from[p]);
  auto result = RankedTensorType::get(shape, type.getElementType());
  if (auto dense = dyn_cast<DenseElementsAttr>(attr); dense && dense.isSplat())
    return dense.resizeSplat(result);
  ArrayRef<char> bytes = constantBytes(attr);
  if (bytes.empty() || type.getRank() == 0) return {};
  unsigned width = type.getElementTypeBitWidth() / 8;
  // Wide enough for any element; the bytes of a vector may stand unaligned.
  auto out = std::make_shared<std::vector<uint64_t>>((bytes.size() + 7) / 8);
  char *to = reinterpret_cast<char *>(out->data());
  auto run = [&](auto element) {
    using T = decltype(element);
    std::vector<T> aligned;
    const T *source = reinterpret_cast<const T *>(bytes.data());
    if (reinterpret_cast<uintptr_t>(source) % alignof(T) != 0) {
      aligned.resize(bytes.size() / sizeof(T));
      std::memcpy(aligned.data(), bytes.data(), bytes.size());
      source = aligned.data();
    }
    gatherStrided(source, reinterpret_cast<T *>(to), shape, strides);
  };
  if (width == 1) run(uint8_t());
  else if (width == 2) run(uint16_t());
  else if (width == 4) run(uint32_t());
  else if (width == 8) run(uint64_t());
  else return {};
  return makeConstant(result, ArrayRef(to, bytes.size()), out);
}

ElementsAttr reshapeConstant(ElementsAttr attr, RankedTensorType type) {
  if (auto dense = dyn_cast<DenseElementsAttr>(attr))
    return dense.isSplat() ? dense.resizeSplat(type) : dense.reshape(type);
  auto resource = dyn_cast<DenseResourceElementsAttr>(attr);
  if (!resource) return {};
  // The same resource under another type: nothing is copied.
  return DenseResourceElementsAttr::get(type, resource.getRawHandle());
}

}  // namespace adze
