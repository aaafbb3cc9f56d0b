// The part of NVIDIA's driver API that the runtime uses, as CUDA 12.0 has it: types
// and functions declared here, found in libcuda.so.1 when first needed.
#pragma once
#include "lib/Support/Diagnostics.h"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace adze::runtime::cuda {

using Result = int;  ///< 0: success
using Device = int;
using Pointer = uint64_t;  ///< of device memory
struct ContextHandle;
struct ModuleHandle;
struct FunctionHandle;
struct StreamHandle;
struct EventHandle;
struct GreenContextHandle;
struct ResourceDescriptionHandle;
struct GraphHandle;
struct GraphExecHandle;
using Context = ContextHandle *;
using Module = ModuleHandle *;
using Function = FunctionHandle *;
using Stream = StreamHandle *;
using Event = EventHandle *;
using GreenContext = GreenContextHandle *;
using ResourceDescription = ResourceDescriptionHandle *;
using Graph = GraphHandle *;
using GraphExec = GraphExecHandle *;

/// Values of the driver's enumerations, by the driver's names.
enum : int {
  kErrorOutOfMemory = 2,
  kErrorUnsupportedPtxVersion = 222,
  kDeviceComputeCapabilityMajor = 75,
  kDeviceComputeCapabilityMinor = 76,
  kDeviceConcurrentManagedAccess = 89,
  kDeviceMaxSharedMemoryPerBlockOptin = 97,
  kEventDisableTiming = 2,
  kFuncSharedSizeBytes = 1,
  kFuncMaxDynamicSharedSizeBytes = 8,
  kDevResourceTypeSm = 1,
  kGreenContextDefaultStream = 1,
  kJitErrorLogBuffer = 5,
  kJitErrorLogBufferSizeBytes = 6,
  kMemHostAllocPortable = 1,
  kMemAttachGlobal = 1,
  kMemAdviseSetReadMostly = 1,
  kMemAdviseSetPreferredLocation = 3,
  kMemoryTypeDevice = 2,
  kPointerMemoryType = 2,
  kPointerIsManaged = 8,
  kPointerDeviceOrdinal = 9,
  kStreamNonBlocking = 1,
  kStreamCaptureThreadLocal = 1,
  kTensorMapUint8 = 0,
  kTensorMapUint16 = 1,
  kTensorMapUint32 = 2,
  kTensorMapUint64 = 4,
  kTensorMapL2Promotion128 = 2,
};

/// An opaque tensor map; the driver insists on the alignment.
struct alignas(64) TensorMap {
  unsigned char bytes[128];
};

/// Something of a GPU that can be divided; of multiprocessors how many they are.
struct DevResource {
  int type;
  unsigned char internal[92];
  unsigned multiprocessors;
  unsigned char more[44];
};
static_assert(sizeof(DevResource) == 144);

// X(member, the driver's name without "cu", parameters)
#define ADZE_CUDA_FUNCTIONS(X)                                                                    \
  X(init, Init, (unsigned flags))                                                                 \
  X(getErrorName, GetErrorName, (Result result, const char **text))                               \
  X(getErrorString, GetErrorString, (Result result, const char **text))                           \
  X(deviceGetCount, DeviceGetCount, (int *count))                                                 \
  X(deviceGet, DeviceGet, (Device * device, int ordinal))                                         \
  X(deviceGetName, DeviceGetName, (char *name, int bytes, Device device))                         \
  X(deviceGetAttribute, DeviceGetAttribute, (int *value, int attribute, Device device))           \
  X(devicePrimaryCtxRetain, DevicePrimaryCtxRetain, (Context * context, Device device))           \
  X(devicePrimaryCtxRelease, DevicePrimaryCtxRelease, (Device device))                            \
  X(ctxPushCurrent, CtxPushCurrent, (Context context))                                            \
  X(ctxPopCurrent, CtxPopCurrent, (Context * context))                                            \
  X(ctxSynchronize, CtxSynchronize, ())                                                           \
  X(moduleLoadDataEx, ModuleLoadDataEx,                                                           \
    (Module * module, const void *image, unsigned count, int *options, void **values))            \
  X(moduleUnload, ModuleUnload, (Module module))                                                  \
  X(moduleGetFunction, ModuleGetFunction, (Function * function, Module module, const char *name)) \
  X(funcGetAttribute, FuncGetAttribute, (int *value, int attribute, Function function))           \
  X(funcSetAttribute, FuncSetAttribute, (Function function, int attribute, int value))            \
  X(memAlloc, MemAlloc, (Pointer * p, size_t bytes))                                              \
  X(memFree, MemFree, (Pointer p))                                                                \
  X(memAllocManaged, MemAllocManaged, (Pointer * p, size_t bytes, unsigned flags))                \
  X(memAdvise, MemAdvise, (Pointer p, size_t bytes, int advice, Device device))                   \
  X(memPrefetchAsync, MemPrefetchAsync, (Pointer p, size_t bytes, Device device, Stream stream))  \
  X(memGetInfo, MemGetInfo, (size_t *free, size_t *total))                                        \
  X(memHostAlloc, MemHostAlloc, (void **p, size_t bytes, unsigned flags))                         \
  X(memFreeHost, MemFreeHost, (void *p))                                                          \
  X(pointerGetAttribute, PointerGetAttribute, (void *value, int attribute, Pointer p))            \
  X(memcpyHtoDAsync, MemcpyHtoDAsync,                                                             \
    (Pointer to, const void *from, size_t bytes, Stream stream))                                  \
  X(memcpyDtoHAsync, MemcpyDtoHAsync, (void *to, Pointer from, size_t bytes, Stream stream))      \
  X(memcpyDtoDAsync, MemcpyDtoDAsync, (Pointer to, Pointer from, size_t bytes, Stream stream))    \
  X(streamCreate, StreamCreate, (Stream * stream, unsigned flags))                                \
  X(streamDestroy, StreamDestroy, (Stream stream))                                                \
  X(streamSynchronize, StreamSynchronize, (Stream stream))                                        \
  X(streamWaitEvent, StreamWaitEvent, (Stream stream, Event event, unsigned flags))               \
  X(eventCreate, EventCreate, (Event * event, unsigned flags))                                    \
  X(eventDestroy, EventDestroy, (Event event))                                                    \
  X(eventRecord, EventRecord, (Event event, Stream stream))                                       \
  X(eventSynchronize, EventSynchronize, (Event event))                                            \
  X(streamBeginCapture, StreamBeginCapture, (Stream stream, int mode))                            \
  X(streamEndCapture, StreamEndCapture, (Stream stream, Graph * graph))                           \
  X(graphInstantiateWithFlags, GraphInstantiateWithFlags,                                         \
    (GraphExec * made, Graph graph, unsigned long long flags))                                    \
  X(graphLaunch, GraphLaunch, (GraphExec graph, Stream stream))                                   \
  X(graphDestroy, GraphDestroy, (Graph graph))                                                    \
  X(graphExecDestroy, GraphExecDestroy, (GraphExec graph))                                        \
  X(launchKernel, LaunchKernel,                                                                   \
    (Function function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,          \
     unsigned blockY, unsigned blockZ, unsigned shared, Stream stream, void **arguments,          \
     void **extra))                                                                               \
  X(tensorMapEncodeTiled, TensorMapEncodeTiled,                                                   \
    (TensorMap * map, int type, uint32_t rank, void *address, const uint64_t *extents,            \
     const uint64_t *strides, const uint32_t *box, const uint32_t *elementStrides,                \
     int interleave, int swizzle, int l2Promotion, int fill))

// The same of what drivers have since CUDA 12.5.
#define ADZE_CUDA_GREEN_FUNCTIONS(X)                                                              \
  X(deviceGetDevResource, DeviceGetDevResource, (Device device, DevResource * all, int type))     \
  X(devSmResourceSplitByCount, DevSmResourceSplitByCount,                                         \
    (DevResource * groups, unsigned *count, const DevResource *all, DevResource *rest,            \
     unsigned flags, unsigned least))                                                             \
  X(devResourceGenerateDesc, DevResourceGenerateDesc,                                             \
    (ResourceDescription * description, DevResource * resources, unsigned count))                 \
  X(greenCtxCreate, GreenCtxCreate,                                                               \
    (GreenContext * context, ResourceDescription description, Device device, unsigned flags))     \
  X(greenCtxDestroy, GreenCtxDestroy, (GreenContext context))                                     \
  X(greenCtxStreamCreate, GreenCtxStreamCreate,                                                   \
    (Stream * stream, GreenContext context, unsigned flags, int priority))

/// The functions.
struct Api {
#define X(member, name, parameters) Result(*member) parameters = nullptr;
  ADZE_CUDA_FUNCTIONS(X)
  ADZE_CUDA_GREEN_FUNCTIONS(X)
#undef X

  /// Finds all but those for green contexts, and starts the driver. False and `error`
  /// (ADZ0743) without one, with one older than CUDA 12.0, or without a GPU.
  bool load(Diagnostic &error);
  /// Finds those. False and `error` (ADZ0749) where the driver has none.
  bool loadGreen(Diagnostic &error);

  /// True for success; else fills `error` (ADZ0744; ADZ0720 when memory ran out):
  /// "cannot WHAT: CUDA_ERROR_…: …", or "cannot WHAT 'NAME': …".
  bool check(Result result, const char *what, Diagnostic &error, std::string_view name = {}) const;
};

}  // namespace adze::runtime::cuda
