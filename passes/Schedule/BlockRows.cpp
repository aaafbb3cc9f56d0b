// adze-block-rows
#include "dialects/Graph/IndexMath.h"
#include "passes/Schedule/MachineModel.h"
#include "passes/Schedule/Passes.h"
#include "passes/Schedule/Prepare.h"
#include "passes/Schedule/RowSpace.h"
#include "passes/Schedule/Unit.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/MathExtras.h"

#include <map>

namespace adze::schedule {
#define GEN_PASS_DEF_BLOCKROWS
#include "passes/Schedule/Passes.h.inc"
}  // namespace adze::schedule

using namespace mlir;

namespace adze::schedule {
namespace {

using Fold = OpFoldResult;
using Folds = SmallVector<Fold>;

/// Emits the loop over blocks of one row space.
class RowBlocks {
public:
  RowBlocks(RowSpace &space, const MachineModel &machine)
      : space(space), machine(machine), loc(space.ops.back().getLoc()), b(space.ops.back()), m(b, loc) {}

  void run();

private:
  Fold extentOf(unsigned dim);
  Fold rowBytes();
  Fold chooseRows();
  int64_t workPerBlock(int64_t rows);
  Value blockOf(linalg::GenericOp op, OpOperand &operand);
  Value scratchBlock(Value memref, ArrayRef<int> rowAt);
  Value view(Value memref, ArrayRef<Fold> offsets, ArrayRef<Fold> sizes);
  unsigned last() const { return space.dims.size() - 1; }

  RowSpace &space;
  const MachineModel &machine;
  Location loc;
  OpBuilder b;
  graph::IndexMath m;
  Folds extents;   ///< by row dimension
  Fold rows, size;  ///< of a block; of the block at hand, which may be the last
  SmallVector<Value> indices;
  std::map<std::pair<void *, SmallVector<int>>, Value> blocks;
  SmallVector<Value> allocated;
};

/// The extent of a row dimension, a constant where any operand says so.
Fold RowBlocks::extentOf(unsigned dim) {
  Fold extent;
  for (auto [i, op] : llvm::enumerate(space.ops))
    for (OpOperand &operand : op->getOpOperands()) {
      if (!isa<MemRefType>(operand.get().getType()))
        continue;
      AffineExpr loop = b.getAffineDimExpr(space.dims[dim].loops[i]);
      AffineMap map = op.getMatchingIndexingMap(&operand);
      for (auto [r, expr] : llvm::enumerate(map.getResults())) {
        bool fixed = !cast<MemRefType>(operand.get().getType()).isDynamicDim(r);
        bool isScratch = llvm::is_contained(space.scratch, operand.get());
        if (expr == loop && (fixed || (!extent && !isScratch)))
          extent = memref::getMixedSize(b, loc, operand.get(), r);
      }
    }
  return extent;
}

/// Bytes of scratch for a row.
Fold RowBlocks::rowBytes() {
  Fold total = m.constant(0);
  for (Value memref : space.scratch) {
    auto type = cast<MemRefType>(memref.getType());
    Type element = type.getElementType();
    Fold bytes = m.constant(element.isIntOrFloat() ? llvm::divideCeil(element.getIntOrFloatBitWidth(), 8) : 8);
    for (auto [r, extent] : llvm::enumerate(memref::getMixedSizes(b, loc, memref)))
      if (llvm::none_of(space.dims, [&](RowDim &dim) { return dim.positions[memref] == r; }))
        bytes = m.mul(bytes, extent);
    total = m.add(total, bytes);
  }
  return total;
}

/// The same as MachineModel::blockRows, at run time where sizes are known then.
Fold RowBlocks::chooseRows() {
  Fold bytes = rowBytes();
  if (std::optional<int64_t> known = getConstantIntValue(bytes))
    return m.constant(machine.blockRows(*known, getConstantIntValue(extents.back())));
  Fold unit = m.constant(MachineModel::kBlockUnit);
  Fold most = m.clamp(m.floorDiv(m.constant(machine.blockBytes()), bytes), unit,
                      m.constant(MachineModel::kMostBlockRows));
  return m.mul(m.floorDiv(most, unit), unit);
}

/// Multiply-adds, loops of unknown length taken for 64 steps.
int64_t RowBlocks::workPerBlock(int64_t rows) {
  constexpr int64_t kUnknown = 64;
  int64_t work = 0;
  for (auto [i, op] : llvm::enumerate(space.ops)) {
    int64_t own = rows;
    for (auto [loop, steps] : llvm::enumerate(op.getStaticLoopRanges()))
      if (llvm::none_of(space.dims, [&](RowDim &dim) { return dim.loops[i] == loop; }))
        own = llvm::SaturatingMultiply<uint64_t>(own, ShapedType::isDynamic(steps) ? kUnknown : steps);
    work = llvm::SaturatingAdd<uint64_t>(work, own);
  }
  return std::max<int64_t>(1, work);
}

Value RowBlocks::view(Value memref, ArrayRef<Fold> offsets, ArrayRef<Fold> sizes) {
  return memref::SubViewOp::create(b, loc, memref, offsets, sizes, Folds(sizes.size(), m.constant(1)));
}

/// A block's own piece of a buffer that only it touches.
Value RowBlocks::scratchBlock(Value memref, ArrayRef<int> rowAt) {
  auto type = cast<MemRefType>(memref.getType());
  Folds sizes = memref::getMixedSizes(b, loc, memref), inUse;
  for (auto [r, extent] : llvm::enumerate(sizes)) {
    if (rowAt[r] >= 0)
      extent = rowAt[r] == int(last()) ? rows : m.constant(1);
    inUse.push_back(rowAt[r] == int(last()) ? size : extent);
  }
  SmallVector<Value> dynamic;
  SmallVector<int64_t> shape;
  dispatchIndexOpFoldResults(sizes, dynamic, shape);
  auto own = MemRefType::get(shape, type.getElementType());
  Value block = memref::AllocOp::create(b, loc, own, dynamic, b.getI64IntegerAttr(64));
  allocated.push_back(block);
  return size == rows ? block : view(block, Folds(sizes.size(), m.constant(0)), inUse);
}

/// The part of an operand that the block's rows touch; one value for all ops that
/// touch the same.
Value RowBlocks::blockOf(linalg::GenericOp op, OpOperand &operand) {
  Value memref = operand.get();
  if (!isa<MemRefType>(memref.getType()))
    return memref;
  unsigned number = llvm::find(space.ops, op) - space.ops.begin();
  SmallVector<int> rowAt;
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
    auto *dim = llvm::find_if(space.dims, [&](RowDim &row) {
      return expr == b.getAffineDimExpr(row.loops[number]);
    });
    rowAt.push_back(dim == space.dims.end() ? -1 : dim - space.dims.begin());
  }
  if (llvm::all_of(rowAt, [](int dim) { return dim < 0; }))
    return memref;
  Value &block = blocks[{memref.getAsOpaquePointer(), rowAt}];
  if (block)
    return block;
  if (llvm::is_contained(space.scratch, memref))
    return block = scratchBlock(memref, rowAt);
  Folds offsets, sizes = memref::getMixedSizes(b, loc, memref);
  for (auto [r, extent] : llvm::enumerate(sizes)) {
    offsets.push_back(rowAt[r] < 0 ? m.constant(0) : Fold(indices[rowAt[r]]));
    if (rowAt[r] >= 0)
      extent = rowAt[r] == int(last()) ? size : m.constant(1);
  }
  return block = view(memref, offsets, sizes);
}

void RowBlocks::run() {
  for (unsigned dim = 0; dim < space.dims.size(); ++dim)
    extents.push_back(extentOf(dim));
  rows = chooseRows();
  Folds steps(last(), m.constant(1));
  steps.push_back(rows);
  auto loop = scf::ParallelOp::create(b, loc, m.values(Folds(extents.size(), m.constant(0))),
                                      m.values(extents), m.values(steps));
  int64_t work = workPerBlock(getConstantIntValue(rows).value_or(MachineModel::kMostBlockRows));
  loop->setAttr("adze.grain", b.getI64IntegerAttr(std::max<int64_t>(1, machine.taskWork / work)));
  indices = llvm::to_vector_of<Value>(loop.getInductionVars());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  std::optional<int64_t> total = getConstantIntValue(extents.back()), step = getConstantIntValue(rows);
  bool even = total && step && *total % *step == 0;
  size = even ? rows : m.min(rows, m.sub(extents.back(), Fold(indices.back())));
  for (linalg::GenericOp op : space.ops) {
    SmallVector<Value> operands;
    for (OpOperand &operand : op->getOpOperands())
      operands.push_back(blockOf(op, operand));
    b.clone(*op)->setOperands(operands);
  }
  for (Value memref : llvm::reverse(allocated))
    memref::DeallocOp::create(b, loc, memref);
  for (linalg::GenericOp op : llvm::reverse(space.ops))
    op.erase();
  for (Value memref : space.scratch) {
    for (Operation *dealloc : llvm::make_early_inc_range(memref.getUsers()))
      if (isa<memref::DeallocOp>(dealloc))
        dealloc->erase();
    if (memref.use_empty())
      memref.getDefiningOp()->erase();
  }
}

struct BlockRows : impl::BlockRowsBase<BlockRows> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal())
      return;
    generalizeKernels(function);
    MachineModel machine = MachineModel::of(function);
    SmallVector<linalg::GenericOp> run;
    SmallVector<SmallVector<linalg::GenericOp>> runs;
    for (Operation &op : function.front()) {
      auto generic = dyn_cast<linalg::GenericOp>(op);
      if (generic && generic.hasPureBufferSemantics())
        run.push_back(generic);
      else if (!isTransparent(op) && !run.empty())
        runs.push_back(std::exchange(run, {}));
    }
    runs.push_back(run);
    for (ArrayRef<linalg::GenericOp> ops : runs)
      blockRun(ops, machine);
  }

  /// What comes before may have other loops: copies of operands, say.
  void blockRun(ArrayRef<linalg::GenericOp> ops, const MachineModel &machine) {
    for (; ops.size() > 1; ops = ops.drop_front())
      if (std::optional<RowSpace> space = findRowSpace(ops)) {
        RowBlocks(*space, machine).run();
        ++numBlocked;
        return;
      }
  }
};

}  // namespace
}  // namespace adze::schedule
