// Schedules for machines of many threads (simtWidth): each iteration of the
// parallel loops is a thread's, and neighbours in memory are neighbouring threads'.
#include "passes/Schedule/BodyEmitter.h"
#include "passes/Schedule/Decide.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adze::schedule {
namespace {

class ThreadSchedule {
public:
  ThreadSchedule(const Unit &unit, const MachineModel &machine, Schedule &schedule)
      : unit(unit), machine(machine), schedule(schedule) {}

  void run() {
    if (unit.core < 0)
      storeTogether();
    else if (!formTeam())
      chooseTile();
    for (unsigned dim : parallelOrder())
      schedule.loops.push_back({dim, step(dim), true});
    for (unsigned dim = 0; dim < unit.numDims(); ++dim)
      if (unit.isReduction[dim])
        schedule.loops.push_back({dim, step(dim), false});
  }

private:
  int64_t size(unsigned dim) const { return estimateSize(unit.sizes[dim]); }
  bool isLanes(unsigned dim) const { return static_cast<int>(dim) == schedule.vectorDim; }
  int64_t step(unsigned dim) const {
    return schedule.tile[dim] * (isLanes(dim) ? schedule.lanes : 1);
  }

  /// Threads that run when each takes `rows` indices of `row`.
  int64_t threadsWith(int row, int64_t rows, int64_t vectors) const {
    int64_t threads = 1;
    for (unsigned dim = 0; dim < unit.numDims(); ++dim) {
      if (unit.isReduction[dim])
        continue;
      int64_t each = static_cast<int>(dim) == row ? rows : isLanes(dim) ? vectors * schedule.lanes : 1;
      threads = llvm::SaturatingMultiply<uint64_t>(threads, llvm::divideCeil(size(dim), each));
    }
    return threads;
  }

  /// An operand of the core does not change with `dim`: rows share its reads.
  bool sharesReads(unsigned dim) const {
    const Stage &core = unit.stages[unit.core];
    return llvm::any_of(ArrayRef(core.operands).take_front(core.numInputs()),
                        [&](const Access &access) { return !access.isScalar && !access.dependsOn(dim); });
  }

  /// The longest parallel dimension, but for the lanes', whose points share reads. One
  /// whose size is not known may turn out to be short.
  int rowDim() const {
    int row = -1;
    for (unsigned dim = 0; dim < unit.numDims(); ++dim)
      if (!unit.isReduction[dim] && !isLanes(dim) && unit.sizes[dim].asConstant() &&
          size(dim) > 1 && sharesReads(dim) && (row < 0 || size(dim) >= size(row)))
        row = dim;
    return row;
  }

  bool hasUnknownTerms() const {
    return llvm::any_of(llvm::seq<unsigned>(0, unit.numDims()), [&](unsigned dim) {
      return unit.isReduction[dim] && !unit.sizes[dim].asConstant();
    });
  }

  /// What is interleaved in memory along the lanes is stored by one thread.
  void storeTogether() {
    if (schedule.vectorDim < 0)
      return;
    for (const Stage &stage : unit.stages)
      for (const Access &access : stage.outputs())
        if (int inner = interleavedDim(unit, access, schedule.vectorDim); inner >= 0)
          schedule.tile[inner] = *unit.sizes[inner].asConstant();
  }

  /// Terms of a sum, in vectors.
  int64_t depth() const {
    int64_t terms = 1;
    for (unsigned dim = 0; dim < unit.numDims(); ++dim)
      if (unit.isReduction[dim])
        terms = llvm::SaturatingMultiply<uint64_t>(terms, llvm::divideCeil(size(dim), step(dim)));
    // Sizes that are not known: few terms cost a team little.
    return hasUnknownTerms() ? std::max(terms, 2 * machine.simtWidth) : terms;
  }

  /// Where there are too few results for all threads, several sum up one.
  bool formTeam() {
    const Stage &core = unit.stages[unit.core];
    Type type = core.outputs().front().elementType();
    if (core.outputs().size() != 1 || !findCombiner(core.op, 0) ||
        !(type.isF32() || type.isInteger(32)))
      return false;
    int64_t results = threadsWith(-1, 1, 1), terms = depth();
    bool alongRow = schedule.vectorDim >= 0 && unit.isReduction[schedule.vectorDim];
    bool isFew = results < machine.threads / (alongRow && rowDim() < 0 ? 1 : 8);
    // Along a row a few terms a thread will do; sums of whole vectors cost more to combine.
    if (!isFew || terms < (alongRow ? machine.simtWidth / 4 : 2 * machine.simtWidth))
      return false;
    constexpr int64_t kBlock = 256;
    bool large = terms >= 2 * kBlock && results * kBlock <= machine.threads;
    schedule.team = large ? kBlock : machine.simtWidth;
    return true;
  }

  /// The largest tile of accumulators that leaves work for all threads.
  void chooseTile() {
    int row = rowDim();
    bool wide = schedule.vectorDim >= 0 && !unit.isReduction[schedule.vectorDim] &&
                sharesReads(schedule.vectorDim);
    constexpr std::pair<int64_t, int64_t> kTiles[] = {{4, 2}, {4, 1}, {2, 1}, {1, 1}};
    for (auto [rows, vectors] : kTiles) {
      if ((vectors > 1 && !wide) || (rows > 1 && (row < 0 || size(row) < rows)))
        continue;
      if (rows * vectors > 1 && threadsWith(row, rows, vectors) < machine.threads)
        continue;
      if (row >= 0)
        schedule.tile[row] = rows;
      if (wide)
        schedule.tile[schedule.vectorDim] = vectors;
      return;
    }
  }

  /// Lanes innermost, else the dimension along which results lie side by side.
  SmallVector<unsigned> parallelOrder() const {
    SmallVector<unsigned> order;
    for (unsigned dim = 0; dim < unit.numDims(); ++dim)
      if (!unit.isReduction[dim] && !isLanes(dim))
        order.push_back(dim);
    if (schedule.vectorDim >= 0 && !unit.isReduction[schedule.vectorDim])
      order.push_back(schedule.vectorDim);
    return order;
  }

  const Unit &unit;
  const MachineModel &machine;
  Schedule &schedule;
};

}  // namespace

void decideForThreads(const Unit &unit, const MachineModel &machine, Schedule &schedule) {
  ThreadSchedule(unit, machine, schedule).run();
}

}  // namespace adze::schedule
