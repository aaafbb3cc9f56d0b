#include "passes/Schedule/RowFusion.h"

#include "passes/Schedule/Decide.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adze::schedule {

int findRowDim(const Plan &plan) {
  const Unit &unit = *plan.unit;
  int lanes = plan.schedule.vectorDim;
  if (unit.core >= 0 && (lanes < 0 || !unit.isReduction[lanes]))
    return -1;
  for (unsigned dim = 0; dim < unit.numDims(); ++dim)
    if (!unit.isReduction[dim] && unit.sizes[dim] != Stride::constant(1))
      return static_cast<int>(dim) == lanes ? -1 : static_cast<int>(dim);
  return -1;
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

/// Both units touch shared memory only within the same row. `shares` tells
/// whether there is any.
bool rowsAgree(const Plan &a, const Plan &b, bool &shares) {
  for (const Stage &first : a.unit->stages)
    for (auto [i, x] : llvm::enumerate(first.operands))
      for (const Stage &second : b.unit->stages)
        for (auto [j, y] : llvm::enumerate(second.operands)) {
          bool writes = i >= first.numInputs() || j >= second.numInputs();
          if (x.isScalar || y.isScalar || !writes || !mayAlias(x.source, y.source))
            continue;
          if (x.source != y.source || !isPointwise(first, i) || !isPointwise(second, j))
            return false;
          SmallVector<unsigned> rows = rowPositions(x, a.rowDim);
          if (rows.empty() || rows != rowPositions(y, b.rowDim))
            return false;
          shares = true;
        }
  return true;
}

}  // namespace

bool canShareRows(ArrayRef<Plan *> group, const Plan &next) {
  if (next.rowDim < 0 || !next.unit->followsDirectly || hasBodyLoads(*next.unit))
    return false;
  bool shares = false;
  for (const Plan *plan : group)
    if (plan->rowDim < 0 || hasBodyLoads(*plan->unit) || !rowsAgree(*plan, next, shares))
      return false;
  return shares;
}

/// Points of a unit's space in one row.
static int64_t rowElements(const Plan &plan) {
  int64_t elements = 1;
  for (unsigned dim = 0; dim < plan.unit->numDims(); ++dim)
    if (static_cast<int>(dim) != plan.rowDim)
      elements = llvm::SaturatingMultiply<uint64_t>(elements, estimateSize(plan.unit->sizes[dim]));
  return elements;
}

int64_t blocksPerTask(ArrayRef<Plan *> group, int64_t rows, const MachineModel &machine) {
  constexpr int64_t kElementCost = 4;  // in multiply-adds: bound by loads, stores, e^x
  int64_t work = 0;
  for (const Plan *plan : group)
    work += rowElements(*plan) * rows * kElementCost;
  return std::max<int64_t>(1, machine.taskWork / std::max<int64_t>(1, work));
}

int64_t rowsPerBlock(ArrayRef<Plan *> group, const MachineModel &machine) {
  int64_t rowBytes = 1, rows = 1;
  for (const Plan *plan : group) {
    rowBytes = std::max(rowBytes, rowElements(*plan) * 8);
    rows = std::max(rows, plan->schedule.tile[plan->rowDim]);
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
