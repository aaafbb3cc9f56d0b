// Arithmetic of permutations as adze.transpose has them:
// result.dim[i] = x.dim[perm[i]].
#pragma once
#include "mlir/IR/BuiltinTypes.h"

#include <numeric>

namespace adze {

using Perm = llvm::SmallVector<int64_t, 4>;

inline Perm invert(llvm::ArrayRef<int64_t> perm) {
  Perm out(perm.size());
  for (auto [i, p] : llvm::enumerate(perm)) out[p] = i;
  return out;
}

inline bool isIdentity(llvm::ArrayRef<int64_t> perm) {
  for (auto [i, p] : llvm::enumerate(perm))
    if (int64_t(i) != p) return false;
  return true;
}

/// transpose(transpose(x, first), second) is transpose(x, compose(first, second)).
inline Perm compose(llvm::ArrayRef<int64_t> first, llvm::ArrayRef<int64_t> second) {
  Perm out;
  for (int64_t p : second) out.push_back(first[p]);
  return out;
}

/// `perm` acting on the last axes of a tensor of rank `rank`.
inline Perm extendTo(int64_t rank, llvm::ArrayRef<int64_t> perm) {
  int64_t more = rank - int64_t(perm.size());
  Perm out(more);
  std::iota(out.begin(), out.end(), 0);
  for (int64_t p : perm) out.push_back(p + more);
  return out;
}

inline mlir::RankedTensorType transposed(mlir::RankedTensorType type,
                                         llvm::ArrayRef<int64_t> perm) {
  Perm shape;
  for (int64_t p : perm) shape.push_back(type.getDimSize(p));
  return mlir::RankedTensorType::get(shape, type.getElementType());
}

}  // namespace adze
