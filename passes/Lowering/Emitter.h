// What every lowering pattern builds with.
#pragma once
#include "dialects/Graph/IndexMath.h"
#include "dialects/Graph/Reify.h"
#include "passes/Lowering/Patterns.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace adze::lowering {

using Fold = mlir::OpFoldResult;
using Folds = llvm::SmallVector<Fold>;
using graph::IndexMath;

inline mlir::RankedTensorType tensorType(mlir::Value v) {
  return llvm::cast<mlir::RankedTensorType>(v.getType());
}
inline int64_t rankOf(mlir::Value v) { return tensorType(v).getRank(); }
inline mlir::Type elementOf(mlir::Value v) { return tensorType(v).getElementType(); }

/// How elements of an adze type are stored, and in what type they compute:
/// bool i8 / i1, half precision as is / f32.
mlir::Type storageType(mlir::Type element);
mlir::Type computeType(mlir::Type element);
/// A stored scalar in its compute type, and back.
mlir::Value loadScalar(mlir::OpBuilder &b, mlir::Location loc, mlir::Value v, mlir::Type element);
mlir::Value storeScalar(mlir::OpBuilder &b, mlir::Location loc, mlir::Value v, mlir::Type element);
/// A scalar constant in a compute or storage type.
mlir::Value scalarConstant(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type, double v);
mlir::Value intConstant(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type, int64_t v);

/// A compute-type scalar of adze type `element` in an accumulator type.
mlir::Value widen(mlir::OpBuilder &b, mlir::Location loc, mlir::Value v, mlir::Type element,
                  mlir::Type accumulator);
/// acc + a * c with contraction allowed, so that it may become one FMA.
mlir::Value multiplyAdd(mlir::OpBuilder &b, mlir::Location loc, mlir::Value a, mlir::Value c,
                        mlir::Value acc);

/// The scalar function on compute-type operands; `element` is the adze type of
/// the (last) operand, `elements` of all.
mlir::Value emitFunction(mlir::OpBuilder &b, mlir::Location loc, graph::ElementwiseFn fn,
                         mlir::ValueRange args, llvm::ArrayRef<mlir::Type> elements);
/// ONNX Cast from a stored scalar to a stored scalar; null if a type has no
/// conversion.
mlir::Value emitCast(mlir::OpBuilder &b, mlir::Location loc, mlir::Value v, mlir::Type from,
                     mlir::Type to);

/// Body of a generic with one result: block arguments to the value yielded.
using Body = llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location, mlir::ValueRange)>;
using Bodies = llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::OpBuilder &, mlir::Location,
                                                                 mlir::ValueRange)>;

/// Builds the replacement of one op from its converted operands.
class Emitter {
 public:
  Emitter(mlir::ConversionPatternRewriter &b, mlir::Operation *op, mlir::ValueRange operands,
          const mlir::TypeConverter &types, LoweringState &state)
      : b(b), loc(op->getLoc()), m(b, op->getLoc()), op(op), operands(operands), types(types),
        state(state) {}

  mlir::ConversionPatternRewriter &b;
  mlir::Location loc;
  IndexMath m;

  mlir::Operation *getOp() const { return op; }
  LoweringState &getState() const { return state; }
  const mlir::TypeConverter &getTypes() const { return types; }
  graph::DimExprs &exprs() const { return state.exprs; }

  /// Converted operand `i`, and the value it was.
  mlir::Value operand(unsigned i) const { return operands[i]; }
  mlir::Value original(unsigned i) const { return op->getOperand(i); }
  mlir::Type adzeElement(unsigned i) const { return elementOf(op->getOperand(i)); }
  /// Extents of operand `i`.
  Folds extents(unsigned i);
  Fold extent(unsigned i, unsigned dim);
  /// Stored scalar `i` (row-major) of a rank-0, rank-1 or static operand.
  mlir::Value element(unsigned operand, int64_t i);
  /// The same as an index.
  Fold elementIndex(unsigned operand, int64_t i);
  /// Extents of result `i`; remembered for its users. Fails if data-dependent.
  mlir::FailureOr<Folds> resultExtents(unsigned i = 0);
  void setResultExtents(unsigned i, Folds extents) {
    state.extents[op->getResult(i)] = std::move(extents);
  }

  Folds extentsOf(mlir::Value v);
  mlir::Value empty(llvm::ArrayRef<Fold> extents, mlir::Type storage);
  mlir::Value filled(llvm::ArrayRef<Fold> extents, mlir::Value scalar);
  mlir::Value zeros(llvm::ArrayRef<Fold> extents, mlir::Type storage);
  mlir::Value index(int64_t v) { return m.value(m.constant(v)); }

  /// linalg.generic over `iterators` with one output.
  mlir::Value generic(mlir::ValueRange ins, mlir::Value out, llvm::ArrayRef<mlir::AffineMap> maps,
                      llvm::ArrayRef<mlir::utils::IteratorType> iterators, Body body);
  mlir::ValueRange generics(mlir::ValueRange ins, mlir::ValueRange outs,
                            llvm::ArrayRef<mlir::AffineMap> maps,
                            llvm::ArrayRef<mlir::utils::IteratorType> iterators, Bodies body);
  /// All-parallel generic into a fresh tensor; the last map (identity) is added.
  mlir::Value map(mlir::ValueRange ins, llvm::ArrayRef<mlir::AffineMap> inMaps,
                  llvm::ArrayRef<Fold> extents, mlir::Type storage, Body body);
  /// All-parallel generic whose body has only indices.
  mlir::Value fromIndices(llvm::ArrayRef<Fold> extents, mlir::Type storage,
                          llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                                         mlir::ValueRange)> body);

  mlir::AffineMap identity(int64_t rank) {
    return mlir::AffineMap::getMultiDimIdentityMap(rank, b.getContext());
  }
  mlir::AffineMap affineMap(int64_t dims, llvm::ArrayRef<mlir::AffineExpr> results) {
    return mlir::AffineMap::get(dims, 0, results, b.getContext());
  }

  /// Map that reads operand `i` broadcast (numpy) against `extents`, whose
  /// expressions are `target`. Where an extent may or may not be 1 at run time
  /// `v` (the converted operand) is replaced by a broadcast copy if it is.
  mlir::AffineMap broadcastMap(unsigned i, mlir::Value &v, llvm::ArrayRef<Fold> extents,
                               llvm::ArrayRef<mlir::AffineExpr> target);
  /// Expressions of a result's extents.
  llvm::SmallVector<mlir::AffineExpr> exprsOf(mlir::Value original);

  /// Copy-free change of shape between tensors of equally many elements. The
  /// expressions, one an extent, tell which extents belong together.
  mlir::Value reshape(mlir::Value v, llvm::ArrayRef<mlir::AffineExpr> from,
                      llvm::ArrayRef<Fold> to, llvm::ArrayRef<mlir::AffineExpr> into);
  mlir::Value collapse(mlir::Value v, llvm::ArrayRef<mlir::ReassociationIndices> groups);
  mlir::Value expand(mlir::Value v, llvm::ArrayRef<mlir::ReassociationIndices> groups,
                     llvm::ArrayRef<Fold> extents);
  /// `v` with unit dimensions inserted so that axes `axes` of the result are 1.
  mlir::Value insertUnitDims(mlir::Value v, llvm::ArrayRef<int64_t> axes);

  /// `v` with `low` and `high` elements of `scalar` around each axis; constant
  /// negative counts crop.
  mlir::Value pad(mlir::Value v, llvm::ArrayRef<Fold> low, llvm::ArrayRef<Fold> high,
                  mlir::Value scalar);
  /// Reduces `axes` of the space `extents` from `init` with `combine` (the last
  /// block argument is the accumulator). `maps` read `ins` over that space. The
  /// result lacks the reduced axes.
  mlir::Value reduce(mlir::ValueRange ins, llvm::ArrayRef<mlir::AffineMap> maps,
                     llvm::ArrayRef<Fold> extents, llvm::ArrayRef<int64_t> axes, mlir::Value init,
                     Body combine);
  /// The map of a result of `reduce` over its space.
  mlir::AffineMap droppedMap(int64_t rank, llvm::ArrayRef<int64_t> axes);

  /// Ends the run with an error unless `condition` (i1) holds.
  void check(mlir::Value condition, llvm::StringRef message);
  void checkEqual(Fold l, Fold r, llvm::StringRef message);

  /// The scalar of a splat constant operand in its compute type, for use in a
  /// body; nullopt when it is no splat.
  std::optional<mlir::TypedAttr> splat(unsigned i);

  mlir::Value cast(mlir::Value v, mlir::Type type);  // tensor.cast where types differ
  /// Replaces the op, casting to its converted result types.
  llvm::LogicalResult replace(mlir::ValueRange values);
  llvm::LogicalResult replace(mlir::Value value) { return replace(mlir::ValueRange(value)); }
  llvm::LogicalResult unsupported(const llvm::Twine &why) {
    return b.notifyMatchFailure(op, why);
  }

 private:
  mlir::Operation *op;
  mlir::ValueRange operands;
  const mlir::TypeConverter &types;
  LoweringState &state;
};

/// Emits the checks that the op needs before any code that relies on extents
/// its operands promise each other. What is proven costs nothing. Broadcasts,
/// concat and indices are checked where they are lowered.
void checkOperands(Emitter &e);

/// A pattern from one adze op: `lower` builds the replacement.
template <typename OpTy>
class Lower : public mlir::OpConversionPattern<OpTy> {
 public:
  Lower(const mlir::TypeConverter &types, LoweringState &state, mlir::PatternBenefit benefit = 1)
      : mlir::OpConversionPattern<OpTy>(types, state.exprs.getContext(), benefit), state(state) {}

  llvm::LogicalResult matchAndRewrite(
      OpTy op, typename mlir::OpConversionPattern<OpTy>::OpAdaptor adaptor,
      mlir::ConversionPatternRewriter &b) const final {
    Emitter e(b, op, adaptor.getOperands(), *this->getTypeConverter(), state);
    checkOperands(e);
    return lower(op, e);
  }

 protected:
  virtual llvm::LogicalResult lower(OpTy op, Emitter &e) const = 0;
  LoweringState &state;
};

template <typename... Patterns>
void addPatterns(const mlir::TypeConverter &types, LoweringState &state,
                 mlir::RewritePatternSet &patterns) {
  (patterns.add(std::make_unique<Patterns>(types, state)), ...);
}

inline llvm::SmallVector<mlir::utils::IteratorType> parallel(int64_t n) {
  return llvm::SmallVector<mlir::utils::IteratorType>(n, mlir::utils::IteratorType::parallel);
}

}  // namespace adze::lowering
