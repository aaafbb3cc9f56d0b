#include "targets/native/Codegen.h"
#include "targets/native/HalfFloat.h"

#include "lib/Support/MemoryFile.h"

#include "lld/Common/Driver.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"
#include "llvm/Transforms/Utils/SplitModule.h"

#include <atomic>
#include <mutex>
#include <thread>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

LLD_HAS_DRIVER(elf)

using namespace mlir;

namespace adze::native {

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
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, o.cpu, o.features, options, llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Default));
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
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
  auto pipeline = builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2);
  pipeline.run(module, mam);
}

/// The first symbol that neither libc nor libm has: a function of the compiler's
/// own runtime library, which artifacts are not linked with. "" if none.
static std::string missingSymbol(llvm::MemoryBufferRef object) {
  auto elf = llvm::object::ObjectFile::createELFObjectFile(object);
  if (!elf) return llvm::consumeError(elf.takeError()), "(no ELF file)";
  for (auto symbol : cast<llvm::object::ELFObjectFileBase>(**elf).getDynamicSymbolIterators()) {
    auto flags = symbol.getFlags();
    auto name = symbol.getName();
    if (!flags || !name) {
      llvm::consumeError(flags.takeError()), llvm::consumeError(name.takeError());
      return "(no name)";
    }
    if ((*flags & llvm::object::SymbolRef::SF_Undefined) && name->starts_with("__")) return name->str();
  }
  return "";
}

/// An output that lld can open by name: a pipe, because a file would stay behind
/// when the process is killed.
class PipedOutput {
 public:
  PipedOutput() {
    if (::pipe2(ends_, O_CLOEXEC) != 0) return;
    reader_ = std::thread([this] {
      std::byte buffer[1 << 16];
      for (ssize_t n; (n = ::read(ends_[0], buffer, sizeof buffer)) > 0;)
        bytes_.insert(bytes_.end(), buffer, buffer + n);
    });
  }
  ~PipedOutput() { take(); }
  bool ok() const { return reader_.joinable(); }
  std::string path() const { return descriptorPath(ends_[1]); }
  /// What was written, once.
  std::vector<std::byte> take() {
    if (!reader_.joinable()) return {};
    ::close(ends_[1]);
    reader_.join();
    ::close(ends_[0]);
    return std::move(bytes_);
  }

 private:
  int ends_[2] = {-1, -1};
  std::thread reader_;
  std::vector<std::byte> bytes_;
};

static std::vector<std::byte> link(llvm::ArrayRef<std::string> objects, DiagnosticEngine &diags) {
  // lld keeps process-wide state: one link at a time.
  static std::mutex mutex;
  std::lock_guard<std::mutex> lock(mutex);
  std::vector<std::unique_ptr<MemoryFile>> inputs;
  bool ok = true;
  for (const std::string &object : objects) {
    inputs.push_back(std::make_unique<MemoryFile>("adze-object"));
    ok = ok && inputs.back()->ok() && inputs.back()->write(object);
  }
  PipedOutput output;
  if (!ok || !output.ok()) {
    diags.error(ExitCode::ResourceLimit, "ADZ0420", "no room for temporary files while linking");
    return {};
  }
  std::vector<std::string> words{"ld.lld", "-shared", "-Bsymbolic", "--hash-style=gnu", "-z",
                                 "relro", "-z", "now", "-z", "noexecstack", "-s",
                                 "--build-id=none", "--threads=1", "-soname", "adze-host-code",
                                 "-o", output.path()};
  for (const auto &input : inputs) words.push_back(input->path());
  std::vector<const char *> args;
  for (const std::string &w : words) args.push_back(w.c_str());
  std::string text;
  llvm::raw_string_ostream os(text);
  lld::Result result = lld::lldMain(args, os, os, {{lld::Gnu, &lld::elf::link}});
  std::vector<std::byte> code = output.take();
  if (result.retCode != 0 || code.empty()) {
    report(diags, "linking the generated code failed: " + text.substr(0, 300));
    return {};
  }
  llvm::StringRef bytes(reinterpret_cast<const char *>(code.data()), code.size());
  if (std::string name = missingSymbol({bytes, "host code"}); !name.empty()) {
    report(diags, "the generated code needs " + name + ", which no artifact has");
    return {};
  }
  return code;
}

/// Every function but the entry is internal, so that LLVM may inline and drop.
static void internalize(llvm::Module &module) {
  for (llvm::Function &f : module)
    if (!f.isDeclaration() && f.getName() != "adze_entry")
      f.setLinkage(llvm::GlobalValue::InternalLinkage);
}

/// The entry of a model with thousands of kernels or results has blocks of many
/// thousand instructions. It is glue that no optimisation makes faster, and
/// several of LLVM's take time with the square of a block's length.
static void spareLongEntry(llvm::Module &module) {
  constexpr size_t kLong = 1024;
  llvm::Function *entry = module.getFunction("adze_entry");
  if (!entry || llvm::all_of(*entry, [](llvm::BasicBlock &b) { return b.size() <= kLong; })) return;
  entry->addFnAttr(llvm::Attribute::OptimizeNone);
  entry->addFnAttr(llvm::Attribute::NoInline);
}

/// How many pieces a module is compiled in: by its size alone, so that the
/// bytes do not depend on the machine.
static unsigned countParts(const llvm::Module &module) {
  unsigned functions = 0;
  for (const llvm::Function &f : module) functions += !f.isDeclaration();
  return std::clamp(functions / 8, 1u, 8u);
}

static std::string bitcodeOf(const llvm::Module &module) {
  std::string bitcode;
  llvm::raw_string_ostream os(bitcode);
  llvm::WriteBitcodeToFile(module, os);
  return bitcode;
}

static std::vector<std::string> split(llvm::Module &module) {
  std::vector<std::string> parts;
  llvm::SplitModule(module, countParts(module), [&](std::unique_ptr<llvm::Module> part) {
    parts.push_back(bitcodeOf(*part));
  });
  return parts;
}

static void setTarget(llvm::Module &module, const llvm::TargetMachine &machine,
                      const CodegenOptions &options) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  for (llvm::Function &f : module) {
    f.addFnAttr("target-cpu", options.cpu);
    f.addFnAttr("target-features", options.features);
    // Ask for full-width vectors: the scheduler chose them.
    f.addFnAttr("prefer-vector-width", "512");
  }
}

/// Bitcode -> object code, in a context of its own; empty on failure.
static std::string compilePart(const std::string &bitcode, const CodegenOptions &options) {
  llvm::LLVMContext context;
  auto module = llvm::parseBitcodeFile(llvm::MemoryBufferRef(bitcode, "part"), context);
  DiagnosticEngine ignored;
  std::unique_ptr<llvm::TargetMachine> machine = makeMachine(options, ignored);
  if (!module || !machine) return {};
  optimize(**module, *machine);
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream os(object);
  llvm::legacy::PassManager codegen;
  if (machine->addPassesToEmitFile(codegen, os, nullptr, llvm::CodeGenFileType::ObjectFile))
    return {};
  codegen.run(**module);
  return std::string(object.data(), object.size());
}

static std::vector<std::string> compileParts(llvm::ArrayRef<std::string> parts,
                                             const CodegenOptions &options) {
  std::vector<std::string> objects(parts.size());
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i = next++; i < parts.size(); i = next++) objects[i] = compilePart(parts[i], options);
  };
  std::vector<std::thread> threads;
  size_t count = std::min<size_t>(parts.size(), std::max(1u, std::thread::hardware_concurrency()));
  for (size_t i = 1; i < count; ++i) threads.emplace_back(work);
  work();
  for (std::thread &t : threads) t.join();
  return objects;
}

/// What `objects` call of LLVM's own library becomes one more object.
static void addHalfFloatFunctions(std::vector<std::string> &objects,
                                  const llvm::TargetMachine &machine,
                                  const CodegenOptions &options) {
  if (llvm::none_of(objects, [](const std::string &o) { return needsHalfFloatFunctions(o); }))
    return;
  llvm::LLVMContext context;
  llvm::SMDiagnostic ignored;
  auto module = llvm::parseAssemblyString(halfFloatFunctions(), ignored, context);
  if (module) setTarget(*module, machine, options);
  objects.push_back(module ? compilePart(bitcodeOf(*module), options) : std::string());
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
  setTarget(*llvmModule, *machine, options);
  internalize(*llvmModule);
  spareLongEntry(*llvmModule);
  std::vector<std::string> objects = compileParts(split(*llvmModule), options);
  addHalfFloatFunctions(objects, *machine, options);
  if (llvm::is_contained(objects, std::string())) {
    report(diags, "the code generator failed");
    return {};
  }
  return link(objects, diags);
}

}  // namespace adze::native
