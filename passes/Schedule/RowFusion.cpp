#include "passes/Schedule/RowFusion.h"

#include "passes/Schedule/Decide.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adze::schedule {

SmallVector<unsigned> findRowDims(const Plan &plan) {
  const Unit &unit = *plan.unit;
  int lanes = plan.schedule.vectorDim;
  SmallVector<unsigned> rows;
  if (unit.core >= 0 && (lanes < 0 || !unit.isReduction[lanes]))
    return rows;
  for (unsigned dim = 0; dim < unit.numDims(); ++dim) {
    if (unit.isReduction[dim] || unit.sizes[dim] == Stride::constant(1))
      continue;
    if (static_cast<int>(dim) == lanes)
      break;
    rows.push_back(dim);
    if (plan.schedule.tile[dim] > 1)
      break;
  }
  return rows;
}

namespace {

/// The memref dimensions that the row dimension indexes, or empty when it
/// takes part in any other way.
SmallVector<unsigned> rowPositions(const Access &access, unsigned rowDim) {
  SmallVector<unsigned> positions;
  for (auto [r, dim] : llvm::enumerate(access.pureDims))
    if (dim == static_cast<int>(rowDim))
      positions.push_back(r);
  // Some other expression may hold the row index too: then the row's stride is
  // not that of the innermost position.
  if (access.packedDim == static_cast<int>(rowDim))
    positions.clear();
  return positions;
}

bool hasBodyLoads(const Unit &unit) {
  return llvm::any_of(unit.stages, [](const Stage &stage) {
    return llvm::any_of(stage.op.getBody()->without_terminator(),
                        [](Operation &op) { return isa<memref::LoadOp>(op); });
  });
}

/// Each result of the operand's map is a plain dimension or a constant.
bool isPointwise(const Stage &stage, unsigned operand) {
  AffineMap map = stage.op.getMatchingIndexingMap(&stage.op->getOpOperand(operand));
  return llvm::all_of(map.getResults(), [](AffineExpr expr) {
    return isa<AffineDimExpr, AffineConstantExpr>(expr);
  });
}

/// Of the row dimensions, how many outermost ones say that both units touch
/// memory only within the same row. `shares` tells whether there is any that
/// both touch.
unsigned agreeingRows(const Plan &a, const Plan &b, bool &shares) {
  size_t agreeing = std::min(a.rowDims.size(), b.rowDims.size());
  for (const Stage &first : a.unit->stages)
    for (auto [i, x] : llvm::enumerate(first.operands))
      for (const Stage &second : b.unit->stages)
        for (auto [j, y] : llvm::enumerate(second.operands)) {
          bool writes = i >= first.numInputs() || j >= second.numInputs();
          if (x.isScalar || y.isScalar || !writes || !mayAlias(x.source, y.source))
            continue;
          if (x.source != y.source || !isPointwise(first, i) || !isPointwise(second, j))
            return 0;
          for (size_t d = 0; d < agreeing; ++d) {
            SmallVector<unsigned> rows = rowPositions(x, a.rowDims[d]);
            if (rows.empty() || rows != rowPositions(y, b.rowDims[d]))
              agreeing = d;
          }
          shares = true;
        }
  return agreeing;
}

/// Sums along a dimension of one operand, or none.
bool isRowwise(const Unit &unit) {
  if (unit.core < 0)
    return true;
  const Stage &core = unit.stages[unit.core];
  auto isSummed = [&](const Access &access) {
    return llvm::any_of(llvm::seq<unsigned>(0, unit.numDims()),
                        [&](unsigned dim) { return unit.isReduction[dim] && access.dependsOn(dim); });
  };
  return llvm::count_if(ArrayRef(core.operands).take_front(core.numInputs()), isSummed) <= 1;
}

/// Parts the run that holds both dimensions before the second of them. False
/// where none does.
bool cutRun(Runs &runs, int outer, int inner) {
  for (auto *run = runs.begin(); run != runs.end(); ++run) {
    auto *first = llvm::find(*run, static_cast<unsigned>(outer));
    auto *place = llvm::find(*run, static_cast<unsigned>(inner));
    if (place == run->end() || first == run->end())
      continue;
    place = std::max(first, place);
    SmallVector<unsigned, 4> rest(place, run->end());
    run->erase(place, run->end());
    runs.insert(run + 1, rest);
    return true;
  }
  return false;
}

bool areJoined(const Runs &runs, int outer, int inner) {
  return llvm::any_of(runs, [&](ArrayRef<unsigned> run) {
    return llvm::is_contained(run, static_cast<unsigned>(outer)) &&
           llvm::is_contained(run, static_cast<unsigned>(inner));
  });
}

/// One operand of each unit, the same memory. True if a run was cut.
bool alignOperands(const Access &x, Runs &xRuns, const Access &y, Runs &yRuns) {
  bool changed = false;
  for (size_t r = 0; r + 1 < x.pureDims.size(); ++r) {
    int a = x.pureDims[r], b = x.pureDims[r + 1], c = y.pureDims[r], d = y.pureDims[r + 1];
    if (a < 0 || b < 0 || c < 0 || d < 0 || a == b || c == d)
      continue;
    bool first = areJoined(xRuns, a, b), second = areJoined(yRuns, c, d);
    if (first != second)
      changed |= first ? cutRun(xRuns, a, b) : cutRun(yRuns, c, d);
  }
  return changed;
}

bool alignUnits(const Unit &a, Runs &aRuns, const Unit &b, Runs &bRuns) {
  bool changed = false;
  for (const Stage &first : a.stages)
    for (auto [i, x] : llvm::enumerate(first.operands))
      for (const Stage &second : b.stages)
        for (auto [j, y] : llvm::enumerate(second.operands))
          if (!x.isScalar && x.source == y.source &&
              (i >= first.numInputs() || j >= second.numInputs()))
            changed |= alignOperands(x, aRuns, y, bRuns);
  return changed;
}

}  // namespace

void alignRows(ArrayRef<std::unique_ptr<Unit>> units, MutableArrayRef<Runs> runs) {
  bool changed = true;
  while (changed) {
    changed = false;
    for (size_t i = 1; i < units.size(); ++i) {
      const Unit &a = *units[i - 1], &b = *units[i];
      // Two elementwise units gain more by long rows than by sharing them.
      if (b.followsDirectly && isRowwise(a) && isRowwise(b) && (a.core >= 0 || b.core >= 0))
        changed |= alignUnits(a, runs[i - 1], b, runs[i]);
    }
  }
}

unsigned sharedRows(ArrayRef<Plan *> group, const Plan &next) {
  if (next.rowDims.empty() || !next.unit->followsDirectly || hasBodyLoads(*next.unit))
    return 0;
  bool shares = false;
  unsigned shared = next.rowDims.size();
  for (const Plan *plan : group) {
    if (hasBodyLoads(*plan->unit))
      return 0;
    shared = std::min(shared, agreeingRows(*plan, next, shares));
  }
  return shares ? shared : 0;
}

/// Points of a unit's space in one row of `shared` dimensions.
static int64_t rowElements(const Plan &plan, unsigned shared) {
  int64_t elements = 1;
  for (unsigned dim = 0; dim < plan.unit->numDims(); ++dim)
    if (!llvm::is_contained(ArrayRef(plan.rowDims).take_front(shared), dim))
      elements = llvm::SaturatingMultiply<uint64_t>(elements, estimateSize(plan.unit->sizes[dim]));
  return elements;
}

int64_t blocksPerTask(ArrayRef<Plan *> group, unsigned shared, int64_t rows,
                      const MachineModel &machine) {
  constexpr int64_t kElementCost = 4;  // in multiply-adds: bound by loads, stores, e^x
  int64_t work = 0;
  for (const Plan *plan : group)
    work += rowElements(*plan, shared) * rows * kElementCost;
  return std::max<int64_t>(1, machine.taskWork / std::max<int64_t>(1, work));
}

int64_t rowsPerBlock(ArrayRef<Plan *> group, unsigned shared, const MachineModel &machine) {
  int64_t rowBytes = 1, rows = 1;
  for (const Plan *plan : group) {
    rowBytes = std::max(rowBytes, rowElements(*plan, shared) * 8);
    rows = std::max(rows, plan->schedule.tile[plan->rowDims[shared - 1]]);
  }
  int64_t fit = std::clamp<int64_t>(machine.l2Bytes / 8 / rowBytes, 1, 64);
  return std::max(rows, static_cast<int64_t>(llvm::bit_floor(static_cast<uint64_t>(fit))) / rows * rows);
}

void makeSequential(Schedule &schedule) {
  SmallVector<Loop> loops;
  for (auto [index, loop] : llvm::enumerate(schedule.loops)) {
    bool isChunk = llvm::any_of(ArrayRef(schedule.loops).drop_front(index + 1),
                                [&](const Loop &inner) { return inner.dim == loop.dim; });
    if (!isChunk)
      loops.push_back({loop.dim, loop.step, false});
  }
  schedule.loops = loops;
}

}  // namespace adze::schedule
