#include "passes/Schedule/BodyEmitter.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace adze::schedule {

bool isVector(Value value) { return isa<VectorType>(value.getType()); }

Value splat(OpBuilder &builder, Location loc, Value value, int64_t lanes) {
  if (lanes == 1 || isVector(value))
    return value;
  auto type = VectorType::get({lanes}, value.getType());
  return builder.createOrFold<vector::BroadcastOp>(loc, type, value);
}

namespace {

bool isIntegerDivision(Operation *op) {
  return isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp, arith::CeilDivSIOp,
             arith::CeilDivUIOp, arith::FloorDivSIOp>(op);
}

/// A multiplication whose only use is an addition, or that addition.
bool isMultiplyAddPart(Operation *op) {
  auto feedsAdd = [](Operation *mul) {
    return isa<arith::MulFOp>(mul) && mul->hasOneUse() && isa<arith::AddFOp>(*mul->user_begin());
  };
  if (feedsAdd(op))
    return true;
  return isa<arith::AddFOp>(op) && llvm::any_of(op->getOperands(), [&](Value operand) {
    Operation *def = operand.getDefiningOp();
    return def && feedsAdd(def);
  });
}

Value emitIndex(const BodyContext &context, linalg::IndexOp op) {
  auto [base, varies] = context.index(op.getDim());
  if (!varies || context.lanes == 1)
    return base;
  OpBuilder &builder = context.builder;
  auto type = VectorType::get({context.lanes}, builder.getIndexType());
  Value step = vector::StepOp::create(builder, context.loc, type);
  return arith::AddIOp::create(builder, context.loc,
                               splat(builder, context.loc, base, context.lanes), step);
}

/// Lanes out of range hold zero; dividing by it would trap.
void guardDivisor(const BodyContext &context, IRMapping &mapping, Operation &op) {
  if (!context.mask || !isIntegerDivision(&op))
    return;
  OpBuilder &builder = context.builder;
  Value divisor = splat(builder, context.loc, mapping.lookupOrDefault(op.getOperand(1)),
                        context.lanes);
  auto type = cast<VectorType>(divisor.getType());
  Value one = arith::ConstantOp::create(
      builder, context.loc,
      DenseElementsAttr::get(type, builder.getIntegerAttr(type.getElementType(), 1)));
  Value safe = arith::SelectOp::create(builder, context.loc, context.mask, divisor, one);
  mapping.map(op.getOperand(1), safe);
}

void cloneOp(const BodyContext &context, IRMapping &mapping, Operation &op) {
  OpBuilder &builder = context.builder;
  bool wide = llvm::any_of(op.getOperands(),
                           [&](Value v) { return isVector(mapping.lookupOrDefault(v)); });
  Value divisor = isIntegerDivision(&op) ? mapping.lookupOrDefault(op.getOperand(1)) : Value();
  if (wide)
    guardDivisor(context, mapping, op);
  SmallVector<Value> operands;
  for (Value operand : op.getOperands()) {
    Value value = mapping.lookupOrDefault(operand);
    operands.push_back(wide ? splat(builder, context.loc, value, context.lanes) : value);
  }
  Operation *clone = builder.clone(op, mapping);
  clone->setOperands(operands);
  clone->setLoc(context.loc);
  for (auto [from, to] : llvm::zip(op.getResults(), clone->getResults())) {
    if (wide)
      to.setType(VectorType::get({context.lanes}, to.getType()));
    mapping.map(from, to);
  }
  if (divisor)
    mapping.map(op.getOperand(1), divisor);
  if (context.contract && isMultiplyAddPart(&op))
    clone->setAttr("fastmath", arith::FastMathFlagsAttr::get(builder.getContext(),
                                                             arith::FastMathFlags::contract));
}

}  // namespace

SmallVector<Value> emitBody(const BodyContext &context, Block &block, ArrayRef<Value> args) {
  IRMapping mapping;
  mapping.map(block.getArguments(), args);
  for (Operation &op : block.without_terminator()) {
    if (auto index = dyn_cast<linalg::IndexOp>(op)) {
      mapping.map(index.getResult(), emitIndex(context, index));
    } else if (auto load = dyn_cast<memref::LoadOp>(op)) {
      SmallVector<Value> indices;
      for (Value index : load.getIndices())
        indices.push_back(mapping.lookupOrDefault(index));
      mapping.map(load.getResult(), context.load(load, indices));
    } else {
      cloneOp(context, mapping, op);
    }
  }
  SmallVector<Value> results;
  for (Value value : block.getTerminator()->getOperands())
    results.push_back(mapping.lookupOrDefault(value));
  return results;
}

bool isVectorizableBody(linalg::GenericOp op) {
  for (Operation &inner : op.getBody()->without_terminator()) {
    if (isa<linalg::IndexOp, memref::LoadOp, arith::ConstantOp>(inner))
      continue;
    if (!OpTrait::hasElementwiseMappableTraits(&inner))
      return false;
  }
  // A vector of i1 in memory is packed bits; bools are bytes.
  auto isBool = [](Value value) {
    return isa<MemRefType>(value.getType()) && getElementTypeOrSelf(value.getType()).isInteger(1);
  };
  return llvm::none_of(op->getOperands(), isBool);
}

Operation *findCombiner(linalg::GenericOp op, unsigned output) {
  Block *body = op.getBody();
  Value arg = body->getArgument(op.getNumDpsInputs() + output);
  Operation *combiner = body->getTerminator()->getOperand(output).getDefiningOp();
  if (!combiner || combiner->getNumOperands() != 2 || !arg.hasOneUse() ||
      *arg.user_begin() != combiner)
    return nullptr;
  if (!isa<arith::AddFOp, arith::MulFOp, arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp,
           arith::MinNumFOp, arith::AddIOp, arith::MulIOp, arith::MaxSIOp, arith::MinSIOp,
           arith::MaxUIOp, arith::MinUIOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp>(combiner))
    return nullptr;
  return combiner;
}

Value combine(OpBuilder &builder, Operation *combiner, Value a, Value b) {
  Operation *clone = builder.clone(*combiner);
  clone->setOperands({a, b});
  clone->getResult(0).setType(a.getType());
  return clone->getResult(0);
}

Value reduceLanes(OpBuilder &builder, Operation *combiner, Value vector) {
  Location loc = combiner->getLoc();
  int64_t lanes = cast<VectorType>(vector.getType()).getNumElements();
  // In any order, and not by halves: LLVM 22 takes halves of a sum of 8-bit
  // products for a VPDPBUSD's and then forgets to add what that leaves apart.
  if (isa<arith::AddIOp>(combiner))
    return vector::ReductionOp::create(builder, loc, vector::CombiningKind::ADD, vector);
  while (lanes > 1) {
    lanes /= 2;
    auto half = [&](int64_t first) {
      return vector::ShuffleOp::create(builder, loc, vector, vector,
                                       llvm::to_vector(llvm::seq(first, first + lanes)))
          .getResult();
    };
    Value low = half(0), high = half(lanes);
    vector = combine(builder, combiner, low, high);
  }
  return vector::ExtractOp::create(builder, loc, vector, 0);
}

}  // namespace adze::schedule
