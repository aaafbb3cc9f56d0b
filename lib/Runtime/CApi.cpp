// The C API: argument checks, struct versions, and nothing that throws.
#include "adze/adze_rt.h"
#include "lib/Runtime/Cpu.h"
#include "lib/Runtime/DlPack.h"
#include "lib/Runtime/Request.h"
#include "lib/Runtime/Status.h"

#include <algorithm>
#include <cstring>

using namespace adze;
using namespace adze::runtime;
using artifact::TensorInfo;

struct adze_pool {
  std::shared_ptr<ThreadPool> pool;
};

namespace {
/// A signature entry in C's terms.
struct TensorView {
  std::vector<int64_t> dims;
  std::vector<const char *> symbols;
};

std::vector<TensorView> viewsOf(const std::vector<TensorInfo> &tensors) {
  std::vector<TensorView> views;
  for (const TensorInfo &t : tensors) {
    TensorView &v = views.emplace_back();
    for (const artifact::Dim &d : t.dims) {
      v.dims.push_back(d.value);
      v.symbols.push_back(d.symbol.c_str());
    }
  }
  return views;
}
}  // namespace

struct adze_model {
  std::shared_ptr<const Model> model;
  std::vector<TensorView> inputs, outputs;
  std::vector<std::vector<const char *>> kernelNodes;

  explicit adze_model(std::shared_ptr<const Model> m) : model(std::move(m)) {
    inputs = viewsOf(contents().inputs);
    outputs = viewsOf(contents().outputs);
    for (const artifact::Kernel &k : contents().kernels) {
      auto &nodes = kernelNodes.emplace_back();
      for (const std::string &n : k.nodes) nodes.push_back(n.c_str());
    }
  }
  const artifact::Contents &contents() const { return model->contents(); }
};

struct adze_request {
  std::shared_ptr<Request> request;
};

namespace {
bool usage(Diagnostic &error, std::string message) {
  return failWith(error, ExitCode::Usage, "ADZ0701", std::move(message));
}

bool notNull(const void *p, const char *what, Diagnostic &error) {
  return p || usage(error, std::string(what) + " is null");
}

bool inRange(const char *what, size_t index, size_t count, Diagnostic &error) {
  if (index < count) return true;
  return failWith(error, ExitCode::Usage, "ADZ0702",
                  std::string(what) + " " + std::to_string(index) +
                      " does not exist; the model has " + std::to_string(count));
}

/// No version of any struct is near this size: a larger one was never set.
constexpr size_t kMaxStruct = 4096;

/// Reads the fields that caller and library both know; the rest are zero. Null
/// is all zero.
template <typename T>
bool readStruct(const T *in, T &out, const char *what, Diagnostic &error) {
  std::memset(&out, 0, sizeof(T));
  if (!in) return true;
  if (in->struct_size < sizeof(size_t) || in->struct_size > kMaxStruct)
    return usage(error, std::string("struct_size of ") + what + " is not set");
  std::memcpy(&out, in, std::min(in->struct_size, sizeof(T)));
  return true;
}

/// Writes the fields that both know, and leaves struct_size as it is.
template <typename T>
bool writeStruct(T *out, T value, const char *what, Diagnostic &error) {
  if (!notNull(out, what, error)) return false;
  if (out->struct_size < sizeof(size_t) || out->struct_size > kMaxStruct)
    return usage(error, std::string("struct_size of ") + what + " is not set");
  value.struct_size = out->struct_size;
  std::memcpy(out, &value, std::min(out->struct_size, sizeof(T)));
  return true;
}

bool writeInfo(adze_tensor_info *out, const TensorInfo &info, const TensorView &view,
               Diagnostic &error) {
  adze_tensor_info v{};
  v.name = info.name.c_str();
  v.dtype = static_cast<int32_t>(info.dtype);
  v.rank = static_cast<int32_t>(view.dims.size());
  v.dims = view.dims.data();
  v.symbols = view.symbols.data();
  return writeStruct(out, v, "the tensor info", error);
}

int64_t findName(const std::vector<TensorInfo> &list, const char *name) {
  for (size_t i = 0; name && i < list.size(); ++i)
    if (list[i].name == name) return static_cast<int64_t>(i);
  return -1;
}

bool finishLoad(std::shared_ptr<const Model> loaded, adze_model **model) {
  if (!loaded) return false;
  *model = new adze_model(std::move(loaded));
  return true;
}

bool readModelOptions(const adze_model_options *in, int &threads,
                      std::shared_ptr<ThreadPool> &pool, Diagnostic &error) {
  adze_model_options o;
  if (!readStruct(in, o, "the model options", error)) return false;
  if (o.threads < 0) return usage(error, "threads is negative");
  threads = o.threads;
  if (o.pool) pool = o.pool->pool;
  return true;
}

bool readTensor(const adze_tensor *in, TensorRef &ref, Diagnostic &error) {
  adze_tensor t;
  if (!notNull(in, "the tensor", error) || !readStruct(in, t, "the tensor", error)) return false;
  if (t.rank < 0) return usage(error, "the tensor's rank is negative");
  if (t.rank > 0 && !t.shape) return usage(error, "the tensor's shape is null");
  if (t.dtype < 0 || t.dtype > artifact::kMaxDType)
    return usage(error, "the tensor's dtype " + std::to_string(t.dtype) + " is not a type");
  ref = {static_cast<artifact::DType>(t.dtype), {t.shape, static_cast<size_t>(t.rank)}, t.strides,
         t.data, t.bytes};
  return true;
}

/// A result handed out as DLPack.
struct SharedResult {
  dlpack::ManagedTensor managed;
  std::vector<int64_t> shape;
  Block *block;
};

void releaseShared(DLManagedTensor *self) {
  auto *r = static_cast<SharedResult *>(reinterpret_cast<dlpack::ManagedTensor *>(self)->context);
  releaseBlock(r->block);
  delete r;
}

bool shareOutput(Request &request, size_t index, DLManagedTensor **out, Diagnostic &error) {
  Result r;
  if (!request.result(index, r, error)) return false;
  dlpack::DataType dtype = dlpack::toDlPack(r.dtype);
  if (dtype.bits == 0)
    return failWith(error, ExitCode::Unsupported, "ADZ0713",
                    std::string("DLPack has no type for ") + artifact::dtypeName(r.dtype));
  auto shared = std::make_unique<SharedResult>();
  shared->shape.assign(r.shape.begin(), r.shape.end());
  shared->block = request.shareResult(index, error);
  if (!shared->block) return false;
  shared->managed.tensor = {r.data, dlpack::kCpu, 0, static_cast<int32_t>(shared->shape.size()),
                            dtype, shared->shape.data(), nullptr, 0};
  shared->managed.context = shared.get();
  shared->managed.deleter = releaseShared;
  *out = reinterpret_cast<DLManagedTensor *>(&shared.release()->managed);
  return true;
}

bool setDlPack(Request &request, size_t index, DLManagedTensor *tensor, Diagnostic &error) {
  auto *m = reinterpret_cast<dlpack::ManagedTensor *>(tensor);
  const dlpack::Tensor &t = m->tensor;
  artifact::DType dtype = dlpack::fromDlPack(t.dtype);
  if (t.deviceType != dlpack::kCpu || dtype == artifact::DType::Undefined)
    return failWith(error, ExitCode::Unsupported, "ADZ0713",
                    "the DLPack tensor is not on the CPU, or of a type ONNX does not have");
  if (t.rank < 0 || (t.rank > 0 && !t.shape)) return usage(error, "the DLPack tensor has no shape");
  TensorRef ref{dtype, {t.shape, static_cast<size_t>(t.rank)}, t.strides, nullptr, 0};
  if (t.data) ref.data = static_cast<char *>(t.data) + t.byteOffset;
  return request.setInput(index, ref, [=] { if (m->deleter) m->deleter(tensor); }, error);
}
}  // namespace

extern "C" {

const char *adze_rt_version(void) { return artifact::compilerVersion(); }

const char *adze_dtype_name(int32_t dtype) {
  bool known = dtype >= 0 && dtype <= artifact::kMaxDType;
  return artifact::dtypeName(known ? static_cast<artifact::DType>(dtype)
                                   : artifact::DType::Undefined);
}

size_t adze_dtype_bytes(int32_t dtype) {
  if (dtype < 0 || dtype > artifact::kMaxDType) return 0;
  return static_cast<size_t>(artifact::dtypeBytes(static_cast<artifact::DType>(dtype)));
}

int32_t adze_cpu_has_feature(const char *name) { return name ? cpuHasFeature(name) : -1; }

adze_status *adze_pool_create(int32_t threads, adze_pool **pool) {
  return guarded([&](Diagnostic &error) {
    if (!notNull(pool, "pool", error)) return false;
    *pool = nullptr;
    if (threads < 0) return usage(error, "threads is negative");
    auto made = std::make_shared<ThreadPool>(threads);
    *pool = new adze_pool{std::move(made)};
    return true;
  });
}

void adze_pool_destroy(adze_pool *pool) { delete pool; }

adze_status *adze_model_load_file(const char *path, const adze_model_options *options,
                                  adze_model **model) {
  return guarded([&](Diagnostic &error) {
    int threads = 0;
    std::shared_ptr<ThreadPool> pool;
    if (!notNull(model, "model", error)) return false;
    *model = nullptr;
    if (!notNull(path, "path", error) || !readModelOptions(options, threads, pool, error))
      return false;
    return finishLoad(Model::open(std::string(path), threads, std::move(pool), error), model);
  });
}

adze_status *adze_model_load_memory(const void *data, size_t size,
                                    const adze_model_options *options, adze_model **model) {
  return guarded([&](Diagnostic &error) {
    int threads = 0;
    std::shared_ptr<ThreadPool> pool;
    if (!notNull(model, "model", error)) return false;
    *model = nullptr;
    if (!notNull(data, "data", error) || !readModelOptions(options, threads, pool, error))
      return false;
    auto artifact = artifact::Artifact::fromBytes(
        std::span(static_cast<const std::byte *>(data), size), error);
    if (!artifact) return false;
    return finishLoad(Model::open(std::move(artifact), threads, std::move(pool), error), model);
  });
}

void adze_model_destroy(adze_model *model) { delete model; }

size_t adze_model_input_count(const adze_model *m) { return m ? m->inputs.size() : 0; }
size_t adze_model_output_count(const adze_model *m) { return m ? m->outputs.size() : 0; }

adze_status *adze_model_input(const adze_model *m, size_t index, adze_tensor_info *info) {
  return guarded([&](Diagnostic &error) {
    return notNull(m, "model", error) && inRange("input", index, m->inputs.size(), error) &&
           writeInfo(info, m->contents().inputs[index], m->inputs[index], error);
  });
}

adze_status *adze_model_output(const adze_model *m, size_t index, adze_tensor_info *info) {
  return guarded([&](Diagnostic &error) {
    return notNull(m, "model", error) && inRange("output", index, m->outputs.size(), error) &&
           writeInfo(info, m->contents().outputs[index], m->outputs[index], error);
  });
}

int64_t adze_model_find_input(const adze_model *m, const char *name) {
  return m ? findName(m->contents().inputs, name) : -1;
}

int64_t adze_model_find_output(const adze_model *m, const char *name) {
  return m ? findName(m->contents().outputs, name) : -1;
}

size_t adze_model_metadata_count(const adze_model *m) {
  return m ? m->contents().metadata.size() : 0;
}

adze_status *adze_model_metadata(const adze_model *m, size_t index, const char **key,
                                 const char **value, size_t *value_size) {
  return guarded([&](Diagnostic &error) {
    if (!notNull(m, "model", error) ||
        !inRange("metadata entry", index, m->contents().metadata.size(), error))
      return false;
    const artifact::KeyValue &kv = m->contents().metadata[index];
    if (key) *key = kv.key.c_str();
    if (value) *value = kv.value.c_str();
    if (value_size) *value_size = kv.value.size();
    return true;
  });
}

size_t adze_model_kernel_count(const adze_model *m) { return m ? m->contents().kernels.size() : 0; }

adze_status *adze_model_kernel(const adze_model *m, size_t index, adze_kernel_info *info) {
  return guarded([&](Diagnostic &error) {
    if (!notNull(m, "model", error) ||
        !inRange("kernel", index, m->contents().kernels.size(), error))
      return false;
    const artifact::Kernel &k = m->contents().kernels[index];
    adze_kernel_info v{};
    v.name = k.name.c_str();
    v.kind = k.kind.c_str();
    v.nodes = m->kernelNodes[index].data();
    v.node_count = k.nodes.size();
    v.flops = k.flops.c_str();
    v.bytes = k.bytes;
    return writeStruct(info, v, "the kernel info", error);
  });
}

size_t adze_model_node_count(const adze_model *m) {
  return m ? m->contents().nodeMapping.size() : 0;
}

adze_status *adze_model_node(const adze_model *m, size_t index, const char **name,
                             int64_t *kernel) {
  return guarded([&](Diagnostic &error) {
    if (!notNull(m, "model", error) ||
        !inRange("node", index, m->contents().nodeMapping.size(), error))
      return false;
    const artifact::NodeMapping &n = m->contents().nodeMapping[index];
    if (name) *name = n.node.c_str();
    if (kernel) *kernel = n.kernel;
    return true;
  });
}

adze_status *adze_model_get_info(const adze_model *m, adze_model_info *info) {
  return guarded([&](Diagnostic &error) {
    if (!notNull(m, "model", error)) return false;
    const artifact::Contents &c = m->contents();
    adze_model_info v{};
    v.compiler_version = c.compilerVersion.c_str();
    v.target = c.target.c_str();
    v.triple = c.triple.c_str();
    v.cpu = c.cpu.c_str();
    v.flags = c.provenance.flags.c_str();
    v.model_hash = c.provenance.modelHash;
    for (const artifact::Section &s : c.sections) {
      if (s.kind == artifact::SectionKind::Weights) v.weights_bytes += int64_t(s.size);
      if (s.kind == artifact::SectionKind::HostCode) v.code_bytes += int64_t(s.size);
    }
    v.arena_bytes = c.memory.arenaBytes;
    v.peak_live_bytes = c.memory.peakLiveBytes;
    v.planned_buffer_count = c.memory.buffers.size();
    return writeStruct(info, v, "the model info", error);
  });
}

adze_status *adze_model_planned_buffer(const adze_model *m, size_t index,
                                       adze_planned_buffer *buffer) {
  return guarded([&](Diagnostic &error) {
    if (!notNull(m, "model", error) ||
        !inRange("planned buffer", index, m->contents().memory.buffers.size(), error))
      return false;
    const artifact::PlannedBuffer &b = m->contents().memory.buffers[index];
    adze_planned_buffer v{};
    v.kernel = b.kernel;
    v.first = b.first;
    v.last = b.last;
    v.offset = b.offset;
    v.size = b.size;
    return writeStruct(buffer, v, "the planned buffer", error);
  });
}

adze_status *adze_request_create(const adze_model *model, const adze_request_options *options,
                                 adze_request **request) {
  return guarded([&](Diagnostic &error) {
    adze_request_options o;
    if (!notNull(request, "request", error)) return false;
    *request = nullptr;
    if (!notNull(model, "model", error) ||
        !readStruct(options, o, "the request options", error))
      return false;
    if (o.memory_limit < 0 || o.timeout_ms < 0)
      return usage(error, "memory_limit or timeout_ms is negative");
    auto made = std::make_shared<Request>(model->model, o.memory_limit, o.timeout_ms);
    *request = new adze_request{std::move(made)};
    return true;
  });
}

void adze_request_destroy(adze_request *request) {
  if (!request) return;
  // A run in flight has its own reference, and lets go when it ends.
  request->request->close();
  delete request;
}

adze_status *adze_request_set_input(adze_request *r, size_t index, const adze_tensor *tensor) {
  return guarded([&](Diagnostic &error) {
    TensorRef ref;
    return notNull(r, "request", error) && readTensor(tensor, ref, error) &&
           r->request->setInput(index, ref, {}, error);
  });
}

adze_status *adze_request_set_input_dlpack(adze_request *r, size_t index, DLManagedTensor *tensor) {
  return guarded([&](Diagnostic &error) {
    return notNull(r, "request", error) && notNull(tensor, "the tensor", error) &&
           setDlPack(*r->request, index, tensor, error);
  });
}

adze_status *adze_request_bind_output(adze_request *r, size_t index, void *data, size_t bytes) {
  return guarded([&](Diagnostic &error) {
    return notNull(r, "request", error) && r->request->bindOutput(index, data, bytes, error);
  });
}

adze_status *adze_request_run(adze_request *r) {
  return guarded([&](Diagnostic &error) {
    if (!notNull(r, "request", error)) return false;
    // Keeps the request while it runs, should another thread destroy it.
    std::shared_ptr<Request> request = r->request;
    return request->run(error);
  });
}

adze_status *adze_request_output(const adze_request *r, size_t index, adze_tensor *tensor) {
  return guarded([&](Diagnostic &error) {
    Result result;
    if (!notNull(r, "request", error) || !r->request->result(index, result, error)) return false;
    adze_tensor v{};
    v.dtype = static_cast<int32_t>(result.dtype);
    v.rank = static_cast<int32_t>(result.shape.size());
    v.shape = result.shape.data();
    v.data = result.data;
    v.bytes = result.bytes;
    return writeStruct(tensor, v, "the tensor", error);
  });
}

adze_status *adze_request_output_dlpack(adze_request *r, size_t index, DLManagedTensor **tensor) {
  return guarded([&](Diagnostic &error) {
    if (!notNull(tensor, "the tensor", error)) return false;
    *tensor = nullptr;
    return notNull(r, "request", error) && shareOutput(*r->request, index, tensor, error);
  });
}

void adze_request_cancel(adze_request *r) {
  if (r) r->request->cancel();
}

adze_status *adze_request_set_profile(adze_request *r, adze_profile_fn callback, void *user) {
  return guarded([&](Diagnostic &error) {
    return notNull(r, "request", error) && r->request->setProfiler({callback, user}, error);
  });
}

adze_status *adze_request_get_info(const adze_request *r, adze_request_info *info) {
  return guarded([&](Diagnostic &error) {
    if (!notNull(r, "request", error)) return false;
    adze_request_info v{};
    v.arena_bytes = r->request->arenaBytes();
    v.temporary_bytes = r->request->temporaryBytes();
    v.peak_bytes = r->request->peakBytes();
    return writeStruct(info, v, "the request info", error);
  });
}

}  // extern "C"
