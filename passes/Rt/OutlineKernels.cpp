// adze.fusion -> kernel functions in destination-passing style.
#include "dialects/Graph/DimExprs.h"
#include "dialects/Graph/Graph.h"
#include "dialects/Graph/Reify.h"
#include "passes/Rt/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "passes/Rt/Passes.h.inc"

namespace {

/// Finds result extents of ops that are about to be outlined, as values that
/// the caller can compute before the call.
class ExtentResolver {
 public:
  /// Ops in `group` will not exist in the caller.
  ExtentResolver(OpBuilder &b, const llvm::SmallPtrSetImpl<Operation *> &group)
      : b(b), group(group) {}

  /// Extents of `v`; failure when one depends on data inside the group.
  FailureOr<SmallVector<OpFoldResult>> extents(Value v) {
    auto type = cast<RankedTensorType>(v.getType());
    SmallVector<OpFoldResult> out;
    for (int64_t i = 0; i < type.getRank(); ++i) {
      if (!type.isDynamicDim(i)) {
        out.push_back(b.getIndexAttr(type.getDimSize(i)));
        continue;
      }
      Value extent = dim(v, i);
      if (!extent) return failure();
      out.push_back(extent);
    }
    return out;
  }

 private:
  /// The extent as a caller's value; null when it cannot be had. Values are
  /// built in the order they are asked for, so remembered ones dominate.
  Value dim(Value v, int64_t i) {
    auto key = std::make_pair(v, i);
    if (auto it = known.find(key); it != known.end()) return it->second;
    Value result = computeDim(v, i);
    known[key] = result;
    return result;
  }

  Value constant(Location loc, int64_t v) { return arith::ConstantIndexOp::create(b, loc, v); }

  Value computeDim(Value v, int64_t i) {
    auto type = cast<RankedTensorType>(v.getType());
    if (!type.isDynamicDim(i)) return constant(v.getLoc(), type.getDimSize(i));
    Operation *def = v.getDefiningOp();
    if (!def || !group.contains(def)) return tensor::DimOp::create(b, v.getLoc(), v, i);
    bool found = true;
    graph::ShapeSource source;
    auto orZero = [&](Value extent) -> OpFoldResult {
      found &= bool(extent);
      return extent ? getAsOpFoldResult(extent) : OpFoldResult(b.getIndexAttr(0));
    };
    source.extent = [&](unsigned o, unsigned d) { return orZero(dim(def->getOperand(o), d)); };
    source.element = [&](unsigned o, int64_t e) { return orZero(element(def->getOperand(o), e)); };
    ReifiedRankedShapedTypeDims dims;
    if (failed(graph::reifyShapes(def, b, exprs, source, dims)) || !found) return {};
    return getValueOrCreateConstantIndexOp(
        b, v.getLoc(), dims[cast<OpResult>(v).getResultNumber()][i]);
  }

  /// Element `i` of a tensor of shape data, as an index.
  Value element(Value v, int64_t i) {
    if (auto c = exprs.constantElement(v, i)) return constant(v.getLoc(), *c);
    Value outer = inCaller(v);
    if (!outer) return {};
    SmallVector<Value> at;
    if (cast<RankedTensorType>(v.getType()).getRank()) at.push_back(constant(v.getLoc(), i));
    Value e = tensor::ExtractOp::create(b, v.getLoc(), outer, at);
    return arith::IndexCastOp::create(b, v.getLoc(), b.getIndexType(), e);
  }

  /// Shape data as a caller's value: shape arithmetic of the group is repeated
  /// there. Null when it reads other data of the group.
  Value inCaller(Value v) {
    Operation *def = v.getDefiningOp();
    if (!def || !group.contains(def)) return v;
    auto it = repeated.find(v);
    if (it != repeated.end()) return it->second;
    return repeated[v] = repeatInCaller(v, def);
  }

  Value repeatInCaller(Value v, Operation *def) {
    auto type = cast<RankedTensorType>(v.getType());
    if (!type.hasStaticShape() || type.getNumElements() > 64 || def->getNumResults() != 1) return {};
    if (auto shape = dyn_cast<graph::ShapeOfOp>(def)) {
      SmallVector<Value> extents;
      for (int64_t i = 0; i < type.getNumElements(); ++i) {
        Value extent = dim(shape.getX(), i);
        if (!extent) return {};
        extents.push_back(arith::IndexCastOp::create(b, v.getLoc(), b.getI64Type(), extent));
      }
      return tensor::FromElementsOp::create(b, v.getLoc(), type, extents);
    }
    IRMapping map;
    for (Value operand : def->getOperands()) {
      Value outer = inCaller(operand);
      if (!outer) return {};
      map.map(operand, outer);
    }
    return b.clone(*def, map)->getResult(0);
  }

  OpBuilder &b;
  const llvm::SmallPtrSetImpl<Operation *> &group;
  graph::DimExprs exprs{b.getContext()};
  llvm::DenseMap<std::pair<Value, int64_t>, Value> known;
  llvm::DenseMap<Value, Value> repeated;
};

struct OutlineKernelsPass : impl::OutlineKernelsBase<OutlineKernelsPass> {
  /// The entry's arguments are the caller's memory: nothing is computed in place there.
  void protectInputs() {
    BoolAttr no = BoolAttr::get(&getContext(), false);
    for (auto f : getOperation().getOps<func::FuncOp>())
      for (unsigned i = 0; f->hasAttr("adze.entry") && i < f.getNumArguments(); ++i)
        f.setArgAttr(i, bufferization::BufferizationDialect::kWritableAttrName, no);
  }

  void runOnOperation() override {
    protectInputs();
    SmallVector<graph::FusionOp> fusions;
    getOperation().walk([&](graph::FusionOp op) { fusions.push_back(op); });
    // Read before anything is rewritten: kernels learn which extents agree.
    graph::DimExprs exprs(&getContext());
    for (graph::FusionOp fusion : fusions) described[fusion] = exprs.describe(fusion.getInputs());
    for (graph::FusionOp fusion : fusions) outline(fusion);
    described.clear();
  }

  /// Clones the body in front of the fusion, and finds the results' extents
  /// there; the clones are dead afterwards and erased.
  SmallVector<Value> makeDestinations(OpBuilder &b, graph::FusionOp fusion) {
    IRMapping map;
    map.map(fusion.getBody().getArguments(), fusion.getInputs());
    Operation *before = fusion->getPrevNode();
    SmallVector<Operation *> clones;
    llvm::SmallPtrSet<Operation *, 16> group;
    // Constants come first and stay: shape code may read them.
    auto body = fusion.getBody().front().without_terminator();
    for (Operation &op : body)
      if (op.hasTrait<OpTrait::ConstantLike>()) b.clone(op, map);
    for (Operation &op : body) {
      if (op.hasTrait<OpTrait::ConstantLike>()) continue;
      clones.push_back(b.clone(op, map));
      group.insert(clones.back());
    }
    // Shape code must stand before the clones, whose operands it may not use.
    if (!clones.empty()) b.setInsertionPoint(clones.front());
    ExtentResolver resolver(b, group);
    SmallVector<Value> dests;
    auto yield = cast<graph::YieldOp>(fusion.getBody().front().getTerminator());
    for (Value v : yield.getValues()) {
      Value outer = map.lookupOrDefault(v);
      auto extents = resolver.extents(outer);
      dests.push_back(failed(extents) ? Value() : makeDestination(b, fusion.getLoc(), *extents,
                                                                  getElementTypeOrSelf(outer)));
    }
    // Shape code that led nowhere reads the clones: it goes first.
    Operation *last = clones.empty() ? nullptr : clones.front()->getPrevNode();
    while (last && last != before) {
      Operation *previous = last->getPrevNode();
      bool wanted = last->getNumResults() == 1 && llvm::is_contained(dests, last->getResult(0));
      if (!wanted && isOpTriviallyDead(last)) last->erase();
      last = previous;
    }
    for (Operation *op : llvm::reverse(clones)) op->erase();
    b.setInsertionPoint(fusion);
    return dests;
  }

  /// Every destination is an allocation of its own. A tensor.empty would be
  /// merged with all others of its type, and bufferization would compare each
  /// kernel that writes it with each other.
  static Value makeDestination(OpBuilder &b, Location loc, ArrayRef<OpFoldResult> extents,
                               Type element) {
    SmallVector<Value> dynamic;
    SmallVector<int64_t> shape;
    dispatchIndexOpFoldResults(extents, dynamic, shape);
    return bufferization::AllocTensorOp::create(b, loc, RankedTensorType::get(shape, element),
                                                dynamic);
  }

  func::FuncOp makeKernel(graph::FusionOp fusion, ArrayRef<Value> dests) {
    OpBuilder b(getOperation().getBody(), getOperation().getBody()->end());
    SmallVector<Type> args(fusion.getInputs().getTypes());
    for (Value d : dests)
      if (d) args.push_back(d.getType());
    std::string name = "kernel_" + std::to_string(count);
    SmallVector<Type> results;
    for (auto [d, r] : llvm::zip(dests, fusion.getResultTypes()))
      results.push_back(d ? d.getType() : r);
    auto kernel = func::FuncOp::create(b, fusion.getLoc(), name,
                                       b.getFunctionType(args, results));
    kernel.setPrivate();
    for (auto [i, attrs] : llvm::enumerate(described[fusion]))
      for (NamedAttribute attr : attrs) kernel.setArgAttr(i, attr.getName(), attr.getValue());
    fillKernel(kernel, fusion, dests);
    return kernel;
  }

  void fillKernel(func::FuncOp kernel, graph::FusionOp fusion, ArrayRef<Value> dests) {
    Block *block = kernel.addEntryBlock();
    OpBuilder b = OpBuilder::atBlockEnd(block);
    IRMapping map;
    for (auto [inner, arg] : llvm::zip(fusion.getBody().getArguments(), block->getArguments()))
      map.map(inner, arg);
    for (Operation &op : fusion.getBody().front().without_terminator()) b.clone(op, map);
    auto yield = cast<graph::YieldOp>(fusion.getBody().front().getTerminator());
    SmallVector<Value> returned;
    unsigned nextDest = fusion.getInputs().size();
    for (auto [i, v] : llvm::enumerate(yield.getValues())) {
      Value value = map.lookupOrDefault(v);
      if (dests[i]) {
        Type type = dests[i].getType();
        if (value.getType() != type) value = tensor::CastOp::create(b, v.getLoc(), type, value);
        value = bufferization::MaterializeInDestinationOp::create(
                    b, v.getLoc(), value, block->getArgument(nextDest++))
                    .getResult();
      } else if (value.getType() != fusion.getResult(i).getType()) {
        value = tensor::CastOp::create(b, v.getLoc(), fusion.getResult(i).getType(), value);
      }
      returned.push_back(value);
    }
    func::ReturnOp::create(b, fusion.getLoc(), returned);
  }

  void outline(graph::FusionOp fusion) {
    OpBuilder b(fusion);
    SmallVector<Value> dests = makeDestinations(b, fusion);
    func::FuncOp kernel = makeKernel(fusion, dests);
    SmallVector<Value> operands(fusion.getInputs());
    for (Value d : dests)
      if (d) operands.push_back(d);
    auto call = func::CallOp::create(b, fusion.getLoc(), kernel, operands);
    call->setAttr("adze.kernel", b.getI32IntegerAttr(count));
    if (auto reason = fusion.getReasonAttr()) call->setAttr("adze.reason", reason);
    for (auto [old, now] : llvm::zip(fusion.getResults(), call.getResults())) {
      Value v = now;
      if (v.getType() != old.getType())
        v = tensor::CastOp::create(b, fusion.getLoc(), old.getType(), v);
      old.replaceAllUsesWith(v);
    }
    described.erase(fusion);
    fusion.erase();
    ++count;
    ++numKernels;
  }

  unsigned count = 0;  // the statistic counts nothing in release builds of LLVM
  llvm::DenseMap<Operation *, SmallVector<SmallVector<NamedAttribute>>> described;
};

}  // namespace
}  // namespace adze
