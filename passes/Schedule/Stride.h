// Symbolic strides and sizes: sums of constant multiples of products of sizes.
#pragma once

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"

#include <map>

namespace adze::schedule {

/// One summand: coefficient * product of symbols (sorted indices).
struct Term {
  int64_t coefficient = 0;
  llvm::SmallVector<unsigned, 2> symbols;
  bool operator==(const Term &other) const = default;
};

/// A sum of terms with distinct symbol products, sorted; empty is zero. Equal
/// values compare equal, so it also serves as a key for addresses.
class Stride {
public:
  Stride() = default;
  static Stride constant(int64_t value);
  static Stride symbol(unsigned index);

  bool isZero() const { return terms.empty(); }
  std::optional<int64_t> asConstant() const;
  int64_t constantPart() const;
  Stride withoutConstant() const;
  Stride operator+(const Stride &other) const;
  Stride operator*(const Stride &other) const;
  Stride operator*(int64_t factor) const { return *this * constant(factor); }
  bool operator==(const Stride &other) const = default;
  bool operator<(const Stride &other) const;
  llvm::ArrayRef<Term> getTerms() const { return terms; }

private:
  llvm::SmallVector<Term, 1> terms;
};

/// The symbols of one nest: sizes and strides of memrefs known at run time.
class Symbols {
public:
  /// Size of dimension `dim` of `memref`.
  Stride sizeOf(mlir::Value memref, unsigned dim);
  /// Stride in elements of dimension `dim` of `memref`.
  Stride strideOf(mlir::Value memref, unsigned dim);
  /// States that two sizes are equal, as a loop over both says they are.
  void setSize(mlir::Value memref, unsigned dim, Stride size);

  /// IR of the stride: ops are created with `builder` once for each value.
  mlir::Value materialize(mlir::OpBuilder &builder, mlir::Location loc, const Stride &stride);

private:
  struct Entry {
    mlir::Value memref;
    unsigned dim;
    bool isStride;
    mlir::Value value;
  };
  Stride lookup(mlir::Value memref, unsigned dim, bool isStride);
  mlir::Value materializeSymbol(mlir::OpBuilder &builder, mlir::Location loc, unsigned index);

  llvm::SmallVector<Entry> entries;
  std::map<std::pair<void *, unsigned>, Stride> sizes;
  std::map<Stride, mlir::Value> values;
};

}  // namespace adze::schedule
