#include "lib/Runtime/PlanLifetimes.h"

namespace adze::runtime {

int64_t bestFit(std::vector<PlanRange> &taken, int64_t size) {
  constexpr int64_t kNone = -1;
  std::sort(taken.begin(), taken.end(), [](PlanRange a, PlanRange b) { return a.begin < b.begin; });
  int64_t best = kNone, bestGap = INT64_MAX, top = 0;
  for (PlanRange r : taken) {
    int64_t gap = r.begin - top;
    if (gap >= size && gap < bestGap) {
      best = top;
      bestGap = gap;
    }
    top = std::max(top, r.end);
  }
  return best == kNone ? top : best;
}

}  // namespace adze::runtime
