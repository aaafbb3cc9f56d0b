// What is known of the alignment of vectors in memory.
#include "passes/Schedule/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/MathExtras.h"

namespace adze::schedule {
#define GEN_PASS_DEF_STATEALIGNMENT
#include "passes/Schedule/Passes.h.inc"
}  // namespace adze::schedule

using namespace mlir;

namespace adze::schedule {
namespace {

constexpr int64_t kBufferAlignment = 64;  ///< bytes; HostAbi.h promises it
constexpr int64_t kMost = 64;             ///< no one asks for more
constexpr unsigned kDepth = 16;           ///< ops that a question goes through

int64_t lowBit(int64_t value) {
  return value == 0 ? kMost : std::min<int64_t>(kMost, value & -value);
}

/// A power of two, at most kMost, that divides `index`.
class Divisors {
public:
  int64_t of(Value index, unsigned depth = 0) {
    if (auto found = known.find(index); found != known.end())
      return found->second;
    int64_t divisor = depth > kDepth ? 1 : compute(index, depth + 1);
    if (depth <= kDepth / 2)
      known[index] = divisor;
    return divisor;
  }

private:
  int64_t compute(Value index, unsigned depth) {
    if (std::optional<int64_t> constant = getConstantIntValue(index))
      return lowBit(*constant);
    if (auto arg = dyn_cast<BlockArgument>(index))
      return ofInduction(arg, depth);
    Operation *op = index.getDefiningOp();
    auto both = [&] { return std::min(of(op->getOperand(0), depth), of(op->getOperand(1), depth)); };
    if (isa<arith::AddIOp, arith::SubIOp, arith::MinSIOp, arith::MaxSIOp, arith::RemUIOp,
            arith::RemSIOp>(op))
      return both();
    if (isa<arith::MulIOp>(op))
      return std::min(kMost, of(op->getOperand(0), depth) * of(op->getOperand(1), depth));
    if (isa<arith::IndexCastOp, arith::IndexCastUIOp>(op))
      return of(op->getOperand(0), depth);
    if (auto select = dyn_cast<arith::SelectOp>(op))
      return std::min(of(select.getTrueValue(), depth), of(select.getFalseValue(), depth));
    return 1;
  }

  int64_t ofInduction(BlockArgument arg, unsigned depth) {
    Operation *parent = arg.getOwner()->getParentOp();
    if (auto loop = dyn_cast<scf::ForOp>(parent); loop && loop.getInductionVar() == arg)
      return std::min(of(loop.getLowerBound(), depth), of(loop.getStep(), depth));
    if (auto loop = dyn_cast<scf::ParallelOp>(parent)) {
      unsigned d = arg.getArgNumber();
      return std::min(of(loop.getLowerBound()[d], depth), of(loop.getStep()[d], depth));
    }
    return 1;
  }

  DenseMap<Value, int64_t> known;
};

class Alignments {
public:
  /// Of the first element of the buffer, in bytes.
  int64_t ofBuffer(Value buffer) {
    auto type = cast<MemRefType>(buffer.getType());
    int64_t element = elementBytes(type);
    if (isa<BlockArgument>(buffer))
      return isa<func::FuncOp>(cast<BlockArgument>(buffer).getOwner()->getParentOp()) &&
                     type.getLayout().isIdentity()
                 ? kBufferAlignment
                 : element;
    Operation *op = buffer.getDefiningOp();
    if (isa<memref::AllocOp>(op))
      return kBufferAlignment;
    if (isa<memref::CollapseShapeOp, memref::ExpandShapeOp, memref::CastOp>(op))
      return ofBuffer(op->getOperand(0));
    if (auto view = dyn_cast<memref::ViewOp>(op))
      return std::min(ofBuffer(view.getSource()), divisors.of(view.getByteShift()));
    if (auto cast = dyn_cast<memref::ReinterpretCastOp>(op))
      return ofReinterpreted(cast, element);
    return element;
  }

  int64_t ofAccess(Value buffer, ValueRange indices) {
    int64_t element = elementBytes(cast<MemRefType>(buffer.getType()));
    if (indices.size() != 1)
      return element;
    return std::min(ofBuffer(buffer), element * divisors.of(indices.front()));
  }

private:
  static int64_t elementBytes(MemRefType type) {
    Type element = type.getElementType();
    return element.isIntOrFloat() ? std::max<int64_t>(1, element.getIntOrFloatBitWidth() / 8) : 8;
  }

  /// Its offset counts from the base of what it casts.
  int64_t ofReinterpreted(memref::ReinterpretCastOp op, int64_t element) {
    Value base = op.getSource();
    if (auto metadata = base.getDefiningOp<memref::ExtractStridedMetadataOp>())
      base = ofBase(metadata.getSource());
    if (!base)
      return element;
    OpFoldResult offset = op.getMixedOffsets().front();
    int64_t divisor = isa<Value>(offset) ? divisors.of(cast<Value>(offset))
                                         : lowBit(*getConstantIntValue(offset));
    return std::min(ofBuffer(base), element * divisor);
  }

  /// The buffer that a chain of views is cut from; null where one has an offset
  /// that its type does not count from there.
  static Value ofBase(Value view) {
    while (Operation *op = view.getDefiningOp()) {
      if (!isa<memref::SubViewOp, memref::CastOp, memref::CollapseShapeOp, memref::ExpandShapeOp>(op))
        break;
      view = op->getOperand(0);
    }
    auto [strides, offset] = cast<MemRefType>(view.getType()).getStridesAndOffset();
    return offset == 0 ? view : Value();
  }

  Divisors divisors;
};

struct StateAlignment : impl::StateAlignmentBase<StateAlignment> {
  void runOnOperation() override {
    Alignments alignments;
    getOperation().walk([&](Operation *op) {
      if (auto load = dyn_cast<vector::LoadOp>(op))
        state(op, load.getVectorType(), alignments.ofAccess(load.getBase(), load.getIndices()));
      if (auto store = dyn_cast<vector::StoreOp>(op))
        state(op, store.getVectorType(), alignments.ofAccess(store.getBase(), store.getIndices()));
    });
  }

  /// Says it where it is more than an element's.
  static void state(Operation *op, VectorType type, int64_t alignment) {
    if (!type.getElementType().isIntOrFloat())
      return;
    int64_t element = std::max<int64_t>(1, type.getElementTypeBitWidth() / 8);
    int64_t bytes = llvm::bit_floor<uint64_t>(type.getNumElements() * element);
    if (alignment > element)
      op->setAttr("alignment", Builder(op->getContext()).getI64IntegerAttr(std::min(alignment, bytes)));
  }
};

}  // namespace
}  // namespace adze::schedule
