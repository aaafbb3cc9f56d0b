// Rows that the ops of a kernel pass on from one to the next.
#pragma once

#include "mlir/Dialect/Linalg/IR/Linalg.h"

#include <optional>

namespace adze::schedule {

/// A dimension that all the ops have: a row of what one of them writes is made
/// from the same rows of what the others write.
struct RowDim {
  llvm::SmallVector<unsigned> loops;                   ///< by op
  llvm::SmallDenseMap<mlir::Value, unsigned> positions;  ///< by buffer that is written
};

/// Ops that may run on a block of rows one after the other.
struct RowSpace {
  llvm::SmallVector<mlir::linalg::GenericOp> ops;
  llvm::SmallVector<RowDim> dims;           ///< outermost first; the last goes by blocks
  llvm::SmallVector<mlir::Value> scratch;   ///< allocations that nothing but `ops` touches
};

/// Rows of `ops`, which follow each other directly, where a contraction's results
/// go on to an op that sums them up again: a matmul to a softmax, that to the
/// next matmul. None where they share no dimension, or nothing is passed on.
std::optional<RowSpace> findRowSpace(llvm::ArrayRef<mlir::linalg::GenericOp> ops);

}  // namespace adze::schedule
