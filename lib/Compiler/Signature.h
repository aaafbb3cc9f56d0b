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

/// Inputs, outputs and metadata as the graph phase has them (bool and unsigned
/// types still told apart). Empty on success, else what cannot be an artifact.
std::string describeSignature(mlir::ModuleOp module, artifact::Contents &contents);

/// Kernels and memory plan, from the attributes of the kernel phase; and where
/// each of `nodes` (ONNX names, in order) ended.
void describeKernels(mlir::ModuleOp module, const std::vector<std::string> &nodes,
                     artifact::Contents &contents);

/// Element type -> the artifact's; Undefined for types an artifact has not.
artifact::DType dtypeOf(mlir::Type type);

}  // namespace adze
