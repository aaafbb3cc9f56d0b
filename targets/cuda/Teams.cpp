#include "targets/cuda/Teams.h"

#include "dialects/Rt/Rt.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace adze::cuda {
namespace {

class TeamLowering {
 public:
  explicit TeamLowering(gpu::GPUFuncOp kernel) : kernel(kernel), b(kernel.getContext()) {}

  void run() {
    SmallVector<Operation *> ops;
    kernel.walk([&](Operation *op) {
      if (isa<rt::TeamReduceOp, rt::TeamBarrierOp>(op) || isShared(op)) ops.push_back(op);
    });
    for (Operation *op : ops) {
      b.setInsertionPoint(op);
      loc = op->getLoc();
      if (auto reduce = dyn_cast<rt::TeamReduceOp>(op))
        reduce.replaceAllUsesWith(lower(reduce));
      else if (auto tile = dyn_cast<memref::AllocaOp>(op))
        tile.replaceAllUsesWith(kernel.addWorkgroupAttribution(tile.getType(), loc));
      else
        barrier(cast<rt::TeamBarrierOp>(op).getTeam());
      op->erase();
    }
  }

 private:
  static bool isShared(Operation *op) {
    auto alloca = dyn_cast<memref::AllocaOp>(op);
    return alloca && gpu::GPUDialect::hasWorkgroupMemoryAddressSpace(alloca.getType());
  }

  Value constant32(int32_t v) { return arith::ConstantIntOp::create(b, loc, v, 32); }

  Value combine(StringRef name, Value x, Value y) {
    OperationState state(loc, name, {x, y}, {x.getType()});
    return b.create(state)->getResult(0);
  }

  void barrier(int64_t team) {
    if (team > kWarp)
      gpu::BarrierOp::create(b, loc);
    else
      NVVM::SyncWarpOp::create(b, loc, constant32(-1));
  }

  /// Butterfly: every lane of a warp gets the sum.
  Value reduceWarp(StringRef combiner, Value value) {
    for (int32_t distance = kWarp / 2; distance > 0; distance /= 2) {
      auto other = gpu::ShuffleOp::create(b, loc, value, constant32(distance), constant32(kWarp),
                                          gpu::ShuffleMode::XOR);
      value = combine(combiner, value, other.getShuffleResult());
    }
    return value;
  }

  Value lower(rt::TeamReduceOp op) {
    Value value = reduceWarp(op.getCombiner(), op.getValue());
    if (op.getTeam() <= kWarp) return value;
    int64_t warps = op.getTeam() / kWarp;
    auto space = gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
    auto type = MemRefType::get({warps}, value.getType(), MemRefLayoutAttrInterface(), space);
    Value partial = kernel.addWorkgroupAttribution(type, loc);
    Value thread = gpu::ThreadIdOp::create(b, loc, gpu::Dimension::x);
    Value width = arith::ConstantIndexOp::create(b, loc, kWarp);
    Value lane = arith::RemUIOp::create(b, loc, thread, width);
    Value warp = arith::DivUIOp::create(b, loc, thread, width);
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value first = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, lane, zero);
    auto store = scf::IfOp::create(b, loc, first, /*withElseRegion=*/false);
    OpBuilder inside = store.getThenBodyBuilder();
    memref::StoreOp::create(inside, loc, value, partial, warp);
    gpu::BarrierOp::create(b, loc);
    value = memref::LoadOp::create(b, loc, partial, zero);
    for (int64_t w = 1; w < warps; ++w) {
      Value index = arith::ConstantIndexOp::create(b, loc, w);
      value = combine(op.getCombiner(), value, memref::LoadOp::create(b, loc, partial, index));
    }
    return value;
  }

  gpu::GPUFuncOp kernel;
  OpBuilder b;
  Location loc = b.getUnknownLoc();
};

}  // namespace

void lowerTeams(gpu::GPUFuncOp kernel) { TeamLowering(kernel).run(); }

}  // namespace adze::cuda
