// Products on the ordinary cores: each lane has pieces of four rows and of four columns, and all
// sums between them.
#include "targets/cuda/tile/WarpProduct.h"

using namespace mlir;

namespace adze::cuda {
namespace {

constexpr int64_t kPiece = 4;      ///< rows that a lane reads at once, 16 bytes
constexpr int64_t kStepDepth = 8;  ///< k of a step

class CoreProduct : public WarpProduct {
 public:
  CoreProduct(Kit &kit, const SharedTile &a, const SharedTile &b, const WarpPart &part)
      : a_(a), b_(b) {
    Value lane = kit.bitAnd(kit.thread(), 31);
    // The longer side has eight lanes (canHaveRows).
    int64_t down = part.rows >= part.columns ? 8 : 4, across = 32 / down;
    aUnit_ = down * kPiece, bUnit_ = across * kPiece;
    aPieces_ = part.rows / aUnit_, bPieces_ = part.columns / bUnit_;
    // Neighbouring lanes have neighbouring columns, for the sake of stores.
    laneRow_ = kit.mul(kit.div(lane, across), kPiece);
    laneColumn_ = kit.mul(kit.rem(lane, across), kPiece);
    aStart_ = start(kit, a, kit.add(part.row, laneRow_), part.firstStep);
    bStart_ = start(kit, b, kit.add(part.column, laneColumn_), part.firstStep);
    for (int64_t i = 0; i < aPieces_ * kPiece; ++i)
      for (int64_t j = 0; j < bPieces_ * kPiece; ++j)
        places_.push_back({rowOf(i, aUnit_), rowOf(j, bUnit_), places_.size()});
  }

  void multiply(Kit &kit, Value aStage, Value bStage, int64_t step,
                MutableArrayRef<Value> sums) const override {
    Value aLane = kit.offset(aStage, aStart_), bLane = kit.offset(bStage, bStart_);
    for (int64_t k = kStepDepth * step; k < kStepDepth * (step + 1); ++k) {
      SmallVector<Value> a = load(kit, a_, aLane, k, aPieces_, aUnit_);
      SmallVector<Value> b = load(kit, b_, bLane, k, bPieces_, bUnit_);
      for (size_t i = 0; i < a.size(); ++i)
        for (size_t jj = 0; jj < b.size(); ++jj) {
          // Back and forth, so that neighbours share a register's operand.
          size_t j = i % 2 ? b.size() - 1 - jj : jj;
          Value &sum = sums[i * b.size() + j];
          sum = kit.create<LLVM::FMAOp>(a[i], b[j], sum);
        }
    }
    // Where no loop is left, LLVM moves products beyond barriers to where sums are used, and all
    // that they read has to wait in registers.
    SmallVector<Type> types(sums.size(), kit.getF32Type());
    llvm::copy(kit.assembly("", types, SmallVector<Value>(sums)), sums.begin());
  }

 private:
  static int64_t rowOf(int64_t i, int64_t unit) { return i / kPiece * unit + i % kPiece; }

  static Value start(Kit &kit, const SharedTile &tile, Value row, Value firstStep) {
    Value bytes = kit.mul(row, tile.elementBytes);
    if (!firstStep) return bytes;
    return kit.add(bytes, tile.lineOffset(kit, kit.mul(firstStep, kStepDepth)));
  }

  /// The lane's rows of one k.
  static SmallVector<Value> load(Kit &kit, const SharedTile &tile, Value lane, int64_t k,
                                 int64_t pieces, int64_t unit) {
    Type type = VectorType::get(kPiece, kit.getF32Type());
    SmallVector<Value> rows;
    for (int64_t p = 0; p < pieces; ++p) {
      int64_t at = tile.lineOffset(k) + p * unit * tile.elementBytes;
      Value piece = kit.load(type, kit.offset(lane, at), 16);
      for (int64_t e = 0; e < kPiece; ++e) rows.push_back(kit.element(piece, e));
    }
    return rows;
  }

  SharedTile a_, b_;
  int64_t aUnit_, bUnit_;      ///< rows of a warp's lanes together
  int64_t aPieces_, bPieces_;  ///< of a lane
  Value aStart_, bStart_;      ///< of the lane in a stage, bytes
};

}  // namespace

std::unique_ptr<WarpProduct> makeCoreProduct(Kit &kit, const SharedTile &a, const SharedTile &b,
                                             const WarpPart &part) {
  return std::make_unique<CoreProduct>(kit, a, b, part);
}

}  // namespace adze::cuda
