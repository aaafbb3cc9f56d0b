#include "dialects/Rt/Rt.h"
#include "lib/Support/Diagnostics.h"
#include "targets/cuda/Passes.h"
#include "targets/cuda/Ptx.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

namespace adze::cuda {
#define GEN_PASS_DEF_EMITPTX
#include "targets/cuda/Passes.h.inc"
}  // namespace adze::cuda

using namespace mlir;

namespace adze::cuda {
namespace {

/// By GPU kernel, the ONNX nodes whose kernel functions launch it, each once.
llvm::StringMap<llvm::SetVector<StringRef>> nodesOfKernels(ModuleOp module) {
  llvm::StringMap<llvm::SetVector<StringRef>> ofFunctions, ofKernels;
  auto table = module->getAttrOfType<ArrayAttr>("adze.kernels");
  for (Attribute row : table ? table.getValue() : ArrayRef<Attribute>()) {
    auto kernel = dyn_cast<DictionaryAttr>(row);
    auto function = kernel ? kernel.getAs<StringAttr>("function") : StringAttr();
    auto nodes = kernel ? kernel.getAs<ArrayAttr>("nodes") : ArrayAttr();
    if (!function || !nodes) continue;
    for (auto node : nodes.getAsRange<StringAttr>()) ofFunctions[function].insert(node);
  }
  module.walk([&](rt::DeviceLaunchOp launch) {
    auto function = launch->getParentOfType<func::FuncOp>();
    const auto &nodes = ofFunctions[function.getName()];
    ofKernels[launch.getKernel().getLeafReference()].insert(nodes.begin(), nodes.end());
  });
  return ofKernels;
}

/// Says before each kernel which nodes it is of, for the emulator and for people.
std::string noteNodes(StringRef ptx, ModuleOp module) {
  constexpr StringLiteral kEntry = ".visible .entry ";
  constexpr size_t kMostNodes = 4;
  auto ofKernels = nodesOfKernels(module);
  std::string text;
  for (StringRef line : llvm::split(ptx, '\n')) {
    if (StringRef name = line; name.consume_front(kEntry) && !ofKernels.empty()) {
      name = name.take_until([](char c) { return c == '('; });
      ArrayRef<StringRef> nodes = ofKernels[name].getArrayRef();
      text += "//#node ";
      for (auto [i, node] : llvm::enumerate(nodes.take_front(kMostNodes)))
        text += (i ? ", " : "") + printable(node, 80);
      if (nodes.size() > kMostNodes)
        text += " and " + std::to_string(nodes.size() - kMostNodes) + " more";
      text += '\n';
    }
    text += line.str() + '\n';
  }
  text.pop_back();
  return text;
}

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
    getOperation()->setAttr("adze.ptx", b.getStringAttr(noteNodes(*ptx, getOperation())));
    getOperation()->setAttr("adze.device_kernels", b.getArrayAttr(kernels));
    device.erase();
  }

  static Attribute describe(Builder &b, gpu::GPUFuncOp kernel) {
    SmallVector<int32_t> sizes;
    for (Type type : kernel.getArgumentTypes())
      sizes.push_back(type.isIntOrFloat() ? std::max(1u, type.getIntOrFloatBitWidth() / 8) : 8);
    if (auto maps = kernel->getAttrOfType<DenseI32ArrayAttr>(kTensorMaps))
      for (int32_t i : maps.asArrayRef()) sizes[i] = kTensorMapBytes;
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
