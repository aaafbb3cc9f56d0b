// Kernel results that are destinations -> no results.
#include "passes/Rt/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_DROPDESTINATIONRESULTS
#include "passes/Rt/Passes.h.inc"

namespace {

/// The argument number that `v` is, through casts; -1 when none.
int64_t argumentOf(Value v, Block *block) {
  while (auto cast = v.getDefiningOp<memref::CastOp>()) v = cast.getSource();
  auto arg = dyn_cast<BlockArgument>(v);
  return arg && arg.getOwner() == block ? int64_t(arg.getArgNumber()) : -1;
}

struct DropDestinationResultsPass
    : impl::DropDestinationResultsBase<DropDestinationResultsPass> {
  void runOnOperation() override {
    llvm::StringMap<SmallVector<int64_t>> dropped;
    for (auto f : getOperation().getOps<func::FuncOp>())
      if (f.isPrivate() && f.getBlocks().size() == 1) dropped[f.getName()] = dropFrom(f);
    SmallVector<func::CallOp> calls;
    getOperation().walk([&](func::CallOp op) { calls.push_back(op); });
    for (func::CallOp call : calls)
      if (auto it = dropped.find(call.getCallee()); it != dropped.end())
        rebuild(call, it->second);
  }

  /// For each old result: the argument it was, or -1 if it stays.
  static SmallVector<int64_t> dropFrom(func::FuncOp f) {
    auto ret = cast<func::ReturnOp>(f.front().getTerminator());
    SmallVector<int64_t> arguments;
    SmallVector<Value> kept;
    for (Value v : ret.getOperands()) {
      arguments.push_back(argumentOf(v, &f.front()));
      if (arguments.back() < 0) kept.push_back(v);
    }
    if (kept.size() == ret.getNumOperands()) return arguments;
    ret.getOperandsMutable().assign(kept);
    f.setFunctionType(FunctionType::get(f.getContext(), f.getArgumentTypes(),
                                        TypeRange(ValueRange(kept))));
    f.removeResAttrsAttr();
    return arguments;
  }

  static void rebuild(func::CallOp call, ArrayRef<int64_t> arguments) {
    if (llvm::all_of(arguments, [](int64_t a) { return a < 0; })) return;
    OpBuilder b(call);
    SmallVector<Type> types;
    for (auto [type, a] : llvm::zip(call.getResultTypes(), arguments))
      if (a < 0) types.push_back(type);
    auto now = func::CallOp::create(b, call.getLoc(), call.getCallee(), types, call.getOperands());
    now->setDiscardableAttrs(call->getDiscardableAttrDictionary());
    unsigned next = 0;
    for (auto [old, a] : llvm::zip(call.getResults(), arguments)) {
      Value v = a < 0 ? now.getResult(next++) : call.getOperand(a);
      if (v.getType() != old.getType())
        v = memref::CastOp::create(b, call.getLoc(), old.getType(), v);
      old.replaceAllUsesWith(v);
    }
    call.erase();
  }
};
}  // namespace
}  // namespace adze
