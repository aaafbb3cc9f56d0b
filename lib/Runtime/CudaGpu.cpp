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
  if (green_) api.greenCtxDestroy(green_);
  if (context) api.devicePrimaryCtxRelease(device);
}

bool CudaGpu::retain(Diagnostic &error) {
  if (api.check(api.devicePrimaryCtxRetain(&context, device), "make a context on the GPU", error))
    return true;
  context = nullptr;
  return false;
}

bool CudaGpu::divide(int percent, int part, Diagnostic &error) {
  CurrentContext current(*this);
  cuda::DevResource all{};
  if (!current.check(error) || !api.loadGreen(error) ||
      !api.check(api.deviceGetDevResource(device, &all, cuda::kDevResourceTypeSm),
                 "ask for the GPU's multiprocessors", error))
    return false;
  auto whole = uint64_t{all.multiprocessors};
  auto least = static_cast<unsigned>((whole * static_cast<unsigned>(percent) + 99) / 100);
  unsigned most = 0, count = static_cast<unsigned>(part);
  const char *what = "divide the GPU";
  // The driver says first how many parts there are.
  if (!api.check(api.devSmResourceSplitByCount(nullptr, &most, &all, nullptr, 0, least), what,
                 error))
    return false;
  if (count > most)
    return failWith(error, ExitCode::Device, "ADZ0749",
                    name + " has " + std::to_string(most) + " part(s) of " +
                        std::to_string(percent) + "% of its " + std::to_string(whole) +
                        " multiprocessors, and none with number " + std::to_string(part));
  std::vector<cuda::DevResource> parts(count);
  cuda::ResourceDescription description = nullptr;
  if (!api.check(api.devSmResourceSplitByCount(parts.data(), &count, &all, nullptr, 0, least),
                 what, error) ||
      !api.check(api.devResourceGenerateDesc(&description, &parts.back(), 1), what, error))
    return false;
  auto result =
      api.greenCtxCreate(&green_, description, device, cuda::kGreenContextDefaultStream);
  if (result != 0) green_ = nullptr;
  return api.check(result, what, error);
}

cuda::Result CudaGpu::makeStream(cuda::Stream &stream) const {
  return green_ ? api.greenCtxStreamCreate(&stream, green_, cuda::kStreamNonBlocking, 0)
                : api.streamCreate(&stream, cuda::kStreamNonBlocking);
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
