// Greedy grouping in program order, linear in the number of operands.
//
// No cycle can arise: every group has a level and every edge between groups
// goes from a lower to a higher one. The op at hand is the newest, so nothing
// uses it yet; it may join the group of a producer when all its other operands
// come from lower levels, or when nothing outside that group uses it so far:
// then the group may rise above them. This is sufficient and costs no search.
#include "passes/Fusion/FusionPlan.h"

#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace adze::graph;

namespace adze {

static constexpr unsigned kMaxResults = 4;
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

/// One result element comes from one element of each operand.
static bool isElementwise(Operation *op) {
  if (auto q = dyn_cast<QuantizeOp>(op)) return q.getBlockSize() == 0;
  if (auto d = dyn_cast<DequantizeOp>(op)) return d.getBlockSize() == 0;
  return isa<ElementwiseOp, CastOp, BitcastOp, ExpandOp>(op);
}

static bool isAnchor(Operation *op) {
  return isa<ConvOp, ConvTransposeOp, MatmulOp, PoolOp, ReduceOp, SoftmaxOp, NormalizeOp>(op);
}

/// Both surely have the same shape at run time.
static bool sameShape(DimExprs &exprs, Value a, Value b) {
  auto s = dyn_cast<RankedTensorType>(a.getType()), t = dyn_cast<RankedTensorType>(b.getType());
  if (!s || !t || s.getRank() != t.getRank()) return false;
  for (int64_t i = 0; i < s.getRank(); ++i)
    if (!exprs.same(a, i, b, i)) return false;
  return true;
}

/// Costs little more than the load it sits on, so a kernel that reads its
/// input more than once may redo it.
static bool isCheap(Operation *op) {
  auto e = dyn_cast<ElementwiseOp>(op);
  if (!e) return isElementwise(op);
  switch (e.getFn()) {
    case ElementwiseFn::Abs: case ElementwiseFn::Neg: case ElementwiseFn::Add:
    case ElementwiseFn::Sub: case ElementwiseFn::Mul: case ElementwiseFn::Min:
    case ElementwiseFn::Max: case ElementwiseFn::And: case ElementwiseFn::Or:
    case ElementwiseFn::Not: case ElementwiseFn::Equal: case ElementwiseFn::Less:
    case ElementwiseFn::LessEqual: case ElementwiseFn::Greater:
    case ElementwiseFn::GreaterEqual: case ElementwiseFn::Select:
      return true;
    default:
      return false;
  }
}

namespace {

constexpr unsigned kNoGroup = ~0u;

struct Node {
  SmallVector<Operation *> ops;
  Operation *anchor = nullptr;
  int64_t level = 0;
  int64_t openUses = 0;  ///< uses of its values by ops outside, seen or not
  bool seenUse = false;  ///< an op outside uses a value of it, so it has successors
  bool fusible = false;
  bool cheap = true;
};

class Planner {
 public:
  Planner(DimExprs &exprs, unsigned maxOps) : exprs(exprs), maxOps(maxOps) {}

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
  bool joinable(Operation *op, unsigned node, ArrayRef<unsigned> inputs);
  bool shapesJoin(Operation *op, unsigned node);
  void join(Operation *op, unsigned node, ArrayRef<unsigned> inputs);
  void absorbSiblings(Operation *op, unsigned node, ArrayRef<unsigned> inputs);
  int64_t usesBy(Operation *op, unsigned node);
  Value valueFrom(Operation *op, unsigned node);
  int64_t levelAbove(ArrayRef<unsigned> inputs, unsigned except);

  DimExprs &exprs;
  unsigned maxOps;
  std::vector<Node> nodes;
  std::vector<unsigned> parents;
  DenseMap<Operation *, unsigned> home;
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

/// Whether `op` keeps to the index space of `node`: an elementwise op has the
/// shape of the values there; a softmax, normalize or reduce takes a pure
/// elementwise group as its prologue when nothing else uses that.
bool Planner::shapesJoin(Operation *op, unsigned node) {
  Node &n = nodes[node];
  Value from = valueFrom(op, node);
  if (isElementwise(op)) return sameShape(exprs, op->getResult(0), from);
  bool rereads = isa<SoftmaxOp, NormalizeOp>(op);
  if (n.anchor || !(rereads || isa<ReduceOp>(op)) || (rereads && !n.cheap)) return false;
  return op->getOperand(0) == from && usesBy(op, node) == 1 && n.openUses == 1;
}

bool Planner::joinable(Operation *op, unsigned node, ArrayRef<unsigned> inputs) {
  Node &n = nodes[node];
  if (!n.fusible || n.ops.size() >= maxOps || !valueFrom(op, node)) return false;
  if (n.seenUse && levelAbove(inputs, node) > n.level) return false;
  return shapesJoin(op, node);
}

unsigned Planner::newNode(Operation *op, ArrayRef<unsigned> inputs) {
  unsigned id = nodes.size();
  Node node;
  node.fusible = !staysInEntry(op) && (isElementwise(op) || isAnchor(op));
  node.anchor = isAnchor(op) ? op : nullptr;
  node.level = levelAbove(inputs, kNoGroup);
  nodes.push_back(std::move(node));
  parents.push_back(id);
  return id;
}

void Planner::join(Operation *op, unsigned node, ArrayRef<unsigned> inputs) {
  Node &n = nodes[node];
  if (isAnchor(op)) n.anchor = op;
  n.level = std::max(n.level, levelAbove(inputs, node));
  n.cheap &= isCheap(op);
  int64_t inner = usesBy(op, node);
  n.openUses += countUses(op) - inner;
  n.ops.push_back(op);
  home[op] = node;
  for (unsigned input : inputs)
    if (input != node) nodes[input].seenUse = true;
}

/// Elementwise groups whose only use is `op`, of its shape, move into its
/// group: they feed the epilogue. Nothing else depends on them, so no level
/// is broken.
void Planner::absorbSiblings(Operation *op, unsigned node, ArrayRef<unsigned> inputs) {
  if (!isElementwise(op)) return;
  for (unsigned input : inputs) {
    Node &n = nodes[node], &other = nodes[input];
    Value v = valueFrom(op, input);
    if (input == node || !other.fusible || other.anchor || !v) continue;
    if (other.ops.size() + n.ops.size() > maxOps || other.openUses != usesBy(op, input)) continue;
    if (!sameShape(exprs, v, op->getResult(0))) continue;
    n.cheap &= other.cheap;
    llvm::append_range(n.ops, other.ops);
    other.ops.clear();
    parents[input] = node;
  }
}

void Planner::visit(Operation *op) {
  SmallVector<unsigned> inputs = producers(op);
  unsigned best = kNoGroup;
  bool mayJoin = !staysInEntry(op) && (isElementwise(op) || isAnchor(op));
  for (unsigned n : inputs) {
    if (!mayJoin || !joinable(op, n, inputs)) continue;
    // The deepest producer is the one whose result is still in cache; a group
    // with an anchor takes its epilogue before a plain one grows.
    auto rank = [&](unsigned k) { return std::pair(nodes[k].anchor != nullptr, nodes[k].level); };
    if (best == kNoGroup || rank(n) > rank(best)) best = n;
  }
  if (best == kNoGroup) best = newNode(op, inputs);
  join(op, best, inputs);
  if (mayJoin) absorbSiblings(op, best, inputs);
}

/// Values of ops[0, count) that something outside these ops uses.
unsigned countEscapes(ArrayRef<Operation *> ops, size_t count) {
  llvm::SmallPtrSet<Operation *, 16> inside(ops.begin(), ops.begin() + count);
  unsigned escapes = 0;
  for (Operation *op : ops.take_front(count))
    for (Value r : op->getResults())
      escapes += llvm::any_of(r.getUsers(), [&](Operation *u) { return !inside.contains(u); });
  return escapes;
}

/// Orders a group: the anchor with what it depends on, then the rest.
void sortGroup(FusionGroup &group) {
  llvm::sort(group.ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  if (!group.anchor) return;
  llvm::SmallPtrSet<Operation *, 16> members(group.ops.begin(), group.ops.end()), first;
  SmallVector<Operation *> stack{group.anchor};
  while (!stack.empty()) {
    Operation *op = stack.pop_back_val();
    if (!first.insert(op).second) continue;
    for (Value v : op->getOperands())
      if (Operation *def = v.getDefiningOp(); def && members.contains(def)) stack.push_back(def);
  }
  SmallVector<Operation *> sorted;
  for (bool wanted : {true, false})
    llvm::copy_if(group.ops, std::back_inserter(sorted),
                  [&](Operation *op) { return first.contains(op) == wanted; });
  group.ops = std::move(sorted);
}

/// Cuts a group that yields too many values into prefixes that do not. A
/// prefix never depends on its rest, so the groups stay a DAG.
void splitGroup(FusionGroup group, std::vector<FusionGroup> &out) {
  while (true) {
    unsigned limit = group.anchor ? 1 : kMaxResults;
    size_t least = 1, count = group.ops.size();
    if (group.anchor) least = llvm::find(group.ops, group.anchor) - group.ops.begin() + 1;
    while (count > least && countEscapes(group.ops, count) > limit) --count;
    FusionGroup head{{group.ops.begin(), group.ops.begin() + count}, group.anchor};
    FusionGroup rest{{group.ops.begin() + count, group.ops.end()}, nullptr};
    out.push_back(std::move(head));
    if (rest.ops.empty()) return;
    group = std::move(rest);
  }
}

std::vector<FusionGroup> Planner::finish() {
  std::vector<FusionGroup> groups;
  for (Node &n : nodes) {
    if (n.ops.empty() || staysInEntry(n.ops.front())) continue;
    FusionGroup group{std::move(n.ops), n.anchor};
    sortGroup(group);
    splitGroup(std::move(group), groups);
  }
  return groups;
}

StringRef shortName(Operation *op) {
  if (auto e = dyn_cast<ElementwiseOp>(op)) return stringifyElementwiseFn(e.getFn());
  return op->getName().stripDialect();
}

}  // namespace

std::vector<FusionGroup> planFusions(Block &block, DimExprs &exprs, unsigned maxOps) {
  Planner planner(exprs, std::max(maxOps, 1u));
  for (Operation &op : block) {
    // In program order, so that no extent is looked up through a long chain.
    for (Value r : op.getResults())
      if (auto type = dyn_cast<RankedTensorType>(r.getType()))
        for (int64_t i = 0; i < type.getRank(); ++i) exprs.dim(r, i);
    planner.visit(&op);
  }
  return planner.finish();
}

std::string describeGroup(const FusionGroup &group) {
  constexpr size_t kNamed = 8;
  std::string text;
  size_t named = 0;
  for (Operation *op : group.ops) {
    if (++named > kNamed && op != group.anchor) continue;
    if (!text.empty()) text += op == group.anchor ? " prologue, " : " + ";
    text += shortName(op);
  }
  if (named > kNamed) text += " + " + std::to_string(named - kNamed) + " more";
  if (group.ops.size() == 1) return text;
  if (!group.anchor) return text + " chain";
  return group.ops.back() == group.anchor ? text : text + " epilogue";
}

}  // namespace adze
