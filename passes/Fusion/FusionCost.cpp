#include "passes/Fusion/FusionCost.h"

using namespace mlir;

namespace adze {

bool FusionCost::pays(const schedule::MachineModel &machine) const {
  int64_t lanes = std::max<int64_t>(1, machine.vectorBits / elementBits);
  // Cycles: stepsAgain / lanes against bytesSaved / bytesPerCycle.
  return stepsAgain * machine.bytesPerCycle <= bytesSaved * lanes;
}

FusionCost fusionCost(Value value, int64_t steps, int64_t times, bool escapes) {
  FusionCost cost;
  // Elements are stored in whole bytes.
  cost.elementBits = std::max<int64_t>(8, getElementTypeOrSelf(value).getIntOrFloatBitWidth());
  cost.bytesSaved = cost.elementBits / 8 * (escapes ? 1 : 2);
  cost.stepsAgain = steps * (times - 1);
  return cost;
}

}  // namespace adze
