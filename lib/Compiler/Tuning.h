// How a search for schedules takes part in a compile (tools/adze/Tune.cpp).
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mlir {
class ModuleOp;
}

namespace adze {

class Target;
struct TargetOptions;

/// One kernel function as decided, and what may stand in place of it. Schedules
/// are texts of attributes (passes/Schedule/Schedule.h): kScheduleAttr, kTileAttr.
struct KernelSchedules {
  std::string key;                               ///< schedule::kernelKey
  std::vector<int32_t> launches;                 ///< in the artifact's kernel table
  std::vector<std::vector<std::string>> units;   ///< candidates of each unit, the best guess first
};

/// A launch that was added to time a kernel: with the decided schedules, or with
/// another of one unit.
struct TuningLaunch {
  std::string key, schedule;  ///< schedule is empty: as decided
  unsigned unit = 0;
  int32_t kernel = -1;        ///< in the artifact's kernel table
};

/// All may be null.
struct TuningHooks {
  /// The schedule to use for a unit on a device (TargetOptions::device) in place of the
  /// decided one; empty: none.
  std::function<std::string(const std::string &device, const std::string &key, unsigned unit)>
      stored;
  /// Told of each kernel function; answers which (unit, schedule) to time: after
  /// its first launch, one more as decided, one of each, and one as decided.
  std::function<std::vector<std::pair<unsigned, std::string>>(const KernelSchedules &)> variants;
  /// What was added.
  std::function<void(std::vector<TuningLaunch>)> added;
};

/// After the schedules were decided: asks the hooks and changes `module`. The
/// number of units that a stored schedule fits; others are refused with a remark.
int64_t tuneModule(mlir::ModuleOp module, const Target &target, const TargetOptions &options,
                   const TuningHooks &hooks);

}  // namespace adze
