// How an operand is addressed: a flat buffer and one stride a loop dimension.
#pragma once

#include "passes/Schedule/Stride.h"

#include "mlir/IR/AffineMap.h"

namespace adze::schedule {

/// An index of a padded operand: offset + sum over dims of index(d) *
/// coefficients[d]. Outside [0, extent) the operand holds its padding.
struct Bound {
  llvm::SmallVector<int64_t> coefficients;
  int64_t offset = 0;
  Stride extent;
};

/// Address of an operand, in elements, as a function of the loop indices:
///   offset + sum over dims of index(d) * strides[d]
/// and, for a packed operand, index(p) addresses blocks of `packTile`:
///   (index(p) floordiv packTile) * packStride + (index(p) mod packTile) * strides[p].
struct Access {
  mlir::Value source;             ///< a memref, or the value itself when isScalar
  bool isScalar = false;
  Stride offset;                  ///< beside the memref's own offset
  llvm::SmallVector<Stride> strides;
  int packedDim = -1;
  int64_t packTile = 0;
  Stride packStride;
  llvm::SmallVector<Bound, 0> bounds;  ///< of a padded operand
  mlir::TypedAttr padding;             ///< what it holds outside them
  Bound row;                           ///< its index within a row, never out of bounds
  /// For each memref dimension the loop dimension that indexes it alone, or -1.
  llvm::SmallVector<int> pureDims;

  mlir::Type elementType() const;
  bool dependsOn(unsigned dim) const;
  /// Whether a read is in bounds may change with `dim`.
  bool isBoundedBy(unsigned dim) const;
  /// One element apart, or one block apart in a packed operand.
  bool isContiguousIn(unsigned dim) const;
};

/// Calls visit(dimension, factor) for each term of a linear expression; of a
/// constant, dimension is -1. Fails where the expression is not linear.
llvm::LogicalResult visitTerms(mlir::AffineExpr expr,
                               llvm::function_ref<void(int dim, int64_t factor)> visit,
                               int64_t factor = 1);

/// Builds the access of `source` through `map`, whose dimension d is loop
/// dimension dims[d] of `numDims`. Fails where the map is not linear (but for
/// a pair d floordiv c, d mod c) or the layout has no strides.
mlir::FailureOr<Access> buildAccess(mlir::Value source, mlir::AffineMap map,
                                    llvm::ArrayRef<unsigned> dims, unsigned numDims,
                                    Symbols &symbols);

/// `memref` as a rank-1 view that covers it, with unit stride.
mlir::Value flatten(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value memref);

/// True when the two may share memory. Distinct function arguments, allocs and
/// results of other ops are taken not to; views, casts and the results of
/// scf.if and arith.select share with what they come from.
bool mayAlias(mlir::Value a, mlir::Value b);

}  // namespace adze::schedule
