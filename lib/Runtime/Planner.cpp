#include "lib/Runtime/Planner.h"

#include "lib/Runtime/PlanSearch.h"
#include "lib/Support/Checked.h"

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>
#include <set>

namespace adze::runtime {

namespace {
constexpr int64_t kNoOffset = -1;
// Pairs of buffers alive together that greedy orders may look at, all in all:
// some half a second.
constexpr double kPairs = 2.4e7;
// The search goes one call deeper for each buffer.
constexpr size_t kSearchedBuffers = 1024;

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

  /// Pairs of buffers that are alive together.
  double pairs() const {
    std::vector<int64_t> begun(startsAt_.size() + 1);
    for (auto [first, last] : spans_) ++begun[first + 1];
    double count = 0;
    for (int64_t together : begun) count += double(together) * double(together - 1) / 2;
    std::partial_sum(begun.begin(), begun.end(), begun.begin());
    for (auto [first, last] : spans_) count += double(begun[last + 1] - begun[first + 1]);
    return count;
  }

  size_t steps() const { return startsAt_.size(); }
  std::ptrdiff_t first(size_t buffer) const { return spans_[buffer].first; }
  std::ptrdiff_t last(size_t buffer) const { return spans_[buffer].last; }
  std::ptrdiff_t length(size_t buffer) const { return spans_[buffer].last - spans_[buffer].first + 1; }

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

/// For each buffer the most bytes alive at once during its life.
std::vector<int64_t> crowding(std::span<const PlanBuffer> buffers, std::span<const int64_t> sizes,
                              const Lifetimes &lives) {
  // most[k][s]: over 2^k steps from s on.
  std::vector<std::vector<int64_t>> most(1, std::vector<int64_t>(lives.steps() + 1));
  std::vector<int64_t> &live = most.front();
  for (size_t i = 0; i < buffers.size(); ++i) {
    live[lives.first(i)] += sizes[i];
    live[lives.last(i) + 1] -= sizes[i];
  }
  std::partial_sum(live.begin(), live.end(), live.begin());
  for (size_t width = 2; width <= lives.steps(); width *= 2) {
    const std::vector<int64_t> &half = most.back();
    std::vector<int64_t> next(lives.steps() + 1 - width);
    for (size_t s = 0; s < next.size(); ++s) next[s] = std::max(half[s], half[s + width / 2]);
    most.push_back(std::move(next));
  }
  std::vector<int64_t> result(buffers.size());
  for (size_t i = 0; i < buffers.size(); ++i) {
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

/// Free ranges of a slab without end, found by size, merged with their neighbours.
class FreeRanges {
 public:
  FreeRanges() { add(0, INT64_MAX); }

  /// Takes `size` from the tightest range that holds it.
  int64_t take(int64_t size) {
    auto [have, begin] = *bySize_.lower_bound({size, 0});
    remove(byBegin_.find(begin));
    if (have > size) add(begin + size, have - size);
    return begin;
  }

  void give(int64_t begin, int64_t size) {
    auto next = byBegin_.lower_bound(begin);
    if (next != byBegin_.end() && next->first == begin + size) {
      size += next->second;
      next = remove(next);
    }
    if (next != byBegin_.begin()) {
      auto before = std::prev(next);
      if (before->first + before->second == begin) {
        begin = before->first;
        size += before->second;
        remove(before);
      }
    }
    add(begin, size);
  }

 private:
  using Map = std::map<int64_t, int64_t>;  // begin -> size
  void add(int64_t begin, int64_t size) {
    byBegin_[begin] = size;
    bySize_.insert({size, begin});
  }
  Map::iterator remove(Map::iterator range) {
    bySize_.erase({range->second, range->first});
    return byBegin_.erase(range);
  }

  Map byBegin_;
  std::set<std::pair<int64_t, int64_t>> bySize_;
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
    fit(size);
    // What is alive where most is: there is no room to waste.
    std::vector<int64_t> crowd = crowding(buffers_, sizes_, lives_);
    auto class64 = [&](size_t i) { return double(crowd[i]) * 64 / double(plan_.peakLiveBytes); };
    fit([&](size_t i) { return std::tuple(int64_t(class64(i)), length(i), sizes_[i]); });
    // Sizes of one class in the order of time: the best order for equal ones.
    fit([&](size_t i) { return std::pair(halfOctave(sizes_[i]), -lives_.first(i)); });
    fit(area);
    fit(length);
    fit([&](size_t i) { return -lives_.first(i); });
    fit([&](size_t i) { return lives_.last(i); });
    // Of a cost that does not grow with the number alive together.
    inTime();
    stack(length);
    stack(area);
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

  /// As an allocator would: each buffer where there is room when it begins.
  void inTime() {
    if (plan_.slabBytes <= enough_) return;
    auto begins = orderBy(sizes_.size(), [&](size_t i) {
      return std::pair(-lives_.first(i), sizes_[i]);
    });
    auto ends = orderBy(sizes_.size(), [&](size_t i) { return -lives_.last(i); });
    std::vector<int64_t> offsets(sizes_.size());
    FreeRanges free;
    int64_t slab = 0;
    auto ended = ends.begin();
    for (size_t i : begins) {
      for (; lives_.last(*ended) < lives_.first(i); ++ended)
        if (sizes_[*ended]) free.give(offsets[*ended], sizes_[*ended]);
      if (sizes_[i]) offsets[i] = free.take(sizes_[i]);
      slab = std::max(slab, offsets[i] + sizes_[i]);
    }
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
