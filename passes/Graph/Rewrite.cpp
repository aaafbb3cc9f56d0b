#include "passes/Graph/Rewrite.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {

Location fusedLocation(Operation *root, ArrayRef<Operation *> parts) {
  SmallVector<Location> locs{root->getLoc()};
  for (Operation *op : parts)
    if (op != root) locs.push_back(op->getLoc());
  return FusedLoc::get(root->getContext(), locs);
}

SmallVector<Operation *> opsBetween(Operation *root, ArrayRef<Value> leaves) {
  SmallVector<Operation *> parts, work{root};
  llvm::SmallPtrSet<Operation *, 16> seen;
  while (!work.empty()) {
    Operation *op = work.pop_back_val();
    if (!seen.insert(op).second) continue;
    parts.push_back(op);
    for (Value v : op->getOperands())
      if (Operation *def = v.getDefiningOp();
          isa_and_present<ElementwiseOp, ReduceOp>(def) && !llvm::is_contained(leaves, v))
        work.push_back(def);
  }
  return parts;
}

void eraseChains(SmallVector<Operation *> &dead) {
  llvm::SmallPtrSet<Operation *, 16> erased;
  while (!dead.empty()) {
    Operation *op = dead.pop_back_val();
    if (erased.contains(op) || !isOpTriviallyDead(op)) continue;
    SmallVector<Operation *> feeding;
    for (Value v : op->getOperands())
      if (Operation *def = v.getDefiningOp()) feeding.push_back(def);
    erased.insert(op);
    op->erase();
    llvm::append_range(dead, feeding);
  }
}

}  // namespace adze
