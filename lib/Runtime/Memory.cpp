#include "lib/Runtime/Memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace adze::runtime {

namespace {
// Beyond this no request is meant seriously; keeps roundings from overflowing.
constexpr int64_t kMaxBytes = int64_t(1) << 46;
constexpr int64_t kHugePage = int64_t(2) << 20;
// Kept for reuse at least; more only where twice as much was in use at once: a
// buffer that grows step by step leaves one behind at each.
constexpr int64_t kKeptBytes = int64_t(64) << 20;

int64_t roundUp(int64_t n, int64_t to) { return (n + to - 1) / to * to; }
}  // namespace

void releaseBlock(Block *block) {
  if (!block || block->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  std::shared_ptr<BlockMemory> memory = std::move(block->memory);
  size_t bytes = sizeof(Block) + static_cast<size_t>(block->capacity);
  block->~Block();
  if (memory)
    memory->free(block, bytes);
  else
    std::free(block);
}

bool Budget::take(int64_t bytes) {
  int64_t now = held_ += bytes;
  if (limit_ && now > limit_) {
    held_ -= bytes;
    return false;
  }
  int64_t peak = peak_;
  while (peak < now && !peak_.compare_exchange_weak(peak, now)) {
  }
  return true;
}

BlockPool::~BlockPool() {
  while (live_) {
    Block *b = live_;
    unlink(b);
    destroy(b);
  }
  for (Block *b : free_) destroy(b);
}

void BlockPool::link(Block *b) {
  b->prev = nullptr;
  b->next = live_;
  if (live_) live_->prev = b;
  live_ = b;
  mostLive_ = std::max<int64_t>(mostLive_, held_ - freeBytes_);
}

void BlockPool::unlink(Block *b) {
  (b->prev ? b->prev->next : live_) = b->next;
  if (b->next) b->next->prev = b->prev;
  b->prev = b->next = nullptr;
}

void BlockPool::destroy(Block *b) {
  budget_.give(b->capacity);
  held_ -= b->capacity;
  releaseBlock(b);
}

Block *BlockPool::make(int64_t capacity) {
  size_t bytes = sizeof(Block) + static_cast<size_t>(capacity);
  void *p = memory_ ? memory_->allocate(bytes) : nullptr;
  bool special = p != nullptr;
  if (!p) p = std::aligned_alloc(kAlignment, bytes);
  if (!p) return nullptr;
  Block *b = new (p) Block;
  b->capacity = capacity;
  if (special) b->memory = memory_;
  return b;
}

Block *BlockPool::allocate(int64_t bytes) {
  if (bytes > kMaxBytes) return nullptr;
  std::lock_guard lock(mutex_);
  // A kept block may be somewhat larger than asked for, not much.
  auto fits = std::lower_bound(free_.begin(), free_.end(), bytes,
                               [](Block *b, int64_t n) { return b->capacity < n; });
  if (fits != free_.end() && (*fits)->capacity <= bytes + bytes / 4 + 4096) {
    Block *b = *fits;
    free_.erase(fits);
    freeBytes_ -= b->capacity;
    b->lastUse = run_;
    link(b);
    return b;
  }
  int64_t capacity = roundUp(std::max<int64_t>(bytes, 1), kAlignment);
  if (!budget_.take(capacity)) return nullptr;
  Block *b = make(capacity);
  if (!b) {
    budget_.give(capacity);
    return nullptr;
  }
  b->lastUse = run_;
  held_ += capacity;
  link(b);
  return b;
}

void BlockPool::keep(Block *b) {
  auto at = std::lower_bound(free_.begin(), free_.end(), b->capacity,
                             [](Block *x, int64_t n) { return x->capacity < n; });
  try {
    free_.insert(at, b);
  } catch (const std::bad_alloc &) {
    return destroy(b);
  }
  freeBytes_ += b->capacity;
  // The smallest go first: they are the cheapest to make again.
  size_t gone = 0;
  for (int64_t most = std::max(kKeptBytes, 2 * mostLive_); freeBytes_ > most; ++gone) {
    freeBytes_ -= free_[gone]->capacity;
    destroy(free_[gone]);
  }
  free_.erase(free_.begin(), free_.begin() + static_cast<std::ptrdiff_t>(gone));
}

void BlockPool::recycle(Block *b) {
  std::lock_guard lock(mutex_);
  unlink(b);
  keep(b);
}

Block *BlockPool::detach(void *p) {
  std::lock_guard lock(mutex_);
  for (Block *b = live_; b; b = b->next) {
    if (b->payload() != p) continue;
    unlink(b);
    return b;
  }
  return nullptr;
}

void BlockPool::giveBack(Block *b) {
  std::lock_guard lock(mutex_);
  if (b->references.load(std::memory_order_acquire) == 1)
    keep(b);
  else
    destroy(b);
}

void BlockPool::endRun() {
  std::lock_guard lock(mutex_);
  while (live_) {
    Block *b = live_;
    unlink(b);
    keep(b);
  }
  size_t kept = 0;
  for (Block *b : free_) {
    if (b->lastUse == run_) {
      free_[kept++] = b;
      continue;
    }
    freeBytes_ -= b->capacity;
    destroy(b);
  }
  free_.resize(kept);
  ++run_;
}

Arena::~Arena() {
  if (!base_) return;
  ::munmap(base_, static_cast<size_t>(capacity_));
  budget_.give(capacity_);
}

void *Arena::ensure(int64_t bytes) {
  if (base_ && bytes <= capacity_) return base_;
  if (bytes > kMaxBytes) return nullptr;
  int64_t size = roundUp(std::max<int64_t>(bytes, 1), bytes >= kHugePage ? kHugePage : 4096);
  if (base_) {
    ::munmap(base_, static_cast<size_t>(capacity_));
    budget_.give(capacity_);
    base_ = nullptr;
    capacity_ = 0;
  }
  if (!budget_.take(size)) return nullptr;
  void *p = ::mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (p == MAP_FAILED) {
    budget_.give(size);
    return nullptr;
  }
  // Large arenas are walked end to end: fewer page faults, fewer TLB misses.
  if (size >= kHugePage) ::madvise(p, static_cast<size_t>(size), MADV_HUGEPAGE);
  base_ = p;
  capacity_ = size;
  return base_;
}

}  // namespace adze::runtime
