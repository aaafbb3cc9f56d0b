// Padded operands: a buffer that holds a copy of another with constants around
// it is not needed by readers that know where it ends.
#pragma once

#include "passes/Schedule/Access.h"
#include "passes/Schedule/MachineModel.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace adze::schedule {

/// The constant that `op` writes to all of its one output; null for others.
mlir::TypedAttr filledWith(mlir::linalg::GenericOp op);

/// One padded buffer of a block.
struct Padding {
  mlir::memref::AllocOp buffer;
  mlir::linalg::GenericOp fill;     ///< writes `value` everywhere
  mlir::memref::SubViewOp inside;
  mlir::linalg::GenericOp copy;     ///< writes `source` to `inside`
  mlir::Value source;               ///< not written once it is copied
  mlir::TypedAttr value;
  llvm::SmallVector<int64_t> low;   ///< elements before `source` in each dimension
  llvm::SmallVector<bool> padded;   ///< the extents differ there

  /// The access to the source that stands for one to the buffer.
  mlir::FailureOr<Access> access(mlir::AffineMap map, llvm::ArrayRef<unsigned> dims,
                                 unsigned numDims, Symbols &symbols) const;
};

class Paddings {
public:
  /// Those of `block` whose rows (the last dimension) are not padded, take a
  /// vector of `machine` at least, and are short enough that one of padding
  /// can stand for every one that is missing.
  Paddings(mlir::Block &block, const MachineModel &machine);

  /// The padding whose buffer is `memref`, or null.
  const Padding *of(mlir::Value memref) const;
  /// `op` fills a buffer or copies to it.
  bool owns(mlir::Operation *op) const { return owned.contains(op); }
  /// What is read where `memref` is.
  mlir::Value sourceOf(mlir::Value memref) const;
  /// Erases buffers that nothing reads any more.
  void eraseUnread();

private:
  llvm::SmallVector<Padding, 0> list;
  llvm::SmallPtrSet<mlir::Operation *, 8> owned;
};

}  // namespace adze::schedule
