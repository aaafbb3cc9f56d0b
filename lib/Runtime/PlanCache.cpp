#include "lib/Runtime/PlanCache.h"

#include "lib/Artifact/Artifact.h"
#include "lib/Runtime/Planner.h"

#include <algorithm>

namespace adze::runtime {

namespace {
// Shapes of a served model repeat; a stream of ever new ones must not grow.
constexpr size_t kEntries = 64;
}  // namespace

int64_t PlanCache::plan(std::span<const int64_t> sizes, std::span<const int32_t> first,
                        std::span<const int32_t> last, std::span<int64_t> offsets) {
  uint64_t hash = artifact::hashBytes(std::as_bytes(sizes));
  for (const Entry &e : entries_) {
    if (e.hash != hash || !std::ranges::equal(e.sizes, sizes) ||
        !std::ranges::equal(e.first, first) || !std::ranges::equal(e.last, last))
      continue;
    return use(e, offsets);
  }
  std::vector<PlanBuffer> buffers;
  for (size_t i = 0; i < sizes.size(); ++i) buffers.push_back({sizes[i], first[i], last[i]});
  Plan plan;
  if (!planOffsets(buffers, plan)) return kBadSizes;
  if (!checkPlan(buffers, plan.offsets, plan.slabBytes)) return kBadPlan;
  Entry entry{hash,
              {sizes.begin(), sizes.end()},
              std::move(plan.offsets),
              {first.begin(), first.end()},
              {last.begin(), last.end()},
              plan.slabBytes,
              plan.peakLiveBytes};
  if (entries_.size() < kEntries) {
    entries_.push_back(std::move(entry));
    return use(entries_.back(), offsets);
  }
  Entry &oldest = entries_[next_];
  next_ = (next_ + 1) % kEntries;
  oldest = std::move(entry);
  return use(oldest, offsets);
}

int64_t PlanCache::use(const Entry &entry, std::span<int64_t> offsets) {
  std::ranges::copy(entry.offsets, offsets.begin());
  slab_ = entry.slab;
  peak_ = entry.peak;
  return entry.slab;
}

}  // namespace adze::runtime
