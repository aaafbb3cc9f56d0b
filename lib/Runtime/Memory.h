// Memory of one request: 64-byte aligned blocks that are kept for the next run,
// and the arena.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace adze::runtime {

inline constexpr size_t kAlignment = 64;

/// Bytes, and how often the heap had to help out.
struct BlockCounts {
  int64_t limit = 0, held = 0, inUse = 0, mostInUse = 0, refused = 0;
};

/// Where blocks come from that are not the heap's. Any thread.
class BlockMemory {
 public:
  virtual ~BlockMemory() = default;
  /// 64-byte aligned; null where there is none.
  virtual void *allocate(size_t bytes) = 0;
  virtual void free(void *p, size_t bytes) = 0;
  virtual BlockCounts counts() const = 0;
};

/// The header in front of a block's payload.
struct alignas(kAlignment) Block {
  Block *prev = nullptr, *next = nullptr;  ///< the list of live blocks
  int64_t capacity = 0;                    ///< payload bytes
  std::atomic<int32_t> references{1};      ///< outputs may be shared with DLPack
  uint32_t lastUse = 0;                    ///< run that used it
  std::shared_ptr<BlockMemory> memory;     ///< where it came from; null: the heap

  void *payload() { return this + 1; }
  static Block *of(void *payload) { return static_cast<Block *>(payload) - 1; }
};

/// Drops one reference; the last frees the block. Any thread.
void releaseBlock(Block *block);

/// Counts bytes against a limit.
class Budget {
 public:
  /// 0: no limit.
  void setLimit(int64_t bytes) { limit_ = bytes; }
  bool take(int64_t bytes);
  void give(int64_t bytes) { held_ -= bytes; }
  int64_t held() const { return held_; }
  int64_t peak() const { return peak_; }
  void resetPeak() { peak_ = held_.load(); }

 private:
  int64_t limit_ = 0;
  std::atomic<int64_t> held_{0}, peak_{0};
};

/// Allocates blocks, keeps those that are given back within bounds, and frees
/// what a run forgot. Threads of one run may call it at once.
class BlockPool {
 public:
  /// Blocks come from `memory`, and from the heap where it has none or is null.
  explicit BlockPool(Budget &budget, std::shared_ptr<BlockMemory> memory = nullptr)
      : budget_(budget), memory_(std::move(memory)) {}
  ~BlockPool();
  BlockPool(const BlockPool &) = delete;
  BlockPool &operator=(const BlockPool &) = delete;

  /// Null when out of memory or budget; bytes >= 0.
  Block *allocate(int64_t bytes);
  /// Gives a block back for reuse.
  void recycle(Block *block);
  /// The live block whose payload begins at p, taken out of the pool's hands
  /// (references stay as they are); null if there is none.
  Block *detach(void *p);
  /// Takes back a detached block: kept for reuse, or only released where
  /// somebody else still refers to it.
  void giveBack(Block *block);
  /// Recycles all live blocks; frees those that the run did not use.
  void endRun();
  int64_t heldBytes() const { return held_; }

 private:
  Block *make(int64_t capacity);
  void link(Block *b);
  void unlink(Block *b);
  void keep(Block *b);
  void destroy(Block *b);

  Budget &budget_;
  const std::shared_ptr<BlockMemory> memory_;
  std::mutex mutex_;
  Block *live_ = nullptr;
  std::vector<Block *> free_;  ///< by capacity
  int64_t freeBytes_ = 0, mostLive_ = 0;
  std::atomic<int64_t> held_{0};
  uint32_t run_ = 1;
};

/// One growing region, page-aligned, contents undefined after growth.
class Arena {
 public:
  explicit Arena(Budget &budget) : budget_(budget) {}
  ~Arena();
  Arena(const Arena &) = delete;
  Arena &operator=(const Arena &) = delete;
  /// Null when out of memory or budget; bytes >= 0.
  void *ensure(int64_t bytes);
  int64_t capacity() const { return capacity_; }
  bool contains(const void *p) const {
    auto at = reinterpret_cast<uintptr_t>(p), base = reinterpret_cast<uintptr_t>(base_);
    return base_ && at >= base && at - base < static_cast<uintptr_t>(capacity_);
  }

 private:
  Budget &budget_;
  void *base_ = nullptr;
  int64_t capacity_ = 0;
};

}  // namespace adze::runtime
