// Other schedules for a unit, for a search to time.
#pragma once

#include "passes/Schedule/MachineModel.h"
#include "passes/Schedule/Unit.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <string>

namespace adze::schedule {

/// Schedules that `unit` (collapsed as `decided` says) can take in place of
/// `decided`, at most `limit`, the most promising by the machine's numbers first.
llvm::SmallVector<Schedule> candidateSchedules(const Unit &unit, const Schedule &decided,
                                               const MachineModel &machine, unsigned limit);

/// A name for a scheduled kernel that is the same wherever the kernel is: in
/// another model, run or build. Names, locations and what else does not change
/// its code do not count; shapes, what is known of extents, and the schedules
/// that were decided do.
std::string kernelKey(mlir::func::FuncOp kernel);

/// Calls visit(number, unit) for the units of a function, in order.
void forEachUnit(mlir::func::FuncOp function, const MachineModel &machine,
                 llvm::function_ref<void(unsigned, Unit &)> visit);

/// On a module: schedules found by a search, `{"<kernelKey>.<unit>" = {...}}`,
/// which adze-apply-tuned puts in place of the decided ones.
constexpr llvm::StringLiteral kTunedAttr = "adze.tuned";
/// The entry's name in that dictionary.
std::string tunedName(llvm::StringRef kernelKey, unsigned unit);

}  // namespace adze::schedule
