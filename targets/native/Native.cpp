// Code for a CPU, as every target needs it: of the host target the kernels, of
// others the entry, and what their devices do not run.
#include "targets/native/Native.h"

#include "lib/Runtime/HostAbi.h"
#include "passes/Rt/Passes.h"
#include "passes/Schedule/Passes.h"
#include "targets/native/Codegen.h"

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

namespace adze::native {
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

bool isNative(const std::string &cpu) { return cpu.empty() || cpu == "native"; }

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

/// Exactly what the loader checks: features that the CPU's name implies but
/// the loader does not check are switched off.
std::string featureString(const Cpu &cpu) {
  std::string out;
  for (const char *f : kCheckedFeatures) {
    if (!isKnown(f, cpu.triple)) continue;
    out += (out.empty() ? "" : ",") + std::string(cpu.has(f) ? "+" : "-") + f;
  }
  return out;
}

}  // namespace

bool Cpu::has(std::string_view feature) const {
  return std::find(features.begin(), features.end(), feature) != features.end();
}

FailureOr<Cpu> describeCpu(const std::string &name, DiagnosticEngine &diags) {
  std::string here = llvm::sys::getDefaultTargetTriple();
  if (isNative(name)) return Cpu{here, llvm::sys::getHostCPUName().str(), nativeFeatures(), true};
  // A name says its architecture; this machine's comes first.
  for (const std::string &triple : {here, std::string("x86_64-unknown-linux-gnu"),
                                    std::string("aarch64-unknown-linux-gnu")})
    if (FailureOr<std::vector<std::string>> features = featuresOf(triple, name); succeeded(features))
      return Cpu{triple, name, *features, false};
  diags.error(ExitCode::Usage, "ADZ0401", "unknown CPU '" + name + "'",
              "use --cpu=native, or a name that `clang -mcpu=help` lists for x86-64 or AArch64");
  return failure();
}

schedule::MachineModel machineOf(const Cpu &cpu) {
  bool avx512 = cpu.has("avx512bw") && cpu.has("avx512vl"), avx = cpu.has("avx2") || cpu.has("avx");
  // Caches of another machine are not known: the defaults stand in.
  int64_t l1 = cpu.isNative ? cacheBytes(1) : 0, l2 = cpu.isNative ? cacheBytes(2) : 0;
  schedule::MachineModel t;
  t.vectorBits = avx512 ? 512 : avx ? 256 : 128;
  t.vectorRegisters = avx512 || cpu.has("neon") ? 32 : 16;
  t.maskBits = avx512 ? 8 : avx ? 32 : 0;
  if (l1) t.l1Bytes = l1;
  if (l2) t.l2Bytes = l2;
  return t;
}

void buildDecidePipeline(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(schedule::createExpandWinograd());
  pm.addNestedPass<func::FuncOp>(schedule::createBlockRows());
  pm.addNestedPass<func::FuncOp>(schedule::createAssignSchedule());
}

void buildSchedulePipeline(OpPassManager &pm) {
  pm.addNestedPass<func::FuncOp>(schedule::createApplyTuned());
  pm.addNestedPass<func::FuncOp>(schedule::createEmitNests());
  pm.addNestedPass<func::FuncOp>(createConvertLinalgToLoopsPass());
  pm.addNestedPass<func::FuncOp>(schedule::createExpandMath());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createOutlineParallel());
}

void buildEmitPipeline(OpPassManager &pm) {
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

bool emit(ModuleOp module, const Cpu &cpu, const std::string &section,
          artifact::Contents &contents,
          std::vector<std::shared_ptr<std::vector<std::byte>>> &storage, DiagnosticEngine &diags) {
  CodegenOptions codegen{cpu.triple, cpu.name, featureString(cpu)};
  auto code = std::make_shared<std::vector<std::byte>>(
      compileToSharedObject(module, codegen, diags));
  if (code->empty()) return false;
  contents.triple = cpu.triple;
  contents.cpu = cpu.name;
  contents.cpuFeatures = cpu.features;
  contents.hostAbi = ADZE_HOST_ABI_VERSION;
  contents.sections.push_back(
      artifact::Section::of(artifact::SectionKind::HostCode, section, *code));
  storage.push_back(std::move(code));
  return true;
}

}  // namespace adze::native
