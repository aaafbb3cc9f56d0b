// Indices that are data.
#pragma once
#include "passes/Lowering/Emitter.h"

namespace adze::lowering {

/// A stored signed integer as an index.
mlir::Value toIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value stored);
/// Counts a negative index from the end and forces it into [0, extent).
mlir::Value wrapIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value index, mlir::Value extent);
/// Records an error unless all of operand `operand` is in [-extent, extent).
void checkIndices(Emitter &e, unsigned operand, Fold extent, llvm::StringRef message);
/// The same for tuples along the last axis, component k within `limits[k]`.
void checkTuples(Emitter &e, unsigned operand, llvm::ArrayRef<Fold> limits, llvm::StringRef message);

}  // namespace adze::lowering
