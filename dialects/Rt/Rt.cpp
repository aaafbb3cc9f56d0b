// The adze_rt dialect: registration, verifiers, bufferization of constants.
#include "dialects/Rt/Rt.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "dialects/Rt/RtDialect.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/Rt/RtTypes.cpp.inc"

namespace adze::rt {

void RtDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/Rt/RtTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/Rt/RtOps.cpp.inc"
      >();
}

LogicalResult ConstantOp::verify() {
  auto type = cast<ShapedType>(getType());
  if (!type.hasStaticShape()) return emitOpError("needs a static shape");
  int64_t width = std::max<int64_t>(8, type.getElementTypeBitWidth());
  if (getBytes() < type.getNumElements() * width / 8)
    return emitOpError("holds ") << getBytes() << " bytes, too few for " << type;
  return success();
}

bool ConstantOp::isWritable(Value, const bufferization::AnalysisState &) { return false; }

LogicalResult ConstantOp::bufferize(RewriterBase &rewriter,
                                    const bufferization::BufferizationOptions &,
                                    bufferization::BufferizationState &) {
  auto tensor = dyn_cast<RankedTensorType>(getType());
  if (!tensor) return success();
  auto type = MemRefType::get(tensor.getShape(), tensor.getElementType());
  bufferization::replaceOpWithNewBufferizedOp<ConstantOp>(rewriter, *this, type,
                                                          getOffsetAttr(), getBytesAttr());
  return success();
}

LogicalResult PlanOp::verify() {
  size_t n = getSizes().size();
  if (getOffsets().size() != n || getFirst().size() != n || getLast().size() != n)
    return emitOpError("needs one lifetime and one offset a size");
  for (size_t i = 0; i < n; ++i)
    if (getFirst()[i] < 0 || getLast()[i] < getFirst()[i])
      return emitOpError("buffer ") << i << " ends before it begins";
  return success();
}

/// `symbol` is a function whose arguments are `leading` followed by `args`.
static LogicalResult verifyCallee(Operation *op, SymbolTableCollection &symbols,
                                  FlatSymbolRefAttr symbol, TypeRange args, unsigned leading) {
  auto callee = symbols.lookupNearestSymbolFrom<func::FuncOp>(op, symbol);
  if (!callee) return op->emitOpError("calls an unknown function ") << symbol;
  if (callee.getArgumentTypes().size() != args.size() + leading ||
      TypeRange(callee.getArgumentTypes()).drop_front(leading) != args)
    return op->emitOpError("passes other types than ") << symbol << " takes";
  return success();
}

LogicalResult LaunchOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyCallee(*this, symbols, getCalleeAttr(), getArgs().getTypes(), 0);
}

LogicalResult ParallelForOp::verifySymbolUses(SymbolTableCollection &symbols) {
  return verifyCallee(*this, symbols, getBodyAttr(), getCaptures().getTypes(), 2);
}

LogicalResult TensorMapOp::verify() {
  constexpr size_t kMostDimensions = 5;
  size_t rank = getBox().size();
  if (rank < 1 || rank > kMostDimensions) return emitOpError("needs one to five dimensions");
  if (getExtents().size() != rank || getStrides().size() != rank - 1)
    return emitOpError("needs an extent of each dimension and a stride of all but the first");
  if (!llvm::is_contained({0, 32, 64, 128}, getSwizzle()))
    return emitOpError("swizzles patterns of 32, 64 or 128 bytes, or none");
  return success();
}

LogicalResult DeviceLaunchOp::verify() {
  if (getBlock().size() != 3) return emitOpError("needs three extents of a block");
  int64_t threads = 1;
  for (int32_t extent : getBlock()) {
    if (extent < 1 || extent > 1024) return emitOpError("has blocks of no threads, or too many");
    threads *= extent;
  }
  if (threads > 1024) return emitOpError("has more than 1024 threads a block");
  return success();
}

}  // namespace adze::rt

#define GET_OP_CLASSES
#include "dialects/Rt/RtOps.cpp.inc"
