#include "dialects/Rt/Rt.h"
#include "passes/Schedule/MachineModel.h"
#include "targets/cuda/HostBuffers.h"
#include "targets/cuda/Passes.h"
#include "targets/cuda/ThreadLoops.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace adze::cuda {
#define GEN_PASS_DEF_PLACEKERNELS
#include "targets/cuda/Passes.h.inc"
}  // namespace adze::cuda

using namespace mlir;

namespace adze::cuda {
namespace {

/// Ops of the math dialect that are formulas of adze-expand-math or PTX
/// instructions, and for which element types.
struct DeviceMath {
  StringLiteral name;
  bool f32Only;
};
constexpr DeviceMath kDeviceMath[] = {
    {"math.exp", true},        {"math.tanh", true},  {"math.erf", true},
    {"math.sin", true},        {"math.cos", true},   {"math.powf", true},
    {"math.rsqrt", true},      {"math.log", true},   {"math.log2", true},
    {"math.log1p", true},      {"math.expm1", true}, {"math.erfc", true},
    {"math.sqrt", false},      {"math.absf", false}, {"math.absi", false},
    {"math.floor", false},     {"math.ceil", false}, {"math.trunc", false},
    {"math.roundeven", false}, {"math.fma", false},  {"math.copysign", false},
    {"math.ctlz", false},      {"math.cttz", false}, {"math.ctpop", false}};

/// PTX computes with the type.
bool isDeviceType(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (element.isIndex()) return true;
  if (auto integer = dyn_cast<IntegerType>(element))
    return llvm::is_contained({1u, 8u, 16u, 32u, 64u}, integer.getWidth());
  return element.isF16() || element.isBF16() || element.isF32() || element.isF64();
}

std::string nameOf(Operation *op) { return op->getName().getStringRef().str(); }

/// Why a body of linalg has no PTX; "" when it has.
std::string whyNoPtx(Operation *op) {
  for (Value v : op->getOperands())
    if (!isDeviceType(v.getType())) return "computes with types that PTX does not have";
  for (Value v : op->getResults())
    if (!isDeviceType(v.getType())) return "computes with types that PTX does not have";
  if (isa<arith::RemFOp>(op)) return "arith.remf has no code for a GPU";
  if (isa<memref::LoadOp, memref::StoreOp, linalg::IndexOp, linalg::YieldOp, memref::DimOp>(op) ||
      isa<arith::ArithDialect, scf::SCFDialect, affine::AffineDialect>(op->getDialect()))
    return "";
  if (isa<math::MathDialect>(op->getDialect()))
    for (const DeviceMath &m : kDeviceMath)
      if (m.name == op->getName().getStringRef() &&
          (!m.f32Only || getElementTypeOrSelf(op->getResult(0).getType()).isF32()))
        return "";
  return nameOf(op) + " has no code for a GPU";
}

/// The device runs around its kernels, in host code: views, extents, loops.
bool isHostGlue(Operation *op) {
  if (isa<memref::AllocOp, memref::DeallocOp, memref::CopyOp, memref::SubViewOp, memref::CastOp,
          memref::CollapseShapeOp, memref::ExpandShapeOp, memref::ReinterpretCastOp, memref::DimOp,
          memref::ViewOp, memref::ExtractStridedMetadataOp, memref::ReshapeOp,
          memref::AssumeAlignmentOp, memref::ExtractAlignedPointerAsIndexOp, memref::GetGlobalOp,
          rt::CheckOp, rt::ConstantOp, func::CallOp, func::ReturnOp>(op))
    return true;
  if (isa<scf::IfOp, scf::ForOp, scf::YieldOp>(op)) return true;
  return isa<arith::ArithDialect, affine::AffineDialect>(op->getDialect());
}

bool touchesHostBuffer(Operation *op) {
  if (auto load = dyn_cast<memref::LoadOp>(op)) return isHostBuffer(load.getMemref());
  auto store = dyn_cast<memref::StoreOp>(op);
  return store && isHostBuffer(store.getMemref());
}

/// Why threads do not share loops over single elements; "" where they can.
std::string whyNoThreadsOfGpu(scf::ForOp loop) {
  std::string why = whyNoThreads(loop);
  loop.walk([&](Operation *inner) {
    if (inner != loop && why.empty()) why = whyNoPtx(inner);
  });
  return why;
}

/// Of loops, not of what linalg ops have inside.
bool hasElements(scf::ForOp loop) {
  return loop
      ->walk<WalkOrder::PreOrder>([](Operation *op) {
        if (isa<linalg::LinalgOp>(op)) return WalkResult::skip();
        return isa<memref::LoadOp, memref::StoreOp>(op) && !touchesHostBuffer(op)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Why the host has to run `function`; "" when the GPU can.
std::string whyHost(func::FuncOp function) {
  if (function.getNumResults()) return "its results' extents depend on data";
  std::string why;
  function.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (op == function) return WalkResult::advance();
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
      if (!linalgOp.hasPureBufferSemantics()) why = "works on tensors";
      for (Value v : op->getOperands())
        if (why.empty() && !isDeviceType(v.getType())) why = "has types that PTX does not have";
      op->walk([&](Operation *inner) {
        if (inner != op && why.empty()) why = whyNoPtx(inner);
      });
      return why.empty() ? WalkResult::skip() : WalkResult::interrupt();
    }
    auto loop = dyn_cast<scf::ForOp>(op);
    if (loop && hasElements(loop)) {
      why = whyNoThreadsOfGpu(loop);
      if (!why.empty()) return WalkResult::interrupt();
      loop->setAttr(kThreadsAttr, UnitAttr::get(loop.getContext()));
      return WalkResult::skip();
    }
    // A few elements may be fetched and sent one by one, not those of a loop.
    bool isElement = isa<memref::LoadOp, memref::StoreOp>(op);
    if (touchesHostBuffer(op) || (isElement && op->getParentOp() == function))
      return WalkResult::advance();
    if (isElement)
      why = "reads or writes elements one by one";
    else if (!isHostGlue(op))
      why = "has " + nameOf(op);
    return why.empty() ? WalkResult::advance() : WalkResult::interrupt();
  });
  return why;
}

/// What a region's arguments or the op's results become of `use`: all of their type,
/// which is more than it takes.
void forward(RegionBranchOpInterface branch, OpOperand &use, function_ref<void(Value)> add) {
  for (Value v : branch->getResults())
    if (v.getType() == use.get().getType()) add(v);
  for (Region &region : branch->getRegions())
    for (Value v : region.getArguments())
      if (v.getType() == use.get().getType()) add(v);
}

/// Values of buffers that `arg` may be, or that views are made from, followed
/// forwards through views, loops and branches.
llvm::DenseSet<Value> aliasesOf(BlockArgument arg) {
  llvm::DenseSet<Value> all;
  SmallVector<Value> work{arg};
  auto add = [&](Value v) {
    if (isa<MemRefType>(v.getType()) && all.insert(v).second) work.push_back(v);
  };
  all.insert(arg);
  while (!work.empty()) {
    Value v = work.pop_back_val();
    for (OpOperand &use : v.getUses()) {
      Operation *user = use.getOwner();
      if (isa<ViewLikeOpInterface>(user) ||
          isa<memref::ExtractStridedMetadataOp, arith::SelectOp>(user))
        llvm::for_each(user->getResults(), add);
      if (auto branch = dyn_cast<RegionBranchOpInterface>(user)) forward(branch, use, add);
      if (auto branch = dyn_cast<RegionBranchOpInterface>(user->getParentOp());
          branch && user->hasTrait<OpTrait::IsTerminator>())
        forward(branch, use, add);
    }
  }
  return all;
}

bool readsOperand(linalg::LinalgOp op, Value buffer) {
  return llvm::any_of(op->getOpOperands(), [&](OpOperand &operand) {
    return operand.get() == buffer && op.payloadUsesValueFromOperand(&operand);
  });
}

/// May an op of `function` have this effect on its argument?
template <typename Effect>
bool mayHave(func::FuncOp function, BlockArgument arg) {
  llvm::DenseSet<Value> aliases = aliasesOf(arg);
  WalkResult result = function.walk([&](Operation *op) {
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects) return WalkResult::advance();
    SmallVector<MemoryEffects::EffectInstance> list;
    effects.getEffects(list);
    for (const MemoryEffects::EffectInstance &effect : list) {
      Value value = effect.getValue();
      if (!isa<Effect>(effect.getEffect()) || !value || !aliases.contains(value)) continue;
      // Results of linalg ops are read by their bodies or not at all.
      auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
      if (std::is_same_v<Effect, MemoryEffects::Read> && linalgOp && !readsOperand(linalgOp, value))
        continue;
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return result.wasInterrupted();
}

struct PlaceKernelsPass : impl::PlaceKernelsBase<PlaceKernelsPass> {
  PlaceKernelsPass() = default;
  explicit PlaceKernelsPass(const schedule::MachineModel &machine) : machine(machine) {}

  void runOnOperation() override {
    llvm::DenseSet<StringAttr> launched;
    getOperation().walk([&](rt::LaunchOp op) { launched.insert(op.getCalleeAttr().getAttr()); });
    for (func::FuncOp f : llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      // What is called otherwise helps host code.
      bool isEntry = f->hasAttr("adze.entry");
      if (f->hasAttr(kHostMemoryAttr))
        f->setAttr(schedule::MachineModel::kAttrName, machine.toAttr(&getContext()));
      if (f.empty() || f->hasAttr(kHostMemoryAttr) ||
          (!isEntry && !launched.contains(f.getNameAttr())))
        continue;
      std::string why = isEntry ? "" : whyHost(f);
      if (isEntry) keepCopies(f), uploadGlobals(f);
      f->setAttr(kDeviceAttr, UnitAttr::get(&getContext()));
      if (why.empty()) {
        ++numDevice;
        continue;
      }
      ++numHost;
      leaveToHost(f, why);
    }
  }

  /// Constants in the host's memory that are more than read by host code.
  static void uploadGlobals(func::FuncOp entry) {
    auto isData = [](OpOperand &use) { return !isa<memref::LoadOp>(use.getOwner()); };
    SmallVector<memref::GetGlobalOp> globals;
    entry.walk([&](memref::GetGlobalOp op) {
      if (llvm::any_of(op->getUses(), isData)) globals.push_back(op);
    });
    for (memref::GetGlobalOp global : globals) {
      OpBuilder b(global->getContext());
      b.setInsertionPointAfter(global);
      Value device = rt::DeviceAllocOp::create(b, global.getLoc(), global.getType(), ValueRange());
      global.getResult().replaceUsesWithIf(device, isData);
      rt::ToDeviceOp::create(b, global.getLoc(), global, device);
    }
  }

  /// Copies between dense buffers need no kernel, unless they may be part of one.
  static void keepCopies(func::FuncOp f) {
    auto isDense = [](Value v) {
      auto type = cast<MemRefType>(v.getType());
      auto [strides, offset] = type.getStridesAndOffset();
      return type.getLayout().isIdentity() || (type.getRank() == 1 && strides[0] == 1);
    };
    SmallVector<memref::CopyOp> copies;
    f.walk([&](memref::CopyOp op) {
      bool fromHost = op.getSource().getDefiningOp<memref::GetGlobalOp>();
      if (!fromHost && isDense(op.getSource()) && isDense(op.getTarget())) copies.push_back(op);
    });
    for (memref::CopyOp op : copies) {
      OpBuilder b(op);
      rt::DeviceCopyOp::create(b, op.getLoc(), op.getSource(), op.getTarget());
      op.erase();
    }
  }

  /// The function becomes a stub that stages its buffers for what it was.
  void leaveToHost(func::FuncOp stub, StringRef why) {
    OpBuilder b(stub);
    auto host = cast<func::FuncOp>(b.clone(*stub));
    host.setName((stub.getName() + "_host").str());
    host->removeAttr(kDeviceAttr);
    host->setAttr(schedule::MachineModel::kAttrName, machine.toAttr(&getContext()));
    stub->setAttr(kHostAttr, b.getStringAttr(why));
    stub.getBody().dropAllReferences();
    stub.getBody().getBlocks().clear();
    b.setInsertionPointToStart(stub.addEntryBlock());
    stage(b, stub, host);
  }

  static void stage(OpBuilder &b, func::FuncOp stub, func::FuncOp host) {
    Location loc = stub.getLoc();
    SmallVector<Value> args;
    for (auto [arg, inner] : llvm::zip(stub.getArguments(), host.getArguments())) {
      if (!isa<MemRefType>(arg.getType()) || isHostBuffer(arg))
        args.push_back(arg);
      else if (mayHave<MemoryEffects::Read>(host, inner))
        args.push_back(rt::ToHostOp::create(b, loc, arg.getType(), arg,
                                            mayHave<MemoryEffects::Write>(host, inner)));
      else
        args.push_back(hostBuffer(b, loc, arg));
    }
    auto call = func::CallOp::create(b, loc, host, args);
    for (auto [arg, copy, inner] : llvm::zip(stub.getArguments(), args, host.getArguments()))
      if (arg != copy && mayHave<MemoryEffects::Write>(host, inner))
        rt::ToDeviceOp::create(b, loc, copy, arg);
    SmallVector<Value> results;
    for (Value result : call.getResults()) results.push_back(toDevice(b, loc, result));
    for (auto [arg, copy] : llvm::zip(stub.getArguments(), args))
      if (arg != copy) memref::DeallocOp::create(b, loc, copy);
    func::ReturnOp::create(b, loc, results);
  }

  static SmallVector<Value> dynamicExtents(OpBuilder &b, Location loc, Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    SmallVector<Value> extents;
    for (int64_t d = 0; d < type.getRank(); ++d)
      if (type.isDynamicDim(d)) extents.push_back(memref::DimOp::create(b, loc, buffer, d));
    return extents;
  }

  /// For what the function only writes.
  static Value hostBuffer(OpBuilder &b, Location loc, Value device) {
    auto type = cast<MemRefType>(device.getType());
    return memref::AllocOp::create(b, loc, type, dynamicExtents(b, loc, device));
  }

  static Value toDevice(OpBuilder &b, Location loc, Value host) {
    auto type = dyn_cast<MemRefType>(host.getType());
    if (!type) return host;
    Value device = rt::DeviceAllocOp::create(b, loc, type, dynamicExtents(b, loc, host));
    rt::ToDeviceOp::create(b, loc, host, device);
    memref::DeallocOp::create(b, loc, host);
    return device;
  }

  schedule::MachineModel machine;
};

}  // namespace

std::unique_ptr<Pass> createPlaceKernels(const schedule::MachineModel &machine) {
  return std::make_unique<PlaceKernelsPass>(machine);
}

}  // namespace adze::cuda
