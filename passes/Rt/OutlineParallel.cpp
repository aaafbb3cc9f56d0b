// scf.parallel -> adze_rt.parallel_for over an outlined body.
#include "dialects/Rt/Rt.h"
#include "passes/Rt/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_OUTLINEPARALLEL
#include "passes/Rt/Passes.h.inc"

namespace {
struct OutlineParallelPass : impl::OutlineParallelBase<OutlineParallelPass> {
  void runOnOperation() override {
    SmallVector<scf::ParallelOp> loops;
    getOperation().walk<WalkOrder::PreOrder>([&](scf::ParallelOp op) {
      if (op.getNumReductions()) return WalkResult::advance();
      loops.push_back(op);
      return WalkResult::skip();
    });
    unsigned count = 0;
    for (scf::ParallelOp op : loops) outline(op, count++);
  }

  /// Captured values, with constants left to be cloned into the body.
  static SmallVector<Value> captures(scf::ParallelOp op, SmallVectorImpl<Operation *> &constants) {
    llvm::SetVector<Value> used;
    getUsedValuesDefinedAbove(op.getRegion(), used);
    for (ValueRange range : {ValueRange(op.getLowerBound()), ValueRange(op.getUpperBound()),
                             ValueRange(op.getStep())})
      used.insert(range.begin(), range.end());
    SmallVector<Value> out;
    for (Value v : used) {
      Operation *def = v.getDefiningOp();
      if (def && def->hasTrait<OpTrait::ConstantLike>())
        constants.push_back(def);
      else
        out.push_back(v);
    }
    return out;
  }

  /// ceil((ub - lb) / step) of dimension i.
  static Value tripCount(OpBuilder &b, Location loc, Value lb, Value ub, Value step) {
    Value span = arith::SubIOp::create(b, loc, ub, lb);
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    span = arith::MaxSIOp::create(b, loc, span, zero);
    return arith::CeilDivUIOp::create(b, loc, span, step);
  }

  func::FuncOp makeBody(scf::ParallelOp op, ArrayRef<Value> captured,
                        ArrayRef<Operation *> constants, unsigned number) {
    Location loc = op.getLoc();
    OpBuilder b(getOperation().getBody(), getOperation().getBody()->end());
    SmallVector<Type> types{b.getIndexType(), b.getIndexType()};
    for (Value v : captured) types.push_back(v.getType());
    auto parent = op->getParentOfType<func::FuncOp>();
    auto body = func::FuncOp::create(
        b, loc, (parent.getName() + "_task_" + Twine(number)).str(), b.getFunctionType(types, {}));
    body.setPrivate();
    Block *block = body.addEntryBlock();
    b.setInsertionPointToStart(block);
    IRMapping map;
    for (Operation *c : constants) b.clone(*c, map);
    for (auto [v, arg] : llvm::zip(captured, block->getArguments().drop_front(2))) map.map(v, arg);
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    auto loop = scf::ForOp::create(b, loc, block->getArgument(0), block->getArgument(1), one);
    b.setInsertionPointToStart(loop.getBody());
    mapInductionVariables(b, op, loop.getInductionVar(), map);
    for (Operation &inner : op.getBody()->without_terminator()) b.clone(inner, map);
    b.setInsertionPointToEnd(block);
    func::ReturnOp::create(b, loc);
    return body;
  }

  /// Splits the running number into the loop's induction variables.
  static void mapInductionVariables(OpBuilder &b, scf::ParallelOp op, Value number,
                                    IRMapping &map) {
    Location loc = op.getLoc();
    for (unsigned i = op.getNumLoops(); i-- > 0;) {
      Value lb = map.lookupOrDefault(op.getLowerBound()[i]);
      Value ub = map.lookupOrDefault(op.getUpperBound()[i]);
      Value step = map.lookupOrDefault(op.getStep()[i]);
      Value index = number;
      if (i > 0) {
        Value trips = tripCount(b, loc, lb, ub, step);
        index = arith::RemUIOp::create(b, loc, number, trips);
        number = arith::DivUIOp::create(b, loc, number, trips);
      }
      Value scaled = arith::MulIOp::create(b, loc, index, step);
      map.map(op.getInductionVars()[i], arith::AddIOp::create(b, loc, lb, scaled));
    }
  }

  void outline(scf::ParallelOp op, unsigned number) {
    OpBuilder b(op);
    SmallVector<Operation *> constants;
    SmallVector<Value> captured = captures(op, constants);
    func::FuncOp body = makeBody(op, captured, constants, number);
    Value count = arith::ConstantIndexOp::create(b, op.getLoc(), 1);
    for (auto [lb, ub, step] : llvm::zip(op.getLowerBound(), op.getUpperBound(), op.getStep()))
      count = arith::MulIOp::create(b, op.getLoc(), count,
                                    tripCount(b, op.getLoc(), lb, ub, step));
    auto grain = op->getAttrOfType<IntegerAttr>("adze.grain");
    rt::ParallelForOp::create(b, op.getLoc(), body.getName(), count,
                              grain ? grain.getInt() : 1, captured);
    op.erase();
  }
};
}  // namespace
}  // namespace adze
