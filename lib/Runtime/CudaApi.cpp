#include "lib/Runtime/CudaApi.h"

#include "lib/Runtime/Device.h"

#include <dlfcn.h>

namespace adze::runtime::cuda {

namespace {
// The interface of this version is asked for, whatever the driver's own.
constexpr int kVersion = 12000, kGreenVersion = 12050;

constexpr const char *kInstead = "`--device ptx-emulator` runs the kernels on the CPU";

using GetProcAddress = Result (*)(const char *name, void **function, int version, uint64_t flags,
                                  int *found);

bool noDriver(Diagnostic &error, std::string message) {
  return failWith(error, ExitCode::Device, "ADZ0743", std::move(message), kInstead);
}

template <typename F>
bool find(GetProcAddress get, const char *name, int version, F &function) {
  void *address = nullptr;
  int found = 0;
  if (get(name, &address, version, 0, &found) != 0 || !address) return false;
  function = reinterpret_cast<F>(address);
  return true;
}

/// Null and `error` without one that knows it.
GetProcAddress openDriver(Diagnostic &error) {
  // It stays loaded: the driver has threads of its own.
  void *library = ::dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) return noDriver(error, "no CUDA driver (libcuda.so.1)"), nullptr;
  auto get = reinterpret_cast<GetProcAddress>(::dlsym(library, "cuGetProcAddress_v2"));
  if (!get) noDriver(error, "the CUDA driver is older than CUDA 12.0");
  return get;
}
}  // namespace

bool Api::loadGreen(Diagnostic &error) {
  GetProcAddress get = openDriver(error);
  if (!get) return false;
#define X(member, name, parameters)                                                     \
  if (!find(get, "cu" #name, kGreenVersion, member))                                    \
    return failWith(error, ExitCode::Device, "ADZ0749",                                 \
                    "the CUDA driver cannot divide a GPU: it has no cu" #name,          \
                    "install one of CUDA 12.5 or later, or take the whole GPU");
  ADZE_CUDA_GREEN_FUNCTIONS(X)
#undef X
  return true;
}

bool Api::load(Diagnostic &error) {
  GetProcAddress get = openDriver(error);
  if (!get) return false;
#define X(member, name, parameters)             \
  if (!find(get, "cu" #name, kVersion, member)) \
    return noDriver(error, "the CUDA driver has no cu" #name);
  ADZE_CUDA_FUNCTIONS(X)
#undef X
  return check(init(0), "start the CUDA driver", error) || noDriver(error, error.message);
}

bool Api::check(Result result, const char *what, Diagnostic &error, std::string_view object) const {
  if (result == 0) return true;
  const char *name = nullptr, *text = nullptr;
  if (getErrorName(result, &name) != 0 || !name) name = "an unknown error";
  if (getErrorString(result, &text) != 0 || !text) text = "the driver does not say more";
  std::string message = std::string("cannot ") + what;
  if (!object.empty()) message += " '" + printable(object, 80) + "'";
  message += std::string(": ") + name + ": " + text;
  bool memory = result == kErrorOutOfMemory;
  return failWith(error, memory ? ExitCode::ResourceLimit : ExitCode::Device,
                  memory ? "ADZ0720" : "ADZ0744", std::move(message));
}

}  // namespace adze::runtime::cuda
