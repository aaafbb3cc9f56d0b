// Indices that are data.
#pragma once
#include "passes/Lowering/Emitter.h"

namespace adze::lowering {

inline mlir::Value extract(mlir::OpBuilder &b, mlir::Location loc, mlir::Value tensor, mlir::ValueRange at) {
  return mlir::tensor::ExtractOp::create(b, loc, tensor, at);
}
inline mlir::Value insert(mlir::OpBuilder &b, mlir::Location loc, mlir::Value scalar, mlir::Value tensor,
                          mlir::ValueRange at) {
  return mlir::tensor::InsertOp::create(b, loc, scalar, tensor, at);
}
/// An index as an element of a tensor of indices.
inline mlir::Value asI64(mlir::OpBuilder &b, mlir::Location loc, mlir::Value index) {
  return mlir::arith::IndexCastOp::create(b, loc, b.getI64Type(), index);
}

/// A stored signed integer as an index.
mlir::Value toIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value stored);
/// Counts a negative index from the end and forces it into [0, extent).
mlir::Value wrapIndex(mlir::OpBuilder &b, mlir::Location loc, mlir::Value index, mlir::Value extent);
/// Records an error unless all of operand `operand` is in [-extent, extent).
void checkIndices(Emitter &e, unsigned operand, Fold extent, llvm::StringRef message);
/// The same for tuples along the last axis, component k within `limits[k]`.
void checkTuples(Emitter &e, unsigned operand, llvm::ArrayRef<Fold> limits, llvm::StringRef message);

}  // namespace adze::lowering
