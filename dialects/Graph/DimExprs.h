// What can be proved about extents before anything runs.
#pragma once
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Attributes.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>

namespace adze::graph {

/// Extents and elements of small integer tensors as expressions over the
/// extents of the values they come from. Two equal expressions are equal at run
/// time. Valid while the IR it has looked at is not changed.
class DimExprs {
 public:
  explicit DimExprs(mlir::MLIRContext *ctx) : ctx(ctx) {}
  mlir::MLIRContext *getContext() const { return ctx; }

  /// Extent `i` of tensor `v`.
  mlir::AffineExpr dim(mlir::Value v, unsigned i);
  /// Element `i` of a rank-0 or rank-1 integer tensor, or of a static tensor
  /// in row-major order.
  mlir::AffineExpr element(mlir::Value v, int64_t i);
  /// The element if it is a constant.
  std::optional<int64_t> constantElement(mlir::Value v, int64_t i);
  /// The extent if it is a constant.
  std::optional<int64_t> constantDim(mlir::Value v, unsigned i);

  bool same(mlir::Value a, unsigned i, mlir::Value b, unsigned j) { return dim(a, i) == dim(b, j); }
  /// Of two extents that are broadcast, that `a` is `b` unless they do not fit each
  /// other: a slice `[0, b)` of an axis with a constant number of elements > 1.
  bool isCutFrom(mlir::AffineExpr a, mlir::AffineExpr b) const { return cutFrom.lookup(a) == b; }
  /// True when the expression is made of extents and constants so that it
  /// cannot be negative.
  bool nonNegative(mlir::AffineExpr e) const;
  /// What is known of `values`, for the arguments of a function that they are
  /// passed to: `adze.dims`, where extents are cut `adze.cut_from`,
  /// and, for a few integers, `adze.elements`, affine maps without dimensions. Equal symbols in one function stand for equal numbers;
  /// those at even positions are extents. They are numbered by first use, so
  /// that functions which are told the same get the same attributes. Extents of
  /// arguments so described are traced like any others.
  llvm::SmallVector<llvm::SmallVector<mlir::NamedAttribute>> describe(mlir::ValueRange values);
  static constexpr llvm::StringLiteral kDimsAttr = "adze.dims", kCutFromAttr = "adze.cut_from",
                                       kElementsAttr = "adze.elements";

  /// Commutative product in a canonical order.
  mlir::AffineExpr product(llvm::ArrayRef<mlir::AffineExpr> factors);

 private:
  mlir::AffineExpr constant(int64_t v);
  mlir::AffineExpr symbol(bool isExtent);
  mlir::AffineExpr described(mlir::BlockArgument arg, llvm::StringRef attr, int64_t i);
  /// Symbols, and what `describe` calls them.
  using Exported = llvm::DenseMap<mlir::AffineExpr, mlir::AffineExpr>;
  mlir::AffineMap exported(llvm::ArrayRef<mlir::AffineExpr> exprs, Exported &symbols);
  llvm::SmallVector<mlir::NamedAttribute> describe(mlir::Value v, Exported &symbols);
  mlir::AffineExpr computeDim(mlir::Value v, unsigned i);
  mlir::AffineExpr computeElement(mlir::Value v, int64_t i);
  mlir::AffineExpr elementwiseDim(mlir::Operation *op, unsigned i);
  mlir::AffineExpr sliceDim(mlir::Operation *op, unsigned i);
  mlir::AffineExpr broadcast(mlir::AffineExpr a, mlir::AffineExpr b);
  mlir::AffineExpr windowDim(mlir::Operation *op, unsigned i);
  mlir::AffineExpr reshapeDim(mlir::Operation *op, unsigned i);
  mlir::AffineExpr elementwiseElement(mlir::Operation *op, int64_t i);

  mlir::MLIRContext *ctx;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, mlir::AffineExpr> dims, elements;
  llvm::DenseMap<std::pair<mlir::Operation *, unsigned>, mlir::AffineExpr> imported;
  /// What is cut -> what it is cut from.
  llvm::DenseMap<mlir::AffineExpr, mlir::AffineExpr> cutFrom;
  llvm::SmallVector<bool> extentSymbol;
  /// Expressions that are an extent, so not negative whatever their form.
  llvm::DenseSet<mlir::AffineExpr> extents;
};

}  // namespace adze::graph
