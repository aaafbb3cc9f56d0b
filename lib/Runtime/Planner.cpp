#include "lib/Runtime/Planner.h"

#include "lib/Support/Checked.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace adze::runtime {

namespace {
constexpr int64_t kNoOffset = -1;
// More orders than one are tried only where they are cheap.
constexpr size_t kPortfolioLimit = 2048;

/// Lifetimes on the compressed axis of starts and ends, and which of the
/// placed buffers are alive with a given one: a segment tree answers who
/// covers a step, a list by start answers who begins during a lifetime.
class Lifetimes {
 public:
  explicit Lifetimes(std::span<const PlanBuffer> buffers) {
    std::vector<int32_t> steps;
    for (const PlanBuffer &b : buffers) {
      steps.push_back(b.first);
      steps.push_back(b.last);
    }
    std::sort(steps.begin(), steps.end());
    steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
    auto index = [&](int32_t s) {
      return std::lower_bound(steps.begin(), steps.end(), s) - steps.begin();
    };
    for (const PlanBuffer &b : buffers) spans_.push_back({index(b.first), index(b.last)});
    while (leaves_ < steps.size()) leaves_ *= 2;
    startsAt_.resize(steps.size());
    clear();
  }

  void clear() {
    covers_.assign(2 * leaves_, {});
    for (auto &s : startsAt_) s.clear();
  }

  void add(size_t buffer) {
    auto [first, last] = spans_[buffer];
    startsAt_[first].push_back(buffer);
    size_t l = first + leaves_, r = last + leaves_ + 1;
    for (; l < r; l /= 2, r /= 2) {
      if (l & 1) covers_[l++].push_back(buffer);
      if (r & 1) covers_[--r].push_back(buffer);
    }
  }

  template <typename F>
  void eachAliveWith(size_t buffer, F f) const {
    auto [first, last] = spans_[buffer];
    for (size_t n = first + leaves_; n; n /= 2)
      for (size_t b : covers_[n]) f(b);
    for (size_t s = first + 1; s <= size_t(last); ++s)
      for (size_t b : startsAt_[s]) f(b);
  }

  int64_t length(size_t buffer) const { return spans_[buffer].last - spans_[buffer].first + 1; }

 private:
  struct Span {
    std::ptrdiff_t first, last;
  };
  size_t leaves_ = 1;
  std::vector<Span> spans_;
  std::vector<std::vector<size_t>> covers_, startsAt_;
};

struct Range {
  int64_t begin, end;
};

/// The tightest gap between `taken` that holds `size`, else the end.
int64_t bestFit(std::vector<Range> &taken, int64_t size) {
  std::sort(taken.begin(), taken.end(), [](Range a, Range b) { return a.begin < b.begin; });
  int64_t best = kNoOffset, bestGap = INT64_MAX, top = 0;
  for (Range r : taken) {
    int64_t gap = r.begin - top;
    if (gap >= size && gap < bestGap) {
      best = top;
      bestGap = gap;
    }
    top = std::max(top, r.end);
  }
  return best == kNoOffset ? top : best;
}

/// Places buffers in this order; returns the slab's size.
int64_t place(std::span<const int64_t> sizes, Lifetimes &lives, std::span<const size_t> order,
              std::vector<int64_t> &offsets) {
  lives.clear();
  offsets.assign(sizes.size(), 0);
  std::vector<Range> taken;
  int64_t slab = 0;
  for (size_t i : order) {
    if (sizes[i] == 0) continue;
    taken.clear();
    lives.eachAliveWith(i, [&](size_t o) { taken.push_back({offsets[o], offsets[o] + sizes[o]}); });
    offsets[i] = bestFit(taken, sizes[i]);
    slab = std::max(slab, offsets[i] + sizes[i]);
    lives.add(i);
  }
  return slab;
}

int64_t peakLive(std::span<const PlanBuffer> buffers, std::span<const int64_t> sizes) {
  std::map<int64_t, int64_t> change;
  for (size_t i = 0; i < buffers.size(); ++i) {
    change[buffers[i].first] += sizes[i];
    change[int64_t(buffers[i].last) + 1] -= sizes[i];
  }
  int64_t live = 0, peak = 0;
  for (auto [step, delta] : change) peak = std::max(peak, live += delta);
  return peak;
}

/// Indices by decreasing key; ties keep program order.
template <typename Key>
std::vector<size_t> orderBy(size_t n, Key key) {
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    auto ka = key(a), kb = key(b);
    return ka != kb ? ka > kb : a < b;
  });
  return order;
}
}  // namespace

bool planOffsets(std::span<const PlanBuffer> buffers, Plan &plan) {
  std::vector<int64_t> sizes;
  int64_t sum = 0;
  for (const PlanBuffer &b : buffers) {
    auto padded = checkedAdd(b.size, kPlanAlignment - 1);
    if (b.size < 0 || b.first > b.last || !padded) return false;
    sizes.push_back(*padded / kPlanAlignment * kPlanAlignment);
    auto total = checkedAdd(sum, sizes.back());
    if (!total) return false;
    sum = *total;
  }
  Lifetimes lives(buffers);
  plan.peakLiveBytes = peakLive(buffers, sizes);
  size_t n = buffers.size();
  plan.slabBytes =
      place(sizes, lives, orderBy(n, [&](size_t i) { return sizes[i]; }), plan.offsets);
  auto attempt = [&](const std::vector<size_t> &order) {
    if (n > kPortfolioLimit || plan.slabBytes == plan.peakLiveBytes) return;
    std::vector<int64_t> offsets;
    int64_t slab = place(sizes, lives, order, offsets);
    if (slab >= plan.slabBytes) return;
    plan.slabBytes = slab;
    plan.offsets = std::move(offsets);
  };
  // As double: a product of bytes and steps may leave 64 bits.
  attempt(orderBy(n, [&](size_t i) { return double(sizes[i]) * double(lives.length(i)); }));
  attempt(orderBy(n, [&](size_t i) { return lives.length(i); }));
  attempt(orderBy(n, [&](size_t i) { return -int64_t(buffers[i].first); }));
  attempt(orderBy(n, [&](size_t i) { return int64_t(buffers[i].last); }));
  return true;
}

bool checkPlan(std::span<const PlanBuffer> buffers, std::span<const int64_t> offsets,
               int64_t slabBytes) {
  if (buffers.size() != offsets.size()) return false;
  struct Event {
    int64_t step;
    bool begins;
    size_t buffer;
  };
  std::vector<Event> events;
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (!rangeInside(offsets[i], buffers[i].size, slabBytes)) return false;
    if (buffers[i].size == 0) continue;
    events.push_back({buffers[i].first, true, i});
    events.push_back({int64_t(buffers[i].last) + 1, false, i});
  }
  // Ends come before begins of the same step.
  std::sort(events.begin(), events.end(), [](const Event &a, const Event &b) {
    return a.step != b.step ? a.step < b.step : a.begins < b.begins;
  });
  std::map<int64_t, int64_t> live;  // begin -> end, disjoint
  for (const Event &e : events) {
    int64_t begin = offsets[e.buffer], end = begin + buffers[e.buffer].size;
    if (!e.begins) {
      live.erase(begin);
      continue;
    }
    auto next = live.lower_bound(begin);
    if (next != live.end() && next->first < end) return false;
    if (next != live.begin() && std::prev(next)->second > begin) return false;
    live[begin] = end;
  }
  return true;
}

}  // namespace adze::runtime
