// Passes from fused groups to functions that call the runtime.
#pragma once
#include "dialects/Graph/Graph.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/Pass/Pass.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace mlir {
class ModuleOp;
}

namespace adze {

/// The bytes of the weights section, in offset order, without copies: each
/// piece refers to an attribute's memory, or owns bytes that had to be made.
class WeightPool {
 public:
  struct Piece {
    int64_t offset = 0;
    llvm::ArrayRef<char> bytes;  ///< into the attribute's storage or `owned`
  };
  /// Offset of the elements of `value`, stored as generated code reads them
  /// (bool: one byte each). Equal contents share an offset.
  /// With `layout` they are stored so.
  int64_t add(mlir::ElementsAttr value, graph::PanelsAttr layout, int64_t &byteSize);
  const std::vector<Piece> &pieces() const { return pieces_; }
  int64_t size() const { return size_; }

 private:
  std::vector<Piece> pieces_;
  std::vector<std::shared_ptr<std::vector<char>>> owned_;
  llvm::DenseMap<uint64_t, llvm::SmallVector<size_t, 1>> byHash_;
  using Key = std::pair<mlir::Attribute, mlir::Attribute>;  ///< elements, layout
  llvm::DenseMap<Key, std::pair<int64_t, int64_t>> byAttr_;
  int64_t size_ = 0;
};

#define GEN_PASS_DECL
#include "passes/Rt/Passes.h.inc"

/// As the pass, filling `pool`. `small`: constants outside of fused groups go there
/// however small they are.
std::unique_ptr<mlir::Pass> createExternalizeConstants(std::shared_ptr<WeightPool> pool,
                                                       bool small = false);

#define GEN_PASS_REGISTRATION
#include "passes/Rt/Passes.h.inc"

}  // namespace adze
