#include "lib/Runtime/CudaPool.h"

#include "lib/Runtime/Device.h"

#include <algorithm>
#include <utility>

namespace adze::runtime {

namespace {
// Steps in which the arena and the blocks grow; the driver's own granularity is
// larger than the second.
constexpr int64_t kArenaStep = int64_t(2) << 20;
constexpr int64_t kBlockStep = 256;
// Beyond this no request is meant seriously; keeps roundings from overflowing.
constexpr int64_t kMaxBytes = int64_t(1) << 46;

int64_t roundUp(int64_t n, int64_t to) { return (std::max<int64_t>(n, 1) + to - 1) / to * to; }

cuda::Pointer outOfMemory(int64_t bytes, Diagnostic &error) {
  failWith(error, ExitCode::ResourceLimit, "ADZ0720",
           "out of memory on the device (" + std::to_string(bytes) + " bytes)");
  return 0;
}
}  // namespace

CudaPool::~CudaPool() {
  for (auto &[address, block] : live_) destroy(address, block.bytes);
  dropKept();
  if (arena_) destroy(arena_, arenaBytes_);
}

/// Kept blocks make room where there is none.
cuda::Pointer CudaPool::make(int64_t bytes, Diagnostic &error) {
  if (!budget_.take(bytes)) return outOfMemory(bytes, error);
  cuda::Pointer p = 0;
  cuda::Result result = api_.memAlloc(&p, static_cast<size_t>(bytes));
  if (result == cuda::kErrorOutOfMemory) {
    dropKept();
    result = api_.memAlloc(&p, static_cast<size_t>(bytes));
  }
  if (result == 0) return p;
  budget_.give(bytes);
  if (result == cuda::kErrorOutOfMemory) return outOfMemory(bytes, error);
  api_.check(result, "allocate memory on the GPU", error);
  return 0;
}

void CudaPool::destroy(cuda::Pointer p, int64_t bytes) {
  api_.memFree(p);
  budget_.give(bytes);
}

void CudaPool::dropKept() {
  for (auto &[bytes, block] : kept_) {
    destroy(block.address, bytes);
    blockBytes_ -= bytes;
  }
  kept_.clear();
}

cuda::Pointer CudaPool::arena(int64_t bytes, Diagnostic &error) {
  if (arena_ && bytes <= arenaBytes_) return arena_;
  if (bytes > kMaxBytes) return outOfMemory(bytes, error);
  if (arena_) destroy(arena_, arenaBytes_);
  arenaBytes_ = 0;
  int64_t size = roundUp(bytes, kArenaStep);
  if ((arena_ = make(size, error))) arenaBytes_ = size;
  return arena_;
}

cuda::Pointer CudaPool::allocate(int64_t bytes, Diagnostic &error) {
  if (bytes > kMaxBytes) return outOfMemory(bytes, error);
  int64_t size = roundUp(bytes, kBlockStep);
  // A kept block may be somewhat larger than asked for, not much.
  auto fits = kept_.lower_bound(size);
  if (fits != kept_.end() && fits->first <= size + size / 4 + 4096) {
    Block block = fits->second;
    block.used = true;
    live_.emplace(block.address, block);
    kept_.erase(fits);
    return block.address;
  }
  cuda::Pointer p = make(size, error);
  if (!p) return 0;
  try {
    live_.emplace(p, Block{p, size, true});
  } catch (const std::bad_alloc &) {
    destroy(p, size);
    return outOfMemory(bytes, error);
  }
  blockBytes_ += size;
  return p;
}

void CudaPool::keep(Block block) {
  try {
    kept_.emplace(block.bytes, block);
  } catch (const std::bad_alloc &) {
    blockBytes_ -= block.bytes;
    destroy(block.address, block.bytes);
  }
}

void CudaPool::release(cuda::Pointer p) {
  auto found = live_.find(p);
  if (found == live_.end()) return;
  keep(found->second);
  live_.erase(found);
}

void CudaPool::endRun() {
  while (!live_.empty()) release(live_.begin()->first);
  for (auto at = kept_.begin(); at != kept_.end();) {
    Block &block = at->second;
    if (std::exchange(block.used, false)) {
      ++at;
      continue;
    }
    destroy(block.address, block.bytes);
    blockBytes_ -= block.bytes;
    at = kept_.erase(at);
  }
}

}  // namespace adze::runtime
