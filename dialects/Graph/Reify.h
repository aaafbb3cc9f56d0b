// Result extents of graph ops from what their operands look like elsewhere.
#pragma once
#include "dialects/Graph/DimExprs.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"

#include <functional>

namespace adze::graph {

/// Where reification reads operands: a lowering answers from values it has
/// already made, others from tensor.dim and tensor.extract.
struct ShapeSource {
  /// Extent `dim` of operand `operand` as an index.
  std::function<mlir::OpFoldResult(unsigned operand, unsigned dim)> extent;
  /// Row-major element `i` of operand `operand` (integers) as an index.
  std::function<mlir::OpFoldResult(unsigned operand, int64_t i)> element;
};

/// The source that reads the op's own operands.
ShapeSource operandSource(mlir::Operation *op, mlir::OpBuilder &b, DimExprs &exprs);

/// Where a slice of one axis starts and how many elements it has, as ONNX Slice
/// clamps: negative bounds count from the end, the step is not 0.
struct SliceBounds {
  mlir::OpFoldResult first, count, step;
};
SliceBounds sliceBounds(mlir::OpBuilder &b, mlir::Location loc, mlir::OpFoldResult extent,
                        mlir::OpFoldResult start, mlir::OpFoldResult end, mlir::OpFoldResult step);

/// One list of extents a result; static extents of result types are constants.
/// Fails for results whose extents depend on the data (nonzero, unique, nms)
/// and for region ops.
llvm::LogicalResult reifyShapes(mlir::Operation *op, mlir::OpBuilder &b, DimExprs &exprs,
                                const ShapeSource &source,
                                mlir::ReifiedRankedShapedTypeDims &dims);

}  // namespace adze::graph
