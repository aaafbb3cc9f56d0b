// adze.fusion -> kernel functions in destination-passing style.
#include "dialects/Graph/Graph.h"
#include "passes/Rt/Passes.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
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
  /// The extent as a caller's value; null when it cannot be had.
  Value dim(Value v, int64_t i) {
    auto key = std::make_pair(v, i);
    if (auto it = known.find(key); it != known.end()) return it->second;
    Value result = computeDim(v, i);
    known[key] = result;
    return result;
  }

  Value computeDim(Value v, int64_t i) {
    Operation *def = v.getDefiningOp();
    if (!def || !group.contains(def)) return tensor::DimOp::create(b, v.getLoc(), v, i);
    auto reify = dyn_cast<ReifyRankedShapedTypeOpInterface>(def);
    ReifiedRankedShapedTypeDims dims;
    if (!reify || failed(reify.reifyResultShapes(b, dims))) return {};
    OpFoldResult extent = dims[cast<OpResult>(v).getResultNumber()][i];
    if (auto attr = dyn_cast<Attribute>(extent))
      return arith::ConstantIndexOp::create(b, v.getLoc(), cast<IntegerAttr>(attr).getInt());
    return inCaller(cast<Value>(extent));
  }

  /// `v` was just built from reified shapes: replaces what it reads of the
  /// group. Null when it reads the group's data.
  Value inCaller(Value v) {
    Operation *def = v.getDefiningOp();
    if (!def) return v;
    if (group.contains(def)) return {};
    if (auto dimOp = dyn_cast<tensor::DimOp>(def)) {
      Operation *source = dimOp.getSource().getDefiningOp();
      if (!source || !group.contains(source)) return v;
      auto index = dimOp.getConstantIndex();
      return index ? dim(dimOp.getSource(), *index) : Value();
    }
    for (OpOperand &operand : def->getOpOperands()) {
      Operation *source = operand.get().getDefiningOp();
      if (!source || !reads(operand.get())) continue;
      Value replaced = inCaller(operand.get());
      if (!replaced) return {};
      operand.set(replaced);
    }
    return v;
  }

  /// Whether `v` depends on the group at all (shape code is small).
  bool reads(Value v) {
    Operation *def = v.getDefiningOp();
    if (!def) return false;
    if (group.contains(def)) return true;
    if (!isa<arith::ArithDialect, tensor::TensorDialect>(def->getDialect())) return false;
    return llvm::any_of(def->getOperands(), [&](Value o) { return reads(o); });
  }

  OpBuilder &b;
  const llvm::SmallPtrSetImpl<Operation *> &group;
  llvm::DenseMap<std::pair<Value, int64_t>, Value> known;
};

struct OutlineKernelsPass : impl::OutlineKernelsBase<OutlineKernelsPass> {
  void runOnOperation() override {
    SmallVector<graph::FusionOp> fusions;
    getOperation().walk([&](graph::FusionOp op) { fusions.push_back(op); });
    for (graph::FusionOp fusion : fusions) outline(fusion);
  }

  /// Clones the body in front of the fusion, and finds the results' extents
  /// there; the clones are dead afterwards and erased.
  SmallVector<Value> makeDestinations(OpBuilder &b, graph::FusionOp fusion) {
    IRMapping map;
    map.map(fusion.getBody().getArguments(), fusion.getInputs());
    Operation *before = fusion->getPrevNode();
    SmallVector<Operation *> clones;
    llvm::SmallPtrSet<Operation *, 16> group;
    for (Operation &op : fusion.getBody().front().without_terminator()) {
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
      dests.push_back(failed(extents)
                          ? Value()
                          : tensor::EmptyOp::create(b, fusion.getLoc(), *extents,
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
    fusion.erase();
    ++count;
    ++numKernels;
  }

  unsigned count = 0;  // the statistic counts nothing in release builds of LLVM
};

}  // namespace
}  // namespace adze
