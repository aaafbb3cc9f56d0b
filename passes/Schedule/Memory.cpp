// Addresses, loads and stores of a register tile.
#include "passes/Schedule/NestEmitter.h"

using namespace mlir;

namespace adze::schedule {

Value NestEmitter::flat(Value memref) {
  Value &view = flats[memref.getAsOpaquePointer()];
  if (!view)
    view = flatten(prologue, loc, memref);
  return view;
}

/// How far the point is from the tile's first one.
Stride NestEmitter::distance(const Access &access, const NestState &state,
                             const Point &point) const {
  Stride total;
  for (unsigned dim = 0; dim < unit.numDims(); ++dim) {
    bool isVectorDim = static_cast<int>(dim) == schedule.vectorDim;
    int64_t at = point[dim] * (isVectorDim ? state.lanes : 1);
    if (at == 0)
      continue;
    if (access.packedDim == static_cast<int>(dim)) {
      // Tile steps divide or are divided by the pack's tile (checked before).
      total = total + access.packStride * (at / access.packTile);
      at %= access.packTile;
    }
    total = total + access.strides[dim] * at;
  }
  return total;
}

Value NestEmitter::address(unsigned stage, unsigned operand, const NestState &state,
                           const Stride &distance) {
  Value base = state.addresses[stage][operand];
  Stride symbolic = distance.withoutConstant();
  if (!symbolic.isZero())
    base = add(base, materialize(symbolic));
  int64_t fixed = distance.constantPart();
  return fixed == 0 ? base : add(base, constant(fixed));
}

Value NestEmitter::maskFor(const NestState &state, const Point &point) const {
  if (!state.mask || point[schedule.vectorDim] != state.dims[schedule.vectorDim].count - 1)
    return Value();
  return state.mask;
}

Value NestEmitter::laneIndices(const Stride &stride, int64_t lanes) {
  auto type = VectorType::get({lanes}, prologue.getIndexType());
  Value step = vector::StepOp::create(prologue, loc, type);
  Value factor = splat(prologue, loc, materialize(stride), lanes);
  return arith::MulIOp::create(prologue, loc, step, factor);
}

Value NestEmitter::gather(Value source, Value base, Value indices, Value mask, int64_t lanes) {
  Type element = cast<MemRefType>(source.getType()).getElementType();
  auto type = VectorType::get({lanes}, element);
  Value none = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  if (!mask) {
    auto maskType = VectorType::get({lanes}, builder.getI1Type());
    mask = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(maskType, true));
  }
  return vector::GatherOp::create(builder, loc, type, source, base, indices, mask, none);
}

Value NestEmitter::loadVector(Value source, Type element, Value address, Value mask,
                              int64_t lanes) {
  auto type = VectorType::get({lanes}, element);
  if (!mask)
    return vector::LoadOp::create(builder, loc, type, source, address);
  Value none = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
  return vector::MaskedLoadOp::create(builder, loc, type, source, address, mask, none);
}

Value NestEmitter::load(unsigned stage, unsigned operand, NestState &state, const Point &point) {
  const Access &access = unit.stages[stage].operands[operand];
  if (access.isScalar)
    return access.source;
  int vectorDim = schedule.vectorDim;
  bool wide = state.lanes > 1 && access.dependsOn(vectorDim);
  Value mask = wide ? maskFor(state, point) : Value();
  Stride away = distance(access, state, point);
  bool checked = state.checked && !access.bounds.empty();
  Value &value = state.loads[{stage, operand, away, static_cast<bool>(mask), checked ? point : Point()}];
  if (value)
    return value;
  auto loadFrom = [&](Value source, Value at) -> Value {
    if (!wide)
      return memref::LoadOp::create(builder, loc, source, at);
    if (access.isContiguousIn(vectorDim))
      return loadVector(source, access.elementType(), at, mask, state.lanes);
    return gather(source, at, laneIndices(access.strides[vectorDim], state.lanes), mask, state.lanes);
  };
  if (!checked) {
    value = loadFrom(flat(access.source), address(stage, operand, state, away));
  } else if (machine.simtWidth) {
    value = loadIfInside(stage, operand, state, point, wide, loadFrom);
  } else {
    auto [source, at] = checkedAddress(stage, operand, state, point);
    value = loadFrom(source, at);
  }
  return value;
}

/// Threads of a machine of many take a branch of their own.
Value NestEmitter::loadIfInside(unsigned stage, unsigned operand, NestState &state,
                                const Point &point, bool wide,
                                llvm::function_ref<Value(Value, Value)> load) {
  const Access &access = unit.stages[stage].operands[operand];
  Value source = flat(access.source);
  Value at = address(stage, operand, state, distance(access, state, point));
  Value inside = insideBounds(stage, operand, state, point);
  if (!inside)
    return load(source, at);
  Value padding = arith::ConstantOp::create(prologue, loc, access.padding);
  padding = splat(prologue, loc, padding, wide ? state.lanes : 1);
  auto branch = scf::IfOp::create(builder, loc, padding.getType(), inside, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(builder, loc, load(source, at));
  builder.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(builder, loc, padding);
  return branch.getResult(0);
}

void NestEmitter::store(const Access &access, unsigned stage, unsigned operand, Value value,
                        NestState &state, const Point &point) {
  Value at = address(stage, operand, state, distance(access, state, point));
  Value target = flat(access.source);
  if (state.lanes == 1 || !access.dependsOn(schedule.vectorDim)) {
    memref::StoreOp::create(builder, loc, value, target, at);
    return;
  }
  value = splat(builder, loc, value, state.lanes);
  Value mask = maskFor(state, point);
  if (!access.isContiguousIn(schedule.vectorDim)) {
    if (!mask) {
      auto type = VectorType::get({state.lanes}, builder.getI1Type());
      mask = arith::ConstantOp::create(builder, loc, DenseElementsAttr::get(type, true));
    }
    Value indices = laneIndices(access.strides[schedule.vectorDim], state.lanes);
    vector::ScatterOp::create(builder, loc, Type(), target, ValueRange{at}, indices, mask, value);
  } else if (mask) {
    vector::MaskedStoreOp::create(builder, loc, target, at, mask, value);
  } else {
    vector::StoreOp::create(builder, loc, value, target, at);
  }
}

/// Of the sequence a0 b0 c0 a1 b1 c1 ... the `part`-th vector.
Value NestEmitter::interleave(ArrayRef<Value> vectors, int64_t part) {
  int64_t lanes = cast<VectorType>(vectors[0].getType()).getDimSize(0), count = vectors.size();
  Value result = vectors[0];
  for (int64_t v = 1; v < count; ++v) {
    // Lanes of the first v vectors are in their places already, from the second
    // shuffle on; the others hold anything.
    SmallVector<int64_t> mask;
    for (int64_t at = part * lanes; at < (part + 1) * lanes; ++at) {
      int64_t from = at % count, lane = at / count;
      int64_t before = v == 1 ? lane : at - part * lanes;
      mask.push_back(from == v ? lanes + lane : before);
    }
    result = vector::ShuffleOp::create(builder, loc, result, vectors[v], mask);
  }
  return result;
}

/// Stores the tile's values of an operand in which a short dimension lies between
/// the lanes; false where it does not, or lanes are masked.
bool NestEmitter::storeInterleaved(const Access &access, unsigned stage, unsigned operand,
                                   ArrayRef<Value> values, NestState &state) {
  if (state.lanes == 1 || state.mask || schedule.vectorDim < 0 ||
      !access.dependsOn(schedule.vectorDim))
    return false;
  int inner = interleavedDim(unit, access, schedule.vectorDim);
  if (inner < 0 || state.dims[inner].count != unit.sizes[inner].asConstant())
    return false;
  Value target = flat(access.source);
  for (const Point &first : tile) {
    if (first[inner] != 0)
      continue;
    Values group;
    for (auto [point, value] : llvm::zip(tile, values)) {
      Point start = point;
      start[inner] = 0;
      if (start == first)
        group.push_back(splat(builder, loc, value, state.lanes));
    }
    Value base = address(stage, operand, state, distance(access, state, first));
    for (int64_t part = 0; part < state.dims[inner].count; ++part)
      vector::StoreOp::create(builder, loc, interleave(group, part), target,
                              add(base, constant(part * state.lanes)));
  }
  return true;
}

/// A body's own load: a scalar, or a gather at computed indices.
Value NestEmitter::bodyLoad(unsigned stage, memref::LoadOp op, ArrayRef<Value> indices,
                            Value mask, int64_t lanes) {
  Value memref = op.getMemRef();
  if (llvm::none_of(indices, isVector))
    return memref::LoadOp::create(builder, loc, memref, indices);
  Value base = constant(0), vector;
  for (auto [r, index] : llvm::enumerate(indices)) {
    Stride stride = unit.symbols.strideOf(memref, r);
    if (!isVector(index)) {
      base = add(base, mul(index, materialize(stride)));
      continue;
    }
    Value scaled = index;
    if (stride != Stride::constant(1))
      scaled = arith::MulIOp::create(builder, loc, index,
                                     splat(builder, loc, materialize(stride), lanes));
    vector = vector ? arith::AddIOp::create(builder, loc, vector, scaled).getResult() : scaled;
  }
  // The innermost index counts the lanes: consecutive elements.
  auto last = op.getIndices().back().getDefiningOp<linalg::IndexOp>();
  bool consecutive = last && llvm::count_if(indices, isVector) == 1 && isVector(indices.back()) &&
                     unit.symbols.strideOf(memref, indices.size() - 1) == Stride::constant(1);
  if (consecutive) {
    Type element = cast<MemRefType>(memref.getType()).getElementType();
    Value first = vector::ExtractOp::create(builder, loc, indices.back(), 0);
    return loadVector(flat(memref), element, add(base, first), mask, lanes);
  }
  return gather(flat(memref), base, vector, mask, lanes);
}

}  // namespace adze::schedule
