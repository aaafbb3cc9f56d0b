// Searches for a memory plan of a given size where greedy orders miss it.
#pragma once
#include "lib/Runtime/Planner.h"

namespace adze::runtime {

/// Looks for offsets at which no buffer ends above `capacity` and no two that
/// are alive together overlap. Sizes are positive multiples of the alignment
/// that the offsets shall have. Takes what it does off `steps` (about 1e8 a
/// second) and gives up when none are left. Deterministic; that it finds
/// nothing proves nothing.
bool searchPlan(std::span<const PlanBuffer> buffers, int64_t capacity, int64_t &steps,
                std::vector<int64_t> &offsets);

}  // namespace adze::runtime
