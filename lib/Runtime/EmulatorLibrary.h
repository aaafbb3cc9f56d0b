// What libadze_emulator, which is loaded when somebody asks for the device
// "ptx-emulator", hands to the runtime: one object of this type. Both are made by
// one build; the version says whether they were.
#pragma once
#include "lib/Runtime/DeviceQueue.h"

namespace adze::runtime {

struct EmulatorLibrary {
  const char *version;  ///< artifact::compilerVersion()
  /// The variant's PTX, parsed and decoded; nothing is thrown. Null and `error`
  /// when it cannot be emulated. `contents` outlives the program.
  DeviceProgram *(*open)(const artifact::Contents &contents, const artifact::Variant &variant,
                         Diagnostic &error);
};

inline constexpr const char *kEmulatorSymbol = "adze_emulator";

}  // namespace adze::runtime
