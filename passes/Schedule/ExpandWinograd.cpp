// adze-expand-winograd
#include "dialects/Graph/IndexMath.h"
#include "lib/Support/Winograd.h"
#include "passes/Schedule/MachineModel.h"
#include "passes/Schedule/Passes.h"
#include "passes/Schedule/Prepare.h"
#include "passes/Schedule/Schedule.h"
#include "passes/Schedule/WinogradSite.h"
#include "passes/Schedule/WinogradTransform.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/MathExtras.h"

namespace adze::schedule {
#define GEN_PASS_DEF_EXPANDWINOGRAD
#include "passes/Schedule/Passes.h.inc"
}  // namespace adze::schedule

using namespace mlir;

namespace adze::schedule {
namespace {

using Fold = OpFoldResult;
using Folds = SmallVector<Fold>;
constexpr int64_t kTile = kWinogradTile, kPoints = kWinogradPoints;
constexpr int64_t kProducts = kPoints * kPoints;

/// Emits the loops of one site.
class Expansion {
public:
  Expansion(WinogradSite &site, const MachineModel &machine)
      : site(site), machine(machine), loc(site.conv.getLoc()), b(lastOp(site)), m(b, loc) {}

  void run();

private:
  static Operation *lastOp(WinogradSite &site) {
    return site.epilogue.empty() ? site.conv : site.epilogue.back();
  }
  Fold constant(int64_t v) { return m.constant(v); }
  Folds extentsOf(Value memref);
  Value scratch(ArrayRef<int64_t> shape);
  Value view(Value memref, ArrayRef<Fold> offsets, ArrayRef<Fold> sizes, ArrayRef<Fold> strides,
             int64_t rank);
  Value view(Value memref, ArrayRef<Fold> offsets, ArrayRef<Fold> sizes) {
    return view(memref, offsets, sizes, Folds(sizes.size(), constant(1)), sizes.size());
  }
  void chooseBlocks();
  void emitBlock(Value batch, Value row, Value column);
  void forEachRow(Fold rows, function_ref<void(Value)> emit);
  void fillZero(Value memref, ArrayRef<Fold> offsets, ArrayRef<Fold> sizes);
  void readPatch(Fold batch, Fold row, Fold column, Fold columns, Value patch);
  void transformInput(Value patch, Value products, Fold first, Fold columns);
  void multiply(Value products, Value sums, Fold tiles);
  void transformOutput(Value sums, Value tile, Fold first, Fold columns);
  void emitEpilogue(Value tile, Fold batch, Fold row, Fold column, Fold columns);
  Value blockOf(Value memref, AffineMap map, ArrayRef<Fold> offsets, ArrayRef<Fold> sizes);
  bool isReadElsewhere(Value memref);

  WinogradSite &site;
  const MachineModel &machine;
  Location loc;
  OpBuilder b;
  graph::IndexMath m;
  Value input;               ///< x, or what it is a padded copy of
  Folds inputExtents, extents;  ///< of input and results
  Folds low;                 ///< zeros before the input's rows and columns
  Fold tileRows, tileColumns;
  int64_t channels = 0, outputs = 0;
  int64_t blockRows = 1, blockColumns = 1;  ///< tiles a block
  Type element;
};

Folds Expansion::extentsOf(Value memref) { return memref::getMixedSizes(b, loc, memref); }

Value Expansion::scratch(ArrayRef<int64_t> shape) {
  auto type = MemRefType::get(shape, element);
  return memref::AllocOp::create(b, loc, type, b.getI64IntegerAttr(64));
}

/// A view of the last `rank` dimensions; those before have one element.
Value Expansion::view(Value memref, ArrayRef<Fold> offsets, ArrayRef<Fold> sizes,
                      ArrayRef<Fold> strides, int64_t rank) {
  SmallVector<int64_t> shape;
  for (Fold size : sizes.take_back(rank))
    shape.push_back(getConstantIntValue(size).value_or(ShapedType::kDynamic));
  auto type = memref::SubViewOp::inferRankReducedResultType(
      shape, cast<MemRefType>(memref.getType()), offsets, sizes, strides);
  return memref::SubViewOp::create(b, loc, cast<MemRefType>(type), memref, offsets, sizes, strides);
}

/// A block's products and sums fit half the second-level cache, unless the
/// coefficients alone would not: then they are to be read for many tiles.
void Expansion::chooseBlocks() {
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  int64_t perTile = kProducts * (channels + outputs) * bytes;
  int64_t coefficients = kProducts * channels * outputs * bytes;
  int64_t most = std::clamp<int64_t>(machine.l2Bytes / 2 / perTile, 8, 48);
  if (coefficients > machine.l2Bytes / 2)
    most = std::max<int64_t>(most, 32);
  std::optional<int64_t> rows = getConstantIntValue(tileRows);
  std::optional<int64_t> columns = getConstantIntValue(tileColumns);
  auto evenly = [](int64_t total, int64_t limit) {
    return llvm::divideCeil(total, llvm::divideCeil(total, limit));
  };
  blockColumns = columns && *columns > 0 ? evenly(*columns, most) : most;
  if (columns && *columns > 0 && *columns <= most) {
    blockRows = std::max<int64_t>(1, most / *columns);
    // Two threads at least find something to do.
    if (rows && *rows > 0)
      blockRows = evenly(*rows, std::min(blockRows, std::max<int64_t>(1, *rows / 2)));
  }
}

void Expansion::run() {
  MLIRContext *context = b.getContext();
  input = site.padding ? site.padding->source : site.conv.getDpsInputs()[0];
  low.assign(2, constant(0));
  if (site.padding)
    low = {constant(site.padding->low[1]), constant(site.padding->low[2])};
  inputExtents = extentsOf(input);
  extents = extentsOf(site.results());
  element = cast<MemRefType>(input.getType()).getElementType();
  auto coefficients = cast<MemRefType>(site.conv.getDpsInputs()[1].getType());
  channels = coefficients.getDimSize(3);
  outputs = cast<MemRefType>(site.results().getType()).getDimSize(3);
  tileRows = m.ceilDiv(extents[1], constant(kTile));
  tileColumns = m.ceilDiv(extents[2], constant(kTile));
  chooseBlocks();
  Folds zero(3, constant(0));
  auto loop = scf::ParallelOp::create(b, loc, m.values(zero),
                                      m.values({extents[0], tileRows, tileColumns}),
                                      m.values({constant(1), constant(blockRows), constant(blockColumns)}));
  int64_t work = kProducts * channels * outputs * blockRows * blockColumns;
  int64_t grain = std::max<int64_t>(1, machine.taskWork / std::max<int64_t>(1, work));
  loop->setAttr("adze.grain", IntegerAttr::get(IntegerType::get(context, 64), grain));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  emitBlock(loop.getInductionVars()[0], loop.getInductionVars()[1], loop.getInductionVars()[2]);
}

/// Input transform of all tiles, products, output transform and epilogue.
void Expansion::emitBlock(Value batch, Value row, Value column) {
  Fold rows = m.min(constant(blockRows), m.sub(tileRows, row));
  Fold columns = m.min(constant(blockColumns), m.sub(tileColumns, column));
  if (blockRows == 1)
    rows = constant(1);
  if (auto total = getConstantIntValue(tileColumns); total && *total % blockColumns == 0)
    columns = constant(blockColumns);
  int64_t tiles = blockRows * blockColumns;
  Value patch = scratch({kPoints, kTile * blockColumns + 2, channels});
  Value products = scratch({kProducts, tiles, channels});
  forEachRow(rows, [&](Value at) {
    readPatch(batch, m.add(row, at), column, columns, patch);
    transformInput(patch, products, m.mul(at, constant(blockColumns)), columns);
  });
  memref::DeallocOp::create(b, loc, patch);
  Value sums = scratch({kProducts, tiles, outputs});
  // Rows of tiles follow each other without gaps where there are several.
  multiply(products, sums, blockRows == 1 ? columns : m.mul(rows, constant(blockColumns)));
  memref::DeallocOp::create(b, loc, products);
  Value tile = scratch({1, kTile, kTile * blockColumns, outputs});
  forEachRow(rows, [&](Value at) {
    transformOutput(sums, tile, m.mul(at, constant(blockColumns)), columns);
    emitEpilogue(tile, batch, m.add(row, at), column, columns);
  });
  memref::DeallocOp::create(b, loc, sums);
  memref::DeallocOp::create(b, loc, tile);
}

void Expansion::forEachRow(Fold rows, function_ref<void(Value)> emit) {
  if (getConstantIntValue(rows) == 1)
    return emit(m.value(constant(0)));
  auto loop = scf::ForOp::create(b, loc, m.value(constant(0)), m.value(rows), m.value(constant(1)));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  emit(loop.getInductionVar());
}

void Expansion::fillZero(Value memref, ArrayRef<Fold> offsets, ArrayRef<Fold> sizes) {
  if (llvm::any_of(sizes, [](Fold size) { return getConstantIntValue(size) == 0; }))
    return;
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  linalg::FillOp::create(b, loc, zero, view(memref, offsets, sizes));
}

/// Copies what a row of tiles reads, zeros where the input has ended.
void Expansion::readPatch(Fold batch, Fold row, Fold column, Fold columns, Value patch) {
  Fold tile = constant(kTile), none = constant(0), all = constant(channels);
  Folds sizes = {constant(kPoints), m.add(m.mul(columns, tile), constant(2))};
  Folds from = {m.sub(m.mul(row, tile), low[0]), m.sub(m.mul(column, tile), low[1])};
  Folds first(2), end(2), count(2);
  for (int d = 0; d < 2; ++d) {
    first[d] = site.padding ? m.clamp(m.sub(none, from[d]), none, sizes[d]) : none;
    Fold there = m.max(first[d], m.sub(inputExtents[d + 1], from[d]));
    end[d] = site.padding ? m.min(there, sizes[d]) : sizes[d];
    count[d] = m.sub(end[d], first[d]);
  }
  if (site.padding) {
    fillZero(patch, {none, none, none}, {first[0], sizes[1], all});
    fillZero(patch, {end[0], none, none}, {m.sub(sizes[0], end[0]), sizes[1], all});
    fillZero(patch, {first[0], none, none}, {count[0], first[1], all});
    fillZero(patch, {first[0], end[1], none}, {count[0], m.sub(sizes[1], end[1]), all});
  }
  Folds ones(4, constant(1));
  Folds at = {batch, m.add(from[0], first[0]), m.add(from[1], first[1]), none};
  Value source = view(input, at, {constant(1), count[0], count[1], all}, ones, 3);
  linalg::CopyOp::create(b, loc, source, view(patch, {first[0], first[1], none}, {count[0], count[1], all}));
}

/// products[k, first + t, c] = (B d B^T)[k] of tile t.
void Expansion::transformInput(Value patch, Value products, Fold first, Fold columns) {
  SmallVector<Value> ins, outs;
  Fold none = constant(0), one = constant(1), all = constant(channels);
  for (int64_t i = 0; i < kPoints; ++i)
    for (int64_t j = 0; j < kPoints; ++j) {
      ins.push_back(view(patch, {constant(i), constant(j), none}, {one, columns, all},
                         {one, constant(kTile), one}, 2));
      outs.push_back(view(products, {constant(i * kPoints + j), first, none}, {one, columns, all},
                          {one, one, one}, 2));
    }
  emitTransform(b, loc, WinogradSide::Input, ins, outs);
}

/// sums[k, t, o] = sum over c of products[k, t, c] * coefficients[k, c, o].
void Expansion::multiply(Value products, Value sums, Fold tiles) {
  Value coefficients = site.conv.getDpsInputs()[1];
  coefficients = memref::CollapseShapeOp::create(
      b, loc, coefficients, ArrayRef<ReassociationIndices>{{0}, {1, 2}, {3}, {4}});
  int64_t panel = cast<MemRefType>(coefficients.getType()).getDimSize(3);
  Folds none(3, constant(0));
  products = view(products, none, {constant(kProducts), tiles, constant(channels)});
  sums = view(sums, none, {constant(kProducts), tiles, constant(outputs)});
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  linalg::FillOp::create(b, loc, zero, sums);
  AffineExpr k, t, o, c;
  bindDims(b.getContext(), k, t, o, c);
  auto map = [&](ArrayRef<AffineExpr> results) { return AffineMap::get(4, 0, results, b.getContext()); };
  SmallVector<utils::IteratorType> iterators(3, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  linalg::GenericOp::create(
      b, loc, TypeRange(), ValueRange{products, coefficients}, ValueRange{sums},
      ArrayRef{map({k, t, c}), map({o.floorDiv(panel), k, c, o % panel}), map({k, t, o})}, iterators,
      [](OpBuilder &builder, Location loc, ValueRange args) {
        auto contract = arith::FastMathFlagsAttr::get(builder.getContext(), arith::FastMathFlags::contract);
        Value product = arith::MulFOp::create(builder, loc, args[0], args[1], contract);
        Value sum = arith::AddFOp::create(builder, loc, args[2], product, contract);
        linalg::YieldOp::create(builder, loc, sum);
      });
}

/// tile[0, i, 4 t + j, o] = (A m A^T)[i, j] of tile t.
void Expansion::transformOutput(Value sums, Value tile, Fold first, Fold columns) {
  SmallVector<Value> ins, outs;
  Fold none = constant(0), one = constant(1), all = constant(outputs);
  for (int64_t k = 0; k < kProducts; ++k)
    ins.push_back(view(sums, {constant(k), first, none}, {one, columns, all}, {one, one, one}, 2));
  for (int64_t i = 0; i < kTile; ++i)
    for (int64_t j = 0; j < kTile; ++j)
      outs.push_back(view(tile, {none, constant(i), constant(j), none}, {one, one, columns, all},
                          {one, one, constant(kTile), one}, 2));
  emitTransform(b, loc, WinogradSide::Output, ins, outs);
}

/// The part of an operand that a block of the results' space touches.
Value Expansion::blockOf(Value memref, AffineMap map, ArrayRef<Fold> offsets, ArrayRef<Fold> sizes) {
  Folds from, own = extentsOf(memref);
  for (auto [d, expr] : llvm::enumerate(map.getResults()))
    if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
      from.push_back(offsets[dim.getPosition()]);
      own[d] = sizes[dim.getPosition()];
    } else {
      from.push_back(constant(0));
    }
  return view(memref, from, own);
}

/// More than the site's own ops see what `memref` holds.
bool Expansion::isReadElsewhere(Value memref) {
  if (!memref.getDefiningOp<memref::AllocOp>())
    return true;
  return llvm::any_of(memref.getUsers(), [&](Operation *user) {
    return !isa<memref::DeallocOp, memref::DimOp>(user) && user != site.conv && user != site.fill &&
           !llvm::is_contained(site.epilogue, user);
  });
}

/// The epilogue's ops on a row of tiles, the convolution's results in `tile`.
void Expansion::emitEpilogue(Value tile, Fold batch, Fold row, Fold column, Fold columns) {
  Fold step = constant(kTile), one = constant(1);
  Folds offsets = {batch, m.mul(row, step), m.mul(column, step), constant(0)};
  Folds sizes = {one, m.min(step, m.sub(extents[1], offsets[1])),
                 m.min(m.mul(columns, step), m.sub(extents[2], offsets[2])), constant(outputs)};
  // Static extents that divide fold to whole tiles.
  auto isWhole = [](Fold extent) { return getConstantIntValue(extent).value_or(1) % kTile == 0; };
  for (int d = 1; d <= 2; ++d)
    if (isWhole(extents[d]))
      sizes[d] = d == 1 ? step : m.mul(columns, step);
  Value results = view(tile, Folds(4, constant(0)), sizes);
  Value memref = site.results();
  for (linalg::GenericOp op : site.epilogue) {
    SmallVector<Value> operands(op->getOperands());
    for (auto [operand, map] : llvm::zip(operands, op.getIndexingMapsArray()))
      if (operand == memref)
        operand = results;
      else if (isa<MemRefType>(operand.getType()))
        operand = blockOf(operand, map, offsets, sizes);
    b.clone(*op)->setOperands(operands);
  }
  if (isReadElsewhere(memref))
    linalg::CopyOp::create(b, loc, results,
                           blockOf(memref, b.getMultiDimIdentityMap(4), offsets, sizes));
}

struct ExpandWinograd : impl::ExpandWinogradBase<ExpandWinograd> {
  void runOnOperation() override {
    SmallVector<linalg::GenericOp> convs;
    getOperation().walk([&](linalg::GenericOp op) {
      if (op->hasAttr(kWinogradAttr) && op.hasPureBufferSemantics())
        convs.push_back(op);
    });
    if (convs.empty())
      return;
    generalizeKernels(getOperation());
    MachineModel machine = MachineModel::of(getOperation());
    for (linalg::GenericOp conv : convs) {
      Paddings paddings(*conv->getBlock(), machine);
      std::optional<WinogradSite> site = findWinogradSite(conv, paddings);
      if (!site)
        continue;  // as it stands it is right, if slow
      Expansion(*site, machine).run();
      for (linalg::GenericOp op : site->epilogue)
        op->erase();
      site->fill->erase();
      conv->erase();
      paddings.eraseUnread();
      ++numExpanded;
    }
  }
};

}  // namespace
}  // namespace adze::schedule
