// How a GPU is to be used, as the device's name says: "cuda:1/pinned=0".
#pragma once
#include "lib/Support/Diagnostics.h"

#include <cstdint>
#include <optional>
#include <string_view>

namespace adze::runtime {

struct CudaOptions {
  int number = 0;  ///< of the GPU
  /// Page-locked memory of a model at most, in bytes: other programs cannot have it.
  int64_t pinnedLimit = int64_t(256) << 20;

  /// Of its multiprocessors, the part of that size that has this number.
  int percent = 100, part = 1;
  bool unified = false;  ///< memory that moves between the host and the GPU

  /// What follows "cuda" and its colon: "1", "1/pinned=0", "/unified", "1/25%", "1/25%@2".
  /// Nothing and `error` (ADZ0702) for what is none.
  static std::optional<CudaOptions> parse(std::string_view text, Diagnostic &error);
};

}  // namespace adze::runtime
