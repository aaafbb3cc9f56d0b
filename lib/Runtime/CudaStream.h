// Kernels and copies of one request, in order on a stream.
#pragma once
#include "lib/Artifact/Artifact.h"
#include "lib/Runtime/CudaGpu.h"

#include <cstddef>
#include <vector>

namespace adze::runtime {

/// Work is collected until somebody waits for it. What is the same as in an earlier
/// run, addresses and all, becomes a graph, which the driver launches at once: a
/// launch by itself costs some microseconds. The context is current in every call.
class CudaStream {
 public:
  /// `functions` are those of `kernels`; all outlive the stream.
  CudaStream(const CudaGpu &gpu, const std::vector<artifact::DeviceKernel> &kernels,
             const std::vector<cuda::Function> &functions)
      : gpu_(gpu), api_(gpu.api), kernels_(kernels), functions_(functions) {}
  ~CudaStream();
  CudaStream(const CudaStream &) = delete;
  CudaStream &operator=(const CudaStream &) = delete;

  bool open(Diagnostic &error);
  /// Where work goes.
  cuda::Stream get() const { return target_; }
  /// A run begins, on a stream of the caller's, or on its own for null, behind the run
  /// before. Without `graphs` all work is enqueued as it comes.
  bool begin(bool graphs, cuda::Stream callers, Diagnostic &error);

  /// As DeviceQueue's.
  bool launch(int32_t kernel, const uint32_t *gridBlock, uint32_t shared, void *const *arguments,
              Diagnostic &error);
  bool copy(cuda::Pointer to, cuda::Pointer from, int64_t bytes, Diagnostic &error);
  /// Enqueues what is collected.
  bool flush(Diagnostic &error);
  bool synchronize(Diagnostic &error);
  /// The run ends; its work goes on. Afterwards the caller's stream may go.
  bool leave(Diagnostic &error);
  /// Waits for what runs have left.
  bool settle(Diagnostic &error);
  /// The run ends, if there is one: what is collected is forgotten, the rest waited for.
  void abandon();

 private:
  /// A launch, or a copy (kernel -1). No padding: bytes are hashed and compared.
  struct Step {
    int32_t kernel = -1;
    uint32_t shared = 0;
    uint32_t gridBlock[6] = {};
    uint64_t argumentsAt = 0;  ///< of the launch, in Work::arguments
    cuda::Pointer to = 0, from = 0;
    uint64_t bytes = 0;
    bool operator==(const Step &) const = default;
  };
  struct Work {
    std::vector<Step> steps;
    std::vector<std::byte> arguments;  ///< every one at a multiple of 8
    bool operator==(const Work &) const = default;
    uint64_t hash() const;
    void clear();
  };
  /// Work that was done before.
  struct Known {
    uint64_t hash = 0, lastUse = 0;
    Work work;
    cuda::GraphExec graph = nullptr;
    bool tried = false;
  };
  bool add(Step step, Diagnostic &error);
  bool enqueue(const Work &work, cuda::Stream stream, Diagnostic &error);
  bool finished(cuda::Result result, Diagnostic &error);
  Known *find(uint64_t hash);
  Known &remember(uint64_t hash);
  cuda::GraphExec capture(const Work &work);

  const CudaGpu &gpu_;
  const cuda::Api &api_;
  const std::vector<artifact::DeviceKernel> &kernels_;
  const std::vector<cuda::Function> &functions_;
  cuda::Stream own_ = nullptr, target_ = nullptr;
  cuda::Event left_ = nullptr;  ///< when all is done that was left
  bool graphs_ = false, running_ = false, unsettled_ = false;
  int32_t last_ = -1;  ///< kernel enqueued last in this run
  uint64_t flushes_ = 0;
  Work work_;
  std::vector<Known> known_;
  std::vector<void *> pointers_;  ///< to a launch's arguments
};

}  // namespace adze::runtime
