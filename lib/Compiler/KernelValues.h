// What kernels compute, as outputs of the model: for `adze verify`.
#pragma once
#include "mlir/IR/BuiltinOps.h"

namespace adze {

/// Makes the results of every fused group of the entry outputs as well, called
/// kKernelValuePrefix + the group's number + "." + the result's. Groups are
/// numbered as the artifact's kernels are. For a module of the fuse phase.
void keepKernelValues(mlir::ModuleOp module);

}  // namespace adze
