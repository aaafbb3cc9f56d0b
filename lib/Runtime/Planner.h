// Places buffers with known lifetimes in one slab. Used by the compiler for
// static shapes and by the runtime for dynamic ones.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace adze::runtime {

/// A buffer: `size` bytes, alive from step `first` to step `last`, inclusive.
struct PlanBuffer {
  int64_t size = 0;
  int32_t first = 0;
  int32_t last = 0;
};

struct Plan {
  std::vector<int64_t> offsets;  ///< bytes, each a multiple of the alignment
  int64_t slabBytes = 0;         ///< end of the highest buffer
  int64_t peakLiveBytes = 0;     ///< most (aligned) bytes alive at once: no plan is smaller
};

/// Every offset of adze's own plans is a multiple of this.
inline constexpr int64_t kPlanAlignment = 64;

/// Steps of search (about 1e8 a second) that a compile, and a request of a size
/// that was not there before, may spend where greedy orders miss the peak.
inline constexpr int64_t kCompilePlanSteps = 200'000'000;
inline constexpr int64_t kRequestPlanSteps = 1'000'000;

struct PlanOptions {
  int64_t alignment = kPlanAlignment;  ///< at least 1
  int64_t capacity = 0;  ///< a slab of so many bytes is good enough; 0: only the peak is
  int64_t steps = kRequestPlanSteps;
};

/// Greedy by decreasing size, each buffer into the tightest gap between the
/// buffers alive with it (Pisarchyk and Lee, "Efficient Memory Management for
/// Deep Neural Net Inference", 2020); where that misses the peak, other orders, a plan
/// from the peak outwards (PlanFromPeak.h), repairs of the best one's highest places
/// (PlanRepair.h), then a search (PlanSearch.h). Deterministic: work is bounded by
/// counts, not by time. Returns false on a negative size, first > last, or overflow.
bool planOffsets(std::span<const PlanBuffer> buffers, Plan &plan, const PlanOptions &options = {});

/// Independent check, O(n log n): true when no two buffers that are alive
/// together share a byte and all lie inside [0, slabBytes).
bool checkPlan(std::span<const PlanBuffer> buffers, std::span<const int64_t> offsets,
               int64_t slabBytes);

}  // namespace adze::runtime
