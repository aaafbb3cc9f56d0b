// Which ops of a block form one kernel.
#pragma once
#include "dialects/Graph/DimExprs.h"
#include "dialects/Graph/Graph.h"

namespace adze {

/// One future kernel. Groups of a block, contracted to nodes, form a DAG.
struct FusionGroup {
  /// In an order that defines before it uses.
  llvm::SmallVector<mlir::Operation *> ops;
  /// The convolution, matmul, pooling, reduction or normalisation, if any.
  mlir::Operation *anchor = nullptr;
};

/// Ops that the entry function evaluates itself: constants, shapes, views,
/// control flow and the arithmetic of small integer tensors. Ops of other
/// dialects stay as well.
bool staysInEntry(mlir::Operation *op);

/// Groups every other op of `block`, in the order of the groups' last ops. No
/// group holds more than `maxOps` ops. An anchored group has one result, others
/// at most four.
std::vector<FusionGroup> planFusions(mlir::Block &block, graph::DimExprs &exprs, unsigned maxOps);

/// "conv + add + max epilogue": what the group is, for reports.
std::string describeGroup(const FusionGroup &group);

/// Calls `use` for each operand of `op` and each value that its regions take
/// from outside.
void forEachUsedValue(mlir::Operation *op, llvm::function_ref<void(mlir::Value)> use);

}  // namespace adze
