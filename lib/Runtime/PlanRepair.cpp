#include "lib/Runtime/PlanRepair.h"

#include <set>

namespace adze::runtime {

namespace {
/// Spans of time to try, in mean lifetimes of what is alive at the step.
constexpr double kSpans[] = {1, 2, 4, 0.5, 8, 1.5, 3, 6};
constexpr size_t kKeys = 5;

class Repair {
 public:
  Repair(std::span<const int64_t> sizes, Lifetimes &lives, double pairs,
         std::vector<int64_t> &offsets)
      : sizes_(sizes), lives_(lives), load_(lives.load(sizes)), left_(pairs), offsets_(offsets),
        out_(sizes.size()) {
    lives_.clear();
    for (size_t i = 0; i < sizes.size(); ++i) {
      if (!sizes[i]) continue;
      lives_.add(i);
      tops_.insert({top(i), i});
    }
  }

  int64_t run(int64_t enough) {
    for (size_t tried = 0; tried < std::size(kSpans) * kKeys && left_ > 0; ++tried) {
      if (tops_.empty() || tops_.rbegin()->first <= enough) break;
      if (lower(tops_.rbegin()->second, kSpans[tried / kKeys], tried % kKeys)) tried = SIZE_MAX;
    }
    return tops_.empty() ? 0 : tops_.rbegin()->first;
  }

 private:
  int64_t top(size_t i) const { return offsets_[i] + sizes_[i]; }
  bool covers(size_t i, std::ptrdiff_t step) const {
    return lives_.first(i) <= step && step <= lives_.last(i);
  }

  /// One try to have everything near `highest` end below its top.
  bool lower(size_t highest, double spans, size_t key) {
    std::ptrdiff_t step = mostCrowded(highest);
    std::vector<size_t> order = around(step, spanOf(highest, step, spans), highest, key);
    std::vector<int64_t> before;
    for (size_t i : order) {
      before.push_back(offsets_[i]);
      out_[i] = true;
    }
    bool placed = place(order, top(highest));
    for (size_t k = 0; k < order.size(); ++k) {
      size_t i = order[k];
      out_[i] = false;
      if (placed) {
        tops_.erase({before[k] + sizes_[i], i});
        tops_.insert({top(i), i});
      } else {
        offsets_[i] = before[k];
      }
    }
    return placed;
  }

  std::ptrdiff_t mostCrowded(size_t i) {
    left_ -= double(lives_.length(i)) / 8;  // about as long as so many pairs
    auto first = load_.begin() + lives_.first(i);
    return std::max_element(first, first + lives_.length(i)) - load_.begin();
  }

  std::ptrdiff_t spanOf(size_t with, std::ptrdiff_t step, double spans) const {
    double sum = 0, count = 0;
    lives_.eachAliveWith(with, [&](size_t i) {
      if (covers(i, step)) sum += double(lives_.length(i)), ++count;
    });
    return std::max<std::ptrdiff_t>(2, std::ptrdiff_t(spans * sum / count));
  }

  /// What lives within `span` steps of `step`, in the order in which it is to be placed.
  std::vector<size_t> around(std::ptrdiff_t step, std::ptrdiff_t span, size_t with,
                             size_t key) const {
    std::ptrdiff_t end = load_.size();
    auto first = std::min(std::max<std::ptrdiff_t>(step - span, 0), lives_.first(with));
    auto last = std::max(std::min(step + span, end - 1), lives_.last(with));
    std::vector<size_t> order;
    lives_.eachBegunIn(first, last, [&](size_t i) {
      if (lives_.last(i) <= last) order.push_back(i);
    });
    auto rank = [&](size_t i) {
      double apart = lives_.first(i) > step ? lives_.first(i) - step : step - lives_.last(i);
      return covers(i, step) ? std::pair(-1.0, -keyOf(i, key)) : std::pair(apart, 0.0);
    };
    std::ranges::sort(order, [&](size_t a, size_t b) {
      auto x = rank(a), y = rank(b);
      return x != y ? x < y : a < b;
    });
    return order;
  }

  double keyOf(size_t i, size_t key) const {
    switch (key) {
      case 0:
        return double(lives_.length(i));
      case 1:
        return double(sizes_[i]);
      case 2:
        return double(lives_.last(i));
      case 3:
        return -double(lives_.first(i));
      default:
        return double(sizes_[i]) * double(lives_.length(i));
    }
  }

  bool place(std::span<const size_t> order, int64_t limit) {
    std::vector<PlanRange> taken;
    for (size_t i : order) {
      taken.clear();
      lives_.eachAliveWith(i, [&](size_t o) {
        --left_;
        if (!out_[o]) taken.push_back({offsets_[o], top(o)});
      });
      offsets_[i] = bestFit(taken, sizes_[i]);
      out_[i] = false;
      if (top(i) >= limit || left_ < 0) return false;
    }
    return true;
  }

  std::span<const int64_t> sizes_;
  Lifetimes &lives_;
  std::vector<int64_t> load_;
  double left_;
  std::vector<int64_t> &offsets_;
  std::vector<char> out_;  ///< taken out, not placed yet
  std::set<std::pair<int64_t, size_t>> tops_;
};
}  // namespace

int64_t repairPlan(std::span<const int64_t> sizes, Lifetimes &lives, int64_t enough, double pairs,
                   std::vector<int64_t> &offsets) {
  return Repair(sizes, lives, pairs, offsets).run(enough);
}

}  // namespace adze::runtime
