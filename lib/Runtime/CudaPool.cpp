#include "lib/Runtime/CudaPool.h"

#include <algorithm>
#include <utility>

namespace adze::runtime {

namespace {
// Steps in which the arena and the blocks grow; the driver's own granularity is
// larger than the second.
constexpr int64_t kArenaStep = int64_t(2) << 20;
constexpr int64_t kBlockStep = 256;
// A block that so many runs did not use is freed: a model may take turns at a few
// sizes.
constexpr int kIdleRuns = 8;
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
  for (auto [address, bytes] : live_) destroy(address, bytes);
  dropKept();
  if (arena_) destroy(arena_, arenaBytes_);
}

cuda::Pointer CudaPool::make(int64_t bytes, Diagnostic &error) {
  if (!budget_.take(bytes)) return outOfMemory(bytes, error);
  cuda::Pointer p = 0;
  cuda::Result result = gpu_.allocate(p, static_cast<size_t>(bytes));
  if (result == 0) return p;
  budget_.give(bytes);
  if (result == cuda::kErrorOutOfMemory) return outOfMemory(bytes, error);
  gpu_.api.check(result, "allocate memory on the GPU", error);
  return 0;
}

void CudaPool::destroy(cuda::Pointer p, int64_t bytes) {
  gpu_.api.memFree(p);
  budget_.give(bytes);
}

void CudaPool::dropKept() {
  for (const auto &[block, idle] : kept_) {
    destroy(block.second, block.first);
    blockBytes_ -= block.first;
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
  auto fits = kept_.lower_bound({size, 0});
  bool kept = fits != kept_.end() && fits->first.first <= size + size / 4 + 4096;
  if (kept) size = fits->first.first;
  cuda::Pointer p = kept ? fits->first.second : make(size, error);
  if (!p) return 0;
  try {
    live_.emplace(p, size);
  } catch (const std::bad_alloc &) {
    if (!kept) destroy(p, size);
    return outOfMemory(bytes, error);
  }
  if (kept)
    kept_.erase(fits);
  else
    blockBytes_ += size;
  return p;
}

void CudaPool::keep(cuda::Pointer p, int64_t bytes) {
  try {
    kept_.emplace(std::pair(bytes, p), 0);
  } catch (const std::bad_alloc &) {
    blockBytes_ -= bytes;
    destroy(p, bytes);
  }
}

void CudaPool::release(cuda::Pointer p) {
  auto found = live_.find(p);
  if (found == live_.end()) return;
  keep(p, found->second);
  live_.erase(found);
}

int64_t CudaPool::detach(cuda::Pointer p) {
  auto found = live_.find(p);
  if (found == live_.end()) return 0;
  int64_t bytes = found->second;
  live_.erase(found);
  return bytes;
}

void CudaPool::forget(int64_t bytes) {
  blockBytes_ -= bytes;
  budget_.give(bytes);
}

void CudaPool::endRun(bool free) {
  while (!live_.empty()) release(live_.begin()->first);
  if (!free) return;
  for (auto at = kept_.begin(); at != kept_.end();) {
    if (++at->second <= kIdleRuns) {
      ++at;
      continue;
    }
    auto [bytes, address] = at->first;
    destroy(address, bytes);
    blockBytes_ -= bytes;
    at = kept_.erase(at);
  }
}

}  // namespace adze::runtime
