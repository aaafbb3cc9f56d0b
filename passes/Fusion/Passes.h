// Passes that group ops into kernels.
#pragma once
#include "dialects/Graph/Graph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace adze {

/// On adze.fusion, with the pass option `remarks`: its anchor, the decisions
/// that made it and those that ended it.
inline constexpr llvm::StringLiteral kFusionRemarks = "adze.remarks";

/// On an op in a kernel that another kernel computes as well.
inline constexpr llvm::StringLiteral kDuplicatedAttr = "adze.duplicated";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/Fusion/Passes.h.inc"
}  // namespace adze
