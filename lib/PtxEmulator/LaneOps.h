// Instructions that compute each lane of a warp from the same lane of their
// operands. LaneInteger.def, LaneFloat.def and LaneConvert.def define them;
// they are compiled for several instruction sets and chosen when first used.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace adze::ptx {

inline constexpr int kLanes = 32;

/// Windows of the generic address space: the top byte of 48 bits says which.
inline constexpr int kWindowBits = 40;
inline constexpr uint64_t kSharedWindow = uint64_t{0xf1} << kWindowBits;
inline constexpr uint64_t kLocalWindow = uint64_t{0xf2} << kWindowBits;
inline constexpr uint64_t kParamWindow = uint64_t{0xf3} << kWindowBits;

/// What an operand's row of 32 lanes holds. Rows of up to 32 bits are uint32_t
/// each (narrow values: upper bits unspecified), of 64 bits uint64_t; a
/// predicate is one uint32_t, a bit a lane.
enum class RowKind : uint8_t { None, Pred, Row32, Row64 };

enum class Pipe : uint8_t { Alu, Fma, Half, Double, IntMul, IntDiv, Special, Move, Convert,
                            Memory, Sync, Tensor, Control, Async };
inline constexpr int kPipes = 14;
const char *pipeName(Pipe pipe);

using LaneFunction = void (*)(void *result, const void *a, const void *b, const void *c,
                              const void *d);

/// Onto floats or halves; wgmma's of 8-bit floats onto floats or halves.
enum class TensorSum : uint8_t { Float, Half, Eighths, EighthsToHalf };

/// Sums of tensor instructions (TensorCore.inc).
struct TensorFunctions {
  /// False where one of the floats is not finite.
  bool (*exponents)(const float *x, int count, int *exponents);
  void (*floats)(float *c, const float *a, const float *b, const int *exponentsA, const int *exponentsB, int m, int n, int k,
                 TensorSum mode);
  /// Onto one row.
  void (*integers)(int32_t *c, const int32_t *a, const int32_t *b, int n, int k);
};
const TensorFunctions &tensorFunctions();

struct LaneOp {
  const char *pattern;
  Pipe pipe;
  RowKind result, operands[4];
};

/// One row for each LANE of the .def files, in their order.
std::span<const LaneOp> laneOps();
/// The function of row `index` for this processor.
LaneFunction laneFunction(size_t index);

}  // namespace adze::ptx
