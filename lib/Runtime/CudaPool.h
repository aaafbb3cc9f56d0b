// Device memory of one request: the arena, and blocks that are kept for the next
// run, as the driver takes its time to make them.
#pragma once
#include "lib/Runtime/CudaGpu.h"
#include "lib/Runtime/Memory.h"

#include <map>
#include <utility>

namespace adze::runtime {

/// The context is current in every call. Work on the stream that uses a block must
/// come before what uses the next one at its place: all of it is on one stream.
class CudaPool {
 public:
  /// Both outlive it.
  CudaPool(const CudaGpu &gpu, Budget &budget) : gpu_(gpu), budget_(budget) {}
  ~CudaPool();
  CudaPool(const CudaPool &) = delete;
  CudaPool &operator=(const CudaPool &) = delete;

  /// 256-byte aligned; 0 and `error` when memory or budget run out: dropKept may make
  /// room. The arena's contents are undefined after it grew; nothing may be at work on
  /// it then. A run that asks for the same gets the same addresses as the one before.
  cuda::Pointer arena(int64_t bytes, Diagnostic &error);
  cuda::Pointer allocate(int64_t bytes, Diagnostic &error);
  /// Only what allocate gave has an effect.
  void release(cuda::Pointer p);
  /// Takes a block out of a run: its bytes, 0 for what allocate did not give. It counts
  /// until it is kept again or forgotten.
  int64_t detach(cuda::Pointer p);
  void keep(cuda::Pointer p, int64_t bytes);
  void forget(int64_t bytes);
  /// Takes all blocks back; with `free`, those go that several runs did not use, and
  /// nothing may be at work on them.
  void endRun(bool free);
  /// Frees what is kept; nothing may be at work on it.
  void dropKept();

  int64_t arenaBytes() const { return arenaBytes_; }
  int64_t blockBytes() const { return blockBytes_; }

 private:
  cuda::Pointer make(int64_t bytes, Diagnostic &error);
  void destroy(cuda::Pointer p, int64_t bytes);

  const CudaGpu &gpu_;
  Budget &budget_;
  cuda::Pointer arena_ = 0;
  int64_t arenaBytes_ = 0, blockBytes_ = 0;
  std::map<cuda::Pointer, int64_t> live_;                  ///< bytes
  std::map<std::pair<int64_t, cuda::Pointer>, int> kept_;  ///< by bytes; runs without it
};

}  // namespace adze::runtime
