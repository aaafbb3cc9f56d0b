#include "targets/cuda/HostBuffers.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace adze::cuda {

/// Everything that is done with `buffer` and casts of it is done by host code.
static bool onlyHostUses(Value buffer) {
  return llvm::all_of(buffer.getUsers(), [](Operation *user) {
    if (isa<memref::CastOp>(user)) return onlyHostUses(user->getResult(0));
    return isa<memref::StoreOp, memref::LoadOp, memref::DeallocOp, func::CallOp>(user);
  });
}

bool isHostBuffer(Value buffer) {
  while (auto cast = buffer.getDefiningOp<memref::CastOp>()) buffer = cast.getSource();
  if (buffer.getDefiningOp<memref::GetGlobalOp>()) return true;
  return buffer.getDefiningOp<memref::AllocOp>() && onlyHostUses(buffer);
}

void moveHostBuffersOutOfArena(Operation *function) {
  SmallVector<memref::ViewOp> views;
  function->walk([&](memref::ViewOp op) {
    if (op.getType().hasStaticShape() && onlyHostUses(op)) views.push_back(op);
  });
  for (memref::ViewOp view : views) {
    OpBuilder b(view);
    Value memory = memref::AllocOp::create(b, view.getLoc(), view.getType());
    b.setInsertionPoint(view->getBlock()->getTerminator());
    memref::DeallocOp::create(b, view.getLoc(), memory);
    view.replaceAllUsesWith(memory);
    view.erase();
  }
}

}  // namespace adze::cuda
