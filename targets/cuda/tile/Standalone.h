// A tile kernel as a function of its own, for tests and measurements: the
// product of buffers, as C(A, B, bias).
#pragma once
#include "targets/cuda/tile/Attention.h"
#include "targets/cuda/tile/Hopper.h"
#include "targets/cuda/tile/HopperAttention.h"
#include "targets/cuda/tile/HopperSplit.h"
#include "targets/cuda/tile/Int4Matmul.h"
#include "targets/cuda/tile/Matmul.h"

namespace adze::cuda {

enum class FactorLayout : uint8_t { AlongK, AlongRows, Panels, Convolution };

/// A factor's buffer, dense.
struct FactorSpec {
  FactorLayout layout = FactorLayout::AlongK;
  int64_t panel = 0;             ///< rows of a panel
  ConvolutionShape convolution;  ///< images [m / (outHeight outWidth)][height][width][channels]
};

struct MatmulSpec {
  int64_t batch = 1, m = 0, n = 0, k = 0;
  /// m, n, k are arguments of the kernel; it knows of them that they are
  /// multiples of the largest power of two in `divisor`.
  bool isDynamic = false;
  int64_t divisor = 1;
  Type a, b, c;
  FactorSpec aFactor, bFactor;
  int64_t alignment = 16;  ///< of the buffers and, where known, of the rows
  int64_t splits = 1;      ///< results one after the other, where the kernel does not add them
  bool bias = false, relu = false;
};

/// gpu.func @name(a, b, c, bias, partialSums, counters, m, n, k) at the insertion
/// point in a gpu.module; `reason` and null where whyNot() has one.
mlir::gpu::GPUFuncOp buildMatmulFunction(Kit &kit, mlir::StringRef name, const MatmulKernel &kernel,
                                         const MatmulSpec &spec, std::string &reason);

/// As the first; splits of k lie one after the other in c, and are to have no bias.
mlir::gpu::GPUFuncOp buildMatmulFunction(Kit &kit, mlir::StringRef name,
                                         const HopperSplitKernel &kernel, const MatmulSpec &spec,
                                         std::string &reason);

/// gpu.func @name(map of a, map of b, c, bias, m, n, k); factors that have maps are AlongK or
/// AlongRows. Where B alone has one, a comes as in the others.
mlir::gpu::GPUFuncOp buildMatmulFunction(Kit &kit, mlir::StringRef name, const HopperKernel &kernel,
                                         const MatmulSpec &spec, std::string &reason);

/// x, dense, and weights as Int4Problem has them.
struct Int4Spec {
  int64_t m = 0, n = 0, k = 0, group = 32;
  Type x, c;                ///< x's and the scales'; the result's
  bool isDynamic = false;   ///< m is an argument
  bool zeroPoints = false;  ///< else they are 8 (of signed weights 0)
  bool isSigned = false;
  bool bias = false, relu = false;
};

/// gpu.func @name(x, weights, scales, zero points, c, bias, m).
mlir::gpu::GPUFuncOp buildMatmulFunction(Kit &kit, mlir::StringRef name, const Int4Kernel &kernel,
                                         const Int4Spec &spec, std::string &reason);

/// Dense [batch][heads][queries][depth] and so on, all of one type.
struct AttentionSpec {
  int64_t batch = 1, heads = 1, keyHeads = 1, queries = 0, keys = 0, depth = 64, valueDepth = 64;
  Type type, out;
  bool isDynamic = false;  ///< queries, keys are arguments
  bool mask = false;       ///< f32 [queries][keys], added to scores
  bool causal = false;
  bool clears = false;  ///< every third query's results are 0
};

/// gpu.func @name(q, k, v, out, mask, queries, keys, causal offset); scores are scaled by
/// depth^-1/2.
mlir::gpu::GPUFuncOp buildAttentionFunction(Kit &kit, mlir::StringRef name,
                                            const AttentionKernel &kernel,
                                            const AttentionSpec &spec, std::string &reason);

/// gpu.func @name(map of q, map of k, map of v, out, mask, queries, keys, causal offset).
mlir::gpu::GPUFuncOp buildAttentionFunction(Kit &kit, mlir::StringRef name,
                                            const HopperAttentionKernel &kernel,
                                            const AttentionSpec &spec, std::string &reason);

/// Starts a kernel of `arguments` with blocks of `threads`; the kit then builds
/// in its body, before the return.
mlir::gpu::GPUFuncOp startFunction(Kit &kit, mlir::StringRef name, mlir::TypeRange arguments,
                                   int64_t threads);

}  // namespace adze::cuda
