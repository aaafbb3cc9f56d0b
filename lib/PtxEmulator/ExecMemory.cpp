// Loads and stores in every space, and the counts of what they cost.
#include "lib/PtxEmulator/Exec.h"

#include <algorithm>
#include <cstring>

namespace adze::ptx {

namespace {

std::string lanesText(const Step &step, int lane) {
  return "warp " + std::to_string(step.warp.index) + " lane " + std::to_string(lane);
}

void reportOutside(const Step &step, uint64_t address, uint32_t bytes, int lane) {
  step.find(FindingKind::OutOfBounds, [&] {
    std::string s = lanesText(step, lane) + ": " + std::to_string(bytes) + " bytes at " + hex(address);
    const auto *near = step.machine().memory.nearest(address);
    if (!near) return s;
    bool before = address < near->address;
    uint64_t by = before ? near->address - address : address - near->address - near->bytes;
    uint64_t end = address + bytes - near->address;
    if (!before && address - near->address < near->bytes)
      return s + " run " + std::to_string(end - near->bytes) + " bytes over the end of '" + near->name + "'";
    return s + ", " + std::to_string(by) + " bytes " + (before ? "before" : "after") + " '" + near->name + "' of " +
           std::to_string(near->bytes) + " bytes";
  });
}

bool aligned(const Step &step, uint64_t address, uint32_t bytes, int lane) {
  if (std::has_single_bit(bytes) ? !(address & (bytes - 1)) : address % bytes == 0) return true;
  step.find(FindingKind::Misaligned, [&] {
    return lanesText(step, lane) + ": " + hex(address) + " is no multiple of " + std::to_string(bytes);
  });
  return false;
}

bool markInitialised(const Step &step, std::vector<uint8_t> &shadow, uint64_t at, uint32_t bytes, bool reads,
                     const char *what, int lane) {
  if (!reads) {
    std::memset(&shadow[at], 1, bytes);
    return true;
  }
  if (!step.checks() || !std::memchr(&shadow[at], 0, bytes)) return true;
  step.find(FindingKind::Uninitialised, [&] {
    return lanesText(step, lane) + " reads " + what + " that nothing has written";
  });
  return true;
}

FindingKind kindOf(Hazard h) {
  switch (h) {
    case Hazard::Uninitialised: return FindingKind::Uninitialised;
    case Hazard::Pending: return FindingKind::PendingCopy;
    case Hazard::Lanes: return FindingKind::LaneRace;
    case Hazard::Mbarrier: return FindingKind::MbarrierAccess;
    case Hazard::Unfenced: return FindingKind::ProxyFence;
    default: return FindingKind::Race;
  }
}

bool sharedInside(const Step &step, uint32_t address, uint32_t bytes, int lane) {
  uint32_t size = step.cta.shared.size();
  if (address < kReservedShared || address > size || bytes > size - address) {
    step.find(FindingKind::OutOfBounds, [&] {
      return lanesText(step, lane) + ": " + std::to_string(bytes) + " bytes at " + hex(address) +
             ", shared memory is " + hex(kReservedShared) + " to " + hex(size);
    });
    return false;
  }
  return true;
}

SharedMemory::Access accessOf(const Step &step, int lane, bool strong) {
  auto who = static_cast<uint8_t>((lane < 0 ? SharedMemory::kManyLanes : lane) | (strong ? SharedMemory::kStrong : 0));
  return {step.warp.index, step.cta.known(step.warp.index).data(), step.warp.lastSync, who, nullptr, 0};
}

void reportHazard(const Step &step, Hazard h, uint32_t address, int lane) {
  if (h == Hazard::None) return;
  step.find(kindOf(h), [&] {
    return (lane < 0 ? "warp " + std::to_string(step.warp.index) : lanesText(step, lane)) + " " + hazardText(h) +
           " (shared " + hex(address) + ")";
  });
}

/// Where an address leads: the space of its window, and the offset there.
std::pair<Space, uint64_t> resolve(Space space, uint64_t address) {
  if (space != Space::Generic) return {space, address};
  uint64_t offset = address & ((uint64_t{1} << kWindowBits) - 1);
  switch (address >> kWindowBits) {
    case kSharedWindow >> kWindowBits: return {Space::Shared, offset};
    case kLocalWindow >> kWindowBits: return {Space::Local, offset};
    case kParamWindow >> kWindowBits: return {Space::Param, offset};
    default: return {Space::Global, address};
  }
}

uint8_t *localBytes(const Step &step, uint64_t offset, uint32_t bytes, bool reads, int lane) {
  uint32_t size = step.machine().program.localBytes;
  if (offset > size || bytes > size - offset) {
    reportOutside(step, kLocalWindow + offset, bytes, lane);
    return nullptr;
  }
  if (!aligned(step, offset, bytes, lane)) return nullptr;
  uint64_t at = uint64_t{step.machine().program.localStride()} * static_cast<uint32_t>(lane) + offset;
  markInitialised(step, step.warp.localInitialised, at, bytes, reads, "local memory", lane);
  return &step.warp.local[at];
}

const uint8_t *paramBytes(const Step &step, uint64_t offset, uint32_t bytes, int lane) {
  auto parameters = step.machine().parameters;
  uint64_t size = std::min<uint64_t>(parameters.size(), step.machine().program.entry->parameterBytes);
  if (offset > size || bytes > size - offset) return reportOutside(step, kParamWindow + offset, bytes, lane), nullptr;
  return parameters.data() + offset;
}

/// Bytes that `lane` may read or write; null after a finding.
uint8_t *bytesAt(const Step &step, Space space, uint64_t offset, uint32_t bytes, bool reads, int lane, bool strong) {
  switch (space) {
    case Space::Shared: {
      uint32_t a = offset > ~0u ? ~0u : static_cast<uint32_t>(offset);
      if (!(reads ? sharedRead(step, a, bytes, lane, strong) : sharedWrite(step, a, bytes, lane, strong))) return nullptr;
      return step.cta.shared.data() + a;
    }
    case Space::Local: return localBytes(step, offset, bytes, reads, lane);
    case Space::Param:
      if (!reads) return reportOutside(step, kParamWindow + offset, bytes, lane), nullptr;
      return const_cast<uint8_t *>(paramBytes(step, offset, bytes, lane));
    default: return globalBytes(step, offset, bytes, reads, lane);
  }
}

/// Different 32-byte sectors among the lanes' addresses.
uint32_t countSectors(const uint64_t *addresses, uint32_t mask, uint32_t bytes) {
  uint64_t sectors[kLanes];
  int n = 0;
  eachLane(mask, [&](int l) {
    uint64_t s = addresses[l] / 32;
    if (n == 0 || sectors[n - 1] != s) sectors[n++] = s;
  });
  if (bytes > 32) n = n * static_cast<int>(bytes / 32);
  bool rising = true;
  for (int i = 1; i < n && rising; ++i) rising = sectors[i] > sectors[i - 1];
  if (rising) return static_cast<uint32_t>(n);
  std::sort(sectors, sectors + n);
  return static_cast<uint32_t>(std::unique(sectors, sectors + n) - sectors);
}

void count(const Step &step, Space space, const uint64_t *offsets, uint32_t bytes) {
  SiteCounters &c = step.site();
  uint32_t lanes = static_cast<uint32_t>(std::popcount(step.mask));
  if (space == Space::Shared) {
    uint32_t addresses[kLanes];
    int n = 0;
    eachLane(step.mask, [&](int l) { addresses[n++] = static_cast<uint32_t>(offsets[l]); });
    countBanks(step, addresses, n, bytes);
  } else if (space == Space::Global || space == Space::Local) {
    ++c.requests;
    c.bytes += uint64_t{bytes} * lanes;
    c.sectors += space == Space::Global ? countSectors(offsets, step.mask, bytes) : (lanes * bytes + 31) / 32;
  }
}

template <class T>
uint64_t read(const uint8_t *from) {
  T v;
  std::memcpy(&v, from, sizeof v);
  return v;
}
/// `size` is known to be one of these; a copy of unknown size would go through memory.
uint64_t readElement(const uint8_t *from, uint32_t size) {
  return size == 4 ? read<uint32_t>(from) : size == 8 ? read<uint64_t>(from) : size == 2 ? read<uint16_t>(from) : *from;
}
void writeElement(uint8_t *to, uint64_t value, uint32_t size) {
  if (size == 4) std::memcpy(to, &value, 4);
  else if (size == 8) std::memcpy(to, &value, 8);
  else if (size == 2) std::memcpy(to, &value, 2);
  else std::memcpy(to, &value, 1);
}

uint64_t extended(uint64_t value, const Detail &d) {
  if (d.kind != 's' || d.elementBytes == 8) return value;
  int shift = 64 - 8 * d.elementBytes;
  return static_cast<uint64_t>(static_cast<int64_t>(value << shift) >> shift);
}

}  // namespace

uint8_t *globalBytes(const Step &step, uint64_t address, uint32_t bytes, bool reads, int lane,
                     uint32_t alignment) {
  Machine &m = step.machine();
  Memory::Allocation *a = m.last;
  if (!a || address - a->address >= a->bytes) {
    a = m.memory.find(address);
    if (!a) return reportOutside(step, address, bytes, lane), nullptr;
    m.last = a;
  }
  uint64_t offset = address - a->address;
  if (bytes > a->bytes - offset) return reportOutside(step, address, bytes, lane), nullptr;
  if (!alignment) alignment = std::has_single_bit(bytes) ? bytes : 1;
  if (!aligned(step, address, alignment, lane)) return nullptr;
  if (!reads && !a->writable) {
    step.find(FindingKind::ReadOnly, [&] { return lanesText(step, lane) + " writes to '" + a->name + "'"; });
    return nullptr;
  }
  if (!a->initialised.empty()) {
    std::string what = reads && std::memchr(&a->initialised[offset], 0, bytes) ? "'" + a->name + "' at byte " + std::to_string(offset) : "";
    markInitialised(step, a->initialised, offset, bytes, reads, what.c_str(), lane);
  }
  return a->data + offset;
}

bool sharedRead(const Step &step, uint32_t address, uint32_t bytes, int lane, bool strong) {
  if (!sharedInside(step, address, bytes, lane) || !aligned(step, address, bytes, lane)) return false;
  if (step.checks()) reportHazard(step, step.cta.shared.read(address, bytes, accessOf(step, lane, strong)), address, lane);
  return true;
}

bool sharedWrite(const Step &step, uint32_t address, uint32_t bytes, int lane, bool strong) {
  if (!sharedInside(step, address, bytes, lane) || !aligned(step, address, bytes, lane)) return false;
  if (step.checks()) reportHazard(step, step.cta.shared.write(address, bytes, accessOf(step, lane, strong)), address, lane);
  return true;
}

/// Whether all words are in banks of their own, or the same.
static bool haveOwnBanks(const uint32_t *addresses, int count, uint32_t words) {
  uint32_t holds[kLanes], used = 0;
  for (int i = 0; i < count; ++i)
    for (uint32_t word = addresses[i] / 4, end = word + words; word < end; ++word) {
      uint32_t bank = word % kLanes;
      if (used >> bank & 1 && holds[bank] != word) return false;
      holds[bank] = word, used |= 1u << bank;
    }
  return true;
}

/// The most words of one bank.
static uint32_t bankConflicts(const uint32_t *addresses, int count, uint32_t words) {
  uint32_t seen[kLanes][kLanes];
  uint8_t fill[kLanes] = {};
  uint32_t degree = 1;
  for (int i = 0; i < count; ++i)
    for (uint32_t word = addresses[i] / 4, end = word + words; word < end; ++word) {
      uint32_t bank = word % kLanes;
      if (std::find(seen[bank], seen[bank] + fill[bank], word) != seen[bank] + fill[bank]) continue;
      if (fill[bank] == kLanes) continue;
      seen[bank][fill[bank]++] = word;
      degree = std::max<uint32_t>(degree, fill[bank]);
    }
  return degree;
}

/// 32 banks of 4 bytes; a wavefront serves 128 bytes, so wide accesses go in
/// groups of lanes. The same word twice is one access.
void countBanks(const Step &step, const uint32_t *addresses, int count, uint32_t bytes) {
  SiteCounters &c = step.site();
  int group = bytes <= 4 ? kLanes : static_cast<int>(128 / std::min(bytes, 128u));
  uint32_t words = std::max(bytes / 4, 1u);
  for (int first = 0; first < count; first += group) {
    int n = std::min(group, count - first);
    uint32_t degree = haveOwnBanks(addresses + first, n, words) ? 1 : bankConflicts(addresses + first, n, words);
    ++c.accesses;
    c.wavefronts += degree;
    c.worstDegree = std::max(c.worstDegree, degree);
  }
}

bool prepareAccess(Detail &d, std::string &message) {
  size_t vector = 1;
  bool strong = false;
  for (std::string_view w : d.words) {
    if (w == "v2") vector = 2;
    if (w == "v4") vector = 4;
    if (w == "v8") vector = 8;
    strong |= w == "volatile" || w == "relaxed" || w == "acquire" || w == "release";
  }
  const Argument &values = d.args[d.args[0].base == kNoSlot && !d.args[0].rows.empty() ? 0 : 1];
  if (values.rows.size() != vector) return message = "the vector has a wrong number of elements", false;
  d.values[0] = static_cast<uint32_t>(vector * d.elementBytes);
  d.values[1] = strong;
  for (uint8_t bits : values.bits)
    if (bits == 1 || bits < 8 * d.elementBytes) return message = "a register is too small for the type", false;
  return true;
}

Flow execLoad(Step &step) {
  const Detail &d = step.detail();
  const Argument &to = d.args[0], &from = d.args[1];
  uint32_t bytes = d.values[0], size = d.elementBytes;
  uint64_t offsets[kLanes];
  Space counted = d.space;
  eachLane(step.mask, [&](int l) {
    auto [space, offset] = resolve(d.space, step.address(from, l));
    offsets[l] = offset, counted = space;
    const uint8_t *p = bytesAt(step, space, offset, bytes, true, l, d.values[1]);
    for (size_t i = 0; i < to.rows.size(); ++i) {
      uint64_t v = extended(p ? readElement(p + size * i, size) : ~uint64_t{0}, d);
      if (to.bits[i] == 64) step.row64(to.rows[i])[l] = v;
      else step.row32(to.rows[i])[l] = static_cast<uint32_t>(v);
    }
  });
  count(step, counted, offsets, bytes);
  return Flow::Next;
}

Flow execStore(Step &step) {
  const Detail &d = step.detail();
  const Argument &to = d.args[0], &from = d.args[1];
  uint32_t bytes = d.values[0], size = d.elementBytes;
  uint64_t offsets[kLanes];
  Space counted = d.space;
  eachLane(step.mask, [&](int l) {
    auto [space, offset] = resolve(d.space, step.address(to, l));
    offsets[l] = offset, counted = space;
    uint8_t *p = bytesAt(step, space, offset, bytes, false, l, d.values[1]);
    if (!p) return;
    for (size_t i = 0; i < from.rows.size(); ++i) writeElement(p + size * i, step.value(from, i, l), size);
  });
  count(step, counted, offsets, bytes);
  return Flow::Next;
}

/// The address is mostly the same for all lanes, and nothing need be counted.
Flow execLoadParam(Step &step) {
  const Detail &d = step.detail();
  const Argument &to = d.args[0], &from = d.args[1];
  eachLane(step.mask, [&](int l) {
    uint64_t offset = step.address(from, l);
    if (!aligned(step, offset, d.values[0], l)) return;
    const uint8_t *p = paramBytes(step, offset, d.values[0], l);
    for (size_t i = 0; p && i < to.rows.size(); ++i) {
      uint64_t v = extended(readElement(p + i * d.elementBytes, d.elementBytes), d);
      if (to.bits[i] == 64) step.row64(to.rows[i])[l] = v;
      else step.row32(to.rows[i])[l] = static_cast<uint32_t>(v);
    }
  });
  return Flow::Next;
}

}  // namespace adze::ptx
