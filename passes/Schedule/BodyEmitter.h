// Clones a linalg body onto scalars and vectors.
#pragma once

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace adze::schedule {

/// What a body needs to know of the point it is evaluated at.
struct BodyContext {
  mlir::OpBuilder &builder;
  mlir::Location loc;
  int64_t lanes = 1;      ///< 1: scalar code
  mlir::Value mask;       ///< lanes in range, or null when all are
  bool contract = false;  ///< let multiply-add pairs fuse (contractions only)
  /// Index of the op's dimension at lane 0, and whether it grows lane by lane.
  llvm::function_ref<std::pair<mlir::Value, bool>(unsigned dim)> index;
  /// A body's own load at `indices`, some of them vectors.
  llvm::function_ref<mlir::Value(mlir::memref::LoadOp, llvm::ArrayRef<mlir::Value> indices)> load;
};

/// Evaluates `block` on `args`, each a scalar or a vector of `lanes`. Ops whose
/// operands are all scalar stay scalar. Returns what the block yields.
llvm::SmallVector<mlir::Value> emitBody(const BodyContext &context, mlir::Block &block,
                                        llvm::ArrayRef<mlir::Value> args);

/// True when every op of the body can run on vectors.
bool isVectorizableBody(mlir::linalg::GenericOp op);

bool isVector(mlir::Value value);
/// The value in all lanes; a vector stays as it is.
mlir::Value splat(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value, int64_t lanes);

/// The op of `block` that folds an element into output argument `output`, when
/// it is associative and commutative and the body does nothing else with it.
mlir::Operation *findCombiner(mlir::linalg::GenericOp op, unsigned output);
/// combiner(a, b).
mlir::Value combine(mlir::OpBuilder &builder, mlir::Operation *combiner, mlir::Value a,
                    mlir::Value b);
/// Folds the lanes of a vector: floats by halves, integers in any order.
mlir::Value reduceLanes(mlir::OpBuilder &builder, mlir::Operation *combiner, mlir::Value vector);

}  // namespace adze::schedule
