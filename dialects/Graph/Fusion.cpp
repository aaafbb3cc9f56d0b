// FusibleOpInterface: one short block an op.
#include "dialects/Graph/Graph.h"

using namespace mlir;

#include "dialects/Graph/GraphInterfaces.cpp.inc"

namespace adze::graph {

using Role = FusionRole;

// Elementwise

Role ElementwiseOp::getFusionRole() { return Role::Elementwise; }
int64_t ElementwiseOp::stepsPerElement() { return elementwiseInfo(getFn()).steps; }

Role CastOp::getFusionRole() { return Role::Elementwise; }
Role BitcastOp::getFusionRole() { return Role::Elementwise; }
Role ExpandOp::getFusionRole() { return Role::Elementwise; }

// Blocks read one scale for a run of elements, by a division of the index.
Role QuantizeOp::getFusionRole() { return getBlockSize() ? Role::None : Role::Elementwise; }
Role DequantizeOp::getFusionRole() { return getBlockSize() ? Role::None : Role::Elementwise; }

// Moves

Role TransposeOp::getFusionRole() { return Role::Move; }

/// Known steps forwards: a view. Others read by computed index.
Role SliceOp::getFusionRole() {
  auto steps = constantInts(getSteps());
  bool forward = steps && llvm::all_of(*steps, [](int64_t step) { return step > 0; });
  return forward ? Role::Move : Role::None;
}

// Anchors

Role ConvOp::getFusionRole() { return Role::Anchor; }
Role ConvTransposeOp::getFusionRole() { return Role::Anchor; }
Role MatmulOp::getFusionRole() { return Role::Anchor; }

int64_t MatmulOp::rowDims() {
  int64_t rank = cast<RankedTensorType>(getResult().getType()).getRank();
  bool fits = cast<RankedTensorType>(getA().getType()).getRank() == rank && !getTransposeA();
  return fits ? rank - 1 : 0;
}

Role PoolOp::getFusionRole() { return Role::Anchor; }

Role ReduceOp::getFusionRole() { return Role::Anchor; }
int64_t ReduceOp::timesComputed(unsigned operand) { return operand == 0 ? 1 : 0; }

// The maximum, then the exponentials.
Role SoftmaxOp::getFusionRole() { return Role::Anchor; }
int64_t SoftmaxOp::timesComputed(unsigned operand) { return operand == 0 ? 2 : 0; }
int64_t SoftmaxOp::rowDims() {
  int64_t rank = cast<RankedTensorType>(getX().getType()).getRank();
  return int64_t(getAxis()) == rank - 1 ? rank - 1 : 0;
}

// The mean, the variance, then the result.
Role NormalizeOp::getFusionRole() { return Role::Anchor; }
int64_t NormalizeOp::timesComputed(unsigned operand) {
  return operand == 0 ? (getCenter() ? 3 : 2) : 0;
}

// Joins

Role ConcatOp::getFusionRole() { return Role::Join; }
int64_t ConcatOp::timesComputed(unsigned) { return 1; }

}  // namespace adze::graph
