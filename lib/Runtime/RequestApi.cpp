// The C API's second half: requests, their inputs and results.
#include "lib/Runtime/CApi.h"
#include "lib/Runtime/DlPack.h"

using namespace adze;
using namespace adze::runtime;

namespace {
bool readMemory(int32_t memory, bool &onDevice, Diagnostic &error) {
  onDevice = memory == ADZE_MEMORY_DEVICE;
  return onDevice || memory == ADZE_MEMORY_HOST ||
         usage(error, "memory " + std::to_string(memory) + " is of no kind");
}

bool readTensor(const adze_tensor *in, TensorRef &ref, Diagnostic &error) {
  adze_tensor t;
  if (!notNull(in, "the tensor", error) || !readStruct(in, t, "the tensor", error)) return false;
  if (t.rank < 0) return usage(error, "the tensor's rank is negative");
  if (t.rank > 0 && !t.shape) return usage(error, "the tensor's shape is null");
  if (t.dtype < 0 || t.dtype > artifact::kMaxDType)
    return usage(error, "the tensor's dtype " + std::to_string(t.dtype) + " is not a type");
  ref = {static_cast<artifact::DType>(t.dtype),
         {t.shape, static_cast<size_t>(t.rank)},
         t.strides,
         t.data,
         t.bytes};
  return readMemory(t.memory, ref.onDevice, error);
}

/// A result handed out as DLPack.
struct SharedResult {
  dlpack::ManagedTensor managed;
  std::vector<int64_t> shape;
  Request::Share share;
};

void releaseShared(DLManagedTensor *self) {
  auto *r = static_cast<SharedResult *>(reinterpret_cast<dlpack::ManagedTensor *>(self)->context);
  releaseBlock(r->share.block);
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
  if (!request.shareResult(index, shared->share, error)) return false;
  dlpack::Tensor &t = shared->managed.tensor;
  t = {r.data, dlpack::kCpu,         0,       static_cast<int32_t>(shared->shape.size()),
       dtype,  shared->shape.data(), nullptr, 0};
  if (r.onDevice) {
    const DeviceMemory &memory = *request.deviceMemory();
    t.deviceType = memory.unified() ? dlpack::kCudaManaged : dlpack::kCuda;
    t.deviceId = memory.number();
  }
  shared->managed.context = shared.get();
  shared->managed.deleter = releaseShared;
  *out = reinterpret_cast<DLManagedTensor *>(&shared.release()->managed);
  return true;
}

adze_status *calling(adze_request *r, bool (Request::*f)(Diagnostic &)) {
  return guarded([&](Diagnostic &error) {
    if (!notNull(r, "request", error)) return false;
    // Keeps the request while it runs, should another thread destroy it.
    std::shared_ptr<Request> request = r->request;
    return (*request.*f)(error);
  });
}

void reportLaunch(void *request, const ProfileEvent &e) {
  const auto &profile = static_cast<adze_request *>(request)->profile;
  profile.callback(profile.user, e.kernel, e.beginNs, e.endNs);
}

void reportEvent(void *request, const ProfileEvent &e) {
  const auto &trace = static_cast<adze_request *>(request)->trace;
  adze_trace_event event{e.kernel, e.thread,    e.beginNs,     e.endNs,
                         e.flops,  e.bytesRead, e.bytesWritten};
  trace.callback(trace.user, &event);
}

bool setDlPack(Request &request, size_t index, DLManagedTensor *tensor, Diagnostic &error) {
  auto *m = reinterpret_cast<dlpack::ManagedTensor *>(tensor);
  const dlpack::Tensor &t = m->tensor;
  artifact::DType dtype = dlpack::fromDlPack(t.dtype);
  bool onHost = t.deviceType == dlpack::kCpu || t.deviceType == dlpack::kCudaHost;
  bool onDevice = t.deviceType == dlpack::kCuda || t.deviceType == dlpack::kCudaManaged;
  if ((!onHost && !onDevice) || dtype == artifact::DType::Undefined)
    return failWith(error, ExitCode::Unsupported, "ADZ0713",
                    "the DLPack tensor is on neither a CPU nor a GPU of NVIDIA's, or of a type "
                    "ONNX does not have");
  if (t.rank < 0 || (t.rank > 0 && !t.shape)) return usage(error, "the DLPack tensor has no shape");
  TensorRef ref{dtype, {t.shape, static_cast<size_t>(t.rank)}, t.strides, nullptr, 0};
  if (t.data) ref.data = static_cast<char *>(t.data) + t.byteOffset;
  ref.onDevice = onDevice;
  return request.setInput(
      index, ref,
      [=] {
        if (m->deleter) m->deleter(tensor);
      },
      error);
}
}  // namespace

extern "C" {

adze_status *adze_request_create(const adze_model *model, const adze_request_options *options,
                                 adze_request **request) {
  return guarded([&](Diagnostic &error) {
    adze_request_options o;
    if (!notNull(request, "request", error)) return false;
    *request = nullptr;
    if (!notNull(model, "model", error) || !readStruct(options, o, "the request options", error))
      return false;
    if (o.memory_limit < 0 || o.timeout_ms < 0)
      return usage(error, "memory_limit or timeout_ms is negative");
    auto made = std::make_shared<Request>(model->model, o.memory_limit, o.timeout_ms);
    *request = new adze_request{std::move(made), {}, {}};
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
    return notNull(r, "request", error) &&
           r->request->placeOutput(index, false, data, bytes, error);
  });
}

adze_status *adze_request_place_output(adze_request *r, size_t index, int32_t memory, void *data,
                                       size_t bytes) {
  return guarded([&](Diagnostic &error) {
    bool onDevice;
    return notNull(r, "request", error) && readMemory(memory, onDevice, error) &&
           r->request->placeOutput(index, onDevice, data, bytes, error);
  });
}

adze_status *adze_request_set_stream(adze_request *r, void *stream) {
  return guarded([&](Diagnostic &error) {
    return notNull(r, "request", error) && r->request->setStream(stream, error);
  });
}

adze_status *adze_request_run(adze_request *r) { return calling(r, &Request::run); }
adze_status *adze_request_start(adze_request *r) { return calling(r, &Request::start); }
adze_status *adze_request_wait(adze_request *r) { return calling(r, &Request::wait); }

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
    v.memory = result.onDevice ? ADZE_MEMORY_DEVICE : ADZE_MEMORY_HOST;
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
    if (!notNull(r, "request", error) ||
        !r->request->setProfiler({callback ? reportLaunch : nullptr, r}, error))
      return false;
    r->profile = {callback, user};
    return true;
  });
}

adze_status *adze_request_set_trace(adze_request *r, adze_trace_fn callback, void *user) {
  return guarded([&](Diagnostic &error) {
    if (!notNull(r, "request", error) ||
        !r->request->setProfiler({callback ? reportEvent : nullptr, r, true}, error))
      return false;
    r->trace = {callback, user};
    return true;
  });
}

adze_status *adze_request_set_emulation(adze_request *r, uint64_t seed,
                                        adze_emulation_fn callback, void *user) {
  return guarded([&](Diagnostic &error) {
    return notNull(r, "request", error) &&
           r->request->setEmulation({callback, user, seed}, error);
  });
}

adze_status *adze_request_get_info(const adze_request *r, adze_request_info *info) {
  return guarded([&](Diagnostic &error) {
    if (!notNull(r, "request", error)) return false;
    adze_request_info v{};
    v.arena_bytes = r->request->arenaBytes();
    v.temporary_bytes = r->request->temporaryBytes();
    v.peak_bytes = r->request->peakBytes();
    v.plan_bytes = r->request->planBytes();
    v.plan_peak_bytes = r->request->planPeakBytes();
    return writeStruct(info, v, "the request info", error);
  });
}

}  // extern "C"
