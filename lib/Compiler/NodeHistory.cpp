#include "lib/Compiler/NodeHistory.h"

#include "dialects/Graph/Graph.h"
#include "dialects/Onnx/Location.h"
#include "passes/Fusion/Passes.h"

#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace adze {

const char *fateName(RemarkNode::Fate fate) {
  constexpr const char *kNames[] = {"kernel", "split", "duplicated", "entry", "constant", "folded"};
  return kNames[fate];
}

// Why a node that is computed before a pass is not computed after it.
static constexpr std::pair<llvm::StringLiteral, llvm::StringLiteral> kReasons[] = {
    {"onnx-to-adze", "its value is known on import, or it passes one on"},
    {"adze-fold-constants", "constant folded"},
    {"adze-simplify", "changes nothing, or its user does it by broadcasting or reshaping"},
    {"adze-assign-layout", "transpose cancelled, or read through a matmul's flag"},
    {"adze-trace-shapes", "only its extents were asked for, and they are an input's"},
    {"canonicalize", "changes nothing"},
    {"cse", "another node computes the same"},
};

static std::string reasonOf(StringRef pass) {
  for (auto [name, why] : kReasons)
    if (name == pass) return why.str();
  return ("removed by " + pass).str();
}

/// Calls `op` with each op that results or effects depend on.
static void forEachLive(ModuleOp module, llvm::function_ref<void(Operation *)> visit) {
  llvm::SmallPtrSet<Operation *, 32> live;
  SmallVector<Operation *> work;
  auto need = [&](Operation *op) {
    if (live.insert(op).second) work.push_back(op);
  };
  for (auto function : module.getOps<FunctionOpInterface>())
    for (Block &block : function.getFunctionBody())
      if (!block.empty()) need(&block.back());
  while (!work.empty()) {
    Operation *op = work.pop_back_val();
    visit(op);
    for (Value v : op->getOperands())
      if (Operation *def = v.getDefiningOp()) need(def);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        if (!block.empty()) need(&block.back());
  }
}

struct NodeHistory::Watch : PassInstrumentation {
  explicit Watch(NodeHistory &history) : history(history) {}
  void runAfterPass(Pass *pass, Operation *op) override {
    if (auto module = dyn_cast<ModuleOp>(op)) history.after(pass->getArgument(), module);
  }
  NodeHistory &history;
};

std::unique_ptr<PassInstrumentation> NodeHistory::watch() { return std::make_unique<Watch>(*this); }

void NodeHistory::begin(ModuleOp module) {
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    onnxir::forEachNode(op->getLoc(), [&](FusedLoc node) { gone.insert({node, ""}); });
  });
  after("", module);
  for (auto &[node, why] : gone)
    if (!why.empty()) why = "no result of the model depends on it";
}

void NodeHistory::after(StringRef pass, ModuleOp module) {
  llvm::SmallPtrSet<Attribute, 32> seen;
  llvm::SmallPtrSet<const void *, 32> locations;
  forEachLive(module, [&](Operation *op) {
    if (!locations.insert(op->getLoc().getAsOpaquePointer()).second) return;
    onnxir::forEachNode(op->getLoc(), [&](FusedLoc node) { seen.insert(node); });
  });
  for (auto &[node, why] : gone)
    if (why.empty() && !seen.contains(node)) why = reasonOf(pass);
}

static std::string nameAt(Attribute at) {
  auto loc = dyn_cast_or_null<LocationAttr>(at);
  auto node = loc ? onnxir::nodeOf(Location(loc)) : std::nullopt;
  return node ? node->name : "";
}

static std::string textOf(DictionaryAttr entry, StringRef key) {
  auto text = entry.getAs<StringAttr>(key);
  return text ? text.str() : "";
}

static int64_t numberOf(DictionaryAttr entry, StringRef key) {
  auto number = entry.getAs<IntegerAttr>(key);
  return number ? number.getInt() : 0;
}

static RemarkKernel kernelOf(graph::FusionOp fusion) {
  RemarkKernel kernel;
  kernel.what = fusion.getReason().value_or("").str();
  auto remarks = fusion->getAttrOfType<DictionaryAttr>(kFusionRemarks);
  if (!remarks) return kernel;
  kernel.anchor = textOf(remarks, "anchor");
  for (auto j : remarks.getAs<ArrayAttr>("joins").getAsRange<DictionaryAttr>())
    kernel.joins.push_back({textOf(j, "op"), nameAt(j.get("at")), textOf(j, "as"),
                            numberOf(j, "bytes_saved"), numberOf(j, "steps_again")});
  for (auto s : remarks.getAs<ArrayAttr>("stops").getAsRange<DictionaryAttr>())
    kernel.stops.push_back({textOf(s, "op"), nameAt(s.get("at")), textOf(s, "why")});
  return kernel;
}

namespace {
/// What is left of a node in a fused module.
struct Remains {
  llvm::SetVector<int64_t> kernels;
  llvm::SetVector<int64_t> computing;  ///< with more of it than transposes
  int64_t anchored = -1;               ///< the last whose anchor is of this node
  Operation *entryOp = nullptr;
  bool duplicated = false;

  void add(Operation *op, int64_t kernel) {
    kernels.insert(kernel);
    if (!isa<graph::TransposeOp>(op)) computing.insert(kernel);
    auto fusible = dyn_cast<graph::FusibleOpInterface>(op);
    if (fusible && fusible.getFusionRole() == graph::FusionRole::Anchor) anchored = kernel;
    duplicated |= op->hasAttr(kDuplicatedAttr);
  }
  int64_t main() const {
    if (anchored >= 0) return anchored;
    return computing.empty() ? kernels.back() : computing.back();
  }
};
}  // namespace

static std::string entryReason(Operation *op) {
  if (isa<graph::IfOp, graph::LoopOp>(op)) return "control flow, which the entry does";
  if (isa<graph::ReshapeOp>(op)) return "a view: the entry gives the same memory another shape";
  return "shape arithmetic, which the entry does";
}

static void place(RemarkNode &node, const Remains &left, std::string gone) {
  if (!left.kernels.empty()) {
    node.kernel = left.main();
    for (int64_t k : left.kernels)
      if (k != node.kernel) node.also.push_back(k);
    node.fate = RemarkNode::Kernel;
    node.why = "computed in the kernel";
    if (node.also.empty()) return;
    node.fate = left.duplicated ? RemarkNode::Duplicated : RemarkNode::Split;
    node.why = left.duplicated             ? "a view, which each kernel that reads it takes itself"
               : left.computing.size() > 1 ? "several ops make it up, which do not share one kernel"
                                           : "transposes between its layout and others are not in its kernel";
  } else if (left.entryOp) {
    bool constant = isa<graph::ConstantOp>(left.entryOp);
    node.fate = constant ? RemarkNode::Constant : RemarkNode::Entry;
    node.why = constant ? "constant folded" : entryReason(left.entryOp);
  } else {
    node.fate = RemarkNode::Folded;
    node.why = node.opType == "Constant" ? "a constant that other nodes took in" : std::move(gone);
  }
}

FusionRemarks NodeHistory::remarks(ModuleOp module) {
  FusionRemarks out;
  llvm::MapVector<Attribute, Remains> remains;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isa_and_present<graph::AdzeDialect>(op->getDialect()) || isa<graph::YieldOp>(op)) return;
    if (auto fusion = dyn_cast<graph::FusionOp>(op)) return out.kernels.push_back(kernelOf(fusion));
    auto fusion = dyn_cast<graph::FusionOp>(op->getParentOp());
    bool constant = isa<graph::ConstantOp>(op);
    onnxir::forEachNode(op->getLoc(), [&](FusedLoc node) {
      Remains &r = remains[node];
      int64_t kernel = int64_t(out.kernels.size()) - 1;
      if (fusion && !constant) {
        r.add(op, kernel);
      } else if (!r.entryOp || isa<graph::ConstantOp>(r.entryOp)) {
        r.entryOp = op;
      }
    });
  });
  for (auto &[loc, why] : gone) {
    auto ref = *onnxir::nodeOf(Location(cast<LocationAttr>(loc)));
    RemarkNode node{ref.name, ref.opType, ref.graph, ref.index};
    place(node, remains[loc], why);
    for (int64_t k : node.also) out.kernels[k].nodes.push_back(out.nodes.size());
    if (node.kernel >= 0) out.kernels[node.kernel].nodes.push_back(out.nodes.size());
    out.nodes.push_back(std::move(node));
  }
  return out;
}

}  // namespace adze
