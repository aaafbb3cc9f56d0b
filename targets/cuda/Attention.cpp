#include "targets/cuda/Attention.h"
#include "targets/cuda/ContractionReader.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace adze::schedule;

namespace adze::cuda {
namespace {

Value withoutExtension(Value v) {
  auto wider = v.getDefiningOp<arith::ExtFOp>();
  return wider ? wider.getIn() : v;
}

Value yielded(const Stage &stage) { return stage.op.getBody()->getTerminator()->getOperand(0); }

/// The number that an op writes everywhere.
std::optional<APFloat> fillOf(const Stage &stage) {
  if (stage.op.getNumReductionLoops() || stage.outputs().size() != 1) return std::nullopt;
  Value v = yielded(stage);
  if (auto arg = dyn_cast<BlockArgument>(v); arg && arg.getOwner() == stage.op.getBody())
    v = stage.op->getOperand(arg.getArgNumber());
  APFloat number(0.0f);
  return matchPattern(v, m_ConstantFloat(&number)) ? std::optional(number) : std::nullopt;
}

/// The steps of a softmax over the last dimension of scores, one op after the other.
class SoftmaxMatcher {
 public:
  SoftmaxMatcher(AttentionUnits &found, Value scores, unsigned rank)
      : found(found), scores(scores), rank(rank) {}

  /// Takes the next op; false where it is none of the steps.
  bool take(Unit &unit, const Stage &stage) {
    if (auto fill = fillOf(stage)) {
      fills.insert_or_assign(stage.outputs().front().source, *fill);
      return true;
    }
    if (stage.op.getNumLoops() != rank || stage.outputs().size() != 1) return false;
    Value out = stage.outputs().front().source;
    if (!most) return isMaximum(stage) && (most = out);
    if (!weights) return isPower(stage) && (weights = out);
    if (!found.total) return isSum(stage) && (found.total = out);
    if (!isWeight(unit, stage)) return false;
    found.weights.unit = &unit;
    found.steps.push_back(&stage);
    weights = out;
    return true;
  }

  /// Scores are a softmax's, or something like it.
  bool hasBegun() const { return bool(most); }
  /// All steps were there, and `factor` is what they made.
  bool isComplete(Value factor) const { return divided && weights == factor; }

 private:
  /// Operand `i` is the memref, read or written at the point itself or at its row.
  bool is(const Stage &stage, unsigned i, Value memref, bool row) const {
    if (stage.op->getOperand(i) != memref) return false;
    AffineMap id = AffineMap::getMultiDimIdentityMap(rank, stage.op.getContext());
    AffineMap map = stage.op.getMatchingIndexingMap(&stage.op->getOpOperand(i));
    return map == (row ? id.dropResult(rank - 1) : id);
  }
  bool isArgument(Value v, const Stage &stage, Value memref, bool row) const {
    auto arg = dyn_cast<BlockArgument>(withoutExtension(v));
    return arg && arg.getOwner() == stage.op.getBody() &&
           is(stage, arg.getArgNumber(), memref, row);
  }

  bool reducesRows(const Stage &stage, double start) const {
    auto fill = fills.find(stage.outputs().front().source);
    return stage.op.getNumReductionLoops() == 1 && fill != fills.end() &&
           fill->second.convertToDouble() == start &&
           is(stage, stage.numInputs(), stage.outputs().front().source, /*row=*/true);
  }
  template <typename Op>
  bool folds(const Stage &stage, Value memref) const {
    auto op = yielded(stage).getDefiningOp<Op>();
    Value out = stage.op.getBody()->getArgument(stage.numInputs());
    return op && op.getLhs() == out && isArgument(op.getRhs(), stage, memref, /*row=*/false);
  }

  bool isMaximum(const Stage &stage) const {
    return reducesRows(stage, -INFINITY) && folds<arith::MaximumFOp>(stage, scores);
  }
  bool isSum(const Stage &stage) const {
    return reducesRows(stage, 0) && folds<arith::AddFOp>(stage, weights);
  }
  bool isPower(const Stage &stage) const {
    auto power = yielded(stage).getDefiningOp<math::ExpOp>();
    auto difference = power ? power.getOperand().getDefiningOp<arith::SubFOp>() : arith::SubFOp();
    return difference && isArgument(difference.getLhs(), stage, scores, /*row=*/false) &&
           isArgument(difference.getRhs(), stage, most, /*row=*/true) && isWritten(stage);
  }
  bool isWritten(const Stage &stage) const {
    return is(stage, stage.numInputs(), stage.outputs().front().source, /*row=*/false);
  }

  bool isWeight(const Unit &unit, const Stage &stage) {
    return (!found.weights.unit || found.weights.unit == &unit) && isWritten(stage) &&
           isWeight(stage, yielded(stage));
  }
  /// A power, divided by its row's sum, rounded, or replaced by 0 for all of a row.
  bool isWeight(const Stage &stage, Value v) {
    if (auto narrower = v.getDefiningOp<arith::TruncFOp>())
      return isWeight(stage, narrower.getIn());
    if (isArgument(v, stage, weights, /*row=*/false)) return true;
    if (auto wider = v.getDefiningOp<arith::ExtFOp>()) return isWeight(stage, wider.getIn());
    if (auto quotient = v.getDefiningOp<arith::DivFOp>())
      return isWeight(stage, quotient.getLhs()) && !std::exchange(divided, true) &&
             isArgument(quotient.getRhs(), stage, found.total, /*row=*/true);
    auto select = v.getDefiningOp<arith::SelectOp>();
    if (!select || !isOfRow(stage, select.getCondition())) return false;
    Value a = select.getTrueValue(), b = select.getFalseValue();
    return matchPattern(a, m_AnyZeroFloat())
               ? isWeight(stage, b)
               : matchPattern(b, m_AnyZeroFloat()) && isWeight(stage, a);
  }
  /// Computed from what is the same for all keys.
  bool isOfRow(const Stage &stage, Value v) const {
    if (auto arg = dyn_cast<BlockArgument>(v)) {
      if (arg.getOwner() != stage.op.getBody()) return false;
      const Access &access = stage.operands[arg.getArgNumber()];
      AffineMap map = stage.op.getMatchingIndexingMap(&stage.op->getOpOperand(arg.getArgNumber()));
      return arg.getArgNumber() < stage.numInputs() && access.source != weights &&
             access.bounds.empty() && !map.isFunctionOfDim(rank - 1);
    }
    Operation *op = v.getDefiningOp();
    return op->hasTrait<OpTrait::ConstantLike>() ||
           (isa<arith::ArithDialect>(op->getDialect()) && op->getBlock() == stage.op.getBody() &&
            llvm::all_of(op->getOperands(), [&](Value o) { return isOfRow(stage, o); }));
  }

  AttentionUnits &found;
  Value scores;
  unsigned rank;
  Value most, weights;
  bool divided = false;
  DenseMap<Value, APFloat> fills;
};

/// Loop dimensions of the unit by dimension of what `access` addresses; empty where one is not
/// alone.
SmallVector<unsigned> dimsOf(const Access &access) {
  SmallVector<unsigned> dims;
  for (int dim : access.pureDims) {
    if (dim < 0) return {};
    dims.push_back(dim);
  }
  return dims;
}

/// Sorts what scores and weights are indexed by into batches, rows and keys, for all units alike.
bool sortRows(AttentionUnits &a) {
  Contraction &s = a.scores, &v = a.values, &w = a.weights;
  SmallVector<unsigned> inScores = dimsOf(s.unit->stages.back().outputs().front());
  SmallVector<unsigned> inValues = dimsOf(v.core().operands[v.a]);
  SmallVector<unsigned> inWeights = dimsOf(a.steps.front()->outputs().front());
  size_t rank = inScores.size();
  if (rank < 2 || inValues.size() != rank || inWeights.size() != rank) return false;
  if (ArrayRef(s.column) != ArrayRef(inScores).take_back() ||
      ArrayRef(v.k) != ArrayRef(inValues).take_back())
    return false;
  for (Contraction *c : {&s, &v}) c->batch.clear(), c->row.clear();
  w.column = {inWeights.back()};
  for (size_t i = 0; i + 1 < rank; ++i) {
    bool own = s.core().operands[s.b].dependsOn(inScores[i]) ||
               v.core().operands[v.b].dependsOn(inValues[i]);
    (own ? s.batch : s.row).push_back(inScores[i]);
    (own ? v.batch : v.row).push_back(inValues[i]);
    (own ? w.batch : w.row).push_back(inWeights[i]);
  }
  return true;
}

/// Sums start from what an earlier stage of the unit writes.
bool startsFilled(const Contraction &c) {
  return llvm::any_of(ArrayRef(c.unit->stages).take_front(c.unit->core), [&](const Stage &stage) {
    return stage.outputs().front().source == c.core().outputs().front().source;
  });
}

/// An allocation that nothing but `ops` touches.
bool isScratch(Value memory, ArrayRef<Operation *> ops) {
  return memory.getDefiningOp<memref::AllocOp>() &&
         llvm::all_of(memory.getUsers(), [&](Operation *user) {
           auto dim = dyn_cast<memref::DimOp>(user);
           return dim ? dim.getConstantIndex().has_value()
                      : isa<memref::DeallocOp>(user) || llvm::is_contained(ops, user);
         });
}

/// False where scores or weights go somewhere else too.
bool findScratch(AttentionUnits &a) {
  llvm::SetVector<Value> between, results;
  for (Operation *op : a.ops) {
    for (Value out : cast<linalg::GenericOp>(op).getDpsInits()) between.insert(out);
  }
  for (const Stage &stage : a.values.unit->stages) {
    a.ops.push_back(stage.op);
    for (const Access &access : stage.outputs()) results.insert(access.source);
  }
  for (Value v : between)
    if (!isScratch(v, a.ops) && !results.contains(v)) return false;
  between.insert(results.begin(), results.end());
  llvm::copy_if(between, std::back_inserter(a.scratch),
                [&](Value v) { return isScratch(v, a.ops); });
  return true;
}

}  // namespace

std::optional<AttentionUnits> matchAttention(ArrayRef<std::unique_ptr<Unit>> units, size_t at,
                                             std::string &why) {
  why.clear();
  AttentionUnits found;
  std::string other;
  auto scores = matchContraction(*units[at], other);
  if (!scores || !startsFilled(*scores)) return std::nullopt;
  found.scores = *scores;
  const Access &out = units[at]->stages.back().outputs().front();
  SoftmaxMatcher softmax(found, out.source, out.pureDims.size());
  for (const Stage &stage : units[at]->stages) found.ops.push_back(stage.op);
  for (size_t n = at + 1; n < units.size() && units[n]->followsDirectly; ++n) {
    auto values = matchContraction(*units[n], other);
    if (values && softmax.isComplete(values->core().operands[values->a].source)) {
      found.values = *values;
      auto no = [&](StringRef reason) {
        why = reason.str();
        return std::nullopt;
      };
      if (!startsFilled(*values)) return no("its sums begin with something else than 0");
      if (!scores->size(scores->k).asConstant() || !values->size(values->column).asConstant())
        return no("its depth is not known");
      if (!sortRows(found)) return no("queries, keys and columns are not told apart");
      if (!findScratch(found)) return no("something else uses scores or weights");
      return found;
    }
    for (const Stage &stage : units[n]->stages) {
      if (!softmax.take(*units[n], stage)) {
        if (softmax.hasBegun()) why = "what happens to scores is more than a softmax";
        return std::nullopt;
      }
      found.ops.push_back(stage.op);
    }
  }
  return std::nullopt;
}

namespace {

/// What the steps make of the factor of a row.
class WeightEvaluator {
 public:
  WeightEvaluator(Kit &kit, const AttentionUnits &a, const KernelArguments &arguments, Value batch,
                  Value query)
      : reader{kit, a.weights, arguments}, kit(kit), a(a) {
    reader.split(a.weights.batch, batch, indices);
    reader.split(a.weights.row, query, indices);
  }

  Value run(Value factor) {
    for (const Stage *step : a.steps) factor = weigh(*step, yielded(*step), factor);
    return factor;
  }

 private:
  /// As SoftmaxMatcher::isWeight has it. The sum is in the factor already, and types that are less
  /// precise only round what becomes a factor of a product anyway.
  Value weigh(const Stage &stage, Value v, Value factor) {
    if (isa<BlockArgument>(v)) return factor;
    Operation *op = v.getDefiningOp();
    if (isa<arith::TruncFOp, arith::ExtFOp, arith::DivFOp>(op))
      return weigh(stage, op->getOperand(0), factor);
    if (matchPattern(v, m_AnyZeroFloat())) return kit.f32(0);
    auto select = cast<arith::SelectOp>(op);
    return kit.select(ofRow(stage, select.getCondition()),
                      weigh(stage, select.getTrueValue(), factor),
                      weigh(stage, select.getFalseValue(), factor));
  }

  Value ofRow(const Stage &stage, Value v) {
    Value &known = values[v];
    if (known) return known;
    if (auto arg = dyn_cast<BlockArgument>(v))
      return known = read(stage.operands[arg.getArgNumber()]);
    IRMapping mapping;
    Operation *op = v.getDefiningOp();
    for (Value operand : op->getOperands()) mapping.map(operand, ofRow(stage, operand));
    return values[v] = kit.clone(*op, mapping)->getResult(0);
  }

  Value read(const Access &access) {
    if (access.isScalar) {
      Value passed = reader.arguments.values.lookup(access.source);
      return passed ? passed : access.source;
    }
    SmallVector<unsigned> dims(a.weights.batch);
    dims.append(a.weights.row);
    int64_t bytes = bytesOf(access.elementType());
    Value index = reader.address(access, dims, indices, reader.offset(access));
    Value base = reader.arguments.values.lookup(access.source);
    return kit.load(access.elementType(), elementPointer(kit, base, bytes, index), bytes);
  }

  Reader reader;
  Kit &kit;
  const AttentionUnits &a;
  DenseMap<unsigned, Value> indices;
  DenseMap<Value, Value> values;
};

/// The number that scores are multiplied by, if nothing else happens to them.
std::optional<float> scaleOf(const Contraction &c) {
  ArrayRef<Stage> after = ArrayRef(c.unit->stages).drop_front(c.unit->core + 1);
  if (after.empty()) return 1;
  if (after.size() > 1 || after[0].outputs().front().source != c.core().outputs().front().source)
    return std::nullopt;
  auto product = yielded(after[0]).getDefiningOp<arith::MulFOp>();
  Value sum = after[0].op.getBody()->getArgument(after[0].numInputs());
  APFloat scale(0.0f);
  bool scales = product && after[0].numInputs() == 0 && product.getType().isF32() &&
                product.getLhs() == sum && matchPattern(product.getRhs(), m_ConstantFloat(&scale));
  return scales && scale.isFiniteNonZero() && !scale.isNegative()
             ? std::optional(scale.convertToFloat())
             : std::nullopt;
}

}  // namespace

AttentionProblem problemOf(const AttentionUnits &a, const AttentionArguments &arguments) {
  const Contraction &s = a.scores, &v = a.values;
  AttentionProblem p;
  p.batch = arguments.scores.extent(s.size(s.batch));
  p.queries = arguments.scores.extent(s.size(s.row));
  p.keys = arguments.scores.extent(s.size(s.column));
  p.depth = s.estimate(s.k), p.valueDepth = v.estimate(v.column);
  p.q = factorOf(s, s.a, s.row, arguments.scores);
  p.k = factorOf(s, s.b, s.column, arguments.scores);
  p.v = factorOf(v, v.b, v.column, arguments.values);
  if (auto scale = scaleOf(s))
    p.scale = *scale;
  else
    p.score = scoreOf(s, arguments.scores);
  p.weight = [&a, &arguments](Kit &kit, Value batch, Value query, Value factor) {
    return WeightEvaluator(kit, a, arguments.weights, batch, query).run(factor);
  };
  p.epilogue = epilogueOf(v, arguments.values);
  return p;
}

}  // namespace adze::cuda
