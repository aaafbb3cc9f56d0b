// Constant folding while converting: converters see the values of shapes,
// axes and slices that models compute.
#pragma once
#include "mlir/IR/Builders.h"
#include "llvm/ADT/SmallVector.h"

namespace adze::convert {

/// Folds ops whose operands are constants, within a budget of bytes for all
/// results of one model. Small integer arithmetic always folds.
class Folder {
 public:
  static constexpr int64_t kBudgetBytes = int64_t(64) << 20;
  static constexpr int64_t kSmallBytes = 4096;
  static constexpr int64_t kMaxGrowth = 4;

  /// The results of `op`, or constants in their place and the op erased.
  llvm::SmallVector<mlir::Value, 2> fold(mlir::OpBuilder &b, mlir::Operation *op);
  int64_t bytesMade() const { return bytesMade_; }

 private:
  int64_t bytesMade_ = 0;
  /// Bytes that the results of `op` may take; 0: leave it alone.
  int64_t allowance(mlir::Operation *op) const;
  bool foldKnownInts(mlir::OpBuilder &b, mlir::Operation *op, mlir::Value &result);
};

}  // namespace adze::convert
