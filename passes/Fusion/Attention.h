// Attention as one kernel: scores of queries and keys, their softmax, the sum of values.
#pragma once
#include "passes/Fusion/FusionCost.h"

#include "dialects/Graph/DimExprs.h"
#include "dialects/Graph/Graph.h"

namespace adze {

/// A softmax between two matmuls that a machine's matrix units compute with the scores in
/// registers.
struct Attention {
  graph::MatmulOp values;  ///< sums up what the softmax, and what follows point by point, makes
  /// Of queries, keys and values, and of the result: read and written through.
  llvm::SmallVector<graph::TransposeOp> transposes;
  FusionCost cost;
};

/// The attention of `softmax` over what `scores` and elementwise ops after it make; none, and why
/// in words, where the machine does not compute it in one kernel, or would be slower for it, unless
/// `always`.
std::optional<Attention> findAttention(graph::SoftmaxOp softmax, graph::MatmulOp scores,
                                       bool always, graph::DimExprs &exprs,
                                       const schedule::MachineModel &machine, std::string &why);

}  // namespace adze
