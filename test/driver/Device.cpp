// Devices, contexts, modules, and the parts of a GPU that green contexts divide.
#include "test/driver/Driver.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <numeric>

namespace adze::driver {

namespace {
constexpr int kFirstDevice = 40;  // no ordinal is taken for a device by chance
constexpr size_t kMostContexts = 16;

struct Stack {
  Context *contexts[kMostContexts];
  size_t depth = 0;
};
thread_local Stack stack;

bool isDevice(const State &s, int device) {
  return device >= kFirstDevice && device < kFirstDevice + s.gpus;
}

Result init(unsigned flags) {
  return call("Init", "", flags, [](State &s) { return s.initialised = true, kSuccess; });
}

struct ErrorName {
  Result result;
  const char *name, *text;
};
constexpr ErrorName kErrors[] = {
    {kInvalidValue, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {kOutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {kInvalidContext, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {kNoBinaryForGpu, "CUDA_ERROR_NO_BINARY_FOR_GPU", "no kernel image is available"},
    {kInvalidPtx, "CUDA_ERROR_INVALID_PTX", "a PTX JIT compilation failed"},
    {kUnsupportedPtxVersion, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION", "an unsupported toolchain"},
    {kNotFound, "CUDA_ERROR_NOT_FOUND", "named symbol not found"},
    {kIllegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {kMisalignedAddress, "CUDA_ERROR_MISALIGNED_ADDRESS", "misaligned address"},
    {kLaunchFailed, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {kNotSupported, "CUDA_ERROR_NOT_SUPPORTED", "operation not supported"},
    {kUnknown, "CUDA_ERROR_UNKNOWN", "unknown error"},
};

const ErrorName *errorName(Result result) {
  auto at = std::ranges::find(kErrors, result, &ErrorName::result);
  return at == std::end(kErrors) ? nullptr : at;
}

Result getErrorName(Result result, const char **text) {
  const ErrorName *e = errorName(result);
  *text = e ? e->name : nullptr;
  return e ? kSuccess : kInvalidValue;
}

Result getErrorString(Result result, const char **text) {
  const ErrorName *e = errorName(result);
  *text = e ? e->text : nullptr;
  return e ? kSuccess : kInvalidValue;
}

Result deviceGetCount(int *count) {
  return call("DeviceGetCount", "", 0, [&](State &s) {
    *count = s.gpus;
    return s.initialised ? kSuccess : kNotInitialized;
  });
}

Result deviceGet(int *device, int ordinal) {
  return call("DeviceGet", "", ordinal, [&](State &s) {
    *device = kFirstDevice + ordinal;
    return isDevice(s, *device) ? kSuccess : kInvalidDevice;
  });
}

Result deviceGetName(char *name, int bytes, int device) {
  return call("DeviceGetName", "", device, [&](State &s) {
    std::snprintf(name, static_cast<size_t>(bytes), "Emulated GPU %d", device - kFirstDevice);
    return isDevice(s, device) ? kSuccess : kInvalidDevice;
  });
}

Result deviceGetAttribute(int *value, int attribute, int device) {
  return call("DeviceGetAttribute", "", attribute, [&](State &s) -> Result {
    if (!isDevice(s, device)) return kInvalidDevice;
    const std::pair<int, int> values[] = {
        {16, s.gpu.sms},         {41, 1}, {75, s.gpu.major},
        {76, s.gpu.minor},       {83, 1}, {89, s.gpu.major >= 6},
        {97, s.gpu.sharedOptin},
    };
    for (auto [known, v] : values)
      if (known == attribute) return *value = v, kSuccess;
    return kInvalidValue;
  });
}

Context *retain(State &s, int device) {
  Context *&context = s.primary[device];
  if (!context) {
    auto made = std::make_unique<Context>();
    made->device = device;
    context = s.add(std::move(made));
  }
  ++context->retained;
  return context;
}

Result letGo(State &s, int device) {
  auto at = s.primary.find(device);
  if (at == s.primary.end() || !at->second) return kInvalidContext;
  if (--at->second->retained > 0) return kSuccess;
  s.objects.erase(at->second);
  s.primary.erase(at);
  return kSuccess;
}

Result primaryRetain(Context **out, int device) {
  return call("DevicePrimaryCtxRetain", "", device, [&](State &s) -> Result {
    if (!isDevice(s, device)) return kInvalidDevice;
    *out = retain(s, device);
    return kSuccess;
  });
}

Result primaryRelease(int device) {
  return call("DevicePrimaryCtxRelease", "", device, [&](State &s) { return letGo(s, device); });
}

Result push(Context *c) {
  return call("CtxPushCurrent", "", 0, [&](State &s) -> Result {
    return s.find<Context>(c) ? pushContext(c) : kInvalidContext;
  });
}

Result pop(Context **c) {
  return call("CtxPopCurrent", "", 0, [&](State &) { return popContext(c); });
}

// ---- modules

/// "sm_90a" on 9.0: what its PTX, or its machine code, runs on.
bool runsOn(const State &s, std::string_view target) {
  if (!target.starts_with("sm_")) return false;
  int number = 0;
  size_t at = 3;
  for (; at < target.size() && target[at] >= '0' && target[at] <= '9'; ++at)
    number = 10 * number + target[at] - '0';
  int own = 10 * s.gpu.major + s.gpu.minor;
  return at < target.size() ? number == own : number <= own;
}

/// Writes the compiler's log where the caller has room for it.
void writeLog(unsigned count, const int *options, void **values, const std::string &text) {
  char *log = nullptr;
  size_t room = 0;
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == 5) log = static_cast<char *>(values[i]);
    if (options[i] == 6) room = reinterpret_cast<size_t>(values[i]);
  }
  if (log && room) std::snprintf(log, room, "%s", text.c_str());
}

uint32_t sharedBytes(const ptx::Module &code, const ptx::Entry &entry) {
  uint32_t bytes = 0;
  for (const auto *list : {&code.source().variables, &entry.variables})
    for (const ptx::Variable &v : *list)
      if (v.space == "shared" && !v.isExtern) bytes += static_cast<uint32_t>(v.bytes);
  return bytes;
}

/// Machine code is the ELF magic before the PTX that stands for it.
Result moduleLoad(Module **out, const char *image, unsigned count, int *options, void **values) {
  bool cubin = std::memcmp(image, "\177ELF", 4) == 0;
  return callIn("ModuleLoadDataEx", cubin ? "cubin" : "ptx", count, [&](State &s, Context &) {
    auto module = std::make_unique<Module>();
    ptx::SourceError error;
    module->code = ptx::Module::load(image + 4 * cubin, error);
    if (!module->code) {
      writeLog(count, options, values,
               "line " + std::to_string(error.line) + "; fatal: " + error.message);
      return cubin ? kNoBinaryForGpu : kInvalidPtx;
    }
    if (!runsOn(s, module->code->source().target)) return kNoBinaryForGpu;
    *out = s.add(std::move(module));
    return kSuccess;
  });
}

Result moduleUnload(Module *m) {
  auto unload = [&](State &s, Context &) -> Result {
    if (!s.find<Module>(m)) return kInvalidHandle;
    std::erase_if(s.functions, [&](const auto &f) { return f.second->module == m; });
    s.objects.erase(m);
    return kSuccess;
  };
  return callIn("ModuleUnload", "", 0, unload, true);
}

Result getFunction(Function **out, Module *m, const char *name) {
  return callIn("ModuleGetFunction", name, 0, [&](State &s, Context &) -> Result {
    if (!s.find<Module>(m)) return kInvalidHandle;
    auto f = std::make_unique<Function>();
    ptx::SourceError error;
    f->module = m, f->entry = m->code->entry(name);
    if (!f->entry) return kNotFound;
    if (!m->code->program(*f->entry, error)) return kInvalidPtx;
    f->staticShared = sharedBytes(*m->code, *f->entry);
    *out = f.get();
    s.functions.emplace(f.get(), std::move(f));
    return kSuccess;
  });
}

Result functionGet(int *value, int attribute, Function *f) {
  return callIn("FuncGetAttribute", "", attribute, [&](State &s, Context &) -> Result {
    if (!s.functions.contains(f)) return kInvalidHandle;
    if (attribute != 1) return kInvalidValue;
    *value = static_cast<int>(f->staticShared);
    return kSuccess;
  });
}

Result functionSet(Function *f, int attribute, int value) {
  bool known = f && f->entry;
  return callIn("FuncSetAttribute", known ? f->entry->name : "", value,
                [&](State &s, Context &) -> Result {
                  if (!s.functions.contains(f)) return kInvalidHandle;
                  if (attribute != 8 || value + int(f->staticShared) > s.gpu.sharedOptin)
                    return kInvalidValue;
                  f->mostShared = static_cast<uint32_t>(value);
                  return kSuccess;
                });
}

// ---- parts of a GPU

/// CUdevResource.
struct Resource {
  int type;  ///< 1: multiprocessors
  unsigned char internal[92];
  unsigned sms, smallest, alignment;
  unsigned char more[36];
};
static_assert(sizeof(Resource) == 144);

struct Description final : Object {
  const char *kind() const override { return "description"; }
  unsigned sms = 0;
};
// The driver has nothing to give descriptions back by.
std::map<const void *, std::unique_ptr<Description>> &descriptions() {
  static std::map<const void *, std::unique_ptr<Description>> all;
  return all;
}

Resource resource(const State &s, unsigned sms) {
  Resource r{};
  r.type = 1, r.sms = sms;
  r.smallest = s.gpu.smallestPartition, r.alignment = s.gpu.partitionStep;
  return r;
}

Result deviceGetResource(int device, Resource *out, int type) {
  return call("DeviceGetDevResource", "", type, [&](State &s) -> Result {
    if (!isDevice(s, device) || type != 1) return kInvalidValue;
    *out = resource(s, static_cast<unsigned>(s.gpu.sms));
    return kSuccess;
  });
}

Result splitByCount(Resource *result, unsigned *groups, const Resource *input, Resource *remaining,
                    unsigned flags, unsigned least) {
  return call("DevSmResourceSplitByCount", "", least, [&](State &s) -> Result {
    if (!groups || !input || input->type != 1 || flags || least > input->sms) return kInvalidValue;
    unsigned step = s.gpu.partitionStep;
    unsigned each = (std::max(least, s.gpu.smallestPartition) + step - 1) / step * step;
    unsigned most = input->sms / each;
    if (!result) return *groups = most, kSuccess;
    if (most == 0) return kInvalidResourceConfiguration;
    *groups = std::min(*groups, most);
    for (unsigned i = 0; i < *groups; ++i) result[i] = resource(s, each);
    if (remaining) *remaining = resource(s, input->sms - *groups * each);
    return kSuccess;
  });
}

Result generateDescription(Description **out, Resource *resources, unsigned count) {
  return call("DevResourceGenerateDesc", "", count, [&](State &) -> Result {
    if (count == 0) return kInvalidValue;
    auto d = std::make_unique<Description>();
    for (unsigned i = 0; i < count; ++i) d->sms += resources[i].sms;
    *out = d.get();
    descriptions().emplace(d.get(), std::move(d));
    return kSuccess;
  });
}

Result greenCreate(GreenContext **out, Description *d, int device, unsigned flags) {
  return call("GreenCtxCreate", "", descriptions().contains(d) ? d->sms : -1,
              [&](State &s) -> Result {
                if (!descriptions().contains(d) || !isDevice(s, device) || flags != 1)
                  return kInvalidValue;
                auto green = std::make_unique<GreenContext>();
                green->sms = d->sms;
                green->primary = retain(s, device);
                *out = s.add(std::move(green));
                return kSuccess;
              });
}

Result greenDestroy(GreenContext *green) {
  return call("GreenCtxDestroy", "", 0, [&](State &s) -> Result {
    if (!s.find<GreenContext>(green)) return kInvalidContext;
    int device = green->primary->device;
    s.objects.erase(green);
    return letGo(s, device);
  });
}

Result greenStream(Stream **out, GreenContext *green, unsigned flags, int priority) {
  return call("GreenCtxStreamCreate", "", priority, [&](State &s) -> Result {
    if (!s.find<GreenContext>(green) || flags != 1) return kInvalidValue;
    auto stream = std::make_unique<Stream>();
    stream->context = green->primary;
    *out = s.add(std::move(stream));
    return kSuccess;
  });
}
}  // namespace

Context *currentContext() { return stack.depth ? stack.contexts[stack.depth - 1] : nullptr; }

Result pushContext(Context *context) {
  if (stack.depth == kMostContexts) return kInvalidContext;
  stack.contexts[stack.depth++] = context;
  return kSuccess;
}

Result popContext(Context **context) {
  if (!stack.depth) return kInvalidContext;
  *context = stack.contexts[--stack.depth];
  return kSuccess;
}

std::vector<Row> deviceRows() {
  return {{"cuInit", 2000, addressOf(init)},
          {"cuGetErrorName", 6000, addressOf(getErrorName)},
          {"cuGetErrorString", 6000, addressOf(getErrorString)},
          {"cuDeviceGetCount", 2000, addressOf(deviceGetCount)},
          {"cuDeviceGet", 2000, addressOf(deviceGet)},
          {"cuDeviceGetName", 2000, addressOf(deviceGetName)},
          {"cuDeviceGetAttribute", 2000, addressOf(deviceGetAttribute)},
          {"cuDevicePrimaryCtxRetain", 7000, addressOf(primaryRetain)},
          {"cuDevicePrimaryCtxRelease", 11000, addressOf(primaryRelease)},
          {"cuCtxPushCurrent", 4000, addressOf(push)},
          {"cuCtxPopCurrent", 4000, addressOf(pop)},
          {"cuModuleLoadDataEx", 2010, addressOf(moduleLoad)},
          {"cuModuleUnload", 2000, addressOf(moduleUnload)},
          {"cuModuleGetFunction", 2000, addressOf(getFunction)},
          {"cuFuncGetAttribute", 2020, addressOf(functionGet)},
          {"cuFuncSetAttribute", 9000, addressOf(functionSet)},
          {"cuDeviceGetDevResource", 12040, addressOf(deviceGetResource)},
          {"cuDevSmResourceSplitByCount", 12040, addressOf(splitByCount)},
          {"cuDevResourceGenerateDesc", 12040, addressOf(generateDescription)},
          {"cuGreenCtxCreate", 12040, addressOf(greenCreate)},
          {"cuGreenCtxDestroy", 12040, addressOf(greenDestroy)},
          {"cuGreenCtxStreamCreate", 12050, addressOf(greenStream)}};
}

}  // namespace adze::driver
