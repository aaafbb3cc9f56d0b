// A function means the same before and after a pass: both are evaluated.
#pragma once
#include "lib/Reference/Evaluate.h"

#include "mlir/IR/OwningOpRef.h"

#include <random>
#include <string>
#include <vector>

namespace adze {

/// A context with the dialects of graphs; the passes under test are registered.
mlir::MLIRContext &graphContext();

/// One pipeline for each pass, and all of them in order.
const std::vector<std::string> &graphPipelines();

/// A tensor for an argument of `type`: floats in [-2, 2], bools true, integers
/// 4, as dynamic extents are.
reference::Tensor argumentFor(mlir::RankedTensorType type, std::mt19937 &random);

/// Runs each pipeline on a copy of `module` and compares the results of
/// function `name` on `inputs`, to a few units in the last place.
void checkPipelines(mlir::ModuleOp module, llvm::StringRef name,
                    llvm::ArrayRef<reference::Tensor> inputs);

}  // namespace adze
