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
  return buffer.getDefiningOp<memref::AllocOp>() && onlyHostUses(buffer);
}

}  // namespace adze::cuda
