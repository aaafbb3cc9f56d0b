// memref.expand_shape of contiguous buffers -> memref.reinterpret_cast.
#include "passes/Rt/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_EXPANDSHAPETOCAST
#include "passes/Rt/Passes.h.inc"

namespace {

OpFoldResult product(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y) {
  std::optional<int64_t> cx = getConstantIntValue(x), cy = getConstantIntValue(y);
  if (cx && cy) return b.getIndexAttr(*cx * *cy);
  return arith::MulIOp::create(b, loc, getValueOrCreateConstantIndexOp(b, loc, x),
                               getValueOrCreateConstantIndexOp(b, loc, y))
      .getResult();
}

struct ExpandShapeToCastPass : impl::ExpandShapeToCastBase<ExpandShapeToCastPass> {
  void runOnOperation() override {
    SmallVector<memref::ExpandShapeOp> ops;
    getOperation().walk([&](memref::ExpandShapeOp op) {
      if (op.getSrcType().getLayout().isIdentity() && op.getResultType().getLayout().isIdentity())
        ops.push_back(op);
    });
    for (memref::ExpandShapeOp op : ops) replace(op);
  }

  static void replace(memref::ExpandShapeOp op) {
    OpBuilder b(op);
    SmallVector<OpFoldResult> sizes = op.getMixedOutputShape();
    SmallVector<OpFoldResult> strides(sizes.size());
    OpFoldResult stride = b.getIndexAttr(1);
    for (size_t i = sizes.size(); i-- > 0;) {
      strides[i] = stride;
      if (i) stride = product(b, op.getLoc(), stride, sizes[i]);
    }
    Value cast = memref::ReinterpretCastOp::create(b, op.getLoc(), op.getResultType(), op.getSrc(),
                                                   b.getIndexAttr(0), sizes, strides);
    op.replaceAllUsesWith(cast);
    op.erase();
  }
};

}  // namespace
}  // namespace adze
