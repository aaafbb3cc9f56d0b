// Arithmetic on extents that folds as it goes.
#pragma once
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"

namespace adze::graph {

/// Builds index arithmetic at a builder's insertion point. Constants are
/// IndexAttr and fold; arith ops appear only for what is not known.
class IndexMath {
 public:
  using Fold = mlir::OpFoldResult;

  IndexMath(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}

  Fold constant(int64_t v) { return b.getIndexAttr(v); }
  /// The value as an SSA index.
  mlir::Value value(Fold v);
  llvm::SmallVector<mlir::Value> values(llvm::ArrayRef<Fold> vs);

  Fold add(Fold l, Fold r);
  Fold sub(Fold l, Fold r);
  Fold mul(Fold l, Fold r);
  /// Rounds towards negative infinity; a divisor of zero counts as one.
  Fold floorDiv(Fold l, Fold r);
  /// Rounds towards positive infinity; the divisor is positive.
  Fold ceilDiv(Fold l, Fold r);
  Fold max(Fold l, Fold r);
  Fold min(Fold l, Fold r);
  Fold clamp(Fold v, Fold low, Fold high) { return min(max(v, low), high); }
  /// l == r ? then : otherwise.
  Fold selectEqual(Fold l, Fold r, Fold then, Fold otherwise);
  /// l < 0 ? then : otherwise.
  Fold selectNegative(Fold l, Fold then, Fold otherwise);

 private:
  mlir::OpBuilder &b;
  mlir::Location loc;
};

}  // namespace adze::graph
