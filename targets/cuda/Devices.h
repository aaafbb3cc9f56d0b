// The GPUs that adze knows: a table, by architecture.
#pragma once
#include "passes/Schedule/MachineModel.h"

#include <cstdint>
#include <string_view>
#include <vector>

namespace adze::cuda {

/// One architecture, with the numbers of a product that has it. Rates are dense
/// peaks of the data sheet; 0: the tensor cores do not take the type.
struct Device {
  std::string_view name;     ///< LLVM's and ptxas' name
  std::string_view product;  ///< whose numbers these are
  int32_t multiprocessors;
  int32_t warpsPerMultiprocessor;  ///< resident at once
  int32_t sharedKib;               ///< of shared memory that one block may have
  int32_t l2Mib;
  int32_t memoryGBs;  ///< bandwidth of device memory, 10^9 bytes a second
  double f32Tflops;   ///< of the ordinary cores
  double f16Tflops, bf16Tflops, tf32Tflops, int8Tops, fp8Tflops;
  bool asyncCopies;  ///< cp.async
  bool wgmma;        ///< warpgroup products, and the tensor maps that feed them
  int32_t ptx;       ///< version of PTX to write, times ten: one that its first drivers know
};

/// Of queries, keys and values in tile kernels.
inline constexpr int64_t kMostAttentionDepth = 256;

/// All of them, older first.
const std::vector<Device> &allDevices();
/// Null when there is no such name.
const Device *findDevice(std::string_view name);

/// 80 of "sm_80".
int chipOf(const Device &device);

/// One thread of it, for passes/Schedule.
schedule::MachineModel machineOf(const Device &device);
/// Everything, as the module's `adze.target`.
mlir::DictionaryAttr attributesOf(const Device &device, mlir::MLIRContext *context);

}  // namespace adze::cuda
