// A device with a memory of its own, as the runtime uses it. Each is one
// implementation of these two classes: EmulatorDevice.cpp, CudaDevice.cpp.
#pragma once
#include "lib/Runtime/Device.h"

namespace adze::runtime {

/// A result in a device's memory, which is given back with the last who holds it.
class DeviceBlock {
 public:
  virtual ~DeviceBlock() = default;
};

/// One request's memory on a device, and the work there, done in order.
/// Addresses are the device's: the host computes with them and never reads
/// through them. What can fail returns false or null and fills `error`. Byte
/// counts are not negative, those of copies not zero. One thread at a time.
class DeviceQueue {
 public:
  virtual ~DeviceQueue() = default;

  /// A run begins in this thread.
  virtual bool begin(const Execution &execution, Diagnostic &error) = 0;
  /// The thread has enqueued all; the same or another goes on.
  virtual void pause() {}
  virtual bool resume(Diagnostic &) { return true; }
  /// It ends: waits for all work, takes back what was not released.
  virtual void end() = 0;
  /// It ends, and its work goes on: what comes later is enqueued behind it.
  virtual bool leave(Diagnostic &) { return end(), true; }
  /// Between runs: waits for what they have left.
  virtual bool settle(Diagnostic &) { return true; }

  /// Whether it wants to hear of kernels, and which of the artifact's begins; -1 after it.
  virtual bool followsKernels() const { return false; }
  virtual void enterKernel(int32_t kernel) {}

  /// The weights section, uploaded once for all queues; null where there is none.
  virtual const void *weights() const = 0;
  /// An input: memory that holds these bytes when the work before is done. They stay as
  /// they are until the run ends. `name` is for messages.
  virtual void *input(const void *host, int64_t bytes, const std::string &name,
                      Diagnostic &error) = 0;
  /// The same of memory of the device that the caller has the input in.
  virtual void *adopt(void *, int64_t, const std::string &, Diagnostic &) { return nullptr; }
  /// The arena, 256-byte aligned; once a run.
  virtual void *slab(int64_t bytes, Diagnostic &error) = 0;
  /// Memory of the run, 256-byte aligned, and giving it back: null, and addresses
  /// inside of the slab, are left alone.
  virtual void *allocate(int64_t bytes, Diagnostic &error) = 0;
  virtual void release(void *p) = 0;
  /// Takes memory of `allocate` out of the run; null for other addresses.
  virtual std::shared_ptr<DeviceBlock> detach(void *) { return nullptr; }
  /// Between runs: memory of detach may be used again, unless somebody else holds it.
  virtual void giveBack(std::shared_ptr<DeviceBlock>) {}

  /// Done on return. `gaps`: bytes that nothing has written may be among them.
  virtual bool upload(void *device, const void *host, int64_t bytes, Diagnostic &error) = 0;
  virtual bool download(void *host, const void *device, int64_t bytes, bool gaps,
                        Diagnostic &error) = 0;
  /// A download that may be under way until synchronize.
  virtual bool beginDownload(void *host, const void *device, int64_t bytes, bool gaps,
                             Diagnostic &error) {
    return download(host, device, bytes, gaps, error);
  }
  /// Enqueued, not waited for.
  virtual bool copy(void *to, const void *from, int64_t bytes, Diagnostic &error) = 0;
  /// As adze_host_ctx::device_launch. `kernel` is in the variant's table, the
  /// grid has blocks, and the block no more threads than the table says.
  virtual bool launch(int32_t kernel, const uint32_t *gridBlock, uint32_t shared,
                      void *const *arguments, Diagnostic &error) = 0;
  /// As adze_host_ctx::device_tensor_map; the rank is 1 to 5.
  virtual bool tensorMap(void *map, const void *device, const int64_t *shape,
                         Diagnostic &error) = 0;
  /// Waits for all that is enqueued.
  virtual bool synchronize(Diagnostic &error) = 0;

  /// Held now: by the arena, and by all else.
  virtual int64_t arenaBytes() const = 0;
  virtual int64_t temporaryBytes() const = 0;
};

/// The kernels of a variant, loaded on a device. Immutable, shared by requests.
class DeviceProgram {
 public:
  virtual ~DeviceProgram() = default;
  /// Of a request; `budget` outlives it and counts its memory.
  virtual std::unique_ptr<DeviceQueue> makeQueue(Budget &budget, Diagnostic &error) const = 0;
  /// Host memory that copies to and from the device are fastest with; null: any.
  virtual std::shared_ptr<BlockMemory> hostMemory() const { return nullptr; }
  /// As Module's.
  virtual const DeviceMemory *deviceMemory() const { return nullptr; }
  /// As Module::product.
  virtual const char *product() const { return ""; }
};

/// The module of an artifact for such a device: the variant's host code, which
/// launches the program's kernels. Null and `error` when the code does not load.
std::unique_ptr<Module> makeDeviceModule(std::shared_ptr<const artifact::Artifact> artifact,
                                         const artifact::Variant &variant,
                                         std::unique_ptr<DeviceProgram> program, Diagnostic &error);

}  // namespace adze::runtime
