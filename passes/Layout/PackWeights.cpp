// adze-pack-weights
#include "lib/Support/Checked.h"
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
    getOperation()->walk([&](Operation *op) {
      std::optional<Weights> weights = weightsOf(op);
      if (!weights || !weights->use->get().getDefiningOp<ConstantOp>()) return;
      if (int64_t tile = tileOf(*weights, machine)) {
        pack(op, *weights, tile);
        ++numPacked;
      }
    });
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

  static void pack(Operation *op, Weights weights, int64_t tile) {
    OpBuilder b(op);
    Value w = weights.use->get();
    Location loc = w.getLoc();
    if (weights.transposed) {
      w = TransposeOp::create(b, loc, transposed(cast<RankedTensorType>(w.getType()), {1, 0}), w,
                              ArrayRef<int64_t>{1, 0});
      cast<MatmulOp>(op).setTransposeB(false);
    }
    weights.use->set(RelayoutOp::create(b, loc, w, PanelsAttr::get(b.getContext(), tile)));
  }
};

}  // namespace
}  // namespace adze
