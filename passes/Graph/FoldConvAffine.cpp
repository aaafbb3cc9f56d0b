// adze-fold-conv-affine
#include "passes/Graph/ConstantQueries.h"
#include "passes/Graph/Passes.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {
#define GEN_PASS_DEF_FOLDCONVAFFINE
#include "passes/Graph/Passes.h.inc"

namespace {

using Fn = ElementwiseFn;

bool isConstant(Value v) { return matchPattern(v, m_Constant()); }

/// Arithmetic on constants, which folds.
bool isConstantExpression(Value v) {
  Operation *def = v.getDefiningOp();
  if (!def) return false;
  if (isa<ElementwiseOp>(def)) return llvm::all_of(def->getOperands(), isConstantExpression);
  if (isa<ReshapeOp>(def)) return isConstantExpression(def->getOperand(0));
  return isConstant(v);
}

/// Where the output channels stand in the anchor's result and in its weight.
struct Channels {
  int64_t resultAxis, weightAxis;
};

std::optional<Channels> channelsOf(Operation *anchor) {
  auto rank = [](Value v) { return cast<RankedTensorType>(v.getType()).getRank(); };
  if (auto conv = dyn_cast<ConvOp>(anchor)) {
    int64_t last = rank(conv.getX()) - 1;
    return conv.getLayout() == graph::DataLayout::NHWC ? Channels{last, last} : Channels{1, 0};
  }
  if (auto conv = dyn_cast<ConvTransposeOp>(anchor)) {
    if (conv.getGroups() != 1) return std::nullopt;
    int64_t last = rank(conv.getX()) - 1;
    return conv.getLayout() == graph::DataLayout::NHWC ? Channels{last, last} : Channels{1, 1};
  }
  if (auto matmul = dyn_cast<MatmulOp>(anchor)) {
    if (rank(matmul.getB()) != 2) return std::nullopt;
    return Channels{rank(matmul.getResult()) - 1, matmul.getTransposeB() ? 0 : 1};
  }
  return std::nullopt;
}

Value reshaped(OpBuilder &b, Location loc, Value v, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(v.getType());
  if (type.getShape() == shape) return v;
  auto dims = RankedTensorType::get({int64_t(shape.size())}, b.getI64Type());
  Value extents = ConstantOp::create(b, loc, DenseIntElementsAttr::get(dims, shape));
  return ReshapeOp::create(b, loc, RankedTensorType::get(shape, type.getElementType()), v, extents);
}

Value apply(OpBuilder &b, Location loc, Fn fn, Value x, Value y, Type type) {
  return ElementwiseOp::create(b, loc, type, fn, ValueRange{x, y});
}

/// Folds one elementwise op into the anchor that its first operand comes from.
class Folder {
 public:
  Folder(ElementwiseOp op, Operation *anchor, Value factor, Channels channels)
      : op(op), anchor(anchor), factor(factor), channels(channels), b(anchor) {}

  bool fold() {
    auto type = cast<RankedTensorType>(factor.getType());
    scalar = type.getNumElements() == 1;
    if (!scalar && !perChannel(type)) return false;
    bool scales = op.getFn() == Fn::Mul || op.getFn() == Fn::Div;
    if (scales) return scaleWeight();
    return !isa<MatmulOp>(anchor) && shiftBias();
  }

 private:
  int64_t channelCount() {
    return cast<RankedTensorType>(anchor->getOperand(1).getType()).getDimSize(channels.weightAxis);
  }

  /// All extents are 1 but that of the channels.
  bool perChannel(RankedTensorType type) {
    int64_t shift = cast<RankedTensorType>(anchor->getResult(0).getType()).getRank() - type.getRank();
    for (int64_t i = 0; i < type.getRank(); ++i) {
      bool channel = shift + i == channels.resultAxis;
      if (type.getDimSize(i) != (channel ? channelCount() : 1)) return false;
    }
    return true;
  }

  /// The factor as a scalar, or as a vector along `axis` of rank `rank`.
  Value along(int64_t rank, int64_t axis) {
    if (scalar) return reshaped(b, op.getLoc(), factor, {});
    SmallVector<int64_t> shape(rank, 1);
    shape[axis] = channelCount();
    return reshaped(b, op.getLoc(), factor, shape);
  }

  Value bias() {
    if (auto conv = dyn_cast<ConvOp>(anchor)) return conv.getBias();
    if (auto conv = dyn_cast<ConvTransposeOp>(anchor)) return conv.getBias();
    return {};
  }

  void setBias(Value v) {
    if (auto conv = dyn_cast<ConvOp>(anchor)) conv.getBiasMutable().assign(v);
    if (auto conv = dyn_cast<ConvTransposeOp>(anchor)) conv.getBiasMutable().assign(v);
  }

  bool scaleWeight() {
    Value w = anchor->getOperand(1);
    if (bias() && !isConstantExpression(bias())) return false;
    auto type = cast<RankedTensorType>(w.getType());
    Value scale = along(type.getRank(), channels.weightAxis);
    anchor->setOperand(1, apply(b, op.getLoc(), op.getFn(), w, scale, type));
    if (Value old = bias())
      setBias(apply(b, op.getLoc(), op.getFn(), old, along(1, 0), old.getType()));
    return true;
  }

  bool shiftBias() {
    Value old = bias();
    if (old && !isConstantExpression(old)) return false;
    auto type = RankedTensorType::get({channelCount()}, getElementTypeOrSelf(factor));
    if (!old) {
      Attribute zero = b.getZeroAttr(type.getElementType());
      auto zeros = cast<ElementsAttr>(DenseElementsAttr::get(type, zero));
      old = ConstantOp::create(b, op.getLoc(), zeros);
    }
    setBias(apply(b, op.getLoc(), op.getFn(), old, along(1, 0), type));
    return true;
  }

  ElementwiseOp op;
  Operation *anchor;
  Value factor;
  Channels channels;
  OpBuilder b;
  bool scalar = false;
};

bool foldInto(ElementwiseOp op) {
  bool commutes = op.getFn() == Fn::Mul || op.getFn() == Fn::Add;
  if (!commutes && op.getFn() != Fn::Div && op.getFn() != Fn::Sub) return false;
  if (!isa<FloatType>(getElementTypeOrSelf(op.getType()))) return false;
  for (unsigned i = 0; i < (commutes ? 2 : 1); ++i) {
    Operation *anchor = op.getArgs()[i].getDefiningOp();
    Value factor = op.getArgs()[1 - i];
    std::optional<Channels> channels = anchor ? channelsOf(anchor) : std::nullopt;
    if (!channels || !anchor->hasOneUse() || !isConstant(factor)) continue;
    Value w = anchor->getOperand(1);
    auto wType = cast<RankedTensorType>(w.getType());
    bool fits = wType.hasStaticShape() && isConstantExpression(w) && w.hasOneUse() &&
                broadcastsInto(factor, anchor->getResult(0)) &&
                wType.getElementType() == getElementTypeOrSelf(op.getType()) &&
                factor.getParentBlock() == anchor->getBlock();
    if (!fits) continue;
    // The factor must be known where the anchor stands.
    if (!factor.getDefiningOp()->isBeforeInBlock(anchor))
      factor.getDefiningOp()->moveBefore(anchor);
    if (!Folder(op, anchor, factor, *channels).fold()) continue;
    anchor->setLoc(FusedLoc::get(op.getContext(), {anchor->getLoc(), op.getLoc()}));
    if (op.getType() != anchor->getResult(0).getType()) anchor->getResult(0).setType(op.getType());
    op.getResult().replaceAllUsesWith(anchor->getResult(0));
    return true;
  }
  return false;
}

struct FoldConvAffinePass : public impl::FoldConvAffineBase<FoldConvAffinePass> {
  void runOnOperation() override {
    getOperation()->walk([&](ElementwiseOp op) {
      if (!foldInto(op)) return;
      op.erase();
      ++numFolded;
    });
  }
};

}  // namespace
}  // namespace adze
