#include "passes/Schedule/Candidates.h"
#include "passes/Schedule/Fit.h"
#include "passes/Schedule/Passes.h"

#include "mlir/Pass/Pass.h"
#include "llvm/Support/xxhash.h"

namespace adze::schedule {
#define GEN_PASS_DEF_APPLYTUNED
#include "passes/Schedule/Passes.h.inc"
}  // namespace adze::schedule

using namespace mlir;

namespace adze::schedule {

std::string kernelKey(func::FuncOp kernel) {
  OwningOpRef<func::FuncOp> bare = kernel.clone();
  bare->setName("kernel");
  bare->getOperation()->removeDiscardableAttr("adze.work");
  std::string text;
  llvm::raw_string_ostream stream(text);
  bare->print(stream, OpPrintingFlags().useLocalScope());
  return llvm::utohexstr(llvm::xxh3_64bits(text), /*LowerCase=*/true, /*Width=*/16);
}

std::string tunedName(StringRef kernelKey, unsigned unit) {
  return (kernelKey + "." + Twine(unit)).str();
}

void forEachUnit(func::FuncOp function, const MachineModel &machine,
                 function_ref<void(unsigned, Unit &)> visit) {
  SmallVector<Block *> blocks;
  function.walk([&](Block *block) {
    if (!isa<linalg::LinalgOp>(block->getParentOp()))
      blocks.push_back(block);
  });
  unsigned number = 0;
  for (Block *block : blocks) {
    Paddings paddings(*block, machine);
    for (std::unique_ptr<Unit> &unit : buildUnits(*block, paddings, [](Operation *, StringRef) {}))
      visit(number++, *unit);
  }
}

namespace {

struct ApplyTuned : impl::ApplyTunedBase<ApplyTuned> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    auto table = function->getParentOp()->getAttrOfType<DictionaryAttr>(kTunedAttr);
    if (!table)
      return;
    std::string key = kernelKey(function);
    forEachUnit(function, MachineModel::of(function), [&](unsigned number, Unit &unit) {
      linalg::GenericOp anchor = unit.anchor();
      Attribute found = table.get(tunedName(key, number));
      if (found && anchor->hasAttr(kTileAttr))
        return applyTile(anchor, found);
      if (!found || !anchor->hasAttr(kScheduleAttr))
        return;
      std::string error = "it is no dictionary";
      auto attr = dyn_cast<DictionaryAttr>(found);
      if (!attr || failed(fitSchedule(attr, unit, error))) {
        anchor->emitRemark() << "the tuned schedule does not fit: " << error;
        return;
      }
      anchor->setAttr(kScheduleAttr, attr);
      ++numTuned;
    });
  }

  /// Whether it fits is for the target to see.
  void applyTile(linalg::GenericOp anchor, Attribute found) {
    if (!isa<StringAttr>(found)) {
      anchor->emitRemark() << "the tuned schedule does not fit: it is no text";
      return;
    }
    anchor->setAttr(kTileAttr, found);
    ++numTuned;
  }
};

}  // namespace
}  // namespace adze::schedule
