// Memory: the device's, managed, page-locked; and copies' tensor maps.
#include "test/driver/Driver.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

namespace adze::driver {

namespace {
constexpr uint8_t kPoison = 0xcd;
constexpr uint64_t kPage = 4096;

/// Room on the host, at a page's begin: its address, and what to free.
uint64_t makeHost(std::unique_ptr<uint8_t[]> &host, uint64_t bytes) {
  host.reset(new uint8_t[bytes + kPage]);
  std::memset(host.get(), kPoison, bytes + kPage);
  return (reinterpret_cast<uint64_t>(host.get()) + kPage - 1) / kPage * kPage;
}

/// Kernels see the host's memory at the host's address.
void showToKernels(State &s, uint64_t address, uint64_t bytes) {
  s.memory.place(address, std::vector<uint8_t>(bytes), "managed", true);
  ptx::Memory::Allocation *a = s.memory.find(address);
  a->own.clear(), a->data = reinterpret_cast<uint8_t *>(address);
}

Block *addBlock(State &s, Block::Where where, int device, uint64_t address, uint64_t bytes) {
  auto b = std::make_unique<Block>();
  b->where = where, b->device = device, b->address = address, b->bytes = bytes;
  return s.blocks.emplace(address, std::move(b)).first->second.get();
}

Result allocate(uint64_t *p, size_t bytes) {
  return callIn("MemAlloc", "", static_cast<long long>(bytes), [&](State &s, Context &c) -> Result {
    if (bytes == 0) return kInvalidValue;
    if (bytes > s.gpu.memory - s.used[c.device]) return kOutOfMemory;
    uint64_t address = s.memory.allocate(bytes, "device memory", true);
    if (!address) return kOutOfMemory;
    std::memset(s.memory.find(address)->data, kPoison, bytes);
    addBlock(s, Block::Device, c.device, address, bytes);
    s.used[c.device] += bytes;
    *p = address;
    return kSuccess;
  });
}

Result allocateManaged(uint64_t *p, size_t bytes, unsigned flags) {
  return callIn("MemAllocManaged", "", static_cast<long long>(bytes),
                [&](State &s, Context &c) -> Result {
                  if (bytes == 0 || flags != 1) return kInvalidValue;
                  std::unique_ptr<uint8_t[]> host;
                  uint64_t address = makeHost(host, bytes);
                  showToKernels(s, address, bytes);
                  addBlock(s, Block::Managed, c.device, address, bytes)->host = std::move(host);
                  *p = address;
                  return kSuccess;
                });
}

Result release(uint64_t p) {
  auto give = [&](State &s, Context &) -> Result {
    auto at = s.blocks.find(p);
    if (at == s.blocks.end() || at->second->where > Block::Managed) return kInvalidValue;
    if (at->second->where == Block::Device) s.used[at->second->device] -= at->second->bytes;
    s.memory.free(p);
    s.blocks.erase(at);
    return kSuccess;
  };
  return callIn("MemFree", "", 0, give, true);
}

Result allocateHost(void **p, size_t bytes, unsigned flags) {
  return callIn("MemHostAlloc", "", static_cast<long long>(bytes),
                [&](State &s, Context &c) -> Result {
                  if (bytes == 0 || flags > 1) return kInvalidValue;
                  std::unique_ptr<uint8_t[]> host;
                  uint64_t address = makeHost(host, bytes);
                  addBlock(s, Block::Pinned, c.device, address, bytes)->host = std::move(host);
                  *p = reinterpret_cast<void *>(address);
                  return kSuccess;
                });
}

Result dropHost(const char *name, void *p, Block::Where where, Result missing) {
  auto give = [&](State &s, Context &) -> Result {
    auto at = s.blocks.find(reinterpret_cast<uint64_t>(p));
    if (at == s.blocks.end() || at->second->where != where) return missing;
    s.blocks.erase(at);
    return kSuccess;
  };
  return callIn(name, "", 0, give, true);
}

Result freeHost(void *p) { return dropHost("MemFreeHost", p, Block::Pinned, kInvalidValue); }

Result registerHost(void *p, size_t bytes, unsigned flags) {
  return callIn("MemHostRegister", "", static_cast<long long>(bytes),
                [&](State &s, Context &c) -> Result {
                  auto address = reinterpret_cast<uint64_t>(p);
                  if (!p || bytes == 0 || flags > 1) return kInvalidValue;
                  for (const auto &[begin, b] : s.blocks)
                    if (address < begin + b->bytes && begin < address + bytes)
                      return kHostMemoryAlreadyRegistered;
                  addBlock(s, Block::Registered, c.device, address, bytes);
                  return kSuccess;
                });
}

Result unregisterHost(void *p) {
  return dropHost("MemHostUnregister", p, Block::Registered, kHostMemoryNotRegistered);
}

Result memoryInfo(size_t *free, size_t *total) {
  return callIn("MemGetInfo", "", 0, [&](State &s, Context &c) {
    *free = s.gpu.memory - s.used[c.device], *total = s.gpu.memory;
    return kSuccess;
  });
}

/// Advice about, or a move of, managed memory to a device or (-1) the host.
Result advise(State &s, uint64_t p, size_t bytes, int device) {
  Block *b = s.block(p, bytes);
  bool there = b && b->where == Block::Managed;
  return there && device >= -1 ? kSuccess : kInvalidValue;
}

Result memAdvise(uint64_t p, size_t bytes, int advice, int device) {
  return callIn("MemAdvise", std::to_string(advice), static_cast<long long>(bytes),
                [&](State &s, Context &) {
                  return advice >= 1 && advice <= 6 ? advise(s, p, bytes, device) : kInvalidValue;
                });
}

Result prefetch(uint64_t p, size_t bytes, int device, void *stream) {
  return callIn("MemPrefetchAsync", "", static_cast<long long>(bytes), [&](State &s, Context &c) {
    return streamOf(s, stream, c) ? advise(s, p, bytes, device) : kInvalidHandle;
  });
}

Result pointerAttribute(void *data, int attribute, uint64_t p) {
  return callIn("PointerGetAttribute", "", attribute, [&](State &s, Context &) -> Result {
    Block *b = s.block(p, 1);
    if (!b) return kInvalidValue;
    bool onDevice = b->where <= Block::Managed;
    switch (attribute) {
      case 2:
        *static_cast<unsigned *>(data) = onDevice ? 2 : 1;
        return kSuccess;
      case 8:
        *static_cast<unsigned *>(data) = b->where == Block::Managed;
        return kSuccess;
      case 9:
        *static_cast<int *>(data) = b->device - 40;
        return kSuccess;
      case 11:
        *static_cast<uint64_t *>(data) = b->address;
        return kSuccess;
      case 12:
        *static_cast<size_t *>(data) = b->bytes;
        return kSuccess;
      default:
        return kInvalidValue;
    }
  });
}

Result tensorMap(void *map, int type, uint32_t rank, uint64_t address, const uint64_t *extents,
                 const uint64_t *strides, const uint32_t *box, const uint32_t *elementStrides,
                 int interleave, int swizzle, int promotion, int fill) {
  char text[120];
  std::snprintf(text, sizeof text, "type %d rank %u extent %llu box %u swizzle %d", type, rank,
                static_cast<unsigned long long>(extents[0]), box[0], swizzle);
  return call("TensorMapEncodeTiled", text, 0, [&](State &) -> Result {
    static constexpr uint8_t kElementBytes[] = {1, 2, 4, 4, 8, 8}, kSwizzles[] = {0, 32, 64, 128};
    if (reinterpret_cast<uint64_t>(map) % 64 || interleave || fill || promotion < 0 ||
        promotion > 3 || type < 0 || type > 5 || swizzle < 0 || swizzle > 3 || rank < 1 || rank > 5)
      return kInvalidValue;
    ptx::TensorMap m;
    m.address = address, m.rank = static_cast<uint8_t>(rank);
    m.elementBytes = kElementBytes[type], m.swizzle = kSwizzles[swizzle];
    for (uint32_t i = 0; i < rank; ++i) {
      if (elementStrides[i] != 1) return kInvalidValue;
      m.extents[i] = extents[i], m.box[i] = box[i];
      m.strides[i] = i ? strides[i - 1] : m.elementBytes;
    }
    std::string why;
    auto bytes = ptx::encodeTensorMap(m, why);
    if (!bytes) return kInvalidValue;
    std::memcpy(map, bytes->data(), bytes->size());
    return kSuccess;
  });
}
}  // namespace

Block *State::block(uint64_t address, uint64_t bytes) {
  auto at = blocks.upper_bound(address);
  if (at == blocks.begin()) return nullptr;
  Block *b = std::prev(at)->second.get();
  uint64_t offset = address - b->address;
  return offset <= b->bytes && bytes <= b->bytes - offset ? b : nullptr;
}

std::vector<Row> memoryRows() {
  return {{"cuMemAlloc", 3020, addressOf(allocate)},
          {"cuMemFree", 3020, addressOf(release)},
          {"cuMemAllocManaged", 6000, addressOf(allocateManaged)},
          {"cuMemHostAlloc", 2020, addressOf(allocateHost)},
          {"cuMemFreeHost", 2000, addressOf(freeHost)},
          {"cuMemHostRegister", 6050, addressOf(registerHost)},
          {"cuMemHostUnregister", 4000, addressOf(unregisterHost)},
          {"cuMemGetInfo", 3020, addressOf(memoryInfo)},
          {"cuMemAdvise", 8000, addressOf(memAdvise)},
          {"cuMemPrefetchAsync", 8000, addressOf(prefetch)},
          {"cuPointerGetAttribute", 4000, addressOf(pointerAttribute)},
          {"cuTensorMapEncodeTiled", 12000, addressOf(tensorMap)}};
}

}  // namespace adze::driver
