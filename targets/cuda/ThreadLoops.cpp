#include "targets/cuda/ThreadLoops.h"

#include "targets/cuda/HostBuffers.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

using namespace mlir;

namespace adze::cuda {
namespace {

/// A thread takes about half a microsecond for an element, one after the other; to
/// stage buffers to the host and back takes tens.
constexpr uint64_t kMostSteps = 1024, kMostStepsAlone = 64;

struct Access {
  Value buffer;
  ValueRange indices;
  bool writes;
};

/// Loops directly inside of each other, and nothing between them.
SmallVector<scf::ForOp> nestOf(scf::ForOp outermost) {
  SmallVector<scf::ForOp> nest{outermost};
  while (true) {
    Block &body = *nest.back().getBody();
    auto inner = dyn_cast<scf::ForOp>(body.front());
    bool isOnly =
        inner && inner->getNextNode() == body.getTerminator() && inner.getInitArgs().empty();
    auto isOuter = [&](Value v) {
      return !outermost->isAncestor(v.getParentRegion()->getParentOp());
    };
    if (!isOnly || !llvm::all_of(inner.getOperands(), isOuter)) return nest;
    nest.push_back(inner);
  }
}

std::optional<int64_t> tripsOf(scf::ForOp loop) {
  std::optional<int64_t> lower = getConstantIntValue(loop.getLowerBound()),
                         upper = getConstantIntValue(loop.getUpperBound()),
                         step = getConstantIntValue(loop.getStep());
  if (!lower || !upper || !step || *step <= 0) return std::nullopt;
  return llvm::divideCeil(std::max<int64_t>(0, *upper - *lower), *step);
}

SmallVector<Access> accessesIn(scf::ForOp outermost) {
  SmallVector<Access> accesses;
  outermost.walk([&](Operation *op) {
    if (auto load = dyn_cast<memref::LoadOp>(op))
      accesses.push_back({load.getMemref(), load.getIndices(), false});
    if (auto store = dyn_cast<memref::StoreOp>(op))
      accesses.push_back({store.getMemref(), store.getIndices(), true});
  });
  return accesses;
}

/// What a buffer is a view of.
Value baseOf(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>()) buffer = view.getViewSource();
  return buffer;
}

/// Whether every access to what the nest writes has the loop's variable in the same dimension.
bool isParallel(scf::ForOp loop, ArrayRef<Access> accesses) {
  if (getConstantIntValue(loop.getStep()).value_or(0) <= 0) return false;
  for (const Access &write : accesses) {
    if (!write.writes) continue;
    auto hasOwn = [&](size_t d) {
      return llvm::all_of(accesses, [&](const Access &a) {
        return baseOf(a.buffer) != baseOf(write.buffer) ||
               (a.buffer == write.buffer && a.indices[d] == loop.getInductionVar());
      });
    };
    if (llvm::none_of(llvm::seq<size_t>(0, write.indices.size()), hasOwn)) return false;
  }
  return true;
}

}  // namespace

std::string whyNoThreads(scf::ForOp outermost) {
  if (!outermost.getInitArgs().empty()) return "passes values from one element to the next";
  SmallVector<scf::ForOp> nest = nestOf(outermost);
  SmallVector<Access> accesses = accessesIn(outermost);
  std::string why;
  for (Access &a : accesses)
    if (isHostBuffer(a.buffer) || outermost->isAncestor(a.buffer.getParentRegion()->getParentOp()))
      why = "reads or writes elements of the host's buffers";
  auto isShared = [&](scf::ForOp loop) {
    return llvm::is_contained(nest, loop) && isParallel(loop, accesses);
  };
  bool anyShared = false, isKnown = true;
  uint64_t steps = 1;
  outermost.walk([&](Operation *op) {
    auto loop = dyn_cast<scf::ForOp>(op);
    if (isa<scf::WhileOp>(op)) why = "reads or writes elements one by one";
    if (!loop) return;
    std::optional<int64_t> trips = tripsOf(loop);
    if (isShared(loop))
      anyShared = true;
    else if (trips)
      steps = llvm::SaturatingMultiply(steps, uint64_t(*trips));
    else
      isKnown = false;
  });
  if (why.empty() && (anyShared ? steps > kMostSteps : !isKnown || steps > kMostStepsAlone))
    why = "reads or writes elements one by one";
  return why;
}

void shareOut(RewriterBase &rewriter, scf::ForOp outermost) {
  SmallVector<scf::ForOp> nest = nestOf(outermost);
  SmallVector<Access> accesses = accessesIn(outermost);
  SmallVector<Value> lower, upper, step;
  SmallVector<scf::ForOp> shared, own;
  for (scf::ForOp loop : nest) (isParallel(loop, accesses) ? shared : own).push_back(loop);
  for (scf::ForOp loop : shared) {
    lower.push_back(loop.getLowerBound());
    upper.push_back(loop.getUpperBound());
    step.push_back(loop.getStep());
  }
  rewriter.setInsertionPoint(outermost);
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(rewriter, outermost.getLoc(), value);
  };
  if (shared.empty()) lower = {index(0)}, upper = step = {index(1)};
  auto threads = scf::ParallelOp::create(rewriter, outermost.getLoc(), lower, upper, step);
  IRMapping map;
  for (auto [loop, own] : llvm::zip(shared, threads.getInductionVars()))
    map.map(loop.getInductionVar(), own);
  rewriter.setInsertionPointToStart(threads.getBody());
  for (scf::ForOp loop : own) {
    auto made = scf::ForOp::create(rewriter, loop.getLoc(), loop.getLowerBound(),
                                   loop.getUpperBound(), loop.getStep());
    map.map(loop.getInductionVar(), made.getInductionVar());
    rewriter.setInsertionPointToStart(made.getBody());
  }
  for (Operation &op : nest.back().getBody()->without_terminator()) rewriter.clone(op, map);
  rewriter.eraseOp(outermost);
}

}  // namespace adze::cuda
