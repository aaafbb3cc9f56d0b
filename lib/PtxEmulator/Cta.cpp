// One block: its warps take turns in a seeded order, the paths of a warp too.
#include "lib/PtxEmulator/Exec.h"

#include <algorithm>
#include <cstring>

namespace adze::ptx {

static constexpr uint32_t kAsyncAgents = 64;
// Instructions before another warp may run: mostly many, now and then few.
static uint32_t turnLength(Random &random) { return 1 + random.below(random.below(4) ? 512 : 16); }

Cta::Cta(Machine &m, uint32_t warpsOf, uint32_t threads)
    : machine(m), warpCount(warpsOf), threadCount(threads),
      shared(m.program.sharedBytes + m.config.dynamicShared, warpsOf + (warpsOf + 3) / 4),
      warps(warpsOf) {
  known_.assign(warpCount + (warpCount + 3) / 4, {});
  size_t perWarp = (m.program.registerBytes + 63) / 64 * 64;
  registerStore_.resize(perWarp * warpCount + 64);
  auto base = reinterpret_cast<uintptr_t>(registerStore_.data());
  uint8_t *aligned = registerStore_.data() + (64 - base % 64) % 64;
  for (uint32_t w = 0; w < warpCount; ++w) warps[w].registers = aligned + perWarp * w;
}

static uint32_t lanesOf(uint32_t warp, uint32_t threads) {
  uint32_t left = threads - warp * kLanes;
  return left >= kLanes ? ~0u : (1u << left) - 1;
}

void Cta::start(Extent block) {
  machine.block = block;
  shared.restart();
  asyncAgents_ = 0, stopped = false;
  for (auto &k : known_) k.assign(known_.size() + kAsyncAgents, shared.now());
  for (Barrier &b : barriers) b = Barrier{};
  mbarriers.clear(), loads.clear();
  std::fill(std::begin(wgmmaExecuted), std::end(wgmmaExecuted), 0);
  for (uint32_t i = 0; i < warpCount; ++i) {
    uint8_t *registers = warps[i].registers;
    Warp w;
    w.index = i, w.live = lanesOf(i, threadCount), w.registers = registers;
    w.lastSync = w.proxyFence = shared.now();
    w.paths.push_back({0, w.live, -1, PathState::Ready, 0});
    w.local.resize(static_cast<size_t>(machine.program.localStride()) * kLanes);
    w.localInitialised.resize(w.local.size());
    warps[i] = std::move(w);
    fillSpecial(warps[i], block);
  }
}

void Cta::fillSpecial(Warp &warp, Extent block) {
  const LaunchConfig &c = machine.config;
  for (auto [slot, which] : machine.program.special) {
    for (uint32_t l = 0; l < kLanes; ++l) {
      uint32_t t = warp.index * kLanes + l, upTo = l == 31 ? ~0u : (2u << l) - 1, v = 0;
      switch (which) {
        case SpecialRegister::TidX: v = t % c.block.x; break;
        case SpecialRegister::TidY: v = t / c.block.x % c.block.y; break;
        case SpecialRegister::TidZ: v = t / c.block.x / c.block.y; break;
        case SpecialRegister::NtidX: v = c.block.x; break;
        case SpecialRegister::NtidY: v = c.block.y; break;
        case SpecialRegister::NtidZ: v = c.block.z; break;
        case SpecialRegister::CtaidX: v = block.x; break;
        case SpecialRegister::CtaidY: v = block.y; break;
        case SpecialRegister::CtaidZ: v = block.z; break;
        case SpecialRegister::NctaidX: v = c.grid.x; break;
        case SpecialRegister::NctaidY: v = c.grid.y; break;
        case SpecialRegister::NctaidZ: v = c.grid.z; break;
        case SpecialRegister::LaneId: v = l; break;
        case SpecialRegister::WarpId: v = warp.index; break;
        case SpecialRegister::NWarpId: v = warpCount; break;
        case SpecialRegister::LaneMaskEq: v = 1u << l; break;
        case SpecialRegister::LaneMaskLe: v = upTo; break;
        case SpecialRegister::LaneMaskLt: v = upTo >> 1; break;
        case SpecialRegister::LaneMaskGe: v = ~(upTo >> 1); break;
        case SpecialRegister::LaneMaskGt: v = ~upTo; break;
        case SpecialRegister::DynamicShared: v = c.dynamicShared; break;
        case SpecialRegister::TotalShared: v = shared.size(); break;
        case SpecialRegister::NSmId: case SpecialRegister::ClusterOne: v = 1; break;
        case SpecialRegister::GridId: case SpecialRegister::Clock64:
          reinterpret_cast<uint64_t *>(warp.registers + slot)[l] = 0;
          continue;
        default: v = 0;
      }
      reinterpret_cast<uint32_t *>(warp.registers + slot)[l] = v;
    }
  }
}

uint32_t Cta::newAsyncAgent() {
  uint32_t base = static_cast<uint32_t>(known_.size());
  return base + asyncAgents_++ % kAsyncAgents;
}

void Cta::release(uint32_t agent, std::vector<uint32_t> &into) {
  const auto &mine = known_[agent];
  into.resize(mine.size());
  for (size_t a = 0; a < mine.size(); ++a) into[a] = std::max(into[a], mine[a]);
  into[agent] = shared.tick();  // what it does from now on comes after
}

void Cta::acquire(uint32_t agent, const std::vector<uint32_t> &from) {
  auto &mine = known_[agent];
  for (size_t a = 0; a < from.size(); ++a) mine[a] = std::max(mine[a], from[a]);
}

void Cta::wake(PathState state, uint32_t waitsFor) {
  for (Warp &w : warps)
    for (Path &p : w.paths)
      if (p.state == state && p.waitsFor == waitsFor) p.state = PathState::Ready;
}

// ---- paths

/// The lanes that reached the join, or all that are left of it, go on.
static void fireIfComplete(Warp &warp, int join) {
  Join &j = warp.joins[join];
  if (!j.used || j.expected != j.arrived) return;
  j.used = false;
  if (j.expected) warp.paths.push_back({j.position, j.expected, j.parent, PathState::Ready, 0});
}

void Cta::exitLanes(Warp &warp, uint32_t mask) {
  warp.live &= ~mask;
  for (size_t j = 0; j < warp.joins.size(); ++j) {
    Join &join = warp.joins[j];
    if (!join.used || !(join.expected & mask)) continue;
    join.expected &= ~mask;
    fireIfComplete(warp, static_cast<int>(j));
  }
  for (Path &p : warp.paths)
    if (p.state == PathState::AtWarpSync) p.state = PathState::Ready;  // looks again who is left
  // Barriers of a whole block no longer wait for lanes that have ended.
  for (uint32_t b = 0; b < 16; ++b)
    if (barriers[b].inst && !barriers[b].expected && barrierComplete(barriers[b])) completeBarrier(b);
}

/// A path at its join's position ends there.
static bool arriveAtJoin(Warp &warp, size_t index) {
  Path path = warp.paths[index];
  if (path.join < 0 || warp.joins[path.join].position != path.position) return false;
  warp.paths.erase(warp.paths.begin() + static_cast<long>(index));
  warp.joins[path.join].arrived |= path.mask;
  fireIfComplete(warp, path.join);
  return true;
}

static uint8_t *rowOf(const Machine &m, const Warp &w, Slot slot) {
  return slot & 1 ? const_cast<uint8_t *>(m.program.constants.data()) + (slot & ~1u) : w.registers + slot;
}

/// Some lanes only: the whole row is computed aside and their part copied.
static void runPartly(const Machine &m, Warp &w, const Inst &in, uint32_t mask) {
  alignas(64) uint8_t scratch[256];
  in.lane(scratch, rowOf(m, w, in.a), rowOf(m, w, in.b), rowOf(m, w, in.c), rowOf(m, w, in.d));
  uint8_t *result = w.registers + in.result;
  if (in.resultKind == RowKind::Pred) {
    auto *p = reinterpret_cast<uint32_t *>(result);
    uint32_t fresh;
    std::memcpy(&fresh, scratch, 4);
    *p = (*p & ~mask) | (fresh & mask);
  } else if (in.resultKind == RowKind::Row64) {
    eachLane(mask, [&](int l) { std::memcpy(result + 8 * l, scratch + 8 * l, 8); });
  } else {
    eachLane(mask, [&](int l) { std::memcpy(result + 4 * l, scratch + 4 * l, 4); });
  }
}

/// Whether an instruction uses a row that a wgmma in flight will write.
static bool touchesInFlight(const Warp &w, const Inst &in) {
  auto hit = [&](Slot s) { return s != kNoSlot && !(s & 1) && s / 128 < w.inFlight.size() && w.inFlight[s / 128]; };
  if (in.lane) return hit(in.result) || hit(in.a) || hit(in.b) || hit(in.c) || hit(in.d);
  if (!in.detail) return false;
  for (const Argument &a : in.detail->args) {
    if (hit(a.base)) return true;
    for (Slot s : a.rows)
      if (hit(s)) return true;
  }
  return false;
}

static void checkInFlight(Machine &m, const Warp &warp, const Inst &in, uint32_t mask) {
  bool own = in.pipe == Pipe::Async || in.handler == execWgmma;
  if (!own && mask && m.config.check && touchesInFlight(warp, in))
    m.find(FindingKind::WgmmaRegisters, in, [] { return std::string("uses a register of a wgmma before wgmma.wait_group"); });
}

/// Lanes of the path at `in` whose guard holds.
static uint32_t guarded(const Machine &m, const Warp &warp, const Inst &in, uint32_t mask) {
  if (in.guard == kNoSlot) return mask;
  uint32_t p = *reinterpret_cast<uint32_t *>(rowOf(m, warp, in.guard));
  return mask & (in.guardNegated ? ~p : p);
}

static void runLanes(const Machine &m, Warp &warp, const Inst &in, uint32_t mask) {
  if (mask == warp.live)  // what the others get is never seen
    in.lane(warp.registers + in.result, rowOf(m, warp, in.a), rowOf(m, warp, in.b), rowOf(m, warp, in.c),
            rowOf(m, warp, in.d));
  else if (mask)
    runPartly(m, warp, in, mask);
}

void Cta::runPath(Warp &warp, size_t index, uint32_t budget) {
  Machine &m = machine;
  const Inst *code = m.program.code.data();
  uint32_t position = warp.paths[index].position, lanes = warp.paths[index].mask;
  int join = warp.paths[index].join;
  uint32_t meet = join < 0 ? kNoSlot : warp.joins[join].position;
  m.executed += budget;
  for (; budget; --budget) {
    if (position == meet) {
      warp.paths[index].position = position;
      m.executed -= budget;
      arriveAtJoin(warp, index);
      return;
    }
    const Inst &in = code[position];
    uint32_t mask = guarded(m, warp, in, lanes);
    ++m.sites[position].executions;
    if (!warp.inFlight.empty()) checkInFlight(m, warp, in, mask);
    if (in.lane || !mask) {
      if (mask) runLanes(m, warp, in, mask);
      ++position;
      continue;
    }
    warp.paths[index].position = position;
    Step step{*this, warp, index, in, mask, position};
    Flow flow = in.handler(step);
    if (flow == Flow::Next) {
      ++position;
    } else if (flow == Flow::Jumped) {
      position = warp.paths[index].position;
    } else {
      m.executed -= budget - 1;
      return;
    }
  }
  warp.paths[index].position = position;
}

// ---- turns

bool Cta::run(Extent block) {
  start(block);
  std::vector<std::pair<uint32_t, uint32_t>> ready;
  for (;;) {
    ready.clear();
    bool alive = false;
    for (Warp &w : warps) {
      alive |= !w.done();
      for (size_t p = 0; p < w.paths.size(); ++p)
        if (w.paths[p].state == PathState::Ready) ready.push_back({w.index, static_cast<uint32_t>(p)});
    }
    if (!alive) break;
    if (ready.empty()) {
      reportDeadlock();
      return false;
    }
    auto [w, p] = ready[machine.random.below(static_cast<uint32_t>(ready.size()))];
    runPath(warps[w], p, turnLength(machine.random));
    if (stopped) return false;
    if (machine.executed > machine.config.maxInstructions) {
      const Path *path = nullptr;
      for (Warp &x : warps)
        if (!x.paths.empty()) path = &x.paths[0];
      machine.find(FindingKind::Livelock, machine.program.code[path ? path->position : 0], [&] {
        return "still runs after " + std::to_string(machine.config.maxInstructions) + " instructions";
      });
      return false;
    }
  }
  atEnd();
  return true;
}

static std::string describeWait(const Cta &cta, const Warp &w, const Path &p) {
  std::string s = "warp " + std::to_string(w.index) + " lanes " + hex(p.mask) + " ";
  switch (p.state) {
    case PathState::AtBarrier: return s + "at barrier " + std::to_string(p.waitsFor);
    case PathState::AtWgmma: return s + "for the other warps of its warpgroup";
    case PathState::AtWarpSync: return s + "for lanes " + hex(p.waitsFor);
    case PathState::AtMbarrier: {
      auto it = cta.mbarriers.find(p.waitsFor);
      s += "at mbarrier " + hex(p.waitsFor);
      if (it == cta.mbarriers.end()) return s;
      return s + " (phase " + std::to_string(it->second.phase) + ", " + std::to_string(it->second.pending) +
             " arrivals and " + std::to_string(it->second.bytes) + " bytes outstanding)";
    }
    default: return s;
  }
}

void Cta::reportDeadlock() {
  // An mbarrier whose arrivals are complete but whose bytes are not says why.
  for (auto &[address, b] : mbarriers) {
    int64_t missing = b.bytes;
    for (const BulkLoad &l : loads) missing -= l.mbarrier == address ? l.bytes : 0;
    if (b.pending == 0 && missing != 0 && b.lastExpect)
      machine.find(FindingKind::MbarrierBytes, *b.lastExpect, [&, at = address] {
        return "mbarrier " + hex(at) + " was told of " + std::to_string(missing) + " bytes more than copies bring";
      });
  }
  const Inst *first = nullptr;
  std::string who;
  int shown = 0;
  for (Warp &w : warps)
    for (Path &p : w.paths) {
      if (!first) first = &machine.program.code[p.position];
      if (shown++ < 6) who += (who.empty() ? "" : "; ") + describeWait(*this, w, p);
    }
  if (shown > 6) who += "; " + std::to_string(shown - 6) + " more";
  machine.find(FindingKind::Deadlock, *first, [&] { return "nobody can go on: " + who; });
}

void Cta::atEnd() {
  if (!machine.config.check) return;
  for (Warp &w : warps) {
    for (const WgmmaOp &op : w.wgmma)
      machine.find(FindingKind::UnfinishedCopy, *op.inst, [] { return "is in flight when its warp ends"; });
    for (const auto &group : w.storeGroups)
      for (const BulkStore &s : group)
        machine.find(FindingKind::UnfinishedCopy, *s.inst, [] { return "still reads shared memory when its block ends"; });
    for (const BulkStore &s : w.openStores)
      machine.find(FindingKind::UnfinishedCopy, *s.inst, [] { return "was never committed to a group"; });
  }
  for (const BulkLoad &l : loads)
    machine.find(FindingKind::UnfinishedCopy, *l.inst, [] { return "was never waited for: its block ends first"; });
}

}  // namespace adze::ptx
