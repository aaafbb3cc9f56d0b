// Nests that a team of threads runs together: one dimension is shared out, sums
// of the threads are combined, and the first thread stores what all would.
#include "dialects/Rt/Rt.h"
#include "passes/Schedule/Decide.h"
#include "passes/Schedule/NestEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace adze::schedule {

/// The dimension that the team shares out: the lanes', where that is one the
/// unit loops over in a team; else the longest; -1: there is none left.
int NestEmitter::teamDim(const NestState &state) const {
  auto isLeft = [&](unsigned dim) {
    return unit.isReduction[dim] == (unit.core >= 0) && !state.dims[dim].bound &&
           state.dims[dim].extent.value_or(2) > 1;
  };
  if (schedule.vectorDim >= 0 && isLeft(schedule.vectorDim))
    return schedule.vectorDim;
  int longest = -1;
  for (unsigned dim = 0; dim < unit.numDims(); ++dim)
    if (isLeft(dim) &&
        (longest < 0 || estimateSize(unit.sizes[dim]) > estimateSize(unit.sizes[longest])))
      longest = dim;
  return longest;
}

Value NestEmitter::isFirstLane() {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, lane, constant(0));
}

/// Where this thread begins; `step`, of one thread, becomes the team's.
Rung NestEmitter::shareOfTeam(const Rung &rung, int64_t &step) {
  Rung own = rung;
  own.lower = add(rung.lower, mul(lane, constant(step)));
  step *= schedule.team;
  return own;
}

/// What `emit` makes of the first thread; of the others `otherwise`.
SmallVector<Value> NestEmitter::onFirstLane(ArrayRef<Value> otherwise,
                                            llvm::function_ref<Values()> emit) {
  auto branch = scf::IfOp::create(builder, loc, TypeRange(ValueRange(otherwise)), isFirstLane(),
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(builder, loc, emit());
  builder.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder, loc, otherwise);
  return Values(branch.getResults());
}

/// The rest of the nest, with something for each thread to do; else the first
/// one does it.
void NestEmitter::emitWithLane(NestState state) {
  OpBuilder::InsertionGuard guard(builder);
  Value own = lane;
  shared = teamDim(state);
  if (shared < 0) {
    auto first = scf::IfOp::create(builder, loc, isFirstLane(), /*withElseRegion=*/false);
    builder.setInsertionPointToStart(first.thenBlock());
    lane = Value();
  }
  emitLoops(0, std::move(state));
  lane = own;
  shared = -1;
}

Value NestEmitter::reduceTeam(Value value) {
  Operation *combiner = findCombiner(unit.stages[unit.core].op, 0);
  return rt::TeamReduceOp::create(builder, loc, combiner->getName().getStringRef(), value,
                                  schedule.team);
}

/// As mergeLanes(), of an accumulator whose lanes are results of their own.
Value NestEmitter::mergeTeam(Value value, Value init) {
  Operation *combiner = findCombiner(unit.stages[unit.core].op, 0);
  auto vector = dyn_cast<VectorType>(value.getType());
  if (!vector)
    return combine(builder, combiner, init, reduceTeam(value));
  for (int64_t i = 0; i < vector.getNumElements(); ++i) {
    Value part = reduceTeam(vector::ExtractOp::create(builder, loc, value, i));
    value = vector::InsertOp::create(builder, loc, part, value, i);
  }
  return combine(builder, combiner, splat(builder, loc, init, vector.getNumElements()), value);
}

}  // namespace adze::schedule
