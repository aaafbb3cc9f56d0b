// Immediate post-dominators, where paths of a warp that a branch split meet
// again. Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm"
// (2001), on the reversed graph of basic blocks.
#include "lib/PtxEmulator/OpTable.h"

#include <algorithm>

namespace adze::ptx {

namespace {

struct Graph {
  std::vector<uint32_t> first;                    ///< instruction a block begins with
  std::vector<std::vector<uint32_t>> successors;  ///< the block past the last is the exit
  std::vector<std::vector<uint32_t>> predecessors;
};

bool isBranch(const Inst &in) {
  static const Handler kBranch = findOp("bra").special->handler;
  return in.handler == kBranch;
}
bool isEnd(const Inst &in) {
  static const Handler kRet = findOp("ret").special->handler;
  return in.handler == kRet;
}

Graph buildGraph(const std::vector<Inst> &code) {
  std::vector<bool> leader(code.size() + 1, false);
  leader[0] = leader[code.size()] = true;
  for (size_t i = 0; i < code.size(); ++i) {
    if (isBranch(code[i])) leader[code[i].target] = true;
    if (isBranch(code[i]) || isEnd(code[i])) leader[i + 1] = true;
  }
  Graph g;
  std::vector<uint32_t> blockOf(code.size() + 1);
  for (size_t i = 0; i <= code.size(); ++i) {
    if (leader[i]) g.first.push_back(static_cast<uint32_t>(i));
    blockOf[i] = static_cast<uint32_t>(g.first.size() - 1);
  }
  size_t blocks = g.first.size(), exit = blocks - 1;
  g.successors.resize(blocks), g.predecessors.resize(blocks);
  for (size_t b = 0; b < exit; ++b) {
    const Inst &last = code[g.first[b + 1] - 1];
    bool conditional = last.guard != kNoSlot;
    auto &s = g.successors[b];
    if (isBranch(last)) s.push_back(blockOf[last.target]);
    if (isEnd(last)) s.push_back(static_cast<uint32_t>(exit));
    if (conditional || (!isBranch(last) && !isEnd(last))) s.push_back(static_cast<uint32_t>(b + 1));
    for (uint32_t t : s) g.predecessors[t].push_back(static_cast<uint32_t>(b));
  }
  return g;
}

/// Blocks in post-order of the reversed graph, from the exit.
std::vector<uint32_t> reversePostOrder(const Graph &g, std::vector<uint32_t> &number) {
  size_t blocks = g.first.size();
  std::vector<uint32_t> order;
  std::vector<std::pair<uint32_t, size_t>> stack{{static_cast<uint32_t>(blocks - 1), 0}};
  std::vector<bool> seen(blocks, false);
  seen[blocks - 1] = true;
  while (!stack.empty()) {
    auto &[b, next] = stack.back();
    if (next < g.predecessors[b].size()) {
      uint32_t p = g.predecessors[b][next++];
      if (!seen[p]) seen[p] = true, stack.push_back({p, 0});
    } else {
      number[b] = static_cast<uint32_t>(order.size());
      order.push_back(b);
      stack.pop_back();
    }
  }
  std::reverse(order.begin(), order.end());
  return order;
}

}  // namespace

void findReconvergence(std::vector<Inst> &code) {
  Graph g = buildGraph(code);
  size_t blocks = g.first.size(), exit = blocks - 1;
  std::vector<uint32_t> number(blocks, kNoSlot), idom(blocks, kNoSlot);
  std::vector<uint32_t> order = reversePostOrder(g, number);
  idom[exit] = static_cast<uint32_t>(exit);
  for (bool changed = true; changed;) {
    changed = false;
    for (uint32_t b : order) {
      if (b == exit) continue;
      uint32_t meet = kNoSlot;
      for (uint32_t s : g.successors[b]) {
        if (idom[s] == kNoSlot) continue;
        uint32_t x = s, y = meet == kNoSlot ? s : meet;
        while (x != y) {
          while (number[x] < number[y]) x = idom[x];
          while (number[y] < number[x]) y = idom[y];
        }
        meet = x;
      }
      if (meet != idom[b]) idom[b] = meet, changed = true;
    }
  }
  for (size_t b = 0; b < exit; ++b) {
    Inst &last = code[g.first[b + 1] - 1];
    if (isBranch(last) && idom[b] != kNoSlot && idom[b] != exit) last.reconverge = g.first[idom[b]];
  }
}

}  // namespace adze::ptx
