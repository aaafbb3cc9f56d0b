// Chooses a unit's schedule from its shape and the machine.
#pragma once

#include "passes/Schedule/MachineModel.h"
#include "passes/Schedule/Unit.h"

namespace adze::schedule {

/// Collapses what can be and decides the rest. Changes `unit` to its collapsed
/// form. Always succeeds: at worst the schedule is scalar loops in order.
Schedule decideSchedule(Unit &unit, const MachineModel &machine);

}  // namespace adze::schedule
