// The cheapest assignment of two labels where unlike neighbours pay.
#pragma once
#include <cstdint>
#include <deque>
#include <vector>

namespace adze {

/// Finds a minimum s-t cut by push-relabel, first in first out, with global
/// relabeling (Goldberg and Tarjan 1988; Cherkassky and Goldberg 1997). All
/// numbers are at least 0, and their sum fits int64_t.
class MinCut {
 public:
  /// A new variable; returns its number.
  int64_t add();
  /// What `variable` pays for label 0, and for label 1.
  void pay(int64_t variable, int64_t label0, int64_t label1);
  /// `cost` is paid where `a` has label 1 and `b` has label 0.
  void payUnlike(int64_t a, int64_t b, int64_t cost);
  /// The labels of the cheapest assignment; of those, the one with most 1s, which
  /// is unique. Call once.
  std::vector<bool> solve();

 private:
  struct Arc {
    int64_t to, residual, next;
  };
  /// Sets heights to distances from the sink along residual arcs, and makes
  /// active what has too much and reaches it, the furthest first.
  void measureHeights();
  void activate(int64_t v);
  void discharge(int64_t v);
  void relabel(int64_t v);
  int64_t unreached() const { return int64_t(first.size()) + 1; }

  std::vector<Arc> arcs;  ///< arc i ^ 1 is the other way
  std::vector<int64_t> first, current;  ///< arcs of a variable
  std::vector<int64_t> excess, sink;    ///< what came and did not go on; what the sink still takes
  std::vector<int64_t> height;
  std::deque<int64_t> active;
  std::vector<bool> isActive;
  int64_t work = 0;  ///< arcs looked at since heights were measured
};

}  // namespace adze
