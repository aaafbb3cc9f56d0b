// Folding constants through the reference evaluator.
#pragma once
#include "lib/Reference/Tensor.h"

#include "mlir/IR/Operation.h"

namespace adze::reference {

/// The value as a constant: small ones (up to 1 KiB) uniqued in the context,
/// larger ones as a resource whose name follows from its contents, so that
/// equal compiles print equal names and equal values are kept once.
mlir::ElementsAttr toAttr(const Tensor &t);

/// Evaluates an op of the adze dialect whose operands are all adze.constant.
/// nullopt when they are not, when the op has regions, when a result would
/// exceed `maxBytes`, or when evaluation fails (it will fail at run time too,
/// with a message to whoever runs the model).
std::optional<llvm::SmallVector<mlir::ElementsAttr>> foldConstants(mlir::Operation *op,
                                                                   int64_t maxBytes);

}  // namespace adze::reference
