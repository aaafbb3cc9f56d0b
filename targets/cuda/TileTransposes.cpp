// Elementwise ops that read an operand across: through tiles in shared memory, so that
// both what they read and what they write are whole rows.
#include "dialects/Rt/Rt.h"
#include "targets/cuda/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

namespace adze::cuda {
#define GEN_PASS_DEF_TILETRANSPOSES
#include "targets/cuda/Passes.h.inc"
}  // namespace adze::cuda

using namespace mlir;

namespace adze::cuda {
namespace {

constexpr int64_t kTile = 32;      ///< rows and columns: a warp reads and writes one
constexpr int64_t kThreads = 256;  ///< of a tile
constexpr int64_t kLeast = 16;     ///< of extents: less would leave most of a tile empty
constexpr int64_t kMostShared = 48 * 1024;

/// Bytes of an element in memory.
int64_t bytesOf(Value buffer) {
  return llvm::divideCeil(getElementTypeOrSelf(buffer.getType()).getIntOrFloatBitWidth(), 8);
}

/// From a tile's row to the next: an odd number of banks, so that each element of a
/// column is in one of its own.
int64_t pitchOf(Value buffer) { return kTile + std::max<int64_t>(1, 4 / bytesOf(buffer)); }

/// An op whose result's neighbours are along dimension `n` of its loops, while those
/// of operands `across` are along `m`.
struct Transpose {
  linalg::GenericOp op;
  unsigned m = 0, n = 0;
  SmallVector<OpOperand *> across;
};

/// The dimension along which neighbours of the operand lie; nullopt for none.
std::optional<unsigned> innermost(linalg::GenericOp op, OpOperand &operand) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  auto type = dyn_cast<MemRefType>(operand.get().getType());
  if (!type || map.getNumResults() == 0) return std::nullopt;
  auto [strides, offset] = type.getStridesAndOffset();
  if (strides.back() != 1) return std::nullopt;
  return cast<AffineDimExpr>(map.getResults().back()).getPosition();
}

/// Loops over single elements, each of which one iteration writes.
bool isElementwise(linalg::GenericOp op) {
  return op.hasPureBufferSemantics() && op.getNumParallelLoops() == op.getNumLoops() &&
         op.getNumDpsInits() == 1 &&
         op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isPermutation() &&
         llvm::all_of(op.getIndexingMapsArray(),
                      [](AffineMap map) { return map.isProjectedPermutation(); }) &&
         llvm::all_of(op.getBody()->without_terminator(),
                      [](Operation &inner) { return isMemoryEffectFree(&inner); });
}

bool isLong(int64_t extent) { return ShapedType::isDynamic(extent) || extent >= kLeast; }

/// Loops that all operands have one after the other, in groups.
SmallVector<ReassociationIndices> neighboursOf(linalg::GenericOp op) {
  auto isDense = [](Value v) {
    auto type = dyn_cast<MemRefType>(v.getType());
    return !type || type.getLayout().isIdentity();
  };
  bool joins = llvm::all_of(op->getOperands(), isDense) && !op.hasIndexSemantics();
  SmallVector<ReassociationIndices> groups;
  for (int64_t d = 0; d < op.getNumLoops(); ++d) {
    if (joins && !groups.empty()) {
      ReassociationIndices with = groups.back();
      with.push_back(d);
      if (linalg::areDimSequencesPreserved(op.getIndexingMapsArray(), {with})) {
        groups.back() = with;
        continue;
      }
    }
    groups.push_back({d});
  }
  return groups;
}

/// Of the loops that are one with loop `d`.
int64_t extentOf(linalg::GenericOp op, ArrayRef<ReassociationIndices> groups, unsigned d) {
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  int64_t extent = 1;
  for (int64_t member : *llvm::find_if(groups, [&](auto &g) { return llvm::is_contained(g, d); }))
    extent = ShapedType::isDynamic(extent) || ShapedType::isDynamic(extents[member])
                 ? ShapedType::kDynamic
                 : llvm::SaturatingMultiply<uint64_t>(extent, extents[member]);
  return extent;
}

std::optional<Transpose> transposeOf(linalg::GenericOp op) {
  if (!isElementwise(op)) return std::nullopt;
  std::optional<unsigned> n = innermost(op, *op.getDpsInitOperand(0));
  if (!n) return std::nullopt;
  Transpose t{op, 0, *n, {}};
  int64_t bytes = 0;
  for (OpOperand *input : op.getDpsInputOperands()) {
    std::optional<unsigned> at = innermost(op, *input);
    bool isRead = !op.getMatchingBlockArgument(input).use_empty();
    if (!isRead || !at || *at == t.n || (!t.across.empty() && *at != t.m)) continue;
    // What has no second dimension is read as it is: its elements are few.
    if (!op.getMatchingIndexingMap(input).isFunctionOfDim(t.n)) continue;
    t.m = *at;
    t.across.push_back(input);
    bytes += kTile * pitchOf(input->get()) * bytesOf(input->get());
  }
  if (t.across.empty() || bytes > kMostShared) return std::nullopt;
  SmallVector<ReassociationIndices> groups = neighboursOf(op);
  int64_t m = extentOf(op, groups, t.m), rows = extentOf(op, groups, t.n);
  bool anyKnown = !ShapedType::isDynamic(m) || !ShapedType::isDynamic(rows);
  if (!isLong(m) || !isLong(rows) || !anyKnown) return std::nullopt;
  return t;
}

/// Loops that all operands have one after the other become one: a picture's rows of
/// seven fill no tile, all its 49 points do.
linalg::GenericOp collapsed(RewriterBase &rewriter, linalg::GenericOp op) {
  SmallVector<ReassociationIndices> groups = neighboursOf(op);
  if (int64_t(groups.size()) == op.getNumLoops()) return op;
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::CollapseResult> result = linalg::collapseOpIterationDims(op, groups, rewriter);
  if (failed(result)) return op;
  rewriter.eraseOp(op);
  return cast<linalg::GenericOp>(result->collapsedOp.getOperation());
}

class TileBuilder {
 public:
  TileBuilder(OpBuilder &b, Transpose &t) : b(b), loc(t.op.getLoc()), t(t) {}

  void build() {
    b.setInsertionPoint(t.op);
    SmallVector<Value> lower, upper, step;
    for (Range range : cast<linalg::LinalgOp>(t.op.getOperation()).createLoopRanges(b, loc))
      extents.push_back(getValueOrCreateConstantIndexOp(b, loc, range.size));
    for (unsigned d = 0; d < extents.size(); ++d) {
      if (d == t.m || d == t.n) continue;
      outer.push_back(d);
      upper.push_back(extents[d]);
      step.push_back(index(1));
    }
    upper.append({extents[t.m], extents[t.n], index(kThreads)});
    step.append({index(kTile), index(kTile), index(1)});
    lower.assign(upper.size(), index(0));
    auto loop = scf::ParallelOp::create(b, loc, lower, upper, step);
    loop->setAttr("adze.team", b.getI64IntegerAttr(kThreads));
    b.setInsertionPointToStart(loop.getBody());
    position.resize(extents.size());
    for (auto [i, d] : llvm::enumerate(outer)) position[d] = loop.getInductionVars()[i];
    Value lane = loop.getInductionVars().back();
    column = arith::RemUIOp::create(b, loc, lane, index(kTile));
    row = arith::DivUIOp::create(b, loc, lane, index(kTile));
    firstM = loop.getInductionVars()[outer.size()];
    firstN = loop.getInductionVars()[outer.size() + 1];
    fill();
    rt::TeamBarrierOp::create(b, loc, kThreads);
    drain();
    t.op.erase();
  }

 private:
  Value index(int64_t v) { return arith::ConstantIndexOp::create(b, loc, v); }
  Value add(Value l, Value r) { return arith::AddIOp::create(b, loc, l, r); }

  /// Rows of a thread: every eighth. f(row in the tile), where m and n are inside.
  void eachRow(unsigned along, unsigned down, Value firstAlong, Value firstDown,
               function_ref<void(Value)> f) {
    for (int64_t r = 0; r < kTile; r += kThreads / kTile) {
      Value local = add(row, index(r));
      position[along] = add(firstAlong, column);
      position[down] = add(firstDown, local);
      auto within = [&](unsigned d) -> Value {
        return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, position[d], extents[d]);
      };
      Value inside = arith::AndIOp::create(b, loc, within(along), within(down));
      auto branch = scf::IfOp::create(b, loc, inside, /*withElseRegion=*/false);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      f(local);
    }
  }

  SmallVector<Value> indicesOf(OpOperand &operand) {
    SmallVector<Value> indices;
    for (AffineExpr e : t.op.getMatchingIndexingMap(&operand).getResults())
      indices.push_back(position[cast<AffineDimExpr>(e).getPosition()]);
    return indices;
  }
  Value load(OpOperand &operand) {
    return memref::LoadOp::create(b, loc, operand.get(), indicesOf(operand));
  }

  /// Rows of the operands -> rows of the tiles.
  void fill() {
    auto space = gpu::AddressSpaceAttr::get(b.getContext(), gpu::AddressSpace::Workgroup);
    for (OpOperand *operand : t.across) {
      Type element = getElementTypeOrSelf(operand->get().getType());
      auto type = MemRefType::get({kTile, pitchOf(operand->get())}, element,
                                  MemRefLayoutAttrInterface(), space);
      tiles.push_back(memref::AllocaOp::create(b, loc, type));
    }
    eachRow(t.m, t.n, firstM, firstN, [&](Value local) {
      for (auto [operand, tile] : llvm::zip(t.across, tiles))
        memref::StoreOp::create(b, loc, load(*operand), tile, ValueRange{local, column});
    });
  }

  /// Columns of the tiles -> rows of the result.
  void drain() {
    eachRow(t.n, t.m, firstN, firstM, [&](Value local) {
      IRMapping map;
      for (OpOperand &operand : t.op->getOpOperands()) {
        BlockArgument arg = t.op.getMatchingBlockArgument(&operand);
        const auto *at = llvm::find(t.across, &operand);
        if (at != t.across.end())
          map.map(arg, memref::LoadOp::create(b, loc, tiles[at - t.across.begin()],
                                              ValueRange{column, local}));
        else if (!arg.use_empty())
          map.map(arg, isa<MemRefType>(operand.get().getType()) ? load(operand) : operand.get());
      }
      for (Operation &op : t.op.getBody()->without_terminator()) {
        if (auto which = dyn_cast<linalg::IndexOp>(op))
          map.map(which.getResult(), position[which.getDim()]);
        else
          b.clone(op, map);
      }
      Value result = map.lookupOrDefault(t.op.getBody()->getTerminator()->getOperand(0));
      OpOperand &init = *t.op.getDpsInitOperand(0);
      memref::StoreOp::create(b, loc, result, init.get(), indicesOf(init));
    });
  }

  OpBuilder &b;
  Location loc;
  Transpose &t;
  SmallVector<unsigned> outer;           ///< dimensions but m and n
  SmallVector<Value> extents, position;  ///< by dimension
  SmallVector<Value> tiles;              ///< of `across`
  Value row, column, firstM, firstN;
};

struct TileTransposesPass : impl::TileTransposesBase<TileTransposesPass> {
  void runOnOperation() override {
    if (!getOperation()->hasAttr(kDeviceAttr) || getOperation()->hasAttr(kHostAttr)) return;
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) {
      if (transposeOf(op)) ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::GenericOp op : ops) {
      std::optional<Transpose> t = transposeOf(collapsed(rewriter, op));
      if (!t) continue;
      TileBuilder(rewriter, *t).build();
      ++numTiled;
    }
  }
};

}  // namespace
}  // namespace adze::cuda
