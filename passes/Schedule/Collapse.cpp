// Collapsing: adjacent loop dimensions over which every operand is contiguous
// run as one, which makes rows long and tails few.
#include "passes/Schedule/Unit.h"

using namespace mlir;

namespace adze::schedule {
namespace {

Stride one() { return Stride::constant(1); }

/// Dimensions whose index a body asks for.
SmallVector<bool> indexedDims(const Unit &unit) {
  SmallVector<bool> indexed(unit.numDims(), false);
  for (const Stage &stage : unit.stages)
    stage.op->getRegion(0).walk(
        [&](linalg::IndexOp index) { indexed[stage.dims[index.getDim()]] = true; });
  return indexed;
}

/// True when the two loops, the inner one directly inside, walk memory like one.
bool mergeable(const Access &access, unsigned outer, const Stride &outerSize, unsigned inner,
               const Stride &innerSize) {
  if (outerSize == one() || innerSize == one())
    return true;
  if (access.packedDim == static_cast<int>(outer) || access.packedDim == static_cast<int>(inner))
    return false;
  if (access.isBoundedBy(outer) || access.isBoundedBy(inner))
    return false;
  // A row of padding is one row long.
  auto inRow = [&](unsigned dim) { return access.padding && access.row.coefficients[dim] != 0; };
  if (inRow(outer) != inRow(inner))
    return false;
  return access.strides[outer] == access.strides[inner] * innerSize;
}

/// A run so far: the dimension that carries its strides, and its length.
struct Run {
  SmallVector<unsigned, 4> dims;
  unsigned carrier;
  Stride size;
};

bool canExtend(const Unit &unit, const Run &run, unsigned dim) {
  if (unit.isReduction[run.carrier] != unit.isReduction[dim])
    return false;
  for (const Stage &stage : unit.stages)
    for (const Access &access : stage.operands)
      if (!access.isScalar &&
          !mergeable(access, run.carrier, run.size, dim, unit.sizes[dim]))
        return false;
  return true;
}

void extend(const Unit &unit, Run &run, unsigned dim) {
  if (unit.sizes[dim] != one())
    run.carrier = dim;
  run.dims.push_back(dim);
  run.size = run.size * unit.sizes[dim];
}

Run startRun(const Unit &unit, unsigned dim) { return {{dim}, dim, unit.sizes[dim]}; }

SmallVector<Run> findRuns(const Unit &unit) {
  SmallVector<bool> indexed = indexedDims(unit);
  SmallVector<Run> runs;
  for (unsigned dim = 0; dim < unit.numDims(); ++dim) {
    bool fits = dim != 0 && !indexed[dim] && !indexed[dim - 1] && canExtend(unit, runs.back(), dim);
    if (fits)
      extend(unit, runs.back(), dim);
    else
      runs.push_back(startRun(unit, dim));
  }
  return runs;
}

}  // namespace

SmallVector<SmallVector<unsigned, 4>> findCollapsible(const Unit &unit) {
  SmallVector<SmallVector<unsigned, 4>> result;
  for (Run &run : findRuns(unit))
    result.push_back(run.dims);
  return result;
}

LogicalResult collapseDims(Unit &unit, ArrayRef<SmallVector<unsigned, 4>> groups) {
  SmallVector<Run> runs;
  SmallVector<bool> indexed = indexedDims(unit);
  SmallVector<unsigned> target(unit.numDims());
  for (const auto &group : groups) {
    runs.push_back(startRun(unit, group.front()));
    target[group.front()] = runs.size() - 1;
    for (unsigned dim : ArrayRef(group).drop_front()) {
      if (indexed[dim] || indexed[group.front()] || !canExtend(unit, runs.back(), dim))
        return failure();
      extend(unit, runs.back(), dim);
      target[dim] = runs.size() - 1;
    }
  }
  auto pick = [&](auto &list) {
    std::decay_t<decltype(list)> kept;
    for (const Run &run : runs)
      kept.push_back(list[run.carrier]);
    list = std::move(kept);
  };
  for (Stage &stage : unit.stages) {
    for (unsigned &dim : stage.dims)
      dim = target[dim];
    for (Access &access : stage.operands) {
      pick(access.strides);
      for (Bound &bound : access.bounds)
        pick(bound.coefficients);
      if (access.padding)
        pick(access.row.coefficients);
      if (access.packedDim >= 0) {
        unsigned run = target[access.packedDim];
        bool carries = runs[run].carrier == static_cast<unsigned>(access.packedDim);
        access.packedDim = carries ? static_cast<int>(run) : -1;
      }
      for (int &dim : access.pureDims)
        dim = dim < 0 ? dim : static_cast<int>(target[dim]);
    }
  }
  pick(unit.isReduction);
  unit.sizes.clear();
  for (const Run &run : runs)
    unit.sizes.push_back(run.size);
  return success();
}

}  // namespace adze::schedule
