// What sharing a kernel saves and costs. docs/fusion.md explains the rule.
#pragma once
#include "dialects/Graph/Graph.h"
#include "passes/Schedule/MachineModel.h"

namespace adze {

/// Of a value that stays inside a kernel, for each of its elements.
struct FusionCost {
  int64_t bytesSaved = 0;   ///< not written, and not read again, less what is read more often
  int64_t stepsAgain = 0;   ///< of vector arithmetic, done more than once
  int64_t elementBits = 8;  ///< of what the steps are done on

  /// Moving the bytes takes at least as long as the steps: a vector takes one
  /// step a cycle.
  bool pays(const schedule::MachineModel &machine) const;
};

/// Of `value` staying in a kernel that computes it `times` times, where the ops
/// that make it take `steps` steps. `escapes`: something outside reads it too,
/// so that it is written all the same.
FusionCost fusionCost(mlir::Value value, int64_t steps, int64_t times, bool escapes);

/// Of `value`, `rows` rows of `columns` elements for each of some batches, that an
/// op takes up block of rows by block of rows. For each block the kernel reads
/// `again` elements a column of operands that all rows share.
struct RowBlocks {
  std::optional<int64_t> rows;
  int64_t columns, again;
  /// Blocks a batch, rows of unknown number taken for `kUnknownExtent`.
  int64_t blocks(mlir::Value value, const schedule::MachineModel &machine) const;
  FusionCost cost(mlir::Value value, const schedule::MachineModel &machine) const;
};
inline constexpr int64_t kUnknownExtent = 256;

/// Of scores, `rows` x `columns` for each of some batches, that go through a softmax to a sum of
/// values without leaving registers (MachineModel::scoreDepth).
struct ScoreRows {
  int64_t batches, rows, columns;
  int64_t depth;     ///< terms of a score, and columns of values, together
  int64_t launches;  ///< saved
  /// Neither scores nor their softmax are written, nor read again.
  static FusionCost cost(mlir::Value scores);
  /// Four warps take 16 rows through all columns. Where there are too few to keep the machine busy,
  /// what waits is at most what launches and memory take otherwise.
  bool pays(mlir::Value scores, const schedule::MachineModel &machine) const;
};

}  // namespace adze
