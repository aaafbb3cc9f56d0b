// What a converter works with: the ONNX node's inputs and attributes, and
// adze ops that fold as they are built.
//
// Values flow like NaNs: every helper that gets a null value returns null, so
// a converter is written without checks, and its driver looks once at
// failed(). Axes are given normalised to 0..rank-1.
#pragma once
#include "dialects/Graph/Graph.h"
#include "dialects/Onnx/Onnx.h"
#include "passes/Import/Folding.h"
#include "passes/Import/Registry.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/Twine.h"

#include <functional>
#include <optional>

namespace adze::convert {

using graph::ElementwiseFn;
using Ints = llvm::SmallVector<int64_t>;

class NodeBuilder {
 public:
  /// Converts a subgraph's block at b's insertion point, with `args` for its
  /// arguments; gives the values it returns, or failure after reporting.
  using BodyFn = std::function<mlir::FailureOr<Values>(mlir::Block &from, mlir::ValueRange args)>;

  NodeBuilder(mlir::OpBuilder &b, onnxir::NodeOp node, mlir::ValueRange inputs, Folder &folder,
              BodyFn convertBody)
      : b(b), loc(node.getLoc()), node(node), inputs(inputs.begin(), inputs.end()),
        folder(folder), convertBody(std::move(convertBody)) {}

  mlir::OpBuilder &b;
  mlir::Location loc;
  onnxir::NodeOp node;
  Values inputs;  ///< converted; null where absent
  Folder &folder;
  BodyFn convertBody;

  // The node.
  int64_t version() { return node.getSinceVersion(); }
  mlir::StringRef opType() { return node.getOpType(); }
  unsigned numOutputs() { return node.getNumResults(); }
  /// Output i is there and used.
  bool wants(unsigned i);
  bool has(unsigned i) const { return i < inputs.size() && inputs[i]; }
  /// Input i; records an error and gives null when it is absent.
  mlir::Value in(unsigned i);
  /// Input i, or null, without an error.
  mlir::Value optional(unsigned i) const { return has(i) ? inputs[i] : mlir::Value(); }
  bool hasAttr(mlir::StringRef name) { return bool(node.onnxAttr(name)); }
  int64_t intAttr(mlir::StringRef name, int64_t otherwise = 0);
  bool boolAttr(mlir::StringRef name, bool otherwise = false) { return intAttr(name, otherwise); }
  /// A float32, as ONNX has all such attributes: so is the default.
  double floatAttr(mlir::StringRef name, double otherwise = 0);
  mlir::StringRef strAttr(mlir::StringRef name, mlir::StringRef otherwise = "");
  std::optional<Ints> intsAttr(mlir::StringRef name);
  Ints intsAttr(mlir::StringRef name, size_t count, int64_t otherwise);
  std::optional<llvm::SmallVector<float>> floatsAttr(mlir::StringRef name);
  std::optional<llvm::SmallVector<mlir::StringRef>> strsAttr(mlir::StringRef name);
  /// The attribute, or else the constant input `i`; nullopt when both are
  /// absent. A computed input is an unsupported case, recorded.
  std::optional<Ints> intsAttrOrInput(mlir::StringRef name, unsigned i);
  /// All elements of constant input i; records an unsupported case otherwise.
  std::optional<Ints> constantInts(unsigned i, mlir::StringRef what);
  /// Integer input i is given, not empty, and not known at compile time.
  bool isRuntime(unsigned i);
  /// -r..r-1 to 0..r-1, recording an error when out of range.
  int64_t axis(int64_t value, int64_t rank);
  Ints axes(llvm::ArrayRef<int64_t> values, int64_t rank);
  /// ONNX's data type number as an element type; null (and recorded) if none.
  mlir::Type dtype(int64_t onnx);

  // Failures: the first one counts.
  mlir::Value unsupported(const llvm::Twine &why);
  mlir::Value invalid(const llvm::Twine &why);
  /// tryCreate has reported an MLIR error already.
  mlir::Value reported();
  bool failed() const { return failure != Failure::None; }
  enum class Failure { None, Unsupported, Invalid, Reported };
  Failure failure = Failure::None;
  std::string reason;

  // Types.
  static mlir::RankedTensorType type(mlir::Value v) {
    return llvm::cast<mlir::RankedTensorType>(v.getType());
  }
  static mlir::Type element(mlir::Value v) { return v ? type(v).getElementType() : mlir::Type(); }
  static int64_t rank(mlir::Value v) { return v ? type(v).getRank() : 0; }
  /// Extent of an axis; ShapedType::kDynamic where unknown.
  static int64_t extent(mlir::Value v, int64_t axis) {
    return v ? type(v).getDimSize(axis) : mlir::ShapedType::kDynamic;
  }
  mlir::Type i64() { return b.getI64Type(); }
  mlir::Type i1() { return b.getI1Type(); }
  mlir::Type f32() { return b.getF32Type(); }

  // Ops. create() folds; null operands at the end are absent optionals.
  template <typename OpTy>
  Values create(mlir::ValueRange operands, llvm::ArrayRef<mlir::NamedAttribute> attrs = {}) {
    if (failed()) return Values(numResultsOf<OpTy>());
    for (mlir::Value v : operands)
      if (!v) return Values(numResultsOf<OpTy>());
    mlir::FailureOr<OpTy> op = graph::tryCreate<OpTy>(b, loc, operands, attrs);
    if (mlir::failed(op)) {
      reported();
      return Values(numResultsOf<OpTy>());
    }
    return folder.fold(b, op->getOperation());
  }
  /// The same for an op with one result.
  template <typename OpTy>
  mlir::Value make(mlir::ValueRange operands, llvm::ArrayRef<mlir::NamedAttribute> attrs = {}) {
    return create<OpTy>(operands, attrs).front();
  }
  mlir::NamedAttribute named(mlir::StringRef name, mlir::Attribute value) {
    return b.getNamedAttr(name, value);
  }
  mlir::NamedAttribute named(mlir::StringRef name, int64_t value) {
    return named(name, b.getI64IntegerAttr(value));
  }
  mlir::NamedAttribute flag(mlir::StringRef name, bool value) {
    return named(name, b.getBoolAttr(value));
  }
  mlir::NamedAttribute list(mlir::StringRef name, llvm::ArrayRef<int64_t> value) {
    return named(name, b.getDenseI64ArrayAttr(value));
  }
  mlir::NamedAttribute str(mlir::StringRef name, mlir::StringRef value) {
    return named(name, b.getStringAttr(value));
  }
  mlir::NamedAttribute f32Attr(mlir::StringRef name, double value) {
    return named(name, b.getF32FloatAttr(value));
  }

  // Constants.
  mlir::Value constant(mlir::ElementsAttr value);
  /// A tensor of one repeated value.
  mlir::Value splat(mlir::Type element, double value, llvm::ArrayRef<int64_t> shape = {});
  mlir::Value scalarInt(mlir::Type element, int64_t value);
  /// tensor<n x i64>.
  mlir::Value ints(llvm::ArrayRef<int64_t> values);
  /// tensor<i64>.
  mlir::Value index(int64_t value) { return scalarInt(i64(), value); }
  mlir::Value floats(llvm::ArrayRef<float> values);

  // Elementwise.
  mlir::Value ew(ElementwiseFn fn, mlir::ValueRange args);
  mlir::Value add(mlir::Value a, mlir::Value c) { return ew(ElementwiseFn::Add, {a, c}); }
  mlir::Value sub(mlir::Value a, mlir::Value c) { return ew(ElementwiseFn::Sub, {a, c}); }
  mlir::Value mul(mlir::Value a, mlir::Value c) { return ew(ElementwiseFn::Mul, {a, c}); }
  mlir::Value div(mlir::Value a, mlir::Value c) { return ew(ElementwiseFn::Div, {a, c}); }
  mlir::Value min(mlir::Value a, mlir::Value c) { return ew(ElementwiseFn::Min, {a, c}); }
  mlir::Value max(mlir::Value a, mlir::Value c) { return ew(ElementwiseFn::Max, {a, c}); }
  mlir::Value select(mlir::Value cond, mlir::Value a, mlir::Value c) {
    return ew(ElementwiseFn::Select, {cond, a, c});
  }
  /// x op a scalar of x's type.
  mlir::Value addS(mlir::Value x, double s) { return x ? add(x, splat(element(x), s)) : x; }
  mlir::Value mulS(mlir::Value x, double s) { return x ? mul(x, splat(element(x), s)) : x; }
  mlir::Value cast(mlir::Value x, mlir::Type to, bool saturate = true);

  // Shapes.
  mlir::Value shapeOf(mlir::Value x);
  /// Extent of one axis as tensor<1xi64>.
  mlir::Value dim(mlir::Value x, int64_t axis);
  /// Extents of the axes [from, to) as a rank-1 tensor.
  mlir::Value dims(mlir::Value x, int64_t from, int64_t to);
  /// Number of elements of axes [from, to) as tensor<1xi64>.
  mlir::Value count(mlir::Value x, int64_t from, int64_t to);
  /// Rank-1 pieces joined; a single piece is itself, none is tensor<0xi64>.
  mlir::Value join(llvm::ArrayRef<mlir::Value> pieces);
  /// A rank-0 or rank-1 integer tensor as tensor<1xi64> or tensor<n x i64>.
  mlir::Value indexVector(mlir::Value v);
  /// A list that must have `length` entries. Where its length is not known, a
  /// run with another one ends in an error.
  mlir::Value listOf(mlir::Value v, int64_t length);
  /// A one-element tensor as a rank-0 one.
  mlir::Value scalar(mlir::Value v);

  // Moving data.
  mlir::Value reshape(mlir::Value x, mlir::Value shape);
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<int64_t> shape) {
    return reshape(x, ints(shape));
  }
  /// x with extents of one inserted where `axes` stand in the result.
  mlir::Value unsqueeze(mlir::Value x, llvm::ArrayRef<int64_t> axes);
  /// x without `axes`, whose extents are 1.
  mlir::Value squeeze(mlir::Value x, llvm::ArrayRef<int64_t> axes);
  /// x with leading ones up to `rank`.
  mlir::Value withRank(mlir::Value x, int64_t rank);
  mlir::Value transpose(mlir::Value x, llvm::ArrayRef<int64_t> perm);
  mlir::Value concat(mlir::ValueRange xs, int64_t axis);
  mlir::Value expand(mlir::Value x, mlir::Value shape);
  /// x[start:end] along one axis; negative values as in ONNX.
  mlir::Value slice(mlir::Value x, int64_t axis, int64_t start, int64_t end, int64_t step = 1);
  mlir::Value slice(mlir::Value x, mlir::Value starts, mlir::Value ends, mlir::Value steps);
  mlir::Value gather(mlir::Value x, mlir::Value indices, int64_t axis);
  mlir::Value reduce(mlir::Value x, graph::ReduceKind kind, llvm::ArrayRef<int64_t> axes,
                     bool keepdims = true);
  mlir::Value softmax(mlir::Value x, int64_t axis, bool log = false);
  mlir::Value matmul(mlir::Value a, mlir::Value c, bool transposeA = false,
                     bool transposeB = false, mlir::Type accumulator = {});
  mlir::Value normalize(mlir::Value x, mlir::Value scale, mlir::Value bias,
                        llvm::ArrayRef<int64_t> axes, double epsilon, bool center);
  mlir::Value range(mlir::Value start, mlir::Value limit, mlir::Value delta);
  mlir::Value dequantize(mlir::Value x, mlir::Value scale, mlir::Value zeroPoint,
                         int64_t axis = 0, int64_t blockSize = 0);
  mlir::Value quantize(mlir::Value x, mlir::Value scale, mlir::Value zeroPoint, int64_t axis = 0,
                       int64_t blockSize = 0, bool saturate = true);

 private:
  template <typename OpTy>
  static constexpr unsigned numResultsOf() {
    if constexpr (OpTy::template hasTrait<mlir::OpTrait::OneResult>()) return 1;
    return 4;  // no op that infers its types has more
  }
};

/// 0, 1, ..., n-1.
Ints iota(int64_t n);
/// The axes of 0..rank-1 that are not in `axes`.
Ints otherAxes(llvm::ArrayRef<int64_t> axes, int64_t rank);

}  // namespace adze::convert
