// NVIDIA GPUs through the driver: a variant's cubin or PTX in the primary context,
// weights uploaded once, a stream and memory for each request.
#include "lib/Runtime/CudaOptions.h"
#include "lib/Runtime/CudaPinned.h"
#include "lib/Runtime/CudaPool.h"
#include "lib/Runtime/CudaStream.h"
#include "lib/Runtime/DeviceQueue.h"
#include "lib/Runtime/Variants.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

namespace adze::runtime {

namespace {
using artifact::Contents;
using artifact::DeviceKernel;
using artifact::Section;
using artifact::SectionKind;
using artifact::Variant;
using cuda::Api;

// More shared memory than this a kernel has to ask for.
constexpr int kOrdinaryShared = 48 << 10;
// Bytes that are staged and sent at a time: above some MiB a copy's own costs vanish.
constexpr int64_t kPiece = int64_t(4) << 20;

void *pointerTo(cuda::Pointer p) { return reinterpret_cast<void *>(p); }
cuda::Pointer addressOf(const void *p) { return reinterpret_cast<cuda::Pointer>(p); }

class CudaProgram final : public DeviceProgram {
 public:
  ~CudaProgram() override {
    if (!gpu || !gpu->context) return;
    CurrentContext current(*gpu);
    if (pinned_) pinned_->close();
    if (weights) gpu->api.memFree(weights);
    if (module_) gpu->api.moduleUnload(module_);
  }

  /// Starts the driver and chooses the GPU and the variant for it.
  const Variant *choose(const Contents &c, std::string_view which, Diagnostic &error) {
    auto options = CudaOptions::parse(which, error);
    if (options) gpu = CudaGpu::open(options->number, error);
    if (!gpu) return nullptr;
    options_ = *options;
    if (options_.unified && !gpu->unify(error)) return nullptr;
    return chooseVariant(c, error);
  }

  /// Loads the variant's kernels and uploads the weights.
  bool open(const Contents &c, const Variant &variant, Diagnostic &error) {
    kernels = &variant.kernels;
    bool whole = options_.percent == 100 && options_.part == 1;
    if (!gpu->retain(error) || (!whole && !gpu->divide(options_.percent, options_.part, error)))
      return false;
    pinned_ = std::make_shared<CudaPinned>(gpu, options_.pinnedLimit);
    CurrentContext current(*gpu);
    if (!current.check(error) || !loadModule(c, variant, error)) return false;
    for (const DeviceKernel &k : variant.kernels)
      if (!addFunction(k, error)) return false;
    return uploadWeights(c, error);
  }

  std::unique_ptr<DeviceQueue> makeQueue(Budget &budget, Diagnostic &error) const override;
  std::shared_ptr<BlockMemory> hostMemory() const override { return pinned_; }
  const DeviceMemory *deviceMemory() const override { return gpu.get(); }
  const char *product() const override { return gpu->name.c_str(); }

  std::shared_ptr<CudaGpu> gpu;
  std::vector<cuda::Function> functions;  ///< of the kernels
  const std::vector<DeviceKernel> *kernels = nullptr;
  cuda::Pointer weights = 0;

 private:
  const Variant *chooseVariant(const Contents &c, Diagnostic &error) {
    int major = 0, minor = 0;
    if (!gpu->attribute(cuda::kDeviceComputeCapabilityMajor, major, error) ||
        !gpu->attribute(cuda::kDeviceComputeCapabilityMinor, minor, error) ||
        !gpu->attribute(cuda::kDeviceMaxSharedMemoryPerBlockOptin, mostShared_, error))
      return nullptr;
    capability_ = 10 * major + minor;
    return bestVariant(c, capability_, gpu->name + " (sm_" + std::to_string(capability_) + ")",
                       error);
  }

  /// The cubin where it runs, else the PTX, which the driver compiles.
  bool loadModule(const Contents &c, const Variant &variant, Diagnostic &error) {
    const Api &api = gpu->api;
    const Section *cubin = c.find(SectionKind::Cubin, variant.device);
    if (cubin && Architecture::parse(variant.device)->cubinRunsOn(capability_) &&
        api.moduleLoadDataEx(&module_, cubin->bytes().data(), 0, nullptr, nullptr) == 0)
      return true;
    auto bytes = c.find(SectionKind::Ptx, variant.device)->bytes();
    // The driver wants a NUL at the end.
    std::string text(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    std::vector<char> log(4096);
    int options[] = {cuda::kJitErrorLogBuffer, cuda::kJitErrorLogBufferSizeBytes};
    void *values[] = {log.data(), reinterpret_cast<void *>(log.size() - 1)};
    cuda::Result result = api.moduleLoadDataEx(&module_, text.c_str(), 2, options, values);
    if (api.check(result, "load the artifact's code for", error, variant.device)) return true;
    module_ = nullptr;
    if (log[0]) error.message += "; " + printable(log.data(), 300);
    if (result == cuda::kErrorUnsupportedPtxVersion) error.help = "install a newer NVIDIA driver";
    return false;
  }

  /// Finds a kernel, and lets it have all the shared memory that the GPU has.
  bool addFunction(const DeviceKernel &k, Diagnostic &error) {
    const Api &api = gpu->api;
    cuda::Function f = nullptr;
    int fixed = 0;
    if (!api.check(api.moduleGetFunction(&f, module_, k.name.c_str()), "find kernel", error,
                   k.name) ||
        !api.check(api.funcGetAttribute(&fixed, cuda::kFuncSharedSizeBytes, f), "ask about kernel",
                   error, k.name))
      return false;
    functions.push_back(f);
    if (mostShared_ <= kOrdinaryShared) return true;
    return api.check(
        api.funcSetAttribute(f, cuda::kFuncMaxDynamicSharedSizeBytes, mostShared_ - fixed),
        "get shared memory for kernel", error, k.name);
  }

  /// On a stream, as all else: the legacy one would wait for other programs' work.
  bool uploadWeights(const Contents &c, Diagnostic &error) {
    const Section *s = c.find(SectionKind::Weights);
    if (!s || s->size == 0) return true;
    const Api &api = gpu->api;
    cuda::Stream stream = nullptr;
    if (!api.check(gpu->allocate(weights, s->size), "allocate memory for weights", error) ||
        !api.check(gpu->makeStream(stream), "make a stream", error))
      return false;
    bool ok = api.check(api.memcpyHtoDAsync(weights, s->bytes().data(), s->size, stream),
                        "upload the weights", error);
    if (ok) gpu->prefetch(weights, s->size, true, stream);
    ok = ok && api.check(api.streamSynchronize(stream), "upload the weights", error);
    api.streamDestroy(stream);
    return ok;
  }

  CudaOptions options_;
  std::shared_ptr<CudaPinned> pinned_;
  cuda::Module module_ = nullptr;
  int capability_ = 0, mostShared_ = 0;
};

/// A result that may outlive the model.
class CudaBlock final : public DeviceBlock {
 public:
  explicit CudaBlock(std::shared_ptr<const CudaGpu> gpu) : gpu_(std::move(gpu)) {}
  ~CudaBlock() override {
    if (!p_) return;
    CurrentContext current(*gpu_);
    // Who held it may have enqueued work that uses it.
    gpu_->api.ctxSynchronize();
    gpu_->api.memFree(p_);
  }
  int64_t bytes() const { return bytes_; }
  void own(cuda::Pointer p, int64_t bytes) { p_ = p, bytes_ = bytes; }
  cuda::Pointer take() { return std::exchange(p_, 0); }

 private:
  const std::shared_ptr<const CudaGpu> gpu_;
  cuda::Pointer p_ = 0;
  int64_t bytes_ = 0;
};

class CudaQueue final : public DeviceQueue {
 public:
  CudaQueue(const CudaProgram &program, Budget &budget)
      : program_(program),
        api_(program.gpu->api),
        pool_(std::make_unique<CudaPool>(*program.gpu, budget)),
        stream_(std::make_unique<CudaStream>(*program.gpu, *program.kernels, program.functions)) {
  }

  ~CudaQueue() override {
    CurrentContext current(*program_.gpu);
    stream_->abandon();
    stream_.reset();
    pool_.reset();
  }

  bool open(Diagnostic &error) {
    CurrentContext current(*program_.gpu);
    return current.check(error) && stream_->open(error);
  }

  bool begin(const Execution &execution, Diagnostic &error) override {
    current_.emplace(*program_.gpu);
    if (!current_->check(error)) return current_.reset(), false;
    blocks_ = &execution.blocks;
    auto callers = static_cast<cuda::Stream>(execution.stream);
    return stream_->begin(!execution.profiler.callback, callers, error) ||
           (current_.reset(), false);
  }

  void pause() override { current_.reset(); }

  bool resume(Diagnostic &error) override {
    current_.emplace(*program_.gpu);
    return current_->check(error) || (current_.reset(), false);
  }

  void end() override {
    if (!current_) current_.emplace(*program_.gpu);
    stream_->abandon();
    pool_->endRun(true);
    current_.reset();
  }

  bool leave(Diagnostic &error) override {
    if (!stream_->leave(error)) return false;
    pool_->endRun(false);
    current_.reset();
    return true;
  }

  bool settle(Diagnostic &error) override {
    CurrentContext current(*program_.gpu);
    return current.check(error) && stream_->settle(error);
  }

  const void *weights() const override { return pointerTo(program_.weights); }

  void *input(const void *host, int64_t bytes, const std::string &name,
              Diagnostic &error) override {
    cuda::Pointer p = makeRoom([&] { return pool_->allocate(bytes, error); }, error);
    if (!p || bytes == 0) return pointerTo(p);
    cuda::Result result = send(p, static_cast<const char *>(host), bytes);
    return api_.check(result, "upload", error, name) ? pointerTo(p) : nullptr;
  }

  /// Where kernels could not read it, a copy.
  void *adopt(void *p, int64_t bytes, const std::string &, Diagnostic &error) override {
    if (addressOf(p) % kAlignment == 0) return p;
    void *aligned = allocate(bytes, error);
    return aligned && copy(aligned, p, bytes, error) ? aligned : nullptr;
  }

  void *slab(int64_t bytes, Diagnostic &error) override {
    // It moves, and runs may have left work on it.
    bool grows = bytes > pool_->arenaBytes();
    if (grows && !stream_->settle(error)) return nullptr;
    cuda::Pointer p = makeRoom([&] { return pool_->arena(bytes, error); }, error);
    if (p && grows)
      program_.gpu->prefetch(p, static_cast<size_t>(pool_->arenaBytes()), false, stream_->get());
    return pointerTo(p);
  }
  void *allocate(int64_t bytes, Diagnostic &error) override {
    return pointerTo(makeRoom([&] { return pool_->allocate(bytes, error); }, error));
  }
  void release(void *p) override { pool_->release(addressOf(p)); }

  std::shared_ptr<DeviceBlock> detach(void *p) override {
    auto block = std::make_shared<CudaBlock>(program_.gpu);
    int64_t bytes = pool_->detach(addressOf(p));
    if (bytes == 0) return nullptr;
    block->own(addressOf(p), bytes);
    return block;
  }

  void giveBack(std::shared_ptr<DeviceBlock> shared) override {
    auto &block = static_cast<CudaBlock &>(*shared);
    if (shared.use_count() > 1) return pool_->forget(block.bytes());
    CurrentContext current(*program_.gpu);
    pool_->keep(block.take(), block.bytes());
  }

  bool upload(void *device, const void *host, int64_t bytes, Diagnostic &error) override {
    return stream_->flush(error) &&
           api_.check(api_.memcpyHtoDAsync(addressOf(device), host, static_cast<size_t>(bytes),
                                           stream_->get()),
                      "write to the GPU", error) &&
           stream_->synchronize(error);
  }

  bool download(void *host, const void *device, int64_t bytes, bool gaps,
                Diagnostic &error) override {
    return beginDownload(host, device, bytes, gaps, error) && stream_->synchronize(error);
  }

  bool beginDownload(void *host, const void *device, int64_t bytes, bool,
                     Diagnostic &error) override {
    return stream_->flush(error) &&
           api_.check(api_.memcpyDtoHAsync(host, addressOf(device), static_cast<size_t>(bytes),
                                           stream_->get()),
                      "read from the GPU", error);
  }

  bool copy(void *to, const void *from, int64_t bytes, Diagnostic &error) override {
    return stream_->copy(addressOf(to), addressOf(from), bytes, error);
  }
  bool launch(int32_t kernel, const uint32_t *gridBlock, uint32_t shared, void *const *arguments,
              Diagnostic &error) override {
    return stream_->launch(kernel, gridBlock, shared, arguments, error);
  }
  bool synchronize(Diagnostic &error) override { return stream_->synchronize(error); }

  bool tensorMap(void *map, const void *device, const int64_t *shape, Diagnostic &error) override;

  int64_t arenaBytes() const override { return pool_->arenaBytes(); }
  int64_t temporaryBytes() const override { return pool_->blockBytes(); }

 private:
  /// Copies to page-locked memory, and from there to the GPU: while one piece is on its
  /// way, the next is copied. The driver would do the first copy by itself, and not return
  /// before the second. From where the bytes are when there is no such memory.
  cuda::Result send(cuda::Pointer to, const char *from, int64_t bytes) {
    Block *b = blocks_->allocate(bytes);
    if (b && !b->memory) blocks_->recycle(b), b = nullptr;
    auto *staged = b ? static_cast<char *>(b->payload()) : nullptr;
    cuda::Result result = 0;
    for (int64_t at = 0; at < bytes && result == 0; at += kPiece) {
      auto size = static_cast<size_t>(std::min(kPiece, bytes - at));
      if (staged) std::memcpy(staged + at, from + at, size);
      result = api_.memcpyHtoDAsync(to + static_cast<uint64_t>(at), (staged ? staged : from) + at,
                                    size, stream_->get());
    }
    return result;
  }

  /// make(), and once more without what is kept, on which work may be collected.
  template <typename F>
  cuda::Pointer makeRoom(F make, Diagnostic &error) {
    cuda::Pointer p = make();
    if (p || !stream_->synchronize(error)) return p;
    pool_->dropKept();
    return make();
  }

  const CudaProgram &program_;
  const Api &api_;
  std::unique_ptr<CudaPool> pool_;
  std::unique_ptr<CudaStream> stream_;
  BlockPool *blocks_ = nullptr;            ///< of the request
  std::optional<CurrentContext> current_;  ///< while a thread runs the request
};

/// The driver's enumerators; -1 for what it has none for.
int elementType(int64_t bytes) {
  switch (bytes) {
    case 1:
      return cuda::kTensorMapUint8;
    case 2:
      return cuda::kTensorMapUint16;
    case 4:
      return cuda::kTensorMapUint32;
    case 8:
      return cuda::kTensorMapUint64;
    default:
      return -1;
  }
}

int swizzleMode(int64_t bytes) {
  switch (bytes) {
    case 0:
      return 0;
    case 32:
      return 1;
    case 64:
      return 2;
    case 128:
      return 3;
    default:
      return -1;
  }
}

bool CudaQueue::tensorMap(void *map, const void *device, const int64_t *shape, Diagnostic &error) {
  auto rank = static_cast<uint32_t>(shape[0]);
  const int64_t *extents = shape + 4, *strides = extents + rank, *box = strides + rank;
  uint64_t sizes[5], steps[5];
  uint32_t boxes[5], ones[5];
  for (uint32_t i = 0; i < rank; ++i) {
    sizes[i] = static_cast<uint64_t>(extents[i]);
    // The driver takes the first stride, the element's, for granted.
    if (i) steps[i - 1] = static_cast<uint64_t>(strides[i]);
    boxes[i] = static_cast<uint32_t>(std::clamp<int64_t>(box[i], 0, 1 << 20)), ones[i] = 1;
  }
  int type = elementType(shape[1]), swizzle = swizzleMode(shape[2]);
  if (type < 0 || swizzle < 0 || strides[0] != shape[1])
    return failWith(error, ExitCode::Internal, "ADZ0790",
                    "the model's code asks for a tensor map that no GPU takes");
  cuda::TensorMap made;
  cuda::Result result =
      api_.tensorMapEncodeTiled(&made, type, rank, const_cast<void *>(device), sizes, steps, boxes,
                                ones, 0, swizzle, cuda::kTensorMapL2Promotion128, 0);
  if (!api_.check(result, "make a tensor map", error)) return false;
  std::memcpy(map, made.bytes, sizeof made.bytes);
  return true;
}

std::unique_ptr<DeviceQueue> CudaProgram::makeQueue(Budget &budget, Diagnostic &error) const {
  auto queue = std::make_unique<CudaQueue>(*this, budget);
  if (!queue->open(error)) return nullptr;
  return queue;
}
}  // namespace

std::unique_ptr<Module> loadCudaModule(std::shared_ptr<const artifact::Artifact> artifact,
                                       std::string_view which, Diagnostic &error) {
  const Contents &c = artifact->contents();
  auto program = std::make_unique<CudaProgram>();
  const Variant *variant = program->choose(c, which, error);
  if (!variant || !program->open(c, *variant, error)) return nullptr;
  return makeDeviceModule(std::move(artifact), *variant, std::move(program), error);
}

}  // namespace adze::runtime
