#include "lib/Runtime/CudaPinned.h"

#include <algorithm>
#include <new>

namespace adze::runtime {

namespace {
// Sizes differ by less than the system's pages.
int64_t wholePages(size_t bytes) { return static_cast<int64_t>((bytes + 4095) / 4096 * 4096); }
}  // namespace

CudaPinned::~CudaPinned() { shrinkTo(0); }

void CudaPinned::close() {
  std::lock_guard lock(mutex_);
  most_ = 0;
  shrinkTo(0);
}

void CudaPinned::shrinkTo(int64_t bytes) {
  if (held_ <= bytes || kept_.empty()) return;
  CurrentContext current(*gpu_);
  while (held_ > bytes && !kept_.empty()) {
    auto largest = std::prev(kept_.end());
    held_ -= largest->first;
    gpu_->api.memFreeHost(largest->second);
    kept_.erase(largest);
  }
}

/// From what is kept, where a block has this very size.
void *CudaPinned::take(int64_t bytes) {
  auto at = kept_.find(bytes);
  if (at == kept_.end()) return nullptr;
  void *p = at->second;
  kept_.erase(at);
  return p;
}

/// Null where the limit or the system's own is reached.
void *CudaPinned::make(int64_t bytes) {
  if (bytes > limit_ - inUse_) return nullptr;
  shrinkTo(limit_ - bytes);
  CurrentContext current(*gpu_);
  void *p = nullptr;
  auto size = static_cast<size_t>(bytes);
  if (!current.ok() || gpu_->api.memHostAlloc(&p, size, cuda::kMemHostAllocPortable) != 0)
    return nullptr;
  held_ += bytes;
  return p;
}

void *CudaPinned::allocate(size_t bytes) {
  int64_t size = wholePages(bytes);
  std::lock_guard lock(mutex_);
  void *p = take(size);
  if (!p) p = make(size);
  if (!p) return ++refused_, nullptr;
  inUse_ += size;
  most_ = std::max(most_, inUse_);
  return p;
}

void CudaPinned::free(void *p, size_t bytes) {
  int64_t size = wholePages(bytes);
  std::lock_guard lock(mutex_);
  inUse_ -= size;
  try {
    kept_.emplace(size, p);
  } catch (const std::bad_alloc &) {
    CurrentContext current(*gpu_);
    gpu_->api.memFreeHost(p);
    held_ -= size;
  }
  // Sizes change: the largest go first, whose room others need.
  shrinkTo(most_);
}

BlockCounts CudaPinned::counts() const {
  std::lock_guard lock(mutex_);
  return {limit_, held_, inUse_, most_, refused_};
}

}  // namespace adze::runtime
