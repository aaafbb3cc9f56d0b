// Plans of one request's dynamic buffers, by sizes and lifetimes.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace adze::runtime {

class PlanCache {
 public:
  static constexpr int64_t kBadSizes = -1;  ///< negative, or beyond 64 bits
  static constexpr int64_t kBadPlan = -2;   ///< the planner is wrong

  /// Fills offsets and returns the slab's bytes, or one of the above. All spans
  /// have one length. Not thread-safe.
  int64_t plan(std::span<const int64_t> sizes, std::span<const int32_t> first,
               std::span<const int32_t> last, std::span<int64_t> offsets);

  /// Of the plan asked for last; 0 before.
  int64_t slabBytes() const { return slab_; }
  int64_t peakLiveBytes() const { return peak_; }

 private:
  struct Entry {
    uint64_t hash = 0;
    std::vector<int64_t> sizes, offsets;
    std::vector<int32_t> first, last;
    int64_t slab = 0, peak = 0;
  };
  int64_t use(const Entry &entry, std::span<int64_t> offsets);

  std::vector<Entry> entries_;
  int64_t slab_ = 0, peak_ = 0;
  size_t next_ = 0;  ///< the entry to replace once the cache is full
};

}  // namespace adze::runtime
