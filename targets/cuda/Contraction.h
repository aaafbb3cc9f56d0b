// A unit of passes/Schedule as a product of matrices.
#pragma once
#include "passes/Schedule/Unit.h"
#include "targets/cuda/tile/Matmul.h"
#include "targets/cuda/tile/Softmax.h"

#include <map>
#include <optional>
#include <vector>

namespace adze::cuda {

/// C[batch][row][column] = sum over k of A[batch][row][k] B[batch][k][column]; each of
/// the four stands for some of the unit's dimensions, the last one fastest.
struct Contraction {
  schedule::Unit *unit = nullptr;
  unsigned a = 0, b = 1;  ///< operands of the core
  llvm::SmallVector<unsigned> batch, row, column, k;

  const schedule::Stage &core() const { return unit->stages[unit->core]; }
  /// Of both factors: f32, f16 or bf16. Sums are f32.
  mlir::Type element() const { return core().operands[a].elementType(); }
  /// Of all these dimensions together.
  schedule::Stride size(llvm::ArrayRef<unsigned> dims) const;
  /// The same as a number; one to reckon with where it is known at run time only.
  int64_t estimate(llvm::ArrayRef<unsigned> dims) const;
};

/// Null, and why not in a few words, where the unit is no product of matrices of
/// floats whose results lie side by side along the columns.
std::optional<Contraction> matchContraction(schedule::Unit &unit, std::string &why);

/// Sizes, strides and offsets that are known at run time only: arguments of the kernel, which does
/// not address memory of `untouched`.
std::vector<schedule::Stride> unknownsOf(const Contraction &contraction,
                                         llvm::ArrayRef<mlir::Value> untouched = {});

/// What the kernel is given.
struct KernelArguments {
  /// Buffers (!llvm.ptr<1>) and scalars, by the launching function's values.
  llvm::DenseMap<mlir::Value, mlir::Value> values;
  std::map<schedule::Stride, mlir::Value> numbers;  ///< i32, below 2^31

  Extent extent(const schedule::Stride &stride) const;
};

/// The factor of operand `operand`, whose rows are those of `rows`.
Operand factorOf(const Contraction &contraction, unsigned operand, llvm::ArrayRef<unsigned> rows,
                 const KernelArguments &arguments);

/// Extents and factors of the product; its epilogue is still to be said. It refers to both.
MatmulProblem problemOf(const Contraction &contraction, const KernelArguments &arguments);

/// A factor as a tensor map has it: dimensions of the unit and the extents of a box, innermost
/// first.
struct FactorMap {
  unsigned operand = 0;
  llvm::SmallVector<unsigned> rows;
  llvm::SmallVector<unsigned> dims;
  llvm::SmallVector<int64_t> box;
  bool alongK = false;
};
using FactorMaps = llvm::SmallVector<FactorMap, 2>;
/// Of `count` factors: none, B, or both. Boxes, of 128 bytes of k and a tile's rows, or of 128 bytes
/// of rows where these lie side by side, make up tiles of `m` rows and `n` columns. nullopt, and
/// why, where a factor has no such map.
std::optional<FactorMaps> mapFactors(const Contraction &contraction, int64_t count, int64_t m,
                                     int64_t n, std::string &why);
/// Gives the problem the factors that `values`, arguments of the kernel, map.
void addMaps(MatmulProblem &problem, const Contraction &contraction, const FactorMaps &maps,
             llvm::ArrayRef<mlir::Value> values, const KernelArguments &arguments);
/// Makes the map where the kernel is launched; an adze_rt.tensor_map.
mlir::Value makeMap(mlir::OpBuilder &b, mlir::Location loc, const Contraction &contraction,
                    const FactorMap &map);

/// What the unit's other stages do with the sums.
Epilogue epilogueOf(const Contraction &contraction, const KernelArguments &arguments);

/// What the unit's other stages make of sums: scores, as f32, that go nowhere but on.
ScoreFunction scoreOf(const Contraction &contraction, const KernelArguments &arguments);

/// Sums of `parts` parts of k, apart: each goes where the core's result would, in its
/// part of `partial` (MatmulKernel::splitsApart). All sizes are known.
Epilogue partialEpilogueOf(const Contraction &contraction, mlir::Value partial, int64_t parts,
                           const KernelArguments &arguments);

}  // namespace adze::cuda
