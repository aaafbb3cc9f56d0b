// Units of passes/Schedule as attention: scores, their softmax, the sum of values.
#pragma once
#include "targets/cuda/Contraction.h"
#include "targets/cuda/tile/Attention.h"

namespace adze::cuda {

/// Two contractions whose batches and rows are the same, and what turns the results of one, the
/// scores, into a factor of the other. Batches have keys or values of their own; all else that has
/// queries counts as rows, so that heads that share keys are rows of one batch.
struct AttentionUnits {
  Contraction scores, values;
  /// The unit that makes weights of powers: divides them by their row's sum, may clear rows. Its
  /// dimensions are those of scores, by the names that it has for them.
  Contraction weights;
  llvm::SmallVector<const schedule::Stage *> steps;  ///< of `weights`, one after the other
  mlir::Value total;                                 ///< the buffer of the rows' sums
  llvm::SmallVector<mlir::Operation *> ops;          ///< all that these stand for
  llvm::SmallVector<mlir::Value> scratch;            ///< allocations that nothing else touches
};

/// Attention that begins with units[at]; none, and why, where that unit or what follows it is
/// something else. `why` is empty where nothing speaks for attention.
std::optional<AttentionUnits> matchAttention(llvm::ArrayRef<std::unique_ptr<schedule::Unit>> units,
                                             size_t at, std::string &why);

/// Arguments of the kernel, by the unit whose sizes they are.
struct AttentionArguments {
  KernelArguments scores, values, weights;
};

/// The problem as the tile library has it; refers to its arguments.
AttentionProblem problemOf(const AttentionUnits &units, const AttentionArguments &arguments);

}  // namespace adze::cuda
