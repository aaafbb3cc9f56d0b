// Moves transposes over single ops, with what that costs.
#pragma once
#include "passes/Layout/TransposeRules.h"

namespace adze {

/// Elements moved; a dynamic dimension counts as 64, sums saturate.
int64_t nominalElements(mlir::Type type);

class TransposeMover {
 public:
  explicit TransposeMover(mlir::Operation *root) : rules(root) {}

  /// Composes with a transpose before it, drops an identity, and reuses an
  /// equal one. True when `op` is dead.
  bool simplify(graph::TransposeOp op);
  /// Moves transposes of operands behind `op` where that does not cost more.
  /// `optimistic`: an op with no other operand to transpose lets any transpose
  /// pass, however large its result; hoisting takes that back where nothing
  /// cancels.
  bool sink(mlir::Operation *op, bool optimistic);
  /// Moves `op` before the op it reads where that pays and erases it; `made`
  /// gets the transposes it becomes.
  bool hoist(graph::TransposeOp op, llvm::SmallVectorImpl<graph::TransposeOp> &made);

 private:
  std::optional<Perm> drivingPerm(mlir::Operation *op, llvm::ArrayRef<unsigned> operands,
                                  int64_t rank) const;
  int64_t inverseCost(mlir::Value v, llvm::ArrayRef<int64_t> perm) const;
  int64_t hoistCost(mlir::Value v, llvm::ArrayRef<int64_t> perm, mlir::Operation *user,
                    unsigned &budget) const;
  std::optional<int64_t> crossingCost(mlir::Value v, llvm::ArrayRef<int64_t> perm,
                                      unsigned &budget) const;
  /// With `made` the caller takes care of the result's uses.
  void cross(mlir::Operation *op, llvm::ArrayRef<int64_t> perm, const Crossing &crossing,
             llvm::SmallVectorImpl<graph::TransposeOp> *made);
  mlir::Value inverse(mlir::Operation *user, mlir::Value v, llvm::ArrayRef<int64_t> perm,
                      llvm::SmallVectorImpl<graph::TransposeOp> *made);

  TransposeRules rules;
};

}  // namespace adze
