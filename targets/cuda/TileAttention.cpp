#include "dialects/Rt/Rt.h"
#include "passes/Schedule/Prepare.h"
#include "targets/cuda/Attention.h"
#include "targets/cuda/AttentionSchedule.h"
#include "targets/cuda/Passes.h"
#include "targets/cuda/TileLaunch.h"
#include "targets/cuda/TileSchedule.h"
#include "targets/cuda/tile/Standalone.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace adze::cuda {
#define GEN_PASS_DEF_TILEATTENTION
#include "targets/cuda/Passes.h.inc"
}  // namespace adze::cuda

using namespace mlir;
using namespace adze::schedule;

namespace adze::cuda {
namespace {

/// A kernel in the making: its function and what it is launched with.
struct Launch {
  gpu::GPUFuncOp function;
  SmallVector<Value> values;  ///< of the launching function: buffers and scalars
  /// Sizes, strides and offsets, by the unit whose symbols they are.
  SmallVector<std::pair<Unit *, Stride>> numbers;
};

struct TileAttentionPass : impl::TileAttentionBase<TileAttentionPass> {
  using TileAttentionBase::TileAttentionBase;

  void runOnOperation() override {
    device = findDevice(chip.getValue());
    if (!device) return;
    machine = machineOf(*device);
    for (func::FuncOp f : llvm::to_vector(getOperation().getOps<func::FuncOp>())) {
      if (!f->hasAttr(kDeviceAttr) || f->hasAttr(kHostAttr)) continue;
      generalizeKernels(f);
      unsigned number = 0;
      f.walk([&](Block *block) {
        if (!isa<linalg::LinalgOp>(block->getParentOp())) tileBlock(f, *block, number);
      });
    }
  }

  void tileBlock(func::FuncOp f, Block &block, unsigned &number) {
    Paddings paddings(block, machine);
    auto units = buildUnits(block, paddings, [](Operation *, StringRef) {});
    for (size_t at = 0; at < units.size(); ++at) {
      std::string why;
      std::optional<AttentionUnits> found = matchAttention(units, at, why);
      if (found) why = tile(f, *found, number++);
      if (!why.empty()) units[at]->anchor().emitRemark() << "attention is not one kernel: " << why;
      // Their ops are gone.
      if (found && why.empty())
        while (units[at].get() != found->values.unit) ++at;
    }
    paddings.eraseUnread();
  }

  /// Why not; "" when the kernel has taken the units' place.
  std::string tile(func::FuncOp f, AttentionUnits &a, unsigned number) {
    auto multiplies = multipliesOf(a.scores.element(), products == "f32" ? "f32" : "tf32", *device);
    if (multiplies.empty()) return "tensor cores do not multiply its factors";
    gpu::GPUModuleOp module = deviceModuleOf(getOperation());
    Kit kit(a.values.unit->anchor().getLoc(), module.getBody(), module.getBody()->end());
    AttentionArguments arguments;
    Launch launch =
        startKernel(kit, (f.getName() + "_attention_" + Twine(number)).str(), a, arguments);
    AttentionProblem problem = problemOf(a, arguments);
    std::string why;
    std::optional<AttentionKernel> kernel = chooseKernel(a, problem, multiplies.front(), why);
    if (!kernel) {
      launch.function.erase();
      return why;
    }
    launch.function.setKnownBlockSizeAttr(
        kit.getDenseI32ArrayAttr({int32_t(threads(*kernel)), 1, 1}));
    buildAttention(kit, *kernel, problem);
    cloneConstants(launch.function);
    emitLaunch(a, *kernel, problem, launch);
    eraseUnits(a);
    ++numTiled;
    return "";
  }

  std::optional<AttentionKernel> chooseKernel(const AttentionUnits &a, const AttentionProblem &p,
                                              Multiply multiply, std::string &why) const {
    const Contraction &s = a.scores;
    AttentionSize size{s.estimate(s.batch), s.estimate(s.row), s.estimate(s.column)};
    for (const AttentionKernel &kernel : rankAttention(p, size, multiply, *device)) {
      auto reason = whyNot(kernel, p);
      if (!reason) return kernel;
      why = *reason;
    }
    return std::nullopt;
  }

  /// A function that takes what the units use, and how their kernels find it there.
  static Launch startKernel(Kit &kit, StringRef name, const AttentionUnits &a,
                            AttentionArguments &arguments) {
    Launch launch;
    llvm::SetVector<Value> values;
    for (const Contraction *c : {&a.scores, &a.weights, &a.values}) {
      for (const Stage &stage : c->unit->stages)
        for (const Access &access : stage.operands)
          if (!llvm::is_contained(a.scratch, access.source) &&
              !matchPattern(access.source, m_Constant()))
            values.insert(access.source);
      for (const Stride &stride : unknownsOf(*c, a.scratch))
        launch.numbers.push_back({c->unit, stride});
    }
    launch.values = values.takeVector();
    SmallVector<Type> types;
    for (Value v : launch.values)
      types.push_back(isa<MemRefType>(v.getType()) ? kit.pointer(1) : v.getType());
    types.append(launch.numbers.size(), kit.getI32Type());
    launch.function = startFunction(kit, name, types, /*threads=*/1);
    ValueRange passed = launch.function.getArguments();
    for (auto [c, to] : {std::pair(&a.scores, &arguments.scores),
                         {&a.weights, &arguments.weights},
                         {&a.values, &arguments.values}}) {
      for (auto [v, arg] : llvm::zip(launch.values, passed)) to->values[v] = arg;
      for (auto [number, arg] : llvm::zip(launch.numbers, passed.drop_front(launch.values.size())))
        if (number.first == c->unit) to->numbers[number.second] = arg;
    }
    return launch;
  }

  static void emitLaunch(AttentionUnits &a, const AttentionKernel &kernel,
                         const AttentionProblem &problem, Launch &launch) {
    Unit &last = *a.values.unit;
    OpBuilder b(last.insertionPoint());
    Location loc = last.anchor().getLoc();
    SmallVector<Value> arguments(launch.values);
    for (auto &[unit, stride] : launch.numbers)
      arguments.push_back(numberFor(b, loc, *unit, stride, "attention is too large for a GPU"));
    const Contraction &s = a.scores;
    Value rows = arith::ConstantIndexOp::create(b, loc, kernel.blockM());
    Value blocks = b.createOrFold<arith::CeilDivUIOp>(loc, extentOf(b, loc, s, s.row), rows);
    blocks = b.createOrFold<arith::MulIOp>(loc, blocks, extentOf(b, loc, s, s.batch));
    auto op = launchTile(b, loc, launch.function, blocks, sharedBytes(kernel, problem), arguments);
    op->setAttr(kTileAttr, b.getStringAttr(describe(kernel)));
  }

  static void eraseUnits(AttentionUnits &a) {
    for (Operation *op : a.ops) op->erase();
    for (Value memory : a.scratch) {
      auto alloc = memory.getDefiningOp<memref::AllocOp>();
      OpBuilder b(alloc->getContext());
      b.setInsertionPointAfter(alloc);
      for (Operation *user : llvm::make_early_inc_range(memory.getUsers())) {
        if (auto dim = dyn_cast<memref::DimOp>(user))
          dim.replaceAllUsesWith(getValueOrCreateConstantIndexOp(
              b, dim.getLoc(),
              memref::getMixedSizes(b, dim.getLoc(), memory)[*dim.getConstantIndex()]));
        user->erase();
      }
      alloc.erase();
    }
  }

  MachineModel machine;
  const Device *device = nullptr;
};

}  // namespace
}  // namespace adze::cuda
