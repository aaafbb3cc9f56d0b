// adze-merge-pads
#include "passes/Graph/ConstantQueries.h"
#include "passes/Graph/Passes.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {
#define GEN_PASS_DEF_MERGEPADS
#include "passes/Graph/Passes.h.inc"

namespace {

/// The axes that a convolution's window moves over.
bool isSpatial(ConvOp conv, int64_t axis, int64_t rank) {
  bool last = conv.getLayout() == graph::DataLayout::NHWC;
  return last ? axis > 0 && axis < rank - 1 : axis > 1;
}

/// conv's pads with those of the pad before it; nullopt where it pads with more
/// than zeros, crops, or pads other axes.
std::optional<SmallVector<int64_t>> mergedPads(ConvOp conv, PadOp pad) {
  if (pad.getMode() != PadMode::Constant || splatValue(pad.getValue()) != 0.0) return std::nullopt;
  std::optional<SmallVector<int64_t>> added = constantInts(pad.getPads());
  if (!added) return std::nullopt;
  SmallVector<int64_t> pads(conv.getPads());
  int64_t rank = int64_t(added->size()) / 2, spatial = rank - 2;
  int64_t first = conv.getLayout() == graph::DataLayout::NHWC ? 1 : 2;
  for (int64_t i = 0; i < 2 * rank; ++i) {
    int64_t amount = (*added)[i], axis = i % rank;
    if (amount == 0) continue;
    if (amount < 0 || !isSpatial(conv, axis, rank)) return std::nullopt;
    int64_t &side = pads[axis - first + (i < rank ? 0 : spatial)];
    if (llvm::AddOverflow(side, amount, side)) return std::nullopt;
  }
  return pads;
}

struct MergePadsPass : public impl::MergePadsBase<MergePadsPass> {
  void runOnOperation() override {
    getOperation()->walk([&](ConvOp conv) {
      auto pad = conv.getX().getDefiningOp<PadOp>();
      auto pads = pad ? mergedPads(conv, pad) : std::nullopt;
      if (!pads) return;
      conv.setPads(*pads);
      conv->setOperand(0, pad.getX());
      conv->setLoc(FusedLoc::get(conv.getContext(), {conv.getLoc(), pad.getLoc()}));
      if (pad.use_empty()) pad.erase();
      ++numMerged;
    });
  }
};

}  // namespace
}  // namespace adze
