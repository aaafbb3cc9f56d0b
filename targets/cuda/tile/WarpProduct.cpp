#include "targets/cuda/tile/WarpProduct.h"

using namespace mlir;

namespace adze::cuda {
namespace {

/// mma of 16 rows and 8 columns.
class MmaProduct : public WarpProduct {
 public:
  MmaProduct(Kit &kit, const MatrixInstruction &instruction, const SharedTile &a,
             const SharedTile &b, const WarpPart &part)
      : instruction_(instruction),
        lane_(kit),
        a_(kit, a, instruction.multiply, true, lane_, part.row, part.rows, part.firstStep),
        b_(kit, b, instruction.multiply, false, lane_, part.column, part.columns, part.firstStep) {
    laneRow_ = a_.lanePart(), laneColumn_ = b_.lanePart();
    for (int64_t i = 0; i < a_.count(); ++i)
      for (int64_t j = 0; j < b_.count(); ++j)
        for (int64_t half = 0; half < 2; ++half)
          for (int64_t e = 0; e < 2; ++e)
            places_.push_back({a_.constantPart(i, half), b_.constantPart(j, e), places_.size()});
  }

  void multiply(Kit &kit, Value aStage, Value bStage, int64_t step,
                MutableArrayRef<Value> sums) const override {
    multiplyTiles(kit, instruction_, a_.load(kit, aStage, step), b_.load(kit, bStage, step), sums);
  }

 private:
  const MatrixInstruction &instruction_;
  Lane lane_;
  Fragments a_, b_;
};

}  // namespace

TileReader readerOf(Multiply multiply, int chip) {
  if (multiply == Multiply::F32) return TileReader::Cores;
  const MatrixInstruction *instruction = findInstruction(multiply, chip);
  return instruction && isOfQuads(*instruction) ? TileReader::Quads : TileReader::Fragments;
}

std::unique_ptr<WarpProduct> makeWarpProduct(Kit &kit, Multiply multiply, int chip,
                                             const SharedTile &a, const SharedTile &b,
                                             const WarpPart &part) {
  switch (readerOf(multiply, chip)) {
    case TileReader::Quads:
      return makeQuadProduct(kit, a, b, part);
    case TileReader::Cores:
      return makeCoreProduct(kit, a, b, part);
    case TileReader::Fragments:
      return std::make_unique<MmaProduct>(kit, *findInstruction(multiply, chip), a, b, part);
  }
  llvm_unreachable("all readers are above");
}

bool canHaveRows(const SharedTile &tile, bool isA, int64_t rows, int64_t others) {
  bool isLonger = isA ? rows >= others : rows > others;
  switch (tile.reader) {
    case TileReader::Fragments:
      return rows % 16 == 0;
    case TileReader::Quads:
      return rows % (tile.alongK ? 16 : 32) == 0;
    case TileReader::Cores:
      return rows % (isLonger ? 32 : 16) == 0;
  }
  llvm_unreachable("all readers are above");
}

}  // namespace adze::cuda
