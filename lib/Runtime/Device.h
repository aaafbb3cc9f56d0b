// What runs an artifact: one table of functions a device. A new device is a new
// row in devices().
#pragma once
#include "adze/adze_rt.h"
#include "lib/Artifact/Artifact.h"
#include "lib/Runtime/Memory.h"
#include "lib/Runtime/PlanCache.h"
#include "lib/Runtime/ThreadPool.h"
#include "lib/Support/Diagnostics.h"

#include <atomic>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace adze::runtime {

/// A checked input: contiguous, row-major, aligned as the module wants it.
struct InputView {
  artifact::DType dtype;
  std::span<const int64_t> shape;
  void *data;
  bool onDevice = false;  ///< in the device's memory, at any address
};

/// A result as a device left it: any strides (in elements), in any memory.
struct OutputView {
  std::span<const int64_t> shape, strides;
  const void *data;
  void *allocated;  ///< start of the allocation; may be a block of Execution::blocks
};

/// A result on its way from a device to the host: what OutputView says of it.
struct PendingOutput {
  size_t index;
  std::vector<int64_t> shape, strides;
  const void *data;
  void *allocated;
  OutputView view() const { return {shape, strides, data, allocated}; }
};

class DeviceQueue;

/// Takes results, in order, while a device's memory still holds them.
class OutputSink {
 public:
  virtual bool setOutput(size_t index, const OutputView &view, Diagnostic &error) = 0;
  /// Of a result that is to stay in the device's memory, which `view` is in: takes it
  /// from there. Work that makes it may not be done yet.
  virtual bool staysOnDevice(size_t index) const = 0;
  virtual bool setDeviceOutput(size_t index, const OutputView &view, DeviceQueue &queue,
                               Diagnostic &error) = 0;

 protected:
  ~OutputSink() = default;
};

/// A kernel's launch, or one piece of a parallel loop inside it. Times are of
/// CLOCK_MONOTONIC; counts are -1 where they are not known, and for pieces.
struct ProfileEvent {
  int64_t kernel;
  int64_t thread;  ///< of a piece, numbered as they first show, 0 the running one; -1: a launch
  int64_t beginNs, endNs;
  int64_t flops = -1, bytesRead = -1, bytesWritten = -1;
};

/// Called in the running thread; a launch comes after its pieces.
struct Profiler {
  void (*callback)(void *user, const ProfileEvent &event) = nullptr;
  void *user = nullptr;
  bool pieces = false;  ///< report them as well
};

/// What the emulator's checks do: `callback` hears of every launch, and findings
/// then do not end the run; `seed` orders the warps.
struct Emulation {
  adze_emulation_fn callback = nullptr;
  void *user = nullptr;
  uint64_t seed = 0;
};

/// One run: everything that a device needs besides its own module.
struct Execution {
  const artifact::Contents &contents;
  std::span<const InputView> inputs;
  OutputSink &outputs;
  BlockPool &blocks;
  Arena &arena;
  PlanCache &plans;
  ThreadPool &threads;
  Budget &budget;
  std::unique_ptr<DeviceQueue> &queue;  ///< the request's, made by the first run
  std::vector<PendingOutput> &pending;  ///< what Module::finish hands to `outputs`
  const std::atomic<bool> &cancelled;
  void *stream = nullptr;  ///< of the caller's device, to work on; null: one's own
  int64_t deadlineNs = 0;  ///< CLOCK_MONOTONIC; 0: none
  Profiler profiler;
  Emulation emulation;
};

/// The memory of a device, where callers may have tensors of their own. Any thread.
class DeviceMemory {
 public:
  virtual ~DeviceMemory() = default;
  /// Of the device, as its driver counts them.
  virtual int number() const = 0;
  /// Whether what a model leaves there is the host's memory as well.
  virtual bool unified() const = 0;
  /// Whether the bytes, one or more, lie in it; else `error` says so of `what`.
  virtual bool holds(const void *p, int64_t bytes, const std::string &what,
                     Diagnostic &error) const = 0;
  /// Waits for all that anybody has enqueued on the device.
  virtual bool synchronize(Diagnostic &error) const = 0;
};

/// Loaded code of one artifact; immutable, shared by concurrent runs.
class Module {
 public:
  virtual ~Module() = default;
  /// Gives a device with its own memory all it has to do; results are there after
  /// finish, which has to follow when this was true. Other devices do all of it here.
  virtual bool run(Execution &execution, Diagnostic &error) const = 0;
  /// Waits for what run left, and hands the results out. It may be in another thread.
  virtual bool finish(Execution &, Diagnostic &) const { return true; }
  /// The same of a run without pending results: it ends, and its work goes on.
  virtual bool leave(Execution &, Diagnostic &) const { return true; }
  /// Where blocks of a request best lie; null: in the heap.
  virtual std::shared_ptr<BlockMemory> blockMemory() const { return nullptr; }
  /// Null where callers can have none.
  virtual const DeviceMemory *deviceMemory() const { return nullptr; }
  /// Of inputs' addresses; those that lie otherwise are copied before a run.
  virtual size_t inputAlignment() const { return kAlignment; }
  /// What the machine's own name of the device is; "" where there is none.
  virtual const char *product() const { return ""; }
};

struct Device {
  const char *name;    ///< as callers choose it
  const char *target;  ///< of the artifacts that it runs, as in their headers
  /// `which` says more of the device: the GPU's number, a variant; empty: the
  /// best. Null and `error` when this machine cannot run the artifact. Nothing of
  /// the artifact's code is mapped before its demands are checked.
  std::unique_ptr<Module> (*load)(std::shared_ptr<const artifact::Artifact> artifact,
                                  std::string_view which, Diagnostic &error);
};

/// All devices; of those for one target, the first is the one meant by default.
std::span<const Device> devices();

/// The host CPU (HostDevice.cpp).
std::unique_ptr<Module> loadHostModule(std::shared_ptr<const artifact::Artifact> artifact,
                                       std::string_view which, Diagnostic &error);
/// An NVIDIA GPU (CudaDevice.cpp); `which` is its number.
std::unique_ptr<Module> loadCudaModule(std::shared_ptr<const artifact::Artifact> artifact,
                                       std::string_view which, Diagnostic &error);
/// The PTX emulator, from a library of its own (EmulatorLoader.cpp); `which` is a
/// variant's device.
std::unique_ptr<Module> loadEmulatorModule(std::shared_ptr<const artifact::Artifact> artifact,
                                           std::string_view which, Diagnostic &error);

/// CLOCK_MONOTONIC in nanoseconds.
int64_t nowNs();

/// Fills `error` and returns false, to be returned on.
bool failWith(Diagnostic &error, ExitCode exitCode, const char *code, std::string message,
              std::string help = {});

}  // namespace adze::runtime
