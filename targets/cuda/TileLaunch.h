// Launches of tile kernels in the place of what they compute.
#pragma once
#include "dialects/Rt/Rt.h"
#include "targets/cuda/Contraction.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace adze::cuda {

/// The module of the device's functions, a new one where there is none.
mlir::gpu::GPUModuleOp deviceModuleOf(mlir::ModuleOp module);

/// Constants of the launching function that the kernel uses become its own.
void cloneConstants(mlir::gpu::GPUFuncOp kernel);

/// All these dimensions together, as an index.
mlir::Value extentOf(mlir::OpBuilder &builder, mlir::Location loc, const Contraction &contraction,
                     mlir::ArrayRef<unsigned> dims);

/// A number as kernels take it, i32; at run time an error, `tooLarge`, where it does not fit.
mlir::Value numberFor(mlir::OpBuilder &builder, mlir::Location loc, schedule::Unit &unit,
                      const schedule::Stride &stride, mlir::StringRef tooLarge);

/// The kernel's launch, by a row of blocks.
rt::DeviceLaunchOp launchTile(mlir::OpBuilder &builder, mlir::Location loc,
                              mlir::gpu::GPUFuncOp kernel, mlir::Value blocks, int64_t sharedBytes,
                              mlir::ValueRange arguments);

}  // namespace adze::cuda
