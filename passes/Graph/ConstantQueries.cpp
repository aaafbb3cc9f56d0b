#include "passes/Graph/ConstantQueries.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {

std::optional<double> splatValue(Value v) {
  DenseElementsAttr dense;
  if (!matchPattern(v, m_Constant(&dense)) || dense.empty() || !dense.isSplat())
    return std::nullopt;
  if (auto type = dyn_cast<FloatType>(dense.getElementType())) {
    APFloat value = dense.getSplatValue<APFloat>();
    bool lost = false;
    value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
    return value.convertToDouble();
  }
  auto type = dyn_cast<IntegerType>(dense.getElementType());
  if (!type || type.getWidth() > 64) return std::nullopt;
  APInt bits = dense.getSplatValue<APInt>();
  constexpr int64_t kExact = int64_t(1) << 53;
  bool isUnsigned = type.isUnsigned() || type.getWidth() == 1;
  int64_t value = isUnsigned ? int64_t(bits.getZExtValue()) : bits.getSExtValue();
  if (value < -kExact || value > kExact) return std::nullopt;
  return double(value);
}

bool broadcastsInto(Value v, Value x) {
  auto from = cast<RankedTensorType>(v.getType()), to = cast<RankedTensorType>(x.getType());
  int64_t shift = to.getRank() - from.getRank();
  if (shift < 0) return false;
  for (int64_t i = 0; i < from.getRank(); ++i) {
    int64_t extent = from.getDimSize(i);
    if (ShapedType::isDynamic(extent) || (extent != 1 && extent != to.getDimSize(shift + i)))
      return false;
  }
  return true;
}

ElementwiseOp elementwise(Value v, ElementwiseFn fn) {
  auto op = v.getDefiningOp<ElementwiseOp>();
  return op && op.getFn() == fn ? op : ElementwiseOp();
}

bool atLeastAsStatic(Type type, Type other) {
  auto a = cast<RankedTensorType>(type), b = cast<RankedTensorType>(other);
  if (a.getElementType() != b.getElementType() || a.getRank() != b.getRank()) return false;
  for (auto [x, y] : llvm::zip(a.getShape(), b.getShape()))
    if (x != y && !ShapedType::isDynamic(y)) return false;
  return true;
}

}  // namespace adze
