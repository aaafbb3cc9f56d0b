// Which ops of a block form one kernel.
#pragma once
#include "dialects/Graph/DimExprs.h"
#include "dialects/Graph/Graph.h"
#include "passes/Fusion/FusionCost.h"

namespace adze {

/// An op that shares the kernel of another, and what that saves.
struct FusionJoin {
  mlir::Operation *op;
  llvm::StringLiteral as;  ///< "epilogue", "prologue", "chain" or "rows"
  FusionCost cost;
};

/// A use of a kernel's result that is not in the kernel, and why.
struct FusionStop {
  mlir::Operation *user;
  std::string why;
};

/// One future kernel. Groups of a block, contracted to nodes, form a DAG.
struct FusionGroup {
  /// In an order that defines before it uses.
  llvm::SmallVector<mlir::Operation *> ops;
  /// The convolution, matmul, pooling, reduction or normalisation, if any; of some
  /// that pass rows on the last.
  mlir::Operation *anchor = nullptr;
  llvm::SmallVector<FusionJoin> joins;
  llvm::SmallVector<FusionStop> stops;
};

/// The attribute of an op that overrides the plan: "alone" makes it a kernel of
/// its own, "join" lets it into a kernel where the cost would not.
inline constexpr llvm::StringLiteral kFuseAttr = "adze.fuse";

/// Ops that the entry function evaluates itself: constants, shapes, views,
/// control flow and the arithmetic of small integer tensors. Ops of other
/// dialects stay as well.
bool staysInEntry(mlir::Operation *op);

/// Groups every other op of `block`, in the order of the groups' last ops. No
/// group holds more than `maxOps` ops. An anchored group has one result, others
/// at most four.
std::vector<FusionGroup> planFusions(mlir::Block &block, graph::DimExprs &exprs,
                                     const schedule::MachineModel &machine, unsigned maxOps);

/// Orders a group and adds it to `out`, cut into groups that have no more results
/// than they may.
void cutGroup(FusionGroup group, std::vector<FusionGroup> &out);

/// What the op may be in a kernel; None for one that stays in the entry.
graph::FusionRole roleOf(mlir::Operation *op);

/// Both surely have the same shape at run time.
bool sameShape(graph::DimExprs &exprs, mlir::Value a, mlir::Value b);

/// "conv", "add": an op in reports.
llvm::StringRef shortName(mlir::Operation *op);

/// "conv + add + max epilogue": what the group is, for reports.
std::string describeGroup(const FusionGroup &group);

/// Calls `use` for each operand of `op` and each value that its regions take
/// from outside.
void forEachUsedValue(mlir::Operation *op, llvm::function_ref<void(mlir::Value)> use);

}  // namespace adze
