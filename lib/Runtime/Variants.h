// Which variant of an artifact runs on which GPU.
#pragma once
#include "lib/Artifact/Artifact.h"

#include <optional>
#include <string_view>

namespace adze::runtime {

/// A GPU architecture: "sm_80" runs on 8.0 and all later GPUs, "sm_90a" on 9.0 only.
struct Architecture {
  int number = 0;      ///< 80, 90, 103
  bool exact = false;  ///< with features of that one architecture

  /// Nullopt for what is no such name.
  static std::optional<Architecture> parse(std::string_view name);
  /// Whether PTX for it runs on a GPU of compute capability `device` (90 for 9.0).
  bool runsOn(int device) const { return exact ? number == device : number <= device; }
  /// The same for machine code, which also needs the same major number.
  bool cubinRunsOn(int device) const { return runsOn(device) && number / 10 == device / 10; }
};

/// The variant for the architecture nearest to the device's; null and `error`
/// (ADZ0745) when none runs there. `what` names the device in the message.
const artifact::Variant *bestVariant(const artifact::Contents &contents, int device,
                                     const std::string &what, Diagnostic &error);

/// The names of all variants, "sm_80, sm_90a".
std::string variantNames(const artifact::Contents &contents);

}  // namespace adze::runtime
