// Plans of one request's dynamic buffers, by sizes and lifetimes.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace adze::runtime {

class PlanCache {
 public:
  /// Fills offsets and returns the slab's bytes; -1 when the sizes cannot be
  /// planned. All spans have one length. Not thread-safe.
  int64_t plan(std::span<const int64_t> sizes, std::span<const int32_t> first,
               std::span<const int32_t> last, std::span<int64_t> offsets);

 private:
  struct Entry {
    uint64_t hash = 0;
    std::vector<int64_t> sizes, offsets;
    std::vector<int32_t> first, last;
    int64_t slab = 0;
  };
  std::vector<Entry> entries_;
  size_t next_ = 0;  ///< the entry to replace once the cache is full
};

}  // namespace adze::runtime
