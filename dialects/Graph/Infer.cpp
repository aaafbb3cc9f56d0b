// The checks that the inference functions share.
#include "dialects/Graph/Infer.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace adze::graph {

std::string shapeText(ArrayRef<int64_t> shape) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << '[';
  llvm::interleaveComma(shape, os, [&](int64_t d) {
    if (isDynamic(d))
      os << '?';
    else
      os << d;
  });
  os << ']';
  return text;
}

LogicalResult Infer::add(ArrayRef<int64_t> shape, Type element, PanelsAttr layout) {
  Shape atLeast(shape);
  for (int64_t &d : atLeast) {
    if (d < 0 && !isDynamic(d)) return error("the result would have a negative extent, ", d);
    if (isDynamic(d)) d = 1;
  }
  auto count = checkedNumElements(atLeast);
  if (count) count = checkedMul(*count, llvm::divideCeil(element.getIntOrFloatBitWidth(), 8));
  if (!count) return error("the result's shape ", shapeText(shape), " is too large");
  if (StringRef why = layout ? layout.whyNot(shape) : ""; !why.empty()) return error(why);
  types.push_back(RankedTensorType::get(shape, element, layout));
  return success();
}

LogicalResult Infer::addIndices(ArrayRef<int64_t> shape) {
  return add(shape, IntegerType::get(ctx, 64));
}

LogicalResult Infer::ranked(ValueRange operands, int anyLayout) const {
  for (auto [i, v] : llvm::enumerate(operands)) {
    auto type = dyn_cast<RankedTensorType>(v.getType());
    if (!type) return error("needs ranked tensors, got ", v.getType());
    if (!type.getElementType().isIntOrFloat())
      return error("elements of type ", type.getElementType(), " are not numbers");
    if (type.getEncoding() && static_cast<int>(i) != anyLayout)
      return error("operand ", i, " must be stored row-major, got ", type);
  }
  return success();
}

LogicalResult Infer::axis(int64_t axis, int64_t rank, StringRef of) const {
  if (axis >= 0 && axis < rank) return success();
  return error("axis ", axis, " is out of range for a rank-", rank, " ", of);
}

LogicalResult Infer::axes(ArrayRef<int64_t> axes, int64_t rank) const {
  for (auto [i, a] : llvm::enumerate(axes)) {
    if (failed(axis(a, rank))) return failure();
    if (i > 0 && axes[i - 1] == a) return error("axis ", a, " is given twice");
    if (i > 0 && axes[i - 1] > a) return error("axes are not sorted");
  }
  return success();
}

LogicalResult Infer::rankIs(Value v, int64_t rank, StringRef name) const {
  if (rankOf(v) == rank) return success();
  return error(name, " must have rank ", rank, ", got rank ", rankOf(v));
}

LogicalResult Infer::rankAtLeast(Value v, int64_t rank, StringRef name) const {
  if (rankOf(v) >= rank) return success();
  return error(name, " must have rank ", rank, " or more, got rank ", rankOf(v));
}

LogicalResult Infer::list(Value v, int64_t size, StringRef name) const {
  if (failed(rankIs(v, 1, name))) return failure();
  int64_t got = shapeOf(v)[0];
  if (isDynamic(got) || isDynamic(size) || got == size) return success();
  return error(name, " must have ", size, " entries, got ", got);
}

LogicalResult Infer::entries(ArrayRef<int64_t> attr, int64_t size, int64_t least,
                             StringRef name) const {
  if (int64_t(attr.size()) != size)
    return error(name, " must have ", size, " entries, got ", attr.size());
  for (int64_t v : attr)
    if (v < least) return error(name, " must be at least ", least, ", got ", v);
  return success();
}

LogicalResult Infer::elements(Value v, Type type, StringRef name) const {
  if (elementOf(v) == type) return success();
  return error(name, " must have elements of type ", type, ", got ", elementOf(v));
}

LogicalResult Infer::floats(Value v, StringRef name) const {
  if (isa<FloatType>(elementOf(v))) return success();
  return error(name, " must have floating-point elements, got ", elementOf(v));
}

LogicalResult Infer::indices(Value v) const {
  Type type = elementOf(v);
  if (type.isSignlessInteger(32) || type.isSignlessInteger(64)) return success();
  return error("indices must be i32 or i64, got ", type);
}

LogicalResult Infer::sameExtent(int64_t &a, int64_t b, StringRef what) const {
  if (isDynamic(b) || a == b) return success();
  if (!isDynamic(a)) return error(what, " differ: ", a, " and ", b);
  a = b;
  return success();
}

LogicalResult Infer::broadcastsTo(Value v, ArrayRef<int64_t> shape, StringRef name) const {
  ArrayRef<int64_t> from = shapeOf(v);
  bool fits = from.size() <= shape.size();
  if (fits)
    for (auto [a, b] : llvm::zip(from, shape.take_back(from.size())))
      fits &= a == 1 || a == b || isDynamic(a) || isDynamic(b);
  if (fits) return success();
  return error(name, " of shape ", shapeText(from), " does not broadcast to ", shapeText(shape));
}

PartialInts knownInts(Value v, int64_t n) {
  if (auto known = partialInts(v); known && int64_t(known->size()) == n) return *known;
  return PartialInts(n, std::nullopt);
}

}  // namespace adze::graph
