// The C API's first half: this library and machine, pools, models.
#include "lib/Artifact/Count.h"
#include "lib/Runtime/CApi.h"
#include "lib/Runtime/Cpu.h"
#include "lib/Support/Checked.h"

using namespace adze;
using namespace adze::runtime;
using artifact::TensorInfo;

namespace {
std::vector<SignatureView> viewsOf(const std::vector<TensorInfo> &tensors) {
  std::vector<SignatureView> views;
  for (const TensorInfo &t : tensors) {
    SignatureView &v = views.emplace_back();
    for (const artifact::Dim &d : t.dims) {
      v.dims.push_back(d.value);
      v.symbols.push_back(d.symbol.c_str());
    }
  }
  return views;
}
bool writeInfo(adze_tensor_info *out, const TensorInfo &info, const SignatureView &view,
               Diagnostic &error) {
  adze_tensor_info v{};
  v.name = info.name.c_str();
  v.dtype = static_cast<int32_t>(info.dtype);
  v.rank = static_cast<int32_t>(view.dims.size());
  v.dims = view.dims.data();
  v.symbols = view.symbols.data();
  return writeStruct(out, v, "the tensor info", error);
}

/// Bytes read and written, where that does not depend on extents; else 0.
int64_t constantBytes(const artifact::Kernel &k) {
  int64_t bytes = 0;
  for (const std::string *text : {&k.bytesRead, &k.bytesWritten}) {
    auto count = artifact::Count::parse(*text, 0);
    auto value = count ? count->at({}) : std::nullopt;
    auto sum = value ? checkedAdd(bytes, *value) : std::nullopt;
    if (!sum) return 0;
    bytes = *sum;
  }
  return bytes;
}

bool isCode(artifact::SectionKind kind) {
  using enum artifact::SectionKind;
  return kind == HostCode || kind == Ptx || kind == Cubin;
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

/// What a model is loaded with.
struct LoadOptions {
  int threads = 0;
  std::shared_ptr<ThreadPool> pool;
  std::string_view device;
};

bool readModelOptions(const adze_model_options *in, LoadOptions &out, Diagnostic &error) {
  adze_model_options o;
  if (!readStruct(in, o, "the model options", error)) return false;
  if (o.threads < 0) return usage(error, "threads is negative");
  out.threads = o.threads;
  if (o.pool) out.pool = o.pool->pool;
  if (o.device) out.device = o.device;
  return true;
}
}  // namespace

adze_model::adze_model(std::shared_ptr<const Model> m) : model(std::move(m)) {
  inputs = viewsOf(contents().inputs);
  outputs = viewsOf(contents().outputs);
  for (const artifact::Kernel &k : contents().kernels) {
    auto &nodes = kernelNodes.emplace_back();
    for (const std::string &n : k.nodes) nodes.push_back(n.c_str());
  }
}

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
    LoadOptions o;
    if (!notNull(model, "model", error)) return false;
    *model = nullptr;
    if (!notNull(path, "path", error) || !readModelOptions(options, o, error))
      return false;
    return finishLoad(Model::open(std::string(path), o.device, o.threads, std::move(o.pool), error), model);
  });
}

adze_status *adze_model_load_memory(const void *data, size_t size,
                                    const adze_model_options *options, adze_model **model) {
  return guarded([&](Diagnostic &error) {
    LoadOptions o;
    if (!notNull(model, "model", error)) return false;
    *model = nullptr;
    if (!notNull(data, "data", error) || !readModelOptions(options, o, error))
      return false;
    auto artifact =
        artifact::Artifact::fromBytes(std::span(static_cast<const std::byte *>(data), size), error);
    if (!artifact) return false;
    return finishLoad(
        Model::open(std::move(artifact), o.device, o.threads, std::move(o.pool), error), model);
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
    v.bytes = constantBytes(k);
    v.bytes_read = k.bytesRead.c_str();
    v.bytes_written = k.bytesWritten.c_str();
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
      if (isCode(s.kind)) v.code_bytes += int64_t(s.size);
    }
    v.arena_bytes = c.memory.arenaBytes;
    v.peak_live_bytes = c.memory.peakLiveBytes;
    v.planned_buffer_count = c.memory.buffers.size();
    v.product = m->model->module().product();
    return writeStruct(info, v, "the model info", error);
  });
}

adze_status *adze_model_get_host_memory(const adze_model *m, adze_host_memory *memory) {
  return guarded([&](Diagnostic &error) {
    if (!notNull(m, "model", error)) return false;
    auto pinned = m->model->module().blockMemory();
    BlockCounts counts = pinned ? pinned->counts() : BlockCounts{};
    adze_host_memory v{};
    v.limit = counts.limit;
    v.held = counts.held;
    v.in_use = counts.inUse;
    v.most_in_use = counts.mostInUse;
    v.refused = counts.refused;
    return writeStruct(memory, v, "the host memory's counts", error);
  });
}

adze_status *adze_model_synchronize(const adze_model *m) {
  return guarded([&](Diagnostic &error) {
    if (!notNull(m, "model", error)) return false;
    const DeviceMemory *device = m->model->module().deviceMemory();
    return !device || device->synchronize(error);
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

}  // extern "C"
