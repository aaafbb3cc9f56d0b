// Chooses a unit's schedule from its shape and the machine.
#pragma once

#include "passes/Schedule/MachineModel.h"
#include "passes/Schedule/Unit.h"

namespace adze::schedule {

/// Collapses `runs` of dimensions and decides the rest. Changes `unit` to its
/// collapsed form. Always succeeds: at worst the schedule is scalar loops in order.
Schedule decideSchedule(Unit &unit, llvm::ArrayRef<llvm::SmallVector<unsigned, 4>> runs,
                        const MachineModel &machine);

/// Of a machine of many threads: the register tile of each thread, whose lanes are
/// chosen already, and loops of which all parallel ones are shared out.
void decideForThreads(const Unit &unit, const MachineModel &machine, Schedule &schedule);

/// Fills schedule.loops from its tiles: order, chunks, parallel loops, grain.
void orderLoops(const Unit &unit, const MachineModel &machine, Schedule &schedule);

/// The size, or one to reckon with where the real one is known at run time.
int64_t estimateSize(const Stride &size);

}  // namespace adze::schedule
