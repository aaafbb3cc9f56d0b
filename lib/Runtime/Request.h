// One caller's inputs, outputs and memory for running a model.
#pragma once
#include "lib/Runtime/DeviceQueue.h"
#include "lib/Runtime/Model.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace adze::runtime {

/// A tensor that a caller hands in.
struct TensorRef {
  artifact::DType dtype = artifact::DType::Undefined;
  std::span<const int64_t> shape;
  const int64_t *strides = nullptr;  ///< in elements; null: row-major
  void *data = nullptr;
  size_t bytes = 0;  ///< 0: not said
  bool onDevice = false;
};

/// A result of the last run.
struct Result {
  artifact::DType dtype = artifact::DType::Undefined;
  std::span<const int64_t> shape;
  void *data = nullptr;
  size_t bytes = 0;
  bool onDevice = false;
};

class Request final : private OutputSink {
 public:
  /// memoryLimit in bytes, timeoutMs of each run; 0: none.
  Request(std::shared_ptr<const Model> model, int64_t memoryLimit, int64_t timeoutMs);
  ~Request();

  const artifact::Contents &contents() const { return model_->contents(); }

  /// `owner` is called (if not empty) when the input is set again or the
  /// request goes; not on failure.
  bool setInput(size_t index, const TensorRef &tensor, std::function<void()> owner,
                Diagnostic &error);
  /// Where results of an output go: on the host or the device, to `data` unless that is
  /// null.
  bool placeOutput(size_t index, bool onDevice, void *data, size_t bytes, Diagnostic &error);
  /// Of the device's driver, for runs from now on; null: the request's own.
  bool setStream(void *stream, Diagnostic &error);
  /// Run is start and wait. After a start nothing but wait, cancel and close is allowed,
  /// unless all inputs and outputs are on the device: then it is a whole run, whose work
  /// may go on. A wait for nothing is none.
  bool run(Diagnostic &error);
  bool start(Diagnostic &error);
  bool wait(Diagnostic &error);
  bool result(size_t index, Result &out, Diagnostic &error) const;
  /// Who holds a result's memory; `error` for bound outputs.
  struct Share {
    Block *block = nullptr;  ///< with a reference, to be given to releaseBlock
    std::shared_ptr<DeviceBlock> onDevice;
  };
  bool shareResult(size_t index, Share &share, Diagnostic &error);
  const DeviceMemory *deviceMemory() const { return model_->module().deviceMemory(); }
  void cancel() { cancelled_ = true; }
  /// Also ends runs that begin later.
  void close() {
    closed_ = true;
    cancelled_ = true;
  }
  bool setProfiler(Profiler profiler, Diagnostic &error);
  bool setEmulation(Emulation emulation, Diagnostic &error);

  /// Of the host and the device.
  int64_t arenaBytes() const { return arena_.capacity() + (queue_ ? queue_->arenaBytes() : 0); }
  int64_t temporaryBytes() const {
    return blocks_.heldBytes() + (queue_ ? queue_->temporaryBytes() : 0);
  }
  int64_t peakBytes() const { return budget_.peak(); }
  /// Of the memory plan: the last run's, or the artifact's where it has one.
  int64_t planBytes() const { return std::max(plans_.slabBytes(), contents().memory.arenaBytes); }
  int64_t planPeakBytes() const {
    return std::max(plans_.peakLiveBytes(), contents().memory.peakLiveBytes);
  }

 private:
  struct Input {
    bool set = false;
    std::vector<int64_t> shape, strides;
    bool rowMajor = true;
    void *data = nullptr;
    int64_t bytes = 0;
    bool onDevice = false;
    std::function<void()> owner;
  };
  struct Output {
    bool valid = false;
    std::vector<int64_t> shape;
    void *data = nullptr;
    int64_t bytes = 0;
    Block *block = nullptr;  ///< holds data, unless that is bound
    void *bound = nullptr;
    size_t boundBytes = 0;
    bool onDevice = false;                  ///< where it goes
    bool isOnDevice = false;                ///< where the last run's is
    std::shared_ptr<DeviceBlock> resident;  ///< as `block`
  };

  bool setOutput(size_t index, const OutputView &view, Diagnostic &error) override;
  bool staysOnDevice(size_t index) const override { return outputs_[index].onDevice; }
  bool setDeviceOutput(size_t index, const OutputView &view, DeviceQueue &queue,
                       Diagnostic &error) override;
  bool describeOutput(size_t index, const OutputView &view, Diagnostic &error);
  bool compactOnDevice(const OutputView &view, int64_t element, void *to, DeviceQueue &queue,
                       Diagnostic &error);
  bool allOnDevice() const;
  bool needsDevice(const std::string &what, Diagnostic &error) const;
  bool checkInputs(Diagnostic &error) const;
  bool viewInputs(std::vector<InputView> &views, Diagnostic &error);
  template <typename F>
  bool exclusively(F f, Diagnostic &error);
  template <typename F>
  bool ending(F f);
  bool startLocked(Diagnostic &error);
  bool leaveLocked(Diagnostic &error);
  bool waitLocked(Diagnostic &error);
  void endRun(bool ok);
  Execution execution(std::span<const InputView> views);
  bool inOtherThread(Diagnostic &error) const;
  bool notWaitedFor(Diagnostic &error) const;
  void dropOutputs();
  bool busy(Diagnostic &error) const;

  std::shared_ptr<const Model> model_;
  int64_t timeoutMs_;
  Budget budget_;
  BlockPool blocks_;
  Arena arena_{budget_};
  PlanCache plans_;
  std::unique_ptr<DeviceQueue> queue_;
  std::vector<PendingOutput> pending_;
  void *stream_ = nullptr;
  std::vector<Input> inputs_;
  std::vector<Output> outputs_;
  Profiler profiler_;
  Emulation emulation_;
  std::atomic<bool> running_{false}, started_{false}, cancelled_{false}, closed_{false};
};

}  // namespace adze::runtime
