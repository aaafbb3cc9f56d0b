#include "passes/Schedule/Candidates.h"

#include "passes/Schedule/Decide.h"
#include "passes/Schedule/Fit.h"
#include "passes/Schedule/RowFusion.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adze::schedule {
namespace {

/// Schedules of one unit with a guess of what each costs.
class Search {
public:
  Search(const Unit &unit, const Schedule &decided, const MachineModel &machine)
      : unit(unit), decided(decided), machine(machine) {}

  SmallVector<Schedule> run(unsigned limit) {
    for (unsigned dim = 0; dim < unit.numDims(); ++dim)
      if (size(dim) > 1 && canVectorize(unit, dim))
        for (int64_t lanes = widestLanes(); lanes > 1 && lanes * 2 >= widestLanes(); lanes /= 2)
          tile(dim, lanes);
    if (found.empty())
      tile(-1, 1);
    llvm::stable_sort(found, [](const Found &a, const Found &b) { return a.cost < b.cost; });
    SmallVector<Schedule> best;
    for (Found &f : found)
      if (best.size() < limit)
        best.push_back(std::move(f.schedule));
    return best;
  }

private:
  struct Found {
    Schedule schedule;
    double cost;  ///< of a point, 1 where all multiply-adders are busy
    Attribute text;
  };

  int64_t size(unsigned dim) const { return estimateSize(unit.sizes[dim]); }
  bool reduces(int dim) const { return dim >= 0 && unit.isReduction[dim]; }

  /// Of the widest element that the unit touches: what Decide reckons with.
  int64_t widestLanes() const {
    if (decided.vectorDim >= 0)
      return decided.lanes;
    int64_t bits = 8;
    for (const Stage &stage : unit.stages)
      for (const Access &access : stage.operands)
        if (Type type = access.elementType(); type.isIntOrFloat())
          bits = std::max<int64_t>(bits, type.getIntOrFloatBitWidth());
        else
          bits = 64;
    return llvm::bit_floor(static_cast<uint64_t>(std::max<int64_t>(1, machine.vectorBits / bits)));
  }

  /// Tiles with the lanes along `vectorDim`: columns of vectors times rows of one
  /// or two other dimensions.
  void tile(int vectorDim, int64_t lanes) {
    static constexpr int64_t kRows[] = {1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14};
    int64_t vectors = vectorDim < 0 ? 1 : llvm::divideCeil(size(vectorDim), lanes);
    SmallVector<int> rows{-1};
    for (unsigned dim = 0; dim < unit.numDims(); ++dim)
      if (!unit.isReduction[dim] && static_cast<int>(dim) != vectorDim && size(dim) > 1)
        rows.push_back(dim);
    for (int64_t columns = 1; columns <= std::min<int64_t>(8, vectors); ++columns)
      for (int row : rows)
        for (int64_t count : kRows) {
          if ((row < 0) != (count == 1) || (row >= 0 && count > size(row)))
            continue;
          Schedule schedule = base(vectorDim, lanes, columns);
          if (row >= 0)
            schedule.tile[row] = count;
          add(schedule);
          if (reduces(vectorDim) && columns == 1 && count <= 4)
            addSecondRows(schedule, row);
        }
  }

  /// Dot products share what they read along two dimensions.
  void addSecondRows(const Schedule &schedule, int row) {
    for (unsigned dim = 0; dim < unit.numDims(); ++dim)
      for (int64_t count : {2, 4}) {
        if (row < 0 || static_cast<int>(dim) <= row || unit.isReduction[dim] || count > size(dim))
          continue;
        Schedule both = schedule;
        both.tile[dim] = count;
        add(both);
      }
  }

  Schedule base(int vectorDim, int64_t lanes, int64_t columns) const {
    Schedule schedule;
    schedule.collapse = decided.collapse;
    schedule.tile.assign(unit.numDims(), 1);
    schedule.vectorDim = vectorDim;
    schedule.lanes = vectorDim < 0 ? 1 : lanes;
    if (vectorDim >= 0)
      schedule.tile[vectorDim] = columns;
    return schedule;
  }

  /// The tile, with its loops in the usual order and in others.
  void add(Schedule schedule) {
    double cost = costOf(schedule);
    orderLoops(unit, machine, schedule);
    if (unit.anchor()->getParentOfType<scf::ParallelOp>())
      makeSequential(schedule);  // a task is not shared out again
    keep(schedule, cost);
    if (unit.core < 0 || schedule.vectorDim < 0 || reduces(schedule.vectorDim))
      return;
    keep(withLanes(schedule, /*outermost=*/true), cost * 1.02);
    keep(withLanes(schedule, /*outermost=*/false), cost * 1.04);
  }

  /// The loop over blocks of lanes moves to one end of the loops that are neither
  /// parallel nor of the reduction.
  Schedule withLanes(Schedule schedule, bool outermost) const {
    SmallVector<Loop> before, middle, lanes, after;
    for (const Loop &loop : schedule.loops) {
      bool ours = !loop.parallel && static_cast<int>(loop.dim) == schedule.vectorDim;
      (loop.parallel ? before : unit.isReduction[loop.dim] ? after : ours ? lanes : middle)
          .push_back(loop);
    }
    schedule.loops = before;
    schedule.loops.append(outermost ? lanes : middle);
    schedule.loops.append(outermost ? middle : lanes);
    schedule.loops.append(after);
    return schedule;
  }

  void keep(const Schedule &schedule, double cost) {
    if (!whyUnfit(unit, schedule).empty())
      return;
    MLIRContext *context = unit.anchor().getContext();
    Attribute text = schedule.toAttr(context);
    if (text == decided.toAttr(context) ||
        llvm::any_of(found, [&](const Found &f) { return f.text == text; }))
      return;
    found.push_back({schedule, cost, text});
  }

  /// Cycles of a tile and a step of its sum, a point: multiply-adds and loads, two
  /// a cycle each, and the chains of sums; then what idles in tails, and spills.
  double costOf(const Schedule &schedule) const {
    double points = 1, used = 1;
    for (unsigned dim = 0; dim < unit.numDims(); ++dim) {
      points *= schedule.tile[dim];
      int64_t step = schedule.tile[dim];
      if (static_cast<int>(dim) == schedule.vectorDim)
        step *= schedule.lanes;
      if (!unit.isReduction[dim])
        used *= static_cast<double>(size(dim)) / (llvm::divideCeil(size(dim), step) * step);
    }
    double loads = loadsOf(schedule), cycles = std::max(points, loads) / 2;
    if (unit.core >= 0)
      cycles = std::max(cycles, machine.fmaLatency / 2.0);
    double registers = (unit.core >= 0 ? points : 0) + std::min(points, loads) + 1;
    double spilled = std::max(0.0, registers - machine.vectorRegisters);
    cycles += spilled + 0.5;  // and the loop's own
    double lanes = static_cast<double>(schedule.lanes) / widestLanes();
    return 2 * cycles / (points * lanes * std::max(used, 1e-3));
  }

  /// Loads of a tile's step: an operand is read once where the tile repeats it;
  /// vectors whose elements lie apart are read one by one.
  double loadsOf(const Schedule &schedule) const {
    double loads = 0;
    for (const Stage &stage : unit.stages)
      for (const Access &access : ArrayRef(stage.operands).take_front(stage.numInputs())) {
        if (access.isScalar || (unit.core >= 0 && &stage != &unit.stages[unit.core]))
          continue;
        double count = 1;
        for (unsigned dim = 0; dim < unit.numDims(); ++dim)
          if (access.dependsOn(dim))
            count *= schedule.tile[dim];
        int lanes = schedule.vectorDim;
        if (lanes >= 0 && access.dependsOn(lanes) && !access.isContiguousIn(lanes))
          count *= schedule.lanes;
        loads += count;
      }
    return loads;
  }

  const Unit &unit;
  const Schedule &decided;
  const MachineModel &machine;
  SmallVector<Found> found;
};

}  // namespace

SmallVector<Schedule> candidateSchedules(const Unit &unit, const Schedule &decided,
                                         const MachineModel &machine, unsigned limit) {
  return Search(unit, decided, machine).run(limit);
}

}  // namespace adze::schedule
