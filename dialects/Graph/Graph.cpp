// The adze (graph) dialect: registration, region ops, folders.
#include "dialects/Graph/Graph.h"

#include "lib/Support/Winograd.h"

#include "mlir/IR/DialectImplementation.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

#include "dialects/Graph/GraphDialect.cpp.inc"
#include "dialects/Graph/GraphEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Graph/GraphAttrs.cpp.inc"

namespace adze::graph {

void AdzeDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/Graph/GraphAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Graph/GraphOps.cpp.inc"
      >();
}

Operation *AdzeDialect::materializeConstant(OpBuilder &b, Attribute value, Type type,
                                            Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || !isa<RankedTensorType>(type)) return nullptr;
  return ConstantOp::create(b, loc, type, elements);
}

SmallVector<int64_t> PanelsAttr::storedShape(ArrayRef<int64_t> shape) const {
  SmallVector<int64_t> stored(shape);
  if (getWinograd()) stored[0] = stored[1] = getWinograd() + 2;
  stored.back() = getTile();
  stored.insert(stored.begin(), llvm::divideCeil(shape.back(), getTile()));
  return stored;
}

LogicalResult PanelsAttr::verifyEncoding(
    ArrayRef<int64_t> shape, Type element, function_ref<InFlightDiagnostic()> emitError) const {
  StringRef why = whyNot(shape);
  if (why.empty() && getWinograd() && !element.isF32() && !element.isF64())
    why = "coefficients of a Winograd convolution are f32 or f64";
  return why.empty() ? success() : LogicalResult(emitError() << why);
}

StringRef PanelsAttr::whyNot(ArrayRef<int64_t> shape) const {
  if (getTile() <= 0) return "panels need at least one column";
  if (shape.empty() || ShapedType::isDynamicShape(shape))
    return "panels need static extents, and one at least";
  if (getWinograd() && getWinograd() != kWinogradTile) return "winograd is 4, or left out";
  if (getWinograd() && (shape.size() != 4 || shape[0] != 3 || shape[1] != 3))
    return "coefficients of a Winograd convolution are those of a 3x3 kernel";
  return "";
}

RankedTensorType storedType(RankedTensorType type) {
  PanelsAttr panels = layoutOf(type);
  if (!panels) return type;
  return RankedTensorType::get(panels.storedShape(type.getShape()), type.getElementType());
}

DialectResourceBlobManager::BlobEntry *blobOf(Attribute value) {
  auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(value);
  return resource ? resource.getRawHandle().getResource() : nullptr;
}

void releaseUnused(Operation *root, ArrayRef<ElementsAttr> values) {
  llvm::SmallPtrSet<void *, 16> used;
  root->walk([&](ConstantOp op) { used.insert(blobOf(op.getValue())); });
  for (ElementsAttr value : values)
    if (auto *blob = blobOf(value); blob && !used.contains(blob)) blob->setBlob(AsmResourceBlob());
}

static Attribute encodingOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? tensor.getEncoding() : Attribute();
}

bool compatibleTypes(TypeRange l, TypeRange r) {
  if (l.size() != r.size()) return false;
  for (auto [a, b] : llvm::zip(l, r)) {
    if (encodingOf(a) != encodingOf(b)) return false;
    if (getElementTypeOrSelf(a) != getElementTypeOrSelf(b)) return false;
    if (failed(verifyCompatibleShape(a, b))) return false;
  }
  return true;
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult ConstantOp::verify() {
  if (getValue().getShapedType() != getType())
    return emitOpError("value has type ") << getValue().getShapedType() << ", result "
                                          << getType();
  auto resource = dyn_cast<DenseResourceElementsAttr>(getValue());
  if (!resource) return success();
  // Text can name a resource without giving it, or give it another size.
  AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  size_t width = std::max<size_t>(8, resource.getElementType().getIntOrFloatBitWidth()) / 8;
  if (!blob || blob->getData().size() / width != size_t(resource.getNumElements()))
    return emitOpError("has no resource '") << resource.getRawHandle().getKey() << "' of the size of "
                                            << getType();
  return success();
}

OpFoldResult TransposeOp::fold(FoldAdaptor) {
  ArrayRef<int64_t> perm = getPerm();
  bool identity = llvm::all_of(llvm::enumerate(perm),
                               [](auto p) { return int64_t(p.index()) == p.value(); });
  if (identity && getX().getType() == getType()) return getX();
  return {};
}

/// The region's yield has exactly `types` (up to how static they are).
static LogicalResult verifyYield(Operation *op, Region &region, TypeRange types,
                                 StringRef what) {
  auto yield = dyn_cast<YieldOp>(region.front().getTerminator());
  if (!yield) return op->emitOpError() << what << " does not end in adze.yield";
  if (!compatibleTypes(yield.getOperandTypes(), types))
    return op->emitOpError() << what << " yields types that differ from the results'";
  return success();
}

LogicalResult IfOp::verify() {
  if (!getCondition().getType().hasStaticShape() || getCondition().getType().getNumElements() != 1)
    return emitOpError("needs a condition of exactly one element");
  if (getThenRegion().getNumArguments() || getElseRegion().getNumArguments())
    return emitOpError("has regions with arguments");
  if (failed(verifyYield(*this, getThenRegion(), getResultTypes(), "the then region")))
    return failure();
  return verifyYield(*this, getElseRegion(), getResultTypes(), "the else region");
}

static bool isScalar(Type type, unsigned width) {
  auto t = dyn_cast<RankedTensorType>(type);
  return t && t.getRank() == 0 && t.getElementType().isSignlessInteger(width);
}

LogicalResult LoopOp::verify() {
  Block &body = getBody().front();
  unsigned carried = getNumCarried();
  if (getNumResults() < carried) return emitOpError("has fewer results than carried values");
  if (body.getNumArguments() != carried + 2 || !isScalar(body.getArgument(0).getType(), 64) ||
      !isScalar(body.getArgument(1).getType(), 1))
    return emitOpError("body takes an iteration (i64), a condition (i1) and the carried values");
  if (!compatibleTypes(TypeRange(body.getArgumentTypes()).drop_front(2), getInits().getTypes()))
    return emitOpError("body arguments differ from the initial values");
  SmallVector<Type> yields{IntegerType::get(getContext(), 1)};
  yields[0] = RankedTensorType::get({}, yields[0]);
  TypeRange results = getResultTypes();
  llvm::append_range(yields, results.take_front(carried));
  for (Type t : results.drop_front(carried)) {
    auto stacked = cast<RankedTensorType>(t);
    if (stacked.getRank() == 0) return emitOpError("has a scan output of rank 0");
    yields.push_back(RankedTensorType::get(stacked.getShape().drop_front(),
                                           stacked.getElementType()));
  }
  return verifyYield(*this, getBody(), yields, "the body");
}

LogicalResult FusionOp::verify() {
  if (TypeRange(getBody().getArgumentTypes()) != TypeRange(getInputs().getTypes()))
    return emitOpError("block arguments differ from the inputs' types");
  return verifyYield(*this, getBody(), getResultTypes(), "the body");
}

}  // namespace adze::graph

#define GET_OP_CLASSES
#include "dialects/Graph/GraphOps.cpp.inc"
