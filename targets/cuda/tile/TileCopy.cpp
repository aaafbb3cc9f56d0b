#include "targets/cuda/tile/Tile.h"

#include <algorithm>

using namespace mlir;

namespace adze::cuda {

/// Lines are k in the tile and rows in memory.
static bool isTransposed(const Operand &operand, const SharedTile &tile) {
  return operand.alongK && !tile.alongK;
}

int64_t TileCopy::chunkElements(const Operand &operand, const SharedTile &tile, const Extent &rows,
                                const Extent &depth) {
  const Extent &run = operand.alongK ? depth : rows;
  int64_t most = 16 / tile.elementBytes;
  int64_t aligned = std::max<int64_t>(operand.alignment / bytesOf(operand.element), 1);
  // A vector of several loads has the alignment of one: 16 bytes are enough.
  if (operand.alignment >= 16) aligned = most;
  int64_t n = std::min({most, aligned, operand.alongK ? tile.depth : tile.rows});
  while (!run.isMultipleOf(n)) n /= 2;
  return n;
}

bool TileCopy::canBeAsync(const Operand &operand, const SharedTile &tile, const Extent &rows,
                          const Extent &depth) {
  return bytesOf(operand.element) == tile.elementBytes && !isTransposed(operand, tile) &&
         chunkElements(operand, tile, rows, depth) * tile.elementBytes >= 4;
}

bool TileCopy::fits(const Operand &operand, const SharedTile &tile, const Extent &rows,
                    const Extent &depth, int64_t threads) {
  int64_t elements = chunkElements(operand, tile, rows, depth);
  if (isTransposed(operand, tile)) {
    int64_t chunks = tile.rows * tile.depth / elements;
    return chunks % threads == 0 || chunks < threads;
  }
  int64_t perLine = tile.lineElements() / elements;
  int64_t atOnce = threads / perLine;
  return threads % perLine == 0 ? tile.lines() % atOnce == 0 || tile.lines() < atOnce
                                : perLine % threads == 0;
}

std::vector<TileCopy::Pass> TileCopy::shareOut(Kit &kit, const SharedTile &tile, int64_t elements,
                                               int64_t threads) {
  int64_t perLine = tile.lineElements() / elements;
  int64_t linesAtOnce = std::max<int64_t>(threads / perLine, 1);
  int64_t inLine = std::max<int64_t>(perLine / threads, 1);
  Value thread = kit.thread();
  std::vector<Pass> passes;
  for (int64_t line = 0; line < tile.lines(); line += linesAtOnce)
    for (int64_t part = 0; part < inLine; ++part) {
      Pass p;
      p.line = kit.add(kit.div(thread, perLine), line);
      p.chunk = kit.add(kit.rem(thread, perLine), part * threads);
      if (linesAtOnce > tile.lines()) p.inTile = kit.less(p.line, kit.i32(tile.lines()));
      passes.push_back(std::move(p));
    }
  return passes;
}

/// Lanes of a warp take up to eight k of neighbouring rows, 32 bytes of each or more, so that
/// they write to lines and pieces that never meet in a bank (SharedTile::lineOffset).
std::vector<TileCopy::Pass> TileCopy::shareOutTransposed(Kit &kit, const SharedTile &tile,
                                                         int64_t elements, int64_t threads) {
  int64_t perRow = tile.depth / elements,
          together = std::min<int64_t>(perRow, elements == 1 ? 8 : 4);
  int64_t chunks = tile.rows * perRow;
  std::vector<Pass> passes;
  for (int64_t first = 0; first < chunks; first += threads) {
    Value number = kit.add(kit.thread(), first), row = kit.div(number, together);
    Pass p;
    p.line = kit.rem(row, tile.rows);
    p.chunk = kit.add(kit.rem(number, together), kit.mul(kit.div(row, tile.rows), together));
    if (chunks < threads) p.inTile = kit.less(number, kit.i32(chunks));
    passes.push_back(std::move(p));
  }
  return passes;
}

TileCopy::TileCopy(Kit &kit, const Operand &operand, const SharedTile &tile, Extent rows,
                   Extent depth, Value batch, Value firstRow, int64_t threads)
    : operand_(operand),
      tile_(tile),
      depth_(depth),
      elements_(chunkElements(operand, tile, rows, depth)),
      masksK_(!depth.isMultipleOf(tile.depth)),
      transposes_(isTransposed(operand, tile)),
      passes_(transposes_ ? shareOutTransposed(kit, tile, elements_, threads)
                          : shareOut(kit, tile, elements_, threads)) {
  for (Pass &p : passes_) {
    Value row = kit.add(firstRow, operand.alongK ? p.line : kit.mul(p.chunk, elements_));
    p.prepared = operand.prepare(kit, batch, row);
    if (!rows.isMultipleOf(tile.rows)) p.valid = kit.less(row, kit.value(rows));
    p.offset = offsetOf(kit, p);
  }
}

/// Of a chunk's first element in the stage, in bytes.
Value TileCopy::offsetOf(Kit &kit, const Pass &p) const {
  if (transposes_)
    return kit.add(tile_.lineOffset(kit, kit.mul(p.chunk, elements_)),
                   kit.mul(p.line, tile_.elementBytes));
  int64_t perPiece = 16 / (elements_ * tile_.elementBytes);
  Value piece = tile_.swizzle(kit, p.line, kit.div(p.chunk, perPiece));
  Value offset = kit.add(tile_.lineOffset(kit, p.line), kit.mul(piece, 16));
  return kit.add(offset, kit.mul(kit.rem(p.chunk, perPiece), 16 / perPiece));
}

Place TileCopy::placeOf(Kit &kit, const Pass &pass, Value firstK) {
  Value k = kit.add(firstK, operand_.alongK ? kit.mul(pass.chunk, elements_) : pass.line);
  Place place = operand_.place(kit, pass.prepared, k);
  auto require = [&](Value condition) {
    place.valid = place.valid ? kit.bitAnd(place.valid, condition) : condition;
  };
  if (pass.valid) require(pass.valid);
  if (pass.inTile) require(pass.inTile);
  if (masksK_) require(kit.less(k, kit.value(depth_)));
  return place;
}

void TileCopy::whenInTile(Kit &kit, const Pass &pass, function_ref<void()> copy) {
  if (pass.inTile)
    kit.when(pass.inTile, copy);
  else
    copy();
}

void TileCopy::start(Kit &kit, Value stage, Value firstK) {
  int64_t bytes = elements_ * tile_.elementBytes;
  auto cache = bytes == 16 ? NVVM::LoadCacheModifierKind::CG : NVVM::LoadCacheModifierKind::CA;
  for (const Pass &pass : passes_) {
    Place place = placeOf(kit, pass, firstK);
    // Bytes to read; the others are filled with zeros.
    Value size;
    if (place.valid) size = kit.select(place.valid, kit.i32(bytes), kit.i32(0));
    whenInTile(kit, pass, [&] {
      kit.create<NVVM::CpAsyncOp>(kit.offset(stage, pass.offset), place.pointer, bytes, cache,
                                  size);
    });
  }
}

/// `v`, floats of `from`, as floats of `to`.
static Value convertFloats(Kit &kit, Value v, Type to) {
  auto from = cast<VectorType>(v.getType());
  if (from.getElementType() == to) return v;
  auto result = VectorType::get(from.getShape(), to);
  if (from.getElementTypeBitWidth() < to.getIntOrFloatBitWidth())
    return kit.create<arith::ExtFOp>(result, v);
  return kit.create<arith::TruncFOp>(result, v);
}

SmallVector<Value> TileCopy::fetch(Kit &kit, Value firstK, Value enabled) {
  auto type = VectorType::get(elements_, operand_.element);
  unsigned bytes = static_cast<unsigned>(elements_ * bytesOf(operand_.element));
  SmallVector<Value> out;
  for (const Pass &pass : passes_) {
    Place place = placeOf(kit, pass, firstK);
    Value valid = place.valid ? kit.bitAnd(place.valid, enabled) : enabled;
    auto read = kit.create<scf::IfOp>(TypeRange{type}, valid, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(kit);
    kit.setInsertionPointToStart(read.thenBlock());
    kit.create<scf::YieldOp>(kit.load(type, place.pointer, std::min(bytes, 16u)));
    kit.setInsertionPointToStart(read.elseBlock());
    Value zero = kit.create<arith::ConstantOp>(kit.getZeroAttr(type));
    kit.create<scf::YieldOp>(zero);
    out.push_back(read.getResult(0));
  }
  return out;
}

void TileCopy::put(Kit &kit, Value stage, ValueRange values, Type type) {
  auto bytes = static_cast<unsigned>(elements_ * tile_.elementBytes);
  for (size_t i = 0; i < passes_.size(); ++i)
    whenInTile(kit, passes_[i], [&] {
      Value chunk = convertFloats(kit, values[i], type), at = kit.offset(stage, passes_[i].offset);
      if (!transposes_) return kit.store(chunk, at, bytes);
      for (int64_t e = 0; e < elements_; ++e)
        kit.store(kit.element(chunk, e), kit.offset(at, tile_.lineOffset(e)), tile_.elementBytes);
    });
}

}  // namespace adze::cuda
