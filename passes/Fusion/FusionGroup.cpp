// One group: its order, its results, its name.
#include "passes/Fusion/FusionPlan.h"

using namespace mlir;

namespace adze {

static constexpr unsigned kMaxResults = 4;

/// Values of ops[0, count) that something outside these ops uses.
static unsigned countEscapes(ArrayRef<Operation *> ops, size_t count) {
  llvm::SmallPtrSet<Operation *, 16> inside(ops.begin(), ops.begin() + count);
  unsigned escapes = 0;
  for (Operation *op : ops.take_front(count))
    for (Value r : op->getResults())
      escapes += llvm::any_of(r.getUsers(), [&](Operation *u) { return !inside.contains(u); });
  return escapes;
}

/// Orders a group: the anchor with what it depends on, then the rest.
static void sortGroup(FusionGroup &group) {
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

// A prefix never depends on its rest, so the groups stay a DAG.
void cutGroup(FusionGroup group, std::vector<FusionGroup> &out) {
  sortGroup(group);
  while (true) {
    unsigned limit = group.anchor ? 1 : kMaxResults;
    size_t least = 1, count = group.ops.size();
    if (group.anchor) least = llvm::find(group.ops, group.anchor) - group.ops.begin() + 1;
    while (count > least && countEscapes(group.ops, count) > limit) --count;
    FusionGroup rest{{group.ops.begin() + count, group.ops.end()}, nullptr, group.joins, {}};
    group.ops.resize(count);
    // An op that begins a kernel joins none.
    llvm::erase_if(group.joins, [&](const FusionJoin &j) { return !llvm::is_contained(group.ops, j.op); });
    llvm::erase_if(rest.joins, [&](const FusionJoin &j) {
      return !llvm::is_contained(rest.ops, j.op) || j.op == rest.ops.front();
    });
    out.push_back(std::move(group));
    if (rest.ops.empty()) return;
    group = std::move(rest);
  }
}

std::string describeGroup(const FusionGroup &group) {
  constexpr size_t kNamed = 8;
  std::string text;
  size_t named = 0;
  for (Operation *op : group.ops) {
    if (++named > kNamed && op != group.anchor) continue;
    bool takesRows = llvm::any_of(group.joins, [&](const FusionJoin &j) { return j.op == op && j.as == "rows"; });
    if (!text.empty()) text += takesRows ? " rows, " : op == group.anchor ? " prologue, " : " + ";
    text += shortName(op);
  }
  if (named > kNamed) text += " + " + std::to_string(named - kNamed) + " more";
  if (group.ops.size() == 1) return text;
  if (!group.anchor) return text + " chain";
  return group.ops.back() == group.anchor ? text : text + " epilogue";
}

}  // namespace adze
