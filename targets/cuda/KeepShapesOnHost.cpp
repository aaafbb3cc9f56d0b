#include "dialects/Rt/Rt.h"
#include "targets/cuda/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace adze::cuda {
#define GEN_PASS_DEF_KEEPSHAPESONHOST
#include "targets/cuda/Passes.h.inc"
}  // namespace adze::cuda

using namespace mlir;

namespace adze::cuda {
namespace {

constexpr int64_t kMostElements = 64;

bool isSmall(Value v) {
  auto type = dyn_cast<MemRefType>(v.getType());
  return type && type.hasStaticShape() && type.getNumElements() <= kMostElements;
}

/// The buffer, or the part of the arena, that views are made from.
Value rootOf(Value v) {
  while (auto view = v.getDefiningOp<ViewLikeOpInterface>()) {
    if (isa<memref::ViewOp>(view)) break;
    v = view.getViewSource();
  }
  return v;
}

/// Host code reads the argument, outside of loops, and nothing else does.
bool isReadByHostCode(BlockArgument arg) {
  return llvm::all_of(arg.getUsers(), [&](Operation *user) {
    return isa<memref::DimOp>(user) ||
           (isa<memref::LoadOp>(user) && isa<func::FuncOp>(user->getParentOp()));
  });
}

/// Which buffers of an entry can be in host memory: all that are small, less those
/// that something on the GPU touches.
class Residency {
 public:
  Residency(ModuleOp module, func::FuncOp entry) : module(module) {
    entry.walk([&](Operation *op) {
      if (isa<memref::ViewOp, memref::AllocOp>(op) && isSmall(op->getResult(0)))
        host.insert(op->getResult(0));
      if (auto launch = dyn_cast<rt::LaunchOp>(op)) launches.push_back(launch);
    });
    for (Value buffer : llvm::to_vector(host))
      if (!areUsesKnown(buffer)) host.remove(buffer);
    while (shrink()) {
    }
    dropUnread();
  }

  bool isHost(Value v) const { return host.contains(rootOf(v)); }

  /// The host runs it: it touches host memory, and constants, alone.
  bool isHostLaunch(rt::LaunchOp launch) const {
    bool any = false;
    for (Value arg : launch.getArgs()) {
      if (!isa<MemRefType>(arg.getType())) continue;
      if (!isHost(arg) && !isConstant(arg)) return false;
      any |= isHost(arg);
    }
    return any && launch->getNumResults() == 0;
  }

  /// The launch's kernel reads argument `i` by host code alone, in all launches from
  /// host memory.
  bool isHostArgument(rt::LaunchOp launch, unsigned i) const {
    auto callee = module.lookupSymbol<func::FuncOp>(launch.getCallee());
    if (!callee || callee.empty() || !isReadByHostCode(callee.getArgument(i))) return false;
    return llvm::all_of(launches, [&](rt::LaunchOp other) {
      return other.getCallee() != launch.getCallee() || isHost(other.getArgs()[i]) ||
             isConstant(other.getArgs()[i]);
    });
  }

  static bool isConstant(Value v) {
    return isa_and_nonnull<rt::ConstantOp>(rootOf(v).getDefiningOp()) && isSmall(rootOf(v));
  }

  llvm::SetVector<Value> host;
  SmallVector<rt::LaunchOp> launches;

 private:
  /// Elements read and written by host code, views, launches: nothing else.
  static bool areUsesKnown(Value buffer) {
    return llvm::all_of(buffer.getUsers(), [](Operation *user) {
      if (isa<memref::LoadOp, memref::StoreOp, memref::DeallocOp, memref::DimOp, rt::LaunchOp>(
              user))
        return true;
      return isa<ViewLikeOpInterface>(user) && user->getNumResults() == 1 &&
             isSmall(user->getResult(0)) && areUsesKnown(user->getResult(0));
    });
  }

  /// Takes out what a kernel on the GPU touches; true if there was any.
  bool shrink() {
    SmallVector<Value> out;
    for (rt::LaunchOp launch : launches) {
      if (isHostLaunch(launch)) continue;
      for (auto [i, arg] : llvm::enumerate(launch.getArgs()))
        if (isHost(arg) && !isHostArgument(launch, i)) out.push_back(rootOf(arg));
    }
    for (Value buffer : out) host.remove(buffer);
    return !out.empty();
  }

  /// A group of buffers of which host code reads none may as well be the GPU's.
  void dropUnread() {
    llvm::SetVector<Value> wanted;
    for (Value buffer : host)
      if (isReadOrWritten(buffer)) wanted.insert(buffer);
    for (size_t before = 0; before != wanted.size();) {
      before = wanted.size();
      for (rt::LaunchOp launch : launches)
        if (isHostLaunch(launch) &&
            llvm::any_of(launch.getArgs(), [&](Value a) { return wanted.contains(rootOf(a)); }))
          for (Value arg : launch.getArgs())
            if (isHost(arg)) wanted.insert(rootOf(arg));
      for (rt::LaunchOp launch : launches)
        for (auto [i, arg] : llvm::enumerate(launch.getArgs()))
          if (isHost(arg) && isHostArgument(launch, i)) wanted.insert(rootOf(arg));
    }
    host = wanted;
    while (shrink()) {
    }
  }

  static bool isReadOrWritten(Value buffer) {
    return llvm::any_of(buffer.getUsers(), [](Operation *user) {
      return isa<memref::LoadOp, memref::StoreOp>(user) ||
             (isa<ViewLikeOpInterface>(user) && isReadOrWritten(user->getResult(0)));
    });
  }

  mutable ModuleOp module;
};

struct KeepShapesOnHostPass : impl::KeepShapesOnHostBase<KeepShapesOnHostPass> {
  void runOnOperation() override {
    for (auto f : llvm::to_vector(getOperation().getOps<func::FuncOp>()))
      if (f->hasAttr("adze.entry")) keep(f);
  }

  void keep(func::FuncOp entry) {
    Residency residency(getOperation(), entry);
    for (rt::LaunchOp launch : residency.launches) {
      if (residency.isHostLaunch(launch)) {
        runOnHost(launch);
        continue;
      }
      for (unsigned i = 0; i < launch.getArgs().size(); ++i)
        if (isa<MemRefType>(launch.getArgs()[i].getType()) && residency.isHostArgument(launch, i)) {
          useHostConstants(launch, i);
          auto callee = getOperation().lookupSymbol<func::FuncOp>(launch.getCallee());
          callee.setArgAttr(i, kHostMemoryAttr, UnitAttr::get(&getContext()));
        }
    }
    for (Value buffer : residency.host) moveToHost(buffer);
    entry.walk([&](memref::LoadOp load) {
      if (Residency::isConstant(load.getMemRef())) onHost(load->getOpOperand(0));
    });
  }

  void runOnHost(rt::LaunchOp launch) {
    for (unsigned i = 0; i < launch.getArgs().size(); ++i) useHostConstants(launch, i);
    std::string name = (launch.getCallee() + "_on_host").str();
    if (!getOperation().lookupSymbol(name)) {
      auto callee = getOperation().lookupSymbol<func::FuncOp>(launch.getCallee());
      OpBuilder b(callee);
      auto clone = cast<func::FuncOp>(b.clone(*callee));
      clone.setName(name);
      clone->setAttr(kHostMemoryAttr, b.getUnitAttr());
    }
    launch.setCallee(name);
    ++numLaunches;
  }

  static void useHostConstants(rt::LaunchOp launch, unsigned i) {
    if (Residency::isConstant(launch.getArgs()[i])) onHost(launch->getOpOperand(i));
  }

  /// The operand becomes the same view of the constant in host memory.
  static void onHost(OpOperand &operand) {
    OpBuilder b(operand.getOwner());
    SmallVector<Operation *> chain;
    for (Value v = operand.get();; v = chain.back()->getOperand(0)) {
      chain.push_back(v.getDefiningOp());
      if (isa<rt::ConstantOp>(chain.back())) break;
    }
    IRMapping map;
    for (Operation *op : llvm::reverse(chain)) {
      Operation *clone = b.clone(*op, map);
      if (auto constant = dyn_cast<rt::ConstantOp>(clone)) constant.setHost(true);
    }
    operand.set(map.lookup(operand.get()));
  }

  void moveToHost(Value buffer) {
    ++numBuffers;
    if (auto alloc = buffer.getDefiningOp<memref::AllocOp>()) {
      alloc->setAttr(kHostMemoryAttr, UnitAttr::get(&getContext()));
      return;
    }
    Operation *view = buffer.getDefiningOp();
    OpBuilder b(view);
    auto memory = memref::AllocOp::create(b, view->getLoc(), cast<MemRefType>(buffer.getType()));
    memory->setAttr(kHostMemoryAttr, b.getUnitAttr());
    b.setInsertionPoint(view->getBlock()->getTerminator());
    memref::DeallocOp::create(b, view->getLoc(), memory);
    buffer.replaceAllUsesWith(memory);
    view->erase();
  }
};

}  // namespace
}  // namespace adze::cuda
