// adze-assign-layout
#include "passes/Layout/Passes.h"
#include "passes/Layout/Permutation.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {
#define GEN_PASS_DEF_ASSIGNLAYOUT
#include "passes/Layout/Passes.h.inc"

namespace {

/// [N, C, spatial...] to [N, spatial..., C].
Perm channelsLast(int64_t rank) {
  Perm perm{0};
  for (int64_t i = 2; i < rank; ++i) perm.push_back(i);
  perm.push_back(1);
  return perm;
}

/// Weights to [K..., inputs, outputs]: conv's are [O, C/g, K...],
/// conv_transpose's [C, O/g, K...].
Perm kernelFirst(int64_t rank, bool outputsFirst) {
  Perm perm;
  for (int64_t i = 2; i < rank; ++i) perm.push_back(i);
  perm.push_back(outputsFirst ? 1 : 0);
  perm.push_back(outputsFirst ? 0 : 1);
  return perm;
}

Value transpose(OpBuilder &b, Location loc, Value x, ArrayRef<int64_t> perm) {
  auto type = transposed(cast<RankedTensorType>(x.getType()), perm);
  return TransposeOp::create(b, loc, type, x, perm);
}

template <typename OpTy>
bool toChannelsLast(OpTy op) {
  auto type = cast<RankedTensorType>(op.getX().getType());
  if (op.getLayout() != graph::DataLayout::NCHW || type.getRank() < 3) return false;
  Perm perm = channelsLast(type.getRank());
  OpBuilder b(op);
  op->setOperand(0, transpose(b, op.getLoc(), op.getX(), perm));
  if constexpr (!std::is_same_v<OpTy, PoolOp>)
    op->setOperand(1, transpose(b, op.getLoc(), op.getW(),
                                kernelFirst(type.getRank(), std::is_same_v<OpTy, ConvOp>)));
  op.setLayout(graph::DataLayout::NHWC);
  Type old = op.getType();
  op.getResult().setType(transposed(cast<RankedTensorType>(old), perm));
  b.setInsertionPointAfter(op);
  auto back = TransposeOp::create(b, op.getLoc(), old, op.getResult(), invert(perm));
  op.getResult().replaceAllUsesExcept(back.getResult(), back);
  return true;
}

struct AssignLayoutPass : public impl::AssignLayoutBase<AssignLayoutPass> {
  void runOnOperation() override {
    getOperation()->walk([&](Operation *op) {
      bool changed = false;
      if (auto conv = dyn_cast<ConvOp>(op)) changed = toChannelsLast(conv);
      if (auto conv = dyn_cast<ConvTransposeOp>(op)) changed = toChannelsLast(conv);
      if (auto pool = dyn_cast<PoolOp>(op)) changed = toChannelsLast(pool);
      numChanged += changed;
    });
  }
};

}  // namespace
}  // namespace adze
