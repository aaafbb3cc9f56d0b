// A GPU of NVIDIA's, as the programs, requests and results on it share it.
#pragma once
#include "lib/Runtime/CudaApi.h"
#include "lib/Runtime/Device.h"

#include <memory>
#include <string>

namespace adze::runtime {

/// The driver, and the device's primary context for as long as an object of this type
/// lives: what outlives a model's own memory (results that callers keep) holds it.
class CudaGpu final : public DeviceMemory {
 public:
  /// Starts the driver. Null and `error` (ADZ0743) when there is no such GPU.
  static std::shared_ptr<CudaGpu> open(int number, Diagnostic &error);
  ~CudaGpu() override;
  CudaGpu(const CudaGpu &) = delete;
  CudaGpu &operator=(const CudaGpu &) = delete;

  /// Makes the context.
  bool retain(Diagnostic &error);
  /// Work is to have a part of the GPU from now on: of the parts with at least so many
  /// percent of its multiprocessors the one of this number, from 1. False and `error`
  /// (ADZ0749) where the driver cannot divide it, or there is no such part. After retain.
  bool divide(int percent, int part, Diagnostic &error);
  /// A stream for work of one's own.
  cuda::Result makeStream(cuda::Stream &stream) const;
  /// Memory is to be unified from now on. False and `error` (ADZ0749) where the GPU does
  /// not let the host use it while kernels run.
  bool unify(Diagnostic &error);
  /// Memory for the GPU; unified memory may be more than it has, and goes there as
  /// it is used. The context is current.
  cuda::Result allocate(cuda::Pointer &p, size_t bytes) const;
  /// Moves unified memory there before it is used, as far as there is room. `constant`:
  /// nobody will write to it. A hint: what fails has no effect.
  void prefetch(cuda::Pointer p, size_t bytes, bool constant, cuda::Stream stream) const;
  /// One of the driver's numbers about the GPU.
  bool attribute(int which, int &value, Diagnostic &error) const;

  int number() const override { return number_; }
  bool unified() const override { return unified_; }
  bool holds(const void *p, int64_t bytes, const std::string &what,
             Diagnostic &error) const override;
  bool synchronize(Diagnostic &error) const override;

  cuda::Api api;
  cuda::Device device = 0;
  cuda::Context context = nullptr;
  std::string name;  ///< printable

 private:
  CudaGpu() = default;

  int number_ = 0;
  bool unified_ = false;
  cuda::GreenContext green_ = nullptr;
};

/// The GPU's context in this thread, for as long as an object of this type lives; the
/// one before when it goes.
class CurrentContext {
 public:
  explicit CurrentContext(const CudaGpu &gpu)
      : api_(gpu.api), result_(gpu.api.ctxPushCurrent(gpu.context)) {}
  ~CurrentContext() {
    cuda::Context popped;
    if (ok()) api_.ctxPopCurrent(&popped);
  }
  CurrentContext(const CurrentContext &) = delete;
  CurrentContext &operator=(const CurrentContext &) = delete;
  bool ok() const { return result_ == 0; }
  bool check(Diagnostic &error) const {
    return api_.check(result_, "use the GPU's context", error);
  }

 private:
  const cuda::Api &api_;
  cuda::Result result_;
};

}  // namespace adze::runtime
