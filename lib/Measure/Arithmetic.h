// Loops of multiply-adds, one for each set of vector instructions.
#pragma once
#include <cstdint>

namespace adze::measure {

struct Level {
  const char *name;           ///< the feature, as LLVM calls it; the first one is the baseline
  const char *also;           ///< another that the loop uses; null: none
  double flopsPerRound;       ///< of one round of the loop
  void (*run)(int64_t rounds);
};

/// From the widest to the baseline, which every CPU of the architecture has.
extern const Level kLevels[];
extern const int kLevelCount;

}  // namespace adze::measure
