// What an op takes in an order of dimensions, and what changing the order takes.
// docs/layout.md says where the numbers come from.
#pragma once
#include "passes/Layout/Permutation.h"
#include "passes/Schedule/MachineModel.h"

namespace adze {

/// [N, C, spatial...] to [N, spatial..., C].
Perm channelsLast(int64_t rank);

/// In cycles of one core. An extent that is not known counts as 64.
class LayoutCost {
 public:
  explicit LayoutCost(const schedule::MachineModel &machine) : machine(machine) {}

  /// Of `op` when its data are stored so that x = transpose(stored, perm); 0 for
  /// ops that take as long in any order.
  int64_t ofOp(mlir::Operation *op, llvm::ArrayRef<int64_t> perm) const;
  /// Of a transpose of a tensor of this type.
  int64_t ofRelayout(mlir::RankedTensorType type) const;

 private:
  double ofWindow(mlir::Operation *op, bool last) const;
  /// Of ops that work along the innermost dimension, whichever it is.
  double ofRows(mlir::Operation *op, llvm::ArrayRef<int64_t> perm) const;
  /// Vectors that `elements` take where `extent` of them lie in a row.
  double vectors(double elements, int64_t extent) const;

  schedule::MachineModel machine;
};

}  // namespace adze
