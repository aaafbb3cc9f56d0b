// Kernel calls -> adze_rt.launch, and the module's kernel table.
#include "dialects/Onnx/Location.h"
#include "dialects/Rt/Rt.h"
#include "passes/Rt/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_FORMLAUNCHES
#include "passes/Rt/Passes.h.inc"

namespace {

/// Names of the ONNX nodes in a (fused) location, in order, without repeats; of a
/// function's body the node that calls it.
void collectNodes(Location loc, llvm::SetVector<StringAttr> &names) {
  if (auto name = dyn_cast<NameLoc>(loc)) {
    names.insert(name.getName());
    return;
  }
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location l : fused.getLocations()) collectNodes(l, names);
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    collectNodes(onnxir::nodeOf(call.getCaller()) ? call.getCaller() : call.getCallee(), names);
}

struct FormLaunchesPass : impl::FormLaunchesBase<FormLaunchesPass> {
  void runOnOperation() override {
    OpBuilder b(&getContext());
    SmallVector<func::CallOp> calls;
    getOperation().walk([&](func::CallOp op) {
      if (op->hasAttr("adze.kernel")) calls.push_back(op);
    });
    SmallVector<Attribute> table;
    for (func::CallOp call : calls) {
      table.push_back(describe(b, call));
      b.setInsertionPoint(call);
      auto launch = rt::LaunchOp::create(b, call.getLoc(), call.getResultTypes(),
                                         call.getCalleeAttr(),
                                         b.getI32IntegerAttr(table.size() - 1), call.getOperands());
      call.replaceAllUsesWith(launch.getResults());
      call.erase();
    }
    getOperation()->setAttr("adze.kernels", b.getArrayAttr(table));
  }

  static Attribute describe(OpBuilder &b, func::CallOp call) {
    llvm::SetVector<StringAttr> names;
    collectNodes(call.getLoc(), names);
    SmallVector<Attribute> nodes(names.begin(), names.end());
    auto reason = call->getAttrOfType<StringAttr>("adze.reason");
    return b.getDictionaryAttr(
        {b.getNamedAttr("function", b.getStringAttr(call.getCallee())),
         b.getNamedAttr("nodes", b.getArrayAttr(nodes)),
         b.getNamedAttr("reason", reason ? reason : b.getStringAttr(""))});
  }
};
}  // namespace
}  // namespace adze
