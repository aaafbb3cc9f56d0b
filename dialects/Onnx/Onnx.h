// The onnx dialect: C++ side.
#pragma once
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace adze::onnxir {
/// A tensor of numbers or strings, or a type of this dialect.
bool isValueType(mlir::Type type);
/// One of the attribute forms that onnx.node documents.
bool isNodeAttribute(mlir::Attribute attr);
/// Whether dimensions that `onnx.dims` gives this name have one extent: exporters
/// write "?" and "-1" for any number of unrelated ones.
bool namesExtent(llvm::StringRef name);

// Names of the attributes on modules, arguments and results.
inline constexpr llvm::StringLiteral kName = "onnx.name";
inline constexpr llvm::StringLiteral kDims = "onnx.dims";
inline constexpr llvm::StringLiteral kRanges = "onnx.ranges";
inline constexpr llvm::StringLiteral kOpsets = "onnx.opsets";
inline constexpr llvm::StringLiteral kOriginalOpset = "onnx.original_opset";
inline constexpr llvm::StringLiteral kIrVersion = "onnx.ir_version";
inline constexpr llvm::StringLiteral kGraphName = "onnx.graph_name";
inline constexpr llvm::StringLiteral kProducerName = "onnx.producer_name";
inline constexpr llvm::StringLiteral kProducerVersion = "onnx.producer_version";
inline constexpr llvm::StringLiteral kMetadata = "onnx.metadata";
}  // namespace adze::onnxir

#include "dialects/Onnx/OnnxDialect.h.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Onnx/OnnxTypes.h.inc"
#define GET_OP_CLASSES
#include "dialects/Onnx/OnnxOps.h.inc"
