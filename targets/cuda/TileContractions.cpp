#include "dialects/Rt/Rt.h"
#include "lib/Support/Diagnostics.h"
#include "passes/Schedule/Prepare.h"
#include "targets/cuda/Passes.h"
#include "targets/cuda/TileChoice.h"
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

struct TileContractionsPass : impl::TileContractionsBase<TileContractionsPass> {
  using TileContractionsBase::TileContractionsBase;

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
    for (std::unique_ptr<Unit> &unit : units)
      if (auto text = unit->anchor()->getAttrOfType<StringAttr>(kTileAttr))
        if (auto found = scheduleOf(*unit, text)) tile(f, found->first, number++, found->second);
    paddings.eraseUnread();
  }

  /// What the text says; the best guess where it does not fit.
  std::optional<std::pair<Contraction, TileSchedule>> scheduleOf(Unit &unit, StringRef text) {
    linalg::GenericOp anchor = unit.anchor();
    anchor->removeAttr(kTileAttr);
    std::string why = "this is no product for tensor cores";
    std::optional<TileUnit> found = findTileUnit(unit, *device, products);
    std::optional<TileSchedule> schedule = found ? found->read(text, why) : std::nullopt;
    if (!schedule) anchor->emitRemark() << "the tile schedule does not fit: " << why;
    if (!found) return std::nullopt;
    if (!schedule)
      for (const TileSchedule &best : found->schedules(1)) schedule = best;
    if (!schedule) return std::nullopt;
    return std::pair(std::move(found->contraction), *schedule);
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

  void tile(func::FuncOp f, Contraction &c, unsigned number, const TileSchedule &schedule) {
    int64_t parts = gridOf(schedule).parts;
    SmallVector<Value> buffers = argumentsOf(*c.unit);
    Value partial;
    if (parts > 1)
      buffers = {c.core().operands[c.a].source, c.core().operands[c.b].source,
                 partial = allocatePartial(c, parts)};
    std::vector<Stride> unknowns = unknownsOf(c);
    gpu::GPUModuleOp module = deviceModule();
    Kit kit(c.unit->anchor().getLoc(), module.getBody(), module.getBody()->end());
    SmallVector<Type> types;
    for (Value v : buffers)
      types.push_back(isa<MemRefType>(v.getType()) ? kit.pointer(1) : v.getType());
    types.append(unknowns.size(), kit.getI32Type());
    std::string name = (f.getName() + "_tile_" + Twine(number)).str();
    gpu::GPUFuncOp function = startFunction(kit, name, types, /*threads=*/1);
    KernelArguments arguments;
    for (auto [v, arg] : llvm::zip(buffers, function.getArguments())) arguments.values[v] = arg;
    for (auto [stride, arg] :
         llvm::zip(unknowns, function.getArguments().drop_front(buffers.size())))
      arguments.numbers[stride] = arg;
    MatmulProblem problem = problemOf(c, arguments);
    problem.epilogue = partial ? partialEpilogueOf(c, arguments.values[partial], parts, arguments)
                               : epilogueOf(c, arguments);
    auto block = kit.getDenseI32ArrayAttr({int32_t(threads(schedule, problem)), 1, 1});
    function.setKnownBlockSizeAttr(block);
    buildMatmul(kit, schedule, problem);
    cloneConstants(function);
    OpBuilder b(partial ? c.core().op.getOperation() : c.unit->insertionPoint());
    launch(b, c, schedule, problem, function, buffers, unknowns);
    ++numTiled;
    if (partial)
      sumParts(b, c, partial);
    else
      for (const Stage &stage : c.unit->stages) stage.op->erase();
  }

  static Value allocatePartial(const Contraction &c, int64_t parts) {
    linalg::GenericOp core = c.core().op;
    auto type = cast<MemRefType>(c.core().outputs().front().source.getType());
    SmallVector<int64_t> shape{parts};
    llvm::append_range(shape, type.getShape());
    OpBuilder b(core);
    Value memory =
        memref::AllocOp::create(b, core.getLoc(), MemRefType::get(shape, type.getElementType()));
    b.setInsertionPoint(core->getBlock()->getTerminator());
    memref::DeallocOp::create(b, core.getLoc(), memory);
    return memory;
  }

  /// The sum of the parts takes the core's place.
  static void sumParts(OpBuilder &b, const Contraction &c, Value partial) {
    linalg::GenericOp core = c.core().op;
    MLIRContext *ctx = b.getContext();
    Value out = core.getDpsInits().front();
    AffineMap outMap = core.getMatchingIndexingMap(core.getDpsInitOperand(0));
    unsigned dims = 0;
    SmallVector<AffineExpr> renumbered(core.getNumLoops(), getAffineConstantExpr(0, ctx));
    for (auto [dim, kind] : llvm::enumerate(core.getIteratorTypesArray()))
      if (kind == utils::IteratorType::parallel) renumbered[dim] = getAffineDimExpr(dims++, ctx);
    AffineMap to = outMap.replaceDimsAndSymbols(renumbered, {}, dims + 1, 0);
    SmallVector<AffineExpr> from{getAffineDimExpr(dims, ctx)};
    llvm::append_range(from, to.getResults());
    SmallVector<utils::IteratorType> kinds(dims, utils::IteratorType::parallel);
    kinds.push_back(utils::IteratorType::reduction);
    linalg::GenericOp::create(b, core.getLoc(), ValueRange(partial), ValueRange(out),
                              ArrayRef<AffineMap>{AffineMap::get(dims + 1, 0, from, ctx), to},
                              kinds, [](OpBuilder &body, Location loc, ValueRange args) {
                                Value sum = arith::AddFOp::create(body, loc, args[1], args[0]);
                                linalg::YieldOp::create(body, loc, sum);
                              });
    core.erase();
  }

  static void launch(OpBuilder &b, Contraction &c, const TileSchedule &schedule,
                     const MatmulProblem &problem, gpu::GPUFuncOp function, ArrayRef<Value> buffers,
                     ArrayRef<Stride> unknowns) {
    Location loc = c.unit->anchor().getLoc();
    SmallVector<Value> arguments(buffers);
    for (const Stride &stride : unknowns) arguments.push_back(number(b, loc, c, stride));
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    auto symbol = SymbolRefAttr::get(b.getStringAttr(kDeviceModule),
                                     {FlatSymbolRefAttr::get(function.getNameAttr())});
    auto op = rt::DeviceLaunchOp::create(
        b, loc, symbol, b.getI32IntegerAttr(0), blocks(b, loc, c, gridOf(schedule)), one, one,
        function.getKnownBlockSizeAttr(), b.getI32IntegerAttr(sharedBytes(schedule, problem)),
        arguments);
    op->setAttr(kTileAttr, b.getStringAttr(printTile(schedule)));
  }

  /// As the kernel takes it, if it can.
  static Value number(OpBuilder &b, Location loc, Contraction &c, const Stride &stride) {
    Value index = c.unit->symbols.materialize(b, loc, stride);
    Value narrow = arith::IndexCastOp::create(b, loc, b.getI32Type(), index);
    Value wide = arith::IndexCastOp::create(b, loc, b.getIndexType(), narrow);
    Value fits = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, index, wide);
    rt::CheckOp::create(b, loc, fits, "a product is too large for a GPU",
                        int32_t(ExitCode::ResourceLimit));
    return narrow;
  }

  /// Tiles of all batches, each for every part of k.
  static Value blocks(OpBuilder &b, Location loc, Contraction &c, const TileGrid &grid) {
    auto extent = [&](ArrayRef<unsigned> dims) -> Value {
      Stride size = c.size(dims);
      if (auto known = size.asConstant()) return arith::ConstantIndexOp::create(b, loc, *known);
      return c.unit->symbols.materialize(b, loc, size);
    };
    auto index = [&](int64_t n) -> Value { return arith::ConstantIndexOp::create(b, loc, n); };
    Value rows = b.createOrFold<arith::CeilDivUIOp>(loc, extent(c.row), index(grid.m));
    Value columns = b.createOrFold<arith::CeilDivUIOp>(loc, extent(c.column), index(grid.n));
    Value tiles = b.createOrFold<arith::MulIOp>(loc, rows, columns);
    tiles = b.createOrFold<arith::MulIOp>(loc, tiles, extent(c.batch));
    return b.createOrFold<arith::MulIOp>(loc, tiles, index(grid.parts));
  }

  MachineModel machine;
  const Device *device = nullptr;
};

}  // namespace
}  // namespace adze::cuda
