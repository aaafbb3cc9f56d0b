#include "passes/Layout/MinCut.h"

#include <algorithm>

namespace adze {

int64_t MinCut::add() {
  first.push_back(-1);
  excess.push_back(0);
  sink.push_back(0);
  return int64_t(first.size()) - 1;
}

void MinCut::pay(int64_t variable, int64_t label0, int64_t label1) {
  // The source's side has label 1: what comes from the source is cut at label 0.
  excess[variable] += label0;
  sink[variable] += label1;
}

void MinCut::payUnlike(int64_t a, int64_t b, int64_t cost) {
  if (cost == 0 || a == b) return;
  arcs.push_back({b, cost, first[a]});
  first[a] = int64_t(arcs.size()) - 1;
  arcs.push_back({a, 0, first[b]});
  first[b] = int64_t(arcs.size()) - 1;
}

void MinCut::measureHeights() {
  height.assign(first.size(), unreached());
  isActive.assign(first.size(), false);
  active.clear();
  current = first;
  work = 0;
  std::vector<int64_t> reached;
  auto reach = [&](int64_t v, int64_t h) {
    if (height[v] <= h) return;
    height[v] = h;
    reached.push_back(v);
  };
  for (size_t v = 0; v < height.size(); ++v)
    if (sink[v] > 0) reach(int64_t(v), 1);
  for (size_t i = 0; i < reached.size(); ++i)
    for (int64_t a = first[reached[i]]; a >= 0; a = arcs[a].next)
      if (arcs[a ^ 1].residual > 0) reach(arcs[a].to, height[reached[i]] + 1);
  for (auto v = reached.rbegin(); v != reached.rend(); ++v)
    if (excess[*v] > 0) activate(*v);
}

void MinCut::activate(int64_t v) {
  if (isActive[v]) return;
  isActive[v] = true;
  active.push_back(v);
}

void MinCut::relabel(int64_t v) {
  height[v] = unreached();
  for (int64_t a = first[v]; a >= 0; a = arcs[a].next, ++work)
    if (arcs[a].residual > 0) height[v] = std::min(height[v], height[arcs[a].to] + 1);
  current[v] = first[v];
}

void MinCut::discharge(int64_t v) {
  int64_t ends = std::min(excess[v], sink[v]);
  sink[v] -= ends;
  excess[v] -= ends;
  for (int64_t &a = current[v]; a >= 0 && excess[v] > 0; ++work) {
    int64_t to = arcs[a].to, amount = std::min(excess[v], arcs[a].residual);
    if (amount == 0 || height[to] + 1 != height[v]) {
      a = arcs[a].next;
      continue;
    }
    arcs[a].residual -= amount;
    arcs[a ^ 1].residual += amount;
    excess[v] -= amount;
    excess[to] += amount;
    activate(to);
  }
  if (excess[v] == 0) return;
  relabel(v);
  if (height[v] < unreached()) activate(v);
}

std::vector<bool> MinCut::solve() {
  // As much as it takes to measure again.
  const int64_t most = int64_t(8 * first.size() + 2 * arcs.size());
  for (measureHeights(); !active.empty(); measureHeights())
    while (!active.empty() && work <= most) {
      int64_t v = active.front();
      active.pop_front();
      isActive[v] = false;
      ++work;
      discharge(v);
    }
  std::vector<bool> labels;
  for (int64_t h : height) labels.push_back(h == unreached());
  return labels;
}

}  // namespace adze
