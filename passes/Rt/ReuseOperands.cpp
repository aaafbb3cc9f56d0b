// A kernel's destination -> the operand that dies there, where the kernel reads
// each element of the operand before it writes that element of the destination.
#include "passes/Rt/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_REUSEOPERANDS
#include "passes/Rt/Passes.h.inc"

namespace {

/// What a kernel reads and writes, op by op.
class KernelAccesses {
 public:
  explicit KernelAccesses(func::FuncOp kernel) : kernel(kernel) {
    known = llvm::hasSingleElement(kernel.getBody());
    for (Operation &op : kernel.getOps()) {
      auto structured = dyn_cast<linalg::LinalgOp>(op);
      if (structured) ops.push_back(structured);
      known &= (structured && !readsByItself(structured)) || isa<memref::AllocOp, memref::DeallocOp, func::ReturnOp>(op) ||
               (isMemoryEffectFree(&op) && !isa<ViewLikeOpInterface>(op));
    }
  }

  /// True where the arguments `in` and `out` may be one buffer. The ops must
  /// all run over the space of `out`, pass values on at the positions they have
  /// there, and read `in` before any writes `out`: then it does not matter that
  /// the scheduler runs them on one part of the space after the other.
  bool mayShare(unsigned in, unsigned out) {
    Value source = kernel.getArgument(in), target = kernel.getArgument(out);
    if (!known || source.getType() != target.getType()) return false;
    size_t writer = 0;
    while (writer < ops.size() && !uses(writer, target)) ++writer;
    if (writer == ops.size() || isFill(writer) || ops[writer].getNumReductionLoops() != 0 ||
        !isStraight(source, target))
      return false;
    // One type, but extents of their own: the writer's loops run over both.
    if (!cast<MemRefType>(target.getType()).hasStaticShape() && !uses(writer, source)) return false;
    for (size_t i = 0; i < ops.size(); ++i) {
      if (!uses(i, source)) continue;
      if (i > writer || llvm::is_contained(ops[i].getDpsInits(), source)) return false;
      if (i < writer && !feeds(i, writer)) return false;
    }
    return true;
  }

 private:
  /// The op's body reads memory by itself, at any position.
  static bool readsByItself(linalg::LinalgOp op) {
    return op.getBlock()
        ->walk([](Operation *inner) {
          return llvm::any_of(inner->getOperandTypes(), llvm::IsaPred<BaseMemRefType>)
                     ? WalkResult::interrupt()
                     : WalkResult::advance();
        })
        .wasInterrupted();
  }

  bool uses(size_t i, Value v) { return llvm::is_contained(ops[i]->getOperands(), v); }
  bool isFill(size_t i) { return isa<linalg::FillOp>(ops[i]); }

  /// `source` and `target` are accessed at the loops' own position, and every
  /// buffer that is written at one and the same part of it, in all ops.
  bool isStraight(Value source, Value target) {
    int64_t rank = cast<MemRefType>(target.getType()).getRank();
    llvm::SmallPtrSet<Value, 8> written;
    for (linalg::LinalgOp op : ops)
      for (Value init : op.getDpsInits()) written.insert(init);
    llvm::DenseMap<Value, AffineMap> maps;
    for (linalg::LinalgOp op : ops) {
      if (isa<linalg::FillOp>(op)) continue;
      if (op.getNumLoops() != rank) return false;
      for (OpOperand &operand : op->getOpOperands()) {
        Value v = operand.get();
        AffineMap map = op.getMatchingIndexingMap(&operand);
        if ((v == source || v == target) && !map.isIdentity()) return false;
        if (!written.contains(v)) continue;
        if (!map.isProjectedPermutation() || maps.try_emplace(v, map).first->second != map)
          return false;
      }
    }
    return true;
  }

  /// What `reader` computes is read, and not after `writer`: else the scheduler
  /// might compute it only there.
  bool feeds(size_t reader, size_t writer) {
    for (Value value : ops[reader].getDpsInits()) {
      bool read = false;
      for (size_t i = reader + 1; i < ops.size() && !(isFill(i) && uses(i, value)); ++i) {
        if (!uses(i, value)) continue;
        if (i > writer) return false;
        read = true;
      }
      if (!read) return false;
    }
    return true;
  }

  func::FuncOp kernel;
  SmallVector<linalg::LinalgOp> ops;
  bool known;
};

/// The allocation behind `v`, through casts and reshapes; null when it is none.
memref::AllocOp allocationOf(Value v) {
  while (Operation *op = v.getDefiningOp()) {
    if (auto alloc = dyn_cast<memref::AllocOp>(op)) return alloc;
    if (!isa<memref::CastOp, memref::ExpandShapeOp, memref::CollapseShapeOp>(op)) return {};
    v = op->getOperand(0);
  }
  return {};
}

struct ReuseOperandsPass : impl::ReuseOperandsBase<ReuseOperandsPass> {
  void runOnOperation() override {
    for (auto f : getOperation().getOps<func::FuncOp>()) {
      if (!f->hasAttr("adze.entry") || f.empty()) continue;
      for (auto call : llvm::make_early_inc_range(f.front().getOps<func::CallOp>()))
        if (call->hasAttr("adze.kernel")) reuse(call);
    }
  }

  void reuse(func::CallOp call) {
    auto kernel = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(call, call.getCalleeAttr());
    if (!kernel || kernel.empty()) return;
    for (unsigned out = 0; out < call.getNumOperands(); ++out) {
      auto fresh = call.getOperand(out).getDefiningOp<memref::AllocOp>();
      if (!fresh || !beginsAt(fresh, call)) continue;
      for (unsigned in = 0; in < call.getNumOperands(); ++in)
        if (canReuse(call, kernel, in, out, fresh)) {
          replace(fresh, call.getOperand(in), call);
          break;
        }
    }
  }

  /// Nothing uses the buffer before the call, which is its only use there.
  static bool beginsAt(memref::AllocOp fresh, func::CallOp call) {
    if (fresh->getBlock() != call->getBlock()) return false;
    return llvm::count(call.getOperands(), fresh.getResult()) == 1 &&
           llvm::all_of(fresh->getUsers(), [&](Operation *user) {
             Operation *at = call->getBlock()->findAncestorOpInBlock(*user);
             return at == call || (at && call->isBeforeInBlock(at));
           });
  }

  bool canReuse(func::CallOp call, func::FuncOp kernel, unsigned in, unsigned out,
                memref::AllocOp fresh) {
    Value operand = call.getOperand(in);
    memref::AllocOp old = allocationOf(operand);
    if (!old || old == fresh || operand.getType() != fresh.getType() ||
        !endsAt(old, call))
      return false;
    // Whichever way the call reaches the buffer, all of it must agree.
    for (unsigned other = 0; other < call.getNumOperands(); ++other)
      if (allocationOf(call.getOperand(other)) == old &&
          !KernelAccesses(kernel).mayShare(other, out))
        return false;
    return true;
  }

  /// All that uses the buffer is calls and loads up to this call, in its block.
  static bool endsAt(memref::AllocOp old, func::CallOp call) {
    if (old->getBlock() != call->getBlock()) return false;
    SmallVector<Value> names = {old.getResult()};
    unsigned deallocs = 0;
    while (!names.empty())
      for (Operation *user : names.pop_back_val().getUsers()) {
        if (isa<memref::DeallocOp>(user)) {
          deallocs += user->getBlock() == call->getBlock();
          continue;
        }
        if (isa<memref::DimOp>(user)) continue;
        Operation *at = call->getBlock()->findAncestorOpInBlock(*user);
        if (!at || call->isBeforeInBlock(at)) return false;
        if (isa<memref::CastOp, memref::ExpandShapeOp, memref::CollapseShapeOp>(user))
          names.push_back(user->getResult(0));
        else if (!isa<func::CallOp, memref::LoadOp, memref::StoreOp>(user))
          return false;
      }
    return deallocs == 1;
  }

  /// The operand's buffer lives as long as the destination did.
  void replace(memref::AllocOp fresh, Value operand, func::CallOp call) {
    memref::AllocOp old = allocationOf(operand);
    eraseDealloc(old);
    OpBuilder b(call);
    for (Operation *user : llvm::make_early_inc_range(fresh->getUsers()))
      if (auto dealloc = dyn_cast<memref::DeallocOp>(user)) {
        b.setInsertionPoint(dealloc);
        memref::DeallocOp::create(b, dealloc.getLoc(), old);
        dealloc.erase();
      }
    fresh.getResult().replaceAllUsesWith(operand);
    fresh.erase();
    ++numReused;
  }

  static void eraseDealloc(memref::AllocOp alloc) {
    for (Operation *user : llvm::make_early_inc_range(alloc->getUsers()))
      if (isa<memref::DeallocOp>(user)) user->erase();
  }
};

}  // namespace
}  // namespace adze
