#include "passes/Schedule/Decide.h"

#include "passes/Schedule/Fit.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adze::schedule {
namespace {

class Decision {
public:
  Decision(Unit &unit, const MachineModel &machine) : unit(unit), machine(machine) {}

  Schedule run(ArrayRef<SmallVector<unsigned, 4>> runs) {
    schedule.collapse.assign(runs.begin(), runs.end());
    bool trivial = schedule.collapse.size() == unit.numDims();
    if (failed(collapseDims(unit, schedule.collapse)) || trivial)
      schedule.collapse.clear();
    schedule.tile.assign(unit.numDims(), 1);
    chooseVectorDim();
    if (machine.simtWidth) {
      decideForThreads(unit, machine, schedule);
      return schedule;
    }
    if (unit.core < 0)
      tileElementwise();
    else if (schedule.vectorDim >= 0 && unit.isReduction[schedule.vectorDim])
      tileDotProduct();
    else
      tileContraction();
    orderLoops(unit, machine, schedule);
    return schedule;
  }

private:
  int64_t size(unsigned dim) const { return estimateSize(unit.sizes[dim]); }
  std::optional<int64_t> fixedSize(unsigned dim) const { return unit.sizes[dim].asConstant(); }

  /// Every memref access, as (access, is an output).
  void forEachAccess(function_ref<void(const Stage &, const Access &, bool)> visit) const {
    for (const Stage &stage : unit.stages)
      for (auto [o, access] : llvm::enumerate(stage.operands))
        if (!access.isScalar)
          visit(stage, access, o >= stage.numInputs());
  }

  /// Bits of the widest value that the bodies handle.
  int64_t widestBits() const {
    int64_t bits = 8;
    auto take = [&](Type type) {
      if (type.isIndex())
        bits = std::max<int64_t>(bits, 64);
      else if (type.isIntOrFloat() && !type.isInteger(1))
        bits = std::max<int64_t>(bits, type.getIntOrFloatBitWidth());
    };
    for (const Stage &stage : unit.stages) {
      for (const Access &access : stage.operands)
        take(access.elementType());
      for (Operation &op : stage.op.getBody()->without_terminator())
        for (Value result : op.getResults())
          if (!isa<linalg::IndexOp>(op))
            take(result.getType());
    }
    return bits;
  }

  /// Cost of one element when `dim` carries the vectors; lower is better.
  double vectorCost(unsigned dim) const {
    double lanes = schedule.lanes, cost = 0;
    forEachAccess([&](const Stage &, const Access &access, bool isOutput) {
      if (!access.dependsOn(dim))
        cost += 0.5;
      else if (access.isContiguousIn(dim))
        cost += 1;
      else if (isOutput && unit.core < 0 && interleavedDim(unit, access, dim) >= 0)
        cost += 2;
      else
        cost += isOutput ? 2 * lanes : lanes;
    });
    if (unit.isReduction[dim])
      cost += 0.6;
    double vectors = llvm::divideCeil(size(dim), schedule.lanes);
    double used = size(dim) / (vectors * lanes);
    return cost / std::max(used, 1e-3);
  }

  void chooseVectorDim() {
    int64_t lanes = std::max<int64_t>(1, machine.vectorBits / widestBits());
    schedule.lanes = llvm::bit_floor(static_cast<uint64_t>(lanes));
    double best = 0;
    for (unsigned dim = 0; dim < unit.numDims(); ++dim) {
      if (schedule.lanes == 1 || size(dim) <= 1 || !canVectorize(unit, dim))
        continue;
      double cost = vectorCost(dim);
      if (schedule.vectorDim < 0 || cost <= best) {
        best = cost;
        schedule.vectorDim = dim;
      }
    }
    narrowLanes();
  }

  /// No wider than the dimension, and as a packed operand's blocks allow.
  void narrowLanes() {
    if (schedule.vectorDim < 0) {
      schedule.lanes = 1;
      return;
    }
    if (auto fixed = fixedSize(schedule.vectorDim))
      schedule.lanes = std::min<int64_t>(schedule.lanes, llvm::bit_ceil(static_cast<uint64_t>(*fixed)));
    forEachAccess([&](const Stage &, const Access &access, bool) {
      if (access.packedDim == schedule.vectorDim)
        while (access.packTile % schedule.lanes != 0)
          schedule.lanes /= 2;
    });
    if (schedule.lanes == 1)
      schedule.vectorDim = -1;
  }

  int64_t vectorsIn(unsigned dim) const { return llvm::divideCeil(size(dim), schedule.lanes); }

  void tileElementwise() {
    if (schedule.vectorDim < 0)
      return;
    // Several vectors at once, as far as the registers hold what is read.
    int64_t operands = 0;
    forEachAccess([&](const Stage &, const Access &, bool) { ++operands; });
    int64_t most = std::clamp<int64_t>(2 * machine.vectorRegisters / std::max<int64_t>(1, operands), 1, 4);
    schedule.tile[schedule.vectorDim] = std::min(most, vectorsIn(schedule.vectorDim));
    // What is interleaved in memory is stored together.
    forEachAccess([&](const Stage &, const Access &access, bool isOutput) {
      int inner = isOutput ? interleavedDim(unit, access, schedule.vectorDim) : -1;
      if (inner >= 0)
        schedule.tile[inner] = *fixedSize(inner);
    });
  }

  /// Lanes run along a reduction: several accumulators hide the latency.
  void tileDotProduct() {
    int64_t accumulators = std::min<int64_t>(machine.fmaLatency, 4);
    // Rows of either operand share what is read of the other: four by four
    // dot products at once where the registers allow.
    SmallVector<unsigned> rows;
    for (unsigned dim = 0; dim < unit.numDims(); ++dim)
      if (!unit.isReduction[dim] && sharesReads(dim) && size(dim) > 1)
        rows.push_back(dim);
    llvm::sort(rows, [&](unsigned x, unsigned y) {
      return std::pair(-size(x), x) < std::pair(-size(y), y);
    });
    int64_t factor = 4;
    for (unsigned dim : ArrayRef(rows).take_front(2)) {
      schedule.tile[dim] = std::min<int64_t>(factor, size(dim));
      accumulators = std::max<int64_t>(1, accumulators / schedule.tile[dim]);
      factor = machine.vectorRegisters >= 32 ? 4 : 2;
    }
    schedule.tile[schedule.vectorDim] =
        std::min<int64_t>(accumulators, vectorsIn(schedule.vectorDim));
  }

  /// Some operand of the core is the same for all indices of `dim`.
  bool sharesReads(unsigned dim) const {
    const Stage &core = unit.stages[unit.core];
    for (unsigned o = 0; o < core.numInputs(); ++o)
      if (!core.operands[o].isScalar && !core.operands[o].dependsOn(dim) &&
          !core.op.getBody()->getArgument(o).use_empty())
        return true;
    return false;
  }

  /// Rows of accumulators: the parallel dimension that shares most reads.
  int chooseRowDim() const {
    int row = -1;
    for (unsigned dim = 0; dim < unit.numDims(); ++dim) {
      if (unit.isReduction[dim] || static_cast<int>(dim) == schedule.vectorDim || size(dim) == 1)
        continue;
      if (row < 0 || isBetterRow(dim, row))
        row = dim;
    }
    return row;
  }

  /// Sharing reads comes first, then being long, then being the inner one. A size
  /// that is known counts more than one that may turn out to be one.
  bool isBetterRow(unsigned dim, unsigned row) const {
    if (sharesReads(dim) != sharesReads(row))
      return sharesReads(dim);
    constexpr int64_t kEnough = 8;
    if (fixedSize(dim) && !fixedSize(row) && *fixedSize(dim) >= kEnough)
      return true;
    return size(dim) * 4 >= size(row);
  }

  /// Lanes and rows are parallel: an outer product of accumulators.
  void tileContraction() {
    int row = chooseRowDim();
    int64_t vectors = schedule.vectorDim < 0 ? 1 : vectorsIn(schedule.vectorDim);
    int64_t packVectors = 0;
    forEachAccess([&](const Stage &, const Access &access, bool) {
      if (access.packedDim >= 0 && access.packedDim == schedule.vectorDim)
        packVectors = access.packTile / schedule.lanes;
    });
    int64_t budget = machine.vectorRegisters - 1;
    int64_t columns = packVectors;
    if (!columns)
      columns = evenShare(vectors, machine.columnVectors(vectors, depth(), row < 0 ? 1 : size(row)));
    int64_t rows = 1;
    if (row >= 0) {
      rows = std::clamp<int64_t>((budget - columns) / columns, 1, 14);
      rows = fixedSize(row) ? evenShare(size(row), std::min(rows, size(row))) : evenRows(rows);
      schedule.tile[row] = rows;
    }
    if (schedule.vectorDim >= 0)
      schedule.tile[schedule.vectorDim] = columns;
  }

  /// Terms of a sum.
  int64_t depth() const {
    int64_t terms = 1;
    for (unsigned dim = 0; dim < unit.numDims(); ++dim)
      if (unit.isReduction[dim])
        terms = llvm::SaturatingMultiply<uint64_t>(terms, size(dim));
    return terms;
  }

  /// A tile of at most `limit` that leaves little over when it walks `total`.
  static int64_t evenShare(int64_t total, int64_t limit) {
    int64_t best = limit;
    double bestCost = 1e30;
    for (int64_t tile = std::max<int64_t>(1, limit / 2); tile <= limit; ++tile) {
      // Each pass costs its points and an overhead of about one point more.
      int64_t full = total / tile, rest = total % tile;
      double cost = full * (tile + 1.0) + (rest ? rest + 3.0 : 0.0);
      if (cost <= bestCost) {
        bestCost = cost;
        best = tile;
      }
    }
    return best;
  }

  static int64_t evenRows(int64_t rows) { return rows >= 12 ? 12 : rows >= 8 ? 8 : rows; }

  Unit &unit;
  const MachineModel &machine;
  Schedule schedule;
};

}  // namespace

Schedule decideSchedule(Unit &unit, ArrayRef<SmallVector<unsigned, 4>> runs,
                        const MachineModel &machine) {
  return Decision(unit, machine).run(runs);
}

}  // namespace adze::schedule
