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

/// Every offset is a multiple of this.
inline constexpr int64_t kPlanAlignment = 64;

/// Greedy by decreasing size, each buffer into the tightest gap between the
/// buffers alive with it (Pisarchyk and Lee, "Efficient Memory Management for
/// Deep Neural Net Inference", 2020); where that does not reach the lower
/// bound, other orders are tried and the best plan is kept. Deterministic.
/// Returns false on a negative size, first > last, or overflow.
bool planOffsets(std::span<const PlanBuffer> buffers, Plan &plan);

/// Independent check, O(n log n): true when no two buffers that are alive
/// together share a byte and all lie inside [0, slabBytes).
bool checkPlan(std::span<const PlanBuffer> buffers, std::span<const int64_t> offsets,
               int64_t slabBytes);

}  // namespace adze::runtime
