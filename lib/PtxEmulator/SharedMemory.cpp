#include "lib/PtxEmulator/SharedMemory.h"

#include <algorithm>

namespace adze::ptx {

const char *hazardText(Hazard hazard) {
  switch (hazard) {
    case Hazard::None: return "";
    case Hazard::Uninitialised: return "reads shared memory that nothing has written";
    case Hazard::Pending: return "touches shared memory that a copy in flight will overwrite";
    case Hazard::WriteThenRead: return "reads what another warp wrote, with no synchronisation between";
    case Hazard::WriteThenWrite: return "overwrites what another warp wrote, with no synchronisation between";
    case Hazard::ReadThenWrite: return "overwrites what another warp has read, with no synchronisation between";
    case Hazard::Lanes: return "touches what another lane of the warp touched, with no bar.warp.sync between";
    case Hazard::Mbarrier: return "touches an mbarrier with an ordinary access";
    case Hazard::Unfenced: return "reads ordinary writes by the asynchronous proxy, with no fence.proxy.async between";
  }
  return "";
}

SharedMemory::SharedMemory(uint32_t bytes, uint32_t readers)
    : size_(bytes), readers_(readers), bytes_(bytes + 16), words_(bytes / 4 + 1),
      reads_((bytes / 4 + 1) * static_cast<size_t>(readers)), readLanes_(reads_.size()) {}

void SharedMemory::restart() {
  if (now_ > 1u << 27) {  // times have 28 bits in reads_
    now_ = 2;
    std::fill(words_.begin(), words_.end(), Word{});
    std::fill(reads_.begin(), reads_.end(), 0);
  }
  start_ = ++now_;
}

template <class F>
Hazard SharedMemory::eachWord(uint32_t address, uint32_t bytes, F f) {
  Hazard worst = Hazard::None;
  for (uint32_t end = address + bytes; address < end;) {
    uint32_t inWord = address & 3, n = std::min(4 - inWord, end - address);
    Hazard h = f(address / 4, static_cast<uint8_t>(((1u << n) - 1) << inWord));
    if (worst == Hazard::None) worst = h;
    address += n;
  }
  return worst;
}

Hazard SharedMemory::checkWriters(const Word &word, uint8_t bytes, const Access &access, Hazard kind) const {
  if (word.time < start_ || !(word.bytes & bytes)) return Hazard::None;
  if (word.agent == kMbarrierAgent) return Hazard::Mbarrier;
  if (word.lane & access.lane & kStrong) return Hazard::None;
  if (word.agent != access.agent) return word.time >= access.known[word.agent] ? kind : Hazard::None;
  return checkLanes(word.lane, word.time, access);
}

/// Of the same agent: lanes one by one, or all together, which orders them.
Hazard SharedMemory::checkLanes(uint8_t before, uint32_t time, const Access &access) {
  bool together = (before | access.lane) & kManyLanes;
  bool same = (before & ~kStrong) == (access.lane & ~kStrong);
  return together || same || time < access.lastSync ? Hazard::None : Hazard::Lanes;
}

Hazard SharedMemory::checkReaders(size_t word, uint8_t bytes, const Access &access) const {
  const uint32_t *reads = &reads_[word * readers_];
  for (uint32_t r = 0; r < readers_; ++r) {
    if (!(reads[r] & bytes)) continue;
    uint32_t time = reads[r] >> 4;
    if (time < start_) continue;
    uint8_t lane = readLanes_[word * readers_ + r];
    if (lane & access.lane & kStrong) continue;
    if (r != access.agent && time >= access.known[r]) return Hazard::ReadThenWrite;
    if (r == access.agent && checkLanes(lane, time, access) != Hazard::None) return Hazard::Lanes;
  }
  return Hazard::None;
}

void SharedMemory::noteRead(uint32_t address, uint32_t bytes, const Access &access) {
  eachWord(address, bytes, [&](size_t i, uint8_t mask) {
    reads_[i * readers_ + access.agent] = now_ << 4 | mask;
    readLanes_[i * readers_ + access.agent] = access.lane;
    return Hazard::None;
  });
}

Hazard SharedMemory::read(uint32_t address, uint32_t bytes, const Access &access) {
  return eachWord(address, bytes, [&](size_t i, uint8_t mask) {
    const Word &word = words_[i];
    if (access.agent < readers_) {
      reads_[i * readers_ + access.agent] = now_ << 4 | mask;
      readLanes_[i * readers_ + access.agent] = access.lane;
    }
    if (word.time < start_ || (word.initialised & mask) != mask)
      return word.time >= start_ && (word.pending & mask) ? Hazard::Pending : Hazard::Uninitialised;
    if (word.pending & mask) return Hazard::Pending;
    Hazard h = checkWriters(word, mask, access, Hazard::WriteThenRead);
    if (h == Hazard::None && access.fences && word.agent < access.warps && access.fences[word.agent] <= word.time)
      return Hazard::Unfenced;
    return h;
  });
}

Hazard SharedMemory::write(uint32_t address, uint32_t bytes, const Access &access) {
  return eachWord(address, bytes, [&](size_t i, uint8_t mask) {
    Word &word = words_[i];
    bool fresh = word.time < start_;
    Hazard h = !fresh && (word.pending & mask) ? Hazard::Pending
                                               : checkWriters(word, mask, access, Hazard::WriteThenWrite);
    if (h == Hazard::None) h = checkReaders(i, mask, access);
    if (h == Hazard::Mbarrier) return h;
    uint8_t initialised = fresh ? 0 : word.initialised, pending = fresh ? 0 : word.pending;
    word = {now_, static_cast<uint8_t>(access.agent), access.lane, mask,
            static_cast<uint8_t>(initialised | mask), pending};
    return h;
  });
}

Hazard SharedMemory::beginWrite(uint32_t address, uint32_t bytes, const Access &access) {
  Hazard h = write(address, bytes, access);
  eachWord(address, bytes, [&](size_t i, uint8_t mask) {
    words_[i].pending = static_cast<uint8_t>(words_[i].pending | mask) & 15;
    return Hazard::None;
  });
  std::fill_n(bytes_.begin() + address, bytes, 0xff);
  return h;
}

void SharedMemory::endWrite(uint32_t address, uint32_t bytes, uint32_t agent) {
  eachWord(address, bytes, [&](size_t i, uint8_t mask) {
    Word &word = words_[i];
    word = {now_, static_cast<uint8_t>(agent), kManyLanes, mask, static_cast<uint8_t>((word.initialised | mask) & 15),
            static_cast<uint8_t>(word.pending & ~mask & 15)};
    return Hazard::None;
  });
}

bool SharedMemory::writtenSince(uint32_t address, uint32_t bytes, uint32_t time) const {
  for (uint32_t i = address / 4; i <= (address + bytes - 1) / 4; ++i)
    if (words_[i].time >= time) return true;
  return false;
}

void SharedMemory::markMbarrier(uint32_t address, bool is) {
  for (uint32_t i = address / 4; i < address / 4 + 2; ++i)
    words_[i] = is ? Word{now_, kMbarrierAgent, kManyLanes, 15, 15, 0} : Word{};
}

}  // namespace adze::ptx
