// adze -> linalg on tensors: the patterns.
#pragma once
#include "dialects/Graph/DimExprs.h"
#include "dialects/Graph/Graph.h"
#include "mlir/Transforms/DialectConversion.h"

namespace adze {

namespace lowering {

/// What the patterns of one conversion share. Keys are values of the IR before
/// the conversion, which it keeps until its end.
struct LoweringState {
  explicit LoweringState(mlir::MLIRContext *ctx) : exprs(ctx) {}
  graph::DimExprs exprs;
  /// Extents of lowered values.
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::OpFoldResult>> extents;
  /// Values whose buffer a sole elementwise user may overwrite: an anchor's
  /// result, and that of epilogues on it.
  llvm::DenseSet<mlir::Value> overwritable;
  bool manyThreads = false;  ///< run the code, so that independent work is better than little
};

/// bool -> i8 (0 or 1), unsigned and sub-byte integers -> signless of at least
/// 8 bits, in tensors anywhere.
void populateStorageTypeConversions(mlir::TypeConverter &types);

/// Every pattern below.
void populateAdzeToLinalgPatterns(const mlir::TypeConverter &types, LoweringState &state,
                                  mlir::RewritePatternSet &patterns);

using PopulateFn = void(const mlir::TypeConverter &, LoweringState &, mlir::RewritePatternSet &);
PopulateFn populateScalarPatterns;       // small integer tensors as scalars
PopulateFn populateElementwisePatterns;  // elementwise, cast, bitcast, constant
PopulateFn populateShapePatterns;        // shape_of, reshape, expand, range, tile
PopulateFn populateMovePatterns;         // transpose, concat, slice, pad
PopulateFn populateGatherPatterns;       // gather*, one_hot, trilu, reverse_sequence
PopulateFn populateScatterPatterns;
PopulateFn populateReducePatterns;       // reduce, arg_reduce, cumulative
PopulateFn populateNormalizePatterns;    // softmax, normalize
PopulateFn populateContractionPatterns;  // matmul, conv
PopulateFn populateConvTransposePatterns;
PopulateFn populatePoolPatterns;
PopulateFn populateResizePatterns;
PopulateFn populateQuantizePatterns;
PopulateFn populateSortPatterns;  // nonzero, unique, nms
PopulateFn populateTopKPatterns;
PopulateFn populateRecurrentPatterns;
PopulateFn populateControlFlowPatterns;  // if, loop, fusion

}  // namespace lowering
}  // namespace adze
