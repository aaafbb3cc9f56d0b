#include "passes/Schedule/NestEmitter.h"
#include "passes/Schedule/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"

namespace adze::schedule {
#define GEN_PASS_DEF_EMITNESTS
#include "passes/Schedule/Passes.h.inc"
}  // namespace adze::schedule

using namespace mlir;

namespace adze::schedule {
namespace {

/// The nest divides a packed dimension as the pack does, so that no vector and
/// no tile crosses a block at an odd place.
bool packsFit(const Unit &unit, const Schedule &schedule) {
  for (const Stage &stage : unit.stages)
    for (const Access &access : stage.operands) {
      if (access.packedDim < 0)
        continue;
      int64_t lanes = access.packedDim == schedule.vectorDim ? schedule.lanes : 1;
      int64_t step = schedule.tile[access.packedDim] * lanes;
      if (access.packTile % lanes != 0 || (access.packTile % step != 0 && step % access.packTile != 0))
        return false;
    }
  return true;
}

struct EmitNests : impl::EmitNestsBase<EmitNests> {
  void runOnOperation() override {
    MachineModel machine = MachineModel::of(getOperation());
    SmallVector<Block *> blocks;
    getOperation().walk([&](Block *block) {
      if (!isa<linalg::LinalgOp>(block->getParentOp()))
        blocks.push_back(block);
    });
    for (Block *block : blocks)
      emitBlock(*block, machine);
  }

  void fallBack(Operation *op, StringRef why) {
    ++numFallback;
    op->emitRemark() << "left to the loop fallback: " << why;
  }

  void emitBlock(Block &block, const MachineModel &machine) {
    auto units = buildUnits(block, [&](Operation *op, StringRef why) { fallBack(op, why); });
    for (std::unique_ptr<Unit> &unit : units)
      emitUnit(*unit, machine);
  }

  void emitUnit(Unit &unit, const MachineModel &machine) {
    linalg::GenericOp anchor = unit.anchor();
    auto attr = anchor->getAttrOfType<DictionaryAttr>(kScheduleAttr);
    if (!attr)
      return fallBack(anchor, "it has no schedule");
    std::string error;
    FailureOr<Schedule> schedule = Schedule::fromAttr(attr, unit.numDims(), error);
    if (failed(schedule))
      return fallBack(anchor, error);
    if (!schedule->collapse.empty() && failed(collapseDims(unit, schedule->collapse)))
      return fallBack(anchor, "its schedule collapses dimensions that are not contiguous");
    if (!packsFit(unit, *schedule))
      return fallBack(anchor, "its tile does not divide the packed operand's blocks");
    OpBuilder builder(unit.insertionPoint());
    NestEmitter(unit, *schedule, machine, builder, anchor.getLoc()).emit();
    for (const Stage &stage : unit.stages)
      stage.op->erase();
    ++numNests;
  }
};

}  // namespace
}  // namespace adze::schedule

