// The adze (graph) dialect: C++ side.
#pragma once
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/Graph/Fusion.h"

#include <optional>

namespace adze::graph {
/// Same element types, ranks and layouts, and no two different static extents.
bool compatibleTypes(mlir::TypeRange l, mlir::TypeRange r);
/// Reifies the result shapes of any op of the dialect (Reify.cpp).
llvm::LogicalResult reifyShapes(mlir::Operation *op, mlir::OpBuilder &b,
                                mlir::ReifiedRankedShapedTypeDims &dims);
}  // namespace adze::graph

#include "dialects/Graph/GraphDialect.h.inc"
#include "dialects/Graph/GraphEnums.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/Graph/GraphAttrs.h.inc"
#include "dialects/Graph/GraphInterfaces.h.inc"
#define GET_OP_CLASSES
#include "dialects/Graph/GraphOps.h.inc"

namespace adze::graph {

/// The layout of a tensor type; null: row-major.
inline PanelsAttr layoutOf(mlir::Type type) {
  return llvm::dyn_cast_or_null<PanelsAttr>(llvm::cast<mlir::RankedTensorType>(type).getEncoding());
}
/// The row-major type that stores a tensor of type `type`: itself where it has
/// no layout.
mlir::RankedTensorType storedType(mlir::RankedTensorType type);

/// The resource that holds a constant's elements; null when it is none.
mlir::DialectResourceBlobManager::BlobEntry *blobOf(mlir::Attribute value);
/// Frees the memory of those resources among `values` that no constant under
/// `root` refers to any more: attributes themselves live as long as the context.
void releaseUnused(mlir::Operation *root, llvm::ArrayRef<mlir::ElementsAttr> values);

/// One row of the table of scalar functions.
struct ElementwiseInfo {
  ElementwiseFn fn;
  unsigned arity;
  bool floats, ints, bools;  ///< operand element types accepted
  bool boolResult;           ///< result is bool, else the last operand's type
  int64_t steps;             ///< of vector arithmetic for an element, about
};
/// The row of `fn`.
const ElementwiseInfo &elementwiseInfo(ElementwiseFn fn);

/// What is known of a small integer tensor at compile time, element by
/// element: nullopt where an element is not known. Looks through constants,
/// shape_of, concat, gather, slice, reshape, cast and arithmetic. Fails
/// (nullopt) when the tensor's extent is dynamic or above 64 elements.
std::optional<llvm::SmallVector<std::optional<int64_t>>> partialInts(mlir::Value v);

/// All elements of a constant integer (or bool) tensor; nullopt if not constant.
std::optional<llvm::SmallVector<int64_t>> constantInts(mlir::Value v);

/// Creates an op with inferred result types. On a type error reports it at
/// `loc` and returns failure, where OpBuilder::create would abort.
template <typename OpTy>
mlir::FailureOr<OpTy> tryCreate(mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange operands,
                                llvm::ArrayRef<mlir::NamedAttribute> attrs = {}) {
  mlir::OperationState state(loc, OpTy::getOperationName());
  state.addOperands(operands);
  mlir::DictionaryAttr dict = mlir::NamedAttrList(attrs).getDictionary(b.getContext());
  auto emit = [&] { return mlir::emitError(loc); };
  auto &props = state.getOrAddProperties<typename OpTy::Properties>();
  if (failed(OpTy::setPropertiesFromAttr(props, dict, emit))) return mlir::failure();
  state.name.populateDefaultProperties(mlir::OpaqueProperties(&props));
  llvm::SmallVector<mlir::Type> types;
  if (failed(OpTy::inferReturnTypes(b.getContext(), loc, operands, dict,
                                    mlir::OpaqueProperties(&props), {}, types)))
    return mlir::failure();
  state.addTypes(types);
  return llvm::cast<OpTy>(b.create(state));
}

}  // namespace adze::graph
