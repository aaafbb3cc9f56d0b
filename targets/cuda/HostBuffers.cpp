#include "targets/cuda/HostBuffers.h"

#include "dialects/Rt/Rt.h"
#include "targets/cuda/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace adze::cuda {

/// Everything that is done with `buffer` and casts of it is done by host code.
static bool onlyHostUses(Value buffer) {
  return llvm::all_of(buffer.getUsers(), [](Operation *user) {
    if (isa<memref::CastOp>(user)) return onlyHostUses(user->getResult(0));
    return isa<memref::StoreOp, memref::LoadOp, memref::DeallocOp, func::CallOp>(user);
  });
}

static bool isHostArgument(BlockArgument arg) {
  auto function = dyn_cast<func::FuncOp>(arg.getOwner()->getParentOp());
  return function && function.getArgAttr(arg.getArgNumber(), kHostMemoryAttr);
}

bool isHostBuffer(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>()) {
    if (isa<memref::ViewOp>(view)) break;
    buffer = view.getViewSource();
  }
  if (auto arg = dyn_cast<BlockArgument>(buffer)) return isHostArgument(arg);
  if (auto constant = buffer.getDefiningOp<rt::ConstantOp>()) return constant.getHost();
  if (buffer.getDefiningOp<memref::GetGlobalOp>()) return true;
  if (buffer.getDefiningOp() && buffer.getDefiningOp()->hasAttr(kHostMemoryAttr)) return true;
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
