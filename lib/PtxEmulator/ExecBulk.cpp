// cp.async.bulk, plain and through tensor maps. Loads land when somebody waits
// at their mbarrier and nothing else could end its phase; stores read shared
// memory when their group is waited for.
#include "lib/PtxEmulator/Exec.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace adze::ptx {

namespace {

std::vector<uint32_t> fencesOf(const Cta &cta) {
  std::vector<uint32_t> fences;
  for (const Warp &w : cta.warps) fences.push_back(w.proxyFence);
  return fences;
}

void reportHazard(const Step &step, Hazard h, uint32_t at) {
  if (h == Hazard::None) return;
  FindingKind kind = h == Hazard::Uninitialised ? FindingKind::Uninitialised
                     : h == Hazard::Pending     ? FindingKind::PendingCopy
                     : h == Hazard::Unfenced    ? FindingKind::ProxyFence
                     : h == Hazard::Mbarrier    ? FindingKind::MbarrierAccess
                                                : FindingKind::Race;
  step.find(kind, [&] { return std::string("the copy ") + hazardText(h) + " (shared " + hex(at) + ")"; });
}

bool insideShared(const Step &step, uint32_t at, uint64_t bytes, uint32_t alignment) {
  uint32_t size = step.cta.shared.size();
  if (at % alignment) {
    step.find(FindingKind::Misaligned, [&] { return "shared " + hex(at) + " is no multiple of " + std::to_string(alignment); });
    return false;
  }
  if (at >= kReservedShared && at <= size && bytes <= size - at) return true;
  step.find(FindingKind::OutOfBounds, [&] {
    return std::to_string(bytes) + " bytes at " + hex(at) + ", shared memory is " + hex(kReservedShared) + " to " + hex(size);
  });
  return false;
}

/// Checks and poisons what a load will write.
void begin(const Step &step, uint32_t at, uint32_t bytes) {
  if (!step.checks()) return;
  SharedMemory::Access access{step.warp.index, step.cta.known(step.warp.index).data(), step.warp.lastSync,
                              SharedMemory::kManyLanes, nullptr, 0};
  reportHazard(step, step.cta.shared.beginWrite(at, bytes, access), at);
}

void checkRead(const Step &step, uint32_t at, uint32_t bytes) {
  if (!step.checks()) return;
  auto fences = fencesOf(step.cta);
  SharedMemory::Access access{step.warp.index, step.cta.known(step.warp.index).data(), step.warp.lastSync,
                              SharedMemory::kManyLanes, fences.data(), step.cta.warpCount};
  reportHazard(step, step.cta.shared.read(at, bytes, access), at);
}

std::optional<TensorMap> mapAt(const Step &step, const Argument &arg, int lane) {
  uint64_t address = step.address(arg, lane);
  const uint8_t *bytes = nullptr;
  if (address >> kWindowBits == kParamWindow >> kWindowBits) {
    uint64_t offset = address - kParamWindow;
    auto parameters = step.machine().parameters;
    if (offset + 128 <= parameters.size()) bytes = parameters.data() + offset;
  } else {
    bytes = globalBytes(step, address, 128, true, lane);
  }
  auto map = bytes && address % 64 == 0 ? decodeTensorMap(bytes) : std::nullopt;
  if (map && map->rank == arg.rows.size()) return map;
  step.find(FindingKind::InvalidOperand, [&] {
    return "no tensor map of rank " + std::to_string(arg.rows.size()) + " at " + hex(address);
  });
  return std::nullopt;
}

/// What the mbarrier counts; at most boxRoom, which is checked first.
uint32_t boxBytes(const TensorMap &m) {
  uint64_t n = m.elementBytes;
  for (int i = 0; i < m.rank; ++i) n *= m.box[i];
  return static_cast<uint32_t>(n);
}

/// Global memory that a box touches must be there.
bool globalThere(const Step &step, const TensorMap &map, const int32_t *coordinates, bool reads, int lane) {
  if (coordinates[0] * map.elementBytes % 16) {  // an illegal instruction on hardware
    step.find(FindingKind::Misaligned, [&] {
      return "the box begins at byte " + std::to_string(coordinates[0] * map.elementBytes) + " of a row, no multiple of 16";
    });
    return false;
  }
  bool all = true;
  eachBoxPiece(map, coordinates, 0, [&](uint32_t, uint64_t global, uint32_t bytes) {
    if (all && global && !globalBytes(step, global, bytes, reads, lane, 1)) all = false;
  });
  return all;
}

void countBulk(const Step &step, uint64_t bytes) {
  SiteCounters &c = step.site();
  ++c.requests, c.bytes += bytes, c.sectors += (bytes + 31) / 32;
}

}  // namespace

bool prepareTensor(Detail &d, std::string &message) {
  for (std::string_view w : d.words) {
    if (w.size() == 2 && w[1] == 'd') d.values[0] = static_cast<uint32_t>(w[0] - '0');
    if (w == "multicast::cluster") d.values[1] = 1;
  }
  for (const Argument &a : d.args)
    if (!a.rows.empty() && a.base != kNoSlot && a.rows.size() != d.values[0])
      return message = "a wrong number of coordinates", false;
  return true;
}

/// Operands: [shared], [map, coordinates], [mbarrier] {, ...}.
Flow execTensorLoad(Step &step) {
  const Detail &d = step.detail();
  eachLane(step.mask, [&](int l) {
    auto map = mapAt(step, d.args[1], l);
    if (!map) return;
    BulkLoad load{};
    load.inst = &step.inst, load.tensor = true, load.map = *map, load.bytes = boxBytes(*map), load.warp = step.warp.index;
    load.shared = sharedOffset(step, d.args[0], l), load.mbarrier = sharedOffset(step, d.args[2], l);
    for (int i = 0; i < map->rank; ++i) load.coordinates[i] = static_cast<int32_t>(step.value(d.args[1], i, l));
    if (!insideShared(step, load.shared, boxRoom(*map), 128) || !mbarrierAt(step, load.mbarrier)) return;
    if (!globalThere(step, *map, load.coordinates, true, l)) return;
    eachBoxPiece(*map, load.coordinates, load.shared, [&](uint32_t at, uint64_t, uint32_t n) { begin(step, at, n); });
    countBulk(step, load.bytes);
    step.cta.loads.push_back(load);
    step.cta.wake(PathState::AtMbarrier, load.mbarrier);
  });
  return Flow::Next;
}

/// Operands: [shared], [global], bytes, [mbarrier].
Flow execBulkLoad(Step &step) {
  const Detail &d = step.detail();
  eachLane(step.mask, [&](int l) {
    BulkLoad load{};
    load.inst = &step.inst, load.warp = step.warp.index;
    load.shared = sharedOffset(step, d.args[0], l), load.global = step.address(d.args[1], l);
    load.bytes = static_cast<uint32_t>(step.value(d.args[2], 0, l)), load.mbarrier = sharedOffset(step, d.args[3], l);
    if (load.bytes % 16 || load.global % 16)
      step.find(FindingKind::Misaligned, [&] { return std::to_string(load.bytes) + " bytes from " + hex(load.global) + ": no multiples of 16"; });
    if (!load.bytes || !insideShared(step, load.shared, load.bytes, 16) || !mbarrierAt(step, load.mbarrier)) return;
    if (!globalBytes(step, load.global, load.bytes, true, l)) return;
    begin(step, load.shared, load.bytes);
    countBulk(step, load.bytes);
    step.cta.loads.push_back(load);
    step.cta.wake(PathState::AtMbarrier, load.mbarrier);
  });
  return Flow::Next;
}

/// Operands: [map, coordinates], [shared].
Flow execTensorStore(Step &step) {
  const Detail &d = step.detail();
  eachLane(step.mask, [&](int l) {
    auto map = mapAt(step, d.args[0], l);
    if (!map) return;
    BulkStore s;
    s.inst = &step.inst, s.tensor = true, s.map = *map, s.bytes = boxBytes(*map);
    s.shared = sharedOffset(step, d.args[1], l), s.issued = step.cta.shared.tick();
    for (int i = 0; i < map->rank; ++i) s.coordinates[i] = static_cast<int32_t>(step.value(d.args[0], i, l));
    if (*std::min_element(s.coordinates, s.coordinates + map->rank) < 0) {  // illegal on hardware
      step.find(FindingKind::InvalidOperand, [] { return std::string("a store that begins before the tensor"); });
      return;
    }
    if (!insideShared(step, s.shared, boxRoom(*map), 128)) return;
    if (!globalThere(step, *map, s.coordinates, false, l)) return;
    eachBoxPiece(*map, s.coordinates, s.shared, [&](uint32_t at, uint64_t, uint32_t n) { checkRead(step, at, n); });
    countBulk(step, s.bytes);
    step.warp.openStores.push_back(s);
  });
  return Flow::Next;
}

/// Operands: [global], [shared], bytes.
Flow execBulkStore(Step &step) {
  const Detail &d = step.detail();
  eachLane(step.mask, [&](int l) {
    BulkStore s;
    s.inst = &step.inst, s.global = step.address(d.args[0], l), s.shared = sharedOffset(step, d.args[1], l);
    s.bytes = static_cast<uint32_t>(step.value(d.args[2], 0, l)), s.issued = step.cta.shared.tick();
    if (s.bytes % 16 || s.global % 16)
      step.find(FindingKind::Misaligned, [&] { return std::to_string(s.bytes) + " bytes to " + hex(s.global) + ": no multiples of 16"; });
    if (!s.bytes || !insideShared(step, s.shared, s.bytes, 16) || !globalBytes(step, s.global, s.bytes, false, l)) return;
    checkRead(step, s.shared, s.bytes);
    countBulk(step, s.bytes);
    step.warp.openStores.push_back(s);
  });
  return Flow::Next;
}

Flow execBulkCommit(Step &step) {
  step.warp.storeGroups.push_back(std::exchange(step.warp.openStores, {}));
  return Flow::Next;
}

static void finish(const Step &step, const BulkStore &s) {
  Cta &cta = step.cta;
  if (step.checks() && cta.shared.writtenSince(s.shared, s.tensor ? static_cast<uint32_t>(boxRoom(s.map)) : s.bytes, s.issued))
    cta.machine.find(FindingKind::PendingCopy, *s.inst, [] { return std::string("shared memory was overwritten while the copy still read it"); });
  auto move = [&](uint32_t from, uint64_t to, uint32_t bytes) {
    Memory::Allocation *a = to ? cta.machine.memory.find(to) : nullptr;
    if (a) std::memcpy(a->data + (to - a->address), cta.shared.data() + from, bytes);
  };
  if (s.tensor) eachBoxPiece(s.map, s.coordinates, s.shared, move);
  else move(s.shared, s.global, s.bytes);
}

Flow execBulkWait(Step &step) {
  uint64_t keep = static_cast<uint64_t>(step.detail().args[0].offset);
  Warp &w = step.warp;
  for (; w.storeGroups.size() > keep; w.storeGroups.pop_front())
    for (const BulkStore &s : w.storeGroups.front()) finish(step, s);
  return Flow::Next;
}

}  // namespace adze::ptx
