#include "targets/cuda/tile/Tile.h"

using namespace mlir;

namespace adze::cuda {

/// By how many pieces a line of k is moved on, so that each of these meets no bank twice: writes of
/// every fourth of 16 lines, every second of eight, or eight, in one piece or two neighbours
/// (TileCopy::shareOutTransposed). Eight lines need one piece a line; 16 or more two for every
/// four, and ten keep lines apart.
static int64_t movedPieces(int64_t line, int64_t depth) {
  return depth <= 8 ? line : 10 * (line / 4) + 4 * (line / 2 % 2) + line % 2;
}

int64_t SharedTile::lineOffset(int64_t line) const {
  int64_t moved = reader == TileReader::Cores ? movedPieces(line, depth) : 0;
  return line * lineBytes() + 16 * moved;
}

Value SharedTile::lineOffset(Kit &kit, Value line) const {
  Value start = kit.mul(line, lineBytes());
  if (reader != TileReader::Cores) return start;
  if (depth <= 8) return kit.add(start, kit.mul(line, 16));
  Value moved = kit.add(kit.mul(kit.shr(line, 2), 10), kit.mul(kit.bitAnd(line, 2), 2));
  return kit.add(start, kit.mul(kit.add(moved, kit.bitAnd(line, 1)), 16));
}

Value SharedTile::swizzle(Kit &kit, Value line, Value piece) const {
  int64_t pieces = lineBytes() / 16;
  if (reader == TileReader::Cores) return piece;
  // Four k of two neighbouring pieces at once; lines of 64 bytes share a row of all banks.
  if (reader == TileReader::Quads && !alongK)
    return kit.bitXor(piece, pieces == 4 ? kit.bitAnd(line, 2) : kit.shl(kit.bitAnd(line, 3), 1));
  if (isReadByPieces()) {
    // Four k at once, of each two pieces of 16 bytes: 4 pieces apart, or 2 (see pieceOf).
    Value k = kit.bitAnd(pairsK ? kit.shr(line, 1) : line, 3);
    if (pieceRows == 2) k = kit.add(k, kit.bitAnd(k, 2));
    return kit.bitXor(piece, k);
  }
  // ldmatrix reads one piece of eight lines; lines of 64 and 32 bytes share a
  // row of all banks with their neighbours.
  if (pieces >= 8) return kit.bitXor(piece, kit.bitAnd(line, 7));
  if (pieces == 4) return kit.bitXor(piece, kit.bitAnd(kit.shr(line, 1), 3));
  return kit.bitXor(piece, kit.bitAnd(kit.shr(line, 2), pieces - 1));
}

Lane::Lane(Kit &kit) {
  number = kit.bitAnd(kit.thread(), 31);
  group = kit.shr(number, 2);
  inGroup = kit.bitAnd(number, 3);
}

/// Which of its unit's eight pieces a lane of group `group` reads: neighbouring lanes
/// of the sums then store neighbouring pieces.
static Value pieceOf(Kit &kit, Value group) {
  return kit.add(kit.shr(group, 1), kit.mul(kit.bitAnd(group, 1), 4));
}

Fragments::Fragments(Kit &kit, const SharedTile &tile, Multiply multiply, bool isA,
                     const Lane &lane, Value firstRow, int64_t rows, Value firstStep)
    : tile_(tile), multiply_(multiply), isA_(isA), rows_(rows) {
  int64_t lineBytes = tile.lineBytes();
  // Lines that the first step is below; the swizzle sees no difference.
  int64_t stepLines = 32 / tile.elementBytes;
  Value below = firstStep ? kit.mul(firstStep, stepLines * lineBytes) : Value();
  if (tile.isReadByPieces()) {
    int64_t count = tile.pieceRows;
    Value own = pieceOf(kit, lane.group);
    lanePart_ = kit.mul(isA ? own : lane.inGroup, count);
    Value line = tile.pairsK ? kit.mul(lane.inGroup, 2) : lane.inGroup;
    Value row = kit.add(kit.mul(own, count), firstRow);
    Value piece = tile.swizzle(kit, line, kit.div(row, 4));
    Value offset =
        kit.add(kit.mul(line, lineBytes), kit.add(kit.mul(piece, 16), kit.mul(kit.rem(row, 4), 4)));
    offsets_.push_back(below ? kit.add(offset, below) : offset);
    return;
  }
  lanePart_ = isA ? lane.group : kit.mul(lane.inGroup, 2);
  // ldmatrix takes the addresses of its four matrices' lines from lanes 0-7,
  // 8-15 …: the second matrix is the next eight lines, or the next piece.
  bool linesFirst = isA == tile.alongK;
  Value n = lane.number;
  Value line =
      linesFirst ? kit.bitAnd(n, 15) : kit.add(kit.bitAnd(n, 7), kit.mul(kit.shr(n, 4), 8));
  Value piece = linesFirst ? kit.shr(n, 4) : kit.bitAnd(kit.shr(n, 3), 1);
  Value start = kit.mul(line, lineBytes);
  if (tile.alongK)
    start = kit.add(start, kit.mul(firstRow, lineBytes));
  else
    piece = kit.add(piece, kit.div(firstRow, 16 / tile.elementBytes));
  if (below && tile.alongK)
    piece = kit.add(piece, kit.mul(firstStep, 2));
  else if (below)
    start = kit.add(start, below);
  int64_t count = tile.alongK ? lineBytes / 32 : rows / 16;
  for (int64_t i = 0; i < count; ++i) {
    Value at = tile.swizzle(kit, line, kit.add(piece, 2 * i));
    offsets_.push_back(kit.add(start, kit.mul(at, 16)));
  }
}

SmallVector<Value> Fragments::loadMatrices(Kit &kit, Value stage, int64_t step,
                                           int64_t pair) const {
  Value lane = offsets_[tile_.alongK ? step : pair];
  // Steps along lines of k are 16 lines of two-byte elements.
  int64_t lines = 16 * (tile_.alongK ? pair : step);
  Value at = kit.offset(kit.offset(stage, lane), lines * tile_.lineBytes());
  auto result =
      LLVM::LLVMStructType::getLiteral(kit.getContext(), SmallVector<Type>(4, kit.getI32Type()));
  auto shape = NVVM::LdStMatrixShapeAttr::get(kit.getContext(), 8, 8);
  Value all = kit.create<NVVM::LdMatrixOp>(
      result, at, 4, tile_.alongK ? NVVM::MMALayout::row : NVVM::MMALayout::col, shape,
      NVVM::LdStMatrixEltType::B16);
  SmallVector<Value> out;
  for (int i = 0; i < 4; ++i) out.push_back(kit.member(all, i));
  return out;
}

/// [the lane's two k][row of the piece], as i32.
SmallVector<Value> Fragments::loadPieces(Kit &kit, Value stage, int64_t step, int64_t unit) const {
  SmallVector<Value> out;
  int64_t count = tile_.pieceRows;
  Type piece = VectorType::get(count, kit.getI32Type());
  for (int64_t half = 0; half < 2; ++half) {
    int64_t line = 8 * step + (tile_.pairsK ? 1 : 4) * half;
    int64_t constant = line * tile_.lineBytes() + unit * unitRows() * 4;
    Value v = kit.load(piece, kit.offset(kit.offset(stage, offsets_[0]), constant), 4 * count);
    for (int64_t i = 0; i < count; ++i) out.push_back(kit.element(v, i));
  }
  return out;
}

void addRounded(Kit &kit, Multiply multiply, ValueRange raw, Fragments::Registers &out) {
  SmallVector<Value> big, small;
  for (Value r : raw) {
    if (multiply == Multiply::TF32) {
      big.push_back(roundToTf32(kit, kit.bitcast(r, kit.getF32Type())));
    } else if (multiply == Multiply::TF32x3) {
      auto [b, rest] = splitTf32(kit, r);
      big.push_back(b), small.push_back(rest);
    } else {
      big.push_back(r);
    }
  }
  out.big.push_back(big);
  if (!small.empty()) out.small.push_back(small);
}

void multiplyTiles(Kit &kit, const MatrixInstruction &instruction, const Fragments::Registers &a,
                   const Fragments::Registers &b, MutableArrayRef<Value> sums) {
  using Factor = ArrayRef<SmallVector<Value>>;
  auto product = [&](Factor x, Factor y) {
    for (size_t i = 0; i < x.size(); ++i)
      for (size_t jj = 0; jj < y.size(); ++jj) {
        // Back and forth, so that neighbours share a register's operand.
        size_t j = i % 2 ? y.size() - 1 - jj : jj;
        MutableArrayRef<Value> at = sums.slice((i * y.size() + j) * 4, 4);
        llvm::copy(multiplyAdd(kit, instruction, x[i], y[j], at), at.begin());
      }
  };
  // One product after the other over all tiles: those of one tile wait for each other. That of
  // both small parts is below what f32 keeps.
  if (instruction.multiply == Multiply::TF32x3) product(a.small, b.big), product(a.big, b.small);
  product(a.big, b.big);
}

Fragments::Registers Fragments::load(Kit &kit, Value stage, int64_t step) const {
  Registers out;
  for (int64_t u = 0; u < rows_ / unitRows(); ++u) {
    Registers part = load(kit, stage, step, u);
    llvm::append_range(out.big, part.big);
    llvm::append_range(out.small, part.small);
  }
  return out;
}

Fragments::Registers Fragments::load(Kit &kit, Value stage, int64_t step, int64_t unit) const {
  Registers out;
  auto add = [&](std::initializer_list<Value> raw) {
    addRounded(kit, multiply_, ValueRange(ArrayRef<Value>(raw.begin(), raw.size())), out);
  };
  if (tile_.isReadByPieces()) {
    SmallVector<Value> v = loadPieces(kit, stage, step, unit);
    int64_t count = tile_.pieceRows;
    if (isA_)
      for (int64_t i = 0; i < count; i += 2) add({v[i], v[i + 1], v[count + i], v[count + i + 1]});
    else
      for (int64_t i = 0; i < count; ++i) add({v[i], v[count + i]});
    return out;
  }
  SmallVector<Value> v = loadMatrices(kit, stage, step, unit);
  if (isA_) {
    add({v[0], v[1], v[2], v[3]});
  } else {
    add({v[0], v[1]});
    add({v[2], v[3]});
  }
  return out;
}

int64_t Fragments::constantPart(int64_t tile, int64_t half) const {
  if (!tile_.isReadByPieces()) return isA_ ? 16 * tile + 8 * half : 8 * tile + half;
  // A unit's tiles share its pieces: of A two rows each, of B one. A lane's second column is
  // four pieces on.
  int64_t count = tile_.pieceRows, tiles = isA_ ? count / 2 : count;
  int64_t unit = tile / tiles * unitRows(), own = tile % tiles;
  return isA_ ? unit + 2 * own + half : unit + 4 * count * half + own;
}

}  // namespace adze::cuda
