// Machine code of PTX, by NVIDIA's assembler where there is one.
#pragma once
#include "llvm/ADT/StringRef.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace adze::cuda {

/// What the assembler gives a kernel.
struct KernelResources {
  std::string kernel;
  uint32_t registers = 0;    ///< of a thread
  uint32_t sharedBytes = 0;  ///< of a block, beside what a launch asks for
  uint32_t spillBytes = 0;   ///< that a thread stores and loads again for want of registers
};

struct Cubin {
  std::vector<std::byte> bytes;
  std::vector<KernelResources> kernels;  ///< in the assembler's order
  std::string madeBy;                    ///< "ptxas 12.9.86"
};

/// The path of ptxas: in $CUDA_HOME/bin, on the PATH, or where toolkits install it. Empty without.
std::string findPtxas();

/// The kernels of `ptx` for `chip`. Nullopt and `error` empty when this ptxas does not know the
/// chip; else `error` has the reason.
std::optional<Cubin> assemble(llvm::StringRef ptx, llvm::StringRef chip, const std::string &ptxas,
                              std::string &error);

}  // namespace adze::cuda
