// The artifact's description of a module: signature, kernels, memory, nodes.
#pragma once
#include "lib/Artifact/Artifact.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Operation.h"

#include <string>
#include <vector>

namespace adze {

/// The entry function of a graph module: the only public function. Null if none.
mlir::Operation *entryFunction(mlir::ModuleOp module);

/// Moves the entry's names, types and symbols, bool and unsigned types still told
/// apart, from the function to the module attributes adze.inputs and
/// adze.outputs. Empty on success, else what cannot be an artifact.
std::string recordSignature(mlir::ModuleOp module);

/// Inputs, outputs and metadata from these attributes. Empty on success.
std::string describeSignature(mlir::ModuleOp module, artifact::Contents &contents);

/// Kernels and memory plan, from the attributes of the kernel phase; and where
/// each of `nodes` (ONNX names, in order) ended. Empty on success.
std::string describeKernels(mlir::ModuleOp module, const std::vector<std::string> &nodes,
                     artifact::Contents &contents);

/// Element type -> the artifact's; Undefined for types an artifact has not.
artifact::DType dtypeOf(mlir::Type type);

}  // namespace adze
