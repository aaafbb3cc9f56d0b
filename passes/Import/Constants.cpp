#include "passes/Import/Constants.h"

#include "dialects/Graph/Graph.h"

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

#include <cmath>
#include <cstring>

using namespace mlir;

namespace adze::convert {

IntegerAttr intAttrOf(Type element, int64_t value) {
  unsigned width = cast<IntegerType>(element).getWidth();
  APInt bits(64, uint64_t(value));
  return IntegerAttr::get(element, bits.sextOrTrunc(width));
}

TypedAttr numberAttr(Type element, double value) {
  if (isa<IntegerType>(element)) return intAttrOf(element, int64_t(value));
  auto type = dyn_cast<FloatType>(element);
  if (!type) return {};
  APFloat exact(value);
  bool inexact = false;
  exact.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven, &inexact);
  return FloatAttr::get(type, exact);
}

ElementsAttr constantOf(Value v) {
  auto op = v ? v.getDefiningOp<graph::ConstantOp>() : nullptr;
  return op ? op.getValue() : ElementsAttr();
}

static SmallVector<double> rawFloats(DenseResourceElementsAttr resource, int64_t count) {
  SmallVector<double> out;
  AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  if (!blob) return out;
  auto type = cast<FloatType>(resource.getElementType());
  size_t size = type.getWidth() / 8;
  ArrayRef<char> bytes = blob->getData();
  if (bytes.size() < size * count) return out;
  for (int64_t i = 0; i < count; ++i) {
    uint64_t bits = 0;
    // Blobs may point into a file, at any alignment.
    std::memcpy(&bits, bytes.data() + i * size, size);
    APFloat value(type.getFloatSemantics(), APInt(type.getWidth(), bits));
    bool inexact = false;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &inexact);
    out.push_back(value.convertToDouble());
  }
  return out;
}

std::optional<SmallVector<double>> constantFloats(Value v, int64_t limit) {
  ElementsAttr attr = constantOf(v);
  if (!attr || attr.getNumElements() > limit || !isa<FloatType>(attr.getElementType()))
    return std::nullopt;
  SmallVector<double> out;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    out = rawFloats(resource, attr.getNumElements());
    if (int64_t(out.size()) != attr.getNumElements()) return std::nullopt;
    return out;
  }
  auto dense = dyn_cast<DenseElementsAttr>(attr);
  if (!dense) return std::nullopt;
  for (APFloat value : dense.getValues<APFloat>()) {
    bool inexact = false;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &inexact);
    out.push_back(value.convertToDouble());
  }
  return out;
}

std::optional<double> constantScalar(Value v) {
  ElementsAttr attr = constantOf(v);
  if (!attr || attr.getNumElements() != 1) return std::nullopt;
  if (auto floats = constantFloats(v, 1)) return floats->front();
  if (auto ints = graph::constantInts(v)) return double(ints->front());
  return std::nullopt;
}

}  // namespace adze::convert
