#include "passes/Schedule/RowSpace.h"

#include "passes/Schedule/Schedule.h"
#include "passes/Schedule/Unit.h"

#include "llvm/ADT/IntEqClasses.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace adze::schedule {
namespace {

bool isMemRef(OpOperand &operand) { return isa<MemRefType>(operand.get().getType()); }

/// Sums up products of two operands or more.
bool isContraction(linalg::GenericOp op) {
  SmallVector<unsigned> summed;
  op.getReductionDims(summed);
  auto isSummed = [&](OpOperand *operand) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    return llvm::any_of(summed, [&](unsigned dim) { return map.isFunctionOfDim(dim); });
  };
  return llvm::count_if(op.getDpsInputOperands(), isSummed) >= 2;
}

/// Some operand is the same for all indices of the loop.
bool sharesReads(linalg::GenericOp op, unsigned loop) {
  return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
    return !op.getMatchingIndexingMap(operand).isFunctionOfDim(loop);
  });
}

/// Loops, and dimensions of the buffers that are written, in classes that always
/// have the same index.
class RowFinder {
public:
  explicit RowFinder(ArrayRef<linalg::GenericOp> ops) : ops(ops) {}

  std::optional<RowSpace> run() {
    const auto *contraction = llvm::find_if(ops, isContraction);
    if (contraction == ops.end() || !number() || mayInterfere() || !passesOn(contraction - ops.begin()))
      return std::nullopt;
    joinClasses();
    RowSpace space;
    std::optional<RowDim> blocked;
    linalg::GenericOp op = *contraction;
    unsigned first = contraction - ops.begin();
    for (unsigned loop = 0; loop < op.getNumLoops(); ++loop) {
      std::optional<RowDim> dim = rowsOf(first, loop);
      if (!dim)
        continue;
      // Blocks go along the dimension for which there is most to read again.
      if (blocked && sharesReads(op, loop))
        std::swap(*blocked, *dim);
      if (!blocked && sharesReads(op, loop))
        blocked = std::move(dim);
      else
        space.dims.push_back(std::move(*dim));
    }
    if (!blocked)
      return std::nullopt;
    space.dims.push_back(std::move(*blocked));
    space.ops.assign(ops.begin(), ops.end());
    llvm::copy_if(llvm::make_first_range(written), std::back_inserter(space.scratch),
                  [&](Value memref) { return isScratch(memref); });
    return space;
  }

private:
  /// Numbers loops and dimensions; false for an op that none of this holds for.
  bool number() {
    for (linalg::GenericOp op : ops) {
      if (op->hasAttr(kWinogradAttr) || op->hasAttr(kScheduleAttr))
        return false;
      loops.push_back(count);
      count += op.getNumLoops();
    }
    for (linalg::GenericOp op : ops)
      for (Value out : op.getDpsInits())
        if (written.try_emplace(out, count).second)
          count += cast<MemRefType>(out.getType()).getRank();
    return true;
  }

  /// What is written is touched under another name too, or by computed index.
  bool mayInterfere() const {
    for (linalg::GenericOp op : ops) {
      SmallVector<Value> others;
      for (OpOperand &operand : op->getOpOperands())
        if (isMemRef(operand) && !written.contains(operand.get()))
          others.push_back(operand.get());
      for (Operation &inner : op.getBody()->without_terminator())
        if (auto load = dyn_cast<memref::LoadOp>(inner))
          others.push_back(load.getMemRef());
      for (Value out : llvm::make_first_range(written))
        if (llvm::any_of(others, [&](Value other) { return mayAlias(out, other); }))
          return true;
    }
    for (auto [i, a] : llvm::enumerate(llvm::make_first_range(written)))
      for (Value b : llvm::drop_begin(llvm::make_first_range(written), i + 1))
        if (mayAlias(a, b))
          return true;
    return false;
  }

  /// An op after the contraction sums up what one of them wrote.
  bool passesOn(unsigned contraction) const {
    return llvm::any_of(ops.drop_front(contraction + 1), [&](linalg::GenericOp op) {
      return op.getNumReductionLoops() != 0 &&
             llvm::any_of(op.getDpsInputs(), [&](Value in) { return written.contains(in); });
    });
  }

  void joinClasses() {
    classes.grow(count);
    for (auto [first, constOp] : llvm::zip(loops, ops)) {
      linalg::GenericOp op = constOp;
      for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
        if (kind != utils::IteratorType::parallel)
          excluded.push_back(first + loop);
      for (auto index : op.getBody()->getOps<linalg::IndexOp>())
        excluded.push_back(first + index.getDim());
      for (OpOperand &operand : op->getOpOperands()) {
        auto *buffer = written.find(operand.get());
        if (buffer == written.end())
          continue;
        for (auto [r, expr] : llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
          if (auto dim = dyn_cast<AffineDimExpr>(expr))
            classes.join(first + dim.getPosition(), buffer->second + r);
          else
            excluded.push_back(buffer->second + r);
      }
    }
  }

  /// The one of `size` numbers from `first` on that is in the class.
  std::optional<unsigned> only(unsigned first, unsigned size, unsigned leader) const {
    std::optional<unsigned> found;
    for (unsigned at = 0; at < size; ++at)
      if (classes.findLeader(first + at) == leader) {
        if (found)
          return std::nullopt;
        found = at;
      }
    return found;
  }

  std::optional<RowDim> rowsOf(unsigned op, unsigned loop) {
    unsigned leader = classes.findLeader(loops[op] + loop);
    if (llvm::any_of(excluded, [&](unsigned at) { return classes.findLeader(at) == leader; }))
      return std::nullopt;
    RowDim dim;
    for (auto [first, constOp] : llvm::zip(loops, ops)) {
      linalg::GenericOp other = constOp;
      std::optional<unsigned> own = only(first, other.getNumLoops(), leader);
      if (!own || !readsRows(other, *own))
        return std::nullopt;
      dim.loops.push_back(*own);
    }
    for (auto [memref, first] : written) {
      std::optional<unsigned> own = only(first, cast<MemRefType>(memref.getType()).getRank(), leader);
      if (!own)
        return std::nullopt;
      dim.positions[memref] = *own;
    }
    return dim;
  }

  /// Operands depend on the loop as on a plain index, if they do.
  static bool readsRows(linalg::GenericOp op, unsigned loop) {
    return llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
      return llvm::all_of(op.getMatchingIndexingMap(&operand).getResults(), [&](AffineExpr expr) {
        return isa<AffineDimExpr>(expr) || !expr.isFunctionOfDim(loop);
      });
    });
  }

  bool isScratch(Value memref) const {
    return memref.getDefiningOp<memref::AllocOp>() &&
           llvm::all_of(memref.getUsers(), [&](Operation *user) {
             auto generic = dyn_cast<linalg::GenericOp>(user);
             return isa<memref::DeallocOp>(user) || (generic && llvm::is_contained(ops, generic));
           });
  }

  ArrayRef<linalg::GenericOp> ops;
  unsigned count = 0;
  SmallVector<unsigned> loops;                   ///< number of each op's first loop
  llvm::SmallMapVector<Value, unsigned, 8> written;  ///< and of each buffer's first dimension
  llvm::IntEqClasses classes;
  SmallVector<unsigned> excluded;
};

}  // namespace

std::optional<RowSpace> findRowSpace(ArrayRef<linalg::GenericOp> ops) { return RowFinder(ops).run(); }

}  // namespace adze::schedule
