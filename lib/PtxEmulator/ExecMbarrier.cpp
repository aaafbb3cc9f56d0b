// mbarriers: arrivals and bytes of one phase after the other.
#include "lib/PtxEmulator/Exec.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace adze::ptx {

namespace {

constexpr int64_t kMostArrivals = (1 << 20) - 1;

/// The phase is over once neither arrivals nor bytes are outstanding.
void advance(Cta &cta, Mbarrier &b, uint32_t address) {
  if (b.pending != 0 || b.bytes != 0) return;
  ++b.phase;
  b.pending = b.expected;
  b.completed = std::exchange(b.arriving, {});
  cta.wake(PathState::AtMbarrier, address);
}

void arrive(const Step &step, Mbarrier &b, uint32_t address, int64_t count) {
  step.cta.release(step.warp.index, b.arriving);
  b.pending -= count;
  if (b.pending < 0) {
    step.find(FindingKind::MbarrierArrivals, [&] {
      return "mbarrier " + hex(address) + " counts " + std::to_string(b.expected) + " arrivals, this is one more";
    });
    b.pending = 0;
  }
  advance(step.cta, b, address);
  step.cta.wake(PathState::AtMbarrier, address);
}

/// A state names the phase that it was taken in.
void writeState(const Step &step, const Argument &to, int lane, const Mbarrier &b) {
  if (!to.rows.empty() && to.bits[0] == 64) step.row64(to.rows[0])[lane] = b.phase;
}

std::vector<uint32_t> differentAddresses(const Step &step, const Argument &arg) {
  std::vector<uint32_t> all;
  eachLane(step.mask, [&](int l) {
    uint32_t a = sharedOffset(step, arg, l);
    if (std::find(all.begin(), all.end(), a) == all.end()) all.push_back(a);
  });
  return all;
}

}  // namespace

Mbarrier *mbarrierAt(const Step &step, uint64_t address) {
  auto it = step.cta.mbarriers.find(static_cast<uint32_t>(address));
  if (it != step.cta.mbarriers.end()) return &it->second;
  step.find(FindingKind::MbarrierUninitialised, [&] { return "no mbarrier was initialised at shared " + hex(address); });
  return nullptr;
}

Flow execMbarrierInit(Step &step) {
  const Detail &d = step.detail();
  eachLane(step.mask, [&](int l) {
    uint32_t address = sharedOffset(step, d.args[0], l);
    int64_t count = static_cast<uint32_t>(step.value(d.args[1], 0, l));
    if (count < 1 || count > kMostArrivals)
      step.find(FindingKind::InvalidOperand, [&] { return "an mbarrier of " + std::to_string(count) + " arrivals"; });
    if (step.cta.mbarriers.count(address))
      step.find(FindingKind::InvalidOperand, [&] { return "there is an mbarrier at shared " + hex(address) + " already"; });
    if (!sharedWrite(step, address, 8, l)) return;
    step.cta.shared.markMbarrier(address, true);
    Mbarrier b;
    b.expected = b.pending = count;
    b.agent = static_cast<uint8_t>(step.cta.newAsyncAgent());
    step.cta.mbarriers[address] = b;
  });
  return Flow::Next;
}

Flow execMbarrierInvalidate(Step &step) {
  for (uint32_t a : differentAddresses(step, step.detail().args[0]))
    if (mbarrierAt(step, a)) step.cta.mbarriers.erase(a), step.cta.shared.markMbarrier(a, false);
  return Flow::Next;
}

bool prepareMbarrierArrive(Detail &d, std::string &) {
  for (std::string_view w : d.words) {
    d.values[0] |= w == "expect_tx";
    d.values[1] |= w == "arrive_drop";
  }
  return true;
}

/// Operands: {state,} [mbarrier] {, count or bytes}. Lanes arrive one by one.
Flow execMbarrierArrive(Step &step) {
  const Detail &d = step.detail();
  bool hasState = d.args.size() == 3;
  const Argument &where = d.args[hasState ? 1 : 0], &operand = d.args[hasState ? 2 : 1];
  eachLane(step.mask, [&](int l) {
    uint32_t address = sharedOffset(step, where, l);
    Mbarrier *b = mbarrierAt(step, address);
    if (!b) return;
    if (hasState) writeState(step, d.args[0], l, *b);
    uint32_t value = operand.present ? static_cast<uint32_t>(step.value(operand, 0, l)) : 1;
    if (d.values[1]) --b->expected;
    if (d.values[0]) b->bytes += value, b->lastExpect = &step.inst;
    arrive(step, *b, address, d.values[0] ? 1 : value);
  });
  return Flow::Next;
}

/// mbarrier.expect_tx and complete_tx: bytes without an arrival.
Flow execMbarrierExpect(Step &step) {
  const Detail &d = step.detail();
  bool completes = std::find(d.words.begin(), d.words.end(), "complete_tx") != d.words.end();
  eachLane(step.mask, [&](int l) {
    uint32_t address = sharedOffset(step, d.args[0], l);
    Mbarrier *b = mbarrierAt(step, address);
    if (!b) return;
    int64_t value = static_cast<uint32_t>(step.value(d.args[1], 0, l));
    b->bytes += completes ? -value : value;
    if (!completes) b->lastExpect = &step.inst;
    advance(step.cta, *b, address);
  });
  return Flow::Next;
}

bool prepareMbarrierTest(Detail &d, std::string &) {
  for (std::string_view w : d.words) {
    d.values[0] |= w == "parity";
    d.values[1] |= w == "try_wait";
  }
  return true;
}

/// Whether the phase that `operand` names is over: with a parity, whether the
/// current phase has the other one.
static bool isOver(const Step &step, const Mbarrier &b, const Argument &operand, int lane) {
  uint64_t v = step.value(operand, 0, lane);
  return step.detail().values[0] ? (b.phase & 1) != (v & 1) : b.phase != v;
}

/// Operands: result, [mbarrier], state or parity {, time}. test_wait says
/// how it stands; try_wait mostly waits for as long as it takes, but may give up,
/// as it may on hardware.
Flow execMbarrierTest(Step &step) {
  const Detail &d = step.detail();
  uint32_t over = 0, blockedAt = 0;
  bool givesUp = step.machine().random.below(4) == 0;
  eachLane(step.mask, [&](int l) {
    uint32_t address = sharedOffset(step, d.args[1], l);
    Mbarrier *b = mbarrierAt(step, address);
    if (!b) {
      over |= 1u << l;
      return;
    }
    if (!givesUp && !isOver(step, *b, d.args[2], l)) deliverFor(step.cta, address);
    if (isOver(step, *b, d.args[2], l)) {
      over |= 1u << l;
      step.cta.acquire(step.warp.index, b->completed);
    } else {
      blockedAt = address;
    }
  });
  if (over != step.mask && d.values[1] && !givesUp) {
    step.path().state = PathState::AtMbarrier, step.path().waitsFor = blockedAt;
    return Flow::Blocked;
  }
  uint32_t &p = *step.row32(d.args[0].rows[0]);
  p = (p & ~step.mask) | over;
  if (over == step.mask) return Flow::Next;
  step.next();
  return Flow::Ended;  // others run before this asks again
}

static void deliver(Cta &cta, const BulkLoad &load, uint32_t agent) {
  auto land = [&](uint32_t to, uint64_t from, uint32_t bytes) {
    const Memory::Allocation *a = from ? cta.machine.memory.find(from) : nullptr;
    uint8_t fill = load.map.nanFill && !a ? 0xff : 0;
    std::memset(cta.shared.data() + to, fill, bytes);
    if (a) std::memcpy(cta.shared.data() + to, a->data + (from - a->address), bytes);
    cta.shared.endWrite(to, bytes, agent);
  };
  if (load.arrivals) deliverCopies(cta, cta.warps[load.warp], load.copies);
  else if (load.tensor) eachBoxPiece(load.map, load.coordinates, load.shared, land);
  else land(load.shared, load.global, load.bytes);
}

void deliverFor(Cta &cta, uint32_t address) {
  Mbarrier &b = cta.mbarriers[address];
  int64_t bytes = 0, arrivals = 0;
  for (const BulkLoad &l : cta.loads)
    if (l.mbarrier == address) bytes += l.bytes, arrivals += l.arrivals;
  if (bytes == 0 && arrivals == 0) return;
  if (b.pending > arrivals || b.bytes > bytes) return;  // would not end the phase
  uint64_t phase = b.phase;
  for (size_t i = 0; i < cta.loads.size() && b.phase == phase;) {
    if (cta.loads[i].mbarrier != address) {
      ++i;
      continue;
    }
    BulkLoad load = std::move(cta.loads[i]);
    cta.loads.erase(cta.loads.begin() + static_cast<long>(i));
    deliver(cta, load, b.agent);
    uint32_t who = load.arrivals ? load.warp : b.agent;
    b.arriving.resize(cta.known(0).size());
    b.arriving[who] = cta.shared.tick();
    b.bytes -= load.bytes, b.pending -= load.arrivals;
    if (b.pending < 0) b.pending = 0;
    advance(cta, b, address);
  }
}

}  // namespace adze::ptx
