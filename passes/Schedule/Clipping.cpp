// Padded operands: loops are clipped to what is there, and where they cannot be,
// reads look at their bounds.
#include "passes/Schedule/NestEmitter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace adze::schedule {

/// Leaving out the padding of the operand changes nothing in the core's result:
/// it is neutral, or a zero that is multiplied and added (as convolutions are
/// commonly computed; weights that are infinite would give NaN there).
bool NestEmitter::skipsPadding(unsigned stageIndex, unsigned operand) const {
  const Stage &stage = unit.stages[stageIndex];
  if (static_cast<int>(stageIndex) != unit.core || stage.outputs().size() != 1)
    return false;
  Operation *combiner = findCombiner(stage.op, 0);
  if (!combiner)
    return false;
  Block *body = stage.op.getBody();
  BlockArgument arg = body->getArgument(operand), out = body->getArgument(stage.numInputs());
  Value term = combiner->getOperand(combiner->getOperand(0) == out ? 1 : 0);
  TypedAttr padding = stage.operands[operand].padding;
  if (term == arg)
    return arith::getNeutralElement(combiner) == padding;
  Operation *product = term.getDefiningOp();
  bool multiplies = isa_and_nonnull<arith::MulFOp, arith::MulIOp>(product) &&
                    llvm::is_contained(product->getOperands(), arg);
  return multiplies && isa<arith::AddFOp, arith::AddIOp>(combiner) &&
         (matchPattern(padding, m_AnyZeroFloat()) || matchPattern(padding, m_Zero()));
}

/// The reduction loop whose bounds keep the index inside; -1 where none can.
int NestEmitter::clippedLoop(unsigned stage, unsigned operand, const Bound &bound) const {
  int loop = -1;
  for (unsigned dim = 0; dim < unit.numDims(); ++dim) {
    if (bound.coefficients[dim] == 0)
      continue;
    if (schedule.tile[dim] != 1 || static_cast<int>(dim) == schedule.vectorDim)
      return -1;
    if (!unit.isReduction[dim])
      continue;
    if (loop >= 0 || bound.coefficients[dim] < 0)
      return -1;
    loop = dim;
  }
  return loop >= 0 && skipsPadding(stage, operand) ? loop : -1;
}

/// Narrows the loop over `dim` to where padded operands are inside.
void NestEmitter::clip(unsigned dim, NestState &state) {
  NestState::Dim &at = state.dims[dim];
  for (auto [s, stage] : llvm::enumerate(unit.stages))
    for (auto [o, access] : llvm::enumerate(stage.operands))
      for (const Bound &bound : access.bounds) {
        if (clippedLoop(s, o, bound) != static_cast<int>(dim))
          continue;
        Value before = constant(bound.offset);  // of the index, without this loop's part
        for (unsigned other = 0; other < unit.numDims(); ++other)
          if (int64_t factor = bound.coefficients[other]; factor && other != dim)
            before = add(before, mul(state.dims[other].index, constant(factor)));
        Value factor = constant(bound.coefficients[dim]), zero = constant(0);
        Value first = sub(zero, before), end = sub(materialize(bound.extent), before);
        if (bound.coefficients[dim] != 1) {
          first = arith::CeilDivSIOp::create(builder, loc, first, factor);
          end = arith::CeilDivSIOp::create(builder, loc, end, factor);
        }
        at.lower = builder.createOrFold<arith::MaxSIOp>(loc, at.lower, first);
        at.upper = builder.createOrFold<arith::MinSIOp>(loc, at.upper, end);
        at.extent = std::nullopt;
      }
}

/// The index at `point`.
Value NestEmitter::indexOf(const Bound &bound, const NestState &state, const Point &point) {
  Value index = constant(bound.offset);
  for (unsigned dim = 0; dim < unit.numDims(); ++dim) {
    int64_t factor = bound.coefficients[dim];
    if (factor == 0)
      continue;
    int64_t lanes = static_cast<int>(dim) == schedule.vectorDim ? state.lanes : 1;
    Value at = add(state.dims[dim].index, constant(point[dim] * lanes));
    index = add(index, mul(at, constant(factor)));
  }
  return index;
}

/// The least and the greatest index over the tile and all that it sums.
std::pair<Value, Value> NestEmitter::rangeOf(const Bound &bound, const NestState &state) {
  Value least = constant(bound.offset), greatest = least;
  for (unsigned dim = 0; dim < unit.numDims(); ++dim) {
    int64_t factor = bound.coefficients[dim];
    if (factor == 0)
      continue;
    const NestState::Dim &at = state.dims[dim];
    Value low = at.bound ? at.index : at.lower;
    Value high = at.bound ? add(at.index, constant(at.count - 1)) : sub(at.upper, constant(1));
    low = mul(low, constant(factor)), high = mul(high, constant(factor));
    least = add(least, factor > 0 ? low : high);
    greatest = add(greatest, factor > 0 ? high : low);
  }
  return {least, greatest};
}

/// Whether every read of the tile is in bounds; null where loops see to that.
Value NestEmitter::insideAllBounds(const NestState &state) {
  Value all;
  auto require = [&](arith::CmpIPredicate predicate, Value a, Value b) {
    Value holds = builder.createOrFold<arith::CmpIOp>(loc, predicate, a, b);
    all = all ? builder.createOrFold<arith::AndIOp>(loc, all, holds) : holds;
  };
  for (auto [s, stage] : llvm::enumerate(unit.stages))
    for (auto [o, access] : llvm::enumerate(stage.operands))
      for (const Bound &bound : access.bounds) {
        if (clippedLoop(s, o, bound) >= 0)
          continue;
        auto [least, greatest] = rangeOf(bound, state);
        require(arith::CmpIPredicate::sge, least, constant(0));
        require(arith::CmpIPredicate::slt, greatest, materialize(bound.extent));
      }
  return all;
}

/// Whether the read at `point` is in bounds; null where it is known to be.
Value NestEmitter::insideBounds(unsigned stage, unsigned operand, const NestState &state,
                                const Point &point) {
  if (!state.checked)
    return Value();
  Value all;
  for (const Bound &bound : unit.stages[stage].operands[operand].bounds) {
    if (clippedLoop(stage, operand, bound) >= 0)
      continue;
    Value holds = builder.createOrFold<arith::CmpIOp>(
        loc, arith::CmpIPredicate::ult, indexOf(bound, state, point), materialize(bound.extent));
    all = all ? builder.createOrFold<arith::AndIOp>(loc, all, holds) : holds;
  }
  return all;
}

/// Where the element at `point` is read: out of bounds a row of padding stands
/// for the one that is missing.
std::pair<Value, Value> NestEmitter::checkedAddress(unsigned stage, unsigned operand,
                                                    NestState &state, const Point &point) {
  const Access &access = unit.stages[stage].operands[operand];
  Point first = point;  // of the row
  for (unsigned dim = 0; dim < unit.numDims(); ++dim)
    if (access.row.coefficients[dim] != 0)
      first[dim] = 0;
  auto &[source, row] = state.rows[{stage, operand, first}];
  if (!source) {
    source = flat(access.source);
    row = sub(address(stage, operand, state, distance(access, state, first)),
              indexOf(access.row, state, first));
    if (Value inside = insideBounds(stage, operand, state, first)) {
      auto [memory, padding] = withPaddingRow(access);
      row = arith::SelectOp::create(builder, loc, inside, row, constant(0));
      source = arith::SelectOp::create(builder, loc, inside, memory, padding);
    }
  }
  return {source, add(row, indexOf(access.row, state, point))};
}

/// The operand's flat view and a row of its padding, as values of one type. The
/// row lies in the function's entry block, for the stack ends with the function.
std::pair<Value, Value> NestEmitter::withPaddingRow(const Access &access) {
  Value source = flat(access.source);
  auto &[memory, row] = paddingRows[{source.getAsOpaquePointer(), access.padding}];
  if (row)
    return {memory, row};
  Operation *at = builder.getInsertionBlock()->getParentOp();
  while (!isa<func::FuncOp>(at))
    at = at->getParentOp();
  OpBuilder entry = OpBuilder::atBlockBegin(&cast<func::FuncOp>(at).front());
  int64_t length = *access.row.extent.asConstant();
  auto type = MemRefType::get({length}, access.elementType());
  Value made = memref::AllocaOp::create(entry, loc, type, entry.getI64IntegerAttr(64));
  Value value = arith::ConstantOp::create(entry, loc, access.padding);
  Value zero = arith::ConstantIndexOp::create(entry, loc, 0);
  Value one = arith::ConstantIndexOp::create(entry, loc, 1);
  Value end = arith::ConstantIndexOp::create(entry, loc, length);
  auto loop = scf::ForOp::create(entry, loc, zero, end, one);
  entry.setInsertionPointToStart(loop.getBody());
  memref::StoreOp::create(entry, loc, value, made, loop.getInductionVar());
  auto sourceType = cast<MemRefType>(source.getType());
  auto common = MemRefType::get({ShapedType::kDynamic}, sourceType.getElementType(),
                                sourceType.getLayout(), sourceType.getMemorySpace());
  memory = source;
  if (sourceType != common)
    memory = memref::CastOp::create(prologue, loc, common, source);
  row = memref::CastOp::create(prologue, loc, common, made);
  return {memory, row};
}

}  // namespace adze::schedule
