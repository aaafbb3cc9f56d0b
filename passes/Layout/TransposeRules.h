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

/// A reshape as groups of neighbouring axes, in order: each group of axes of x
/// becomes the group of result axes. Extents of 1 of x may be in none.
struct ReshapeGroups {
  struct Group {
    Perm from, to;
  };
  llvm::SmallVector<Group, 4> groups;
};

/// Knows every op that a transpose can cross. Remembers how the reshapes of the
/// root group axes, which takes symbolic extents.
class TransposeRules {
 public:
  explicit TransposeRules(mlir::Operation *root);

  /// The rank that `perm` must have for `op`; nullopt when no transpose crosses.
  std::optional<int64_t> permRank(mlir::Operation *op) const;
  /// nullopt when a transpose of this kind cannot or should not cross.
  std::optional<Crossing> find(mlir::Operation *op, llvm::ArrayRef<int64_t> perm) const;
  /// The perm of x for which the result of the reshape comes as transpose(new,
  /// resultPerm), extents of 1 aside; `find` says whether it can.
  Perm permBefore(graph::ReshapeOp op, llvm::ArrayRef<int64_t> resultPerm) const;
  /// Renumbers axes and axis-wise operands and sets the new result type. The
  /// moved operands must have been replaced already.
  void apply(mlir::Operation *op, llvm::ArrayRef<int64_t> perm, const Crossing &crossing) const;

 private:
  std::optional<ReshapeGroups> reordered(graph::ReshapeOp op, llvm::ArrayRef<int64_t> perm) const;
  std::optional<Perm> reshapeResultPerm(graph::ReshapeOp op, llvm::ArrayRef<int64_t> perm) const;
  void applyReshape(graph::ReshapeOp op, llvm::ArrayRef<int64_t> perm, const Crossing &crossing) const;

  llvm::DenseMap<mlir::Operation *, ReshapeGroups> reshapes;
};

/// What reshape needs to give `shape` from `x`: extent i is x's at axes[i], or
/// (-1) the one that reshape works out, of which there may be one. Entries of
/// static extents are not looked at.
mlir::Value extentsForReshape(mlir::OpBuilder &b, mlir::Location loc, mlir::Value x,
                              llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> axes);

}  // namespace adze
