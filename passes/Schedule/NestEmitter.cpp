#include "passes/Schedule/NestEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adze::schedule {

/// A plain sum adds so many terms before it starts another.
constexpr int64_t kTermsInTurn = 128;

NestEmitter::NestEmitter(Unit &unit, const Schedule &schedule, const MachineModel &machine,
                         OpBuilder &builder, Location loc)
    : unit(unit), schedule(schedule), machine(machine), builder(builder), prologue(builder),
      loc(loc) {
  for (const Loop &loop : schedule.loops)
    (unit.isReduction[loop.dim] ? reductionLoops : parallelLoops).push_back(loop);
}

void NestEmitter::begin() {
  // What the prologue makes goes before this op, the loops after it.
  auto marker = arith::ConstantIndexOp::create(builder, loc, 0);
  prologue.setInsertionPoint(marker);
  constants[0] = marker;
  state.dims.resize(unit.numDims());
  for (unsigned dim = 0; dim < unit.numDims(); ++dim) {
    state.dims[dim].lower = constant(0);
    state.dims[dim].upper = materialize(unit.sizes[dim]);
    state.dims[dim].extent = unit.sizes[dim].asConstant();
  }
  for (const Stage &stage : unit.stages) {
    auto &addresses = state.addresses.emplace_back();
    for (const Access &access : stage.operands)
      addresses.push_back(materialize(access.offset));
  }
}

void NestEmitter::emit() {
  if (schedule.team > 1 && llvm::none_of(parallelLoops, [](const Loop &loop) { return loop.parallel; }))
    return emitParallel(0, state);  // of the team alone
  emitLoops(0, state);
}

void NestEmitter::emitChunk(ArrayRef<Loop> loops, ValueRange indices, Value teamLane) {
  lane = teamLane;
  NestState chunk = state;
  for (auto [loop, index] : llvm::zip(loops, indices)) {
    enterChunk(loop, index, chunk);
    chunk.dims[loop.dim].step = 0;
  }
  if (lane)
    return emitWithLane(std::move(chunk));
  emitLoops(0, std::move(chunk));
}

bool NestEmitter::isInnermost(unsigned level) const {
  for (unsigned inner = level + 1; inner < parallelLoops.size(); ++inner)
    if (parallelLoops[inner].dim == parallelLoops[level].dim)
      return false;
  return true;
}

/// The leading run of parallel loops becomes one scf.parallel over chunks.
void NestEmitter::emitParallel(unsigned level, NestState state) {
  unsigned end = level;
  Values lower, upper, step;
  while (end < parallelLoops.size() && parallelLoops[end].parallel) {
    const Loop &loop = parallelLoops[end++];
    lower.push_back(state.dims[loop.dim].lower);
    upper.push_back(state.dims[loop.dim].upper);
    step.push_back(constant(loop.step));
  }
  if (schedule.team > 1) {
    lower.push_back(constant(0));
    upper.push_back(constant(schedule.team));
    step.push_back(constant(1));
  }
  auto op = scf::ParallelOp::create(builder, loc, lower, upper, step);
  op->setAttr("adze.grain", builder.getI64IntegerAttr(schedule.grain));
  if (schedule.team > 1) {
    op->setAttr("adze.team", builder.getI64IntegerAttr(schedule.team));
    lane = op.getInductionVars().back();
  }
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(op.getBody());
  for (unsigned at = level; at < end; ++at)
    enterChunk(parallelLoops[at], op.getInductionVars()[at - level], state);
  // The chunks are bound now; their tile loops, if these were they, follow.
  SmallVector<Loop> rest;
  for (unsigned at = level; at < end; ++at)
    if (isInnermost(at))
      rest.push_back({parallelLoops[at].dim, parallelLoops[at].step, false});
  rest.append(parallelLoops.begin() + end, parallelLoops.end());
  std::swap(parallelLoops, rest);
  if (lane)
    emitWithLane(state);
  else
    emitLoops(0, state);
  std::swap(parallelLoops, rest);
}

void NestEmitter::enterChunk(const Loop &loop, Value index, NestState &state) {
  NestState::Dim &dim = state.dims[loop.dim];
  if (dim.extent && *dim.extent <= loop.step)
    return;  // one chunk, all of it
  dim.step = 0;
  int64_t rest = dim.extent ? *dim.extent % loop.step : 0;
  bool even = dim.extent && rest == 0;
  if (dim.extent && !even && matchPattern(dim.lower, m_Zero())) {
    dim.step = loop.step;
    dim.rest = rest;
    dim.lastLower = *dim.extent - rest;
  }
  Value end = add(index, constant(loop.step));
  if (!even && loop.step != 1)
    end = arith::MinSIOp::create(builder, loc, end, dim.upper);
  dim.lower = index;
  dim.upper = end;
  dim.extent = even || loop.step == 1 ? std::optional(loop.step) : std::nullopt;
}

void NestEmitter::emitLoops(unsigned level, NestState state) {
  if (level == parallelLoops.size())
    return emitTile(std::move(state));
  const Loop loop = parallelLoops[level];
  if (loop.parallel)
    return emitParallel(level, std::move(state));
  OpBuilder::InsertionGuard guard(builder);
  if (!isInnermost(level)) {
    NestState::Dim &dim = state.dims[loop.dim];
    auto op = scf::ForOp::create(builder, loc, dim.lower, dim.upper, constant(loop.step));
    builder.setInsertionPointToStart(op.getBody());
    enterChunk(loop, op.getInductionVar(), state);
    return emitLoops(level + 1, std::move(state));
  }
  NestState::Dim &dim = state.dims[loop.dim];
  if (dim.extent || dim.step == 0)
    return emitRungs(level, state);
  // The last chunk is shorter by a known amount: two nests, both of fixed size.
  Value full = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, dim.lower,
                                     constant(dim.lastLower));
  auto branch = scf::IfOp::create(builder, loc, full, /*withElseRegion=*/true);
  builder.setInsertionPointToStart(branch.thenBlock());
  dim.extent = dim.step;
  emitRungs(level, state);
  builder.setInsertionPointToStart(branch.elseBlock());
  dim.extent = dim.rest;
  emitRungs(level, state);
}

/// The register tile loops of one dimension, and what is inside them.
void NestEmitter::emitRungs(unsigned level, const NestState &state) {
  const Loop loop = parallelLoops[level];
  for (const Rung &rung : ladder(loop.dim, state)) {
    OpBuilder::InsertionGuard inner(builder);
    NestState next = state;
    Value index = rung.lower;
    bool isShared = static_cast<int>(loop.dim) == shared;
    if (isShared && rung.once) {
      auto first = scf::IfOp::create(builder, loc, isFirstLane(), /*withElseRegion=*/false);
      builder.setInsertionPointToStart(first.thenBlock());
    }
    if (!rung.once) {
      int64_t step = rung.count * rung.lanes;
      Value lower = isShared ? shareOfTeam(rung, step).lower : rung.lower;
      auto op = scf::ForOp::create(builder, loc, lower, rung.upper, constant(step));
      builder.setInsertionPointToStart(op.getBody());
      index = op.getInductionVar();
    }
    bind(loop.dim, rung, index, next);
    preload(next);
    emitLoops(level + 1, std::move(next));
  }
}

SmallVector<Value> NestEmitter::emitReduction(unsigned level, NestState state,
                                              Values accumulators) {
  if (level == reductionLoops.size())
    return accumulate(state, std::move(accumulators));
  unsigned dim = reductionLoops[level].dim;
  clip(dim, state);
  bool inParts = isPlainSum();
  for (const Rung &rung : ladder(dim, state)) {
    NestState next = state;
    int64_t step = rung.count * rung.lanes;
    bool isShared = static_cast<int>(dim) == shared;
    auto emitOnce = [&] {
      bind(dim, rung, rung.lower, next);
      return emitReduction(level + 1, std::move(next), accumulators);
    };
    if (isShared)
      step *= schedule.team;
    if (rung.once) {
      accumulators = isShared ? onFirstLane(accumulators, emitOnce) : emitOnce();
    } else if (inParts && state.dims[dim].extent.value_or(INT64_MAX) > kTermsInTurn * step) {
      accumulators = emitPartialSums(level, rung, next, std::move(accumulators));
    } else {
      accumulators = emitReductionLoop(level, rung, next, std::move(accumulators));
    }
  }
  return accumulators;
}

SmallVector<Value> NestEmitter::emitReductionLoop(unsigned level, const Rung &rung, NestState state,
                                                  Values accumulators) {
  int64_t step = rung.count * rung.lanes;
  bool isShared = static_cast<int>(reductionLoops[level].dim) == shared;
  Value lower = isShared ? shareOfTeam(rung, step).lower : rung.lower;
  auto op = scf::ForOp::create(builder, loc, lower, rung.upper, constant(step), accumulators);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(op.getBody());
  bind(reductionLoops[level].dim, rung, op.getInductionVar(), state);
  Values inner(op.getRegionIterArgs());
  Values results = emitReduction(level + 1, std::move(state), std::move(inner));
  scf::YieldOp::create(builder, loc, results);
  return Values(op.getResults());
}

/// A sum of sums: rounding errors of terms added one by one grow with their
/// number, and do not even cancel where terms are alike.
SmallVector<Value> NestEmitter::emitPartialSums(unsigned level, const Rung &rung,
                                                const NestState &state, Values accumulators) {
  bool isShared = static_cast<int>(reductionLoops[level].dim) == shared;
  Value step = constant(kTermsInTurn * rung.count * rung.lanes * (isShared ? schedule.team : 1));
  auto op = scf::ForOp::create(builder, loc, rung.lower, rung.upper, step, accumulators);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(op.getBody());
  Rung part = rung;
  part.lower = op.getInductionVar();
  part.upper = arith::MinSIOp::create(builder, loc, add(part.lower, step), rung.upper);
  Values zeros;
  for (Value sum : op.getRegionIterArgs()) {
    auto vector = dyn_cast<VectorType>(sum.getType());
    zeros.push_back(neutral(vector ? vector.getNumElements() : 1));
  }
  Values parts = emitReductionLoop(level, part, state, std::move(zeros));
  Operation *combiner = findCombiner(unit.stages[unit.core].op, 0);
  for (auto [sum, value] : llvm::zip(op.getRegionIterArgs(), parts))
    value = combine(builder, combiner, sum, value);
  scf::YieldOp::create(builder, loc, parts);
  return Values(op.getResults());
}

/// One sum of floats whose terms are read once: what it costs is reading them.
bool NestEmitter::isPlainSum() const {
  const Stage &core = unit.stages[unit.core];
  if (core.outputs().size() != 1 || !isa_and_nonnull<arith::AddFOp>(findCombiner(core.op, 0)))
    return false;
  for (unsigned o = 0; o < core.numInputs(); ++o)
    for (unsigned dim = 0; dim < unit.numDims(); ++dim)
      if (!core.operands[o].isScalar && !core.operands[o].dependsOn(dim))
        return false;
  return true;
}

/// Masked loads and stores of every operand type are cheap on this machine.
bool NestEmitter::masksFit() const {
  if (machine.maskBits == 0)
    return false;
  for (const Stage &stage : unit.stages)
    for (const Access &access : stage.operands) {
      Type type = access.elementType();
      if (!access.isScalar && type.isIntOrFloat() &&
          type.getIntOrFloatBitWidth() < static_cast<unsigned>(machine.maskBits))
        return false;
    }
  return true;
}

/// Rungs for `rest` elements, less than a full tile, from `lower` on.
void NestEmitter::tailRungs(unsigned dim, int64_t rest, Value lower, SmallVector<Rung> &rungs) {
  int64_t lanes = static_cast<int>(dim) == schedule.vectorDim ? schedule.lanes : 1;
  auto push = [&](int64_t count, int64_t width, int64_t tail) {
    Value upper = add(lower, constant(count * width));
    rungs.push_back({count, width, tail, lower, upper, true});
    rest -= count * width;
    lower = upper;
  };
  if (rest >= lanes && (lanes == 1 || rest % lanes == 0 || !masksFit()))
    push(rest / lanes, lanes, 0);
  if (rest > 0 && masksFit() && lanes > 1 && !llvm::isPowerOf2_64(rest))
    return push(llvm::divideCeil(rest, lanes), lanes, rest % lanes);
  while (rest > 0)
    push(1, llvm::bit_floor(static_cast<uint64_t>(rest)), 0);
}

SmallVector<Rung> NestEmitter::ladder(unsigned dimension, const NestState &state) {
  const NestState::Dim &dim = state.dims[dimension];
  bool isVectorDim = static_cast<int>(dimension) == schedule.vectorDim;
  int64_t lanes = isVectorDim ? schedule.lanes : 1;
  int64_t tile = schedule.tile[dimension], step = tile * lanes;
  SmallVector<Rung> rungs;
  if (dim.extent) {
    int64_t full = *dim.extent / step * step;
    Value middle = add(dim.lower, constant(full));
    if (full > 0)
      rungs.push_back({tile, lanes, 0, dim.lower, middle, full == step});
    tailRungs(dimension, *dim.extent - full, middle, rungs);
    return rungs;
  }
  Value lower = dim.lower;
  auto push = [&](int64_t count, int64_t width) {
    Value upper = dim.upper;
    if (count * width > 1)
      upper = add(lower, roundDown(sub(dim.upper, lower), count * width));
    rungs.push_back({count, width, 0, lower, upper, false});
    lower = upper;
  };
  push(tile, lanes);
  if (isVectorDim) {
    if (tile > 1)
      push(1, lanes);
    if (lanes > 1 && masksFit())
      rungs.push_back({1, lanes, -1, lower, dim.upper, false});
    else
      for (int64_t width = lanes / 2; width >= 1; width /= 2)
        push(1, width);
    return rungs;
  }
  while (tile > 1) {
    // Few rungs, for each is a copy of the code; two rows cost as one does.
    tile = tile > 8 ? 4 : tile > 2 ? 2 : 1;
    push(tile, 1);
  }
  return rungs;
}

/// Moves the tile's first point along `dim`, which no operand is packed along.
void NestEmitter::moveTo(unsigned dim, Value index, NestState &state) {
  Value steps = sub(index, state.dims[dim].index);
  for (auto [stage, addresses] : llvm::zip(unit.stages, state.addresses))
    for (auto [access, address] : llvm::zip(stage.operands, addresses))
      if (!access.isScalar && access.dependsOn(dim))
        address = add(address, mul(steps, materialize(access.strides[dim])));
  state.dims[dim].index = index;
}

void NestEmitter::bind(unsigned dim, const Rung &rung, Value index, NestState &state) {
  NestState::Dim &at = state.dims[dim];
  at.index = index;
  at.count = rung.count;
  at.bound = true;
  if (static_cast<int>(dim) == schedule.vectorDim) {
    state.lanes = rung.lanes;
    if (rung.tail != 0) {
      Value used = rung.tail > 0 ? constant(rung.tail) : sub(rung.upper, index);
      auto type = VectorType::get({rung.lanes}, builder.getI1Type());
      state.mask = vector::CreateMaskOp::create(builder, loc, type, used);
    }
  }
  for (auto [stage, addresses] : llvm::zip(unit.stages, state.addresses))
    for (auto [access, address] : llvm::zip(stage.operands, addresses)) {
      if (access.isScalar || !access.dependsOn(dim))
        continue;
      Value within = index;
      if (access.packedDim == static_cast<int>(dim)) {
        Value tile = constant(access.packTile);
        Value block = builder.createOrFold<arith::DivUIOp>(loc, index, tile);
        within = builder.createOrFold<arith::RemUIOp>(loc, index, tile);
        address = add(address, mul(block, materialize(access.packStride)));
      }
      address = add(address, mul(within, materialize(access.strides[dim])));
    }
}

/// In a unit without reduction, reads what the loops still to come do not
/// change: stores keep LLVM from hoisting it.
void NestEmitter::preload(NestState &state) {
  if (unit.core >= 0)
    return;
  for (auto [s, stage] : llvm::enumerate(unit.stages))
    for (unsigned o = 0; o < stage.numInputs(); ++o) {
      const Access &access = stage.operands[o];
      auto isLater = [&](unsigned dim) { return access.dependsOn(dim) && !state.dims[dim].bound; };
      if (access.isScalar || !access.bounds.empty() || unit.writes(access.source) ||
          llvm::any_of(llvm::seq<unsigned>(0, unit.numDims()), isLater))
        continue;
      for (const Point &point : points(state, /*reduction=*/false))
        load(s, o, state, point);
    }
}

Value NestEmitter::constant(int64_t value) {
  Value &result = constants[value];
  if (!result)
    result = arith::ConstantIndexOp::create(prologue, loc, value);
  return result;
}

Value NestEmitter::materialize(const Stride &stride) {
  if (auto value = stride.asConstant())
    return constant(*value);
  return unit.symbols.materialize(prologue, loc, stride);
}

Value NestEmitter::add(Value a, Value b) {
  if (matchPattern(a, m_Zero()))
    return b;
  return builder.createOrFold<arith::AddIOp>(loc, a, b);
}

Value NestEmitter::sub(Value a, Value b) { return builder.createOrFold<arith::SubIOp>(loc, a, b); }

Value NestEmitter::mul(Value a, Value b) { return builder.createOrFold<arith::MulIOp>(loc, a, b); }

Value NestEmitter::roundDown(Value value, int64_t multiple) {
  Value rest = builder.createOrFold<arith::RemUIOp>(loc, value, constant(multiple));
  return sub(value, rest);
}

}  // namespace adze::schedule
