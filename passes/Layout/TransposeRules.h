// What an op becomes when its data operands come in another order of
// dimensions.
#pragma once
#include "dialects/Graph/Graph.h"
#include "passes/Layout/Permutation.h"

#include "llvm/ADT/DenseMap.h"

namespace adze {

/// The op with operands `moved` reordered: if each was transpose(new, perm)
/// (right-aligned where it has fewer dimensions), the old result is
/// transpose(new result, resultPerm).
struct Crossing {
  llvm::SmallVector<unsigned> moved;
  Perm resultPerm;
};

/// Knows every op that a transpose can cross. Remembers which reshapes of the
/// root only add or drop dimensions of extent 1.
class TransposeRules {
 public:
  explicit TransposeRules(mlir::Operation *root);

  /// The rank that `perm` must have for `op`; nullopt when no transpose crosses.
  std::optional<int64_t> permRank(mlir::Operation *op) const;
  /// nullopt when a transpose of this kind cannot or should not cross.
  std::optional<Crossing> find(mlir::Operation *op, llvm::ArrayRef<int64_t> perm) const;
  /// Renumbers axes and axis-wise operands and sets the new result type. The
  /// moved operands must have been replaced already.
  void apply(mlir::Operation *op, llvm::ArrayRef<int64_t> perm, const Crossing &crossing);

 private:
  Perm reshapeResultPerm(graph::ReshapeOp op, llvm::ArrayRef<int64_t> perm) const;
  void applyReshape(graph::ReshapeOp op, llvm::ArrayRef<int64_t> perm, const Crossing &crossing);

  /// For each result axis the axis of x it is; -1 for a new extent of 1.
  llvm::DenseMap<mlir::Operation *, Perm> squeezes;
};

/// A rank-1 i64 tensor of the extents of `x` at `axes`; -1 stands for an extent
/// of 1. At most one dynamic extent becomes -1, so that it fits reshape.
mlir::Value extentsForReshape(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                              llvm::ArrayRef<int64_t> axes);

}  // namespace adze
