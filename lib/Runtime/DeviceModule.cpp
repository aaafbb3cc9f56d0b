// What all devices with their own memory share: host code that drives a queue.
#include "lib/Runtime/DeviceQueue.h"
#include "lib/Runtime/HostCode.h"
#include "lib/Runtime/HostRun.h"

namespace adze::runtime {

namespace {
class DeviceModule final : public Module {
 public:
  DeviceModule(std::shared_ptr<const artifact::Artifact> artifact, const artifact::Variant &variant,
               std::unique_ptr<DeviceProgram> program)
      : artifact_(std::move(artifact)), variant_(variant), program_(std::move(program)) {}

  bool open(Diagnostic &error) { return code_.open(artifact_->contents(), variant_.device, error); }

  bool run(Execution &execution, Diagnostic &error) const override {
    std::unique_ptr<DeviceQueue> &queue = execution.queue;
    if (!queue) queue = program_->makeQueue(execution.budget, error);
    if (!queue || !queue->begin(execution, error)) return false;
    End end{queue.get()};
    if (!runEntry(code_.entry(), {queue->weights(), queue.get(), &variant_}, execution, error))
      return false;
    end.queue = nullptr;
    queue->pause();
    return true;
  }

  bool finish(Execution &execution, Diagnostic &error) const override {
    DeviceQueue &queue = *execution.queue;
    End end{&queue};
    if (!queue.resume(error) || !queue.synchronize(error)) return false;
    for (const PendingOutput &p : execution.pending)
      if (!execution.outputs.setOutput(p.index, p.view(), error)) return false;
    return true;
  }

  bool leave(Execution &execution, Diagnostic &error) const override {
    DeviceQueue &queue = *execution.queue;
    End end{&queue};
    if (!queue.resume(error) || !queue.leave(error)) return false;
    end.queue = nullptr;
    return true;
  }

  std::shared_ptr<BlockMemory> blockMemory() const override { return program_->hostMemory(); }

  const DeviceMemory *deviceMemory() const override { return program_->deviceMemory(); }
  size_t inputAlignment() const override { return 1; }
  const char *product() const override { return program_->product(); }

 private:
  /// Ends a run on every way out, exceptions included.
  struct End {
    DeviceQueue *queue;
    ~End() {
      if (queue) queue->end();
    }
  };

  std::shared_ptr<const artifact::Artifact> artifact_;
  const artifact::Variant &variant_;
  std::unique_ptr<DeviceProgram> program_;
  HostCode code_;
};
}  // namespace

std::unique_ptr<Module> makeDeviceModule(std::shared_ptr<const artifact::Artifact> artifact,
                                         const artifact::Variant &variant,
                                         std::unique_ptr<DeviceProgram> program,
                                         Diagnostic &error) {
  auto module = std::make_unique<DeviceModule>(std::move(artifact), variant, std::move(program));
  if (!module->open(error)) return nullptr;
  return module;
}

}  // namespace adze::runtime
