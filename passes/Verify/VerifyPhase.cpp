// adze-verify-phase: what each phase promises of the IR it leaves.
#include "passes/Verify/Passes.h"

#include "dialects/Graph/Graph.h"
#include "dialects/Onnx/Onnx.h"
#include "dialects/Rt/Rt.h"
#include "passes/Fusion/FusionPlan.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_VERIFYPHASE
#include "passes/Verify/Passes.h.inc"

namespace {

/// How `op` breaks a promise, as the end of a sentence; empty when it keeps it.
using Rule = StringRef (*)(Operation *op);

template <typename... Dialects>
bool isOf(Operation *op) {
  return isa_and_nonnull<Dialects...>(op->getDialect());
}

/// `is` of the types that `op` uses, yields and takes into its regions.
bool anyType(Operation *op, bool (*is)(Type)) {
  if (llvm::any_of(op->getOperandTypes(), is) || llvm::any_of(op->getResultTypes(), is))
    return true;
  for (Region &region : op->getRegions())
    for (Block &block : region)
      if (llvm::any_of(block.getArgumentTypes(), is)) return true;
  return false;
}

StringRef onnxOnly(Operation *op) {
  return isOf<BuiltinDialect, func::FuncDialect, onnxir::OnnxDialect>(op) ? "" : ", no onnx op";
}

StringRef adzeOnly(Operation *op) {
  if (!isOf<BuiltinDialect, func::FuncDialect, graph::AdzeDialect>(op)) return ", no adze op";
  auto ofOnnx = [](Type t) {
    auto shaped = dyn_cast<ShapedType>(t);
    return isa<onnxir::OnnxDialect>((shaped ? shaped.getElementType() : t).getDialect());
  };
  return anyType(op, ofOnnx) ? " with a type of the onnx dialect" : "";
}

StringRef transposedOnce(Operation *op) {
  auto transpose = dyn_cast<graph::TransposeOp>(op);
  bool again = transpose && transpose.getX().getDefiningOp<graph::TransposeOp>();
  return again ? " of another" : "";
}

StringRef fused(Operation *op) {
  bool inside = op->getParentOfType<graph::FusionOp>() != nullptr;
  if (inside && isa<graph::FusionOp, graph::IfOp, graph::LoopOp>(op))
    return " inside an adze.fusion";
  return inside || staysInEntry(op) ? "" : " outside every adze.fusion";
}

StringRef onMemory(Operation *op) {
  if (isOf<onnxir::OnnxDialect, graph::AdzeDialect, tensor::TensorDialect,
           bufferization::BufferizationDialect>(op))
    return ", no op on memory";
  return anyType(op, [](Type t) { return isa<TensorType>(t); }) ? " with a tensor" : "";
}

StringRef launched(Operation *op) {
  return isa<func::CallOp>(op) && op->hasAttr("adze.kernel") ? ", no launch" : "";
}

StringRef inLoops(Operation *op) {
  if (isOf<linalg::LinalgDialect>(op)) return ", no loop";
  return isa<scf::ParallelOp>(op) ? ", no task of its own" : "";
}

/// The rules of a phase; none for a name that is no phase before emit.
SmallVector<Rule> rulesOf(StringRef phase) {
  if (phase == "import" || phase == "check") return {onnxOnly};
  if (phase == "graph" || phase == "precision" || phase == "quantize") return {adzeOnly};
  if (phase == "layout") return {adzeOnly, transposedOnce};
  if (phase == "fuse") return {adzeOnly, fused};
  if (phase == "kernel") return {onMemory, launched};
  if (phase == "schedule") return {onMemory, launched, inLoops};
  return {};
}

struct VerifyPhasePass : impl::VerifyPhaseBase<VerifyPhasePass> {
  using VerifyPhaseBase::VerifyPhaseBase;

  void runOnOperation() override {
    SmallVector<Rule> rules = rulesOf(phase);
    if (rules.empty()) {
      emitError(getOperation().getLoc()) << "there is no contract of a phase '" << phase << "'";
      return signalPassFailure();
    }
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      for (Rule rule : rules)
        if (StringRef how = rule(op); !how.empty()) {
          emitError(op->getLoc()) << "phase " << phase << " left " << op->getName() << how;
          signalPassFailure();
          return WalkResult::skip();
        }
      return WalkResult::advance();
    });
    if (phase == "kernel" || phase == "schedule") checkEntry();
  }

  void checkEntry() {
    auto entries = llvm::count_if(getOperation().getOps<func::FuncOp>(),
                                  [](func::FuncOp f) { return f->hasAttr("adze.entry"); });
    if (entries == 1) return;
    emitError(getOperation().getLoc())
        << "phase " << phase << " left " << entries << " entry functions";
    signalPassFailure();
  }
};

}  // namespace
}  // namespace adze
