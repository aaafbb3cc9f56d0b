#include "passes/Fusion/FusionCost.h"

#include "llvm/Support/MathExtras.h"

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

int64_t RowBlocks::blocks(Value value, const schedule::MachineModel &machine) const {
  int64_t elementBytes = fusionCost(value, 0, 1, false).elementBits / 8;
  int64_t rowBytes = llvm::SaturatingMultiply<uint64_t>(columns, elementBytes);
  return llvm::divideCeil(rows.value_or(kUnknownExtent), machine.blockRows(rowBytes, rows));
}

FusionCost RowBlocks::cost(Value value, const schedule::MachineModel &machine) const {
  FusionCost cost = fusionCost(value, 0, 1, /*escapes=*/false);
  int64_t all = std::max<int64_t>(1, rows.value_or(kUnknownExtent));
  int64_t times = std::max<int64_t>(0, blocks(value, machine) - 1);
  // Of one column, for all its elements.
  uint64_t bytes = llvm::SaturatingMultiply<uint64_t>(again, cost.elementBits / 8 * times);
  cost.bytesSaved -= std::min<uint64_t>(llvm::divideCeil(bytes, all), INT32_MAX);
  return cost;
}

FusionCost ScoreRows::cost(Value scores) {
  FusionCost cost = fusionCost(scores, 0, 1, /*escapes=*/false);
  cost.bytesSaved *= 2;
  return cost;
}

bool ScoreRows::pays(Value scores, const schedule::MachineModel &machine) const {
  constexpr int64_t kWarpRows = 16, kTileColumns = 64, kSharingWarps = 4;
  // Of an H100 at 1.7 GHz: a launch is 4200 cycles; a warp alone takes 20 for an instruction of its
  // matrix units, of which 8 columns x 8 terms need three in f32 and half a one in 16 bits.
  constexpr double kLaunchCycles = 4200, kWideTerm = 3 * 20.0 / 64, kNarrowTerm = 0.5 * 20 / 64;
  FusionCost saved = cost(scores);
  double bytes = double(batches) * rows * columns * saved.bytesSaved +
                 double(launches) * machine.launchBytes;
  double warps = double(batches) * llvm::divideCeil(rows, kWarpRows) * kSharingWarps;
  double threads = warps * machine.simtWidth;
  double idle = 1 - std::min(1.0, threads / std::max<int64_t>(1, machine.threads));
  double terms = double(llvm::alignTo(columns, kTileColumns)) / kSharingWarps * depth;
  double waited = idle * terms * (saved.elementBits > 16 ? kWideTerm : kNarrowTerm);
  return waited / kLaunchCycles * machine.launchBytes <= bytes;
}

}  // namespace adze
