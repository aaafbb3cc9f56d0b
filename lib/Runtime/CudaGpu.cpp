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

bool CudaGpu::attribute(int which, int &value, Diagnostic &error) const {
  return api.check(api.deviceGetAttribute(&value, which, device), "ask what the GPU can do",
                   error);
}

/// Both ends are asked about: an allocation may be made of several pieces.
bool CudaGpu::holds(const void *p, int64_t bytes, const std::string &what,
                    Diagnostic &error) const {
  CurrentContext current(*this);
  if (!current.check(error)) return false;
  auto begin = reinterpret_cast<cuda::Pointer>(p);
  for (cuda::Pointer at : {begin, begin + static_cast<uint64_t>(bytes - 1)}) {
    unsigned type = 0;
    int ordinal = -1;
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
