// A unit: consecutive linalg ops that run over one iteration space, at most
// one of which reduces. It becomes one loop nest.
#pragma once

#include "passes/Schedule/Padding.h"
#include "passes/Schedule/Schedule.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace adze::schedule {

/// One linalg.generic of a unit. Operands are inputs, then outputs.
struct Stage {
  mutable mlir::linalg::GenericOp op;
  llvm::SmallVector<unsigned> dims;  ///< op dimension -> unit dimension
  llvm::SmallVector<Access, 0> operands;

  unsigned numInputs() const { return op.getNumDpsInputs(); }
  llvm::ArrayRef<Access> outputs() const { return llvm::ArrayRef(operands).drop_front(numInputs()); }
};

struct Unit {
  llvm::SmallVector<Stage, 0> stages;
  int core = -1;                       ///< index of the reducing stage, or -1
  llvm::SmallVector<bool> isReduction; ///< by unit dimension
  llvm::SmallVector<Stride> sizes;     ///< by unit dimension
  Symbols symbols;
  bool followsDirectly = false;        ///< nothing interferes between the unit before and this

  unsigned numDims() const { return isReduction.size(); }
  /// The op that carries the schedule: the core, or the first stage.
  mlir::linalg::GenericOp anchor() const { return stages[core < 0 ? 0 : core].op; }
  /// Where the nest goes: nothing between the first stage and here interferes.
  mlir::Operation *insertionPoint() const { return stages.back().op; }
  /// True when a stage writes `memref`.
  bool writes(mlir::Value memref) const;
};

/// Ops that a nest may move past: they touch no memory that exists already.
/// What has effects but no memrefs (a check, say) has them elsewhere.
bool isTransparent(mlir::Operation &op);

/// Splits the linalg ops of `block` (generics on memrefs) into units, which read
/// through `paddings`. Ops that cannot be addressed are left out and given to
/// `unsupported` with the reason.
llvm::SmallVector<std::unique_ptr<Unit>>
buildUnits(mlir::Block &block, const Paddings &paddings,
           llvm::function_ref<void(mlir::Operation *, llvm::StringRef)> unsupported);

/// The parallel dimension of two to four elements that lies between neighbours
/// along `dim` in `access`: vectors along `dim`, one for each of its elements,
/// are stored interleaved. -1 where there is none.
int interleavedDim(const Unit &unit, const Access &access, unsigned dim);

/// Takes runs of adjacent dimensions as one. Fails if an access is not
/// contiguous over a run.
mlir::LogicalResult collapseDims(Unit &unit,
                                 llvm::ArrayRef<llvm::SmallVector<unsigned, 4>> runs);
/// The longest runs that collapseDims accepts.
llvm::SmallVector<llvm::SmallVector<unsigned, 4>> findCollapsible(const Unit &unit);

}  // namespace adze::schedule
