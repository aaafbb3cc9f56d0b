// The host target: the CPU this process runs on, or another named one.
#include "targets/Target.h"
#include "targets/host/Codegen.h"
#include "lib/Runtime/HostAbi.h"
#include "passes/Rt/Passes.h"
#include "passes/Schedule/Passes.h"
#include "passes/Schedule/MachineModel.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/Vector/Transforms/Passes.h"
#include "mlir/IR/Builders.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

#include <algorithm>
#include <fstream>
#include <mutex>

using namespace mlir;

namespace adze {
namespace {

// Features that generated code may rely on and the loader checks.
constexpr const char *kCheckedFeatures[] = {
    "sse4.2", "avx",      "avx2",     "fma",      "f16c",       "avx512f",   "avx512bw",
    "avx512vl", "avx512dq", "avx512cd", "avx512vnni", "avx512bf16", "avxvnni", "neon", "sve"};

/// A feature of the triple's architecture: LLVM aborts when asked for another's.
bool isKnown(std::string_view feature, const std::string &triple) {
  bool arm = feature == "neon" || feature == "sve";
  return arm == llvm::Triple(triple).isAArch64();
}

/// Names of the features that `cpu` has, of those above.
FailureOr<std::vector<std::string>> featuresOf(const std::string &triple, std::string cpu) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
  });
  std::string error;
  llvm::Triple t(triple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(t, error);
  if (!target) return failure();
  // LLVM prints to stderr when it is given a name that it does not know.
  std::unique_ptr<llvm::MCSubtargetInfo> info(target->createMCSubtargetInfo(t, "", ""));
  if (!info || !info->isCPUStringValid(cpu)) return failure();
  info.reset(target->createMCSubtargetInfo(t, cpu, ""));
  std::vector<std::string> out;
  for (const char *f : kCheckedFeatures)
    if (isKnown(f, triple) && info->checkFeatures(std::string("+") + f)) out.push_back(f);
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> nativeFeatures() {
  std::vector<std::string> out;
  llvm::StringMap<bool> have = llvm::sys::getHostCPUFeatures();
  for (const char *f : kCheckedFeatures)
    if (have.lookup(f)) out.push_back(f);
  std::sort(out.begin(), out.end());
  return out;
}

bool isNative(const TargetOptions &options) {
  return options.cpu.empty() || options.cpu == "native";
}

FailureOr<std::vector<std::string>> featuresFor(const TargetOptions &options) {
  if (isNative(options)) return nativeFeatures();
  return featuresOf(llvm::sys::getDefaultTargetTriple(), options.cpu);
}

/// Bytes of a data or unified cache of this machine; 0 when unknown.
int64_t cacheBytes(int level) {
  for (int i = 0; i < 8; ++i) {
    std::string dir = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
    std::ifstream levelFile(dir + "level"), type(dir + "type"), size(dir + "size");
    int l = 0;
    std::string kind, text;
    if (!(levelFile >> l) || !(type >> kind) || !(size >> text)) continue;
    if (l != level || kind == "Instruction") continue;
    int64_t n = std::atoll(text.c_str());
    if (text.back() == 'K') n *= 1024;
    if (text.back() == 'M') n *= 1024 * 1024;
    return n;
  }
  return 0;
}

class HostTarget : public Target {
 public:
  std::string name() const override { return "host"; }
  std::string summary() const override {
    return "native code for a CPU; --cpu=native (default) or LLVM's name of one";
  }

  FailureOr<TargetInfo> describe(MLIRContext &ctx, const TargetOptions &options,
                                 DiagnosticEngine &diags) const override {
    TargetInfo d;
    d.name = "host";
    d.triple = llvm::sys::getDefaultTargetTriple();
    d.cpu = isNative(options) ? llvm::sys::getHostCPUName().str() : options.cpu;
    auto features = featuresFor(options);
    if (failed(features)) {
      diags.error(ExitCode::Usage, "ADZ0401", "unknown CPU '" + options.cpu + "'",
                  "use --cpu=native, or a name that `clang -mcpu=help` lists");
      return failure();
    }
    d.features = *features;
    d.attributes = table(ctx, d, isNative(options));
    return d;
  }

  /// The one lowering was written for the host: what converts, runs here. Cases
  /// that it has no code for depend on what folds away, and are told later.
  Placement placement(Operation *) const override { return {}; }

  void buildDecidePipeline(OpPassManager &pm, const TargetOptions &options) const override {
    pm.addNestedPass<func::FuncOp>(schedule::createExpandWinograd());
    pm.addNestedPass<func::FuncOp>(schedule::createAssignSchedule());
  }

  void buildSchedulePipeline(OpPassManager &pm, const TargetOptions &options) const override {
    pm.addNestedPass<func::FuncOp>(schedule::createApplyTuned());
    pm.addNestedPass<func::FuncOp>(schedule::createEmitNests());
    pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
    pm.addNestedPass<func::FuncOp>(schedule::createExpandMath());
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createCSEPass());
    pm.addPass(createOutlineParallel());
  }

  void buildEmitPipeline(OpPassManager &pm, const TargetOptions &options) const override {
    pm.addPass(createConvertVectorToSCFPass());
    pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
    pm.addNestedPass<func::FuncOp>(createExpandShapeToCast());
    pm.addPass(memref::createExpandStridedMetadataPass());
    pm.addPass(createLowerAffinePass());
    pm.addPass(createSCFToControlFlowPass());
    pm.addPass(createLowerRt());
    pm.addNestedPass<func::FuncOp>(schedule::createExpandHalves());
    // What no vector formula stands for goes to libm, lane by lane: before the
    // vector dialect is lowered.
    pm.addPass(createConvertMathToLLVMPass());
    pm.addPass(createConvertMathToLibmPass());
    pm.addPass(createConvertVectorToLLVMPass());
    pm.addPass(memref::createExpandOpsPass());
    pm.addPass(arith::createArithExpandOpsPass());
    pm.addPass(memref::createExpandStridedMetadataPass());
    pm.addPass(createLowerAffinePass());
    pm.addPass(createFinalizeMemRefToLLVMConversionPass());
    pm.addPass(createConvertFuncToLLVMPass());
    pm.addPass(createConvertControlFlowToLLVMPass());
    pm.addPass(createArithToLLVMConversionPass());
    pm.addPass(createConvertIndexToLLVMPass());
    pm.addPass(createUBToLLVMConversionPass());
    pm.addPass(createReconcileUnrealizedCastsPass());
    pm.addPass(createCanonicalizerPass());
    pm.addPass(createCSEPass());
  }

  bool emit(ModuleOp module, const TargetInfo &description, const TargetOptions &options,
            artifact::Contents &contents,
            std::vector<std::shared_ptr<std::vector<std::byte>>> &storage,
            DiagnosticEngine &diags) const override {
    host::CodegenOptions codegen{description.triple, description.cpu, featureString(description)};
    auto code = std::make_shared<std::vector<std::byte>>(
        host::compileToSharedObject(module, codegen, diags));
    if (code->empty()) return false;
    contents.triple = description.triple;
    contents.cpu = description.cpu;
    contents.cpuFeatures = description.features;
    contents.hostAbi = ADZE_HOST_ABI_VERSION;
    contents.sections.push_back(
        artifact::Section::of(artifact::SectionKind::HostCode, "host", *code));
    storage.push_back(std::move(code));
    return true;
  }

 private:
  /// Exactly what the loader checks: features that the CPU's name implies but
  /// the loader does not check are switched off.
  static std::string featureString(const TargetInfo &d) {
    std::string out;
    for (const char *f : kCheckedFeatures) {
      bool have = std::find(d.features.begin(), d.features.end(), f) != d.features.end();
      if (!isKnown(f, d.triple)) continue;
      out += (out.empty() ? "" : ",") + std::string(have ? "+" : "-") + f;
    }
    return out;
  }

  static DictionaryAttr table(MLIRContext &ctx, const TargetInfo &d, bool native) {
    auto has = [&](const char *f) {
      return std::find(d.features.begin(), d.features.end(), f) != d.features.end();
    };
    bool avx512 = has("avx512bw") && has("avx512vl"), avx = has("avx2") || has("avx");
    // Caches of another machine are not known: the defaults stand in.
    int64_t l1 = native ? cacheBytes(1) : 0, l2 = native ? cacheBytes(2) : 0;
    schedule::MachineModel t;
    t.vectorBits = avx512 ? 512 : avx ? 256 : 128;
    t.vectorRegisters = avx512 || has("neon") ? 32 : 16;
    t.maskBits = avx512 ? 8 : avx ? 32 : 0;
    if (l1) t.l1Bytes = l1;
    if (l2) t.l2Bytes = l2;
    return t.toAttr(&ctx);
  }
};

}  // namespace

std::unique_ptr<Target> makeHostTarget() { return std::make_unique<HostTarget>(); }

}  // namespace adze
