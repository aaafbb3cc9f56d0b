// One register tile: stages before the reduction, the reduction with its
// accumulators, stages after it, then the stores.
#include "passes/Schedule/NestEmitter.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adze::schedule {

SmallVector<Point> NestEmitter::points(const NestState &state, bool reduction) const {
  SmallVector<Point> result{Point(unit.numDims(), 0)};
  for (unsigned dim = 0; dim < unit.numDims(); ++dim) {
    if (unit.isReduction[dim] != reduction)
      continue;
    SmallVector<Point> next;
    for (const Point &point : result)
      for (int64_t at = 0; at < state.dims[dim].count; ++at) {
        next.push_back(point);
        next.back()[dim] = at;
      }
    result = std::move(next);
  }
  return result;
}

bool NestEmitter::reducesLanes() const {
  return schedule.vectorDim >= 0 && unit.isReduction[schedule.vectorDim];
}

/// A tile whose reads are all in bounds need not look at them. The others look,
/// a few rows at a time: each row then has an address of its own, and there are
/// fewer registers for those than for sums.
void NestEmitter::emitTile(NestState state) {
  Value inside = insideAllBounds(state);
  if (!inside || matchPattern(inside, m_One()))
    return emitStages(std::move(state));
  if (matchPattern(inside, m_Zero()) || !isFullTile(state))
    return emitChecked(std::move(state));
  auto branch = scf::IfOp::create(builder, loc, inside, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(branch.thenBlock());
  emitStages(state);
  builder.setInsertionPointToStart(branch.elseBlock());
  emitChecked(std::move(state));
}

/// Smaller tiles are walked a few times only: one form will do.
bool NestEmitter::isFullTile(const NestState &state) const {
  for (unsigned dim = 0; dim < unit.numDims(); ++dim)
    if (!unit.isReduction[dim] && static_cast<int>(dim) != schedule.vectorDim &&
        state.dims[dim].count != schedule.tile[dim])
      return false;
  return true;
}

void NestEmitter::emitChecked(NestState state) {
  constexpr int64_t kMostRows = 4;
  state.checked = true;
  int row = -1;
  for (unsigned dim = 0; dim < unit.numDims(); ++dim)
    if (!unit.isReduction[dim] && state.dims[dim].count > kMostRows && isBounded(dim))
      row = dim;
  if (row < 0)
    return emitStages(std::move(state));
  // Parts of two sizes at most, one apart.
  const int64_t count = state.dims[row].count, parts = llvm::divideCeil(count, kMostRows);
  const int64_t size = count / parts, larger = count % parts;
  Value index = state.dims[row].index;
  emitParts(state, row, index, size + 1, larger);
  emitParts(state, row, add(index, constant(larger * (size + 1))), size, parts - larger);
}

/// `times` tiles of `count` indices of `dim` from `index` on.
void NestEmitter::emitParts(const NestState &state, unsigned dim, Value index, int64_t count,
                            int64_t times) {
  if (times == 0)
    return;
  OpBuilder::InsertionGuard guard(builder);
  if (times > 1) {
    Value end = add(index, constant(count * times));
    auto loop = scf::ForOp::create(builder, loc, index, end, constant(count));
    builder.setInsertionPointToStart(loop.getBody());
    index = loop.getInductionVar();
  }
  NestState part = state;
  part.loads.clear();
  part.rows.clear();
  moveTo(dim, index, part);
  part.dims[dim].count = count;
  emitChecked(std::move(part));
}

/// Some padded operand ends along `dim`.
bool NestEmitter::isBounded(unsigned dim) const {
  for (const Stage &stage : unit.stages)
    for (const Access &access : stage.operands)
      if (access.isBoundedBy(dim))
        return true;
  return false;
}

void NestEmitter::emitStages(NestState state) {
  written.clear();
  tile = points(state, /*reduction=*/false);
  for (unsigned stage = 0; stage < unit.stages.size(); ++stage) {
    if (static_cast<int>(stage) == unit.core)
      runCore(state);
    else
      runStage(stage, state);
  }
  storeResults(state);
}

/// What an operand holds at the tile's point `index`: written before in this
/// tile, or in memory.
Value NestEmitter::current(unsigned stage, unsigned operand, NestState &state, unsigned index) {
  const Access &access = unit.stages[stage].operands[operand];
  auto known = written.find(access.source.getAsOpaquePointer());
  if (known != written.end())
    return known->second[index];
  return load(stage, operand, state, tile[index]);
}

SmallVector<Value> NestEmitter::evaluate(unsigned stageIndex, NestState &state,
                                         const Point &point, unsigned index,
                                         ArrayRef<Value> outputs) {
  Stage &stage = unit.stages[stageIndex];
  Block *body = stage.op.getBody();
  Values args;
  for (unsigned o = 0; o < stage.numInputs(); ++o) {
    bool used = !body->getArgument(o).use_empty();
    bool inTile = written.count(stage.operands[o].source.getAsOpaquePointer()) != 0;
    if (!used)
      args.push_back(body->getArgument(o));
    else
      args.push_back(inTile ? current(stageIndex, o, state, index)
                            : load(stageIndex, o, state, point));
  }
  llvm::append_range(args, outputs);
  Value mask = maskFor(state, point);
  auto indexOf = [&](unsigned opDim) {
    unsigned dim = stage.dims[opDim];
    bool varies = static_cast<int>(dim) == schedule.vectorDim;
    int64_t step = varies ? state.lanes : 1;
    Value value = add(state.dims[dim].index, constant(point[dim] * step));
    return std::pair(value, varies && state.lanes > 1);
  };
  auto loadOf = [&](memref::LoadOp op, ArrayRef<Value> indices) {
    return bodyLoad(stageIndex, op, indices, mask, state.lanes);
  };
  bool contract = static_cast<int>(stageIndex) == unit.core;
  return emitBody({builder, loc, state.lanes, mask, contract, indexOf, loadOf}, *body, args);
}

void NestEmitter::runStage(unsigned stageIndex, NestState &state) {
  Stage &stage = unit.stages[stageIndex];
  unsigned inputs = stage.numInputs(), outputs = stage.outputs().size();
  SmallVector<Values> results(outputs);
  for (unsigned index = 0; index < tile.size(); ++index) {
    Values before;
    for (unsigned o = 0; o < outputs; ++o) {
      BlockArgument arg = stage.op.getBody()->getArgument(inputs + o);
      before.push_back(arg.use_empty() ? Value(arg) : current(stageIndex, inputs + o, state, index));
    }
    Values after = evaluate(stageIndex, state, tile[index], index, before);
    for (unsigned o = 0; o < outputs; ++o)
      results[o].push_back(after[o]);
  }
  for (unsigned o = 0; o < outputs; ++o)
    written[stage.outputs()[o].source.getAsOpaquePointer()] = results[o];
}

Value NestEmitter::neutral(int64_t lanes) {
  linalg::GenericOp op = unit.stages[unit.core].op;
  std::optional<TypedAttr> element = arith::getNeutralElement(findCombiner(op, 0));
  Value scalar = arith::ConstantOp::create(prologue, loc, *element);
  return splat(prologue, loc, scalar, lanes);
}

Value NestEmitter::mergeLanes(ArrayRef<Value> vectors, Value init) {
  Operation *combiner = findCombiner(unit.stages[unit.core].op, 0);
  Values round(vectors);
  while (round.size() > 1) {
    Values next;
    for (unsigned i = 0; i + 1 < round.size(); i += 2)
      next.push_back(combine(builder, combiner, round[i], round[i + 1]));
    if (round.size() % 2)
      next.push_back(round.back());
    round = std::move(next);
  }
  Value merged = reduceLanes(builder, combiner, round.front());
  return combine(builder, combiner, init, lane ? reduceTeam(merged) : merged);
}

void NestEmitter::runCore(NestState &state) {
  Stage &stage = unit.stages[unit.core];
  unsigned inputs = stage.numInputs(), outputs = stage.outputs().size();
  unsigned copies = reducesLanes() ? schedule.tile[schedule.vectorDim] : 1;
  Values inits, accumulators;
  for (unsigned o = 0; o < outputs; ++o)
    for (unsigned index = 0; index < tile.size(); ++index) {
      inits.push_back(current(unit.core, inputs + o, state, index));
      if (reducesLanes())
        accumulators.append(copies, neutral(schedule.lanes));
      else if (lane)
        accumulators.push_back(neutral(state.lanes));
      else
        accumulators.push_back(splat(builder, loc, inits.back(), state.lanes));
    }
  accumulators = emitReduction(0, state, std::move(accumulators));
  for (unsigned o = 0; o < outputs; ++o) {
    Values results;
    for (unsigned index = 0; index < tile.size(); ++index) {
      unsigned at = o * tile.size() + index;
      ArrayRef<Value> own = ArrayRef(accumulators).slice(at * copies, copies);
      if (reducesLanes())
        results.push_back(mergeLanes(own, inits[at]));
      else
        results.push_back(lane ? mergeTeam(own.front(), inits[at]) : own.front());
    }
    written[stage.outputs()[o].source.getAsOpaquePointer()] = results;
  }
}

/// Folds a vector of fewer lanes into the low lanes of the accumulator.
Value NestEmitter::accumulateTail(NestState &state, const Point &point, unsigned index,
                                  Value accumulator) {
  int64_t lanes = state.lanes;
  Value low = lanes == 1
                  ? vector::ExtractOp::create(builder, loc, accumulator, 0).getResult()
                  : vector::ExtractStridedSliceOp::create(builder, loc, accumulator, {0}, {lanes}, {1}).getResult();
  Value value = evaluate(unit.core, state, point, index, low).front();
  if (lanes == 1)
    return vector::InsertOp::create(builder, loc, value, accumulator, 0);
  value = splat(builder, loc, value, lanes);
  return vector::InsertStridedSliceOp::create(builder, loc, value, accumulator, {0}, {1});
}

SmallVector<Value> NestEmitter::accumulate(NestState &state, Values accumulators) {
  unsigned outputs = unit.stages[unit.core].outputs().size();
  unsigned copies = reducesLanes() ? schedule.tile[schedule.vectorDim] : 1;
  for (const Point &reduced : points(state, /*reduction=*/true))
    for (unsigned index = 0; index < tile.size(); ++index) {
      Point point = tile[index];
      for (unsigned dim = 0; dim < unit.numDims(); ++dim)
        point[dim] += reduced[dim];
      unsigned copy = reducesLanes() ? point[schedule.vectorDim] : 0;
      auto slot = [&](unsigned o) -> Value & {
        return accumulators[(o * tile.size() + index) * copies + copy];
      };
      if (reducesLanes() && state.lanes != schedule.lanes) {
        slot(0) = accumulateTail(state, point, index, slot(0));
        continue;
      }
      Values before;
      for (unsigned o = 0; o < outputs; ++o)
        before.push_back(slot(o));
      Values after = evaluate(unit.core, state, point, index, before);
      Value mask = reducesLanes() ? maskFor(state, point) : Value();
      for (unsigned o = 0; o < outputs; ++o) {
        Value value = splat(builder, loc, after[o], state.lanes);
        slot(o) = mask ? arith::SelectOp::create(builder, loc, mask, value, before[o]).getResult()
                       : value;
      }
    }
  return accumulators;
}

/// A buffer of the kernel's own, or a part of one that has no other, that nothing
/// outside the unit reads.
bool NestEmitter::isDead(Value memref) const {
  auto isRead = [&](Value value, Operation *part) {
    return llvm::any_of(value.getUsers(), [&](Operation *user) {
      return !isa<memref::DeallocOp, memref::DimOp>(user) && user != part &&
             llvm::none_of(unit.stages, [&](const Stage &stage) { return stage.op == user; });
    });
  };
  Operation *part = memref.getDefiningOp<memref::SubViewOp>();
  Value whole = part ? cast<memref::SubViewOp>(part).getSource() : memref;
  bool own = whole.getDefiningOp<memref::AllocOp>() || whole.getDefiningOp<memref::AllocaOp>();
  return own && !isRead(memref, nullptr) && (!part || !isRead(whole, part));
}

void NestEmitter::storeResults(NestState &state) {
  OpBuilder::InsertionGuard guard(builder);
  if (lane && unit.core >= 0) {
    auto first = scf::IfOp::create(builder, loc, isFirstLane(), /*withElseRegion=*/false);
    builder.setInsertionPointToStart(first.thenBlock());
  }
  llvm::SmallPtrSet<void *, 4> done;
  for (unsigned s = unit.stages.size(); s-- > 0;) {
    const Stage &stage = unit.stages[s];
    for (auto [o, access] : llvm::enumerate(stage.outputs())) {
      void *key = access.source.getAsOpaquePointer();
      if (!done.insert(key).second || isDead(access.source))
        continue;
      if (storeInterleaved(access, s, stage.numInputs() + o, written[key], state))
        continue;
      for (auto [point, value] : llvm::zip(tile, written[key]))
        store(access, s, stage.numInputs() + o, value, state, point);
    }
  }
}

}  // namespace adze::schedule
