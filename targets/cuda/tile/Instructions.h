// The matrix instructions, as data: which chip multiplies what.
#pragma once
#include "targets/cuda/tile/Kit.h"

#include <span>

namespace adze::cuda {

/// How a kernel multiplies; sums are f32, of S8 i32.
enum class Multiply : uint8_t {
  F16,  ///< f16 x f16
  BF16,
  TF32,    ///< f32 rounded to 10 bits of fraction
  TF32x3,  ///< f32 as a sum of two of these, three products: nearly f32
  S8,
  F32,  ///< f32 by the ordinary cores' multiply-add: products are exact, sums rounded to nearest
};
mlir::StringRef nameOf(Multiply multiply);
/// Elements in shared memory; S8 is i8.
Type elementOf(Multiply multiply, mlir::MLIRContext *context);
int64_t bytesOf(Multiply multiply);
/// Largest error of a product of two f32, relative to it; 0 for S8, which takes none, and F32.
double productError(Multiply multiply);

/// mma.sync.m<M>n<N>k<K>. A warp's fragments are always those of 16 rows, 8
/// columns and 32 bytes of k: four registers of A, two of B, four sums. A
/// smaller instruction takes parts of them; that of sm_70 has fragments of its own (multiplyQuads).
struct MatrixInstruction {
  Multiply multiply;
  int leastChip;  ///< 75 for sm_75
  int m, n, k;
  mlir::NVVM::MMATypes type;
};
std::span<const MatrixInstruction> matrixInstructions();
/// The largest that the chip has; null where none.
const MatrixInstruction *findInstruction(Multiply multiply, int chip);
/// Has the chip an instruction for it? F32 needs none.
bool canMultiply(Multiply multiply, int chip);
/// Is it sm_70's, four products of 8 x 8 x 4 at once?
bool isOfQuads(const MatrixInstruction &instruction);

/// Bytes of shared memory that a block may have.
int64_t sharedLimit(int chip);

/// d + a b for fragments of 16 x 8, `a` four and `b` two i32, `d` four sums.
mlir::SmallVector<Value> multiplyAdd(Kit &kit, const MatrixInstruction &instruction, ValueRange a,
                                     ValueRange b, ValueRange d);

/// d + a b by sm_70's instruction, each quad pair of lanes (q, q + 16) apart: of `a` and `b` two
/// i32, which are four k of one row (`alongK`), or four rows of one k; eight sums.
mlir::SmallVector<Value> multiplyQuads(Kit &kit, ValueRange a, bool aAlongK, ValueRange b,
                                       bool bAlongK, ValueRange d);

/// An f32 as tf32 (an i32), rounded to nearest.
Value roundToTf32(Kit &kit, Value x);
/// The bits of an f32 -> those of two tf32 that are it but for 2^-21: the first rounded to nearest,
/// the second what is left, of which tensor cores take the leading bits. NaN is NaN in the second;
/// an infinity gives NaN too.
std::pair<Value, Value> splitTf32(Kit &kit, Value bits);

}  // namespace adze::cuda
