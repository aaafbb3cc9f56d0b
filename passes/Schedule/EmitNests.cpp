#include "dialects/Rt/Rt.h"
#include "passes/Schedule/Fit.h"
#include "passes/Schedule/NestEmitter.h"
#include "passes/Schedule/Passes.h"
#include "passes/Schedule/RowFusion.h"

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

struct EmitNests : impl::EmitNestsBase<EmitNests> {
  void runOnOperation() override {
    MachineModel machine = MachineModel::of(getOperation());
    SmallVector<Block *> blocks;
    getOperation().walk([&](Block *block) {
      if (!isa<linalg::LinalgOp>(block->getParentOp()))
        blocks.push_back(block);
    });
    fallbacks = 0;
    for (Block *block : blocks)
      emitBlock(*block, machine);
    if (fallbacks)
      getOperation()->setAttr("adze.fallback", Builder(&getContext()).getI64IntegerAttr(fallbacks));
  }

  void fallBack(Operation *op, StringRef why) {
    ++numFallback;
    ++fallbacks;
    op->emitRemark() << "left to the loop fallback: " << why;
  }

  void emitBlock(Block &block, const MachineModel &machine) {
    Paddings paddings(block, machine);
    auto units = buildUnits(block, paddings, [&](Operation *op, StringRef why) { fallBack(op, why); });
    SmallVector<Plan, 0> plans;
    for (std::unique_ptr<Unit> &unit : units)
      planUnit(std::move(unit), plans);
    SmallVector<Plan *> group;
    unsigned shared = 0;
    for (Plan &plan : plans) {
      unsigned rows = group.empty() ? 0 : sharedRows(group, plan);
      // A group keeps to the rows that its first two share.
      if (!group.empty() && (rows == 0 || (group.size() > 1 && rows != shared))) {
        emitGroup(group, shared, machine);
        rows = 0;
      }
      shared = rows;
      group.push_back(&plan);
    }
    if (!group.empty())
      emitGroup(group, shared, machine);
    paddings.eraseUnread();
  }

  /// Reads the schedule; a unit that has none, or a wrong one, falls back.
  void planUnit(std::unique_ptr<Unit> unit, SmallVectorImpl<Plan> &plans) {
    linalg::GenericOp anchor = unit->anchor();
    auto attr = anchor->getAttrOfType<DictionaryAttr>(kScheduleAttr);
    if (!attr)
      return breakGroup(anchor, "it has no schedule", plans);
    std::string error;
    FailureOr<Schedule> schedule = fitSchedule(attr, *unit, error);
    if (failed(schedule))
      return breakGroup(anchor, error, plans);
    unit->followsDirectly &= !broken;
    broken = false;
    Plan &plan = plans.emplace_back();
    plan.unit = std::move(unit);
    plan.schedule = std::move(*schedule);
    plan.rowDims = findRowDims(plan);
  }

  /// The op stays where it is: units on its two sides may not run interleaved.
  void breakGroup(Operation *op, StringRef why, SmallVectorImpl<Plan> &) {
    broken = true;
    fallBack(op, why);
  }

  /// The loop over blocks of rows, and over the members of a team; for tasks unless
  /// it is in one. The builder is in it then.
  static SmallVector<Value> openRows(OpBuilder &builder, Location loc, ArrayRef<Plan *> group, NestEmitter *first,
                                     unsigned shared, int64_t rows, int64_t team, const MachineModel &machine) {
    SmallVector<Value> lower, upper, step;
    auto push = [&](Value end, int64_t by) {
      lower.push_back(arith::ConstantIndexOp::create(builder, loc, 0));
      upper.push_back(end);
      step.push_back(arith::ConstantIndexOp::create(builder, loc, by));
    };
    for (unsigned d = 0; d < shared; ++d)
      push(first->upperBound(group.front()->rowDims[d]), d + 1 == shared ? rows : 1);
    if (team > 1)
      push(arith::ConstantIndexOp::create(builder, loc, team), 1);
    else if (group.front()->unit->anchor()->getParentOfType<scf::ParallelOp>()) {
      scf::LoopNest nest = scf::buildLoopNest(builder, loc, lower, upper, step);
      builder.setInsertionPointToStart(nest.loops.back().getBody());
      return llvm::map_to_vector(nest.loops, [](scf::ForOp loop) { return loop.getInductionVar(); });
    }
    auto loop = scf::ParallelOp::create(builder, loc, lower, upper, step);
    if (team > 1)
      loop->setAttr("adze.team", builder.getI64IntegerAttr(team));
    loop->setAttr("adze.grain", builder.getI64IntegerAttr(blocksPerTask(group, shared, rows, machine)));
    builder.setInsertionPointToStart(loop.getBody());
    return llvm::to_vector_of<Value>(loop.getInductionVars());
  }

  /// One unit is a nest of its own; several run block of rows by block of rows.
  void emitGroup(SmallVectorImpl<Plan *> &group, unsigned shared, const MachineModel &machine) {
    int64_t team = 1;
    for (Plan *plan : group)
      team = std::max(team, plan->schedule.team);
    // Many threads share no cache: only a team passes rows on.
    if (machine.simtWidth && group.size() > 1 && team == 1) {
      for (Plan *plan : llvm::to_vector(group)) {
        SmallVector<Plan *> alone{plan};
        emitGroup(alone, 0, machine);
      }
      return group.clear();
    }
    OpBuilder builder(group.back()->unit->insertionPoint());
    Location loc = group.front()->unit->anchor().getLoc();
    SmallVector<std::unique_ptr<NestEmitter>> emitters;
    for (Plan *plan : group) {
      if (group.size() > 1) {
        makeSequential(plan->schedule);
        plan->schedule.team = team;
      }
      Location unitLoc = plan->unit->anchor().getLoc();
      emitters.push_back(std::make_unique<NestEmitter>(*plan->unit, plan->schedule, machine,
                                                       builder, unitLoc));
      emitters.back()->begin();
    }
    if (group.size() == 1) {
      OpBuilder::InsertionGuard guard(builder);
      if (machine.simtWidth && team == 1 && !hasParallelLoop(group.front()->schedule))
        builder.setInsertionPointToStart(oneThread(builder, loc));
      emitters.front()->emit();
    } else {
      int64_t rows = team > 1 ? 1 : rowsPerBlock(group, shared, machine);
      OpBuilder::InsertionGuard guard(builder);
      SmallVector<Value> indices = openRows(builder, loc, group, emitters.front().get(), shared, rows, team, machine);
      for (auto [plan, emitter] : llvm::zip(group, emitters)) {
        SmallVector<Loop> chunk;
        for (unsigned d = 0; d < shared; ++d)
          chunk.push_back({plan->rowDims[d], d + 1 == shared ? rows : 1, false});
        if (team > 1 && emitter != emitters.front())
          rt::TeamBarrierOp::create(builder, loc, team);
        emitter->emitChunk(chunk, ArrayRef(indices).take_front(shared), team > 1 ? indices.back() : Value());
      }
    }
    for (Plan *plan : group)
      for (const Stage &stage : plan->unit->stages)
        stage.op->erase();
    ++numNests;
    group.clear();
  }

  static bool hasParallelLoop(const Schedule &schedule) {
    return llvm::any_of(schedule.loops, [](const Loop &loop) { return loop.parallel; });
  }

  /// The body of a parallel loop of one iteration.
  static Block *oneThread(OpBuilder &builder, Location loc) {
    Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
    Value one = arith::ConstantIndexOp::create(builder, loc, 1);
    return scf::ParallelOp::create(builder, loc, zero, one, one).getBody();
  }

  bool broken = false;
  int64_t fallbacks = 0;
};

}  // namespace
}  // namespace adze::schedule

