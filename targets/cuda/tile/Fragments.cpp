#include "targets/cuda/tile/Tile.h"

using namespace mlir;

namespace adze::cuda {

Value SharedTile::swizzle(Kit &kit, Value line, Value piece) const {
  int64_t pieces = lineBytes() / 16;
  // By pieces: the four k of eight lanes, which read the same two pieces each.
  if (isReadByPieces())
    return kit.bitXor(piece, kit.bitAnd(pairsK ? kit.shr(line, 1) : line, 3));
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

/// Which piece of 32 rows a lane of group `group` reads: neighbouring lanes of
/// the sums then store neighbouring pieces.
static Value pieceOf(Kit &kit, Value group) {
  return kit.add(kit.shr(group, 1), kit.mul(kit.bitAnd(group, 1), 4));
}

Fragments::Fragments(Kit &kit, const SharedTile &tile, Multiply multiply, bool isA,
                     const Lane &lane, Value firstRow, int64_t rows)
    : tile_(tile), multiply_(multiply), isA_(isA), rows_(rows) {
  int64_t lineBytes = tile.lineBytes();
  if (tile.isReadByPieces()) {
    lanePart_ = isA ? kit.mul(pieceOf(kit, lane.group), 4) : kit.mul(lane.inGroup, 4);
    Value line = tile.pairsK ? kit.mul(lane.inGroup, 2) : lane.inGroup;
    Value piece = tile.swizzle(kit, line, pieceOf(kit, lane.group));
    offsets_.push_back(kit.add(kit.mul(line, lineBytes),
                               kit.add(kit.mul(piece, 16), kit.mul(firstRow, 4))));
    return;
  }
  lanePart_ = isA ? lane.group : kit.mul(lane.inGroup, 2);
  // ldmatrix takes the addresses of its four matrices' lines from lanes 0-7,
  // 8-15 …: the second matrix is the next eight lines, or the next piece.
  bool linesFirst = isA == tile.alongK;
  Value n = lane.number;
  Value line = linesFirst ? kit.bitAnd(n, 15)
                          : kit.add(kit.bitAnd(n, 7), kit.mul(kit.shr(n, 4), 8));
  Value piece = linesFirst ? kit.shr(n, 4) : kit.bitAnd(kit.shr(n, 3), 1);
  Value start = kit.mul(line, lineBytes);
  if (tile.alongK) start = kit.add(start, kit.mul(firstRow, lineBytes));
  else piece = kit.add(piece, kit.div(firstRow, 16 / tile.elementBytes));
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
  auto result = LLVM::LLVMStructType::getLiteral(kit.getContext(),
                                                 SmallVector<Type>(4, kit.getI32Type()));
  auto shape = NVVM::LdStMatrixShapeAttr::get(kit.getContext(), 8, 8);
  Value all = kit.create<NVVM::LdMatrixOp>(
      result, at, 4, tile_.alongK ? NVVM::MMALayout::row : NVVM::MMALayout::col, shape,
      NVVM::LdStMatrixEltType::B16);
  SmallVector<Value> out;
  for (int i = 0; i < 4; ++i) out.push_back(kit.member(all, i));
  return out;
}

/// [the lane's two k][row of the piece], as i32.
SmallVector<Value> Fragments::loadPieces(Kit &kit, Value stage, int64_t step,
                                         int64_t group) const {
  SmallVector<Value> out;
  Type four = VectorType::get(4, kit.getI32Type());
  for (int64_t half = 0; half < 2; ++half) {
    int64_t constant = (8 * step + (tile_.pairsK ? 1 : 4) * half) * tile_.lineBytes() + group * 128;
    Value v = kit.load(four, kit.offset(kit.offset(stage, offsets_[0]), constant), 16);
    for (int i = 0; i < 4; ++i) out.push_back(kit.element(v, i));
  }
  return out;
}

void addRounded(Kit &kit, Multiply multiply, ValueRange raw, Fragments::Registers &out) {
  bool isTf32 = multiply == Multiply::TF32 || multiply == Multiply::TF32x3;
  if (!isTf32) return out.big.push_back(SmallVector<Value>(raw));
  SmallVector<Value> big, small;
  for (Value r : raw) {
    Value x = kit.bitcast(r, kit.getF32Type());
    big.push_back(roundToTf32(kit, x));
    if (multiply != Multiply::TF32x3) continue;
    // Exact: the difference of neighbours has fewer bits than either.
    Value rest = kit.create<arith::SubFOp>(x, kit.bitcast(big.back(), kit.getF32Type()));
    small.push_back(roundToTf32(kit, rest));
  }
  out.big.push_back(big);
  out.small.push_back(small);
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
    if (isA_)
      for (int i : {0, 2}) add({v[i], v[i + 1], v[4 + i], v[5 + i]});
    else
      for (int i : {0, 1, 2, 3}) add({v[i], v[4 + i]});
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
  if (isA_) return tile_.isReadByPieces() ? 32 * (tile / 2) + 2 * (tile % 2) + half : 16 * tile + 8 * half;
  return tile_.isReadByPieces() ? 32 * (tile / 4) + 16 * half + tile % 4 : 8 * tile + half;
}

}  // namespace adze::cuda
