// One evaluation of one op, as its evaluator sees it.
#pragma once
#include "dialects/Graph/Graph.h"
#include "lib/Reference/Evaluate.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/raw_ostream.h"

namespace adze::reference {

/// Runs blocks and holds the values in scope.
class Machine {
 public:
  explicit Machine(const Options &options) : options(options) {}

  const Options &options;
  std::string message;  ///< why the last failure happened

  /// Evaluates `op` on `inputs`.
  mlir::FailureOr<Tensors> run(mlir::Operation *op, llvm::ArrayRef<Tensor> inputs);
  /// Runs the only block of `region` on `args`; what its terminator returns.
  mlir::FailureOr<Tensors> run(mlir::Region &region, llvm::ArrayRef<Tensor> args);

  template <typename... Args>
  llvm::LogicalResult error(Args &&...args) {
    message.clear();
    llvm::raw_string_ostream os(message);
    (os << ... << args);
    return mlir::failure();
  }

 private:
  mlir::FailureOr<Tensors> operands(mlir::Operation *op);
  const llvm::SmallVector<mlir::Value> &dying(mlir::Operation *op);

  llvm::DenseMap<mlir::Value, Tensor> values;
  llvm::DenseMap<mlir::Operation *, llvm::SmallVector<mlir::Value>> lastUses;
  llvm::DenseMap<mlir::Block *, bool> planned;
};

struct Call {
  Machine &machine;
  mlir::Operation *op;
  llvm::ArrayRef<Tensor> inputs;
  /// Zeros of the result types, where those follow from the inputs; else null
  /// tensors for the evaluator to make.
  Tensors results;

  /// The operand of this position; of ops without optional operands.
  const Tensor &in(unsigned i) const { return inputs[i]; }
  /// The operand group of this number in an op with optional ones; null when
  /// absent.
  template <typename OpTy>
  const Tensor *optional(OpTy op, unsigned i) const {
    auto [start, length] = op.getODSOperandIndexAndLength(i);
    return length ? &inputs[start] : nullptr;
  }
  Tensor &out(unsigned i = 0) { return results[i]; }
  /// Makes result `i`, whose shape is now known.
  llvm::LogicalResult make(unsigned i, llvm::ArrayRef<int64_t> shape);

  template <typename... Args>
  llvm::LogicalResult error(Args &&...args) {
    return machine.error(std::forward<Args>(args)...);
  }
};

/// The evaluator of an op: specialised once an op, in the file of its family.
template <typename OpTy>
llvm::LogicalResult evaluateOp(OpTy op, Call &call);

#define ADZE_EVALUATE(OpTy)                                                              \
  template <>                                                                            \
  ::llvm::LogicalResult evaluateOp(::adze::graph::OpTy op, [[maybe_unused]] Call &call)

/// Calls f with an unsigned integer of the element's width: how data moves.
template <typename F>
void byWidth(const Tensor &t, F f) {
  switch (t.elementBytes()) {
    case 1: return f(uint8_t());
    case 2: return f(uint16_t());
    case 4: return f(uint32_t());
    default: return f(uint64_t());
  }
}

/// Copies a box of elements between tensors of one element width: element
/// [i0, i1, ...] of `extents` goes from fromOffset + sum(i * fromStrides) to
/// toOffset + sum(i * toStrides). Offsets and strides count elements.
void copyBox(const Tensor &from, int64_t fromOffset, llvm::ArrayRef<int64_t> fromStrides, Tensor &to,
             int64_t toOffset, llvm::ArrayRef<int64_t> toStrides, llvm::ArrayRef<int64_t> extents);

/// to[i0, i1, ...] = from[sources[0][i0], sources[1][i1], ...]; the one element
/// at `fill` where a source is negative.
void gatherBox(const Tensor &from, llvm::ArrayRef<std::vector<int64_t>> sources, const void *fill,
               Tensor &to);

/// Strides with which a tensor of shape `from` reads as one of shape `to`,
/// aligned at the right: 0 along axes that are broadcast.
llvm::SmallVector<int64_t> broadcastStrides(llvm::ArrayRef<int64_t> from,
                                            llvm::ArrayRef<int64_t> to);
/// The elements of a tensor of shape `from`, broadcast to shape `to`.
template <typename T>
std::vector<T> broadcastTo(std::vector<T> values, llvm::ArrayRef<int64_t> from,
                           llvm::ArrayRef<int64_t> to);

/// Steps a multi-index through `shape` in row-major order; false at the end.
inline bool nextIndex(llvm::MutableArrayRef<int64_t> index, llvm::ArrayRef<int64_t> shape) {
  for (size_t i = index.size(); i-- > 0;) {
    if (++index[i] < shape[i]) return true;
    index[i] = 0;
  }
  return false;
}

/// An axis of x with what stands before and after it: element i of line
/// (outer, inner) is at (outer * extent + i) * inner_count + inner.
struct Lines {
  int64_t outer = 1, extent = 1, inner = 1;
  Lines(llvm::ArrayRef<int64_t> shape, int64_t axis) : extent(shape[axis]) {
    for (int64_t d : shape.take_front(axis)) outer *= d;
    for (int64_t d : shape.drop_front(axis + 1)) inner *= d;
  }
  int64_t count() const { return outer * inner; }
  /// First element of line `i`; the others follow at distance `inner`.
  int64_t start(int64_t i) const { return i / inner * extent * inner + i % inner; }
};

}  // namespace adze::reference
