// Makes a plan lower where it is highest.
#pragma once
#include "lib/Runtime/PlanLifetimes.h"

namespace adze::runtime {

/// Takes out what lives around the most crowded step below the slab's top, and places it
/// anew: what is alive at that step first, then the rest as it lies farther and farther
/// away, in several orders and spans of time until all of it ends below that top; and so on
/// with the next top, down to `enough` or until it has looked at `pairs` pairs of buffers.
/// Zero sizes have no place. Returns the slab's size.
int64_t repairPlan(std::span<const int64_t> sizes, Lifetimes &lives, int64_t enough, double pairs,
                   std::vector<int64_t> &offsets);

}  // namespace adze::runtime
