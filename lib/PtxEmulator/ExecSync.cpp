// Barriers of the block and of the warp, and fences.
#include "lib/PtxEmulator/Exec.h"

#include <algorithm>
#include <utility>

namespace adze::ptx {

bool Step::converged(FindingKind kind) const {
  if (mask == warp.live && mask == path().mask) return true;
  if (checks())
    find(kind, [&] {
      return "warp " + std::to_string(warp.index) + ": lanes " + hex(mask) + " of " + hex(warp.live) + " execute it";
    });
  return false;
}

enum BarrierKind : uint32_t { kSync, kArrive, kReducePopc, kReduceAnd, kReduceOr };

bool prepareBarrier(Detail &d, std::string &message) {
  for (std::string_view w : d.words) {
    if (w == "arrive") d.values[0] = kArrive;
    if (w == "popc") d.values[0] = kReducePopc;
    if (w == "and") d.values[0] = kReduceAnd;
    if (w == "or") d.values[0] = kReduceOr;
  }
  if (d.values[0] == kArrive && !d.args.back().present) return message = "bar.arrive needs a number of threads", false;
  return true;
}

bool Cta::barrierComplete(const Barrier &b) const {
  if (b.expected) return b.threads >= b.expected;
  uint32_t live = 0;
  for (const Warp &w : warps) live += static_cast<uint32_t>(std::popcount(w.live));
  return b.lanes >= live;
}

static void writeReduction(const Machine &m, Warp &w, const Path &p, const Barrier &b) {
  const Inst &in = m.program.code[p.position];
  uint32_t kind = in.detail->values[0];
  if (kind < kReducePopc) return;
  Slot to = in.detail->args[0].rows[0];
  auto *row = reinterpret_cast<uint32_t *>(w.registers + to);
  bool holds = kind == kReduceAnd ? b.votes == b.lanes : b.votes != 0;
  if (kind == kReducePopc) eachLane(p.mask, [&](int l) { row[l] = b.votes; });
  else *row = (*row & ~p.mask) | (holds ? p.mask : 0);
}

void Cta::completeBarrier(uint32_t number) {
  Barrier done = std::exchange(barriers[number], Barrier{});
  for (Warp &w : warps)
    for (Path &p : w.paths) {
      if (p.state != PathState::AtBarrier || p.waitsFor != number) continue;
      writeReduction(machine, w, p, done);
      acquire(w.index, done.released);
      w.lastSync = shared.now();
      p.state = PathState::Ready, ++p.position;
    }
}

/// Operands: {result,} barrier {, threads} {, predicate}.
Flow execBarrier(Step &step) {
  const Detail &d = step.detail();
  bool reduces = d.values[0] >= kReducePopc;
  const Argument &which = d.args[reduces ? 1 : 0], &threads = d.args[reduces ? 2 : 1];
  uint32_t number = static_cast<uint32_t>(step.value(which, 0, step.firstLane()));
  uint32_t expected = threads.present ? static_cast<uint32_t>(step.value(threads, 0, step.firstLane())) : 0;
  step.converged(FindingKind::DivergentBarrier);
  if (number > 15 || expected % kLanes || expected > 1024) {
    step.find(FindingKind::InvalidOperand, [&] {
      return "barrier " + std::to_string(number) + " for " + std::to_string(expected) + " threads";
    });
    return Flow::Next;
  }
  Barrier &b = step.cta.barriers[number];
  if (b.inst && b.expected != expected)
    step.find(FindingKind::InvalidOperand, [&] {
      return "barrier " + std::to_string(number) + " for " + std::to_string(expected) + " threads, others came for " +
             std::to_string(b.expected);
    });
  if (!b.inst) b.inst = &step.inst, b.expected = expected;
  b.lanes += static_cast<uint32_t>(std::popcount(step.mask));
  b.threads += step.mask == step.warp.live ? kLanes : static_cast<uint32_t>(std::popcount(step.mask));
  step.cta.release(step.warp.index, b.released);
  if (reduces) {
    const Argument &p = d.args[3];
    uint32_t holds = 0;
    eachLane(step.mask, [&](int l) { holds += *step.row32(p.rows[0]) >> l & 1; });
    b.votes += holds;
  }
  if (d.values[0] != kArrive) step.path().state = PathState::AtBarrier, step.path().waitsFor = number;
  bool arriveOnly = d.values[0] == kArrive;
  if (step.cta.barrierComplete(b)) step.cta.completeBarrier(number);
  return arriveOnly ? Flow::Next : Flow::Blocked;
}

bool haveMembers(Step &step, uint32_t members, Flow &flow) {
  Warp &w = step.warp;
  uint32_t needed = members & w.live;
  if (step.mask & ~members)
    step.find(FindingKind::InvalidOperand, [&] { return "lanes " + hex(step.mask & ~members) + " are not in the member mask " + hex(members); });
  if ((step.mask & needed) == needed) return true;
  if ((step.path().mask & needed) == needed) {
    step.find(FindingKind::DivergentCollective, [&] {
      return "lanes " + hex(needed & ~step.mask) + " of the member mask do not execute it";
    });
    return true;
  }
  // Others that wait here for the same meeting join this path.
  Path &mine = step.path();
  for (size_t p = 0; p < w.paths.size(); ++p) {
    Path &other = w.paths[p];
    if (p == step.pathIndex || other.state != PathState::AtWarpSync || other.position != mine.position ||
        other.join != mine.join)
      continue;
    mine.mask |= other.mask;
    w.paths.erase(w.paths.begin() + static_cast<long>(p));
    flow = Flow::Ended;
    return false;
  }
  mine.state = PathState::AtWarpSync, mine.waitsFor = members;
  flow = Flow::Blocked;
  return false;
}

Flow execWarpBarrier(Step &step) {
  Flow flow;
  uint32_t members = static_cast<uint32_t>(step.value(step.detail().args[0], 0, step.firstLane()));
  if (!haveMembers(step, members, flow)) return flow;
  step.warp.lastSync = step.cta.shared.tick();
  return Flow::Next;
}

bool prepareFence(Detail &d, std::string &) {
  for (std::string_view w : d.words) d.values[0] |= w == "async" || w == "async.shared::cta";
  return true;
}

Flow execFence(Step &step) {
  if (step.detail().values[0]) step.warp.proxyFence = step.cta.shared.tick();
  return Flow::Next;
}

}  // namespace adze::ptx
