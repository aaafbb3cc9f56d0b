#include "passes/Schedule/Decide.h"
#include "passes/Schedule/Passes.h"
#include "passes/Schedule/Prepare.h"
#include "passes/Schedule/RowFusion.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"

namespace adze::schedule {
#define GEN_PASS_DEF_ASSIGNSCHEDULE
#include "passes/Schedule/Passes.h.inc"
}  // namespace adze::schedule

using namespace mlir;

namespace adze::schedule {
namespace {

struct AssignSchedule : impl::AssignScheduleBase<AssignSchedule> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    generalizeKernels(function);
    MachineModel machine = MachineModel::of(function);
    function.walk([&](Block *block) {
      if (isa<linalg::LinalgOp>(block->getParentOp()))
        return;
      Paddings paddings(*block, machine);
      // Deciding changes a unit: what is decided for good is decided afresh.
      while (setApart(unitsOf(*block, paddings), machine)) {
      }
      SmallVector<std::unique_ptr<Unit>> units = unitsOf(*block, paddings);
      SmallVector<Runs> runs;
      for (std::unique_ptr<Unit> &unit : units)
        runs.push_back(findCollapsible(*unit));
      alignRows(units, runs);
      for (auto [unit, own] : llvm::zip(units, runs))
        assign(*unit, own, machine);
    });
    numUnsupported += unsupported.size();
  }

  SmallVector<std::unique_ptr<Unit>> unitsOf(Block &block, const Paddings &paddings) {
    return buildUnits(block, paddings, [&](Operation *op, StringRef) { unsupported.insert(op); });
  }

  /// Where the lanes lie along the sum, what follows it has one element at a
  /// time: elementary functions, which cost as much for a whole vector, begin a
  /// unit of their own. True if some did.
  static bool setApart(SmallVector<std::unique_ptr<Unit>> units, const MachineModel &machine) {
    bool changed = false;
    for (const std::unique_ptr<Unit> &unit : units) {
      linalg::GenericOp costly = costlyEpilogue(*unit);
      if (!costly || unit->anchor()->hasAttr(kScheduleAttr))
        continue;
      Schedule schedule = decideSchedule(*unit, findCollapsible(*unit), machine);
      if (schedule.vectorDim < 0 || !unit->isReduction[schedule.vectorDim])
        continue;
      costly->setAttr(kApartAttr, UnitAttr::get(costly.getContext()));
      changed = true;
    }
    return changed;
  }

  /// The first op after the reduction that calls elementary functions.
  static linalg::GenericOp costlyEpilogue(const Unit &unit) {
    if (unit.core >= 0)
      for (const Stage &stage : ArrayRef(unit.stages).drop_front(unit.core + 1))
        for (Operation &op : stage.op.getBody()->without_terminator())
          if (isa<math::MathDialect>(op.getDialect()) && !isa<math::AbsFOp, math::FmaOp>(op))
            return stage.op;
    return {};
  }

  void assign(Unit &unit, const Runs &runs, const MachineModel &machine) {
    linalg::GenericOp anchor = unit.anchor();
    if (anchor->hasAttr(kScheduleAttr))
      return;
    Schedule schedule = decideSchedule(unit, runs, machine);
    if (anchor->getParentOfType<scf::ParallelOp>())
      makeSequential(schedule);  // a task is not shared out again
    anchor->setAttr(kScheduleAttr, schedule.toAttr(&getContext()));
    ++numUnits;
  }

  llvm::SmallPtrSet<Operation *, 8> unsupported;
};

}  // namespace
}  // namespace adze::schedule
