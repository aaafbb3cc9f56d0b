// Device memory of one request: the arena, and blocks that are kept for the next
// run, as the driver takes its time to make them.
#pragma once
#include "lib/Runtime/CudaApi.h"
#include "lib/Runtime/Memory.h"

#include <map>
#include <vector>

namespace adze::runtime {

/// The context is current in every call. Work on the stream that uses a block must
/// come before what uses the next one at its place: all of it is on one stream.
class CudaPool {
 public:
  CudaPool(const cuda::Api &api, Budget &budget) : api_(api), budget_(budget) {}
  ~CudaPool();
  CudaPool(const CudaPool &) = delete;
  CudaPool &operator=(const CudaPool &) = delete;

  /// 256-byte aligned; 0 and `error` when memory or budget run out. The arena's
  /// contents are undefined after it grew; nothing may be at work on it then.
  cuda::Pointer arena(int64_t bytes, Diagnostic &error);
  cuda::Pointer allocate(int64_t bytes, Diagnostic &error);
  /// Only what allocate gave has an effect.
  void release(cuda::Pointer p);
  /// Takes all blocks back; frees those that the run did not use.
  void endRun();

  int64_t arenaBytes() const { return arenaBytes_; }
  int64_t blockBytes() const { return blockBytes_; }

 private:
  struct Block {
    cuda::Pointer address;
    int64_t bytes;
    bool used;  ///< in this run
  };
  cuda::Pointer make(int64_t bytes, Diagnostic &error);
  void destroy(cuda::Pointer p, int64_t bytes);
  void dropKept();
  void keep(Block block);

  const cuda::Api &api_;
  Budget &budget_;
  cuda::Pointer arena_ = 0;
  int64_t arenaBytes_ = 0, blockBytes_ = 0;
  std::map<cuda::Pointer, Block> live_;
  std::multimap<int64_t, Block> kept_;  ///< by bytes
};

}  // namespace adze::runtime
