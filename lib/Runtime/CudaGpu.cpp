#include "lib/Runtime/CudaGpu.h"

namespace adze::runtime {

std::shared_ptr<CudaGpu> CudaGpu::open(int number, Diagnostic &error) {
  std::shared_ptr<CudaGpu> gpu(new CudaGpu);
  const cuda::Api &api = gpu->api;
  int count = 0;
  char name[100] = "";
  if (!gpu->api.load(error) || !api.check(api.deviceGetCount(&count), "count the GPUs", error))
    return nullptr;
  if (number >= count) {
    failWith(error, ExitCode::Device, "ADZ0743",
             "there is no GPU " + std::to_string(number) + "; there are " + std::to_string(count));
    return nullptr;
  }
  if (!api.check(api.deviceGet(&gpu->device, number), "find the GPU", error) ||
      !api.check(api.deviceGetName(name, sizeof name, gpu->device), "ask for the GPU's name",
                 error))
    return nullptr;
  gpu->number_ = number;
  gpu->name = printable(name, 80);
  return gpu;
}

CudaGpu::~CudaGpu() {
  if (context) api.devicePrimaryCtxRelease(device);
}

bool CudaGpu::retain(Diagnostic &error) {
  if (api.check(api.devicePrimaryCtxRetain(&context, device), "make a context on the GPU", error))
    return true;
  context = nullptr;
  return false;
}

bool CudaGpu::unify(Diagnostic &error) {
  int concurrent = 0;
  if (!attribute(cuda::kDeviceConcurrentManagedAccess, concurrent, error)) return false;
  unified_ = concurrent != 0;
  return unified_ || failWith(error, ExitCode::Device, "ADZ0749",
                              name + " has no unified memory that the host may use while "
                                     "kernels run (concurrent managed access)",
                              "leave `/unified` out of the device's name");
}

cuda::Result CudaGpu::allocate(cuda::Pointer &p, size_t bytes) const {
  if (!unified_) return api.memAlloc(&p, bytes);
  cuda::Result result = api.memAllocManaged(&p, bytes, cuda::kMemAttachGlobal);
  if (result == 0) api.memAdvise(p, bytes, cuda::kMemAdviseSetPreferredLocation, device);
  return result;
}

void CudaGpu::prefetch(cuda::Pointer p, size_t bytes, bool constant, cuda::Stream stream) const {
  size_t free = 0, total = 0;
  if (!unified_) return;
  if (constant) api.memAdvise(p, bytes, cuda::kMemAdviseSetReadMostly, device);
  // More than there is room for would drive out what came before.
  if (api.memGetInfo(&free, &total) == 0 && bytes <= free)
    api.memPrefetchAsync(p, bytes, device, stream);
}

bool CudaGpu::attribute(int which, int &value, Diagnostic &error) const {
  return api.check(api.deviceGetAttribute(&value, which, device), "ask what the GPU can do",
                   error);
}

/// Both ends are asked about: an allocation may be made of several pieces. Unified memory
/// is every GPU's.
bool CudaGpu::holds(const void *p, int64_t bytes, const std::string &what,
                    Diagnostic &error) const {
  CurrentContext current(*this);
  if (!current.check(error)) return false;
  auto begin = reinterpret_cast<cuda::Pointer>(p);
  for (cuda::Pointer at : {begin, begin + static_cast<uint64_t>(bytes - 1)}) {
    unsigned type = 0, managed = 0;
    int ordinal = -1;
    if (api.pointerGetAttribute(&managed, cuda::kPointerIsManaged, at) == 0 && managed) continue;
    if (api.pointerGetAttribute(&type, cuda::kPointerMemoryType, at) != 0 ||
        api.pointerGetAttribute(&ordinal, cuda::kPointerDeviceOrdinal, at) != 0 ||
        type != cuda::kMemoryTypeDevice || ordinal != number_)
      return failWith(error, ExitCode::InvalidModel, "ADZ0708",
                      what + " is not in the memory of GPU " + std::to_string(number_));
  }
  return true;
}

bool CudaGpu::synchronize(Diagnostic &error) const {
  CurrentContext current(*this);
  return current.check(error) && api.check(api.ctxSynchronize(), "finish the GPU's work", error);
}

}  // namespace adze::runtime
