// The functions behind adze_host_ctx for code that drives a device with its own
// memory, and the way of results back.
#include "lib/Runtime/RunContext.h"
#include "lib/Runtime/Tensor.h"
#include "lib/Support/Checked.h"

#include <new>

namespace adze::runtime {

namespace {
/// Calls f(queue, error); what it fails with, and whatever else ended the run, is
/// recorded. Nothing is left to destroy when it returns.
template <typename F>
bool onDevice(Context *c, F f) {
  Run &run = *c->run;
  try {
    Diagnostic error;
    if (!f(*run.around.device, error)) recordDevice(run, std::move(error));
  } catch (const std::bad_alloc &) {
    record(run, ExitCode::ResourceLimit, "ADZ0720", "out of memory");
  }
  return !run.failed.load(std::memory_order_acquire);
}

/// Whether `bytes` can be a size; else that is recorded.
bool checkBytes(Context *c, int64_t bytes) {
  if (bytes < 0)
    record(*c->run, ExitCode::InvalidModel, "ADZ0707", "a tensor's size is negative or too large");
  return bytes >= 0;
}

void *deviceAlloc(adze_host_ctx *ctx, int64_t bytes) {
  Context *c = contextOf(ctx);
  void *p = nullptr;
  if (!checkBytes(c, bytes) || !onDevice(c, [&](DeviceQueue &queue, Diagnostic &error) {
        return (p = queue.allocate(bytes, error)) != nullptr;
      }))
    leave(c);
  return p;
}

void deviceDealloc(adze_host_ctx *ctx, void *p) { contextOf(ctx)->run->around.device->release(p); }

void *deviceSlab(adze_host_ctx *ctx, int64_t bytes) {
  Context *c = contextOf(ctx);
  void *p = nullptr;
  if (!checkBytes(c, bytes) || !onDevice(c, [&](DeviceQueue &queue, Diagnostic &error) {
        return (p = queue.slab(bytes, error)) != nullptr;
      }))
    leave(c);
  return p;
}

/// Whether the device can be asked for this launch. One without blocks is none.
bool checkLaunch(const Run &run, int32_t kernel, const uint32_t *gridBlock, Diagnostic &error) {
  const artifact::Variant &variant = *run.around.variant;
  if (kernel < 0 || size_t(kernel) >= variant.kernels.size())
    return failWith(error, ExitCode::Internal, "ADZ0790",
                    "the model's code launches a kernel that is not there");
  const artifact::DeviceKernel &k = variant.kernels[kernel];
  uint64_t threads = 1;
  for (int i = 3; i < 6; ++i)
    threads = gridBlock[i] > k.threads ? 0 : threads * gridBlock[i];  // below 2^30
  if (threads > 0 && threads <= k.threads) return true;
  return failWith(error, ExitCode::Internal, "ADZ0790",
                  "the model's code launches kernel '" + printable(k.name, 80) +
                      "' in blocks that it does not take");
}

void deviceLaunch(adze_host_ctx *ctx, int32_t kernel, const uint32_t *gridBlock, uint32_t shared,
                  void *const *arguments) {
  Context *c = contextOf(ctx);
  checkCancelled(*c->run);
  bool blocks = gridBlock[0] && gridBlock[1] && gridBlock[2];
  if (!onDevice(c, [&](DeviceQueue &queue, Diagnostic &error) {
        return !blocks || (checkLaunch(*c->run, kernel, gridBlock, error) &&
                           queue.launch(kernel, gridBlock, shared, arguments, error));
      }))
    leave(c);
}

void download(adze_host_ctx *ctx, void *host, const void *device, int64_t bytes, bool gaps) {
  Context *c = contextOf(ctx);
  if (!checkBytes(c, bytes) || !onDevice(c, [&](DeviceQueue &queue, Diagnostic &error) {
        return bytes == 0 || queue.download(host, device, bytes, gaps, error);
      }))
    leave(c);
}

void deviceRead(adze_host_ctx *ctx, void *host, const void *device, int64_t bytes) {
  download(ctx, host, device, bytes, false);
}

void deviceStage(adze_host_ctx *ctx, void *host, const void *device, int64_t bytes) {
  download(ctx, host, device, bytes, true);
}

void deviceWrite(adze_host_ctx *ctx, void *device, const void *host, int64_t bytes) {
  Context *c = contextOf(ctx);
  if (!checkBytes(c, bytes) || !onDevice(c, [&](DeviceQueue &queue, Diagnostic &error) {
        return bytes == 0 || queue.upload(device, host, bytes, error);
      }))
    leave(c);
}

void deviceCopy(adze_host_ctx *ctx, void *to, const void *from, int64_t bytes) {
  Context *c = contextOf(ctx);
  if (!checkBytes(c, bytes) || !onDevice(c, [&](DeviceQueue &queue, Diagnostic &error) {
        return bytes == 0 || queue.copy(to, from, bytes, error);
      }))
    leave(c);
}

void deviceTensorMap(adze_host_ctx *ctx, void *map, const void *device, const int64_t *shape) {
  Context *c = contextOf(ctx);
  if (!onDevice(c, [&](DeviceQueue &queue, Diagnostic &error) {
        if (shape[0] < 1 || shape[0] > 5)
          return failWith(error, ExitCode::Internal, "ADZ0790",
                          "the model's code asks for a tensor map of " + std::to_string(shape[0]) +
                              " dimensions");
        return queue.tensorMap(map, device, shape, error);
      }))
    leave(c);
}
}  // namespace

void fillDevice(adze_host_ctx &abi) {
  abi.slab = deviceSlab;
  abi.device_alloc = deviceAlloc;
  abi.device_dealloc = deviceDealloc;
  abi.device_launch = deviceLaunch;
  abi.device_read = deviceRead;
  abi.device_write = deviceWrite;
  abi.device_copy = deviceCopy;
  abi.device_tensor_map = deviceTensorMap;
  abi.device_stage = deviceStage;
}

void settle(Context *c) {
  auto wait = [](DeviceQueue &queue, Diagnostic &error) { return queue.synchronize(error); };
  if (c->run->around.device && !onDevice(c, wait)) leave(c);
}

bool fetch(DeviceQueue &device, artifact::DType dtype, OutputView &view, Execution &e,
           Diagnostic &error) {
  int64_t element = artifact::dtypeBytes(dtype);
  auto count = checkedNumElements(view.shape);
  auto whole = count ? checkedMul(*count, element) : std::nullopt;
  auto touched = whole && *whole ? touchedBytes(view.shape, view.strides, element) : std::nullopt;
  if (!touched) {
    if (!whole || *whole) view.data = nullptr;  // whoever takes it refuses it
    return true;
  }
  int64_t bytes = touched->high - touched->low;
  Block *block = e.blocks.allocate(bytes);
  if (!block)
    return failWith(error, ExitCode::ResourceLimit, "ADZ0720",
                    "out of memory for a result (" + std::to_string(bytes) + " bytes)");
  const char *from = static_cast<const char *>(view.data) + touched->low;
  if (!device.beginDownload(block->payload(), from, bytes, bytes != *whole, error)) return false;
  view.data = static_cast<char *>(block->payload()) - touched->low;
  view.allocated = block->payload();
  return true;
}

}  // namespace adze::runtime
