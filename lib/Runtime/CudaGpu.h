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
  /// One of the driver's numbers about the GPU.
  bool attribute(int which, int &value, Diagnostic &error) const;

  int number() const override { return number_; }
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
