// What the inference functions of the dialect share. One function an op both
// infers the result types and verifies operands and attributes; its errors are
// in the words of the model's author, because the importer shows them as they
// are.
#pragma once
#include "dialects/Graph/Graph.h"
#include "dialects/Graph/ShapeMath.h"

#include "llvm/ADT/STLExtras.h"

namespace adze::graph {

inline constexpr int64_t kDynamic = mlir::ShapedType::kDynamic;
inline bool isDynamic(int64_t extent) { return extent == kDynamic; }
using Shape = llvm::SmallVector<int64_t>;
using PartialInts = llvm::SmallVector<std::optional<int64_t>>;

/// The state of one inference: where errors go and where results are added.
class Infer {
 public:
  Infer(mlir::MLIRContext *ctx, std::optional<mlir::Location> loc,
        llvm::SmallVectorImpl<mlir::Type> &types)
      : ctx(ctx), loc(loc), types(types) {}

  mlir::MLIRContext *const ctx;

  /// Reports an error made of `args`, and fails.
  template <typename... Args>
  llvm::LogicalResult error(Args &&...args) const {
    return mlir::emitOptionalError(loc, std::forward<Args>(args)...);
  }

  /// Adds a result; fails when its size in bytes does not fit 63 bits.
  llvm::LogicalResult add(llvm::ArrayRef<int64_t> shape, mlir::Type element,
                          PanelsAttr layout = {});
  /// Adds an i64 result.
  llvm::LogicalResult addIndices(llvm::ArrayRef<int64_t> shape);

  /// Every operand is a ranked tensor, stored row-major but for operand
  /// `anyLayout`.
  llvm::LogicalResult ranked(mlir::ValueRange operands, int anyLayout) const;
  /// 0 <= axis < rank; `of` names what has that rank ("input").
  llvm::LogicalResult axis(int64_t axis, int64_t rank, llvm::StringRef of = "input") const;
  /// Axes in range, sorted and distinct.
  llvm::LogicalResult axes(llvm::ArrayRef<int64_t> axes, int64_t rank) const;
  /// `v` has exactly / at least this rank.
  llvm::LogicalResult rankIs(mlir::Value v, int64_t rank, llvm::StringRef name) const;
  llvm::LogicalResult rankAtLeast(mlir::Value v, int64_t rank, llvm::StringRef name) const;
  /// `v` is a rank-1 tensor with `size` elements, as far as known.
  llvm::LogicalResult list(mlir::Value v, int64_t size, llvm::StringRef name) const;
  /// `attr` has `size` entries, none below `least`.
  llvm::LogicalResult entries(llvm::ArrayRef<int64_t> attr, int64_t size, int64_t least,
                              llvm::StringRef name) const;
  /// `v` has elements of type `type`.
  llvm::LogicalResult elements(mlir::Value v, mlir::Type type, llvm::StringRef name) const;
  llvm::LogicalResult floats(mlir::Value v, llvm::StringRef name) const;
  /// i32 or i64 elements.
  llvm::LogicalResult indices(mlir::Value v) const;
  /// Extents a and b are equal as far as known; `a` becomes the static one.
  llvm::LogicalResult sameExtent(int64_t &a, int64_t b, llvm::StringRef what) const;
  /// `v` broadcasts to `shape` without changing it.
  llvm::LogicalResult broadcastsTo(mlir::Value v, llvm::ArrayRef<int64_t> shape,
                                   llvm::StringRef name) const;

 private:
  std::optional<mlir::Location> loc;
  llvm::SmallVectorImpl<mlir::Type> &types;
};

inline mlir::RankedTensorType typeOf(mlir::Value v) {
  return llvm::cast<mlir::RankedTensorType>(v.getType());
}
inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value v) { return typeOf(v).getShape(); }
inline int64_t rankOf(mlir::Value v) { return typeOf(v).getRank(); }
inline mlir::Type elementOf(mlir::Value v) { return typeOf(v).getElementType(); }
/// Number of elements, if static and below 2^63.
inline std::optional<int64_t> countOf(mlir::Value v) { return checkedNumElements(shapeOf(v)); }

/// partialInts, or `n` unknown elements where nothing is known.
PartialInts knownInts(mlir::Value v, int64_t n);

/// Where an extent comes from: element `dim` of the shape of `value`. Two equal
/// origins are the same number at run time.
struct DimOrigin {
  mlir::Value value;
  int64_t dim = 0;
  bool operator==(const DimOrigin &o) const { return value == o.value && dim == o.dim; }
  explicit operator bool() const { return value != nullptr; }
};
/// The origin of a dimension, through ops that keep it.
DimOrigin dimOrigin(mlir::Value v, int64_t dim);
/// For each element of a small integer tensor, the dimension it equals; null
/// where not known. Empty when nothing is known.
llvm::SmallVector<DimOrigin> dimOrigins(mlir::Value v);

/// "tensor<2x?xf32>" shapes in messages: "[2, ?]".
std::string shapeText(llvm::ArrayRef<int64_t> shape);

/// The one operand of an op that may have a layout; -1: none.
template <typename OpTy>
inline constexpr int kLaidOutOperand = -1;
template <>
inline constexpr int kLaidOutOperand<RelayoutOp> = 0;
template <>
inline constexpr int kLaidOutOperand<MatmulOp> = 1;
template <>
inline constexpr int kLaidOutOperand<ConvOp> = 1;

}  // namespace adze::graph

/// Opens the inference function of an op: the body sees `op` (its adaptor) and
/// `out` (Infer).
#define ADZE_INFER(OpTy)                                                                         \
  static ::llvm::LogicalResult infer##OpTy(OpTy::Adaptor op, Infer &out);                        \
  ::llvm::LogicalResult OpTy::inferReturnTypes(                                                  \
      ::mlir::MLIRContext *ctx, std::optional<::mlir::Location> loc, ::mlir::ValueRange operands, \
      ::mlir::DictionaryAttr attrs, ::mlir::OpaqueProperties properties,                         \
      ::mlir::RegionRange regions, ::llvm::SmallVectorImpl<::mlir::Type> &types) {               \
    Infer out(ctx, loc, types);                                                                  \
    if (failed(out.ranked(operands, kLaidOutOperand<OpTy>))) return ::mlir::failure();           \
    return infer##OpTy(OpTy::Adaptor(operands, attrs, properties, regions), out);                \
  }                                                                                              \
  static ::llvm::LogicalResult infer##OpTy([[maybe_unused]] OpTy::Adaptor op,                    \
                                           [[maybe_unused]] Infer &out)
