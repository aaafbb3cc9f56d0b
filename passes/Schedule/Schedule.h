// A schedule: how one unit's loops are run. Plain data, printable, editable.
#pragma once

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"

namespace adze::schedule {

constexpr llvm::StringLiteral kScheduleAttr = "adze.schedule";
/// The same of a unit that the target builds a kernel for itself: text that only the target
/// reads. Such a unit has no kScheduleAttr.
constexpr llvm::StringLiteral kTileAttr = "adze.tile";
/// On an op that begins a unit though it could join the one before.
constexpr llvm::StringLiteral kApartAttr = "adze.apart";
/// On the generic of a convolution by Winograd's filtering, which stands there
/// as one sum over all three transforms: results (n, h, w, o); products (a, b),
/// inputs (i, j) and channels c are summed up. Its operands are x in whole
/// tiles, the coefficients, B twice and A twice (lib/Support/Winograd.h).
constexpr llvm::StringLiteral kWinogradAttr = "adze.winograd";

/// One loop, outermost first. The last loop of a dimension is its register
/// tile loop and steps by tile[dim] (times lanes for the vector dimension);
/// earlier loops of the same dimension walk chunks, multiples of that step.
struct Loop {
  unsigned dim = 0;
  int64_t step = 1;
  bool parallel = false;
};

struct Schedule {
  /// Runs of adjacent loop dimensions taken as one, e.g. {{0, 1}, {2}}; loops
  /// and tiles below count the collapsed dimensions. Empty: none collapsed.
  llvm::SmallVector<llvm::SmallVector<unsigned, 4>> collapse;
  llvm::SmallVector<Loop> loops;
  llvm::SmallVector<int64_t> tile;  ///< unroll factor a dimension; vectors for `vectorDim`
  int vectorDim = -1;               ///< -1: scalar code
  int64_t lanes = 1;                ///< elements a vector
  int64_t team = 1;                 ///< threads that share an iteration of the parallel loops
  int64_t grain = 1;                ///< iterations of the parallel loops worth a task

  mlir::DictionaryAttr toAttr(mlir::MLIRContext *context) const;
  /// Fails on an attribute that is not a schedule over `numDims` dimensions
  /// (before collapsing); `error` says what is wrong.
  static mlir::FailureOr<Schedule> fromAttr(mlir::DictionaryAttr attr, unsigned numDims,
                                            std::string &error);
};

}  // namespace adze::schedule
