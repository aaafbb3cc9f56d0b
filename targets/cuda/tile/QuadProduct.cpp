// Products by sm_70's mma.m8n8k4, of which a warp makes four at once: one for each quad pair, lanes
// 4 q to 4 q + 3 and those 16 on. Pairs stand two by two: pair q multiplies half q % 2 of A's 16
// rows by half q / 2 of B's 16 columns. Which row of the tile a row of a half stands for is free.
#include "targets/cuda/tile/WarpProduct.h"

using namespace mlir;

namespace adze::cuda {
namespace {

constexpr int64_t kPiece = 8;  ///< elements that a lane reads at once, 16 bytes
constexpr int64_t kDepth = 4;  ///< k of an instruction
constexpr int64_t kParts = 4;  ///< instructions' k in a step

/// The lane's place: `half` of its pair, which of the other factor's halves the pair has, number
/// among four.
struct QuadLane {
  explicit QuadLane(Kit &kit) {
    Value lane = kit.bitAnd(kit.thread(), 31);
    number = kit.bitAnd(lane, 3);
    half = kit.shr(lane, 4);
    Value pair = kit.bitAnd(kit.shr(lane, 2), 3);
    ofA = kit.bitAnd(pair, 1), ofB = kit.shr(pair, 1);
  }
  Value number, half, ofA, ofB;
};

/// One factor's registers, two for each instruction.
class QuadFactor {
 public:
  QuadFactor(Kit &kit, const SharedTile &tile, bool isA, const QuadLane &lane, Value firstRow,
             int64_t rows, Value firstStep);

  /// By 16 rows, then by four k of the step.
  std::vector<std::array<SmallVector<Value>, kParts>> load(Kit &kit, Value stage,
                                                           int64_t step) const;

  bool alongK() const { return tile_.alongK; }
  int64_t count() const { return rows_ / 16; }
  /// The tile's row of element `i` (0 to 3 of A, 0 to 7 of B) of instruction `tile`'s sums is
  /// lanePart() + constantPart().
  Value lanePart() const { return lanePart_; }
  int64_t constantPart(int64_t tile, int64_t i) const;

 private:
  void startAlongK(Kit &kit, const QuadLane &lane, Value ofPair, Value firstRow, Value firstStep);
  void startAlongRows(Kit &kit, const QuadLane &lane, Value ofPair, Value firstRow,
                      Value firstStep);
  SmallVector<Value> loadPiece(Kit &kit, Value at) const;

  SharedTile tile_;
  bool isA_;
  int64_t rows_;
  SmallVector<Value>
      offsets_;  ///< of the lane: by piece of a line along k, else by unit of 32 rows
  Value lanePart_;
};

QuadFactor::QuadFactor(Kit &kit, const SharedTile &tile, bool isA, const QuadLane &lane,
                       Value firstRow, int64_t rows, Value firstStep)
    : tile_(tile), isA_(isA), rows_(rows) {
  Value ofPair = isA ? lane.ofA : lane.ofB;
  if (tile.alongK)
    startAlongK(kit, lane, ofPair, firstRow, firstStep);
  else
    startAlongRows(kit, lane, ofPair, firstRow, firstStep);
}

/// Row 4 h + i of a half is what lane i of the pair's half h reads. Of A it is row 8 h + 4 half + i
/// of the tile, so that eight lanes read eight lines; of B such that a lane's sums lie side by
/// side.
void QuadFactor::startAlongK(Kit &kit, const QuadLane &lane, Value ofPair, Value firstRow,
                             Value firstStep) {
  Value line;
  if (isA_) {
    line = kit.add(kit.add(kit.mul(lane.half, 8), kit.mul(ofPair, 4)), lane.number);
    lanePart_ =
        kit.add(kit.add(kit.mul(lane.half, 8), kit.mul(ofPair, 4)), kit.bitAnd(lane.number, 1));
  } else {
    Value high = kit.mul(kit.shr(lane.number, 1), 4), half = kit.mul(ofPair, 8);
    line = kit.add(kit.add(half, high), kit.add(kit.mul(lane.half, 2), kit.bitAnd(lane.number, 1)));
    lanePart_ = kit.add(half, high);
  }
  Value start = kit.mul(kit.add(firstRow, line), tile_.lineBytes());
  Value first = firstStep ? kit.mul(firstStep, 2) : kit.i32(0);
  for (int64_t piece = 0; piece < tile_.lineBytes() / 16; ++piece) {
    Value at = tile_.swizzle(kit, line, kit.add(first, piece));
    offsets_.push_back(kit.add(start, kit.mul(at, 16)));
  }
}

/// A lane reads eight rows of one k: registers i and i + 2 are a half's four rows of one
/// instruction, i + 1 and i + 3 of the next. So eight neighbours of a row of sums lie in two lanes.
void QuadFactor::startAlongRows(Kit &kit, const QuadLane &lane, Value ofPair, Value firstRow,
                                Value firstStep) {
  Value piece = kit.add(kit.mul(lane.half, 2), ofPair);
  if (isA_)
    lanePart_ = kit.add(kit.mul(piece, kPiece), kit.bitAnd(lane.number, 1));
  else
    lanePart_ = kit.add(kit.mul(ofPair, kPiece), kit.mul(kit.shr(lane.number, 1), 4));
  Value line = lane.number;
  if (firstStep) line = kit.add(line, kit.mul(firstStep, kParts * kDepth));
  Value start = kit.mul(line, tile_.lineBytes());
  Value first = kit.add(kit.div(firstRow, kPiece), piece);
  for (int64_t unit = 0; unit < rows_ / 32; ++unit) {
    Value at = tile_.swizzle(kit, lane.number, kit.add(first, 4 * unit));
    offsets_.push_back(kit.add(start, kit.mul(at, 16)));
  }
}

int64_t QuadFactor::constantPart(int64_t tile, int64_t i) const {
  if (tile_.alongK) return 16 * tile + (isA_ ? i & 2 : (i & 4) / 2 + (i & 1));
  int64_t unit = 32 * (tile / 2), own = 2 * (tile % 2);
  return unit + own + (isA_ ? 2 * (i & 2) : 4 * (i & 4) + (i & 1));
}

SmallVector<Value> QuadFactor::loadPiece(Kit &kit, Value at) const {
  Value v = kit.load(VectorType::get(4, kit.getI32Type()), at, 16);
  SmallVector<Value> out;
  for (int64_t i = 0; i < 4; ++i) out.push_back(kit.element(v, i));
  return out;
}

std::vector<std::array<SmallVector<Value>, kParts>> QuadFactor::load(Kit &kit, Value stage,
                                                                     int64_t step) const {
  std::vector<std::array<SmallVector<Value>, kParts>> out(count());
  if (tile_.alongK) {
    for (int64_t tile = 0; tile < count(); ++tile)
      for (int64_t piece = 0; piece < 2; ++piece) {
        Value lane = kit.offset(stage, offsets_[2 * step + piece]);
        auto v = loadPiece(kit, kit.offset(lane, 16 * tile * tile_.lineBytes()));
        out[tile][2 * piece] = {v[0], v[1]}, out[tile][2 * piece + 1] = {v[2], v[3]};
      }
    return out;
  }
  for (int64_t unit = 0; unit < count() / 2; ++unit)
    for (int64_t part = 0; part < kParts; ++part) {
      int64_t line = kDepth * (kParts * step + part);
      auto v =
          loadPiece(kit, kit.offset(kit.offset(stage, offsets_[unit]), line * tile_.lineBytes()));
      out[2 * unit][part] = {v[0], v[2]}, out[2 * unit + 1][part] = {v[1], v[3]};
    }
  return out;
}

class QuadProduct : public WarpProduct {
 public:
  QuadProduct(Kit &kit, const SharedTile &a, const SharedTile &b, const WarpPart &part)
      : lane_(kit),
        a_(kit, a, true, lane_, part.row, part.rows, part.firstStep),
        b_(kit, b, false, lane_, part.column, part.columns, part.firstStep) {
    laneRow_ = a_.lanePart(), laneColumn_ = b_.lanePart();
    for (int64_t i = 0; i < a_.count(); ++i)
      for (int64_t j = 0; j < b_.count(); ++j)
        for (int64_t e = 0; e < kSums; ++e)
          places_.push_back({a_.constantPart(i, e), b_.constantPart(j, e), places_.size()});
  }

  void multiply(Kit &kit, Value aStage, Value bStage, int64_t step,
                MutableArrayRef<Value> sums) const override {
    auto a = a_.load(kit, aStage, step), b = b_.load(kit, bStage, step);
    for (int64_t part = 0; part < kParts; ++part)
      for (size_t i = 0; i < a.size(); ++i)
        for (size_t jj = 0; jj < b.size(); ++jj) {
          // Back and forth, so that neighbours share a register's operand.
          size_t j = i % 2 ? b.size() - 1 - jj : jj;
          MutableArrayRef<Value> at = sums.slice((i * b.size() + j) * kSums, kSums);
          llvm::copy(multiplyQuads(kit, a[i][part], a_.alongK(), b[j][part], b_.alongK(), at),
                     at.begin());
        }
  }

 private:
  static constexpr int64_t kSums = 8;  ///< of a lane, for an instruction

  QuadLane lane_;
  QuadFactor a_, b_;
};

}  // namespace

std::unique_ptr<WarpProduct> makeQuadProduct(Kit &kit, const SharedTile &a, const SharedTile &b,
                                             const WarpPart &part) {
  return std::make_unique<QuadProduct>(kit, a, b, part);
}

}  // namespace adze::cuda
