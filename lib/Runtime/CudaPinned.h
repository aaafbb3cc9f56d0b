// Page-locked memory of a model: what the GPU copies to and from by itself, while the
// host and other copies go on.
#pragma once
#include "lib/Runtime/CudaGpu.h"
#include "lib/Runtime/Memory.h"

#include <map>
#include <mutex>

namespace adze::runtime {

/// For the blocks of all requests. Locking pages takes longer than most copies, and
/// letting go waits for the whole GPU, so what comes back is kept: never more than was
/// in use at once. Any thread.
class CudaPinned final : public BlockMemory {
 public:
  /// `limit`: bytes of it at most; the rest of the memory is the heap's.
  CudaPinned(std::shared_ptr<const CudaGpu> gpu, int64_t limit)
      : gpu_(std::move(gpu)), limit_(limit) {}
  ~CudaPinned();

  void *allocate(size_t bytes) override;
  void free(void *p, size_t bytes) override;
  BlockCounts counts() const override;
  /// From now on nothing is kept.
  void close();

 private:
  void *take(int64_t bytes);
  void *make(int64_t bytes);
  /// Frees what is kept, the largest first, until no more than `bytes` are held.
  void shrinkTo(int64_t bytes);

  std::shared_ptr<const CudaGpu> gpu_;
  const int64_t limit_;
  mutable std::mutex mutex_;
  std::multimap<int64_t, void *> kept_;  ///< by bytes
  int64_t inUse_ = 0, most_ = 0, held_ = 0, refused_ = 0;
};

}  // namespace adze::runtime
