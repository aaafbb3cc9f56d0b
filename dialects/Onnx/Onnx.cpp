#include "dialects/Onnx/Onnx.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace adze::onnxir {

bool isValueType(Type type) {
  if (isa<StringType>(type)) return false;
  if (isa<OnnxDialect>(type.getDialect())) return true;
  auto tensor = dyn_cast<TensorType>(type);
  return tensor && (tensor.getElementType().isIntOrFloat() ||
                    isa<ComplexType, StringType>(tensor.getElementType()));
}

bool isNodeAttribute(Attribute attr) {
  if (auto i = dyn_cast<IntegerAttr>(attr)) return i.getType().isSignlessInteger(64);
  if (auto f = dyn_cast<FloatAttr>(attr)) return f.getType().isF32();
  if (auto array = dyn_cast<ArrayAttr>(attr))
    return llvm::all_of(array, [](Attribute a) { return isa<StringAttr, ElementsAttr, TypeAttr>(a); });
  return isa<StringAttr, TypeAttr, DenseI64ArrayAttr, DenseF32ArrayAttr, ElementsAttr>(attr);
}

bool namesExtent(StringRef name) { return !name.empty() && name != "?" && name != "-1"; }

static LogicalResult verifyElement(function_ref<InFlightDiagnostic()> emitError, Type element) {
  if (isValueType(element) && !isa<NoneType>(element)) return success();
  return emitError() << "element type must be a tensor, sequence or optional, got " << element;
}

LogicalResult SequenceType::verify(function_ref<InFlightDiagnostic()> emitError, Type element) {
  return verifyElement(emitError, element);
}

LogicalResult OptionalType::verify(function_ref<InFlightDiagnostic()> emitError, Type element) {
  return verifyElement(emitError, element);
}

Attribute NodeOp::onnxAttr(StringRef name) {
  DictionaryAttr attrs = getOnnxAttributesAttr();
  return attrs ? attrs.get(name) : Attribute();
}

Region *NodeOp::body(StringRef name) {
  if (!getBodyNamesAttr()) return nullptr;
  for (auto [attr, region] : llvm::zip(getBodyNamesAttr(), getBodies()))
    if (cast<StringAttr>(attr) == name) return &region;
  return nullptr;
}

bool NodeOp::hasInput(unsigned i) {
  return i < getInputs().size() && !isa<NoneType>(getInputs()[i].getType());
}

static LogicalResult verifyBodies(NodeOp op) {
  size_t names = op.getBodyNamesAttr() ? op.getBodyNamesAttr().size() : 0;
  if (names != op.getBodies().size())
    return op.emitOpError() << "has " << op.getBodies().size() << " bodies and " << names
                            << " names for them";
  for (Region &body : op.getBodies())
    if (body.front().empty() || !isa<ReturnOp>(body.front().back()))
      return op.emitOpError("body must end with onnx.return");
  return success();
}

LogicalResult NodeOp::verify() {
  if (getOpType().empty()) return emitOpError("needs an operator name");
  if (getSinceVersion() < 1)
    return emitOpError() << "since_version must be at least 1, got " << getSinceVersion();
  if (DictionaryAttr attrs = getOnnxAttributesAttr())
    for (NamedAttribute attr : attrs)
      if (!isNodeAttribute(attr.getValue()))
        return emitOpError() << "attribute '" << attr.getName().getValue()
                             << "' has no ONNX counterpart";
  return verifyBodies(*this);
}

LogicalResult ConstantOp::inferReturnTypes(MLIRContext *, std::optional<Location>, ValueRange,
                                           DictionaryAttr, OpaqueProperties properties,
                                           RegionRange, SmallVectorImpl<Type> &types) {
  types.push_back(properties.as<Properties *>()->value.getType());
  return success();
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValueAttr(); }

LogicalResult OnnxDialect::verifyOperationAttribute(Operation *op, NamedAttribute attr) {
  StringRef name = attr.getName();
  Attribute value = attr.getValue();
  if (name == kOpsets) {
    auto dict = dyn_cast<DictionaryAttr>(value);
    if (!dict || !llvm::all_of(dict, [](NamedAttribute a) { return isa<IntegerAttr>(a.getValue()); }))
      return op->emitError() << kOpsets << " must map domains to versions";
  }
  if ((name == kOriginalOpset || name == kIrVersion) && !isa<IntegerAttr>(value))
    return op->emitError() << name << " must be an integer";
  if (name == kMetadata) {
    auto isPair = [](Attribute a) {
      auto pair = dyn_cast<ArrayAttr>(a);
      return pair && pair.size() == 2 && isa<StringAttr>(pair[0]) && isa<StringAttr>(pair[1]);
    };
    auto list = dyn_cast<ArrayAttr>(value);
    if (!list || !llvm::all_of(list, isPair))
      return op->emitError() << kMetadata << " must be an array of [key, value] strings";
  }
  return success();
}

// Shared by arguments and results of a function.
static LogicalResult verifyValueAttribute(Operation *op, Type type, NamedAttribute attr) {
  StringRef name = attr.getName();
  if (name == kName && !isa<StringAttr>(attr.getValue()))
    return op->emitError() << kName << " must be a string";
  if (name != kDims && name != kRanges) return success();
  auto list = dyn_cast<ArrayAttr>(attr.getValue());
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!list || !tensor || int64_t(list.size()) != tensor.getRank())
    return op->emitError() << name << " must have one entry a dimension of " << type;
  auto isEntry = [&](Attribute a) {
    if (name == kDims) return isa<StringAttr>(a);
    auto range = dyn_cast<DenseI64ArrayAttr>(a);
    return range && range.size() == 2 && range[0] <= range[1];
  };
  if (!llvm::all_of(list, isEntry))
    return op->emitError() << name << " has an entry that is no "
                           << (name == kDims ? "string" : "[low, high] pair");
  return success();
}

LogicalResult OnnxDialect::verifyRegionArgAttribute(Operation *op, unsigned, unsigned arg,
                                                    NamedAttribute attr) {
  // A declaration has no region arguments, its type has them all the same.
  auto func = dyn_cast<FunctionOpInterface>(op);
  if (!func) return success();
  return verifyValueAttribute(op, func.getArgumentTypes()[arg], attr);
}

LogicalResult OnnxDialect::verifyRegionResultAttribute(Operation *op, unsigned, unsigned result,
                                                       NamedAttribute attr) {
  auto func = dyn_cast<FunctionOpInterface>(op);
  if (!func) return success();
  return verifyValueAttribute(op, func.getResultTypes()[result], attr);
}

void OnnxDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Onnx/OnnxTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Onnx/OnnxOps.cpp.inc"
      >();
}

}  // namespace adze::onnxir

#include "dialects/Onnx/OnnxDialect.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Onnx/OnnxTypes.cpp.inc"
#define GET_OP_CLASSES
#include "dialects/Onnx/OnnxOps.cpp.inc"
