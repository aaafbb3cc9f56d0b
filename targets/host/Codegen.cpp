#include "targets/host/Codegen.h"

#include "lld/Common/Driver.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"

#include <mutex>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

using namespace mlir;

namespace adze::host {

static void report(DiagnosticEngine &diags, std::string message) {
  diags.error(ExitCode::Internal, "ADZ0901", std::move(message),
              "this is a bug in adze: please report it with the model");
}

static std::unique_ptr<llvm::TargetMachine> makeMachine(const CodegenOptions &o,
                                                        DiagnosticEngine &diags) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
  });
  std::string error;
  llvm::Triple triple(o.triple);
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) {
    report(diags, "no code generator for " + o.triple + ": " + error);
    return nullptr;
  }
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  auto level = o.optLevel == 0 ? llvm::CodeGenOptLevel::Less : llvm::CodeGenOptLevel::Default;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, o.cpu, o.features, options, llvm::Reloc::PIC_, std::nullopt, level));
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine, int level) {
  llvm::LoopAnalysisManager lam;
  llvm::FunctionAnalysisManager fam;
  llvm::CGSCCAnalysisManager cgam;
  llvm::ModuleAnalysisManager mam;
  llvm::PipelineTuningOptions tuning;
  // Loops arrive vectorised and tiled; LLVM's own attempts only cost time.
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  tuning.LoopInterleaving = false;
  llvm::PassBuilder builder(&machine, tuning);
  builder.registerModuleAnalyses(mam);
  builder.registerCGSCCAnalyses(cgam);
  builder.registerFunctionAnalyses(fam);
  builder.registerLoopAnalyses(lam);
  builder.crossRegisterProxies(lam, fam, cgam, mam);
  auto pipeline = builder.buildPerModuleDefaultPipeline(level == 0 ? llvm::OptimizationLevel::O1
                                                                   : llvm::OptimizationLevel::O2);
  pipeline.run(module, mam);
}

/// An anonymous file that lld can open by name.
class MemoryFile {
 public:
  explicit MemoryFile(const char *name) : fd_(::memfd_create(name, MFD_CLOEXEC)) {}
  ~MemoryFile() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool ok() const { return fd_ >= 0; }
  std::string path() const {
    return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd_);
  }
  bool write(llvm::StringRef bytes) {
    while (!bytes.empty()) {
      ssize_t n = ::write(fd_, bytes.data(), bytes.size());
      if (n <= 0) return false;
      bytes = bytes.drop_front(n);
    }
    return true;
  }

 private:
  int fd_;
};

static std::vector<std::byte> link(llvm::StringRef object, DiagnosticEngine &diags) {
  // lld keeps process-wide state: one link at a time.
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  MemoryFile input("adze-object");
  llvm::SmallString<128> output;
  if (!input.ok() || !input.write(object) ||
      llvm::sys::fs::createTemporaryFile("adze", "so", output)) {
    diags.error(ExitCode::ResourceLimit, "ADZ0420", "no room for temporary files while linking");
    return {};
  }
  auto remove = llvm::make_scope_exit([&] { llvm::sys::fs::remove(output); });
  std::string in = input.path(), out = output.str().str();
  std::string text;
  llvm::raw_string_ostream os(text);
  const char *args[] = {"ld.lld", "-shared", "-Bsymbolic", "--hash-style=gnu", "-z", "relro",
                        "-z", "now", "-z", "noexecstack", "-s", "--build-id=none", "--threads=1",
                        "-soname", "adze-host-code", in.c_str(), "-o", out.c_str()};
  lld::Result result = lld::lldMain(args, os, os, {{lld::Gnu, &lld::elf::link}});
  auto buffer = llvm::MemoryBuffer::getFile(output, false, false);
  if (result.retCode != 0 || !buffer) {
    report(diags, "linking the generated code failed: " + text.substr(0, 300));
    return {};
  }
  auto *begin = reinterpret_cast<const std::byte *>((*buffer)->getBufferStart());
  return {begin, begin + (*buffer)->getBufferSize()};
}

/// Every function but the entry is internal, so that LLVM may inline and drop.
static void internalize(llvm::Module &module) {
  for (llvm::Function &f : module)
    if (!f.isDeclaration() && f.getName() != "adze_entry")
      f.setLinkage(llvm::GlobalValue::InternalLinkage);
}

std::vector<std::byte> compileToSharedObject(ModuleOp module, const CodegenOptions &options,
                                             DiagnosticEngine &diags) {
  llvm::LLVMContext context;
  registerBuiltinDialectTranslation(*module.getContext());
  registerLLVMDialectTranslation(*module.getContext());
  std::unique_ptr<llvm::Module> llvmModule = translateModuleToLLVMIR(module, context, "adze");
  if (!llvmModule) {
    report(diags, "translating to LLVM IR failed");
    return {};
  }
  std::unique_ptr<llvm::TargetMachine> machine = makeMachine(options, diags);
  if (!machine) return {};
  llvmModule->setTargetTriple(machine->getTargetTriple());
  llvmModule->setDataLayout(machine->createDataLayout());
  for (llvm::Function &f : *llvmModule) {
    f.addFnAttr("target-cpu", options.cpu);
    f.addFnAttr("target-features", options.features);
    // Ask for full-width vectors: the scheduler chose them.
    f.addFnAttr("prefer-vector-width", "512");
  }
  internalize(*llvmModule);
  optimize(*llvmModule, *machine, options.optLevel);

  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream os(object);
  llvm::legacy::PassManager codegen;
  if (machine->addPassesToEmitFile(codegen, os, nullptr, llvm::CodeGenFileType::ObjectFile)) {
    report(diags, "the code generator cannot write objects");
    return {};
  }
  codegen.run(*llvmModule);
  return link(llvm::StringRef(object.data(), object.size()), diags);
}

}  // namespace adze::host
