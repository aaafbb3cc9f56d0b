#include "targets/cuda/Passes.h"
#include "targets/cuda/Ptx.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"

namespace adze::cuda {
#define GEN_PASS_DEF_EMITPTX
#include "targets/cuda/Passes.h.inc"
}  // namespace adze::cuda

using namespace mlir;

namespace adze::cuda {
namespace {

struct EmitPtxPass : impl::EmitPtxBase<EmitPtxPass> {
  using EmitPtxBase::EmitPtxBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    registerPtxDialects(registry);
  }

  void runOnOperation() override {
    auto device = getOperation().lookupSymbol<gpu::GPUModuleOp>(kDeviceModule);
    if (!device) return;
    Builder b(&getContext());
    SmallVector<Attribute> kernels;
    for (auto kernel : device.getOps<gpu::GPUFuncOp>()) kernels.push_back(describe(b, kernel));
    PtxOptions options;
    options.chip = chip;
    options.features = ptxFeatures(chip);
    std::string error;
    std::optional<std::string> ptx = emitPtx(device, options, error);
    if (!ptx) {
      device.emitError() << error;
      return signalPassFailure();
    }
    getOperation()->setAttr("adze.ptx", b.getStringAttr(*ptx));
    getOperation()->setAttr("adze.device_kernels", b.getArrayAttr(kernels));
    device.erase();
  }

  static Attribute describe(Builder &b, gpu::GPUFuncOp kernel) {
    SmallVector<int32_t> sizes;
    for (Type type : kernel.getArgumentTypes())
      sizes.push_back(type.isIntOrFloat() ? std::max(1u, type.getIntOrFloatBitWidth() / 8) : 8);
    int32_t threads = 1;
    if (auto block = kernel.getKnownBlockSize())
      for (int32_t extent : *block) threads *= extent;
    return b.getDictionaryAttr({b.getNamedAttr("name", kernel.getNameAttr()),
                                b.getNamedAttr("parameters", b.getDenseI32ArrayAttr(sizes)),
                                b.getNamedAttr("threads", b.getI32IntegerAttr(threads))});
  }
};

}  // namespace
}  // namespace adze::cuda
