// Orders a unit's loops and decides which of them run in parallel.
#include "passes/Schedule/Decide.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adze::schedule {
namespace {

/// Multiply-adds that one element of a unit without reduction costs: such
/// units are bound by memory.
constexpr int64_t kElementCost = 4;
/// Least work inside an iteration of a parallel loop: less, and splitting the
/// iteration number into indices would show.
constexpr int64_t kIterationWork = 16384;
/// Iterations that feed any number of threads we care for.
constexpr int64_t kEnoughIterations = 32;

class LoopOrder {
public:
  LoopOrder(const Unit &unit, const MachineModel &machine, Schedule &schedule)
      : unit(unit), machine(machine), schedule(schedule) {}

  void run() {
    SmallVector<unsigned> order = parallelOrder();
    markParallel(order);
    for (unsigned dim : order)
      addLoop(dim);
    for (unsigned dim = 0; dim < unit.numDims(); ++dim)
      if (unit.isReduction[dim])
        addLoop(dim);
  }

private:
  int64_t size(unsigned dim) const { return estimateSize(unit.sizes[dim]); }
  bool isLanes(unsigned dim) const { return static_cast<int>(dim) == schedule.vectorDim; }
  int64_t step(unsigned dim) const {
    return schedule.tile[dim] * (isLanes(dim) ? schedule.lanes : 1);
  }

  /// Parallel dimensions, outermost first: all but rows and lanes in their
  /// order, then rows. The block of lanes comes before the dimensions that
  /// reuse its weights, so that those stay in the cache; without a reduction
  /// lanes are innermost.
  SmallVector<unsigned> parallelOrder() const {
    SmallVector<unsigned> order, rows;
    for (unsigned dim = 0; dim < unit.numDims(); ++dim)
      if (!unit.isReduction[dim] && !isLanes(dim))
        (schedule.tile[dim] > 1 ? rows : order).push_back(dim);
    bool lanesParallel = schedule.vectorDim >= 0 && !unit.isReduction[schedule.vectorDim];
    if (lanesParallel && unit.core >= 0) {
      auto *place = order.end();
      if (!readsOnlyVectors())
        place = llvm::find_if(order, [&](unsigned dim) { return sharesLanes(dim); });
      order.insert(place, schedule.vectorDim);
    }
    order.append(rows);
    if (lanesParallel && unit.core < 0)
      order.push_back(schedule.vectorDim);
    return order;
  }

  /// Nothing is read again for another block of lanes (depthwise): memory is best
  /// walked in its own order then.
  bool readsOnlyVectors() const {
    const Stage &core = unit.stages[unit.core];
    return llvm::all_of(ArrayRef(core.operands).take_front(core.numInputs()),
                        [&](const Access &access) {
                          return access.isScalar || access.dependsOn(schedule.vectorDim);
                        });
  }

  /// An operand read in vectors does not change with `dim`.
  bool sharesLanes(unsigned dim) const {
    if (size(dim) == 1)
      return false;
    const Stage &core = unit.stages[unit.core];
    return llvm::any_of(ArrayRef(core.operands).take_front(core.numInputs()),
                        [&](const Access &access) {
                          return !access.isScalar && access.dependsOn(schedule.vectorDim) &&
                                 !access.dependsOn(dim);
                        });
  }

  /// Outer loops run in parallel until there are enough iterations or too
  /// little work inside; the last one goes by chunks that are worth it.
  void markParallel(ArrayRef<unsigned> order) {
    int64_t work = unit.core < 0 ? kElementCost : 1;
    for (unsigned dim = 0; dim < unit.numDims(); ++dim)
      work = llvm::SaturatingMultiply<uint64_t>(work, size(dim));
    bool fixed = llvm::all_of(unit.sizes, [](const Stride &s) { return s.asConstant().has_value(); });
    if (fixed && work < 2 * machine.taskWork)
      return;
    int64_t iterations = 1;
    for (unsigned dim : order) {
      // Sizes known at run time only may be large: the first loop is free.
      bool enough = fixed || !schedule.loops.empty();
      if (iterations >= kEnoughIterations || (enough && work < 2 * kIterationWork))
        break;
      int64_t perStep = std::max<int64_t>(1, work / llvm::divideCeil(size(dim), step(dim)));
      int64_t steps = chunkSteps(dim, llvm::divideCeil(kIterationWork, perStep));
      auto known = unit.sizes[dim].asConstant();
      if (known && step(dim) >= *known) {
        work = perStep;
        continue;
      }
      if (known && step(dim) * steps >= *known)
        break;
      schedule.loops.push_back({dim, step(dim) * steps, true});
      work = perStep * steps;
      if (known)
        iterations *= llvm::divideCeil(*known, step(dim) * steps);
    }
    if (!schedule.loops.empty())
      schedule.grain = std::max<int64_t>(1, machine.taskWork / std::max<int64_t>(1, work));
  }

  /// At least `least` tiles; a number that divides the dimension, if near.
  int64_t chunkSteps(unsigned dim, int64_t least) const {
    auto known = unit.sizes[dim].asConstant();
    for (int64_t steps = least; known && steps <= 2 * least; ++steps)
      if (*known % (step(dim) * steps) == 0)
        return steps;
    return llvm::bit_ceil<uint64_t>(least);
  }

  void addLoop(unsigned dim) {
    auto *chunk = llvm::find_if(schedule.loops, [&](const Loop &loop) { return loop.dim == dim; });
    // Without a reduction the tile loop keeps its place, lanes innermost.
    if (chunk == schedule.loops.end() || chunk->step != step(dim) || unit.core < 0)
      schedule.loops.push_back({dim, step(dim), false});
  }

  const Unit &unit;
  const MachineModel &machine;
  Schedule &schedule;
};

}  // namespace

int64_t estimateSize(const Stride &size) {
  if (auto known = size.asConstant())
    return *known;
  int64_t factor = 1;
  for (const Term &term : size.getTerms())
    factor = std::max(factor, term.coefficient);
  return std::max<int64_t>(64, llvm::SaturatingMultiply<uint64_t>(factor, 4));
}

void orderLoops(const Unit &unit, const MachineModel &machine, Schedule &schedule) {
  LoopOrder(unit, machine, schedule).run();
}

}  // namespace adze::schedule
