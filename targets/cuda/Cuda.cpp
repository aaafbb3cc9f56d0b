// The cuda target: NVIDIA GPUs, by PTX.
#include "passes/Rt/Passes.h"
#include "passes/Schedule/Passes.h"
#include "targets/Target.h"
#include "targets/cuda/Cubin.h"
#include "targets/cuda/Devices.h"
#include "targets/cuda/LaunchTime.h"
#include "targets/cuda/Passes.h"
#include "targets/cuda/TileChoice.h"
#include "targets/native/Native.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace adze {
namespace {

/// Compiled for where nothing is said: newer GPUs take its PTX too.
constexpr const char *kDefaultDevice = "sm_80";

std::string deviceOf(const TargetOptions &options) {
  return options.device.empty() ? kDefaultDevice : options.device;
}

class CudaTarget : public Target {
 public:
  std::string name() const override { return "cuda"; }
  std::string summary() const override {
    std::string names;
    for (const cuda::Device &d : cuda::allDevices())
      names += (names.empty() ? "" : ", ") + std::string(d.name);
    return "PTX for NVIDIA GPUs: cuda:sm_80, or several, cuda:sm_80,sm_90a; of " + names;
  }

  FailureOr<TargetInfo> describe(MLIRContext &ctx, const TargetOptions &options,
                                 DiagnosticEngine &diags) const override {
    const cuda::Device *device = cuda::findDevice(deviceOf(options));
    if (!device) {
      diags.error(ExitCode::Usage, "ADZ0405", "unknown GPU '" + printable(options.device) + "'",
                  "`adze targets` lists them");
      return failure();
    }
    FailureOr<native::Cpu> cpu = native::describeCpu(options.cpu, diags);
    if (failed(cpu)) return failure();
    return TargetInfo{"cuda", cpu->triple, cpu->name, cpu->features,
                      cuda::attributesOf(*device, &ctx)};
  }

  /// What the GPU does not run the host does: adze-cuda-place-kernels.
  Placement placement(Operation *) const override { return {}; }
  bool hasOwnMemory() const override { return true; }

  double productError(MLIRContext &ctx, const TargetOptions &options) const override {
    const cuda::Device *device = cuda::findDevice(deviceOf(options));
    if (!device) return 0;
    double most = 0;
    for (cuda::Multiply m : cuda::multipliesOf(Float32Type::get(&ctx), options.products, *device))
      most = std::max(most, cuda::productError(m, *device));
    return most;
  }

  /// What is tuned runs on the GPU; the host does not matter.
  std::string machine(const TargetInfo &info, const TargetOptions &options) const override {
    std::string text = deviceOf(options) + " ";
    llvm::raw_string_ostream(text) << info.attributes;
    return text;
  }

  std::vector<std::string> tileCandidates(schedule::Unit &unit, const TargetOptions &options,
                                          unsigned most) const override {
    std::vector<std::string> texts;
    const cuda::Device *device = cuda::findDevice(deviceOf(options));
    auto found = device ? cuda::findTileUnit(unit, *device, options.products) : std::nullopt;
    auto decided = unit.anchor()->getAttrOfType<StringAttr>(schedule::kTileAttr);
    if (!found) return texts;
    for (const cuda::TileSchedule &s : found->schedules(most))
      if (std::string text = cuda::printTile(s); decided != text) texts.push_back(std::move(text));
    return texts;
  }

  bool takesTile(schedule::Unit &unit, StringRef text,
                 const TargetOptions &options) const override {
    std::string why;
    const cuda::Device *device = cuda::findDevice(deviceOf(options));
    auto found = device ? cuda::findTileUnit(unit, *device, options.products) : std::nullopt;
    return found && found->read(text, why);
  }

  double launchTime(const tuning::LaunchCounts &counts,
                    const TargetOptions &options) const override {
    const cuda::Device *device = cuda::findDevice(deviceOf(options));
    return device ? cuda::launchNanoseconds(counts, *device) : 0;
  }

  void buildDecidePipeline(OpPassManager &pm, const TargetOptions &options) const override {
    DiagnosticEngine ignored;
    pm.addPass(cuda::createKeepShapesOnHost());
    if (auto cpu = native::describeCpu(options.cpu, ignored); succeeded(cpu))
      pm.addPass(cuda::createPlaceKernels(native::machineOf(*cpu)));
    pm.addNestedPass<func::FuncOp>(cuda::createAssignTiles({deviceOf(options), options.products}));
  }

  void buildSchedulePipeline(OpPassManager &pm, const TargetOptions &options) const override {
    pm.addNestedPass<func::FuncOp>(schedule::createApplyTuned());
    pm.addPass(cuda::createTileAttention({deviceOf(options), options.products}));
    pm.addPass(cuda::createTileContractions({deviceOf(options), options.products}));
    pm.addNestedPass<func::FuncOp>(cuda::createTileTransposes());
    pm.addNestedPass<func::FuncOp>(schedule::createAssignSchedule());
    pm.addNestedPass<func::FuncOp>(schedule::createEmitNests());
    pm.addNestedPass<func::FuncOp>(cuda::createParallelLoops());
    pm.addNestedPass<func::FuncOp>(createCSEPass());
    pm.addNestedPass<func::FuncOp>(schedule::createForwardTeamValues());
    pm.addNestedPass<func::FuncOp>(schedule::createStateAlignment());
    // Before loops are simplified: one of a single iteration is a kernel as well.
    pm.addPass(cuda::createOutlineDevice());
    pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
    pm.addNestedPass<func::FuncOp>(schedule::createExpandMath());
    pm.nest<gpu::GPUModuleOp>().addPass(schedule::createExpandMath());
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createCSEPass());
    pm.addPass(cuda::createShareKernels());
    pm.addPass(createOutlineParallel());
  }

  void buildEmitPipeline(OpPassManager &pm, const TargetOptions &options) const override {
    pm.addPass(cuda::createEmitPtx({deviceOf(options)}));
    native::buildEmitPipeline(pm);
  }

  bool emit(ModuleOp module, const TargetInfo &, const TargetOptions &options,
            artifact::Contents &contents,
            std::vector<std::shared_ptr<std::vector<std::byte>>> &storage,
            DiagnosticEngine &diags) const override {
    FailureOr<native::Cpu> cpu = native::describeCpu(options.cpu, diags);
    if (failed(cpu) || !native::emit(module, *cpu, deviceOf(options), contents, storage, diags))
      return false;
    contents.variants.push_back({deviceOf(options), kernelsOf(module)});
    auto text = module->getAttrOfType<StringAttr>("adze.ptx");
    if (!text || text.empty()) return true;
    auto bytes = std::make_shared<std::vector<std::byte>>(text.size());
    std::memcpy(bytes->data(), text.data(), text.size());
    contents.sections.push_back(
        artifact::Section::of(artifact::SectionKind::Ptx, deviceOf(options), *bytes));
    storage.push_back(std::move(bytes));
    return addCubin(text, options, contents, storage, diags);
  }

 private:
  /// The variant's machine code, where there is an assembler that knows the GPU.
  static bool addCubin(StringRef ptx, const TargetOptions &options, artifact::Contents &contents,
                       std::vector<std::shared_ptr<std::vector<std::byte>>> &storage,
                       DiagnosticEngine &diags) {
    std::string path = options.ptxas == "auto" ? cuda::findPtxas() : options.ptxas;
    if (path.empty() || path == "none") return true;
    std::string error;
    std::optional<cuda::Cubin> cubin = cuda::assemble(ptx, deviceOf(options), path, error);
    if (!error.empty()) {
      diags.error(ExitCode::Device, "ADZ0407", error, "`--ptxas none` leaves it to the driver");
      return false;
    }
    if (!cubin) return true;
    artifact::Variant &variant = contents.variants.back();
    for (artifact::DeviceKernel &kernel : variant.kernels)
      for (const cuda::KernelResources &r : cubin->kernels)
        if (r.kernel == kernel.name) {
          kernel.registers = r.registers;
          kernel.spillBytes = r.spillBytes;
          kernel.sharedBytes = r.sharedBytes;
        }
    if (!withinBudget(variant, options, diags)) return false;
    variant.assembler = cubin->madeBy;
    auto bytes = std::make_shared<std::vector<std::byte>>(std::move(cubin->bytes));
    contents.sections.push_back(
        artifact::Section::of(artifact::SectionKind::Cubin, deviceOf(options), *bytes));
    storage.push_back(std::move(bytes));
    return true;
  }

  static bool withinBudget(const artifact::Variant &variant, const TargetOptions &options,
                           DiagnosticEngine &diags) {
    const cuda::Device *device = cuda::findDevice(variant.device);
    for (const artifact::DeviceKernel &kernel : variant.kernels) {
      std::string what;
      if (kernel.spillBytes > options.spillBudget)
        what = "spills " + std::to_string(kernel.spillBytes) + " bytes of registers, more than " +
               std::to_string(options.spillBudget);
      if (kernel.sharedBytes > int64_t(device->sharedKib) << 10)
        what = "wants " + std::to_string(kernel.sharedBytes) + " bytes of shared memory";
      if (what.empty()) continue;
      diags.error(ExitCode::ResourceLimit, "ADZ0408",
                  "kernel '" + kernel.name + "' for " + variant.device + " " + what,
                  "`--spill-budget` allows more; `--ptxas none` does not look");
      return false;
    }
    return true;
  }

  static std::vector<artifact::DeviceKernel> kernelsOf(ModuleOp module) {
    std::vector<artifact::DeviceKernel> out;
    auto table = module->getAttrOfType<ArrayAttr>("adze.device_kernels");
    for (Attribute row : table ? table.getValue() : ArrayRef<Attribute>()) {
      auto kernel = cast<DictionaryAttr>(row);
      artifact::DeviceKernel &made = out.emplace_back();
      made.name = kernel.getAs<StringAttr>("name").str();
      for (int32_t bytes : kernel.getAs<DenseI32ArrayAttr>("parameters").asArrayRef())
        made.parameterBytes.push_back(bytes);
      made.threads = kernel.getAs<IntegerAttr>("threads").getInt();
    }
    return out;
  }
};

}  // namespace

std::unique_ptr<Target> makeCudaTarget() { return std::make_unique<CudaTarget>(); }
void registerCudaTargetPasses() { cuda::registerAdzeCudaPasses(); }

}  // namespace adze
