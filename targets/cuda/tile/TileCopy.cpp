#include "targets/cuda/tile/Tile.h"

#include <algorithm>

using namespace mlir;

namespace adze::cuda {

int64_t TileCopy::chunkElements(const Operand &operand, const SharedTile &tile, const Extent &rows,
                                const Extent &depth) {
  const Extent &run = operand.alongK ? depth : rows;
  int64_t most = 16 / tile.elementBytes;
  int64_t aligned = std::max<int64_t>(operand.alignment / bytesOf(operand.element), 1);
  // A vector of several loads has the alignment of one: 16 bytes are enough.
  if (operand.alignment >= 16) aligned = most;
  int64_t n = std::min({most, aligned, tile.lineElements()});
  while (!run.isMultipleOf(n)) n /= 2;
  return n;
}

bool TileCopy::canBeAsync(const Operand &operand, const SharedTile &tile, const Extent &rows,
                          const Extent &depth) {
  return bytesOf(operand.element) == tile.elementBytes &&
         chunkElements(operand, tile, rows, depth) * tile.elementBytes >= 4;
}

bool TileCopy::fits(const Operand &operand, const SharedTile &tile, const Extent &rows,
                    const Extent &depth, int64_t threads) {
  int64_t perLine = tile.lineElements() / chunkElements(operand, tile, rows, depth);
  int64_t atOnce = threads / perLine;
  return threads % perLine == 0 ? tile.lines() % atOnce == 0 || tile.lines() < atOnce
                                : perLine % threads == 0;
}

TileCopy::TileCopy(Kit &kit, const Operand &operand, const SharedTile &tile, Extent rows,
                   Extent depth, Value batch, Value firstRow, int64_t threads)
    : operand_(operand),
      tile_(tile),
      depth_(depth),
      elements_(chunkElements(operand, tile, rows, depth)),
      masksK_(!depth.isMultipleOf(tile.depth)) {
  int64_t perLine = tile.lineElements() / elements_;
  int64_t linesAtOnce = std::max<int64_t>(threads / perLine, 1);
  int64_t inLine = std::max<int64_t>(perLine / threads, 1);
  Value thread = kit.thread();
  for (int64_t line = 0; line < tile.lines(); line += linesAtOnce) {
    for (int64_t part = 0; part < inLine; ++part) {
      Pass p;
      p.line = kit.add(kit.div(thread, perLine), line);
      p.chunk = kit.add(kit.rem(thread, perLine), part * threads);
      Value first = kit.mul(p.chunk, elements_);
      Value row = kit.add(firstRow, operand.alongK ? p.line : first);
      p.prepared = operand.prepare(kit, batch, row);
      if (!rows.isMultipleOf(tile.rows)) p.valid = kit.less(row, kit.value(rows));
      if (linesAtOnce > tile.lines()) p.inTile = kit.less(p.line, kit.i32(tile.lines()));
      int64_t perPiece = 16 / (elements_ * tile.elementBytes);
      Value piece = tile.swizzle(kit, p.line, kit.div(p.chunk, perPiece));
      p.offset = kit.add(kit.mul(p.line, tile.lineBytes()), kit.mul(piece, 16));
      p.offset = kit.add(p.offset, kit.mul(kit.rem(p.chunk, perPiece), 16 / perPiece));
      passes_.push_back(std::move(p));
    }
  }
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
      kit.store(convertFloats(kit, values[i], type), kit.offset(stage, passes_[i].offset), bytes);
    });
}

}  // namespace adze::cuda
