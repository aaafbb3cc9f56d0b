// A dense tensor value on the host: what the reference evaluator reads and
// makes. Elements are row-major, each in whole bytes: bool and the types below
// eight bits take one byte (bool 0 or 1, signed types sign-extended, small
// floats their bits). Copies share the bytes.
#pragma once
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include <memory>
#include <optional>
#include <vector>

namespace adze::reference {

class Tensor {
 public:
  Tensor() = default;

  /// A tensor of zeros; nullopt when memory does not suffice. The type is
  /// static and its elements are integers or floats.
  static std::optional<Tensor> zeros(mlir::RankedTensorType type);
  /// A tensor over bytes that `owner` keeps alive (null: they outlive all). The
  /// bytes are copied when they are not aligned for the element type. nullopt
  /// when there are not exactly as many bytes as the type needs.
  static std::optional<Tensor> view(mlir::RankedTensorType type, llvm::ArrayRef<char> bytes,
                                    std::shared_ptr<const void> owner);
  /// The value of a constant, not copied where its bytes are laid out alike;
  /// those then live as long as the attribute's context. nullopt when the
  /// attribute has no data.
  static std::optional<Tensor> fromAttr(mlir::ElementsAttr attr);

  mlir::RankedTensorType type() const { return type_; }
  mlir::Type element() const { return type_.getElementType(); }
  llvm::ArrayRef<int64_t> shape() const { return type_.getShape(); }
  int64_t dim(int64_t axis) const { return type_.getDimSize(axis); }
  int64_t rank() const { return type_.getRank(); }
  int64_t size() const { return size_; }                      ///< number of elements
  int64_t elementBytes() const { return elementBytes_; }      ///< bytes an element takes here
  int64_t byteSize() const { return size_ * elementBytes_; }

  const char *bytes() const { return bytes_; }
  /// For whoever made the tensor with `zeros`, before it is shared.
  char *mutableBytes() { return const_cast<char *>(bytes_); }
  template <typename T>
  llvm::ArrayRef<T> data() const {
    return {reinterpret_cast<const T *>(bytes_), size_t(size_)};
  }
  template <typename T>
  llvm::MutableArrayRef<T> mutableData() {
    return {reinterpret_cast<T *>(mutableBytes()), size_t(size_)};
  }
  /// What keeps the bytes alive; null when they outlive all.
  const std::shared_ptr<const void> &owner() const { return owner_; }
  explicit operator bool() const { return type_ != nullptr; }

  /// The same bytes under another shape of as many elements, or another
  /// element type of the same width.
  Tensor as(mlir::RankedTensorType type) const;

 private:
  mlir::RankedTensorType type_;
  int64_t size_ = 0, elementBytes_ = 0;
  const char *bytes_ = nullptr;
  std::shared_ptr<const void> owner_;
};

/// Bytes that an element of `type` takes in a Tensor.
int64_t storedBytes(mlir::Type type);

/// Row-major strides of `shape` in elements.
llvm::SmallVector<int64_t> stridesOf(llvm::ArrayRef<int64_t> shape);

// Element values as numbers. Floats of every format are exact in double;
// integers of every width are held in 64 bits, ui64 by its bit pattern.

bool isFloat(mlir::Type type);
bool isUnsigned(mlir::Type type);
/// The elements as doubles; integers are converted.
std::vector<double> toDoubles(const Tensor &t);
/// The elements of an integer or bool tensor.
std::vector<int64_t> toInts(const Tensor &t);
/// Stores `values` in t: floats rounded once to nearest even (too large becomes
/// infinity, or NaN where the format has none), integers wrapped.
void storeDoubles(Tensor &t, llvm::ArrayRef<double> values);
void storeInts(Tensor &t, llvm::ArrayRef<int64_t> values);
/// `v` wrapped to the width and sign of the integer type `type`.
int64_t wrapInt(mlir::Type type, int64_t v);
/// `v` rounded to the float type `type`, as a double.
double roundTo(mlir::Type type, double v);
/// The largest finite value of a float type; the range of an integer type.
double largestFinite(mlir::Type type);
int64_t lowestInt(mlir::Type type);
int64_t highestInt(mlir::Type type);

}  // namespace adze::reference
