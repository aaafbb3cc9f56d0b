// If, Loop and Scan.
#include "passes/Import/Constants.h"
#include "passes/Import/NodeBuilder.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;

/// The type both are: extents that differ become dynamic. Null when element
/// types or ranks differ.
static RankedTensorType join(Type a, Type b) {
  auto l = cast<RankedTensorType>(a), r = cast<RankedTensorType>(b);
  if (l.getElementType() != r.getElementType() || l.getRank() != r.getRank()) return {};
  Ints shape(l.getShape());
  for (auto [extent, other] : llvm::zip(shape, r.getShape()))
    if (extent != other) extent = ShapedType::kDynamic;
  return RankedTensorType::get(shape, l.getElementType());
}

static void yield(NodeBuilder &nb, ValueRange values) {
  OperationState state(nb.loc, graph::YieldOp::getOperationName());
  state.addOperands(values);
  nb.b.create(state);
}

//===-- If -----------------------------------------------------------------===//

static std::optional<Values> convertBranch(NodeBuilder &nb, StringRef name, Region &to) {
  Region *from = nb.node.body(name);
  if (!from) return nb.invalid(name + " is missing"), std::nullopt;
  OpBuilder::InsertionGuard guard(nb.b);
  to.emplaceBlock();
  nb.b.setInsertionPointToEnd(&to.front());
  FailureOr<Values> results = nb.convertBody(from->front(), {});
  if (failed(results)) return nb.reported(), std::nullopt;
  yield(nb, *results);
  return *results;
}

static Values convertIf(NodeBuilder &nb) {
  Value condition = nb.in(0);
  if (!condition) return {condition};
  if (std::optional<double> known = constantScalar(condition)) {
    Region *from = nb.node.body(*known != 0 ? "then_branch" : "else_branch");
    if (!from) return {nb.invalid("a branch is missing")};
    FailureOr<Values> results = nb.convertBody(from->front(), {});
    return failed(results) ? Values{nb.reported()} : *results;
  }
  Region thenRegion, elseRegion;
  std::optional<Values> thenValues = convertBranch(nb, "then_branch", thenRegion);
  std::optional<Values> elseValues = convertBranch(nb, "else_branch", elseRegion);
  if (!thenValues || !elseValues) return {Value()};
  if (thenValues->size() != elseValues->size() || thenValues->size() != nb.numOutputs())
    return {nb.invalid("its branches have different numbers of outputs")};
  OperationState state(nb.loc, graph::IfOp::getOperationName());
  for (auto [i, values] : llvm::enumerate(llvm::zip(*thenValues, *elseValues))) {
    RankedTensorType type = join(std::get<0>(values).getType(), std::get<1>(values).getType());
    if (!type)
      return {nb.unsupported("its branches give output " + Twine(i) +
                             " different ranks or element types")};
    state.addTypes(type);
  }
  state.addOperands(nb.scalar(condition));
  state.addRegion()->takeBody(thenRegion);
  state.addRegion()->takeBody(elseRegion);
  return Values(nb.b.create(state)->getResults());
}

//===-- Loops --------------------------------------------------------------===//

namespace {
/// What one iteration gives.
struct Iteration {
  Value condition;
  Values carried, scans;
};
using IterationFn = llvm::function_ref<std::optional<Iteration>(
    Value iteration, Value condition, ValueRange carried)>;
}  // namespace

/// One try at the body with carried values of `types`; widens `types` where
/// an iteration gives another extent, and then wants another try.
enum class Try { Failed, Widened, Done };
static Try tryBody(NodeBuilder &nb, Region &region, SmallVector<RankedTensorType> &types,
                   IterationFn iterate, Iteration &out) {
  OpBuilder::InsertionGuard guard(nb.b);
  Block &block = region.emplaceBlock();
  block.addArgument(RankedTensorType::get({}, nb.i64()), nb.loc);
  block.addArgument(RankedTensorType::get({}, nb.i1()), nb.loc);
  for (RankedTensorType type : types) block.addArgument(type, nb.loc);
  nb.b.setInsertionPointToEnd(&block);
  std::optional<Iteration> it =
      iterate(block.getArgument(0), block.getArgument(1), block.getArguments().drop_front(2));
  if (!it || nb.failed()) return nb.reported(), Try::Failed;
  bool widened = false;
  for (auto [i, v] : llvm::enumerate(it->carried)) {
    RankedTensorType type = join(types[i], v.getType());
    if (!type) {
      nb.unsupported("its carried value " + Twine(i) + " changes its rank or element type");
      return Try::Failed;
    }
    widened |= std::exchange(types[i], type) != type;
  }
  if (widened) return Try::Widened;
  it->condition = nb.scalar(it->condition);
  SmallVector<Value> values{it->condition};
  llvm::append_range(values, it->carried);
  llvm::append_range(values, it->scans);
  if (llvm::is_contained(values, Value())) return nb.reported(), Try::Failed;
  yield(nb, values);
  out = *it;
  return Try::Done;
}

/// The loop op; a condition that is known to stay true makes the extent of
/// scans the trip count.
static Values buildLoop(NodeBuilder &nb, Value trip, Value condition, ValueRange inits,
                        IterationFn iterate) {
  if (!trip || !condition || llvm::is_contained(inits, Value())) return {Value()};
  SmallVector<RankedTensorType> types;
  for (Value v : inits) types.push_back(NodeBuilder::type(v));
  Region region;
  Iteration body;
  Try outcome = Try::Widened;
  // Each try makes at least one extent dynamic.
  while (outcome == Try::Widened) {
    region.dropAllReferences();
    region.getBlocks().clear();
    outcome = tryBody(nb, region, types, iterate, body);
  }
  if (outcome == Try::Failed) return {Value()};
  Block &block = region.front();
  bool counted = body.condition == block.getArgument(1) || constantScalar(body.condition) == 1;
  auto trips = graph::constantInts(trip);
  int64_t length = ShapedType::kDynamic;
  if (counted && constantScalar(condition) == 1 && trips)
    length = std::max<int64_t>(trips->front(), 0);
  OperationState state(nb.loc, graph::LoopOp::getOperationName());
  state.addOperands({trip, condition});
  state.addOperands(inits);
  for (RankedTensorType type : types) state.addTypes(type);
  for (Value scan : body.scans) {
    Ints shape{length};
    llvm::append_range(shape, NodeBuilder::type(scan).getShape());
    state.addTypes(RankedTensorType::get(shape, NodeBuilder::element(scan)));
  }
  state.addRegion()->takeBody(region);
  return Values(nb.b.create(state)->getResults());
}

static Values convertLoop(NodeBuilder &nb) {
  Region *body = nb.node.body("body");
  if (!body) return {nb.invalid("body is missing")};
  Value trip = nb.has(0) ? nb.scalar(nb.in(0)) : nb.index(INT64_MAX);
  Value condition = nb.has(1) ? nb.scalar(nb.in(1)) : nb.splat(nb.i1(), 1);
  SmallVector<Value> inits;
  for (unsigned i = 2; i < nb.inputs.size(); ++i) inits.push_back(nb.in(i));
  Block &from = body->front();
  size_t carried = inits.size();
  if (from.getNumArguments() != carried + 2 ||
      from.getTerminator()->getNumOperands() < carried + 1)
    return {nb.invalid("its body does not fit its inputs")};
  return buildLoop(nb, trip, condition, inits,
                   [&](Value i, Value cond, ValueRange values) -> std::optional<Iteration> {
                     SmallVector<Value> args{i, cond};
                     llvm::append_range(args, values);
                     FailureOr<Values> out = nb.convertBody(from, args);
                     if (failed(out)) return std::nullopt;
                     ArrayRef<Value> rest = ArrayRef<Value>(*out).drop_front();
                     return Iteration{out->front(), Values(rest.take_front(carried)),
                                      Values(rest.drop_front(carried))};
                   });
}

namespace {
/// A Scan without batch: its body, and how its inputs and outputs are scanned.
struct ScanBody {
  Block &body;
  size_t states, outputs;
  Ints inAxes, inReverse, outAxes, outReverse;
};
}  // namespace

/// A loop over the slices of the scanned inputs, which follow the states in `ins`.
static Values scan(NodeBuilder &nb, ScanBody s, ValueRange ins) {
  SmallVector<Value> sequences(ins.drop_front(s.states));
  for (auto [v, axis, reverse] : llvm::zip(sequences, s.inAxes, s.inReverse)) {
    axis = nb.axis(axis, nb.rank(v));
    if (nb.failed()) return {Value()};
    if (reverse) v = nb.slice(v, axis, -1, INT64_MIN, -1);
  }
  Value trip = nb.scalar(nb.dim(sequences.front(), s.inAxes.front()));
  Values out = buildLoop(
      nb, trip, nb.splat(nb.i1(), 1), ins.take_front(s.states),
      [&](Value i, Value cond, ValueRange values) -> std::optional<Iteration> {
        SmallVector<Value> args(values);
        for (auto [sequence, axis] : llvm::zip(sequences, s.inAxes))
          args.push_back(nb.gather(sequence, i, axis));
        if (nb.failed()) return std::nullopt;
        FailureOr<Values> out = nb.convertBody(s.body, args);
        if (failed(out)) return std::nullopt;
        return Iteration{cond, Values(ArrayRef<Value>(*out).take_front(s.states)),
                         Values(ArrayRef<Value>(*out).drop_front(s.states))};
      });
  if (nb.failed() || out.size() != s.outputs) return {Value()};
  for (size_t i = s.states; i < s.outputs; ++i) {
    Value v = out[i];
    if (s.outReverse[i - s.states]) v = nb.slice(v, 0, -1, INT64_MIN, -1);
    Ints perm = iota(nb.rank(v));
    int64_t axis = nb.axis(s.outAxes[i - s.states], nb.rank(v));
    std::rotate(perm.begin(), perm.begin() + 1, perm.begin() + axis + 1);
    out[i] = nb.transpose(v, perm);
  }
  return out;
}

/// Opset 8: every input and output has a batch axis in front, along which the
/// scan is done anew.
static Values scanBatch(NodeBuilder &nb, const ScanBody &s, ValueRange ins) {
  return buildLoop(nb, nb.scalar(nb.dim(ins.front(), 0)), nb.splat(nb.i1(), 1), {},
                   [&](Value i, Value cond, ValueRange) -> std::optional<Iteration> {
                     SmallVector<Value> slices;
                     for (Value v : ins) slices.push_back(nb.gather(v, i, 0));
                     if (nb.failed()) return std::nullopt;
                     Values out = scan(nb, s, slices);
                     if (llvm::is_contained(out, Value())) return std::nullopt;
                     return Iteration{cond, {}, out};
                   });
}

static Values convertScan(NodeBuilder &nb) {
  Region *body = nb.node.body("body");
  bool batched = nb.version() < 9;  // then an optional list of lengths comes first
  int64_t scanned = nb.intAttr("num_scan_inputs"), inputs = nb.inputs.size() - batched;
  if (batched && nb.has(0)) return {nb.unsupported("its sequences have lengths of their own")};
  if (!body || scanned < 1 || scanned > inputs)
    return {nb.invalid("num_scan_inputs does not fit its inputs")};
  size_t states = inputs - scanned;
  Block &from = body->front();
  size_t outputs = from.getTerminator()->getNumOperands();
  if (outputs < states || from.getNumArguments() != unsigned(inputs))
    return {nb.invalid("its body does not fit its inputs")};
  ScanBody s{from, states, outputs,
             nb.intsAttr("scan_input_axes", scanned, 0),
             nb.intsAttr(batched ? "directions" : "scan_input_directions", scanned, 0),
             nb.intsAttr("scan_output_axes", outputs - states, 0),
             nb.intsAttr("scan_output_directions", outputs - states, 0)};
  SmallVector<Value> ins;
  for (int64_t i = 0; i < inputs; ++i) {
    ins.push_back(nb.in(i + batched));
    if (!ins.back()) return {Value()};
    if (batched && nb.rank(ins.back()) == 0) return {nb.invalid("an input has no batch axis")};
  }
  return batched ? scanBatch(nb, s, ins) : scan(nb, s, ins);
}

void populateControlFlow(OpTable &t) {
  t.push_back({"", "If", 1, 0, kBool, convertIf});
  t.push_back({"", "Loop", 1, 0, kI64, convertLoop});
  t.push_back({"", "Scan", 8, 0, kAll, convertScan});
}

}  // namespace adze::convert
