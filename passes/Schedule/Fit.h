// Which schedules a unit can take.
#pragma once

#include "passes/Schedule/MachineModel.h"
#include "passes/Schedule/Unit.h"

namespace adze::schedule {

/// Whether the lanes of a vector may lie along `dim`.
bool canVectorize(const Unit &unit, unsigned dim);

/// Why the nest cannot follow `schedule`, a schedule over the unit's dimensions
/// as they are (collapsed, if it collapses); empty when it can.
std::string whyUnfit(const Unit &unit, const Schedule &schedule);

/// The schedule of an attribute for `unit`, which is collapsed as it says. On
/// failure `error` says why, and the unit may be collapsed or not.
mlir::FailureOr<Schedule> fitSchedule(mlir::DictionaryAttr attr, Unit &unit, std::string &error);

}  // namespace adze::schedule
