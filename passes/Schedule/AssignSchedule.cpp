#include "passes/Schedule/Decide.h"
#include "passes/Schedule/Passes.h"
#include "passes/Schedule/Prepare.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
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
      auto units = buildUnits(*block, [&](Operation *, StringRef) { ++numUnsupported; });
      for (std::unique_ptr<Unit> &unit : units)
        assign(*unit, machine);
    });
  }

  void assign(Unit &unit, const MachineModel &machine) {
    linalg::GenericOp anchor = unit.anchor();
    if (anchor->hasAttr(kScheduleAttr))
      return;
    anchor->setAttr(kScheduleAttr, decideSchedule(unit, machine).toAttr(&getContext()));
    ++numUnits;
  }
};

}  // namespace
}  // namespace adze::schedule
