// Buffers of the entry function -> one planned arena.
#include "dialects/Rt/Rt.h"
#include "lib/Runtime/Planner.h"
#include "passes/Rt/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_PLANMEMORY
#include "passes/Rt/Passes.h.inc"

namespace {

struct Buffer {
  memref::AllocOp alloc;
  memref::DeallocOp dealloc;  ///< null: alive to the end
  int32_t first = 0, last = 0;
  Value bytes;                  ///< dynamic size, i64; null: static
  int64_t staticBytes = 0;
  int64_t kernel = -1;  ///< the launch that fills it, by the number it will have
};

int64_t elementBytes(MemRefType type) {
  Type e = type.getElementType();
  return e.isIndex() ? 8 : std::max<int64_t>(1, (e.getIntOrFloatBitWidth() + 7) / 8);
}

/// Pure code over the entry's arguments, which may move to its start.
class Hoister {
 public:
  explicit Hoister(Block *block) : block(block) {}

  bool canHoist(Value v) {
    if (auto arg = dyn_cast<BlockArgument>(v)) return arg.getOwner() == block;
    Operation *op = v.getDefiningOp();
    auto [it, fresh] = known.try_emplace(op, false);
    if (!fresh) return it->second;
    bool ok = op->getBlock() == block && isPure(op) && op->getNumRegions() == 0 &&
              llvm::all_of(op->getOperands(), [&](Value o) { return operandOk(o); });
    return known[op] = ok;
  }

  /// Marks the code of `v` as wanted at the start.
  void want(Value v) {
    Operation *op = v.getDefiningOp();
    if (!op || !wanted.insert(op).second) return;
    for (Value o : op->getOperands()) want(o);
  }

  /// Moves what is wanted before `point`, in its present order.
  void moveBefore(Operation *point) {
    for (Operation &op : llvm::make_early_inc_range(*block))
      if (wanted.contains(&op) && !op.isBeforeInBlock(point)) op.moveBefore(point);
  }

 private:
  // The contents of a buffer may change: only extents of arguments are fixed.
  bool operandOk(Value o) {
    if (isa<BaseMemRefType>(o.getType())) return isa<BlockArgument>(o) && canHoist(o);
    return canHoist(o);
  }

  Block *block;
  llvm::DenseMap<Operation *, bool> known;
  llvm::SmallPtrSet<Operation *, 32> wanted;
};

/// a * b as i64, or -1 when it overflows or a factor was -1 already.
Value checkedMul(OpBuilder &b, Location loc, Value x, Value y) {
  auto product = arith::MulSIExtendedOp::create(b, loc, x, y);
  Value minusOne = arith::ConstantIntOp::create(b, loc, -1, 64);
  Value shift = arith::ConstantIntOp::create(b, loc, 63, 64);
  Value sign = arith::ShRSIOp::create(b, loc, product.getLow(), shift);
  Value fits = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, sign, product.getHigh());
  Value zero = arith::ConstantIntOp::create(b, loc, 0, 64);
  Value positive = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sge, x, zero);
  Value good = arith::AndIOp::create(b, loc, fits, positive);
  return arith::SelectOp::create(b, loc, good, product.getLow(), minusOne);
}

struct PlanMemoryPass : impl::PlanMemoryBase<PlanMemoryPass> {
  void runOnOperation() override {
    func::FuncOp entry;
    for (auto f : getOperation().getOps<func::FuncOp>())
      if (f->hasAttr("adze.entry")) entry = f;
    if (!entry || entry.empty()) return;
    Block *block = &entry.front();
    SmallVector<Buffer> buffers = collect(block);
    Hoister hoister(block);
    llvm::erase_if(buffers, [&](Buffer &buf) {
      bool ok = llvm::all_of(buf.alloc.getDynamicSizes(),
                             [&](Value v) { return hoister.canHoist(v); });
      if (!ok) ++numDynamic;
      return !ok;
    });
    if (buffers.empty()) return;
    OpBuilder b(entry.getContext());
    b.setInsertionPointToStart(block);
    // A mark that all size code stays in front of.
    Value zero = arith::ConstantIndexOp::create(b, entry.getLoc(), 0);
    for (Buffer &buf : buffers)
      for (Value v : buf.alloc.getDynamicSizes()) hoister.want(v);
    hoister.moveBefore(zero.getDefiningOp());
    b.setInsertionPointAfter(zero.getDefiningOp());
    bool dynamic = computeSizes(b, buffers);
    if (dynamic ? !placeAtRunTime(b, entry.getLoc(), buffers)
                : !placeNow(b, entry.getLoc(), buffers))
      return signalPassFailure();
    numPlanned += buffers.size();
  }

  SmallVector<Buffer> collect(Block *block) {
    SmallVector<Buffer> buffers;
    llvm::DenseMap<Operation *, int32_t> position;
    int32_t count = 0;
    for (Operation &op : *block) position[&op] = count++;
    llvm::DenseMap<Operation *, int64_t> kernels;
    getOperation().walk([&](func::CallOp call) {
      if (call->hasAttr("adze.kernel")) kernels.try_emplace(call, kernels.size());
    });
    for (auto alloc : block->getOps<memref::AllocOp>()) {
      if (!alloc.getType().getLayout().isIdentity()) continue;
      Buffer buf{alloc, nullptr, position[alloc], count - 1, nullptr, 0, -1};
      for (Operation *user : alloc->getUsers()) {
        if (auto d = dyn_cast<memref::DeallocOp>(user))
          if (d->getBlock() == block) buf.dealloc = d;
        // Program order is the order of numbers, and the first use is the write.
        if (auto it = kernels.find(user); it != kernels.end())
          buf.kernel = buf.kernel < 0 ? it->second : std::min(buf.kernel, it->second);
      }
      if (buf.dealloc) buf.last = position[buf.dealloc];
      buffers.push_back(buf);
    }
    return buffers;
  }

  /// Fills sizes; true when one is dynamic.
  bool computeSizes(OpBuilder &b, SmallVectorImpl<Buffer> &buffers) {
    bool dynamic = false;
    for (Buffer &buf : buffers) {
      MemRefType type = buf.alloc.getType();
      int64_t fixed = elementBytes(type);
      for (int64_t d : type.getShape())
        if (!ShapedType::isDynamic(d) && __builtin_mul_overflow(fixed, d, &fixed)) fixed = -1;
      buf.staticBytes = fixed;
      if (type.hasStaticShape()) continue;
      dynamic = true;
      Location loc = buf.alloc.getLoc();
      Value bytes = arith::ConstantIntOp::create(b, loc, fixed, 64);
      for (Value v : buf.alloc.getDynamicSizes()) {
        Value extent = arith::IndexCastOp::create(b, loc, b.getI64Type(), v);
        bytes = checkedMul(b, loc, extent, bytes);
      }
      buf.bytes = bytes;
    }
    return dynamic;
  }

  void replaceWithViews(OpBuilder &b, Value arena, SmallVectorImpl<Buffer> &buffers,
                        ArrayRef<Value> offsets) {
    for (auto [buf, offset] : llvm::zip(buffers, offsets)) {
      b.setInsertionPoint(buf.alloc);
      Value view = memref::ViewOp::create(b, buf.alloc.getLoc(), buf.alloc.getType(), arena,
                                          offset, buf.alloc.getDynamicSizes());
      if (buf.dealloc) buf.dealloc.erase();
      buf.alloc.replaceAllUsesWith(view);
      buf.alloc.erase();
    }
  }

  bool placeNow(OpBuilder &b, Location loc, SmallVectorImpl<Buffer> &buffers) {
    std::vector<runtime::PlanBuffer> wanted;
    for (Buffer &buf : buffers) wanted.push_back({buf.staticBytes, buf.first, buf.last});
    runtime::Plan plan;
    if (!runtime::planOffsets(wanted, plan, {.steps = runtime::kCompilePlanSteps})) {
      emitError(loc, "the buffers' sizes overflow 63 bits");
      return false;
    }
    if (!runtime::checkPlan(wanted, plan.offsets, plan.slabBytes)) {
      emitError(loc, "internal: the memory plan overlaps");
      return false;
    }
    Value bytes = arith::ConstantIndexOp::create(b, loc, plan.slabBytes);
    Value arena = slab(b, loc, bytes);
    SmallVector<Value> offsets;
    for (int64_t o : plan.offsets) offsets.push_back(arith::ConstantIndexOp::create(b, loc, o));
    record(b, buffers, &plan);
    replaceWithViews(b, arena, buffers, offsets);
    return true;
  }

  bool placeAtRunTime(OpBuilder &b, Location loc, SmallVectorImpl<Buffer> &buffers) {
    SmallVector<Value> sizes;
    SmallVector<int32_t> first, last;
    for (Buffer &buf : buffers) {
      Value bytes = buf.bytes ? buf.bytes
                              : Value(arith::ConstantIntOp::create(b, loc, buf.staticBytes, 64));
      sizes.push_back(arith::IndexCastOp::create(b, loc, b.getIndexType(), bytes));
      first.push_back(buf.first);
      last.push_back(buf.last);
    }
    SmallVector<Type> types(sizes.size() + 1, b.getIndexType());
    auto plan = rt::PlanOp::create(b, loc, types, sizes, b.getDenseI32ArrayAttr(first),
                                   b.getDenseI32ArrayAttr(last));
    Value arena = slab(b, loc, plan.getBytes());
    record(b, buffers, nullptr);
    replaceWithViews(b, arena, buffers, SmallVector<Value>(plan.getOffsets()));
    return true;
  }

  Value slab(OpBuilder &b, Location loc, Value bytes) {
    auto type = MemRefType::get({ShapedType::kDynamic}, b.getI8Type());
    return rt::SlabOp::create(b, loc, type, bytes);
  }

  /// adze.memory_plan: {bytes, peak (-1: known at run time), buffers = [first, last, offset, size, kernel]...}
  void record(OpBuilder &b, ArrayRef<Buffer> buffers, const runtime::Plan *plan) {
    SmallVector<int64_t> rows;
    for (auto [i, buf] : llvm::enumerate(buffers))
      llvm::append_range(rows, std::initializer_list<int64_t>{
                                   buf.first, buf.last, plan ? plan->offsets[i] : -1,
                                   buf.bytes ? -1 : buf.staticBytes, buf.kernel});
    getOperation()->setAttr(
        "adze.memory_plan",
        b.getDictionaryAttr(
            {b.getNamedAttr("bytes", b.getI64IntegerAttr(plan ? plan->slabBytes : -1)),
             b.getNamedAttr("peak", b.getI64IntegerAttr(plan ? plan->peakLiveBytes : -1)),
             b.getNamedAttr("buffers", b.getDenseI64ArrayAttr(rows))}));
  }
};

}  // namespace
}  // namespace adze
