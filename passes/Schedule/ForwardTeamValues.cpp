// Values of a team's rows, from thread to thread without memory.
#include "dialects/Rt/Rt.h"
#include "passes/Schedule/Access.h"
#include "passes/Schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Pass/Pass.h"

namespace adze::schedule {
#define GEN_PASS_DEF_FORWARDTEAMVALUES
#include "passes/Schedule/Passes.h.inc"
}  // namespace adze::schedule

using namespace mlir;

namespace adze::schedule {
namespace {

/// One team's loop, read from top to bottom.
class TeamLoop {
public:
  explicit TeamLoop(scf::ParallelOp loop) : loop(loop), lane(loop.getInductionVars().back()) {}

  int64_t run() {
    for (Operation &op : llvm::make_early_inc_range(loop.getBody()->without_terminator())) {
      op.walk([&](memref::LoadOp load) { forward(load); });
      if (auto branch = dyn_cast<scf::IfOp>(op); branch && isFirstLane(branch))
        takeStores(branch);
      else
        forget(&op);
    }
    return forwarded;
  }

private:
  /// What the first thread stored, and where.
  struct Known {
    Value memref;
    SmallVector<Value> indices;
    Value value;
  };

  bool isFirstLane(scf::IfOp branch) const {
    auto compare = branch.getCondition().getDefiningOp<arith::CmpIOp>();
    return branch->getNumResults() == 0 && compare &&
           compare.getPredicate() == arith::CmpIPredicate::eq && compare.getLhs() == lane &&
           matchPattern(compare.getRhs(), m_Zero());
  }

  void forward(memref::LoadOp load) {
    for (const Known &known : list)
      if (known.memref == load.getMemRef() && llvm::equal(known.indices, load.getIndices())) {
        load.replaceAllUsesWith(known.value);
        load.erase();
        ++forwarded;
        return;
      }
  }

  /// All threads compute what the first one would; what it stores is known.
  void takeStores(scf::IfOp branch) {
    Block *body = branch.thenBlock();
    auto isOutside = [&](Value v) { return v.getParentBlock() != body; };
    for (Operation &op : llvm::make_early_inc_range(body->without_terminator()))
      if (isPure(&op) && llvm::all_of(op.getOperands(), isOutside))
        op.moveBefore(branch);
    forget(branch);
    for (Operation &op : body->without_terminator()) {
      auto store = dyn_cast<memref::StoreOp>(op);
      if (store && llvm::all_of(store->getOperands(), isOutside))
        list.push_back({store.getMemRef(), llvm::to_vector(store.getIndices()), store.getValue()});
    }
  }

  /// Forgets what `op` may write over.
  void forget(Operation *op) {
    op->walk([&](Operation *inner) {
      if (isa<rt::TeamBarrierOp>(inner))
        return;
      auto effects = dyn_cast<MemoryEffectOpInterface>(inner);
      if (!effects)
        return;
      SmallVector<MemoryEffects::EffectInstance> writes;
      effects.getEffects<MemoryEffects::Write>(writes);
      for (const MemoryEffects::EffectInstance &write : writes)
        llvm::erase_if(list, [&](const Known &known) {
          return !write.getValue() || mayAlias(write.getValue(), known.memref);
        });
    });
  }

  scf::ParallelOp loop;
  Value lane;
  SmallVector<Known> list;
  int64_t forwarded = 0;
};

/// Every use of the buffer, through views, stores to it or ends it.
bool isOnlyStored(Value buffer, SmallVectorImpl<Operation *> &users) {
  return llvm::all_of(buffer.getUsers(), [&](Operation *user) {
    users.push_back(user);
    if (isa<ViewLikeOpInterface>(user))
      return isOnlyStored(user->getResult(0), users);
    auto store = dyn_cast<memref::StoreOp>(user);
    return isa<memref::DeallocOp>(user) || (store && store.getValue() != buffer);
  });
}

struct ForwardTeamValues : impl::ForwardTeamValuesBase<ForwardTeamValues> {
  void runOnOperation() override {
    SmallVector<scf::ParallelOp> loops;
    getOperation().walk([&](scf::ParallelOp op) {
      if (op->hasAttr("adze.team"))
        loops.push_back(op);
    });
    for (scf::ParallelOp loop : loops)
      numForwarded += TeamLoop(loop).run();
    if (!loops.empty())
      eraseStored();
  }

  void eraseStored() {
    SmallVector<memref::AllocOp> buffers;
    getOperation().walk([&](memref::AllocOp op) { buffers.push_back(op); });
    for (memref::AllocOp buffer : buffers) {
      SmallVector<Operation *> users;
      if (!isOnlyStored(buffer, users))
        continue;
      for (Operation *user : llvm::reverse(users))
        user->erase();
      buffer.erase();
    }
  }
};

}  // namespace
}  // namespace adze::schedule
