// Which ops of a block have two orders of dimensions to choose from.
#pragma once
#include "passes/Layout/TransposeRules.h"

#include <array>

namespace adze {

/// An op that can work on its data in two orders. Order 0 or 1: operands
/// `crossing[i].moved` come as x = transpose(stored, perm[i]), the result as
/// transpose(stored, crossing[i].resultPerm). Identity: as the model has it.
struct OrderChoice {
  mlir::Operation *op;
  std::array<Perm, 2> perm;
  std::array<Crossing, 2> crossing;
  unsigned region = 0;

  const Perm &result(unsigned order) const { return crossing[order].resultPerm; }
  llvm::ArrayRef<unsigned> moved() const { return crossing[0].moved; }
  /// Which order is the model's; -1 where neither is.
  int modelOrder() const { return isIdentity(perm[0]) ? 0 : isIdentity(perm[1]) ? 1 : -1; }
};

/// In program order. A region is grown from a convolution or pooling in NCHW,
/// whose orders are NCHW and NHWC, and then from each transpose that is left, whose
/// orders undo it before or after itself, to the ops around that can work in those
/// orders. A transpose inside a region does nothing where its operand and result
/// come in orders that differ by it.
std::vector<OrderChoice> findOrderChoices(mlir::Block &block, const TransposeRules &rules);

/// The axes of a tensor of `type`, right-aligned in perm's rank, in the order the
/// inverse of perm gives; -1 is an extent of 1.
Perm inverseAxes(mlir::RankedTensorType type, llvm::ArrayRef<int64_t> perm);
/// Only extents of 1 move, so that a reshape does transpose(v, invert(perm)); of a
/// value of fewer dimensions than perm, the last ones are meant.
bool movesOnlyOnes(mlir::RankedTensorType type, llvm::ArrayRef<int64_t> perm);
/// A tensor of `type` has the same bytes stored in either order.
bool sameBytes(mlir::RankedTensorType type, llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);
/// A convolution or pooling that can be given channels-last data.
bool isWindowed(mlir::Operation *op);
/// A constant, or what folding will make one.
bool isConstantLike(mlir::Value v);

}  // namespace adze
