// adze-pack-weights
#include "lib/Support/Checked.h"
#include "lib/Support/Winograd.h"
#include "passes/Layout/Passes.h"
#include "passes/Layout/Permutation.h"
#include "passes/Schedule/MachineModel.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "passes/Layout/Passes.h.inc"

namespace {

/// The weights [depth..., columns] of a contraction, and what is known of the
/// rows that they are multiplied with.
struct Weights {
  OpOperand *use;
  bool transposed = false;
  std::optional<int64_t> rows;  ///< of one product, when known
};

std::optional<Weights> weightsOf(Operation *op) {
  if (auto matmul = dyn_cast<MatmulOp>(op)) {
    if (matmul.getB().getType().getRank() != 2) return std::nullopt;
    auto a = matmul.getA().getType().getShape();
    // Leading dimensions of a are rows too: b is the same for all of them.
    return Weights{&op->getOpOperand(1), matmul.getTransposeB(),
                   matmul.getTransposeA() ? std::nullopt : checkedNumElements(a.drop_back())};
  }
  if (auto conv = dyn_cast<ConvOp>(op)) {
    if (conv.getLayout() != graph::DataLayout::NHWC || conv.getGroups() != 1) return std::nullopt;
    return Weights{&op->getOpOperand(1), false, checkedNumElements(conv.getType().getShape().drop_back())};
  }
  return std::nullopt;
}

struct PackWeightsPass : public impl::PackWeightsBase<PackWeightsPass> {
  void runOnOperation() override {
    schedule::MachineModel machine = schedule::MachineModel::of(getOperation());
    if (!machine.packsWeights) return;
    getOperation()->walk([&](Operation *op) {
      if (auto matmul = dyn_cast<MatmulOp>(op); matmul && turnPays(matmul, machine)) {
        turn(matmul);
        ++numTurned;
      }
      std::optional<Weights> weights = weightsOf(op);
      if (!weights || !weights->use->get().getDefiningOp<ConstantOp>()) return;
      if (int64_t tile = tileOf(*weights, machine)) {
        bool winograd = winogradPays(op, machine);
        pack(op, *weights, PanelsAttr::get(&getContext(), tile, winograd ? kWinogradTile : 0));
        ++numPacked;
        numWinograd += winograd;
      }
    });
  }

  /// Rows of what is computed at run time, keys for example, would be multiplied by
  /// dot products, whose lanes are folded for each result. Where there are several
  /// rows on the other side, or unknown many, columns are worth a pass over them.
  static bool turnPays(MatmulOp op, const schedule::MachineModel &machine) {
    constexpr int64_t kFewRows = 8;
    RankedTensorType a = op.getA().getType(), b = op.getB().getType(), y = op.getType();
    // Threads that each sum up alone read rows as well as columns.
    if (machine.simtWidth || !op.getTransposeB() || op.getB().getDefiningOp<ConstantOp>()) return false;
    int64_t lanes = machine.vectorBits / std::max(b.getElementTypeBitWidth(), 32u);
    auto isFewerThan = [](int64_t extent, int64_t least) {
      return !ShapedType::isDynamic(extent) && extent < least;
    };
    return a.getRank() >= 2 && !isFewerThan(y.getShape()[y.getRank() - 2], kFewRows) &&
           !isFewerThan(y.getShape().back(), lanes);
  }

  static void turn(MatmulOp op) {
    OpBuilder b(op);
    SmallVector<int64_t> perm = llvm::to_vector(llvm::seq<int64_t>(0, op.getB().getType().getRank()));
    std::swap(perm.back(), perm[perm.size() - 2]);
    Value x = op.getB();
    if (auto first = x.getDefiningOp<TransposeOp>()) {  // one pass for both
      for (int64_t &axis : perm) axis = first.getPerm()[axis];
      x = first.getX();
    }
    RankedTensorType type = transposed(cast<RankedTensorType>(x.getType()), perm);
    op.getBMutable().set(TransposeOp::create(b, op.getLoc(), type, x, perm));
    op.setTransposeB(false);
  }

  /// Columns of a panel: what a register tile takes at once; 0: not worth it.
  static int64_t tileOf(const Weights &weights, const schedule::MachineModel &machine) {
    auto type = cast<RankedTensorType>(weights.use->get().getType());
    ArrayRef<int64_t> shape = type.getShape();
    int64_t columns = weights.transposed ? shape.front() : shape.back();
    int64_t depth = type.getNumElements() / std::max<int64_t>(columns, 1);
    unsigned bits = type.getElementTypeBitWidth();
    // Products of narrow elements are summed in 32 bits at least.
    int64_t lanes = machine.vectorBits / std::max(bits, 32u);
    if (bits < 8 || depth < 2 || columns < lanes || lanes < 2) return 0;
    return lanes * machine.columnVectors(llvm::divideCeil(columns, lanes), depth, weights.rows);
  }

  /// A 3x3 convolution takes less time by Winograd's filtering. In multiply-adds,
  /// two vectors of which run in a cycle: a tile of 4x4 results costs 36 products
  /// instead of 144, its transforms, and coefficients four times the weights.
  /// Input: 144 operations, 36 reads and 36 writes, and some 24 elements copied
  /// to the patch; results: 130 operations, 36 reads, 16 writes, and 16 more of
  /// both for the epilogue; a read or write in the time of one and a half.
  static bool winogradPays(Operation *op, const schedule::MachineModel &machine) {
    auto conv = dyn_cast<ConvOp>(op);
    if (!conv || conv.getW().getType().getRank() != 4) return false;
    auto isOne = [](int64_t v) { return v == 1; };
    ArrayRef<int64_t> w = conv.getW().getType().getShape(), y = conv.getType().getShape();
    if (w[0] != 3 || w[1] != 3 || !conv.getW().getType().getElementType().isF32() ||
        !llvm::all_of(conv.getStrides(), isOne) || !llvm::all_of(conv.getDilations(), isOne))
      return false;
    constexpr double kInputTransform = 144 + 1.5 * (36 + 36 + 48);
    constexpr double kOutputTransform = 130 + 1.5 * (36 + 16 + 32);
    int64_t lanes = machine.vectorBits / 32;
    // Coefficients come from memory, which the other cores read as well.
    double perByte = 2 * 2.0 * lanes / double(machine.bytesPerCycle);
    constexpr int64_t kNominal = 64;  // rows and columns where they are not known
    double c = w[2], o = w[3], tiles = ShapedType::isDynamic(y[0]) ? 1 : y[0], results = tiles;
    for (int64_t d : {1, 2}) {
      int64_t extent = ShapedType::isDynamic(y[d]) ? kNominal : y[d];
      tiles *= llvm::divideCeil(extent, kWinogradTile);
      results *= extent;
    }
    if (c < lanes || o < lanes) return false;
    double direct = 9 * c * o * results;
    double winograd = tiles * (36 * c * o + kInputTransform * c + kOutputTransform * o) +
                      perByte * 4 * (36 - 9) * c * o;
    return winograd < 0.9 * direct;
  }

  static void pack(Operation *op, Weights weights, PanelsAttr panels) {
    OpBuilder b(op);
    Value w = weights.use->get();
    Location loc = w.getLoc();
    if (weights.transposed) {
      w = TransposeOp::create(b, loc, transposed(cast<RankedTensorType>(w.getType()), {1, 0}), w,
                              ArrayRef<int64_t>{1, 0});
      cast<MatmulOp>(op).setTransposeB(false);
    }
    weights.use->set(RelayoutOp::create(b, loc, w, panels));
  }
};

}  // namespace
}  // namespace adze
