#include "Program.h"

#include "lib/Reference/Evaluate.h"
#include "lib/Reference/Fold.h"
#include "passes/Layout/Passes.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir;

namespace adze::differential {

using namespace graph;
using Fn = ElementwiseFn;
using reference::follow;
using reference::magnitudeOf;
using reference::Tensor;

static constexpr int64_t kMostElements = 20000;
static constexpr double kLargest = 1e4;  ///< values stay where f16 has them

//===-- Choices ------------------------------------------------------------===//

/// Around vector lengths and tiles, and 1.
int64_t Program::extent() {
  return oneOf<int64_t>({1, 1, 2, 3, 3, 5, 7, 8, 15, 16, 17, 31, 33, 48, 64, 65, 70});
}

const Known *Program::choose(llvm::function_ref<bool(const Known &)> fits) {
  for (unsigned tries = 0; tries < 8; ++tries) {
    size_t recent = std::min<size_t>(known.size(), 5);
    size_t i = chance(75) ? known.size() - 1 - pick(recent) : pick(known.size());
    if (fits(known[i])) return &known[i];
  }
  return nullptr;
}

const Known *Program::chooseFloat(int64_t leastRank) {
  return choose([&](const Known &k) {
    return reference::isFloat(k.tensor.element()) && k.tensor.rank() >= leastRank;
  });
}

//===-- Growing ------------------------------------------------------------===//

Tensor Program::randomTensor(Shape shape, Type element, double low, double high) {
  Tensor t = *Tensor::zeros(RankedTensorType::get(shape, element));
  std::vector<double> values(t.size());
  std::uniform_real_distribution<double> uniform(low, high);
  for (double &v : values) v = uniform(random);
  if (reference::isFloat(element))
    reference::storeDoubles(t, values);
  else
    reference::storeInts(t, llvm::map_to_vector(values, [](double v) { return int64_t(std::floor(v)); }));
  return t;
}

void Program::addInput(Shape shape, Type element) {
  Shape seen = shape;
  for (int64_t &d : seen)
    if (chance(50)) d = ShapedType::kDynamic;
  Value v = function.getBody().addArgument(RankedTensorType::get(seen, element), b.getUnknownLoc());
  bool isFloat = reference::isFloat(element);
  inputs_.push_back(randomTensor(shape, element, isFloat || !element.isUnsignedInteger() ? -2 : 0,
                                 isFloat ? 2 : 9));
  known.push_back({v, inputs_.back(), 0});
}

Known Program::constant(const Tensor &t) {
  Value v = ConstantOp::create(b, b.getUnknownLoc(), reference::toAttr(t));
  return {v, t, 0};
}

Known Program::constant(Shape shape, Type element, double low, double high) {
  return constant(randomTensor(shape, element, low, high));
}

Known Program::ints(ArrayRef<int64_t> values) {
  Tensor t = *Tensor::zeros(RankedTensorType::get({int64_t(values.size())}, b.getI64Type()));
  reference::storeInts(t, values);
  return constant(t);
}

Known Program::scalar(Type element, double v) {
  Tensor t = *Tensor::zeros(RankedTensorType::get({}, element));
  if (reference::isFloat(element)) reference::storeDoubles(t, {v});
  else reference::storeInts(t, {int64_t(v)});
  return constant(t);
}

NamedAttribute Program::attr(StringRef name, Attribute value) { return b.getNamedAttr(name, value); }
NamedAttribute Program::list(StringRef name, ArrayRef<int64_t> v) {
  return attr(name, b.getDenseI64ArrayAttr(v));
}
NamedAttribute Program::number(StringRef name, int64_t v) {
  return attr(name, b.getI64IntegerAttr(v));
}
NamedAttribute Program::flag(StringRef name, bool v) { return attr(name, b.getBoolAttr(v)); }

const Known *Program::keep(Operation *made, ArrayRef<Known> ins) {
  reference::Tensors tensors;
  for (const Known &k : ins) tensors.push_back(k.tensor);
  auto outs = reference::evaluate(made, tensors);
  std::vector<Known> results;
  for (auto [v, t] : llvm::zip(made->getResults(), succeeded(outs) ? *outs : reference::Tensors())) {
    auto result = follow(made, ins, v, t);
    bool usable = result && result->unsure.empty() && t.size() <= kMostElements &&
                  magnitudeOf(t) <= kLargest && result->error <= 0.05 * (1 + magnitudeOf(t));
    if (usable) results.push_back(std::move(*result));
  }
  if (results.size() != made->getNumResults()) return made->erase(), nullptr;
  llvm::append_range(known, results);
  return &known.back() - (results.size() - 1);
}

const Known *Program::elementwise(Fn fn, std::vector<Known> ins) {
  return add<ElementwiseOp>(std::move(ins), attr("fn", ElementwiseFnAttr::get(b.getContext(), fn)));
}

Known Program::partner(const Known &x) {
  Type element = x.tensor.element();
  if (const Known *other = chance(60) ? choose([&](const Known &k) {
        return &k != &x && k.tensor.element() == element && k.tensor.rank() <= x.tensor.rank() &&
               llvm::all_of(llvm::zip(llvm::reverse(k.tensor.shape()), llvm::reverse(x.tensor.shape())),
                            [](auto p) { return std::get<0>(p) == std::get<1>(p) || std::get<0>(p) == 1; });
      }) : nullptr)
    return *other;
  Shape shape(x.tensor.shape().drop_front(pick(x.tensor.rank() + 1)));
  for (int64_t &d : shape)
    if (chance(60)) d = 1;
  bool isUnsigned = element.isUnsignedInteger();
  return constant(shape, element, isUnsigned ? 1 : -2, 2.5);
}

//===-- Steps --------------------------------------------------------------===//

void Program::unary() {
  const Known *x = chooseFloat();
  if (!x) return;
  Fn fn = oneOf({Fn::Abs, Fn::Neg, Fn::Sigmoid, Fn::Tanh, Fn::Exp, Fn::Erf, Fn::Sin, Fn::Cos,
                 Fn::Atan, Fn::Sqrt, Fn::Log, Fn::Rsqrt, Fn::Floor, Fn::Ceil, Fn::RoundEven, Fn::Sign});
  if (llvm::is_contained({Fn::Sqrt, Fn::Log, Fn::Rsqrt}, fn)) {  // of 1 and more
    const Known *size = elementwise(Fn::Abs, {*x});
    x = size ? elementwise(Fn::Add, {*size, scalar(size->tensor.element(), 1)}) : nullptr;
  }
  if (x) elementwise(fn, {*x});
}

void Program::binary() {
  const Known *x = chooseFloat();
  if (!x) return;
  Known a = *x, y = partner(a);
  if (chance(15)) {  // a division by 1 and more
    const Known *size = elementwise(Fn::Abs, {y});
    size = size ? elementwise(Fn::Add, {*size, scalar(y.tensor.element(), 1)}) : nullptr;
    if (size) elementwise(Fn::Div, {a, *size});
    return;
  }
  std::vector<Known> ins{a, y};
  if (chance(50)) std::swap(ins[0], ins[1]);
  elementwise(oneOf({Fn::Add, Fn::Sub, Fn::Mul, Fn::Max, Fn::Min}), ins);
}

void Program::compareSelect() {
  const Known *x = choose([](const Known &k) { return k.error == 0; });
  if (!x || x->tensor.element().isInteger(1)) return;
  Known a = *x, y = partner(a);
  const Known *mask = elementwise(
      oneOf({Fn::Less, Fn::LessEqual, Fn::Greater, Fn::GreaterEqual, Fn::Equal}), {a, y});
  if (!mask) return;
  Known m = *mask;
  if (chance(30))
    if (const Known *turned = elementwise(Fn::Not, {m})) m = *turned;
  elementwise(Fn::Select, {m, a, chance(50) ? y : scalar(a.tensor.element(), 1)});
}

void Program::integers() {
  const Known *x = choose([](const Known &k) {
    return !reference::isFloat(k.tensor.element()) && !k.tensor.element().isInteger(1);
  });
  if (!x) return;
  Known a = *x, y = partner(a);
  Fn fn = oneOf({Fn::Add, Fn::Sub, Fn::Mul, Fn::Max, Fn::Min, Fn::BitwiseAnd, Fn::BitwiseOr,
                 Fn::BitwiseXor, Fn::Div, Fn::Mod, Fn::FMod, Fn::ShiftLeft, Fn::ShiftRight});
  bool divides = llvm::is_contained({Fn::Div, Fn::Mod, Fn::FMod}, fn);
  if (divides) y = constant({}, a.tensor.element(), 1, 5);  // an integer by zero is an error
  elementwise(fn, {a, y});
}

void Program::convert() {
  const Known *x = choose([](const Known &) { return true; });
  if (!x) return;
  Type to = oneOf<Type>({b.getF32Type(), b.getF32Type(), b.getF16Type(), b.getBF16Type(),
                         b.getF64Type(), b.getI64Type(), b.getI32Type(), b.getIntegerType(8),
                         b.getIntegerType(8, false), b.getI1Type()});
  add<CastOp>({*x}, attr("to", TypeAttr::get(to)));
}

void Program::transpose() {
  const Known *x = choose([](const Known &k) { return k.tensor.rank() > 1; });
  if (!x) return;
  Shape perm(x->tensor.rank());
  std::iota(perm.begin(), perm.end(), 0);
  for (size_t i = perm.size(); i > 1; --i) std::swap(perm[i - 1], perm[pick(i)]);
  add<TransposeOp>({*x}, list("perm", perm));
}

void Program::reshape() {
  const Known *x = choose([](const Known &) { return true; });
  if (!x) return;
  Shape shape(x->tensor.shape());
  int64_t i = shape.empty() ? 0 : pick(shape.size());
  if (chance(50) && shape.size() > 1) {  // two axes into one
    i = std::min<int64_t>(i, shape.size() - 2);
    shape[i] *= shape[i + 1];
    shape.erase(shape.begin() + i + 1);
  } else if (shape.size() < 4) {  // one into two
    int64_t whole = shape.empty() ? 1 : shape[i], part = 1;
    for (int64_t d : {2, 3, 5, 7, 8})
      if (whole % d == 0 && chance(50)) part = d;
    if (!shape.empty()) shape[i] /= part;
    shape.insert(shape.begin() + i, part);
  }
  if (!shape.empty() && chance(70)) shape[pick(shape.size())] = -1;
  add<ReshapeOp>({*x, ints(shape)});
}

void Program::concat() {
  const Known *x = choose([](const Known &k) { return k.tensor.rank() > 0; });
  if (!x) return;
  Known a = *x;
  int64_t axis = pick(a.tensor.rank());
  std::vector<Known> parts{a};
  for (unsigned i = 0; i < 1 + pick(2); ++i) {
    const Known *other = choose([&](const Known &k) {
      if (k.tensor.rank() != a.tensor.rank() || k.tensor.element() != a.tensor.element()) return false;
      for (int64_t d = 0; d < k.tensor.rank(); ++d)
        if (d != axis && k.tensor.dim(d) != a.tensor.dim(d)) return false;
      return true;
    });
    parts.push_back(other ? *other : a);
  }
  add<ConcatOp>(parts, number("axis", axis));
}

void Program::slice() {
  const Known *x = choose([](const Known &k) { return k.tensor.rank() > 0; });
  if (!x) return;
  int64_t rank = x->tensor.rank();
  Shape starts(rank, 0), ends(rank, INT64_MAX), steps(rank, 1);
  for (int64_t d = 0; d < rank; ++d) {
    int64_t n = x->tensor.dim(d);
    if (!chance(50) || n < 2) continue;
    starts[d] = pick(n / 2 + 1);
    if (chance(50)) ends[d] = chance(50) ? -int64_t(pick(2)) - 1 : n - int64_t(pick(n / 2));
    steps[d] = oneOf<int64_t>({1, 1, 2, 3});
    if (chance(20)) starts[d] = -1, ends[d] = INT64_MIN, steps[d] = -oneOf<int64_t>({1, 2});
  }
  Known copy = *x;
  add<SliceOp>({copy, ints(starts), ints(ends), ints(steps)});
}

void Program::pad() {
  const Known *x = choose([](const Known &k) {
    return k.tensor.rank() > 0 && !k.tensor.element().isInteger(1);
  });
  if (!x) return;
  Known copy = *x;
  Shape pads(2 * copy.tensor.rank(), 0);
  for (int64_t &p : pads)
    if (chance(40)) p = oneOf<int64_t>({-1, 1, 1, 2, 3});
  PadMode mode = oneOf({PadMode::Constant, PadMode::Constant, PadMode::Reflect, PadMode::Edge, PadMode::Wrap});
  add<PadOp>({copy, ints(pads), scalar(copy.tensor.element(), 1)},
             attr("mode", PadModeAttr::get(b.getContext(), mode)));
}

void Program::tile() {
  const Known *x = choose([](const Known &k) { return k.tensor.rank() > 0; });
  if (!x) return;
  Known copy = *x;
  Shape repeats(copy.tensor.rank(), 1);
  repeats[pick(repeats.size())] = oneOf<int64_t>({1, 2, 3});
  add<TileOp>({copy, ints(repeats)});
}

void Program::expand() {
  const Known *x = choose([](const Known &k) { return llvm::is_contained(k.tensor.shape(), 1) || k.tensor.rank() < 3; });
  if (!x) return;
  Known copy = *x;
  Shape shape(copy.tensor.shape());
  for (int64_t &d : shape)
    if (d == 1 && chance(70)) d = extent();
  if (shape.size() < 4 && chance(40)) shape.insert(shape.begin(), oneOf<int64_t>({1, 2, 3}));
  add<ExpandOp>({copy, ints(shape)});
}

void Program::gather() {
  const Known *x = choose([](const Known &k) { return k.tensor.rank() > 0 && k.tensor.size() > 0; });
  if (!x) return;
  Known copy = *x;
  int64_t axis = pick(copy.tensor.rank()), n = copy.tensor.dim(axis);
  Shape shape;
  for (unsigned i = 0; i < pick(3); ++i) shape.push_back(oneOf<int64_t>({1, 2, 3, 7}));
  Type element = oneOf<Type>({b.getI64Type(), b.getI32Type()});
  add<GatherOp>({copy, constant(shape, element, double(-n), double(n))}, number("axis", axis));
}

void Program::gatherElements() {
  const Known *x = choose([](const Known &k) { return k.tensor.rank() > 0 && k.tensor.size() > 0; });
  if (!x) return;
  Known copy = *x;
  int64_t axis = pick(copy.tensor.rank()), n = copy.tensor.dim(axis);
  Shape shape(copy.tensor.shape());
  shape[axis] = oneOf<int64_t>({1, 3, n});
  add<GatherElementsOp>({copy, constant(shape, b.getI64Type(), double(-n), double(n))},
                        number("axis", axis));
}

void Program::scatter() {
  const Known *x = choose([](const Known &k) { return k.tensor.rank() > 0 && k.tensor.size() > 0; });
  if (!x || x->tensor.element().isInteger(1)) return;
  Known copy = *x;
  int64_t axis = pick(copy.tensor.rank()), n = copy.tensor.dim(axis);
  Shape shape(copy.tensor.shape());
  ScatterReduction how = oneOf({ScatterReduction::Add, ScatterReduction::Max, ScatterReduction::Min,
                                ScatterReduction::None});
  // Without a reduction, which of two updates of one element stays is not said.
  shape[axis] = how == ScatterReduction::None ? 1 : oneOf<int64_t>({1, 3});
  Known updates = constant(shape, copy.tensor.element(), copy.tensor.element().isUnsignedInteger() ? 0 : -2, 3);
  add<ScatterElementsOp>({copy, constant(shape, b.getI64Type(), double(-n), double(n)), updates},
                         {number("axis", axis),
                          attr("reduction", ScatterReductionAttr::get(b.getContext(), how))});
}

void Program::reduce() {
  const Known *x = choose([](const Known &k) {
    return k.tensor.rank() > 0 && k.tensor.size() > 0 && !k.tensor.element().isInteger(1);
  });
  if (!x) return;
  Shape axes;
  for (int64_t d = 0; d < x->tensor.rank(); ++d)
    if (chance(45)) axes.push_back(d);
  ReduceKind kind = oneOf({ReduceKind::Sum, ReduceKind::Sum, ReduceKind::Max, ReduceKind::Min,
                           ReduceKind::Mean, ReduceKind::Prod});
  if (kind == ReduceKind::Mean && !reference::isFloat(x->tensor.element())) kind = ReduceKind::Sum;
  const Known *y = add<ReduceOp>({*x}, {attr("kind", ReduceKindAttr::get(b.getContext(), kind)),
                                        list("axes", axes), flag("keepdims", chance(60))});
  if (y && chance(30)) epilogue(y);
}

void Program::argReduce() {
  const Known *x = choose([](const Known &k) {
    return k.tensor.rank() > 0 && k.tensor.size() > 0 && k.error == 0 && !k.tensor.element().isInteger(1);
  });
  if (!x) return;
  add<ArgReduceOp>({*x}, {attr("kind", ArgKindAttr::get(b.getContext(), oneOf({ArgKind::Max, ArgKind::Min}))),
                          number("axis", pick(x->tensor.rank())), flag("keepdims", chance(50)),
                          flag("select_last", chance(50))});
}

void Program::cumulative() {
  const Known *x = choose([](const Known &k) { return k.tensor.rank() > 0 && !k.tensor.element().isInteger(1); });
  if (!x) return;
  add<CumulativeOp>({*x}, {attr("kind", ReduceKindAttr::get(b.getContext(), ReduceKind::Sum)),
                           number("axis", pick(x->tensor.rank())), flag("exclusive", chance(50)),
                           flag("reverse", chance(50))});
}

void Program::softmax() {
  const Known *x = chooseFloat(1);
  if (!x) return;
  int64_t axis = chance(60) ? x->tensor.rank() - 1 : pick(x->tensor.rank());
  add<SoftmaxOp>({*x}, {number("axis", axis), flag("log", chance(25))});
}

void Program::normalize() {
  const Known *x = chooseFloat(1);
  if (!x) return;
  Known copy = *x;
  int64_t rank = copy.tensor.rank(), first = chance(60) ? rank - 1 : pick(rank);
  Shape axes, affine(copy.tensor.shape().drop_front(first));
  for (int64_t d = first; d < rank; ++d) axes.push_back(d);
  bool scaled = chance(70), biased = chance(50);
  std::vector<Known> ins{copy};
  if (scaled) ins.push_back(constant(affine, copy.tensor.element(), -2, 2));
  if (biased) ins.push_back(constant(affine, copy.tensor.element(), -2, 2));
  add<NormalizeOp>(ins, {list("axes", axes), attr("epsilon", b.getF32FloatAttr(0.1f)), flag("center", chance(70)),
                         attr("operandSegmentSizes", b.getDenseI32ArrayAttr({1, scaled, biased}))});
}

void Program::topk() {
  const Known *x = choose([](const Known &k) {
    return k.tensor.rank() > 0 && k.tensor.size() > 0 && k.error == 0 && !k.tensor.element().isInteger(1);
  });
  if (!x) return;
  Known copy = *x;
  int64_t axis = pick(copy.tensor.rank());
  add<TopKOp>({copy, scalar(b.getI64Type(), 1 + pick(copy.tensor.dim(axis)))},
              {number("axis", axis), flag("largest", chance(50))});
}

/// What follows an anchor in models.
void Program::epilogue(const Known *anchor) {
  for (unsigned i = 0; anchor && i < 1 + pick(3); ++i) {
    Known x = *anchor;
    if (!reference::isFloat(x.tensor.element())) return;
    switch (pick(5)) {
      case 0: anchor = elementwise(Fn::Max, {x, scalar(x.tensor.element(), 0)}); break;
      case 1: anchor = elementwise(Fn::Add, {x, partner(x)}); break;
      case 2: anchor = elementwise(Fn::Mul, {partner(x), x}); break;
      case 3: {
        const Known *gate = elementwise(Fn::Sigmoid, {x});
        anchor = gate ? elementwise(Fn::Mul, {x, *gate}) : nullptr;
        break;
      }
      default: anchor = elementwise(oneOf({Fn::Tanh, Fn::Sigmoid, Fn::Neg}), {x});
    }
  }
}

void Program::matmul() {
  const Known *x = chooseFloat(2);
  if (!x) return;
  Known a = *x;
  bool turnA = chance(20), turnB = chance(40);
  int64_t rank = a.tensor.rank(), k = a.tensor.dim(rank - (turnA ? 2 : 1)), n = extent();
  Known w = a;
  const Known *other = chance(40) ? choose([&](const Known &o) {
    return o.tensor.element() == a.tensor.element() && o.tensor.rank() >= 2 &&
           o.tensor.dim(o.tensor.rank() - (turnB ? 1 : 2)) == k;
  }) : nullptr;
  Shape shape;
  if (rank > 2 && chance(40)) shape.assign(a.tensor.shape().drop_back(2));
  if (!shape.empty() && chance(40)) shape[pick(shape.size())] = 1;
  llvm::append_range(shape, turnB ? Shape{n, k} : Shape{k, n});
  w = other ? *other : constant(shape, a.tensor.element(), -1, 1);
  epilogue(add<MatmulOp>({a, w}, {flag("transpose_a", turnA), flag("transpose_b", turnB)}));
}

void Program::integerMatmul() {
  Type i8 = b.getIntegerType(8), u8 = b.getIntegerType(8, false);
  const Known *x = choose([&](const Known &k) {
    return k.tensor.rank() >= 2 && (k.tensor.element() == i8 || k.tensor.element() == u8);
  });
  if (!x) return;
  Known a = *x;
  Type other = oneOf<Type>({i8, u8});
  Known w = constant({a.tensor.shape().back(), extent()}, other, other == i8 ? -128 : 0, 127);
  const Known *y = add<MatmulOp>({a, w}, attr("accumulator", TypeAttr::get(b.getI32Type())));
  if (y) add<CastOp>({*y}, attr("to", TypeAttr::get(b.getF32Type())));
}

void Program::conv() {
  const Known *x = choose([&](const Known &k) {
    return k.tensor.element().isF32() && (k.tensor.rank() == 4 || (k.tensor.rank() == 3 && chance(50)));
  });
  if (!x) return;
  Known a = *x;
  int64_t channels = a.tensor.dim(1), s = a.tensor.rank() - 2;
  bool winograd = s == 2 && chance(25);  // what Winograd's filtering may compute
  bool depthwise = !winograd && chance(30);
  int64_t groups = depthwise ? channels : !winograd && channels % 2 == 0 && chance(20) ? 2 : 1;
  int64_t outs = depthwise ? channels : groups * oneOf<int64_t>({1, 3, 8, 16, 17, 33});
  Shape w{outs, channels / groups}, strides, pads(2 * s), dilations;
  for (int64_t i = 0; i < s; ++i) {
    w.push_back(winograd ? 3 : oneOf<int64_t>({1, 1, 2, 3, 3, 5}));
    strides.push_back(winograd ? 1 : oneOf<int64_t>({1, 1, 2}));
    dilations.push_back(winograd ? 1 : oneOf<int64_t>({1, 1, 1, 2}));
  }
  for (int64_t &p : pads) p = oneOf<int64_t>({0, 1, 1, 2});
  std::vector<Known> ins{a, constant(w, b.getF32Type(), -0.5, 0.5)};
  if (chance(60)) ins.push_back(constant({outs}, b.getF32Type(), -1, 1));
  epilogue(add<ConvOp>(ins, {list("strides", strides), list("pads", pads),
                             list("dilations", dilations), number("groups", groups)}));
}

void Program::convTranspose() {
  const Known *x = choose([](const Known &k) { return k.tensor.element().isF32() && k.tensor.rank() == 4; });
  if (!x) return;
  Known a = *x;
  int64_t channels = a.tensor.dim(1), outs = oneOf<int64_t>({1, 3, 8, 17});
  Shape w{channels, outs}, strides, pads(4), adjust;
  for (int64_t i = 0; i < 2; ++i) {
    w.push_back(oneOf<int64_t>({1, 2, 3}));
    strides.push_back(oneOf<int64_t>({1, 2}));
    adjust.push_back(strides.back() == 2 && chance(30));
  }
  for (int64_t &p : pads) p = oneOf<int64_t>({0, 0, 1});
  std::vector<Known> ins{a, constant(w, b.getF32Type(), -0.5, 0.5)};
  if (chance(50)) ins.push_back(constant({outs}, b.getF32Type(), -1, 1));
  epilogue(add<ConvTransposeOp>(ins, {list("strides", strides), list("pads", pads),
                                      list("dilations", {1, 1}), list("output_padding", adjust)}));
}

void Program::pool() {
  const Known *x = choose([](const Known &k) {
    return reference::isFloat(k.tensor.element()) && k.tensor.rank() == 4;
  });
  if (!x) return;
  Shape kernel, strides, pads(4), dilations;
  for (int64_t i = 0; i < 2; ++i) {
    kernel.push_back(oneOf<int64_t>({1, 2, 3, 3}));
    strides.push_back(oneOf<int64_t>({1, 2, 3}));
    dilations.push_back(1);
  }
  for (auto [i, p] : llvm::enumerate(pads)) p = pick(kernel[i % 2]);
  bool max = chance(50);
  add<PoolOp>({*x}, {attr("kind", PoolKindAttr::get(b.getContext(), max ? PoolKind::Max : PoolKind::Average)),
                     list("kernel", kernel), list("strides", strides), list("pads", pads),
                     list("dilations", dilations), flag("ceil_mode", chance(30)),
                     flag("count_include_pad", chance(40))});
}

void Program::resize() {
  const Known *x = choose([](const Known &k) { return k.tensor.element().isF32() && k.tensor.rank() == 4 && k.tensor.size() > 0; });
  if (!x) return;
  Known copy = *x;
  Shape sizes(copy.tensor.shape());
  Tensor scales = *Tensor::zeros(RankedTensorType::get({4}, b.getF32Type()));
  std::vector<double> factors(4, 1);
  for (int64_t d : {2, 3}) {
    sizes[d] = chance(50) ? sizes[d] * 2 : std::max<int64_t>(1, oneOf<int64_t>({1, 3, 8, 17}));
    factors[d] = double(sizes[d]) / double(copy.tensor.dim(d));
  }
  reference::storeDoubles(scales, factors);
  auto text = [&](StringRef name, StringRef value) { return attr(name, b.getStringAttr(value)); };
  add<ResizeOp>({copy, ints(sizes), constant(scales)},
                {text("mode", oneOf<StringRef>({"nearest", "linear", "linear"})),
                 text("coordinate_mode", oneOf<StringRef>({"asymmetric", "half_pixel", "align_corners", "pytorch_half_pixel"})),
                 text("nearest_mode", oneOf<StringRef>({"floor", "round_prefer_floor", "ceil"}))});
}

void Program::trilu() {
  const Known *x = choose([](const Known &k) { return k.tensor.rank() >= 2; });
  if (!x) return;
  Known copy = *x;
  add<TriluOp>({copy, scalar(b.getI64Type(), double(pick(5)) - 2)}, flag("upper", chance(50)));
}

/// To eight bits and back: an exact value only, as rounding jumps.
void Program::quantize() {
  const Known *x = choose([](const Known &k) { return k.tensor.element().isF32() && k.error == 0; });
  if (!x) return;
  Known copy = *x;
  Type to = oneOf<Type>({b.getIntegerType(8), b.getIntegerType(8, false)});
  bool perAxis = copy.tensor.rank() > 0 && chance(40);
  int64_t axis = perAxis ? pick(copy.tensor.rank()) : 0;
  Shape shape = perAxis ? Shape{copy.tensor.dim(axis)} : Shape{};
  Known scale = constant(shape, b.getF32Type(), 0.01, 0.05), zero = constant(shape, to, 0, 9);
  const Known *q = add<QuantizeOp>({copy, scale, zero}, number("axis", axis));
  if (q) add<DequantizeOp>({*q, scale, zero}, number("axis", axis));
}

/// A reshape whose extents are computed from the value's own.
void Program::shapeArithmetic() {
  const Known *x = choose([](const Known &k) { return k.tensor.rank() >= 2; });
  if (!x) return;
  Known copy = *x;
  const Known *shape = add<ShapeOfOp>({copy});
  if (!shape) return;
  Known all = *shape;
  const Known *first = add<SliceOp>({all, ints({0}), ints({1}), ints({1})});
  if (!first) return;
  Known head = *first;
  const Known *wanted = add<ConcatOp>({head, ints({-1})}, number("axis", 0));
  if (wanted) add<ReshapeOp>({copy, Known(*wanted)});
}

/// softmax(x y^T / sqrt(k)) y of one value with itself.
void Program::attention() {
  const Known *x = chooseFloat(2);
  if (!x) return;
  Known q = *x;
  double k = double(q.tensor.shape().back());
  const Known *scores = add<MatmulOp>({q, q}, flag("transpose_b", true));
  if (scores) scores = elementwise(Fn::Mul, {*scores, scalar(q.tensor.element(), 1 / std::sqrt(std::max(k, 1.0)))});
  if (scores) scores = add<SoftmaxOp>({*scores}, number("axis", scores->tensor.rank() - 1));
  if (scores) add<MatmulOp>({*scores, q});
}

//===-- The whole ----------------------------------------------------------===//

const std::vector<Program::Step> &Program::steps() {
  using P = Program;
  static const std::vector<Step> all{
      &P::unary, &P::unary, &P::binary, &P::binary, &P::binary, &P::compareSelect, &P::integers,
      &P::convert, &P::transpose, &P::transpose, &P::reshape, &P::reshape, &P::concat, &P::slice,
      &P::pad, &P::tile, &P::expand, &P::gather, &P::gatherElements, &P::scatter, &P::reduce,
      &P::reduce, &P::argReduce, &P::cumulative, &P::softmax, &P::normalize, &P::normalize, &P::topk,
      &P::matmul, &P::matmul, &P::matmul, &P::integerMatmul, &P::conv, &P::conv, &P::conv,
      &P::convTranspose, &P::pool, &P::resize, &P::trilu, &P::quantize, &P::shapeArithmetic,
      &P::attention, &P::spelledNormalize, &P::spelledSoftmax, &P::spelledActivation,
      &P::spelledActivation, &P::spelledRotary, &P::dressedConv};
  return all;
}

Program::Program(unsigned seed, MLIRContext &context) : random(seed), b(&context) {
  // An op that does not fit says so; the step is then left out.
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
  module_ = ModuleOp::create(b.getUnknownLoc());
  b.setInsertionPointToEnd(module_->getBody());
  function = func::FuncOp::create(b, b.getUnknownLoc(), "main", b.getFunctionType({}, {}));
  b.setInsertionPointToEnd(function.addEntryBlock());
  known.reserve(1000);
  addInput({oneOf<int64_t>({1, 2}), oneOf<int64_t>({1, 3, 8, 16, 17}), oneOf<int64_t>({1, 5, 7, 13}),
            oneOf<int64_t>({1, 3, 8, 17})}, b.getF32Type());
  addInput({extent(), extent()}, b.getF32Type());
  addInput({oneOf<int64_t>({1, 3}), oneOf<int64_t>({3, 7}), extent()},
           oneOf<Type>({b.getF32Type(), b.getF32Type(), b.getF16Type()}));
  addInput({oneOf<int64_t>({3, 7, 17}), extent()},
           oneOf<Type>({b.getI32Type(), b.getI64Type(), b.getIntegerType(8), b.getIntegerType(8, false)}));
  for (unsigned i = 0, n = 3 + pick(14); i < n; ++i) (this->*steps()[pick(steps().size())])();
  finish();
  if (chance(50)) pinOrders();
}

void Program::pinOrders() {
  module_->walk([&](Operation *op) {
    StringRef pin = oneOf<StringRef>({"keep", "change", "change", ""});
    if (isa<graph::AdzeDialect>(op->getDialect()) && !pin.empty())
      op->setAttr(kOrderAttr, b.getStringAttr(pin));
  });
}

/// The results: values that nothing uses, and one from the middle.
void Program::finish() {
  std::vector<Known> unused;
  for (const Known &k : known)
    if (k.value.use_empty() && k.value.getDefiningOp()) unused.push_back(k);
  size_t from = unused.size() > 8 ? unused.size() - 8 : 0;
  results_.assign(unused.begin() + from, unused.end());
  results_.push_back(known[known.size() / 2]);
  SmallVector<Value> values = llvm::map_to_vector(results_, [](const Known &k) { return k.value; });
  func::ReturnOp::create(b, b.getUnknownLoc(), values);
  function.setType(b.getFunctionType(function.getBody().getArgumentTypes(), TypeRange(ValueRange(values))));
}

}  // namespace adze::differential
