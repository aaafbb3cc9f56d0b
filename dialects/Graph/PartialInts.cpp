// What is known at compile time of small integer tensors: shapes, indices,
// counts. A walk over their producers, bounded in depth and in work, so that a
// chain of a million additions costs no more than a short one.
#include "dialects/Graph/Infer.h"

#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;

namespace adze::graph {

namespace {
constexpr int64_t kMaxElements = 64;

/// An element: a number, else the dimension that it equals, else nothing.
struct Entry {
  std::optional<int64_t> number;
  DimOrigin origin;
};
using Entries = SmallVector<Entry>;

/// One query. `budget` counts the values looked at.
class Walk {
 public:
  /// The elements of `v` in row-major order; nullopt when its type is not that
  /// of a small integer tensor.
  std::optional<Entries> entries(Value v, int depth = 0);

 private:
  std::optional<Entries> known(Operation *op, int64_t count, int depth);
  std::optional<Entries> concat(ConcatOp op, int depth);
  std::optional<Entries> gather(GatherOp op, int depth);
  std::optional<Entries> slice(SliceOp op, int depth);
  std::optional<Entries> expand(ExpandOp op, int depth);
  std::optional<Entries> cast(CastOp op, int depth);
  std::optional<Entries> reduce(ReduceOp op, int depth);
  std::optional<Entries> elementwise(ElementwiseOp op, int depth);

  int budget = 512;
};

/// Wraps `v` to the integer type `type`; nullopt for what int64_t cannot hold.
std::optional<int64_t> wrapTo(Type type, int64_t v) {
  unsigned width = type.getIntOrFloatBitWidth();
  bool isUnsigned = type.isUnsignedInteger() || width == 1;
  if (width < 64) {
    uint64_t bits = static_cast<uint64_t>(v) << (64 - width);
    return isUnsigned ? static_cast<int64_t>(bits >> (64 - width))
                      : static_cast<int64_t>(bits) >> (64 - width);
  }
  if (isUnsigned && v < 0) return std::nullopt;
  return v;
}

Entries numbers(ArrayRef<int64_t> values) {
  Entries result;
  for (int64_t v : values) result.push_back({v, {}});
  return result;
}

/// Elements of a DenseResourceElementsAttr of whole-byte integers.
std::optional<SmallVector<int64_t>> resourceInts(DenseResourceElementsAttr attr) {
  AsmResourceBlob *blob = attr.getRawHandle().getBlob();
  unsigned width = attr.getElementType().getIntOrFloatBitWidth();
  unsigned bytes = width == 1 ? 1 : width / 8;
  int64_t count = attr.getNumElements();
  if (!blob || (width != 1 && width % 8) || blob->getData().size() != size_t(count) * bytes)
    return std::nullopt;
  SmallVector<int64_t> values;
  for (int64_t i = 0; i < count; ++i) {
    int64_t raw = 0;
    std::memcpy(&raw, blob->getData().data() + i * bytes, bytes);
    auto value = wrapTo(attr.getElementType(), raw);
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

std::optional<SmallVector<int64_t>> attributeInts(ElementsAttr attr) {
  if (!isa<IntegerType>(attr.getElementType())) return std::nullopt;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) return resourceInts(resource);
  auto dense = dyn_cast<DenseIntElementsAttr>(attr);
  if (!dense) return std::nullopt;
  SmallVector<int64_t> values;
  for (const APInt &v : dense) {
    if (v.getBitWidth() > 64) return std::nullopt;
    auto value = wrapTo(dense.getElementType(), static_cast<int64_t>(v.getZExtValue()));
    if (!value) return std::nullopt;
    values.push_back(*value);
  }
  return values;
}

std::optional<Entries> Walk::entries(Value v, int depth) {
  auto type = dyn_cast<RankedTensorType>(v.getType());
  if (!type || !isa<IntegerType>(type.getElementType())) return std::nullopt;
  std::optional<int64_t> count = checkedNumElements(type.getShape());
  if (!count || *count > kMaxElements) return std::nullopt;
  std::optional<Entries> result;
  if (Operation *op = v.getDefiningOp(); op && depth < 48 && --budget > 0)
    result = known(op, *count, depth + 1);
  if (!result || int64_t(result->size()) != *count) result = Entries(*count);
  return result;
}

std::optional<Entries> Walk::known(Operation *op, int64_t count, int depth) {
  if (auto constant = dyn_cast<ConstantOp>(op)) {
    auto values = attributeInts(constant.getValue());
    return values ? std::optional(numbers(*values)) : std::nullopt;
  }
  if (auto shape = dyn_cast<ShapeOfOp>(op)) {
    Entries result;
    for (auto [i, d] : llvm::enumerate(shapeOf(shape.getX())))
      if (isDynamic(d))
        result.push_back({std::nullopt, dimOrigin(shape.getX(), i)});
      else
        result.push_back({d, {}});
    return result;
  }
  if (auto reshape = dyn_cast<ReshapeOp>(op)) return entries(reshape.getX(), depth);
  if (auto transpose = dyn_cast<TransposeOp>(op); transpose && rankOf(transpose.getX()) < 2)
    return entries(transpose.getX(), depth);
  if (auto concat = dyn_cast<ConcatOp>(op)) return this->concat(concat, depth);
  if (auto gather = dyn_cast<GatherOp>(op)) return this->gather(gather, depth);
  if (auto slice = dyn_cast<SliceOp>(op)) return this->slice(slice, depth);
  if (auto expand = dyn_cast<ExpandOp>(op)) return this->expand(expand, depth);
  if (auto cast = dyn_cast<CastOp>(op)) return this->cast(cast, depth);
  if (auto reduce = dyn_cast<ReduceOp>(op)) return this->reduce(reduce, depth);
  if (auto elementwise = dyn_cast<ElementwiseOp>(op)) return this->elementwise(elementwise, depth);
  return std::nullopt;
}

std::optional<Entries> Walk::concat(ConcatOp op, int depth) {
  if (rankOf(op.getResult()) != 1) return std::nullopt;
  Entries result;
  for (Value x : op.getXs()) {
    auto part = entries(x, depth);
    if (!part) return std::nullopt;
    llvm::append_range(result, *part);
  }
  return result;
}

std::optional<Entries> Walk::gather(GatherOp op, int depth) {
  if (rankOf(op.getX()) != 1) return std::nullopt;
  auto x = entries(op.getX(), depth), indices = entries(op.getIndices(), depth);
  if (!x || !indices) return std::nullopt;
  Entries result;
  for (const Entry &e : *indices) {
    int64_t i = e.number.value_or(kDynamic), n = x->size();
    if (i < 0) i = i < -n ? n : i + n;
    result.push_back(e.number && i < n ? (*x)[i] : Entry());
  }
  return result;
}

std::optional<Entries> Walk::slice(SliceOp op, int depth) {
  if (rankOf(op.getX()) != 1) return std::nullopt;
  auto x = entries(op.getX(), depth);
  auto starts = entries(op.getStarts(), depth), ends = entries(op.getEnds(), depth);
  auto steps = entries(op.getSteps(), depth);
  if (!x) return std::nullopt;
  for (auto *bound : {&starts, &ends, &steps})
    if (!*bound || (*bound)->size() != 1 || !(**bound)[0].number) return std::nullopt;
  int64_t step = *(*steps)[0].number;
  if (step == 0) return std::nullopt;
  SliceRange range = sliceRange(x->size(), *(*starts)[0].number, *(*ends)[0].number, step);
  Entries result;
  for (int64_t i = 0; i < range.count; ++i) result.push_back((*x)[range.start + i * step]);
  return result;
}

std::optional<Entries> Walk::expand(ExpandOp op, int depth) {
  auto x = entries(op.getX(), depth);
  std::optional<int64_t> count = countOf(op.getResult());
  if (!x || !count || x->size() != 1) return std::nullopt;
  return Entries(*count, x->front());
}

std::optional<Entries> Walk::cast(CastOp op, int depth) {
  auto x = entries(op.getX(), depth);
  if (!x) return std::nullopt;
  Type to = op.getTo();
  for (Entry &e : *x) {
    // An extent keeps its value in any type that holds it; only i64 does.
    if (!to.isSignlessInteger(64)) e.origin = {};
    if (e.number) e.number = to.isInteger(1) ? int64_t(*e.number != 0) : wrapTo(to, *e.number);
  }
  return x;
}

std::optional<int64_t> combine(ReduceKind kind, int64_t a, int64_t b) {
  switch (kind) {
    case ReduceKind::Sum: return checkedAdd(a, b);
    case ReduceKind::Prod: return checkedMul(a, b);
    case ReduceKind::Max: return std::max(a, b);
    case ReduceKind::Min: return std::min(a, b);
    default: return std::nullopt;
  }
}

std::optional<Entries> Walk::reduce(ReduceOp op, int depth) {
  auto x = entries(op.getX(), depth);
  if (!x || x->empty() || int64_t(op.getAxes().size()) != rankOf(op.getX()))
    return std::nullopt;
  Entry result = x->front();
  for (const Entry &e : llvm::drop_begin(*x)) {
    result.origin = {};
    if (result.number)
      result.number = e.number ? combine(op.getKind(), *result.number, *e.number) : std::nullopt;
  }
  return Entries{result};
}

std::optional<int64_t> divide(int64_t a, int64_t b) {
  if (b == 0 || (a == INT64_MIN && b == -1)) return std::nullopt;
  return a / b;
}

std::optional<int64_t> modulo(int64_t a, int64_t b) {
  if (!divide(a, b)) return std::nullopt;
  int64_t r = a % b;
  return r != 0 && (r < 0) != (b < 0) ? r + b : r;
}

/// One element of an elementwise op whose operand elements are numbers.
std::optional<int64_t> compute(ElementwiseFn fn, ArrayRef<int64_t> a) {
  using Fn = ElementwiseFn;
  switch (fn) {
    case Fn::Abs: return a[0] < 0 ? checkedMul(a[0], -1) : a[0];
    case Fn::Neg: return checkedMul(a[0], -1);
    case Fn::Sign: return (a[0] > 0) - (a[0] < 0);
    case Fn::Not: return !a[0];
    case Fn::Add: return checkedAdd(a[0], a[1]);
    case Fn::Sub: return a[1] == INT64_MIN ? std::nullopt : checkedAdd(a[0], -a[1]);
    case Fn::Mul: return checkedMul(a[0], a[1]);
    case Fn::Div: return divide(a[0], a[1]);
    case Fn::Mod: return modulo(a[0], a[1]);
    case Fn::Min: return std::min(a[0], a[1]);
    case Fn::Max: return std::max(a[0], a[1]);
    case Fn::And: return a[0] && a[1];
    case Fn::Or: return a[0] || a[1];
    case Fn::Xor: return (a[0] != 0) != (a[1] != 0);
    case Fn::Equal: return a[0] == a[1];
    case Fn::Less: return a[0] < a[1];
    case Fn::LessEqual: return a[0] <= a[1];
    case Fn::Greater: return a[0] > a[1];
    case Fn::GreaterEqual: return a[0] >= a[1];
    default: return std::nullopt;
  }
}

/// An entry that the op passes through, or that follows from one operand.
Entry computeEntry(ElementwiseFn fn, ArrayRef<Entry> a, Type type) {
  using Fn = ElementwiseFn;
  if (fn == Fn::Select) {
    if (!a[0].number) return {};
    return *a[0].number ? a[1] : a[2];
  }
  if (a.size() == 2 && a[1].number && a[0].origin) {
    int64_t neutral = fn == Fn::Mul || fn == Fn::Div ? 1 : 0;
    bool keeps = fn == Fn::Mul || fn == Fn::Div || fn == Fn::Add || fn == Fn::Sub;
    if (keeps && *a[1].number == neutral) return a[0];
    // An extent is never negative: comparing it with -1 is a common idiom.
    if (fn == Fn::Equal && *a[1].number < 0) return {0, {}};
  }
  SmallVector<int64_t> values;
  for (const Entry &e : a) {
    if (!e.number) return {};
    values.push_back(*e.number);
  }
  auto value = compute(fn, values);
  // A result that wraps in its type is left unknown.
  if (value && wrapTo(type, *value) != value) value = std::nullopt;
  return {value, {}};
}

std::optional<Entries> Walk::elementwise(ElementwiseOp op, int depth) {
  std::optional<int64_t> count = countOf(op.getResult());
  if (!count || *count > kMaxElements) return std::nullopt;
  SmallVector<Entries> args;
  for (Value v : op.getArgs()) {
    auto arg = entries(v, depth);
    // Only scalars and operands of the result's own shape: enough for shapes.
    if (!arg || (arg->size() != 1 && shapeOf(v) != shapeOf(op.getResult()))) return std::nullopt;
    args.push_back(std::move(*arg));
  }
  Entries result;
  for (int64_t i = 0; i < *count; ++i) {
    SmallVector<Entry> at;
    for (const Entries &arg : args) at.push_back(arg.size() == 1 ? arg[0] : arg[i]);
    result.push_back(computeEntry(op.getFn(), at, elementOf(op.getResult())));
  }
  return result;
}

/// The operand whose dimension `dim` an elementwise op keeps: the only one
/// that can be other than 1 there.
DimOrigin throughElementwise(ElementwiseOp op, int64_t dim) {
  DimOrigin source;
  int64_t rank = rankOf(op.getResult());
  for (Value v : op.getArgs()) {
    int64_t at = dim - (rank - rankOf(v));
    if (at < 0 || shapeOf(v)[at] == 1) continue;
    if (source) return {};
    source = {v, at};
  }
  return source;
}

/// The dimension one op up that `o` equals; null when there is none.
DimOrigin stepUp(DimOrigin o) {
  Operation *op = o.value.getDefiningOp();
  if (!op) return {};
  if (auto elementwise = dyn_cast<ElementwiseOp>(op)) return throughElementwise(elementwise, o.dim);
  if (auto transpose = dyn_cast<TransposeOp>(op); transpose && o.dim < int64_t(transpose.getPerm().size()))
    return {transpose.getX(), transpose.getPerm()[o.dim]};
  if (isa<CastOp, SoftmaxOp, NormalizeOp, QuantizeOp, DequantizeOp, CumulativeOp, TriluOp>(op))
    return {op->getOperand(0), o.dim};
  bool windowed = isa<ConvOp, PoolOp>(op);
  if (windowed && o.dim == 0) return {op->getOperand(0), 0};
  return {};
}
}  // namespace

DimOrigin dimOrigin(Value v, int64_t dim) {
  DimOrigin origin{v, dim};
  for (int i = 0; i < 64; ++i) {
    DimOrigin up = stepUp(origin);
    if (!up) break;
    origin = up;
  }
  return origin;
}

SmallVector<DimOrigin> dimOrigins(Value v) {
  SmallVector<DimOrigin> result;
  if (auto entries = Walk().entries(v))
    for (const Entry &e : *entries) result.push_back(e.origin);
  return result;
}

std::optional<PartialInts> partialInts(Value v) {
  auto entries = Walk().entries(v);
  if (!entries) return std::nullopt;
  PartialInts result;
  for (const Entry &e : *entries) result.push_back(e.number);
  return result;
}

std::optional<SmallVector<int64_t>> constantInts(Value v) {
  if (auto constant = v.getDefiningOp<ConstantOp>()) return attributeInts(constant.getValue());
  auto partial = partialInts(v);
  if (!partial) return std::nullopt;
  SmallVector<int64_t> result;
  for (std::optional<int64_t> e : *partial) {
    if (!e) return std::nullopt;
    result.push_back(*e);
  }
  return result;
}

}  // namespace adze::graph
