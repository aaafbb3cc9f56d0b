// Row fusion: units that pass rows on to each other run row block by row
// block, so that what one writes the next finds in the cache.
#pragma once

#include "passes/Schedule/MachineModel.h"
#include "passes/Schedule/Unit.h"

namespace adze::schedule {

/// A unit with its schedule, its dimensions collapsed as that says.
struct Plan {
  std::unique_ptr<Unit> unit;
  Schedule schedule;
  int rowDim = -1;  ///< the dimension that a group shares
};

/// The dimension of a unit that may be shared: its outermost parallel one that
/// carries no vectors; -1 for contractions, whose blocks pay off more.
int findRowDim(const Plan &plan);

/// True when `next` may run on each block of rows right after the group has.
bool canShareRows(llvm::ArrayRef<Plan *> group, const Plan &next);

/// Rows a block: what the group touches of them fits half the second-level
/// cache, and a block is worth an iteration.
int64_t rowsPerBlock(llvm::ArrayRef<Plan *> group, const MachineModel &machine);

/// Blocks of `rows` rows that are worth a task.
int64_t blocksPerTask(llvm::ArrayRef<Plan *> group, int64_t rows, const MachineModel &machine);

/// Drops what the schedule does in parallel: the rows' loop does that.
void makeSequential(Schedule &schedule);

}  // namespace adze::schedule
