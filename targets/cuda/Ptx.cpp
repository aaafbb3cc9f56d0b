#include "targets/cuda/Ptx.h"

#include "targets/cuda/Devices.h"
#include "targets/cuda/NativeMath.h"

#include "llvm/ADT/StringSet.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/NVVMToLLVM/NVVMToLLVM.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/Transforms/InlinerInterfaceImpl.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"

#include <atomic>
#include <mutex>
#include <thread>

using namespace mlir;

extern "C" {
void LLVMInitializeNVPTXTargetInfo();
void LLVMInitializeNVPTXTarget();
void LLVMInitializeNVPTXTargetMC();
void LLVMInitializeNVPTXAsmPrinter();
}

namespace adze::cuda {
namespace {

/// MLIR's ops -> the llvm and nvvm dialects.
void buildPipeline(OpPassManager &modules, const PtxOptions &options) {
  OpPassManager &pm = modules.nest<gpu::GPUModuleOp>();
  pm.addPass(createConvertNVGPUToNVVMPass());
  pm.addPass(createConvertVectorToSCFPass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  ConvertGpuOpsToNVVMOpsOptions gpu;
  gpu.useBarePtrCallConv = options.barePointers;
  pm.addPass(createConvertGpuOpsToNVVMOps(gpu));
  pm.addPass(createConvertVectorToLLVMPass());
  // Lane numbers become constants of the arith dialect.
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertNVVMToLLVMPass());
  pm.addPass(createConvertIndexToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

/// Arguments that are tensor maps: only llvm functions may say it in LLVM's words.
void passTensorMaps(Operation *root) {
  Builder b(root->getContext());
  auto bytes = TypeAttr::get(LLVM::LLVMArrayType::get(b.getI8Type(), kTensorMapBytes));
  root->walk([&](LLVM::LLVMFuncOp function) {
    auto maps = function->getAttrOfType<DenseI32ArrayAttr>(kTensorMaps);
    if (!maps) return;
    for (int32_t i : maps.asArrayRef()) {
      function.setArgAttr(i, LLVM::LLVMDialect::getByValAttrName(), bytes);
      function.setArgAttr(i, LLVM::LLVMDialect::getAlignAttrName(), b.getI64IntegerAttr(64));
      function.setArgAttr(i, NVVM::NVVMDialect::getGridConstantAttrName(), b.getUnitAttr());
    }
  });
}

/// A clone of `module` in the llvm dialect; null and `error`.
OwningOpRef<ModuleOp> lower(gpu::GPUModuleOp module, const PtxOptions &options,
                            std::string &error) {
  MLIRContext *ctx = module.getContext();
  ScopedDiagnosticHandler handler(ctx, [&](Diagnostic &d) {
    if (d.getSeverity() == DiagnosticSeverity::Error && error.empty()) error = d.str();
    return success();
  });
  OwningOpRef<ModuleOp> holder = ModuleOp::create(module.getLoc());
  OpBuilder::atBlockEnd(holder->getBody()).clone(*module);
  if (Operation *op = lowerNativeMath(*holder)) {
    error = op->getName().getStringRef().str() + " has no PTX instruction";
    return {};
  }
  PassManager pm(ctx, ModuleOp::getOperationName());
  buildPipeline(pm, options);
  if (succeeded(pm.run(*holder))) {
    passTensorMaps(*holder);
    return holder;
  }
  if (error.empty()) error = "lowering to the llvm dialect failed";
  return {};
}

std::unique_ptr<llvm::TargetMachine> makeMachine(const PtxOptions &options, std::string &error) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  llvm::Triple triple("nvptx64-nvidia-cuda");
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) return nullptr;
  llvm::TargetOptions flags;
  // Fused as Standard says: where the source's flags allow it, not everywhere.
  flags.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(
      target->createTargetMachine(triple, options.chip, options.features, flags, std::nullopt,
                                  std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager lam;
  llvm::FunctionAnalysisManager fam;
  llvm::CGSCCAnalysisManager cgam;
  llvm::ModuleAnalysisManager mam;
  llvm::PipelineTuningOptions tuning;
  // Kernels arrive with the vectors they want.
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(mam);
  builder.registerCGSCCAnalyses(cgam);
  builder.registerFunctionAnalyses(fam);
  builder.registerLoopAnalyses(lam);
  builder.crossRegisterProxies(lam, fam, cgam, mam);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, mam);
}

/// The first function that is called and is not here; "" if none. Asked after
/// optimising, which drops what nothing uses.
std::string missingFunction(const llvm::Module &module) {
  for (const llvm::Function &f : module)
    if (f.isDeclaration() && !f.isIntrinsic() && !f.use_empty()) return f.getName().str();
  return "";
}

/// LLVM's errors of code generation, which else end the process.
struct ErrorCollector : llvm::DiagnosticHandler {
  explicit ErrorCollector(std::string &text) : text(text) {}
  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (info.getSeverity() != llvm::DS_Error) return true;
    llvm::raw_string_ostream os(text);
    llvm::DiagnosticPrinterRawOStream printer(os);
    info.print(printer);
    return true;
  }
  std::string &text;
};

std::string print(llvm::Module &module, llvm::TargetMachine &machine, std::string &error) {
  llvm::SmallVector<char, 0> text;
  llvm::raw_svector_ostream os(text);
  llvm::legacy::PassManager codegen;
  if (machine.addPassesToEmitFile(codegen, os, nullptr, llvm::CodeGenFileType::AssemblyFile)) {
    error = "the code generator writes no PTX";
    return {};
  }
  codegen.run(module);
  return std::string(text.data(), text.size());
}

std::string compile(llvm::Module &module, const PtxOptions &options, std::string &error) {
  std::unique_ptr<llvm::TargetMachine> machine = makeMachine(options, error);
  if (!machine) return {};
  module.setTargetTriple(machine->getTargetTriple());
  module.setDataLayout(machine->createDataLayout());
  optimize(module, *machine);
  if (std::string name = missingFunction(module); !name.empty()) {
    error = "nothing defines the function " + name;
    return {};
  }
  return print(module, *machine, error);
}

// ---- kernels in parts, at once

/// Kernels of a part: it follows from the module alone, so that the text does too.
constexpr size_t kKernelsOfPart = 8;

/// The kernels' names, in order; none where they share functions or variables, which
/// keeps them in one part.
std::vector<std::string> separateKernels(const llvm::Module &module) {
  std::vector<std::string> names;
  for (const llvm::GlobalVariable &variable : module.globals())
    if (!variable.isDeclaration()) return {};
  for (const llvm::Function &f : module) {
    if (f.isDeclaration()) continue;
    if (f.getCallingConv() != llvm::CallingConv::PTX_Kernel) return {};
    names.push_back(f.getName().str());
  }
  return names;
}

/// Keeps the module's kernels of `names` alone.
void keepKernels(llvm::Module &module, llvm::ArrayRef<std::string> names) {
  llvm::StringSet<> kept;
  for (const std::string &name : names) kept.insert(name);
  for (llvm::Function &f : llvm::make_early_inc_range(module))
    if (!f.isDeclaration() && !kept.contains(f.getName())) f.eraseFromParent();
}

/// One part, from the bitcode of all, in a context of its thread's own.
std::string compilePart(llvm::MemoryBufferRef bitcode, llvm::ArrayRef<std::string> names,
                        const PtxOptions &options, std::string &error) {
  llvm::LLVMContext context;
  context.setDiagnosticHandler(std::make_unique<ErrorCollector>(error));
  auto module = llvm::parseBitcodeFile(bitcode, context);
  if (!module) {
    error = llvm::toString(module.takeError());
    return {};
  }
  keepKernels(**module, names);
  return compile(**module, options, error);
}

/// The texts as one: one header, and no declaration twice.
std::string joinParts(llvm::ArrayRef<std::string> parts) {
  constexpr StringLiteral kHeaderEnd = ".address_size 64\n";
  std::string all = parts.front();
  llvm::StringSet<> declared;
  auto isDeclaration = [](StringRef line) { return line.starts_with(".extern"); };
  for (StringRef line : llvm::split(parts.front(), '\n'))
    if (isDeclaration(line)) declared.insert(line);
  for (StringRef part : parts.drop_front()) {
    size_t end = part.find(kHeaderEnd);
    part = end == part.npos ? part : part.drop_front(end + kHeaderEnd.size());
    for (StringRef line : llvm::split(part, '\n'))
      if (!isDeclaration(line) || declared.insert(line).second) all += line.str() + '\n';
  }
  return all;
}

std::string compileInParts(const llvm::Module &module, llvm::ArrayRef<std::string> names,
                           const PtxOptions &options, std::string &error) {
  llvm::SmallVector<char, 0> bitcode;
  llvm::raw_svector_ostream os(bitcode);
  llvm::WriteBitcodeToFile(module, os);
  size_t count = llvm::divideCeil(names.size(), kKernelsOfPart);
  std::vector<std::string> parts(count), errors(count);
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i; (i = next++) < count;)
      parts[i] =
          compilePart({llvm::StringRef(bitcode.data(), bitcode.size()), "kernels"},
                      names.slice(i * kKernelsOfPart,
                                  std::min(kKernelsOfPart, names.size() - i * kKernelsOfPart)),
                      options, errors[i]);
  };
  std::vector<std::thread> threads(
      std::min<size_t>(count, std::max(1u, std::thread::hardware_concurrency())) - 1);
  for (std::thread &thread : threads) thread = std::thread(work);
  work();
  for (std::thread &thread : threads) thread.join();
  for (const std::string &e : errors)
    if (error.empty()) error = e;
  return error.empty() ? joinParts(parts) : std::string();
}

}  // namespace

std::string ptxFeatures(llvm::StringRef chip) {
  const Device *device = findDevice({chip.data(), chip.size()});
  return device ? "+ptx" + std::to_string(device->ptx) : "";
}

void registerPtxDialects(DialectRegistry &registry) {
  registry.insert<affine::AffineDialect, arith::ArithDialect, cf::ControlFlowDialect,
                  gpu::GPUDialect, index::IndexDialect, LLVM::LLVMDialect, math::MathDialect,
                  memref::MemRefDialect, nvgpu::NVGPUDialect, NVVM::NVVMDialect, scf::SCFDialect,
                  ub::UBDialect, vector::VectorDialect>();
  arith::registerConvertArithToLLVMInterface(registry);
  cf::registerConvertControlFlowToLLVMInterface(registry);
  registerConvertFuncToLLVMInterface(registry);
  NVVM::registerConvertGpuToNVVMInterface(registry);
  index::registerConvertIndexToLLVMInterface(registry);
  registerConvertMathToLLVMInterface(registry);
  registerConvertMemRefToLLVMInterface(registry);
  registerConvertNVVMToLLVMInterface(registry);
  ub::registerConvertUBToLLVMInterface(registry);
  vector::registerConvertVectorToLLVMInterface(registry);
  registerBuiltinDialectTranslation(registry);
  registerGPUDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
}

std::optional<std::string> emitPtx(gpu::GPUModuleOp module, const PtxOptions &options,
                                   std::string &error) {
  error.clear();
  OwningOpRef<ModuleOp> lowered = lower(module, options, error);
  if (!lowered) return std::nullopt;
  llvm::LLVMContext context;
  context.setDiagnosticHandler(std::make_unique<ErrorCollector>(error));
  auto kernels = *lowered->getOps<gpu::GPUModuleOp>().begin();
  std::unique_ptr<llvm::Module> code = translateModuleToLLVMIR(kernels, context, "adze");
  if (!code && error.empty()) error = "translating to LLVM IR failed";
  if (!code) return std::nullopt;
  std::vector<std::string> names = separateKernels(*code);
  std::string text = names.size() > kKernelsOfPart ? compileInParts(*code, names, options, error)
                                                   : compile(*code, options, error);
  if (!error.empty()) return std::nullopt;
  return text;
}

}  // namespace adze::cuda
