#include "lib/Compiler/Compiler.h"

#include "dialects/Onnx/Location.h"
#include "dialects/Onnx/Onnx.h"
#include "lib/Compiler/KernelValues.h"
#include "lib/Compiler/MlirDiagnostics.h"
#include "lib/Compiler/NodeHistory.h"
#include "lib/Compiler/OpSupport.h"
#include "lib/Compiler/Roundings.h"
#include "lib/Compiler/Signature.h"
#include "lib/Importer/Importer.h"
#include "lib/Support/File.h"
#include "passes/AllPasses.h"
#include "passes/Import/Coverage.h"
#include "passes/Import/Passes.h"
#include "passes/Import/Registry.h"
#include "passes/Pipelines.h"
#include "passes/Schedule/MachineModel.h"
#include "passes/Verify/Passes.h"
#include "targets/Target.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <chrono>

using namespace mlir;

namespace adze {

static constexpr std::pair<std::string_view, std::string_view> kPhases[] = {
    {"import", "the model as onnx.node ops"},
    {"check", "every op is known to be supported"},
    {"graph", "adze ops only, constants folded"},
    {"precision", "element types chosen"},
    {"quantize", "integer paths chosen"},
    {"layout", "data layouts assigned, transposes moved"},
    {"fuse", "every compute op inside one adze.fusion"},
    {"kernel", "kernels as linalg on buffers, an entry that launches them"},
    {"schedule", "kernels as vector loop nests"},
    {"emit", "the artifact"}};

std::string_view phaseName(Phase p) { return kPhases[static_cast<int>(p)].first; }
std::string_view phaseDescription(Phase p) { return kPhases[static_cast<int>(p)].second; }
std::optional<Phase> parsePhase(std::string_view name) {
  for (Phase p : kAllPhases)
    if (phaseName(p) == name) return p;
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>> targetNames() {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto &t : allTargets()) out.emplace_back(t->name(), t->summary());
  return out;
}

std::optional<std::vector<OpSupportRow>> supportedOps(std::string_view name) {
  const Target *target = findTarget(name);
  if (!target) return std::nullopt;
  return supportedOps(*target);
}

/// "cuda:sm_80,sm_90a" -> each, once; one empty name where there is none.
static std::vector<std::string> devicesOf(std::string_view name) {
  size_t colon = name.find(':');
  if (colon == name.npos) return {""};
  std::vector<std::string> out;
  SmallVector<StringRef> parts;
  StringRef(name.data(), name.size()).drop_front(colon + 1).split(parts, ',');
  for (StringRef part : parts)
    if (!llvm::is_contained(out, part.str())) out.push_back(part.str());
  return out;
}

static const Target *findTarget(const std::string &name, DiagnosticEngine &diags) {
  const Target *target = findTarget(name);
  if (!target)
    diags.error(ExitCode::Usage, "ADZ0400", "unknown target '" + printable(name) + "'",
                "`adze targets` lists them");
  return target;
}

std::vector<Machine> machinesOf(const std::string &name, const std::string &cpu,
                                DiagnosticEngine &diags) {
  const Target *target = findTarget(name, diags);
  if (!target) return {};
  MLIRContext context(MLIRContext::Threading::DISABLED);
  std::vector<Machine> machines;
  for (const std::string &device : devicesOf(name)) {
    TargetOptions options;
    options.cpu = cpu;
    options.device = device;
    auto info = target->describe(context, options, diags);
    if (mlir::failed(info)) return {};
    machines.push_back({device, target->machine(*info, options)});
  }
  return machines;
}

double launchTime(const std::string &name, const tuning::LaunchCounts &counts) {
  const Target *target = findTarget(name);
  if (!target) return 0;
  TargetOptions options;
  options.device = devicesOf(name).front();
  return target->launchTime(counts, options);
}

namespace {

/// One compile, phase by phase.
class Compilation {
 public:
  Compilation(const CompileOptions &options, DiagnosticEngine &diags, CompileSummary &summary)
      : o(options), diags(diags), summary(summary), registry(makeRegistry()),
        ctx(registry, MLIRContext::Threading::DISABLED), handler(ctx, diags),
        pool(std::make_shared<WeightPool>()) {
    ctx.loadAllAvailableDialects();
  }

  ExitCode run() {
    diags.setFile(o.model);
    if (!checkOptions()) return diags.exitCode();
    Phase first = o.from ? *o.from : Phase::Import;
    Phase last = o.to ? *o.to : Phase::Emit;
    if (o.from && !readModule()) return diags.exitCode();
    for (Phase p : kAllPhases) {
      if (p < first || p > last) continue;
      if (o.onPhase) o.onPhase(p);
      auto start = std::chrono::steady_clock::now();
      bool ok = runPhase(p);
      std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      summary.seconds.emplace_back(p, took.count());
      if (!ok) return failed();
      if (!o.dumpPhases.empty() && p != Phase::Emit && !dump(p)) return diags.exitCode();
      if (o.verifyPhases && !keepsContract(p)) return failed();
    }
    if (last != Phase::Emit && o.takeModule)
      o.takeModule(*module);
    else if (last != Phase::Emit && !writeModule(o.output))
      return diags.exitCode();
    return diags.hasErrors() ? diags.exitCode() : ExitCode::Ok;
  }

 private:
  static DialectRegistry makeRegistry() {
    DialectRegistry r;
    registerAllDialects(r);
    return r;
  }

  /// A phase failed: whatever it did not explain is a bug of ours.
  ExitCode failed() {
    if (!diags.hasErrors())
      diags.error(ExitCode::Internal, "ADZ0900", "the compiler failed without a message",
                  "this is a bug in adze: please report it with the model");
    return diags.exitCode();
  }

  bool checkOptions() {
    target = findTarget(o.target, diags);
    if (o.from && o.to && *o.from > *o.to)
      diags.error(ExitCode::Usage, "ADZ0402", "--from is after --to");
    if (diags.hasErrors()) return false;
    std::vector<std::string> devices = devicesOf(o.target);
    for (const std::string &device : devices) {
      if (device.empty() && devices.size() > 1)
        return diags.error(ExitCode::Usage, "ADZ0405", "a name is missing in '" + printable(o.target) + "'",
                           "`adze targets` lists the names"), false;
      Variant &v = variants.emplace_back();
      v.options.cpu = o.cpu;
      v.options.optLevel = o.optLevel;
      v.options.device = device;
      v.options.products = o.products;
      v.options.ptxas = o.ptxas;
      v.options.spillBudget = o.spillBudget;
      auto described = target->describe(ctx, v.options, diags);
      if (mlir::failed(described)) return false;
      v.info = *described;
    }
    bool many = variants.size() > 1 && o.to == Phase::Schedule;
    if (many)
      diags.error(ExitCode::Usage, "ADZ0406", "--to schedule takes one device",
                  "name one after the target's colon");
    return !many;
  }

  bool readModule() {
    handler.setClass(ExitCode::InvalidModel, "ADZ0403");
    module = parseSourceFile<ModuleOp>(o.model, &ctx);
    if (!module || diags.hasErrors()) return false;
    int64_t bytes = 0;
    if (auto weights = dyn_cast_or_null<ElementsAttr>((*module)->removeAttr(kWeights)))
      pool->add(weights, /*layout=*/{}, bytes);
    if (*o.from > Phase::Kernel) summarize();
    if (o.remarks) history.begin(*module);
    return true;
  }

  bool runPhase(Phase p) {
    // A module that says already what it is for keeps that.
    StringRef attr = schedule::MachineModel::kAttrName;
    if (p >= Phase::Layout && !(*module)->hasAttr(attr)) (*module)->setAttr(attr, variants.front().info.attributes);
    switch (p) {
      case Phase::Import: return import();
      case Phase::Check: return check();
      case Phase::Graph: return toGraph();
      case Phase::Precision:
      case Phase::Quantize: return true;  // precision is what the model says
      case Phase::Layout:
        if (!passes([&](OpPassManager &pm) { buildLayoutPipeline(pm, pipeline()); })) return false;
        if (o.remarks && o.optLevel >= kLayoutLevel)
          summary.layout = takeLayoutRemarks(*module);
        return true;
      case Phase::Fuse:
        if (!passes([&](OpPassManager &pm) { buildFusePipeline(pm, pipeline()); })) return false;
        if (o.remarks) summary.fusion = history.remarks(*module);
        if (o.keepKernelValues) keepKernelValues(*module);
        return true;
      case Phase::Kernel: return kernels();
      case Phase::Schedule: return schedule();
      case Phase::Emit: return emit();
    }
    return false;
  }

  /// The phase's name is true of what it left.
  bool keepsContract(Phase p) {
    bool skipped = p == Phase::Layout && o.optLevel < kLayoutLevel;
    if (skipped || p == Phase::Emit) return true;
    VerifyPhaseOptions options;
    options.phase = phaseName(p);
    return passes([&](OpPassManager &pm) { pm.addPass(createVerifyPhase(options)); });
  }

  PipelineOptions pipeline() const {
    PipelineOptions p;
    p.optLevel = o.optLevel;
    p.remarks = o.remarks;
    p.ownMemory = target->hasOwnMemory();
    return p;
  }

  bool passes(llvm::function_ref<void(OpPassManager &)> build) { return passes(*module, build); }

  bool passes(ModuleOp on, llvm::function_ref<void(OpPassManager &)> build) {
    handler.setClass(ExitCode::Internal, "ADZ0900",
                     "this is a bug in adze: please report it with the model");
    PassManager pm(&ctx);
    // Verification after each pass is for tests: it costs as much as the passes.
    pm.enableVerifier(o.verifyPhases);
    if (o.remarks) pm.addInstrumentation(history.watch());
    build(pm);
    return succeeded(pm.run(on)) && !diags.hasErrors();
  }

  bool import() {
    ImportOptions options;
    options.maxNodes = o.maxNodes;
    for (const ShapeOverride &s : o.shapes)
      for (const ExtentRange &r : s.dims) options.shapes[s.input].push_back({r.min, r.max});
    options.hasConverter = [](StringRef domain, StringRef op, int64_t version) {
      return convert::lookupOp(domain, op, version) != nullptr;
    };
    handler.setClass(ExitCode::InvalidModel, "ADZ0100");
    module = importModel(o.model, ctx, options, diags);
    if (!module || diags.hasErrors()) return false;
    module->walk([&](onnxir::NodeOp op) {
      ++summary.nodes;
      if (auto node = onnxir::nodeOf(op.getLoc())) nodes.push_back(node->name);
    });
    if (o.remarks) history.begin(*module);
    return true;
  }

  bool check() {
    auto placement = [&](onnxir::NodeOp op) { return target->placement(op).elsewhere; };
    return checkCoverage(*module, o.target, placement, diags);
  }

  bool toGraph() {
    handler.setClass(ExitCode::InvalidModel, "ADZ0300");
    PassManager pm(&ctx);
    pm.addPass(createOnnxToAdze());
    if (o.remarks) pm.addInstrumentation(history.watch());
    if (mlir::failed(pm.run(*module)) || diags.hasErrors()) return false;
    if (!passes([&](OpPassManager &pm) { buildGraphPipeline(pm, pipeline()); })) return false;
    summary.roundings = roundingsOf(*module);
    for (const Variant &v : variants)
      summary.roundings.product = std::max(summary.roundings.product, target->productError(ctx, v.options));
    return true;
  }

  bool kernels() {
    std::string error = recordSignature(*module);
    if (!error.empty()) {
      diags.error(ExitCode::Unsupported, "ADZ0410", error);
      return false;
    }
    entryFunction(*module)->setAttr("adze.entry", UnitAttr::get(&ctx));
    if (!passes([&](OpPassManager &pm) { buildKernelPipeline(pm, pipeline(), pool); }))
      return false;
    summarize();
    return true;
  }

  /// Each variant goes on with a module of its own; the first with what is there.
  bool schedule() {
    for (Variant &v : llvm::drop_begin(variants)) {
      v.module = module->clone();
      (*v.module)->setAttr(schedule::MachineModel::kAttrName, v.info.attributes);
    }
    return llvm::all_of(variants, [&](Variant &v) { return schedule(moduleOf(v), v.options); });
  }

  bool schedule(ModuleOp on, const TargetOptions &options) {
    if (!passes(on, [&](OpPassManager &pm) { target->buildDecidePipeline(pm, options); }))
      return false;
    if (o.tuning.stored || o.tuning.variants)
      summary.tunedUnits += tuneModule(on, *target, options, o.tuning);
    if (!passes(on, [&](OpPassManager &pm) { target->buildSchedulePipeline(pm, options); }))
      return false;
    for (auto f : on.getOps<func::FuncOp>())
      if (auto count = f->getAttrOfType<IntegerAttr>("adze.fallback"))
        summary.fallbackLoops += count.getInt();
    return true;
  }

  void summarize() {
    if (auto kernels = (*module)->getAttrOfType<ArrayAttr>("adze.kernels"))
      summary.kernels = kernels.size();
    for (auto f : module->getOps<func::FuncOp>())
      summary.kernelFunctions += f.isPrivate() && !f.empty();
    summary.weightBytes = pool->size();
    if (auto plan = (*module)->getAttrOfType<DictionaryAttr>("adze.memory_plan")) {
      summary.arenaBytes = plan.getAs<IntegerAttr>("bytes").getInt();
      summary.peakLiveBytes = plan.getAs<IntegerAttr>("peak").getInt();
    }
  }

  bool emit() {
    std::string error = describeSignature(*module, contents);
    if (!error.empty()) {
      diags.error(ExitCode::InvalidModel, "ADZ0403", error, "`--to kernel` or later writes one");
      return false;
    }
    error = describeKernels(*module, nodes, contents);
    if (!error.empty()) {
      diags.error(ExitCode::InvalidModel, "ADZ0403", error);
      return false;
    }
    contents.target = target->name();
    std::vector<std::shared_ptr<std::vector<std::byte>>> storage;
    for (Variant &v : variants) {
      if (!passes(moduleOf(v), [&](OpPassManager &pm) { target->buildEmitPipeline(pm, v.options); }) ||
          !target->emit(moduleOf(v), v.info, v.options, contents, storage, diags))
        return false;
    }
    addWeights();
    fillProvenance();
    Diagnostic failure;
    if (artifact::write(o.output, contents, failure)) return true;
    diags.report(std::move(failure));
    return false;
  }

  void addWeights() {
    artifact::Section s;
    s.kind = artifact::SectionKind::Weights;
    s.name = "weights";
    for (const WeightPool::Piece &p : pool->pieces())
      if (!p.bytes.empty())
        s.pieces.push_back({static_cast<uint64_t>(p.offset),
                            std::as_bytes(std::span<const char>(p.bytes.data(), p.bytes.size()))});
    s.size = pool->size();
    if (s.size) contents.sections.push_back(std::move(s));
  }

  void fillProvenance() {
    std::string error;
    if (auto file = MappedFile::open(o.model, error))
      contents.provenance.modelHash = artifact::hashBytes(file->bytes());
    std::string flags = "target=" + o.target + " cpu=" + variants.front().info.cpu + " O" +
                        std::to_string(o.optLevel);
    for (const ShapeOverride &s : o.shapes) {
      flags += " shape:" + s.input + "=";
      for (size_t i = 0; i < s.dims.size(); ++i) {
        flags += (i ? "x" : "") + std::to_string(s.dims[i].min);
        if (s.dims[i].max != s.dims[i].min) flags += ".." + std::to_string(s.dims[i].max);
      }
    }
    if (o.products != "f32") flags += " products=" + o.products;
    if (summary.tunedUnits) flags += " tuned=" + std::to_string(summary.tunedUnits);
    contents.provenance.flags = flags;
  }

  std::string printed() {
    std::string text;
    llvm::raw_string_ostream os(text);
    OpPrintingFlags flags;
    flags.enableDebugInfo(true, false);
    (*module)->print(os, flags);
    return text;
  }

  bool writeText(const std::string &path, const std::string &text) {
    AtomicFile file;
    std::string error;
    if (file.open(path, error) && file.write(text.data(), text.size(), error) &&
        file.commit(error))
      return true;
    diags.error(ExitCode::ResourceLimit, "ADZ0404", error);
    return false;
  }

  /// The weights section, which no op of the kernel phase holds, joins the text.
  void attachWeights() {
    if (!pool->size()) return;
    auto blob = HeapAsmResourceBlob::allocate(pool->size(), 64);
    MutableArrayRef<char> bytes = blob.getMutableData();
    std::fill(bytes.begin(), bytes.end(), 0);
    for (const WeightPool::Piece &p : pool->pieces())
      llvm::copy(p.bytes, bytes.begin() + p.offset);
    auto type = RankedTensorType::get({pool->size()}, IntegerType::get(&ctx, 8));
    (*module)->setAttr(kWeights, DenseResourceElementsAttr::get(type, "weights", std::move(blob)));
  }

  bool writeModule(const std::string &path) {
    attachWeights();
    if (path != "-") return writeText(path, printed());
    llvm::outs() << printed();
    return true;
  }

  bool dump(Phase p) {
    std::string text;
    llvm::raw_string_ostream os(text);
    (*module)->print(os, OpPrintingFlags().elideLargeElementsAttrs(16).elideLargeResourceString(64));
    int number = static_cast<int>(p);
    std::string name = (number < 10 ? "0" : "") + std::to_string(number) + "-" +
                       std::string(phaseName(p)) + ".mlir";
    return writeText(o.dumpPhases + "/" + name, text);
  }

  static constexpr StringLiteral kWeights = "adze.weights";

  const CompileOptions &o;
  DiagnosticEngine &diags;
  CompileSummary &summary;
  DialectRegistry registry;
  MLIRContext ctx;
  MlirDiagnostics handler;
  OwningOpRef<ModuleOp> module;
  std::shared_ptr<WeightPool> pool;
  const Target *target = nullptr;
  /// What the model is compiled for; from the schedule phase on, its module.
  struct Variant {
    TargetOptions options;
    TargetInfo info;
    OwningOpRef<ModuleOp> module;  ///< null: the compile's own
  };
  ModuleOp moduleOf(Variant &v) { return v.module ? *v.module : *module; }
  std::vector<Variant> variants;
  artifact::Contents contents;
  std::vector<std::string> nodes;
  NodeHistory history;
};

}  // namespace

ExitCode compile(const CompileOptions &options, DiagnosticEngine &diags,
                 CompileSummary &summary) {
  return Compilation(options, diags, summary).run();
}

ExitCode countRoundings(CompileOptions options, DiagnosticEngine &diags, Roundings &roundings) {
  options.to = Phase::Graph;
  options.takeModule = [](ModuleOp) {};
  CompileSummary summary;
  ExitCode code = compile(options, diags, summary);
  roundings = summary.roundings;
  return code;
}

ExitCode collectRemarks(CompileOptions options, DiagnosticEngine &diags, CompileSummary &summary) {
  options.to = Phase::Fuse;
  options.remarks = true;
  options.takeModule = [](ModuleOp) {};
  return compile(options, diags, summary);
}

}  // namespace adze
