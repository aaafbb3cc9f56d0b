// What sharing a kernel saves and costs. docs/fusion.md explains the rule.
#pragma once
#include "dialects/Graph/Graph.h"
#include "passes/Schedule/MachineModel.h"

namespace adze {

/// Of a value that stays inside a kernel, for each of its elements.
struct FusionCost {
  int64_t bytesSaved = 0;   ///< not written, and not read again
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

}  // namespace adze
