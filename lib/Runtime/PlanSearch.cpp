// The search places buffers from the bottom up, each on the highest of those
// below it, in the order of their offsets: every plan can be pushed down into
// one that such a sequence makes, so no other is looked at (Moffitt, "MiniMalloc:
// A Lightweight Memory Allocator for Hardware-Accelerated Machine Learning",
// 2023, has this canonical form, the dominance rule, the bounds of sections and
// the decomposition). What is ours: failed subtrees tell which part of the time
// axis they failed in, and choices elsewhere are not tried again; and the order
// of the choices is itself improved by many short searches.
#include "lib/Runtime/PlanSearch.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <numeric>
#include <tuple>

namespace adze::runtime {

namespace {

/// The buffers on the axis of the times that matter: a section is a run of
/// steps in which buffers begin and none has ended. Two buffers share a section
/// exactly where they are alive together.
std::vector<PlanBuffer> onSections(std::span<const PlanBuffer> buffers) {
  struct Event {
    int64_t step;
    bool begins;
    size_t buffer;
  };
  std::vector<Event> events;
  for (size_t i = 0; i < buffers.size(); ++i) {
    events.push_back({buffers[i].first, true, i});
    events.push_back({int64_t(buffers[i].last) + 1, false, i});
  }
  std::ranges::sort(events, [](const Event &a, const Event &b) {
    return std::tie(a.step, a.begins, a.buffer) < std::tie(b.step, b.begins, b.buffer);
  });
  std::vector<PlanBuffer> items(buffers.begin(), buffers.end());
  int32_t section = 0;
  bool ended = false;
  for (const Event &e : events) {
    if (e.begins) {
      section += ended;
      items[e.buffer].first = section;
    } else {
      items[e.buffer].last = section;
    }
    ended = !e.begins;
  }
  return items;
}

/// A set of sections.
class SectionSet {
 public:
  explicit SectionSet(size_t sections) : words_((sections + 63) / 64) {}
  void clear() { std::ranges::fill(words_, 0); }
  void add(const PlanBuffer &b) {
    for (int32_t s = b.first; s <= b.last; ++s) words_[s / 64] |= uint64_t(1) << s % 64;
  }
  void add(const SectionSet &other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
  }
  bool meets(const PlanBuffer &b) const {
    for (int32_t s = b.first; s <= b.last; ++s)
      if (words_[s / 64] >> s % 64 & 1) return true;
    return false;
  }

 private:
  std::vector<uint64_t> words_;
};

/// One search by one order of preference.
class Tree {
 public:
  Tree(std::span<const PlanBuffer> items, size_t sections, int64_t capacity, int64_t steps)
      : items_(items), capacity_(capacity), steps_(steps), rank_(items.size()), low_(items.size()),
        total_(sections), least_(sections), second_(sections),
        room_(sections), links_(sections),
        failures_(sections), conflict_(sections) {
    for (const PlanBuffer &b : items)
      for (int32_t s = b.first; s <= b.last; ++s) total_[s] += b.size;
  }

  /// Buffers are preferred by their place in `order`.
  bool run(const std::vector<int32_t> &order) {
    for (size_t i = 0; i < order.size(); ++i) rank_[order[i]] = static_cast<int32_t>(i);
    return place(order, 0, -1);
  }

  int64_t stepsLeft() const { return steps_; }
  int64_t deepest() const { return deepest_; }
  /// How often each section could not hold its members.
  const std::vector<int64_t> &failures() const { return failures_; }
  /// Where it ended each buffer; after success.
  const std::vector<int64_t> &offsets() const { return low_; }

 private:
  bool overlap(int32_t a, int32_t b) const {
    return items_[a].first <= items_[b].last && items_[b].first <= items_[a].last;
  }

  /// Places `members`, none below `level`, and at it only those ranked after
  /// `last`, which was placed there before.
  bool place(const std::vector<int32_t> &members, int64_t level, int32_t last) {
    if (members.empty()) return true;
    int32_t begin = INT32_MAX, end = 0, width = 0;
    for (int32_t b : members) {
      begin = std::min(begin, items_[b].first);
      end = std::max(end, items_[b].last);
      width += items_[b].last - items_[b].first + 1;
    }
    steps_ -= static_cast<int64_t>(members.size()) + width / 4;
    if (steps_ < 0 || !mayFit(members, level, last, begin, end)) return false;
    std::vector<int32_t> cuts = cutsOf(members, begin, end);
    return cuts.empty() ? branch(members, level, last) : placeParts(members, cuts, level, last);
  }

  /// Bounds from below: each section must hold what is still to be placed in
  /// it. Where one does not, its members are what the failure is about.
  bool mayFit(const std::vector<int32_t> &members, int64_t level, int32_t last, int32_t begin,
              int32_t end) {
    findSupports(members, level, begin, end);
    std::fill(room_.begin() + begin, room_.begin() + end + 1, INT64_MAX);
    for (int32_t b : members) {
      const PlanBuffer &item = items_[b];
      int64_t low = low_[b];
      // It can no longer be placed where it is: another must come below it.
      if (low < level || (low == level && rank_[b] < last)) low = supportOf(b, level);
      if (low > capacity_ - item.size) return failAround(members, item);
      for (int32_t s = item.first; s <= item.last; ++s) room_[s] = std::min(room_[s], low);
    }
    for (int32_t s = begin; s <= end; ++s)
      if (room_[s] != INT64_MAX && room_[s] > capacity_ - total_[s]) return failAt(members, s);
    return true;
  }

  /// The lowest top, and the next, that a member may have in each section.
  void findSupports(const std::vector<int32_t> &members, int64_t level, int32_t begin,
                    int32_t end) {
    std::fill(least_.begin() + begin, least_.begin() + end + 1, INT64_MAX);
    std::fill(second_.begin() + begin, second_.begin() + end + 1, INT64_MAX);
    for (int32_t b : members) {
      int64_t top = std::max(low_[b], level) + items_[b].size;
      for (int32_t s = items_[b].first; s <= items_[b].last; ++s) {
        second_[s] = std::min(second_[s], std::max(least_[s], top));
        least_[s] = std::min(least_[s], top);
      }
    }
  }

  int64_t supportOf(int32_t b, int64_t level) const {
    int64_t own = std::max(low_[b], level) + items_[b].size, low = INT64_MAX;
    for (int32_t s = items_[b].first; s <= items_[b].last; ++s)
      low = std::min(low, least_[s] == own ? second_[s] : least_[s]);
    return low;
  }

  bool failAround(const std::vector<int32_t> &members, const PlanBuffer &item) {
    conflict_.clear();
    for (int32_t o : members)
      if (items_[o].first <= item.last && item.first <= items_[o].last) conflict_.add(items_[o]);
    return false;
  }

  bool failAt(const std::vector<int32_t> &members, int32_t section) {
    ++failures_[section];
    return failAround(members, {0, section, section});
  }

  /// Sections after which no member goes on: what is on both sides is apart.
  std::vector<int32_t> cutsOf(const std::vector<int32_t> &members, int32_t begin, int32_t end) {
    std::fill(links_.begin() + begin, links_.begin() + end + 1, 0);
    for (int32_t b : members) {
      ++links_[items_[b].first];
      --links_[items_[b].last];
    }
    std::vector<int32_t> cuts;
    int32_t links = 0;
    for (int32_t s = begin; s < end; ++s)
      if ((links += links_[s]) == 0) cuts.push_back(s);
    return cuts;
  }

  bool placeParts(const std::vector<int32_t> &members, const std::vector<int32_t> &cuts,
                  int64_t level, int32_t last) {
    std::vector<std::vector<int32_t>> parts(cuts.size() + 1);
    for (int32_t b : members)
      parts[std::ranges::lower_bound(cuts, items_[b].last) - cuts.begin()].push_back(b);
    std::erase_if(parts, [](const auto &part) { return part.empty(); });
    std::ranges::sort(parts, {}, [](const auto &p) { return std::pair(p.size(), p.front()); });
    std::vector<int64_t> before = low_;
    for (size_t p = 0; p < parts.size(); ++p) {
      if (place(parts[p], level, last)) continue;
      while (p--)
        for (int32_t b : parts[p]) unplace(b, before[b]);
      return false;
    }
    return true;
  }

  void unplace(int32_t b, int64_t low) {
    low_[b] = low;
    for (int32_t s = items_[b].first; s <= items_[b].last; ++s) total_[s] += items_[b].size;
    --placed_;
  }

  /// Members that can be next. One under which a whole other would fit is none:
  /// the other, pushed down, makes a plan that is no worse.
  std::vector<int32_t> candidates(const std::vector<int32_t> &members, int64_t level,
                                  int32_t last) const {
    int64_t bound = INT64_MAX;
    for (int32_t b : members) bound = std::min(bound, low_[b] + items_[b].size);
    std::vector<int32_t> next;
    for (int32_t b : members)
      if (low_[b] < bound && (low_[b] > level || (low_[b] == level && rank_[b] > last)))
        next.push_back(b);
    std::ranges::sort(next, {}, [&](int32_t b) { return std::pair(low_[b], rank_[b]); });
    return next;
  }

  bool branch(const std::vector<int32_t> &members, int64_t level, int32_t last) {
    SectionSet tried(total_.size());
    std::vector<int32_t> next = candidates(members, level, last);
    if (next.empty())
      for (int32_t b : members) tried.add(items_[b]);
    std::vector<int32_t> rest;
    std::vector<std::pair<int32_t, int64_t>> raised;
    for (int32_t b : next) {
      push(b, members, rest, raised);
      if (place(rest, low_[b], rank_[b])) return true;
      for (auto [o, low] : raised) low_[o] = low;
      unplace(b, low_[b]);
      // A failure that this buffer has no part in: another here changes nothing.
      if (steps_ < 0 || !conflict_.meets(items_[b])) return false;
      tried.add(conflict_);
    }
    conflict_ = tried;
    return false;
  }

  void push(int32_t b, const std::vector<int32_t> &members, std::vector<int32_t> &rest,
            std::vector<std::pair<int32_t, int64_t>> &raised) {
    rest.clear();
    raised.clear();
    int64_t top = low_[b] + items_[b].size;
    for (int32_t o : members) {
      if (o == b) continue;
      rest.push_back(o);
      if (low_[o] >= top || !overlap(o, b)) continue;
      raised.emplace_back(o, low_[o]);
      low_[o] = top;
    }
    for (int32_t s = items_[b].first; s <= items_[b].last; ++s) total_[s] -= items_[b].size;
    deepest_ = std::max(deepest_, ++placed_);
  }

  std::span<const PlanBuffer> items_;
  int64_t capacity_, steps_, placed_ = 0, deepest_ = 0;
  std::vector<int32_t> rank_;
  std::vector<int64_t> low_;  ///< top of what lies below each: its offset, once placed
  std::vector<int64_t> total_;  ///< bytes still to place in each section
  std::vector<int64_t> least_, second_, room_;
  std::vector<int32_t> links_;
  std::vector<int64_t> failures_;
  SectionSet conflict_;  ///< where the last failure was
};

/// log2, piecewise linear: the same on every machine, unlike libm's.
double roughLog2(double x) {
  int exponent = 0;
  return 2 * std::frexp(x, &exponent) + exponent;
}

/// xorshift64*: the same on every machine.
class Random {
 public:
  uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545F4914F6CDD1D;
  }
  uint64_t below(uint64_t n) { return next() % n; }
  /// About normal, of deviation 1.15.
  double noise() {
    double sum = 0;
    for (int i = 0; i < 4; ++i) sum += double(next() >> 11) * 0x1p-52 - 1;
    return sum;
  }

 private:
  uint64_t state_ = 0x9E3779B97F4A7C15;
};

// In units of log2: orders stay near those they came from.
constexpr double kNoise = 0.2;
// A full section counts as many doublings of a lifetime.
constexpr double kFullness = 58;
// Of one search, in looks at every buffer in every section.
constexpr int64_t kTrySteps = 250;

/// Orders of preference, each made from the last by moving the buffers around a
/// section that failed; kept where the search came as far.
class OrderWalk {
 public:
  explicit OrderWalk(std::vector<double> keys) : keys_(std::move(keys)), best_(keys_) {}

  /// One search of at most `steps`, which it takes off.
  bool search(std::span<const PlanBuffer> items, size_t sections, int64_t capacity, int64_t &steps,
              Random &random, std::vector<int64_t> &offsets) {
    if (!failures_.empty()) disturb(items, random);
    std::vector<int32_t> order(items.size());
    std::iota(order.begin(), order.end(), 0);
    std::ranges::sort(order, {}, [&](int32_t b) { return std::tuple(-keys_[b], -items[b].size, b); });
    Tree tree(items, sections, capacity, steps);
    bool found = tree.run(order);
    steps = tree.stepsLeft();
    if (found) {
      offsets = tree.offsets();
    } else if (tree.deepest() >= deepest_) {
      deepest_ = tree.deepest();
      best_ = keys_;
      failures_ = tree.failures();
    } else {
      keys_ = best_;
    }
    return found;
  }

 private:
  /// The buffers of a section, which is chosen as often as it failed.
  void disturb(std::span<const PlanBuffer> items, Random &random) {
    int64_t sum = std::accumulate(failures_.begin(), failures_.end(), int64_t(0));
    if (sum == 0) return;
    auto pick = static_cast<int64_t>(random.below(static_cast<uint64_t>(sum)));
    int32_t section = 0;
    while (pick >= failures_[section]) pick -= failures_[section++];
    for (size_t i = 0; i < items.size(); ++i)
      if (items[i].first <= section && section <= items[i].last)
        keys_[i] += kNoise * random.noise();
  }

  std::vector<double> keys_, best_;
  std::vector<int64_t> failures_;
  int64_t deepest_ = 0;
};

/// Where searches begin: long lifetimes or large areas first, with or without
/// regard to how full the fullest section is that a buffer is alive in.
std::vector<OrderWalk> startingOrders(std::span<const PlanBuffer> buffers,
                                      std::span<const PlanBuffer> items,
                                      std::span<const int64_t> totals) {
  double most = double(std::ranges::max(totals));
  std::vector<double> length, area, fullness;
  for (size_t i = 0; i < items.size(); ++i) {
    length.push_back(roughLog2(double(buffers[i].last) - buffers[i].first + 1));
    area.push_back(length.back() + roughLog2(double(items[i].size)));
    auto spanned = totals.subspan(items[i].first, items[i].last - items[i].first + 1);
    fullness.push_back(kFullness * double(std::ranges::max(spanned)) / most);
  }
  std::vector<OrderWalk> walks;
  for (bool full : {true, false})
    for (const auto *base : {&length, &area}) {
      std::vector<double> keys = *base;
      for (size_t i = 0; full && i < keys.size(); ++i) keys[i] += fullness[i];
      walks.emplace_back(std::move(keys));
    }
  return walks;
}

/// 1, 1, 2, 1, 1, 2, 4, …: lengths of tries that lose least where it is not
/// known how long one takes (Luby, Sinclair and Zuckerman, 1993). From 1 on.
int64_t luby(size_t i) {
  size_t power = std::bit_ceil(i + 1);
  return power == i + 1 ? static_cast<int64_t>(power / 2) : luby(i + 1 - power / 2);
}
}  // namespace

bool searchPlan(std::span<const PlanBuffer> buffers, int64_t capacity, int64_t &steps,
                std::vector<int64_t> &offsets) {
  std::vector<PlanBuffer> items = onSections(buffers);
  int32_t sections = 0;
  int64_t width = 0;
  for (const PlanBuffer &b : items) {
    sections = std::max(sections, b.last + 1);
    width += b.last - b.first + 1;
  }
  std::vector<int64_t> totals(sections);
  for (const PlanBuffer &b : items)
    for (int32_t s = b.first; s <= b.last; ++s) totals[s] += b.size;
  std::vector<OrderWalk> walks = startingOrders(buffers, items, totals);
  int64_t once = kTrySteps * (static_cast<int64_t>(items.size()) + width / 4);
  Random random;
  for (size_t i = 0; steps > 0; ++i) {
    int64_t given = std::min(once * luby(i / walks.size() + 1), steps), left = given;
    bool found =
        walks[i % walks.size()].search(items, totals.size(), capacity, left, random, offsets);
    steps -= given - std::max<int64_t>(left, 0);
    if (found) return true;
    // A tree that was walked to its end says that another order will not help.
    if (left > 0 && i >= walks.size()) return false;
  }
  return false;
}

}  // namespace adze::runtime
