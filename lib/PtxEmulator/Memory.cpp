// The device's memory: a sorted list of allocations.
#include "lib/PtxEmulator/Emulator.h"

#include <algorithm>

namespace adze::ptx {

static constexpr uint64_t kGap = uint64_t{1} << 20;  // no index error reaches a neighbour

static auto firstAfter(auto &allocations, uint64_t address) {
  return std::upper_bound(allocations.begin(), allocations.end(), address,
                          [](uint64_t a, const Memory::Allocation &x) { return a < x.address; });
}

uint64_t Memory::map(void *data, uint64_t bytes, std::string name, bool initialised, bool writable) {
  if (bytes > limit_ - used_) return 0;
  Allocation a;
  a.address = next_, a.bytes = bytes, a.name = std::move(name), a.writable = writable;
  a.data = static_cast<uint8_t *>(data);
  if (!data) a.own.resize(bytes), a.data = a.own.data();
  if (!initialised) a.initialised.resize(bytes);
  uint64_t address = a.address;
  used_ += bytes;
  next_ += (bytes + kGap + 255) / 256 * 256;
  allocations_.insert(firstAfter(allocations_, address), std::move(a));
  return address;
}

uint64_t Memory::allocate(uint64_t bytes, std::string name, bool initialised) {
  return map(nullptr, bytes, std::move(name), initialised);
}

bool Memory::place(uint64_t address, std::span<const uint8_t> bytes, std::string name, bool writable) {
  auto at = firstAfter(allocations_, address);
  if (at != allocations_.begin()) {
    const Allocation &before = *(at - 1);
    if (before.address + before.bytes > address) return false;
  }
  if (at != allocations_.end() && at->address < address + bytes.size()) return false;
  Allocation a;
  a.address = address, a.bytes = bytes.size(), a.name = std::move(name), a.writable = writable;
  a.own.assign(bytes.begin(), bytes.end()), a.data = a.own.data();
  allocations_.insert(at, std::move(a));
  return true;
}

void Memory::free(uint64_t address) {
  auto at = firstAfter(allocations_, address);
  if (at == allocations_.begin() || (at - 1)->address != address) return;
  used_ -= (at - 1)->bytes;
  allocations_.erase(at - 1);
}

Memory::Allocation *Memory::find(uint64_t address) {
  auto at = firstAfter(allocations_, address);
  if (at == allocations_.begin()) return nullptr;
  Allocation &a = *(at - 1);
  return address - a.address < a.bytes ? &a : nullptr;
}

const Memory::Allocation *Memory::nearest(uint64_t address) const {
  auto at = firstAfter(allocations_, address);
  if (at == allocations_.begin()) return at == allocations_.end() ? nullptr : &*at;
  const Allocation &before = *(at - 1);
  if (at == allocations_.end()) return &before;
  return address - (before.address + before.bytes) <= at->address - address ? &before : &*at;
}

}  // namespace adze::ptx
