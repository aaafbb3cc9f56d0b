// Between the runtime and libadze_emulator, which it loads when somebody asks for the
// device "ptx-emulator". Both are made by one build; the version says whether they
// were. Each has a C++ library of its own: no exception passes, and no memory of one
// is given back by the other.
#pragma once
#include "lib/Runtime/DeviceQueue.h"

namespace adze::runtime {

/// What the runtime does for the emulator.
struct RuntimeServices {
  /// Fills `error`, and returns false.
  bool (*fail)(Diagnostic &error, ExitCode exitCode, const char *code, const char *message,
               const char *help);
  /// ThreadPool::run, whose threads are the runtime's.
  void (*run)(ThreadPool &threads, void (*f)(void *env, size_t i), void *env, size_t count);
};

/// The object that the library exports.
struct EmulatorLibrary {
  const char *version;  ///< artifact::compilerVersion()
  /// The variant's PTX, parsed and decoded. Null and `error` when it cannot be
  /// emulated. `contents` outlives the program.
  DeviceProgram *(*open)(const RuntimeServices &services, const artifact::Contents &contents,
                         const artifact::Variant &variant, Diagnostic &error);
};

inline constexpr const char *kEmulatorSymbol = "adze_emulator";

}  // namespace adze::runtime
