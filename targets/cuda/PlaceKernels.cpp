#include "dialects/Rt/Rt.h"
#include "passes/Schedule/Access.h"
#include "passes/Schedule/MachineModel.h"
#include "targets/cuda/HostBuffers.h"
#include "targets/cuda/Passes.h"

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
    {"math.exp", true},      {"math.tanh", true},  {"math.erf", true},   {"math.rsqrt", true},
    {"math.log", true},      {"math.log2", true},  {"math.log1p", true}, {"math.expm1", true},
    {"math.erfc", true},     {"math.sqrt", false}, {"math.absf", false}, {"math.absi", false},
    {"math.floor", false},   {"math.ceil", false}, {"math.trunc", false},
    {"math.roundeven", false}, {"math.fma", false}, {"math.copysign", false},
    {"math.ctlz", false},    {"math.cttz", false}, {"math.ctpop", false}};

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
  if (isa<memref::LoadOp, linalg::IndexOp, linalg::YieldOp, memref::DimOp>(op) ||
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
          memref::ViewOp, memref::ExtractStridedMetadataOp, memref::ReshapeOp, memref::AssumeAlignmentOp,
          memref::ExtractAlignedPointerAsIndexOp, memref::GetGlobalOp, rt::CheckOp, rt::ConstantOp,
          func::CallOp, func::ReturnOp>(op))
    return true;
  if (isa<scf::IfOp, scf::ForOp, scf::YieldOp>(op)) return true;
  return isa<arith::ArithDialect, affine::AffineDialect>(op->getDialect());
}

bool touchesHostBuffer(Operation *op) {
  if (auto load = dyn_cast<memref::LoadOp>(op)) return isHostBuffer(load.getMemref());
  auto store = dyn_cast<memref::StoreOp>(op);
  return store && isHostBuffer(store.getMemref());
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
    if (touchesHostBuffer(op) || (isa<memref::LoadOp>(op) && op->getParentOp() == function))
      return WalkResult::advance();
    if (isa<memref::LoadOp, memref::StoreOp>(op))
      why = "reads or writes elements one by one";
    else if (!isHostGlue(op))
      why = "has " + nameOf(op);
    return why.empty() ? WalkResult::advance() : WalkResult::interrupt();
  });
  return why;
}

/// May an op of `function` write its argument? Memory that is not traced to where
/// it comes from counts as any.
bool mayWrite(func::FuncOp function, BlockArgument arg) {
  WalkResult result = function.walk([&](Operation *op) {
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects) return WalkResult::advance();
    SmallVector<MemoryEffects::EffectInstance> list;
    effects.getEffects(list);
    for (const MemoryEffects::EffectInstance &effect : list) {
      Value value = effect.getValue();
      if (!isa<MemoryEffects::Write>(effect.getEffect()) || !value) continue;
      if (!isa<MemRefType>(value.getType())) continue;
      auto block = dyn_cast<BlockArgument>(value);
      bool untraced = block && block.getOwner() != &function.front();
      if (untraced || schedule::mayAlias(value, arg)) return WalkResult::interrupt();
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
      if (f.empty() || (!isEntry && !launched.contains(f.getNameAttr()))) continue;
      std::string why = isEntry ? "" : whyHost(f);
      f->setAttr(kDeviceAttr, UnitAttr::get(&getContext()));
      if (why.empty()) {
        ++numDevice;
        continue;
      }
      ++numHost;
      leaveToHost(f, why);
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
    for (Value arg : stub.getArguments())
      args.push_back(isa<MemRefType>(arg.getType()) ? rt::ToHostOp::create(b, loc, arg).getResult() : arg);
    auto call = func::CallOp::create(b, loc, host, args);
    for (auto [arg, copy, inner] : llvm::zip(stub.getArguments(), args, host.getArguments()))
      if (arg != copy && mayWrite(host, inner)) rt::ToDeviceOp::create(b, loc, copy, arg);
    SmallVector<Value> results;
    for (Value result : call.getResults()) results.push_back(toDevice(b, loc, result));
    for (auto [arg, copy] : llvm::zip(stub.getArguments(), args))
      if (arg != copy) memref::DeallocOp::create(b, loc, copy);
    func::ReturnOp::create(b, loc, results);
  }

  static Value toDevice(OpBuilder &b, Location loc, Value host) {
    auto type = dyn_cast<MemRefType>(host.getType());
    if (!type) return host;
    SmallVector<Value> extents;
    for (int64_t d = 0; d < type.getRank(); ++d)
      if (type.isDynamicDim(d)) extents.push_back(memref::DimOp::create(b, loc, host, d));
    Value device = rt::DeviceAllocOp::create(b, loc, type, extents);
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
