#include "lib/Runtime/Planner.h"

#include "lib/Runtime/PlanFromPeak.h"
#include "lib/Runtime/PlanLifetimes.h"
#include "lib/Runtime/PlanRepair.h"
#include "lib/Runtime/PlanSearch.h"
#include "lib/Support/Checked.h"

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>

namespace adze::runtime {

namespace {
// Pairs of buffers alive together that greedy orders may look at, all in all, and
// that repairs may: some quarter of a second each.
constexpr double kPairs = 1.2e7, kRepairPairs = 1.2e7;
// The search goes one call deeper for each buffer.
constexpr size_t kSearchedBuffers = 1024;

/// Places buffers in this order; returns the slab's size.
int64_t place(std::span<const int64_t> sizes, Lifetimes &lives, std::span<const size_t> order,
              std::vector<int64_t> &offsets) {
  lives.clear();
  offsets.assign(sizes.size(), 0);
  std::vector<PlanRange> taken;
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

/// For each buffer the most bytes alive at once during its life.
std::vector<int64_t> crowding(std::span<const int64_t> sizes, const Lifetimes &lives) {
  // most[k][s]: over 2^k steps from s on.
  std::vector<std::vector<int64_t>> most(1, lives.load(sizes));
  for (size_t width = 2; width <= lives.steps(); width *= 2) {
    const std::vector<int64_t> &half = most.back();
    std::vector<int64_t> next(lives.steps() + 1 - width);
    for (size_t s = 0; s < next.size(); ++s) next[s] = std::max(half[s], half[s + width / 2]);
    most.push_back(std::move(next));
  }
  std::vector<int64_t> result(sizes.size());
  for (size_t i = 0; i < sizes.size(); ++i) {
    size_t k = std::bit_width(static_cast<uint64_t>(lives.length(i))) - 1;
    size_t first = lives.first(i);
    result[i] = std::max(most[k][first], most[k][lives.last(i) + 1 - (size_t(1) << k)]);
  }
  return result;
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

/// The highest top over a range of steps; tops only rise. A segment tree.
class Skyline {
 public:
  explicit Skyline(size_t steps) {
    while (leaves_ < steps) leaves_ *= 2;
    whole_.assign(2 * leaves_, 0);
    part_.assign(2 * leaves_, 0);
  }

  int64_t top(size_t first, size_t last) const {
    int64_t top = 0;
    visit(first, last, [&](size_t n) { top = std::max(top, part_[n]); },
          [&](size_t n) { top = std::max(top, whole_[n]); });
    return top;
  }

  void raise(size_t first, size_t last, int64_t to) {
    visit(first, last,
          [&](size_t n) { whole_[n] = part_[n] = std::max(part_[n], to); },
          [&](size_t n) { part_[n] = std::max(part_[n], to); });
  }

 private:
  /// The nodes that make up the range, and the nodes above them.
  template <typename In, typename Above>
  void visit(size_t first, size_t last, In in, Above above) const {
    size_t l = first + leaves_, r = last + leaves_ + 1;
    for (size_t n = l / 2; n; n /= 2) above(n);
    for (size_t n = (r - 1) / 2; n; n /= 2) above(n);
    for (; l < r; l /= 2, r /= 2) {
      if (l & 1) in(l++);
      if (r & 1) in(--r);
    }
  }

  size_t leaves_ = 1;
  std::vector<int64_t> whole_;  ///< top over all of a node's steps, set at the node
  std::vector<int64_t> part_;   ///< highest top over any of them, set there or below
};

/// Integer log2 in half octaves.
int64_t halfOctave(int64_t size) {
  int64_t octave = std::bit_width(static_cast<uint64_t>(size));
  return 2 * octave + (octave > 1 && (size >> (octave - 2) & 1));
}

bool alignedSizes(std::span<const PlanBuffer> buffers, int64_t alignment,
                  std::vector<int64_t> &sizes) {
  int64_t sum = 0;
  for (const PlanBuffer &b : buffers) {
    auto padded = checkedAdd(b.size, alignment - 1);
    if (b.size < 0 || b.first > b.last || !padded) return false;
    sizes.push_back(*padded / alignment * alignment);
    auto total = checkedAdd(sum, sizes.back());
    if (!total) return false;
    sum = *total;
  }
  return true;
}

/// Greedy plans in one order after the other, the best one kept.
class Portfolio {
 public:
  Portfolio(std::span<const PlanBuffer> buffers, std::span<const int64_t> sizes, int64_t enough,
            Plan &plan)
      : buffers_(buffers), sizes_(sizes), lives_(buffers), enough_(enough), plan_(plan) {
    plan_.slabBytes = INT64_MAX;
  }

  void run() {
    auto size = [&](size_t i) { return sizes_[i]; };
    auto length = [&](size_t i) { return lives_.length(i); };
    // As double: a product of bytes and steps may leave 64 bits.
    auto area = [&](size_t i) { return double(sizes_[i]) * double(lives_.length(i)); };
    // What is alive where most is: there is no room to waste.
    std::vector<int64_t> crowd = crowding(sizes_, lives_);
    auto class64 = [&](size_t i) { return double(crowd[i]) * 64 / double(plan_.peakLiveBytes); };
    auto crowded = [&](size_t i) { return std::tuple(int64_t(class64(i)), length(i), sizes_[i]); };
    // Where there is time for few orders, the best one of graphs that large is first.
    if (4 * pairs_ < kPairs) fit(size);
    fit(crowded);
    if (4 * pairs_ >= kPairs) fit(size);
    // Sizes of one class in the order of time: the best order for equal ones.
    fit([&](size_t i) { return std::pair(halfOctave(sizes_[i]), -lives_.first(i)); });
    fit(area);
    fit(length);
    fit([&](size_t i) { return -lives_.first(i); });
    fit([&](size_t i) { return lives_.last(i); });
    // Of a cost that does not grow with the number alive together.
    fromPeak();
    stack(length);
    stack(area);
    plan_.slabBytes = repairPlan(sizes_, lives_, enough_, kRepairPairs, plan_.offsets);
  }

 private:
  template <typename Key>
  void fit(Key key) {
    spent_ += pairs_;
    if (spent_ > kPairs || plan_.slabBytes <= enough_) return;
    std::vector<int64_t> offsets;
    int64_t slab = place(sizes_, lives_, orderBy(sizes_.size(), key), offsets);
    keep(slab, std::move(offsets));
  }

  void fromPeak() {
    if (plan_.slabBytes <= enough_) return;
    std::vector<PlanBuffer> aligned(buffers_.begin(), buffers_.end());
    for (size_t i = 0; i < aligned.size(); ++i) aligned[i].size = sizes_[i];
    std::vector<int64_t> offsets(sizes_.size());
    int64_t slab = planFromPeak(aligned, enough_, offsets);
    keep(slab, std::move(offsets));
  }

  /// Each buffer onto the highest of those before it; no gap is filled.
  template <typename Key>
  void stack(Key key) {
    if (plan_.slabBytes <= enough_) return;
    std::vector<int64_t> offsets(sizes_.size());
    Skyline skyline(lives_.steps());
    int64_t slab = 0;
    for (size_t i : orderBy(sizes_.size(), key)) {
      offsets[i] = sizes_[i] ? skyline.top(lives_.first(i), lives_.last(i)) : 0;
      skyline.raise(lives_.first(i), lives_.last(i), offsets[i] + sizes_[i]);
      slab = std::max(slab, offsets[i] + sizes_[i]);
    }
    keep(slab, std::move(offsets));
  }

  void keep(int64_t slab, std::vector<int64_t> offsets) {
    if (slab >= plan_.slabBytes) return;
    plan_.slabBytes = slab;
    plan_.offsets = std::move(offsets);
  }

  std::span<const PlanBuffer> buffers_;
  std::span<const int64_t> sizes_;
  Lifetimes lives_;
  double pairs_ = lives_.pairs(), spent_ = 0;
  int64_t enough_;
  Plan &plan_;
};

/// Searches for a plan of `enough` bytes, then for what lies between that and
/// the best plan yet.
void improve(std::span<const PlanBuffer> buffers, std::span<const int64_t> sizes, int64_t enough,
             const PlanOptions &options, Plan &plan) {
  std::vector<PlanBuffer> wanted;
  std::vector<size_t> numbers;
  for (size_t i = 0; i < buffers.size(); ++i) {
    if (!sizes[i]) continue;
    wanted.push_back({sizes[i], buffers[i].first, buffers[i].last});
    numbers.push_back(i);
  }
  if (wanted.size() > kSearchedBuffers) return;
  int64_t unit = options.alignment, aim = enough, low = enough, steps = options.steps / 2;
  for (int64_t left = options.steps; left > 0 && plan.slabBytes > aim;) {
    int64_t given = std::min(steps, left);
    left -= given;
    std::vector<int64_t> offsets;
    if (searchPlan(wanted, aim, given, offsets)) {
      plan.slabBytes = 0;
      for (size_t i = 0; i < wanted.size(); ++i) {
        plan.offsets[numbers[i]] = offsets[i];
        plan.slabBytes = std::max(plan.slabBytes, offsets[i] + wanted[i].size);
      }
    } else {
      low = aim;
    }
    left += std::max<int64_t>(given, 0);
    steps = std::max<int64_t>(options.steps / 8, 1);
    aim = low + (plan.slabBytes - low) / 2 / unit * unit;
    if (aim == low) return;
  }
}
}  // namespace

bool planOffsets(std::span<const PlanBuffer> buffers, Plan &plan, const PlanOptions &options) {
  std::vector<int64_t> sizes;
  if (!alignedSizes(buffers, options.alignment, sizes)) return false;
  plan.peakLiveBytes = peakLive(buffers, sizes);
  int64_t enough = std::max(plan.peakLiveBytes, options.capacity);
  Portfolio(buffers, sizes, enough, plan).run();
  if (plan.slabBytes > enough) improve(buffers, sizes, enough, options, plan);
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
