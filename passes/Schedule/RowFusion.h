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
  llvm::SmallVector<unsigned> rowDims;  ///< what a group may share, outermost first
};

/// Runs of dimensions to collapse, of one unit.
using Runs = llvm::SmallVector<llvm::SmallVector<unsigned, 4>>;

/// Where one of two units that may pass rows on to each other collapses two
/// dimensions of what they share and the other cannot, the first does not either.
void alignRows(llvm::ArrayRef<std::unique_ptr<Unit>> units, llvm::MutableArrayRef<Runs> runs);

/// The dimensions of a unit that may be shared: its outermost parallel ones, up
/// to a register tile or the vectors; none of contractions, whose blocks pay
/// off more.
llvm::SmallVector<unsigned> findRowDims(const Plan &plan);

/// How many row dimensions `next` shares with the group when it runs on each
/// block of rows right after it; 0: it may not.
unsigned sharedRows(llvm::ArrayRef<Plan *> group, const Plan &next);

/// Rows a block along the last of `shared` dimensions: what the group touches of
/// them fits half the second-level cache, and a block is worth an iteration.
int64_t rowsPerBlock(llvm::ArrayRef<Plan *> group, unsigned shared, const MachineModel &machine);

/// Blocks of `rows` rows that are worth a task.
int64_t blocksPerTask(llvm::ArrayRef<Plan *> group, unsigned shared, int64_t rows,
                      const MachineModel &machine);

/// Drops what the schedule does in parallel: the rows' loop does that.
void makeSequential(Schedule &schedule);

}  // namespace adze::schedule
