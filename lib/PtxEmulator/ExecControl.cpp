// Branches, exits and what does nothing.
#include "lib/PtxEmulator/Exec.h"

namespace adze::ptx {

Flow execNothing(Step &) { return Flow::Next; }

Flow execClock(Step &step) {
  uint64_t now = step.machine().executed - step.machine().blockBegan;
  eachLane(step.mask, [&](int l) {
    if (step.inst.resultKind == RowKind::Row64) step.row64(step.inst.result)[l] = now;
    else step.row32(step.inst.result)[l] = static_cast<uint32_t>(now);
  });
  return Flow::Next;
}

/// A split makes two paths that meet at the branch's post-dominator. Where the
/// path already runs to a meeting there, both run to that one.
Flow execBranch(Step &step) {
  Path &path = step.path();
  if (step.mask == path.mask) {
    path.position = step.inst.target;
    return Flow::Jumped;
  }
  Warp &w = step.warp;
  uint32_t meet = step.inst.reconverge;
  int join = path.join;
  if (meet != kNoSlot && (join < 0 || w.joins[join].position != meet)) {
    size_t j = 0;
    while (j < w.joins.size() && w.joins[j].used) ++j;
    if (j == w.joins.size()) w.joins.emplace_back();
    w.joins[j] = {meet, path.mask, 0, join, true};
    join = static_cast<int>(j);
  }
  Path taken{step.inst.target, step.mask, join, PathState::Ready, 0};
  path.mask &= ~step.mask, path.join = join, ++path.position;
  w.paths.push_back(taken);
  return Flow::Ended;
}

Flow execReturn(Step &step) {
  Path &path = step.path();
  uint32_t leaving = step.mask;
  path.mask &= ~leaving;
  ++path.position;
  if (!path.mask) step.warp.paths.erase(step.warp.paths.begin() + static_cast<long>(step.pathIndex));
  step.cta.exitLanes(step.warp, leaving);
  return Flow::Ended;
}

Flow execTrap(Step &step) {
  step.find(FindingKind::Trap, [] { return std::string("the kernel stopped itself"); });
  step.cta.stopped = true;
  return Flow::Ended;
}

}  // namespace adze::ptx
