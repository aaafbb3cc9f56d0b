// Passes that choose the order of dimensions and move transposes.
#pragma once
#include "dialects/Graph/Graph.h"

#include "mlir/Pass/Pass.h"

namespace adze {

/// On an op, pins its order of dimensions: "keep" is the model's, "change" the
/// other one. What is not possible stays as it is.
inline constexpr llvm::StringLiteral kOrderAttr = "adze.order";

/// On the parent of a block, with the pass option `remarks`: what orders its ops
/// got, a dictionary a region.
inline constexpr llvm::StringLiteral kLayoutRemarks = "adze.layout_remarks";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "passes/Layout/Passes.h.inc"
}  // namespace adze
