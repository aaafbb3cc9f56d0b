#include "passes/Import/NodeBuilder.h"

#include "passes/Import/Constants.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace adze::convert {

using namespace adze::graph;

//===-- The node -----------------------------------------------------------===//

bool NodeBuilder::wants(unsigned i) { return i < numOutputs() && !node.getResult(i).use_empty(); }

Value NodeBuilder::in(unsigned i) {
  if (has(i)) return inputs[i];
  return invalid("input " + Twine(i) + " is missing");
}

int64_t NodeBuilder::intAttr(StringRef name, int64_t otherwise) {
  auto attr = dyn_cast_if_present<IntegerAttr>(node.onnxAttr(name));
  return attr ? attr.getInt() : otherwise;
}

double NodeBuilder::floatAttr(StringRef name, double otherwise) {
  auto attr = dyn_cast_if_present<FloatAttr>(node.onnxAttr(name));
  return attr ? attr.getValueAsDouble() : static_cast<float>(otherwise);
}

StringRef NodeBuilder::strAttr(StringRef name, StringRef otherwise) {
  auto attr = dyn_cast_if_present<StringAttr>(node.onnxAttr(name));
  return attr ? attr.getValue() : otherwise;
}

std::optional<Ints> NodeBuilder::intsAttr(StringRef name) {
  auto attr = dyn_cast_if_present<DenseI64ArrayAttr>(node.onnxAttr(name));
  if (!attr) return std::nullopt;
  return Ints(attr.asArrayRef());
}

Ints NodeBuilder::intsAttr(StringRef name, size_t count, int64_t otherwise) {
  std::optional<Ints> given = intsAttr(name);
  if (!given || given->empty()) return Ints(count, otherwise);
  if (given->size() != count)
    invalid("attribute '" + name + "' has " + Twine(given->size()) + " entries, expected " +
            Twine(count));
  given->resize(count, otherwise);
  return *given;
}

std::optional<SmallVector<float>> NodeBuilder::floatsAttr(StringRef name) {
  auto attr = dyn_cast_if_present<DenseF32ArrayAttr>(node.onnxAttr(name));
  if (!attr) return std::nullopt;
  return SmallVector<float>(attr.asArrayRef());
}

std::optional<SmallVector<StringRef>> NodeBuilder::strsAttr(StringRef name) {
  auto attr = dyn_cast_if_present<ArrayAttr>(node.onnxAttr(name));
  if (!attr) return std::nullopt;
  SmallVector<StringRef> out;
  for (Attribute a : attr)
    if (auto s = dyn_cast<StringAttr>(a)) out.push_back(s.getValue());
  return out;
}

std::optional<Ints> NodeBuilder::constantInts(unsigned i, StringRef what) {
  Value v = in(i);
  if (!v) return std::nullopt;
  if (type(v).getShape() == ArrayRef<int64_t>{0}) return Ints();
  std::optional<SmallVector<int64_t>> values = graph::constantInts(v);
  if (!values) unsupported(what + " are computed at run time");
  return values;
}

std::optional<Ints> NodeBuilder::intsAttrOrInput(StringRef name, unsigned i) {
  if (auto given = intsAttr(name)) return given;
  if (!has(i)) return std::nullopt;
  return constantInts(i, name);
}

int64_t NodeBuilder::axis(int64_t value, int64_t rank) {
  int64_t given = value;
  if (value < 0) value += rank;
  if (value >= 0 && value < rank) return value;
  if (!failed()) invalid("axis " + Twine(given) + " is out of range for rank " + Twine(rank));
  return 0;
}

Ints NodeBuilder::axes(ArrayRef<int64_t> values, int64_t rank) {
  Ints out;
  for (int64_t v : values) out.push_back(axis(v, rank));
  llvm::sort(out);
  if (std::adjacent_find(out.begin(), out.end()) != out.end()) invalid("an axis is given twice");
  out.erase(llvm::unique(out), out.end());
  return out;
}

Type NodeBuilder::dtype(int64_t onnx) {
  MLIRContext *ctx = b.getContext();
  auto integer = [&](unsigned width, bool isUnsigned) -> Type {
    return IntegerType::get(ctx, width,
                            isUnsigned ? IntegerType::Unsigned : IntegerType::Signless);
  };
  switch (onnx) {  // TensorProto.DataType
    case 1: return b.getF32Type();
    case 2: return integer(8, true);
    case 3: return integer(8, false);
    case 4: return integer(16, true);
    case 5: return integer(16, false);
    case 6: return integer(32, false);
    case 7: return integer(64, false);
    case 9: return integer(1, false);
    case 10: return b.getF16Type();
    case 11: return b.getF64Type();
    case 12: return integer(32, true);
    case 13: return integer(64, true);
    case 16: return b.getBF16Type();
    case 17: return Float8E4M3FNType::get(ctx);
    case 18: return Float8E4M3FNUZType::get(ctx);
    case 19: return Float8E5M2Type::get(ctx);
    case 20: return Float8E5M2FNUZType::get(ctx);
    case 21: return integer(4, true);
    case 22: return integer(4, false);
    case 23: return Float4E2M1FNType::get(ctx);
    case 24: return Float8E8M0FNUType::get(ctx);
    case 25: return integer(2, true);
    case 26: return integer(2, false);
    case 27: return Float6E2M3FNType::get(ctx);
    case 28: return Float6E3M2FNType::get(ctx);
    case 8: unsupported("string tensors are not supported"); return {};
    case 14:
    case 15: unsupported("complex tensors are not supported"); return {};
    default: invalid("data type " + Twine(onnx) + " does not exist"); return {};
  }
}

//===-- Failures -----------------------------------------------------------===//

Value NodeBuilder::unsupported(const Twine &why) {
  if (!failed()) failure = Failure::Unsupported, reason = why.str();
  return {};
}

Value NodeBuilder::invalid(const Twine &why) {
  if (!failed()) failure = Failure::Invalid, reason = why.str();
  return {};
}

Value NodeBuilder::reported() {
  if (!failed()) failure = Failure::Reported;
  return {};
}

//===-- Constants ----------------------------------------------------------===//

Value NodeBuilder::constant(ElementsAttr value) { return ConstantOp::create(b, loc, value); }

bool NodeBuilder::isRuntime(unsigned i) {
  return has(i) && type(inputs[i]).getShape() != ArrayRef<int64_t>{0} &&
         !graph::constantInts(inputs[i]);
}

Value NodeBuilder::splat(Type element, double value, ArrayRef<int64_t> shape) {
  if (!element) return {};
  Attribute one = numberAttr(element, value);
  if (!one) return unsupported("no constant of this element type can be made");
  return constant(DenseElementsAttr::get(RankedTensorType::get(shape, element), one));
}

Value NodeBuilder::scalarInt(Type element, int64_t value) {
  if (!isa_and_present<IntegerType>(element)) return splat(element, double(value));
  return constant(DenseElementsAttr::get(RankedTensorType::get({}, element),
                                         Attribute(intAttrOf(element, value))));
}

Value NodeBuilder::ints(ArrayRef<int64_t> values) {
  auto type = RankedTensorType::get({int64_t(values.size())}, i64());
  return constant(DenseElementsAttr::get(type, values));
}

Value NodeBuilder::floats(ArrayRef<float> values) {
  auto type = RankedTensorType::get({int64_t(values.size())}, f32());
  return constant(DenseElementsAttr::get(type, values));
}

//===-- Elementwise --------------------------------------------------------===//

Value NodeBuilder::ew(ElementwiseFn fn, ValueRange args) {
  return make<ElementwiseOp>(args, named("fn", ElementwiseFnAttr::get(b.getContext(), fn)));
}

Value NodeBuilder::cast(Value x, Type to, bool saturate) {
  if (!x || !to) return {};
  if (element(x) == to) return x;
  return make<CastOp>(x, {named("to", TypeAttr::get(to)), flag("saturate", saturate)});
}

//===-- Shapes -------------------------------------------------------------===//

Value NodeBuilder::shapeOf(Value x) {
  if (x && type(x).hasStaticShape()) return ints(type(x).getShape());
  return make<ShapeOfOp>(x);
}

Value NodeBuilder::dim(Value x, int64_t axis) { return dims(x, axis, axis + 1); }

Value NodeBuilder::dims(Value x, int64_t from, int64_t to) {
  if (!x) return {};
  ArrayRef<int64_t> part = type(x).getShape().slice(from, to - from);
  if (llvm::none_of(part, ShapedType::isDynamic)) return ints(part);
  Value shape = shapeOf(x);
  return to - from == rank(x) ? shape : slice(shape, 0, from, to);
}

Value NodeBuilder::count(Value x, int64_t from, int64_t to) {
  if (!x) return {};
  Value product = ints({1});
  for (int64_t i = from; i < to; ++i)
    product = i == from ? dim(x, i) : mul(product, dim(x, i));
  return product;
}

Value NodeBuilder::join(ArrayRef<Value> pieces) {
  if (pieces.empty()) return ints({});
  if (pieces.size() == 1) return pieces.front();
  return concat(ValueRange(pieces), 0);
}

Value NodeBuilder::indexVector(Value v) {
  v = cast(v, i64());
  if (!v || rank(v) == 1) return v;
  return reshape(v, ints({rank(v) == 0 ? 1 : -1}));
}

Value NodeBuilder::listOf(Value v, int64_t length) {
  if (!v || rank(v) != 1 || !ShapedType::isDynamic(extent(v, 0))) return v;
  return reshape(v, ArrayRef<int64_t>{length});
}

Value NodeBuilder::scalar(Value v) {
  if (!v || rank(v) == 0) return v;
  return reshape(v, ints({}));
}

//===-- Moving data --------------------------------------------------------===//

Value NodeBuilder::reshape(Value x, Value shape) {
  Value y = make<ReshapeOp>({x, shape});
  // The same static type says that nothing moves.
  if (y && y.getType() == x.getType() && type(x).hasStaticShape()) return x;
  return y;
}

Value NodeBuilder::unsqueeze(Value x, ArrayRef<int64_t> axes) {
  if (!x || axes.empty()) return x;
  SmallVector<Value> pieces;
  int64_t from = 0, next = 0, total = rank(x) + axes.size();
  auto flush = [&] {
    if (next > from) pieces.push_back(dims(x, from, next));
    from = next;
  };
  for (int64_t i = 0; i < total; ++i) {
    if (!llvm::is_contained(axes, i)) {
      ++next;
      continue;
    }
    flush();
    pieces.push_back(ints({1}));
  }
  flush();
  return reshape(x, join(pieces));
}

Value NodeBuilder::squeeze(Value x, ArrayRef<int64_t> axes) {
  if (!x || axes.empty()) return x;
  SmallVector<Value> pieces;
  for (int64_t i : otherAxes(axes, rank(x))) pieces.push_back(dim(x, i));
  return reshape(x, join(pieces));
}

Value NodeBuilder::withRank(Value x, int64_t wanted) {
  if (!x || rank(x) >= wanted) return x;
  return unsqueeze(x, iota(wanted - rank(x)));
}

Value NodeBuilder::transpose(Value x, ArrayRef<int64_t> perm) {
  if (Ints(perm) == iota(perm.size())) return x;
  return make<TransposeOp>(x, list("perm", perm));
}

/// A kernel's code grows with its concat, so very many operands are joined in
/// groups first.
Value NodeBuilder::concat(ValueRange xs, int64_t axis) {
  constexpr size_t kMaxOperands = 64;
  SmallVector<Value> pieces(xs);
  while (pieces.size() > kMaxOperands) {
    SmallVector<Value> joined;
    for (size_t i = 0; i < pieces.size(); i += kMaxOperands)
      joined.push_back(concat(ArrayRef<Value>(pieces).slice(i).take_front(kMaxOperands), axis));
    pieces = std::move(joined);
  }
  if (pieces.size() == 1) return pieces.front();
  return make<ConcatOp>(pieces, named("axis", axis));
}

Value NodeBuilder::expand(Value x, Value shape) { return make<ExpandOp>({x, shape}); }

Value NodeBuilder::slice(Value x, Value starts, Value ends, Value steps) {
  return make<SliceOp>({x, starts, ends, steps});
}

Value NodeBuilder::slice(Value x, int64_t axis, int64_t start, int64_t end, int64_t step) {
  if (!x) return {};
  Ints starts(rank(x), 0), ends(rank(x), INT64_MAX), steps(rank(x), 1);
  starts[axis] = start, ends[axis] = end, steps[axis] = step;
  return slice(x, ints(starts), ints(ends), ints(steps));
}

Value NodeBuilder::gather(Value x, Value indices, int64_t axis) {
  return make<GatherOp>({x, indices}, named("axis", axis));
}

Value NodeBuilder::reduce(Value x, ReduceKind kind, ArrayRef<int64_t> axes, bool keepdims) {
  return make<ReduceOp>(x, {named("kind", ReduceKindAttr::get(b.getContext(), kind)),
                            list("axes", axes), flag("keepdims", keepdims)});
}

Value NodeBuilder::softmax(Value x, int64_t axis, bool log) {
  return make<SoftmaxOp>(x, {named("axis", axis), flag("log", log)});
}

Value NodeBuilder::matmul(Value a, Value c, bool transposeA, bool transposeB, Type accumulator) {
  SmallVector<NamedAttribute> attrs{flag("transpose_a", transposeA),
                                    flag("transpose_b", transposeB)};
  if (accumulator) attrs.push_back(named("accumulator", TypeAttr::get(accumulator)));
  return make<MatmulOp>({a, c}, attrs);
}

Value NodeBuilder::normalize(Value x, Value scale, Value bias, ArrayRef<int64_t> axes,
                             double epsilon, bool center) {
  SmallVector<Value> operands{x};
  if (scale) operands.push_back(scale);
  if (bias) operands.push_back(bias);
  return make<NormalizeOp>(
      operands, {list("axes", axes), f32Attr("epsilon", epsilon), flag("center", center),
                 named("operandSegmentSizes", b.getDenseI32ArrayAttr({1, scale ? 1 : 0, bias ? 1 : 0}))});
}

Value NodeBuilder::range(Value start, Value limit, Value delta) {
  return make<RangeOp>({start, limit, delta});
}

Value NodeBuilder::dequantize(Value x, Value scale, Value zeroPoint, int64_t axis,
                              int64_t blockSize) {
  return make<DequantizeOp>({x, scale, zeroPoint},
                            {named("axis", axis), named("block_size", blockSize)});
}

Value NodeBuilder::quantize(Value x, Value scale, Value zeroPoint, int64_t axis,
                            int64_t blockSize, bool saturate) {
  return make<QuantizeOp>({x, scale, zeroPoint},
                          {named("axis", axis), named("block_size", blockSize),
                           flag("saturate", saturate)});
}

Ints iota(int64_t n) {
  Ints out(n);
  for (int64_t i = 0; i < n; ++i) out[i] = i;
  return out;
}

Ints otherAxes(ArrayRef<int64_t> axes, int64_t rank) {
  Ints out;
  for (int64_t i = 0; i < rank; ++i)
    if (!llvm::is_contained(axes, i)) out.push_back(i);
  return out;
}

}  // namespace adze::convert
