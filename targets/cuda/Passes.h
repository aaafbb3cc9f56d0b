// Passes of the cuda target.
#pragma once
#include "passes/Schedule/MachineModel.h"

#include "mlir/Pass/Pass.h"

namespace mlir {
class ModuleOp;
}

namespace adze::cuda {

/// On functions whose buffers are the GPU's.
constexpr llvm::StringLiteral kDeviceAttr = "adze.device";
/// On functions left to the host: the reason.
constexpr llvm::StringLiteral kHostAttr = "adze.host";
/// On buffers and arguments that are in the host's memory.
constexpr llvm::StringLiteral kHostMemoryAttr = "adze.host_memory";
/// The module of GPU kernels.
constexpr llvm::StringLiteral kDeviceModule = "device";

#define GEN_PASS_DECL
#include "targets/cuda/Passes.h.inc"

/// Beside schedule::kTileAttr: the tile that is best by the model of the device where the builder
/// refuses it, and why.
constexpr llvm::StringLiteral kTileRefusedAttr = "adze.tile_refused";

/// `machine`: the description of the CPU that runs what the GPU does not.
std::unique_ptr<mlir::Pass> createPlaceKernels(const schedule::MachineModel &machine);

/// A launch's number is the place of its kernel in the module of kernels.
void numberLaunches(mlir::ModuleOp module);

#define GEN_PASS_REGISTRATION
#include "targets/cuda/Passes.h.inc"

}  // namespace adze::cuda
