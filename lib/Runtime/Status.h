// adze_status: one block of memory, and one that needs none.
#pragma once
#include "adze/adze_rt.h"
#include "lib/Support/Diagnostics.h"

#include <new>

namespace adze::runtime {

/// Never null. Out of memory gives the status that says so.
adze_status *makeStatus(const Diagnostic &d);
adze_status *outOfMemoryStatus();

/// Runs f(Diagnostic &) -> bool; nothing thrown leaves.
template <typename F>
adze_status *guarded(F f) noexcept {
  try {
    Diagnostic error;
    return f(error) ? nullptr : makeStatus(error);
  } catch (const std::bad_alloc &) {
    return outOfMemoryStatus();
  } catch (...) {
    try {
      Diagnostic error;
      error.exitCode = ExitCode::Internal;
      error.code = "ADZ0790";
      error.message = "unexpected failure inside the runtime";
      return makeStatus(error);
    } catch (...) {
      return outOfMemoryStatus();
    }
  }
}

}  // namespace adze::runtime
