#include "dialects/Rt/Rt.h"
#include "passes/Schedule/Prepare.h"
#include "targets/cuda/Passes.h"
#include "targets/cuda/Ptx.h"
#include "targets/cuda/TileChoice.h"
#include "targets/cuda/TileLaunch.h"
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
    for (std::unique_ptr<Unit> &unit : units) {
      auto text = unit->anchor()->getAttrOfType<StringAttr>(kTileAttr);
      Attribute refused = unit->anchor()->removeAttr(kTileRefusedAttr);
      auto found = text ? scheduleOf(*unit, text) : std::nullopt;
      if (!found) continue;
      rt::DeviceLaunchOp launch = tile(f, found->first, number++, found->second);
      if (refused) launch->setAttr(kTileRefusedAttr, refused);
    }
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

  /// What a kernel is given, in the order of its arguments.
  struct Given {
    FactorMaps maps;
    SmallVector<Value> values;  ///< buffers and scalars
    std::vector<Stride> numbers;
    Value partial;           ///< one of `values`: sums of parts of k, for another kernel to add
    Value shared, counters;  ///< as well: what blocks that share tiles leave each other
  };

  static Given give(const Contraction &c, const TileGrid &grid) {
    Given given;
    std::string why;
    // That there are such maps was seen when the schedule was read.
    if (auto maps = mapFactors(c, grid.maps, grid.m, grid.n, why)) given.maps = std::move(*maps);
    given.values = valuesOf(*c.unit, given.maps);
    if (grid.parts > 1)
      given.values = {c.core().operands[c.a].source, c.core().operands[c.b].source,
                      given.partial = allocatePartial(c, grid.parts)};
    if (grid.slots) allocateShared(c, grid, given);
    given.numbers = unknownsOf(c);
    return given;
  }

  /// Buffers and scalars of the unit, each once, but for constants and mapped factors.
  static SmallVector<Value> valuesOf(const Unit &unit, ArrayRef<FactorMap> maps) {
    llvm::SetVector<Value> values;
    for (auto [s, stage] : llvm::enumerate(unit.stages))
      for (auto [i, access] : llvm::enumerate(stage.operands)) {
        bool isMapped = static_cast<int>(s) == unit.core &&
                        llvm::any_of(maps, [&](const FactorMap &map) { return map.operand == i; });
        if (!isMapped && !matchPattern(access.source, m_Constant())) values.insert(access.source);
      }
    return values.takeVector();
  }

  /// Sums of tiles, and counters, which begin with zeros.
  static void allocateShared(const Contraction &c, const TileGrid &grid, Given &given) {
    OpBuilder b(c.unit->insertionPoint());
    Location loc = c.unit->anchor().getLoc();
    auto allocate = [&](int64_t count, Type element) -> Value {
      return memref::AllocOp::create(b, loc, MemRefType::get({count}, element));
    };
    given.shared = allocate(grid.slots * grid.m * grid.n, b.getF32Type());
    given.counters = allocate(grid.blocks, b.getI32Type());
    Value zero = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(0));
    linalg::FillOp::create(b, loc, zero, given.counters);
    b.setInsertionPoint(b.getInsertionBlock()->getTerminator());
    for (Value memory : {given.shared, given.counters}) {
      memref::DeallocOp::create(b, loc, memory);
      given.values.push_back(memory);
    }
  }

  /// A function that is `given` that.
  static gpu::GPUFuncOp startKernel(Kit &kit, StringRef name, const Given &given,
                                    KernelArguments &arguments) {
    SmallVector<Type> types(given.maps.size(), kit.pointer(0));
    for (Value v : given.values)
      types.push_back(isa<MemRefType>(v.getType()) ? kit.pointer(1) : v.getType());
    types.append(given.numbers.size(), kit.getI32Type());
    gpu::GPUFuncOp function = startFunction(kit, name, types, /*threads=*/1);
    if (!given.maps.empty()) {
      auto first = llvm::to_vector(llvm::seq<int32_t>(0, given.maps.size()));
      function->setAttr(kTensorMaps, kit.getDenseI32ArrayAttr(first));
    }
    auto rest = function.getArguments().drop_front(given.maps.size());
    for (auto [v, arg] : llvm::zip(given.values, rest)) arguments.values[v] = arg;
    for (auto [stride, arg] : llvm::zip(given.numbers, rest.drop_front(given.values.size())))
      arguments.numbers[stride] = arg;
    return function;
  }

  static MatmulProblem problemOf(const Contraction &c, const Given &given, int64_t parts,
                                 gpu::GPUFuncOp function, const KernelArguments &arguments) {
    MatmulProblem p = cuda::problemOf(c, arguments);
    SmallVector<Value> mapped(function.getArguments().take_front(given.maps.size()));
    addMaps(p, c, given.maps, mapped, arguments);
    p.partialSums = arguments.values.lookup(given.shared);
    p.counters = arguments.values.lookup(given.counters);
    p.epilogue = given.partial ? partialEpilogueOf(c, arguments.values.lookup(given.partial), parts,
                                                   arguments)
                               : epilogueOf(c, arguments);
    return p;
  }

  rt::DeviceLaunchOp tile(func::FuncOp f, Contraction &c, unsigned number,
                          const TileSchedule &schedule) {
    TileGrid grid = gridOf(schedule);
    Given given = give(c, grid);
    gpu::GPUModuleOp module = deviceModuleOf(getOperation());
    Kit kit(c.unit->anchor().getLoc(), module.getBody(), module.getBody()->end());
    KernelArguments arguments;
    std::string name = (f.getName() + "_tile_" + Twine(number)).str();
    gpu::GPUFuncOp function = startKernel(kit, name, given, arguments);
    MatmulProblem problem = problemOf(c, given, grid.parts, function, arguments);
    function.setKnownBlockSizeAttr(
        kit.getDenseI32ArrayAttr({int32_t(threads(schedule, problem)), 1, 1}));
    buildMatmul(kit, schedule, problem);
    cloneConstants(function);
    OpBuilder b(given.partial ? c.core().op.getOperation() : c.unit->insertionPoint());
    auto launch = this->launch(b, c, grid, sharedBytes(schedule, problem), function, given);
    launch->setAttr(kTileAttr, b.getStringAttr(printTile(schedule)));
    ++numTiled;
    if (given.partial)
      sumParts(b, c, given.partial);
    else
      for (const Stage &stage : c.unit->stages) stage.op->erase();
    return launch;
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

  static rt::DeviceLaunchOp launch(OpBuilder &b, Contraction &c, const TileGrid &grid,
                                   int64_t sharedBytes, gpu::GPUFuncOp function,
                                   const Given &given) {
    Location loc = c.unit->anchor().getLoc();
    SmallVector<Value> arguments;
    for (const FactorMap &map : given.maps) arguments.push_back(makeMap(b, loc, c, map));
    arguments.append(given.values);
    for (const Stride &stride : given.numbers)
      arguments.push_back(numberFor(b, loc, *c.unit, stride, "a product is too large for a GPU"));
    return launchTile(b, loc, function, blocks(b, loc, c, grid), sharedBytes, arguments);
  }

  /// Tiles of all batches, each for every part of k, unless the grid says how many.
  static Value blocks(OpBuilder &b, Location loc, Contraction &c, const TileGrid &grid) {
    auto extent = [&](ArrayRef<unsigned> dims) { return extentOf(b, loc, c, dims); };
    auto index = [&](int64_t n) -> Value { return arith::ConstantIndexOp::create(b, loc, n); };
    if (grid.blocks) return index(grid.blocks);
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
