#include "targets/cuda/NativeMath.h"

#include "llvm/ADT/STLExtras.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace adze::cuda {
namespace {

/// Exact or correctly rounded: the intrinsic that NVPTX selects. They are called
/// by name, because the conversion of gpu ops rejects LLVM's ops for them.
struct Intrinsic {
  StringRef math, llvm;
};
constexpr Intrinsic kIntrinsics[] = {
    {"arith.maxnumf", "llvm.maxnum"},   {"arith.minnumf", "llvm.minnum"},
    {"math.absf", "llvm.fabs"},         {"math.ceil", "llvm.ceil"},
    {"math.copysign", "llvm.copysign"}, {"math.ctpop", "llvm.ctpop"},
    {"math.floor", "llvm.floor"},       {"math.fma", "llvm.fma"},
    {"math.round", "llvm.round"},       {"math.roundeven", "llvm.roundeven"},
    {"math.sqrt", "llvm.sqrt"},         {"math.trunc", "llvm.trunc"},
};

/// Approximations of f32, for ops that allow them.
struct Approximation {
  StringRef math, instruction;
};
constexpr Approximation kApproximations[] = {
    {"math.cos", "cos.approx.f32"},  {"math.exp2", "ex2.approx.f32"},
    {"math.log2", "lg2.approx.f32"}, {"math.rsqrt", "rsqrt.approx.f32"},
    {"math.sin", "sin.approx.f32"},  {"math.tanh", "tanh.approx.f32"},
};

bool allowsApproximation(Operation *op) {
  auto flags = dyn_cast<arith::ArithFastMathInterface>(op);
  return flags && arith::bitEnumContainsAll(flags.getFastMathFlagsAttr().getValue(),
                                            arith::FastMathFlags::afn);
}

Value inlinePtx(OpBuilder &b, Location loc, StringRef instruction, Value x) {
  auto dialect = LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT);
  return LLVM::InlineAsmOp::create(b, loc, x.getType(), x, (instruction + " $0, $1;").str(), "=f,f",
                                   /*has_side_effects=*/false, /*is_align_stack=*/false,
                                   LLVM::TailCallKind::None, dialect, /*operand_attrs=*/nullptr)
      .getResult(0);
}

/// `instruction` of a scalar, or of each element of a vector.
Value approximate(OpBuilder &b, Location loc, StringRef instruction, Value x) {
  auto type = dyn_cast<VectorType>(x.getType());
  if (!type) return inlinePtx(b, loc, instruction, x);
  Value result = LLVM::PoisonOp::create(b, loc, type);
  for (int64_t i = 0; i < type.getNumElements(); ++i) {
    Value at = LLVM::ConstantOp::create(b, loc, b.getI32IntegerAttr(i));
    Value y = inlinePtx(b, loc, instruction, LLVM::ExtractElementOp::create(b, loc, x, at));
    result = LLVM::InsertElementOp::create(b, loc, result, y, at);
  }
  return result;
}

bool isFlat(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return !vector || (vector.getRank() == 1 && !vector.isScalable());
}

bool lower(Operation *op) {
  Type type = op->getResult(0).getType();
  if (op->getNumResults() != 1 || !isFlat(type)) return false;
  OpBuilder b(op);
  StringRef name = op->getName().getStringRef();
  const auto *i = llvm::find_if(kIntrinsics, [&](auto &row) { return row.math == name; });
  const auto *a = llvm::find_if(kApproximations, [&](auto &row) { return row.math == name; });
  Value result;
  if (i != std::end(kIntrinsics)) {
    result = LLVM::CallIntrinsicOp::create(b, op->getLoc(), type, b.getStringAttr(i->llvm),
                                           op->getOperands())
                 .getResult(0);
  } else if (a != std::end(kApproximations) && getElementTypeOrSelf(type).isF32() &&
             allowsApproximation(op)) {
    result = approximate(b, op->getLoc(), a->instruction, op->getOperand(0));
  } else {
    return false;
  }
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
  return true;
}

}  // namespace

Operation *lowerNativeMath(Operation *root) {
  root->getContext()->loadDialect<LLVM::LLVMDialect>();
  SmallVector<Operation *> ops;
  root->walk([&](Operation *op) {
    if (isa_and_nonnull<math::MathDialect>(op->getDialect()) ||
        isa<arith::MaxNumFOp, arith::MinNumFOp>(op))
      ops.push_back(op);
  });
  for (Operation *op : ops)
    if (!lower(op)) return op;
  return nullptr;
}

}  // namespace adze::cuda
