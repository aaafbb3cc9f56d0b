// The PTX emulator is larger than the rest of the runtime: it is a library of its
// own, loaded on demand.
#include "lib/Runtime/EmulatorLibrary.h"
#include "lib/Runtime/Variants.h"

#include <dlfcn.h>

#include <cstring>
#include <new>

namespace adze::runtime {

namespace {
using artifact::Contents;
using artifact::Variant;

// The newest that the emulator knows (docs/emulator.md).
constexpr int kNewest = 90;

bool fail(Diagnostic &error, ExitCode exitCode, const char *code, const char *message,
          const char *help) {
  try {
    return failWith(error, exitCode, code, message, help);
  } catch (const std::bad_alloc &) {
    // Short enough for strings to hold without memory.
    error.exitCode = ExitCode::ResourceLimit, error.code = "ADZ0720",
    error.message = "out of memory";
    return false;
  }
}

constexpr RuntimeServices kServices = {
    fail, [](ThreadPool &threads, void (*f)(void *, size_t), void *env, size_t count) {
      threads.run(f, env, count);
    }};

const EmulatorLibrary *loadLibrary(Diagnostic &error) {
  // Found by the run path of whoever contains this code. It stays loaded: models
  // come and go, and its code may still be in use.
  void *handle = ::dlopen(ADZE_EMULATOR_LIBRARY, RTLD_NOW | RTLD_LOCAL);
  const char *why = handle ? nullptr : ::dlerror();
  auto *library =
      handle ? static_cast<const EmulatorLibrary *>(::dlsym(handle, kEmulatorSymbol)) : nullptr;
  if (library && std::strcmp(library->version, artifact::compilerVersion()) == 0) return library;
  failWith(error, ExitCode::Device, "ADZ0748",
           std::string("cannot load the PTX emulator: ") +
               (why       ? why
                : library ? "it is of another version of adze"
                          : ADZE_EMULATOR_LIBRARY " is something else"),
           "it is installed beside libadze_rt");
  return nullptr;
}

const Variant *chooseVariant(const Contents &c, std::string_view which, Diagnostic &error) {
  if (which.empty()) return bestVariant(c, kNewest, "the PTX emulator", error);
  for (const Variant &v : c.variants)
    if (v.device == which) return &v;
  failWith(error, ExitCode::Usage, "ADZ0702",
           "the artifact has no code for '" + printable(which, 40) + "'",
           "it has: " + variantNames(c));
  return nullptr;
}
}  // namespace

std::unique_ptr<Module> loadEmulatorModule(std::shared_ptr<const artifact::Artifact> artifact,
                                           std::string_view which, Diagnostic &error) {
  const Variant *variant = chooseVariant(artifact->contents(), which, error);
  const EmulatorLibrary *library = variant ? loadLibrary(error) : nullptr;
  if (!library) return nullptr;
  std::unique_ptr<DeviceProgram> program(
      library->open(kServices, artifact->contents(), *variant, error));
  if (!program) return nullptr;
  return makeDeviceModule(std::move(artifact), *variant, std::move(program), error);
}

}  // namespace adze::runtime
