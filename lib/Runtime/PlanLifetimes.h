// What the greedy planners share.
#pragma once
#include "lib/Runtime/Planner.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

namespace adze::runtime {

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

  /// Buffers that begin at a step of this range, both included.
  template <typename F>
  void eachBegunIn(size_t first, size_t last, F f) const {
    for (size_t s = first; s <= last; ++s)
      for (size_t b : startsAt_[s]) f(b);
  }

  /// Bytes alive at each step.
  std::vector<int64_t> load(std::span<const int64_t> sizes) const {
    std::vector<int64_t> live(startsAt_.size() + 1);
    for (size_t i = 0; i < sizes.size(); ++i) {
      live[spans_[i].first] += sizes[i];
      live[spans_[i].last + 1] -= sizes[i];
    }
    std::partial_sum(live.begin(), live.end(), live.begin());
    live.pop_back();
    return live;
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
  std::ptrdiff_t length(size_t buffer) const { return last(buffer) - first(buffer) + 1; }

 private:
  struct Span {
    std::ptrdiff_t first, last;
  };
  size_t leaves_ = 1;
  std::vector<Span> spans_;
  std::vector<std::vector<size_t>> covers_, startsAt_;
};

struct PlanRange {
  int64_t begin, end;
};

/// The tightest gap between `taken`, which it sorts, that holds `size`, else the end.
int64_t bestFit(std::vector<PlanRange> &taken, int64_t size);

}  // namespace adze::runtime
