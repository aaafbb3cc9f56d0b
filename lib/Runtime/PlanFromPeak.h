// Plans that begin where most is alive.
#pragma once
#include "lib/Runtime/Planner.h"

namespace adze::runtime {

/// Packs what is alive at the peak without gaps, then goes forward and backward in time
/// from there, as an allocator would: each buffer goes to a free range when it begins,
/// one that it fills well, beside a buffer that ends at about the same time, so that
/// both leave one large range. Takes O(n log n), whatever is alive at a time. Sizes are
/// aligned and their sum fits; returns the slab's size, `enough` or less ending it early.
int64_t planFromPeak(std::span<const PlanBuffer> buffers, int64_t enough,
                     std::vector<int64_t> &offsets);

}  // namespace adze::runtime
