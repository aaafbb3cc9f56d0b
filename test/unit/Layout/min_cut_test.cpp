// The cheapest labels, by trying all of them where there are few.
#include "passes/Layout/MinCut.h"

#include "catch2/catch.hpp"

#include <random>

using namespace adze;

namespace {

struct Problem {
  struct Edge {
    int64_t a, b, cost;
  };
  std::vector<std::pair<int64_t, int64_t>> pays;
  std::vector<Edge> edges;

  int64_t cost(const std::vector<bool> &labels) const {
    int64_t sum = 0;
    for (size_t i = 0; i < pays.size(); ++i) sum += labels[i] ? pays[i].second : pays[i].first;
    for (const Edge &e : edges) sum += labels[e.a] && !labels[e.b] ? e.cost : 0;
    return sum;
  }

  std::vector<bool> solve() const {
    MinCut cut;
    for (auto [label0, label1] : pays) cut.pay(cut.add(), label0, label1);
    for (const Edge &e : edges) cut.payUnlike(e.a, e.b, e.cost);
    return cut.solve();
  }

  /// The cheapest labels that have most 1s.
  std::vector<bool> tryAll() const {
    std::vector<bool> best(pays.size(), true);
    for (uint32_t bits = 0; bits < (1u << pays.size()); ++bits) {
      std::vector<bool> labels;
      for (size_t i = 0; i < pays.size(); ++i) labels.push_back(bits >> i & 1);
      int64_t less = cost(labels) - cost(best);
      auto ones = [](const std::vector<bool> &l) { return std::count(l.begin(), l.end(), true); };
      if (less < 0 || (less == 0 && ones(labels) > ones(best))) best = labels;
    }
    return best;
  }
};

Problem randomProblem(std::mt19937 &random, int64_t variables, int64_t most) {
  auto upTo = [&](int64_t n) { return std::uniform_int_distribution<int64_t>(0, n)(random); };
  Problem problem;
  for (int64_t i = 0; i < variables; ++i)
    problem.pays.push_back({upTo(most), upTo(most)});
  for (int64_t i = 0; i < 3 * variables; ++i)
    problem.edges.push_back({upTo(variables - 1), upTo(variables - 1), upTo(most)});
  return problem;
}

}  // namespace

TEST_CASE("a minimum cut is the cheapest assignment, with most 1s", "[Layout]") {
  std::mt19937 random(7);
  for (int64_t most : {1, 3, 100})
    for (int round = 0; round < 100; ++round) {
      Problem problem = randomProblem(random, 1 + round % 10, most);
      CAPTURE(most, round);
      CHECK(problem.solve() == problem.tryAll());
    }
}

TEST_CASE("no variable, and one that nothing decides", "[Layout]") {
  CHECK(MinCut().solve().empty());
  MinCut cut;
  cut.add();
  CHECK(cut.solve() == std::vector<bool>{true});
}

TEST_CASE("what flows far on many ways ends soon", "[Layout]") {
  // A path whose variables all take a little of what comes from one end, and
  // carry more than all of them take; and a ladder of random rungs.
  constexpr int64_t kMany = 50000;
  Problem path;
  for (int64_t i = 0; i < kMany; ++i) path.pays.push_back({i ? 0 : 4 * kMany, i ? 1 : 0});
  for (int64_t i = 1; i < kMany; ++i) path.edges.push_back({i - 1, i, 2 * kMany});
  CHECK(path.cost(path.solve()) == kMany - 1);

  std::mt19937 random(1);
  Problem ladder = randomProblem(random, kMany, 1000);
  for (int64_t i = 1; i < kMany; ++i) ladder.edges.push_back({i, i - 1, int64_t(random() % 500)});
  std::vector<bool> labels = ladder.solve();
  // No single change makes it cheaper.
  std::vector<int64_t> gain(kMany);
  for (int64_t i = 0; i < kMany; ++i) {
    int64_t difference = ladder.pays[i].second - ladder.pays[i].first;
    gain[i] = labels[i] ? difference : -difference;
  }
  for (const Problem::Edge &e : ladder.edges) {
    if (e.a == e.b) continue;
    bool a = labels[e.a], b = labels[e.b];
    gain[e.a] += a && !b ? e.cost : !a && !b ? -e.cost : 0;
    gain[e.b] += a && !b ? e.cost : a && b ? -e.cost : 0;
  }
  CHECK(*std::max_element(gain.begin(), gain.end()) <= 0);
}
