// Tensor values: memory, and the way in from constants.
#include "lib/Reference/Tensor.h"

#include "lib/Support/Checked.h"

#include "mlir/IR/DialectResourceBlobManager.h"

#include <cstdlib>
#include <cstring>

using namespace mlir;

namespace adze::reference {

int64_t storedBytes(Type type) {
  unsigned bits = type.getIntOrFloatBitWidth();
  return bits <= 8 ? 1 : (bits + 7) / 8;
}

SmallVector<int64_t> stridesOf(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i > 1; --i) strides[i - 2] = strides[i - 1] * shape[i - 1];
  return strides;
}

/// Elements and bytes of `type`; nullopt when they do not fit.
static std::optional<std::pair<int64_t, int64_t>> sizeOf(RankedTensorType type) {
  auto count = checkedNumElements(type.getShape());
  if (!count || !checkedMul(*count, storedBytes(type.getElementType()))) return std::nullopt;
  return std::pair(*count, storedBytes(type.getElementType()));
}

std::optional<Tensor> Tensor::zeros(RankedTensorType type) {
  auto size = sizeOf(type);
  if (!size) return std::nullopt;
  void *memory = std::calloc(std::max<size_t>(size->first, 1), size->second);
  if (!memory) return std::nullopt;
  Tensor t;
  t.type_ = type;
  std::tie(t.size_, t.elementBytes_) = *size;
  t.bytes_ = static_cast<const char *>(memory);
  t.owner_ = std::shared_ptr<const void>(memory, std::free);
  return t;
}

std::optional<Tensor> Tensor::view(RankedTensorType type, ArrayRef<char> bytes,
                                   std::shared_ptr<const void> owner) {
  auto size = sizeOf(type);
  if (!size || int64_t(bytes.size()) != size->first * size->second) return std::nullopt;
  if (bytes.empty() || reinterpret_cast<uintptr_t>(bytes.data()) % size->second) {
    auto copy = zeros(type);
    if (copy && !bytes.empty()) std::memcpy(copy->mutableBytes(), bytes.data(), bytes.size());
    return copy;
  }
  Tensor t;
  t.type_ = type;
  std::tie(t.size_, t.elementBytes_) = *size;
  t.bytes_ = bytes.data();
  t.owner_ = std::move(owner);
  return t;
}

Tensor Tensor::as(RankedTensorType type) const {
  Tensor t = *this;
  t.type_ = type;
  return t;
}

/// A dense constant whose elements are not whole bytes: bool is packed to bits
/// there, signed narrow integers are not extended.
static std::optional<Tensor> unpacked(DenseElementsAttr attr, RankedTensorType type) {
  auto t = Tensor::zeros(type);
  if (!t) return t;
  int8_t *to = t->mutableData<int8_t>().data();
  if (type.getElementType().isInteger(1)) {
    for (bool v : attr.getValues<bool>()) *to++ = v;
    return t;
  }
  ArrayRef<char> raw = attr.getRawData();
  for (int64_t i = 0; i < t->size(); ++i) {
    int8_t v = raw[attr.isSplat() ? 0 : i];
    to[i] = isFloat(t->element()) ? v : int8_t(wrapInt(t->element(), v));
  }
  return t;
}

static std::optional<Tensor> splat(DenseElementsAttr attr, RankedTensorType type) {
  auto t = Tensor::zeros(type);
  if (!t) return t;
  ArrayRef<char> one = attr.getRawData();
  for (int64_t i = 0; i < t->size(); ++i)
    std::memcpy(t->mutableBytes() + i * one.size(), one.data(), one.size());
  return t;
}

std::optional<Tensor> Tensor::fromAttr(ElementsAttr attr) {
  auto type = dyn_cast<RankedTensorType>(attr.getType());
  if (!type || !type.getElementType().isIntOrFloat()) return std::nullopt;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    return blob ? view(type, blob->getData(), nullptr) : std::nullopt;
  }
  auto dense = dyn_cast<DenseElementsAttr>(attr);
  if (!dense) return std::nullopt;
  if (type.getNumElements() == 0) return zeros(type);
  if (type.getElementTypeBitWidth() < 8) return unpacked(dense, type);
  if (dense.isSplat()) return splat(dense, type);
  return view(type, dense.getRawData(), nullptr);
}

}  // namespace adze::reference
