#include "targets/cuda/TileLaunch.h"
#include "lib/Support/Diagnostics.h"
#include "passes/Schedule/Prepare.h"
#include "targets/cuda/Passes.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace adze::schedule;

namespace adze::cuda {

gpu::GPUModuleOp deviceModuleOf(ModuleOp module) {
  if (auto found = module.lookupSymbol<gpu::GPUModuleOp>(kDeviceModule)) return found;
  OpBuilder b(module.getBody(), module.getBody()->begin());
  return gpu::GPUModuleOp::create(b, module.getLoc(), kDeviceModule);
}

void cloneConstants(gpu::GPUFuncOp kernel) {
  llvm::SetVector<Value> used;
  kernel.walk([&](Operation *op) {
    for (Value v : op->getOperands())
      if (!kernel.getBody().isAncestor(v.getParentRegion())) used.insert(v);
  });
  OpBuilder b = OpBuilder::atBlockBegin(&kernel.getBody().front());
  for (Value v : used) {
    Value own = b.clone(*v.getDefiningOp())->getResult(0);
    v.replaceUsesWithIf(own, [&](OpOperand &use) {
      return use.getOwner() != own.getDefiningOp() && kernel->isProperAncestor(use.getOwner());
    });
  }
}

Value extentOf(OpBuilder &b, Location loc, const Contraction &c, ArrayRef<unsigned> dims) {
  Stride size = c.size(dims);
  if (auto known = size.asConstant()) return arith::ConstantIndexOp::create(b, loc, *known);
  return c.unit->symbols.materialize(b, loc, size);
}

Value numberFor(OpBuilder &b, Location loc, Unit &unit, const Stride &stride, StringRef tooLarge) {
  Value index = unit.symbols.materialize(b, loc, stride);
  Value narrow = arith::IndexCastOp::create(b, loc, b.getI32Type(), index);
  Value wide = arith::IndexCastOp::create(b, loc, b.getIndexType(), narrow);
  Value fits = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, index, wide);
  rt::CheckOp::create(b, loc, fits, tooLarge, int32_t(ExitCode::ResourceLimit));
  return narrow;
}

rt::DeviceLaunchOp launchTile(OpBuilder &b, Location loc, gpu::GPUFuncOp kernel, Value blocks,
                              int64_t sharedBytes, ValueRange arguments) {
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  auto symbol = SymbolRefAttr::get(b.getStringAttr(kDeviceModule),
                                   {FlatSymbolRefAttr::get(kernel.getNameAttr())});
  return rt::DeviceLaunchOp::create(b, loc, symbol, b.getI32IntegerAttr(0), blocks, one, one,
                                    kernel.getKnownBlockSizeAttr(),
                                    b.getI32IntegerAttr(sharedBytes), arguments);
}

}  // namespace adze::cuda
