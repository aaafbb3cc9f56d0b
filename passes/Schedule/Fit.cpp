#include "passes/Schedule/Fit.h"

#include "passes/Schedule/BodyEmitter.h"

using namespace mlir;

namespace adze::schedule {

/// A lane is a byte at least, a vector no longer than any machine's.
static constexpr int64_t kMostLanes = 256;
/// Points of a register tile: far more than there are registers.
static constexpr int64_t kMostPoints = 512;
/// Steps of chunks and sizes of tasks; indices plus these stay in 64 bits.
static constexpr int64_t kMostSteps = int64_t(1) << 40;

bool canVectorize(const Unit &unit, unsigned dim) {
  for (const Stage &stage : unit.stages) {
    if (!isVectorizableBody(stage.op))
      return false;
    for (const Access &access : stage.operands)
      if (!access.isScalar && access.isBoundedBy(dim))
        return false;
  }
  if (!unit.isReduction[dim])
    return true;
  const Stage &core = unit.stages[unit.core];
  return core.outputs().size() == 1 && findCombiner(core.op, 0) &&
         arith::getNeutralElement(findCombiner(core.op, 0)).has_value();
}

/// The nest divides a packed dimension as the pack does, so that no vector and
/// no tile crosses a block at an odd place.
static bool packsFit(const Unit &unit, const Schedule &schedule) {
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

std::string whyUnfit(const Unit &unit, const Schedule &schedule) {
  SmallVector<unsigned> loops(unit.numDims(), 0);
  for (auto [index, loop] : llvm::enumerate(schedule.loops)) {
    // Tasks take what is computed before them, and that may be no vectors.
    if (loop.parallel && index > 0 && !schedule.loops[index - 1].parallel)
      return "parallel loops come first";
    // A sum is in registers from its first term to its last.
    if (unit.isReduction[loop.dim] && (loop.parallel || loops[loop.dim] > 0))
      return "a reduction has one loop, which is not parallel";
    if (++loops[loop.dim] > 3 || loop.step > kMostSteps)
      return "its chunks are too many or too large";
  }
  int64_t points = 1;
  for (int64_t tile : schedule.tile)
    points = std::min(points * tile, kMostPoints + 1);
  if (points > kMostPoints)
    return "its tile is far larger than the registers";
  if (schedule.vectorDim < -1 || schedule.lanes > kMostLanes)
    return "bad vector dimension or lanes";
  if (schedule.grain < 1 || schedule.grain > kMostSteps)
    return "bad grain";
  if (schedule.vectorDim >= 0 && !canVectorize(unit, schedule.vectorDim))
    return "its lanes lie along a dimension that has no vectors";
  if (!packsFit(unit, schedule))
    return "its tile does not divide the packed operand's blocks";
  return "";
}

FailureOr<Schedule> fitSchedule(DictionaryAttr attr, Unit &unit, std::string &error) {
  FailureOr<Schedule> schedule = Schedule::fromAttr(attr, unit.numDims(), error);
  if (failed(schedule))
    return failure();
  if (!schedule->collapse.empty() && failed(collapseDims(unit, schedule->collapse)))
    error = "its schedule collapses dimensions that are not contiguous";
  else
    error = whyUnfit(unit, *schedule);
  if (!error.empty())
    return failure();
  return schedule;
}

}  // namespace adze::schedule
