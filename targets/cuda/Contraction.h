// A unit of passes/Schedule as a product of matrices.
#pragma once
#include "passes/Schedule/Unit.h"
#include "targets/cuda/tile/Matmul.h"

#include <optional>

namespace adze::cuda {

/// C[batch][row][column] = sum over k of A[batch][row][k] B[batch][k][column]; each of
/// the four stands for some of the unit's dimensions, the last one fastest.
struct Contraction {
  schedule::Unit *unit = nullptr;
  unsigned a = 0, b = 1;  ///< operands of the core
  llvm::SmallVector<unsigned> batch, row, column, k;

  const schedule::Stage &core() const { return unit->stages[unit->core]; }
  int64_t size(unsigned dim) const { return *unit->sizes[dim].asConstant(); }
  int64_t size(llvm::ArrayRef<unsigned> dims) const;
};

/// Null, and why not in a few words, where the unit is no product of f32 matrices
/// of known sizes whose results lie side by side along the columns.
std::optional<Contraction> matchContraction(schedule::Unit &unit, std::string &why);

/// Buffers that the kernel touches, and the pointers (!llvm.ptr<1>) that stand for
/// them; and scalars that it is given.
using Pointers = llvm::DenseMap<mlir::Value, mlir::Value>;

/// The factor of operand `operand`, whose rows are those of `rows`.
Operand factorOf(const Contraction &contraction, unsigned operand, llvm::ArrayRef<unsigned> rows,
                 const Pointers &pointers);

/// What the unit's other stages do with the sums.
Epilogue epilogueOf(const Contraction &contraction, const Pointers &pointers);

/// Sums of `parts` parts of k, apart: each goes where the core's result would, in its
/// part of `partial` (MatmulKernel::splitsApart).
Epilogue partialEpilogueOf(const Contraction &contraction, mlir::Value partial, int64_t parts);

}  // namespace adze::cuda
