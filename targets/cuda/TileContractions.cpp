#include "dialects/Rt/Rt.h"
#include "passes/Schedule/Prepare.h"
#include "targets/cuda/Contraction.h"
#include "targets/cuda/Devices.h"
#include "targets/cuda/Passes.h"
#include "targets/cuda/tile/Standalone.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace adze::cuda {
#define GEN_PASS_DEF_TILECONTRACTIONS
#include "targets/cuda/Passes.h.inc"
}  // namespace adze::cuda

using namespace mlir;
using namespace adze::schedule;

namespace adze::cuda {
namespace {

/// A tile and what of the tensor cores' rate a block of it reaches, next to the
/// largest: small ones read more for each product.
struct TileShape {
  int64_t m, n, warpM, warpN;
  double efficiency;
};
constexpr TileShape kTiles[] = {{128, 128, 64, 32, 1.0}, {128, 64, 32, 32, 0.85}, {64, 64, 32, 32, 0.7},
                                {64, 32, 32, 32, 0.5},   {32, 64, 32, 32, 0.5},   {32, 32, 32, 32, 0.35}};
constexpr int64_t kTileK = 32;
constexpr int64_t kLeastExtent = 16;  ///< of rows, columns and terms: less leaves tiles empty

struct TileContractionsPass : impl::TileContractionsBase<TileContractionsPass> {
  using TileContractionsBase::TileContractionsBase;

  void runOnOperation() override {
    const Device *device = findDevice(chip.getValue());
    if (!device || device->tf32Tflops == 0) return;
    machine = machineOf(*device);
    multiprocessors = device->multiprocessors;
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
    for (std::unique_ptr<Unit> &unit : units) {
      std::string why;
      if (unit->core < 0) continue;
      (void)collapseDims(*unit, findCollapsible(*unit));
      if (std::optional<Contraction> c = matchContraction(*unit, why); c && isWorthIt(*c))
        tile(f, *c, number++);
    }
    paddings.eraseUnread();
  }

  static bool isWorthIt(const Contraction &c) {
    return c.size(c.row) >= kLeastExtent && c.size(c.column) >= kLeastExtent &&
           c.size(c.k) >= kLeastExtent && c.size(c.row) * c.size(c.k) <= INT32_MAX &&
           c.size(c.column) * c.size(c.k) <= INT32_MAX && c.size(c.batch) <= INT32_MAX;
  }

  /// The tile for which the blocks' turns take the least time.
  MatmulKernel choose(const Contraction &c) const {
    int64_t m = c.size(c.row), n = c.size(c.column), batch = c.size(c.batch);
    const TileShape *best = nullptr;
    double bestTime = 0;
    for (const TileShape &t : kTiles) {
      int64_t blocks = llvm::divideCeil(m, t.m) * llvm::divideCeil(n, t.n) * batch;
      // Small tiles share a multiprocessor.
      double turns = std::max(1.0, double(blocks) / multiprocessors);
      double time = turns * double(t.m * t.n) / t.efficiency;
      if (!best || time < bestTime) best = &t, bestTime = time;
    }
    MatmulKernel k;
    k.multiply = Multiply::TF32x3;
    StringRef(chip).drop_front(3).take_while(llvm::isDigit).getAsInteger(10, k.chip);
    k.blockM = best->m, k.blockN = best->n, k.blockK = kTileK;
    k.warpM = best->warpM, k.warpN = best->warpN;
    k.stages = 3;
    return k;
  }

  gpu::GPUModuleOp deviceModule() {
    if (auto found = getOperation().lookupSymbol<gpu::GPUModuleOp>(kDeviceModule)) return found;
    OpBuilder b(getOperation().getBody(), getOperation().getBody()->begin());
    return gpu::GPUModuleOp::create(b, getOperation().getLoc(), kDeviceModule);
  }

  /// Buffers and scalars of the unit, each once, but for constants.
  static SmallVector<Value> argumentsOf(const Unit &unit) {
    llvm::SetVector<Value> values;
    for (const Stage &stage : unit.stages)
      for (const Access &access : stage.operands)
        if (!matchPattern(access.source, m_Constant())) values.insert(access.source);
    return values.takeVector();
  }

  /// Constants of the launching function that the kernel uses become its own.
  static void cloneConstants(gpu::GPUFuncOp function) {
    llvm::SetVector<Value> used;
    function.walk([&](Operation *op) {
      for (Value v : op->getOperands())
        if (!function.getBody().isAncestor(v.getParentRegion())) used.insert(v);
    });
    OpBuilder b = OpBuilder::atBlockBegin(&function.getBody().front());
    for (Value v : used) {
      Value own = b.clone(*v.getDefiningOp())->getResult(0);
      v.replaceUsesWithIf(own, [&](OpOperand &use) {
        return use.getOwner() != own.getDefiningOp() && function->isProperAncestor(use.getOwner());
      });
    }
  }

  void tile(func::FuncOp f, Contraction &c, unsigned number) {
    MatmulKernel kernel = choose(c);
    SmallVector<Value> arguments = argumentsOf(*c.unit);
    gpu::GPUModuleOp module = deviceModule();
    Location loc = c.unit->anchor().getLoc();
    Kit kit(loc, module.getBody(), module.getBody()->end());
    SmallVector<Type> types;
    for (Value v : arguments) types.push_back(isa<MemRefType>(v.getType()) ? kit.pointer(1) : v.getType());
    std::string name = (f.getName() + "_tile_" + Twine(number)).str();
    gpu::GPUFuncOp function = startFunction(kit, name, types, threads(kernel));
    Pointers pointers;
    for (auto [v, arg] : llvm::zip(arguments, function.getArguments())) pointers[v] = arg;
    MatmulProblem problem;
    problem.batch = Extent::of(c.size(c.batch));
    problem.m = Extent::of(c.size(c.row));
    problem.n = Extent::of(c.size(c.column));
    problem.k = Extent::of(c.size(c.k));
    problem.a = factorOf(c, c.a, c.row, pointers);
    problem.b = factorOf(c, c.b, c.column, pointers);
    problem.epilogue = epilogueOf(c, pointers);
    if (auto why = whyNot(kernel, problem)) return function.erase();
    buildMatmul(kit, kernel, problem);
    cloneConstants(function);
    launch(c, kernel, problem, function, arguments);
    for (const Stage &stage : c.unit->stages) stage.op->erase();
    ++numTiled;
  }

  void launch(const Contraction &c, const MatmulKernel &k, const MatmulProblem &problem,
              gpu::GPUFuncOp function, ArrayRef<Value> arguments) {
    OpBuilder b(c.unit->insertionPoint());
    Location loc = c.unit->anchor().getLoc();
    int64_t blocks = blockCount(k, c.size(c.batch), c.size(c.row), c.size(c.column));
    Value count = arith::ConstantIndexOp::create(b, loc, blocks);
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    auto symbol = SymbolRefAttr::get(b.getStringAttr(kDeviceModule),
                                     {FlatSymbolRefAttr::get(function.getNameAttr())});
    auto op = rt::DeviceLaunchOp::create(
        b, loc, symbol, b.getI32IntegerAttr(0), count, one, one,
        b.getDenseI32ArrayAttr({static_cast<int32_t>(threads(k)), 1, 1}),
        b.getI32IntegerAttr(sharedBytes(k, problem)), arguments);
    op->setAttr("adze.tile", b.getStringAttr(describe(k)));
  }

  static std::string describe(const MatmulKernel &k) {
    auto by = [](std::initializer_list<int64_t> list) {
      std::string text;
      for (int64_t n : list) text += (text.empty() ? "" : "x") + std::to_string(n);
      return text;
    };
    return nameOf(k.multiply).str() + " " + by({k.blockM, k.blockN, k.blockK}) + " warp " +
           by({k.warpM, k.warpN}) + " stages " + std::to_string(k.stages);
  }

  MachineModel machine;
  int64_t multiprocessors = 1;
};

}  // namespace
}  // namespace adze::cuda
