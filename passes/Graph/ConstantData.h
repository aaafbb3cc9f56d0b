// Constants as bytes, and bytes as constants.
#pragma once
#include "mlir/IR/BuiltinAttributes.h"

#include <memory>

namespace adze {

/// The elements of `attr` in row-major order where they lie in memory so, in
/// whole bytes; an empty ref for splats, bools and elements below eight bits.
llvm::ArrayRef<char> constantBytes(mlir::ElementsAttr attr);

/// A constant of `type` over `bytes`, which `owner` keeps alive: copied and
/// uniqued up to 1 KB, kept as they are above. Bools are one byte each and are
/// always copied. Null when the bytes do not fit the type.
mlir::ElementsAttr makeConstant(mlir::RankedTensorType type, llvm::ArrayRef<char> bytes,
                                std::shared_ptr<const void> owner);

/// transpose(attr, perm) as a new constant; null where `constantBytes` is empty.
mlir::ElementsAttr transposeConstant(mlir::ElementsAttr attr, llvm::ArrayRef<int64_t> perm);

/// `attr` with another shape of as many elements; null where that needs a copy
/// that cannot be made.
mlir::ElementsAttr reshapeConstant(mlir::ElementsAttr attr, mlir::RankedTensorType type);

}  // namespace adze
