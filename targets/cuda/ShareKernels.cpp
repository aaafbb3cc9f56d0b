#include "dialects/Rt/Rt.h"
#include "targets/cuda/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"

#include "llvm/ADT/StringMap.h"

namespace adze::cuda {
#define GEN_PASS_DEF_SHAREKERNELS
#include "targets/cuda/Passes.h.inc"
}  // namespace adze::cuda

using namespace mlir;

namespace adze::cuda {

void numberLaunches(ModuleOp module) {
  auto device = module.lookupSymbol<gpu::GPUModuleOp>(kDeviceModule);
  if (!device) return;
  DenseMap<StringAttr, int32_t> numbers;
  for (auto kernel : device.getOps<gpu::GPUFuncOp>())
    numbers.try_emplace(kernel.getNameAttr(), numbers.size());
  module.walk([&](rt::DeviceLaunchOp op) {
    op.setNumber(numbers.at(op.getKernel().getLeafReference()));
  });
}

namespace {

/// All that a kernel is but for its name and where it comes from.
std::string contentOf(gpu::GPUFuncOp kernel) {
  StringAttr name = kernel.getNameAttr();
  kernel.setName("kernel");
  std::string text;
  llvm::raw_string_ostream stream(text);
  kernel->print(stream, OpPrintingFlags().useLocalScope());
  kernel.setName(name);
  return text;
}

struct ShareKernels : impl::ShareKernelsBase<ShareKernels> {
  void runOnOperation() override {
    auto device = getOperation().lookupSymbol<gpu::GPUModuleOp>(kDeviceModule);
    if (!device) return;
    llvm::StringMap<StringAttr> known;
    DenseMap<StringAttr, StringAttr> sameAs;
    for (auto kernel : llvm::make_early_inc_range(device.getOps<gpu::GPUFuncOp>())) {
      auto [first, isNew] = known.try_emplace(contentOf(kernel), kernel.getNameAttr());
      if (isNew) continue;
      sameAs[kernel.getNameAttr()] = first->second;
      kernel.erase();
      ++numShared;
    }
    getOperation().walk([&](rt::DeviceLaunchOp launch) {
      if (StringAttr first = sameAs.lookup(launch.getKernel().getLeafReference()))
        launch.setKernelAttr(
            SymbolRefAttr::get(device.getNameAttr(), {FlatSymbolRefAttr::get(first)}));
    });
    numberLaunches(getOperation());
  }
};

}  // namespace
}  // namespace adze::cuda
