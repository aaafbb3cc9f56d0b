// gpu.module -> PTX text, in process: no toolkit and no other program.
#pragma once
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

#include <optional>
#include <string>

namespace adze::cuda {

struct PtxOptions {
  std::string chip = "sm_80";       ///< LLVM's name: sm_70 … sm_90a
  std::string features = "+ptx80";  ///< the PTX version; ptxFeatures() has it by chip
  /// Memrefs as kernel arguments are plain pointers; they need static shapes.
  bool barePointers = true;
};

constexpr int32_t kTensorMapBytes = 128;
/// Of a gpu.func, array<i32>: which of its arguments, each an !llvm.ptr, are tensor maps:
/// kTensorMapBytes passed by value. With memref descriptors they come before any memref.
inline constexpr llvm::StringLiteral kTensorMaps = "adze.tensor_maps";

/// The PTX version that adze writes for a chip (Device::ptx); empty, which leaves it to LLVM, for
/// one that is not in the table.
std::string ptxFeatures(llvm::StringRef chip);

/// What the context needs before kernels are built in it for emitPtx().
void registerPtxDialects(mlir::DialectRegistry &registry);

/// PTX of all kernels of `module`, which stays as it is: gpu, nvgpu, nvvm,
/// vector, scf, cf, arith, index, memref and llvm ops, and of math what PTX has
/// instructions for (with the fast-math flag `afn` its approximations too).
/// nullopt and `error` when something has no PTX: nothing is called that is not
/// in the module. The same module and options give the same bytes; any thread.
std::optional<std::string> emitPtx(mlir::gpu::GPUModuleOp module, const PtxOptions &options,
                                   std::string &error);

}  // namespace adze::cuda
