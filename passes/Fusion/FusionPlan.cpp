// Greedy grouping in program order, linear in the number of operands.
//
// No cycle can arise: every group has a level and every edge between groups
// goes from a lower to a higher one. The op at hand is the newest, so nothing
// uses it yet; it may join the group of a producer when all its other operands
// come from lower levels, or when nothing outside that group uses it so far:
// then the group may rise above them. This is sufficient and costs no search.
#include "passes/Fusion/FusionPlan.h"
#include "passes/Fusion/Attention.h"

#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {

static constexpr int64_t kMaxShapeElements = 16;

void forEachUsedValue(Operation *op, llvm::function_ref<void(Value)> use) {
  for (Value v : op->getOperands()) use(v);
  if (op->getNumRegions() == 0) return;
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  for (Value v : captured) use(v);
}

static bool isSmallInteger(Value v) {
  auto type = dyn_cast<RankedTensorType>(v.getType());
  return type && isa<IntegerType>(type.getElementType()) && type.getRank() <= 1 &&
         type.hasStaticShape() && type.getNumElements() <= kMaxShapeElements;
}

bool staysInEntry(Operation *op) {
  if (!isa_and_nonnull<AdzeDialect>(op->getDialect())) return true;
  if (isa<ConstantOp, ShapeOfOp, ReshapeOp, IfOp, LoopOp, YieldOp, FusionOp>(op)) return true;
  // Weights are laid out when they are written.
  if (auto relayout = dyn_cast<RelayoutOp>(op))
    return relayout.getX().getDefiningOp<ConstantOp>() != nullptr;
  if (!isa<ElementwiseOp, CastOp, ConcatOp, GatherOp, SliceOp, ReduceOp, ExpandOp>(op))
    return false;
  return llvm::all_of(op->getOperands(), isSmallInteger) &&
         llvm::all_of(op->getResults(), isSmallInteger);
}

FusionRole roleOf(Operation *op) {
  auto fusible = dyn_cast<FusibleOpInterface>(op);
  return fusible && !staysInEntry(op) ? fusible.getFusionRole() : FusionRole::None;
}

static bool isElementwise(Operation *op) { return roleOf(op) == FusionRole::Elementwise; }

static bool isAnchor(Operation *op) {
  FusionRole role = roleOf(op);
  return role == FusionRole::Anchor || role == FusionRole::Join;
}

static int64_t stepsOf(Operation *op) { return cast<FusibleOpInterface>(op).stepsPerElement(); }

/// The attribute's value; "" for none.
static StringRef overrideOf(Operation *op) {
  auto attr = op->getAttrOfType<StringAttr>(kFuseAttr);
  return attr ? attr.getValue() : StringRef();
}

/// A transpose that leaves rows of elements whole: contractions read and write
/// through it as fast as they do without.
static bool keepsColumns(Operation *op) {
  auto transpose = dyn_cast<TransposeOp>(op);
  return transpose && !transpose.getPerm().empty() &&
         transpose.getPerm().back() == int64_t(transpose.getPerm().size()) - 1;
}

StringRef shortName(Operation *op) {
  if (auto e = dyn_cast<ElementwiseOp>(op)) return stringifyElementwiseFn(e.getFn());
  return op->getName().stripDialect();
}

bool sameShape(DimExprs &exprs, Value a, Value b) {
  auto s = dyn_cast<RankedTensorType>(a.getType()), t = dyn_cast<RankedTensorType>(b.getType());
  if (!s || !t || s.getRank() != t.getRank()) return false;
  for (int64_t i = 0; i < s.getRank(); ++i)
    if (!exprs.same(a, i, b, i)) return false;
  return true;
}

namespace {

constexpr unsigned kNoGroup = ~0u;

struct Node {
  SmallVector<Operation *> ops;
  SmallVector<FusionJoin> joins;
  Operation *anchor = nullptr;
  int64_t level = 0;
  int64_t openUses = 0;  ///< uses of its values by ops outside, seen or not
  bool seenUse = false;  ///< an op outside uses a value of it, so it has successors
  bool fusible = false;
  int64_t steps = 0;     ///< of its ops, for each element
  int64_t anchors = 0;   ///< ops with loops of their own, which pass rows on
  bool turned = false;   ///< its result is stored transposed
};

/// Whether an op may share a kernel, and why not.
struct Verdict {
  std::string whyNot;
  StringLiteral as = "";
  FusionCost cost;
  bool joins() const { return whyNot.empty(); }
};

Verdict refused(const Twine &why) { return {why.str(), "", {}}; }

class Planner {
 public:
  Planner(DimExprs &exprs, const schedule::MachineModel &machine, unsigned maxOps)
      : exprs(exprs), machine(machine), maxOps(maxOps) {}

  void visit(Operation *op);
  std::vector<FusionGroup> finish();

 private:
  unsigned find(unsigned node) {
    while (parents[node] != node) node = parents[node] = parents[parents[node]];
    return node;
  }
  unsigned nodeOf(Value v) {
    Operation *def = v.getDefiningOp();
    auto it = def ? home.find(def) : home.end();
    return it == home.end() ? kNoGroup : find(it->second);
  }
  /// Nodes that the op uses, each once, in operand order.
  SmallVector<unsigned> producers(Operation *op);
  unsigned newNode(Operation *op, ArrayRef<unsigned> inputs);
  Verdict judge(Operation *op, unsigned node, ArrayRef<unsigned> inputs);
  Verdict asEpilogue(Operation *op, unsigned node);
  Verdict asPrologue(Operation *op, unsigned node);
  Verdict asRows(Operation *op, unsigned node);
  Verdict asScores(Operation *op, unsigned node);
  Verdict asTurn(Operation *op, unsigned node);
  int64_t extent(Value v, int64_t fromLast);
  void join(Operation *op, unsigned node, ArrayRef<unsigned> inputs);
  void absorb(Operation *op, unsigned node, unsigned input, FusionJoin how);
  void absorbSiblings(Operation *op, unsigned node, ArrayRef<unsigned> inputs);
  bool readsThrough(Operation *transpose);
  int64_t usesBy(Operation *op, unsigned node);
  Value valueFrom(Operation *op, unsigned node);
  int64_t levelAbove(ArrayRef<unsigned> inputs, unsigned except);
  std::string whyOutside(Operation *user, Operation *def);
  void addStops(FusionGroup &group);

  DimExprs &exprs;
  const schedule::MachineModel &machine;
  unsigned maxOps;
  std::vector<Node> nodes;
  std::vector<unsigned> parents;
  DenseMap<Operation *, unsigned> home;
  /// What a softmax that joined its scores goes on to: the matmul, and transposes on the way in
  /// and out.
  llvm::SmallPtrSet<Operation *, 8> attention;
  /// Why an op does not share the kernel of the op that makes its operand.
  DenseMap<std::pair<Operation *, Operation *>, std::string> refusals;
};

SmallVector<unsigned> Planner::producers(Operation *op) {
  llvm::SmallSetVector<unsigned, 4> out;
  forEachUsedValue(op, [&](Value v) {
    if (unsigned n = nodeOf(v); n != kNoGroup) out.insert(n);
  });
  return out.takeVector();
}

int64_t Planner::levelAbove(ArrayRef<unsigned> inputs, unsigned except) {
  int64_t level = 0;
  for (unsigned n : inputs)
    if (n != except) level = std::max(level, nodes[n].level + 1);
  return level;
}

int64_t Planner::usesBy(Operation *op, unsigned node) {
  return llvm::count_if(op->getOperands(), [&](Value v) { return nodeOf(v) == node; });
}

Value Planner::valueFrom(Operation *op, unsigned node) {
  for (Value v : op->getOperands())
    if (nodeOf(v) == node) return v;
  return {};
}

static int64_t countUses(Operation *op) {
  int64_t uses = 0;
  for (Value r : op->getResults()) uses += std::distance(r.use_begin(), r.use_end());
  return uses;
}

/// An elementwise op goes on with the values of its operand's kernel.
Verdict Planner::asEpilogue(Operation *op, unsigned node) {
  Value from = valueFrom(op, node);
  Node &n = nodes[node];
  if (n.anchor && roleOf(n.anchor) == FusionRole::Join)
    return refused(shortName(n.anchor) + " holds no element for what follows");
  if (!sameShape(exprs, op->getResult(0), from))
    return refused("its shape is not surely the kernel's");
  bool escapes = usesBy(op, node) != n.openUses;
  return {"", n.anchor ? StringLiteral("epilogue") : StringLiteral("chain"),
          fusionCost(from, stepsOf(op), /*times=*/1, escapes)};
}

/// An anchor computes the operand, which nothing else uses, inside its kernel.
Verdict Planner::asPrologue(Operation *op, unsigned node) {
  Node &n = nodes[node];
  Value from = valueFrom(op, node);
  unsigned operand = llvm::find(op->getOperands(), from).getIndex();
  int64_t times = cast<FusibleOpInterface>(op).timesComputed(operand);
  if (n.anchor) return asRows(op, node);
  if (times == 0) return refused(shortName(op) + " reads this operand from memory");
  if (usesBy(op, node) != n.openUses || n.openUses != 1)
    return refused("the value is used elsewhere too");
  FusionCost cost = fusionCost(from, n.steps, times, /*escapes=*/false);
  if (!cost.pays(machine) && overrideOf(op) != "join")
    return refused("it would be computed " + Twine(times) + " times: " + Twine(cost.stepsAgain) +
                   " steps more an element, to save " + Twine(cost.bytesSaved) + " bytes");
  return {"", "prologue", cost};
}

int64_t Planner::extent(Value v, int64_t fromLast) {
  int64_t rank = cast<RankedTensorType>(v.getType()).getRank();
  return exprs.constantDim(v, rank - fromLast).value_or(kUnknownExtent);
}

/// An anchor takes up, block of rows by block of rows, what others compute.
Verdict Planner::asRows(Operation *op, unsigned node) {
  constexpr int64_t kLeastBlocks = 4;  // for threads to share
  Node &n = nodes[node];
  Value from = op->getOperand(0), result = op->getResult(0);
  auto passesRows = [](Operation *o) { return cast<FusibleOpInterface>(o).rowDims() > 0; };
  if (!passesRows(n.anchor) || !passesRows(op) || n.turned || nodeOf(from) != node)
    return refused("both have loops of their own");
  if (usesBy(op, node) != n.openUses || n.openUses != 1) return refused("the value is used elsewhere too");
  if (machine.simtWidth) return asScores(op, node);
  int64_t dims = cast<FusibleOpInterface>(op).rowDims(), batches = 1;
  for (int64_t d = 0; d < dims; ++d) {
    if (!exprs.same(from, d, result, d)) return refused("its rows are not surely the kernel's");
    if (d + 1 < dims) batches = llvm::SaturatingMultiply<uint64_t>(batches, exprs.constantDim(from, d).value_or(1));
  }
  // What all rows share: the other operand of a matmul, for each column.
  RowBlocks blocks{exprs.constantDim(from, dims - 1), extent(from, 1), 0};
  if (auto first = dyn_cast<MatmulOp>(n.anchor); first && n.anchors == 1) blocks.again += extent(first.getA(), 1);
  if (isa<MatmulOp>(op)) blocks.again += extent(result, 1);
  if (blocks.rows && batches * blocks.blocks(from, machine) < kLeastBlocks)
    return refused("there would be too few blocks of rows to share out");
  FusionCost cost = blocks.cost(from, machine);
  if (!cost.pays(machine) && overrideOf(op) != "join")
    return refused("each block of rows would read operands again: " + Twine(-cost.bytesSaved) +
                   " bytes more an element than it saves");
  return {"", "rows", cost};
}

/// On a machine of many threads only the scores of attention go on by rows, in registers.
Verdict Planner::asScores(Operation *op, unsigned node) {
  if (attention.contains(op)) return {"", "rows", ScoreRows::cost(op->getOperand(0))};
  auto softmax = dyn_cast<SoftmaxOp>(op);
  auto scores = dyn_cast<MatmulOp>(nodes[node].anchor);
  if (!softmax || !scores || machine.scoreDepth == 0)
    return refused("threads of the device pass no rows on");
  std::string why;
  auto found = findAttention(softmax, scores, overrideOf(op) == "join", exprs, machine, why);
  if (!found) return refused(why);
  attention.insert(found->values);
  attention.insert(found->transposes.begin(), found->transposes.end());
  return {"", "rows", found->cost};
}

/// A matmul, or where threads are many attention, reads and writes through it.
bool Planner::readsThrough(Operation *op) {
  return machine.simtWidth ? attention.contains(op) : keepsColumns(op);
}

/// A contraction stores its results where the transpose puts them.
Verdict Planner::asTurn(Operation *op, unsigned node) {
  if (!isa<MatmulOp>(nodes[node].anchor)) return refused(shortName(op) + " reads by another index");
  if (usesBy(op, node) != nodes[node].openUses) return refused("the value is used elsewhere too");
  return {"", "epilogue", fusionCost(op->getOperand(0), stepsOf(op), /*times=*/1, /*escapes=*/false)};
}

/// Whether `op` may join the kernel of `node`, which one of its operands is from.
Verdict Planner::judge(Operation *op, unsigned node, ArrayRef<unsigned> inputs) {
  Node &n = nodes[node];
  FusionRole role = roleOf(op);
  if (overrideOf(op) == "alone") return refused("adze.fuse keeps it alone");
  if (role == FusionRole::None) return refused(shortName(op) + " shares no kernel");
  Value from = valueFrom(op, node);
  if (!from) return refused("only a region of it reads the value");
  if (overrideOf(from.getDefiningOp()) == "alone") return refused("adze.fuse keeps what it reads alone");
  if (!n.fusible) return refused(shortName(from.getDefiningOp()) + " shares no kernel");
  if (role == FusionRole::Move && !(n.anchor && readsThrough(op)))
    return refused(shortName(op) + " reads by another index");
  if (n.ops.size() >= maxOps) return refused("the kernel has all the ops it may have");
  if (n.seenUse && levelAbove(inputs, node) > n.level)
    return refused("an operand comes from a kernel that runs later");
  if (role == FusionRole::Move) return asTurn(op, node);
  return isElementwise(op) ? asEpilogue(op, node) : asPrologue(op, node);
}

unsigned Planner::newNode(Operation *op, ArrayRef<unsigned> inputs) {
  unsigned id = nodes.size();
  Node node;
  node.fusible = roleOf(op) != FusionRole::None && overrideOf(op) != "alone";
  node.level = levelAbove(inputs, kNoGroup);
  nodes.push_back(std::move(node));
  parents.push_back(id);
  return id;
}

void Planner::join(Operation *op, unsigned node, ArrayRef<unsigned> inputs) {
  Node &n = nodes[node];
  if (isAnchor(op)) n.anchor = op, ++n.anchors;
  n.turned |= n.anchor && roleOf(op) == FusionRole::Move;
  n.level = std::max(n.level, levelAbove(inputs, node));
  if (n.fusible) n.steps += stepsOf(op);
  int64_t inner = usesBy(op, node);
  n.openUses += countUses(op) - inner;
  n.ops.push_back(op);
  home[op] = node;
  for (unsigned input : inputs)
    if (input != node) nodes[input].seenUse = true;
}

/// Moves all of `input` into `node`, where `op` is the only one that uses it.
void Planner::absorb(Operation *op, unsigned node, unsigned input, FusionJoin how) {
  Node &n = nodes[node], &other = nodes[input];
  n.steps += other.steps;
  llvm::append_range(n.ops, other.ops);
  llvm::append_range(n.joins, other.joins);
  n.joins.push_back(how);
  other.ops.clear();
  parents[input] = node;
  for (Value v : op->getOperands())
    if (Operation *def = v.getDefiningOp()) refusals.erase({op, def});
}

/// Groups without an anchor whose only use is `op` move into its group: of its
/// shape they feed an elementwise op, of any shape a join, and a transpose of whole
/// rows a matmul. Nothing else depends on them, so no level is broken.
void Planner::absorbSiblings(Operation *op, unsigned node, ArrayRef<unsigned> inputs) {
  bool joins = roleOf(op) == FusionRole::Join, contracts = isa<MatmulOp>(op);
  if (!nodes[node].fusible || (!isElementwise(op) && !joins && !contracts)) return;
  for (unsigned input : inputs) {
    Node &n = nodes[node], &other = nodes[input];
    Value v = valueFrom(op, input);
    if (input == node || !other.fusible || other.anchor || !v) continue;
    if (other.ops.size() + n.ops.size() > maxOps || other.openUses != usesBy(op, input)) continue;
    if (contracts && (other.ops.size() != 1 || !readsThrough(other.ops.front()))) continue;
    if (!joins && !contracts && !sameShape(exprs, v, op->getResult(0))) continue;
    if (!isElementwise(op) && other.openUses != 1) continue;
    Operation *last = v.getDefiningOp();
    absorb(op, node, input, {last, "prologue", fusionCost(v, other.steps, 1, false)});
  }
}

void Planner::visit(Operation *op) {
  SmallVector<unsigned> inputs = producers(op);
  unsigned best = kNoGroup;
  Verdict chosen;
  for (unsigned n : inputs) {
    Verdict verdict = judge(op, n, inputs);
    Value from = valueFrom(op, n);
    if (from)
      refusals[{op, from.getDefiningOp()}] =
          verdict.joins() ? "it is in the kernel of another operand" : verdict.whyNot;
    if (!verdict.joins()) continue;
    // The deepest producer is the one whose result is still in cache; a group
    // with an anchor takes its epilogue before a plain one grows.
    auto rank = [&](unsigned k) { return std::pair(nodes[k].anchor != nullptr, nodes[k].level); };
    if (best == kNoGroup || rank(n) > rank(best)) best = n, chosen = std::move(verdict);
  }
  if (best == kNoGroup) best = newNode(op, inputs);
  else nodes[best].joins.push_back({op, chosen.as, chosen.cost});
  Operation *before = nodes[best].anchor;
  join(op, best, inputs);
  absorbSiblings(op, best, inputs);
  // The matmul came before it was known to be attention's.
  if (machine.simtWidth && isa<SoftmaxOp>(op) && chosen.as == "rows")
    absorbSiblings(before, best, producers(before));
}

/// Why `user` is not in the kernel that computes the result of `def`.
std::string Planner::whyOutside(Operation *user, Operation *def) {
  if (user->hasTrait<OpTrait::IsTerminator>()) return "it is a result of the model or of a branch";
  if (user->getBlock() != def->getBlock()) return "it is used inside a branch or a loop";
  if (staysInEntry(user)) return "the entry does " + shortName(user).str() + " itself";
  auto it = refusals.find({user, def});
  if (it != refusals.end() && nodeOf(def->getResult(0)) != find(home.lookup(user))) return it->second;
  return "the kernel would have more results than it may have";
}

void Planner::addStops(FusionGroup &group) {
  llvm::SmallPtrSet<Operation *, 16> members(group.ops.begin(), group.ops.end()), seen;
  for (Operation *op : group.ops)
    for (Operation *user : op->getUsers())
      if (!members.contains(user) && seen.insert(user).second)
        group.stops.push_back({user, whyOutside(user, op)});
}

std::vector<FusionGroup> Planner::finish() {
  std::vector<FusionGroup> groups;
  for (Node &n : nodes) {
    if (n.ops.empty() || staysInEntry(n.ops.front())) continue;
    FusionGroup group{std::move(n.ops), n.anchor, std::move(n.joins), {}};
    cutGroup(std::move(group), groups);
  }
  for (FusionGroup &group : groups) addStops(group);
  return groups;
}

}  // namespace

std::vector<FusionGroup> planFusions(Block &block, DimExprs &exprs,
                                     const schedule::MachineModel &machine, unsigned maxOps) {
  Planner planner(exprs, machine, std::max(maxOps, 1u));
  for (Operation &op : block) {
    // In program order, so that no extent is looked up through a long chain.
    for (Value r : op.getResults())
      if (auto type = dyn_cast<RankedTensorType>(r.getType()))
        for (int64_t i = 0; i < type.getRank(); ++i) exprs.dim(r, i);
    planner.visit(&op);
  }
  return planner.finish();
}

}  // namespace adze
