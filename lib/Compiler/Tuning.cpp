#include "lib/Compiler/Tuning.h"

#include "dialects/Rt/Rt.h"
#include "passes/Schedule/Candidates.h"
#include "passes/Schedule/Fit.h"
#include "targets/Target.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"

#include <set>

using namespace mlir;

namespace adze {

namespace {

/// Candidates of one unit that are worth having a name for.
constexpr unsigned kMostCandidates = 48;
/// No schedule is longer; longer texts are not even parsed.
constexpr size_t kMostText = 4096;

/// The text as an attribute; null when it is none. It says nothing: a stored
/// schedule that is not one is as good as none.
Attribute parseSchedule(const std::string &text, MLIRContext *context) {
  if (text.empty() || text.size() > kMostText) return {};
  ScopedDiagnosticHandler silence(context, [](mlir::Diagnostic &) { return success(); });
  return parseAttribute(text, context);
}

std::string textOf(Attribute attr) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  attr.print(stream);
  return text;
}

class Tuner {
 public:
  Tuner(ModuleOp module, const Target &target, const TargetOptions &options,
        const TuningHooks &hooks)
      : module(module), target(target), options(options), hooks(hooks),
        machine(schedule::MachineModel::of(module)) {}

  int64_t run() {
    module.walk([&](rt::LaunchOp launch) { launches[launch.getCallee()].push_back(launch); });
    if (auto rows = module->getAttrOfType<ArrayAttr>("adze.kernels"))
      table.assign(rows.begin(), rows.end());
    SmallVector<func::FuncOp> kernels;
    for (auto function : module.getOps<func::FuncOp>())
      if (launches.contains(function.getName())) kernels.push_back(function);
    for (func::FuncOp kernel : kernels) {
      std::string key = schedule::kernelKey(kernel);
      if (hooks.stored) lookUp(kernel, key);
      if (hooks.variants) addVariants(kernel, key);
    }
    Builder b(module.getContext());
    module->setAttr("adze.kernels", b.getArrayAttr(table));
    if (!tuned.empty()) module->setAttr(schedule::kTunedAttr, b.getDictionaryAttr(tuned));
    if (hooks.added) hooks.added(std::move(added));
    return numFit;
  }

 private:
  void lookUp(func::FuncOp kernel, const std::string &key) {
    schedule::forEachUnit(kernel, machine, [&](unsigned number, schedule::Unit &unit) {
      Attribute attr =
          parseSchedule(hooks.stored(options.device, key, number), module.getContext());
      if (!attr) return;
      // The same kernel may be there twice under two names.
      std::string name = schedule::tunedName(key, number);
      if (known.insert(name).second)
        tuned.emplace_back(StringAttr::get(module.getContext(), name), attr);
      numFit += fits(attr, unit);
    });
  }

  /// Whether it may stand in place of what was decided for the unit.
  bool fits(Attribute attr, schedule::Unit &unit) const {
    std::string error;
    if (unit.anchor()->hasAttr(schedule::kTileAttr)) {
      auto text = dyn_cast<StringAttr>(attr);
      return text && target.takesTile(unit, text, options);
    }
    auto nest = dyn_cast<DictionaryAttr>(attr);
    return nest && unit.anchor()->hasAttr(schedule::kScheduleAttr) &&
           succeeded(schedule::fitSchedule(nest, unit, error));
  }

  std::vector<std::string> candidates(schedule::Unit &unit) {
    std::vector<std::string> texts;
    if (unit.anchor()->hasAttr(schedule::kTileAttr)) {
      for (const std::string &tile : target.tileCandidates(unit, options, kMostCandidates))
        texts.push_back(textOf(StringAttr::get(module.getContext(), tile)));
      return texts;
    }
    auto attr = unit.anchor()->getAttrOfType<DictionaryAttr>(schedule::kScheduleAttr);
    std::string error;
    auto decided =
        attr ? schedule::fitSchedule(attr, unit, error) : FailureOr<schedule::Schedule>();
    if (failed(decided)) return texts;
    for (const schedule::Schedule &s :
         schedule::candidateSchedules(unit, *decided, machine, kMostCandidates))
      texts.push_back(textOf(s.toAttr(module.getContext())));
    return texts;
  }

  KernelSchedules describe(func::FuncOp kernel, const std::string &key) {
    KernelSchedules k{key, {}, {}};
    for (rt::LaunchOp launch : launches[kernel.getName()])
      k.launches.push_back(static_cast<int32_t>(launch.getKernel()));
    schedule::forEachUnit(kernel, machine, [&](unsigned, schedule::Unit &unit) {
      k.units.push_back(candidates(unit));
    });
    return k;
  }

  /// Launching a kernel again does no harm to the time that it takes, but its
  /// results may not be the model's afterwards.
  void addVariants(func::FuncOp kernel, const std::string &key) {
    auto wanted = hooks.variants(describe(kernel, key));
    rt::LaunchOp first = launches[kernel.getName()].front();
    if (wanted.empty() || first.getNumResults()) return;
    OpBuilder b(first->getContext());
    b.setInsertionPointAfter(first);
    relaunch(b, first, kernel, {key, "", 0, -1});
    for (const auto &[unit, text] : wanted)
      if (func::FuncOp variant = makeVariant(kernel, unit, text))
        relaunch(b, first, variant, {key, text, unit, -1});
    relaunch(b, first, kernel, {key, "", 0, -1});
  }

  func::FuncOp makeVariant(func::FuncOp kernel, unsigned wanted, const std::string &text) {
    Attribute attr = parseSchedule(text, module.getContext());
    if (!attr) return {};
    func::FuncOp variant = kernel.clone();
    variant.setName((kernel.getName() + "_t" + Twine(added.size())).str());
    module.getBody()->push_back(variant);
    bool isSet = false;
    schedule::forEachUnit(variant, machine, [&](unsigned number, schedule::Unit &unit) {
      if (number != wanted || !fits(attr, unit)) return;
      bool isTile = unit.anchor()->hasAttr(schedule::kTileAttr);
      unit.anchor()->setAttr(isTile ? schedule::kTileAttr : schedule::kScheduleAttr, attr);
      isSet = true;
    });
    if (isSet) return variant;
    variant.erase();
    return {};
  }

  void relaunch(OpBuilder &b, rt::LaunchOp first, func::FuncOp callee, TuningLaunch row) {
    row.kernel = static_cast<int32_t>(table.size());
    NamedAttrList entry(cast<DictionaryAttr>(table[first.getKernel()]));
    entry.set("function", b.getStringAttr(callee.getName()));
    table.push_back(entry.getDictionary(b.getContext()));
    rt::LaunchOp::create(b, first.getLoc(), TypeRange(), FlatSymbolRefAttr::get(callee.getSymNameAttr()),
                         b.getI32IntegerAttr(row.kernel), first.getArgs());
    added.push_back(std::move(row));
  }

  ModuleOp module;
  const Target &target;
  const TargetOptions &options;
  const TuningHooks &hooks;
  schedule::MachineModel machine;
  llvm::StringMap<SmallVector<rt::LaunchOp>> launches;
  SmallVector<Attribute> table;
  SmallVector<NamedAttribute> tuned;
  std::set<std::string> known;
  int64_t numFit = 0;
  std::vector<TuningLaunch> added;
};

}  // namespace

int64_t tuneModule(ModuleOp module, const Target &target, const TargetOptions &options,
                   const TuningHooks &hooks) {
  return Tuner(module, target, options, hooks).run();
}

}  // namespace adze
