// cp.async: each thread's own copies, delivered at the latest legal moment,
// which is the wait. Until then the destination is poisoned.
#include "lib/PtxEmulator/Exec.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace adze::ptx {

bool prepareCopyAsync(Detail &d, std::string &message) {
  int64_t n = d.args[2].offset;
  bool global16 = std::find(d.words.begin(), d.words.end(), "cg") != d.words.end();
  if (n != 16 && (global16 || (n != 4 && n != 8))) return message = "a copy of " + std::to_string(n) + " bytes", false;
  return true;
}

static SharedMemory::Access accessOfWarp(Cta &cta, const Warp &w) {
  return {w.index, cta.known(w.index).data(), w.lastSync, SharedMemory::kManyLanes, nullptr, 0};
}

static void reportBegin(const Step &step, Hazard h, uint32_t at) {
  if (h == Hazard::None) return;
  FindingKind kind = h == Hazard::Pending ? FindingKind::PendingCopy
                     : h == Hazard::Mbarrier ? FindingKind::MbarrierAccess : FindingKind::Race;
  step.find(kind, [&] {
    return "warp " + std::to_string(step.warp.index) + "'s copy " + hazardText(h) + " (shared " + hex(at) + ")";
  });
}

/// Operands: [shared], [global], bytes, {bytes that are read}, {ignored if}.
Flow execCopyAsync(Step &step) {
  const Detail &d = step.detail();
  uint32_t bytes = static_cast<uint32_t>(d.args[2].offset);
  AsyncCopy copy{};
  copy.inst = &step.inst, copy.bytes = static_cast<uint8_t>(bytes);
  uint32_t banks[kLanes];
  int n = 0;
  eachLane(step.mask, [&](int l) {
    uint32_t to = sharedOffset(step, d.args[0], l);
    uint64_t from = step.address(d.args[1], l);
    uint32_t reads = d.args[3].present ? static_cast<uint32_t>(step.value(d.args[3], 0, l)) : bytes;
    if (reads > bytes) {
      step.find(FindingKind::InvalidOperand, [&] { return "reads " + std::to_string(reads) + " bytes of a copy of " + std::to_string(bytes); });
      reads = bytes;
    }
    banks[n++] = to;
    bool inside = to >= kReservedShared && to <= step.cta.shared.size() && bytes <= step.cta.shared.size() - to && to % bytes == 0;
    if (!inside) {
      sharedWrite(step, to, bytes, l);  // says what is wrong
      return;
    }
    if (from % bytes && reads) globalBytes(step, from, bytes, true, l);
    if (reads && !globalBytes(step, from, reads, true, l)) reads = 0;
    if (step.checks()) reportBegin(step, step.cta.shared.beginWrite(to, bytes, accessOfWarp(step.cta, step.warp)), to);
    copy.mask |= 1u << l, copy.destination[l] = to, copy.source[l] = from, copy.sourceBytes[l] = static_cast<uint8_t>(reads);
  });
  countBanks(step, banks, n, bytes);
  SiteCounters &c = step.site();
  ++c.requests, c.bytes += uint64_t{bytes} * static_cast<uint32_t>(n), c.sectors += (static_cast<uint32_t>(n) * bytes + 31) / 32;
  step.warp.openCopies.push_back(copy);
  return Flow::Next;
}

Flow execCopyCommit(Step &step) {
  step.warp.copyGroups.push_back(std::exchange(step.warp.openCopies, {}));
  return Flow::Next;
}

void deliverCopies(Cta &cta, Warp &warp, const std::vector<AsyncCopy> &copies) {
  for (const AsyncCopy &c : copies)
    eachLane(c.mask, [&](int l) {
      uint8_t *to = cta.shared.data() + c.destination[l];
      std::memset(to, 0, c.bytes);
      if (c.sourceBytes[l]) {
        Memory::Allocation *a = cta.machine.memory.find(c.source[l]);
        std::memcpy(to, a->data + (c.source[l] - a->address), c.sourceBytes[l]);
      }
      cta.shared.endWrite(c.destination[l], c.bytes, warp.index);
    });
}

/// wait_group N leaves the last N groups in flight; wait_all none, not even
/// what was not committed.
Flow execCopyWait(Step &step) {
  const Detail &d = step.detail();
  bool all = d.args.empty();
  uint64_t keep = all ? 0 : static_cast<uint64_t>(d.args[0].offset);
  Warp &w = step.warp;
  for (; w.copyGroups.size() > keep; w.copyGroups.pop_front()) deliverCopies(step.cta, w, w.copyGroups.front());
  if (all) deliverCopies(step.cta, w, std::exchange(w.openCopies, {}));
  return Flow::Next;
}

/// The mbarrier is arrived at when the copies before this have landed: with
/// .noinc that is one of the arrivals it counts, else one more.
Flow execCopyArrive(Step &step) {
  const Detail &d = step.detail();
  bool noinc = std::find(d.words.begin(), d.words.end(), "noinc") != d.words.end();
  Warp &w = step.warp;
  BulkLoad load{};
  load.inst = &step.inst, load.warp = w.index;
  load.arrivals = static_cast<uint32_t>(std::popcount(step.mask));
  load.mbarrier = sharedOffset(step, d.args[0], step.firstLane());
  Mbarrier *b = mbarrierAt(step, load.mbarrier);
  if (!b) return Flow::Next;
  if (!noinc) b->pending += load.arrivals;
  for (; !w.copyGroups.empty(); w.copyGroups.pop_front())
    load.copies.insert(load.copies.end(), w.copyGroups.front().begin(), w.copyGroups.front().end());
  for (const AsyncCopy &c : std::exchange(w.openCopies, {})) load.copies.push_back(c);
  step.cta.loads.push_back(std::move(load));
  step.cta.wake(PathState::AtMbarrier, step.cta.loads.back().mbarrier);
  return Flow::Next;
}

}  // namespace adze::ptx
