// Builds a tile kernel, runs it in the emulator, and says how far it is off.
#pragma once
#include "lib/PtxEmulator/Emulator.h"
#include "targets/cuda/Ptx.h"
#include "targets/cuda/tile/Standalone.h"

#include <cmath>
#include <cstring>
#include <random>

namespace adze::cuda::test {

/// Numbers of a buffer and its bytes in an element type.
struct Buffer {
  std::vector<double> values;
  std::vector<uint8_t> bytes;
};

inline uint16_t toBf16(float x) {
  uint32_t u;
  std::memcpy(&u, &x, 4);
  return static_cast<uint16_t>((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}
inline float fromBf16(uint16_t h) {
  uint32_t u = uint32_t{h} << 16;
  float x;
  std::memcpy(&x, &u, 4);
  return x;
}

/// `count` numbers as `type` stores them: random, or those of `values`.
Buffer makeBuffer(mlir::Type type, size_t count, std::mt19937 &rng, bool positive = false);
std::vector<double> readBuffer(mlir::Type type, const std::vector<uint8_t> &bytes);

/// A context in which tile kernels can be built.
struct Session {
  Session();
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  mlir::gpu::GPUModuleOp kernels;
  Kit kit;
  mlir::Type type(const std::string &name);  ///< f32, f16, bf16, i8, i32
};

struct Run {
  std::string error;       ///< why it was not built or run; findings
  std::string ptx;
  ptx::SiteCounters total, copies, shared, stores;
  double worst = 0;        ///< largest error over its bound
  double largest = 0;      ///< largest error over sum |a||b|
};

/// C = A B in the emulator against double precision, in `seeds` orders of warps. The bound of an
/// element is errorBound() times the sum of |a||b|.
Run runMatmul(const MatmulKernel &kernel, const MatmulSpec &spec, const std::string &types, uint64_t seeds = 1,
              bool positive = false);
Run runMatmul(const HopperSplitKernel &kernel, const MatmulSpec &spec, uint64_t seeds = 1, bool positive = false);
Run runMatmul(const HopperKernel &kernel, const MatmulSpec &spec, const std::string &types, uint32_t blocks,
              uint64_t seeds = 1);

/// x W of 4-bit weights, f16, bf16 or f32 `types` of x and the result, in the emulator against
/// double precision.
Run runMatmul(const Int4Kernel &kernel, const Int4Spec &spec, const std::string &types, uint64_t seeds = 1);

/// Attention in the emulator against double precision.
Run runAttention(const AttentionKernel &kernel, const AttentionSpec &spec, const std::string &type, int64_t causalOffset,
                 uint64_t seeds);

Run runAttention(const HopperAttentionKernel &kernel, const AttentionSpec &spec, const std::string &type,
                 int64_t causalOffset, uint64_t seeds);

/// Built and run without a finding, and within its bounds.
void checkResult(const Run &run);
/// And each access to shared memory is one wavefront.
void checkRun(const Run &run);

/// C's m x n of k terms, and where the factors' neighbours lie.
inline MatmulSpec productOf(int64_t m, int64_t n, int64_t k, FactorLayout a = FactorLayout::AlongK,
                            FactorLayout b = FactorLayout::AlongRows) {
  MatmulSpec s;
  s.m = m, s.n = n, s.k = k;
  s.aFactor.layout = a, s.bFactor.layout = b;
  return s;
}

/// Relative to sum |a||b|: factors rounded, tensor sums cut (docs/emulator.md), partial sums and
/// the result rounded.
double errorBound(const MatmulKernel &kernel, const MatmulSpec &spec);
double errorBound(const HopperKernel &kernel, const MatmulSpec &spec);

}  // namespace adze::cuda::test
