// Steps that spell out in simple ops what the graph passes recognise.
#include "Program.h"

using namespace mlir;

namespace adze::differential {

using namespace graph;
using Fn = ElementwiseFn;

/// f(x, y) of what earlier steps of a pattern gave; null when one gave nothing.
const Known *Program::chain(Fn fn, const Known *x, std::optional<Known> y) {
  if (!x) return nullptr;
  std::vector<Known> ins{*x};
  if (y) ins.push_back(*y);
  if (y && chance(50) && llvm::is_contained({Fn::Add, Fn::Mul, Fn::Max, Fn::Min}, fn))
    std::swap(ins[0], ins[1]);
  return elementwise(fn, ins);
}

const Known *Program::keptReduce(ReduceKind kind, const Known *x, int64_t axis) {
  if (!x) return nullptr;
  return add<ReduceOp>({*x}, {attr("kind", ReduceKindAttr::get(b.getContext(), kind)),
                              list("axes", {axis}), flag("keepdims", true)});
}

/// (x - mean) / sqrt(mean((x - mean)^2) + e), or without the mean; each in the
/// forms that exporters write.
void Program::spelledNormalize() {
  const Known *found = chooseFloat(1);
  if (!found || found->tensor.size() == 0) return;
  Known x = *found;
  Type element = x.tensor.element();
  int64_t axis = pick(x.tensor.rank());
  if (chance(50)) {
    const Known *mean = keptReduce(ReduceKind::Mean, &x, axis);
    const Known *centred = mean ? elementwise(Fn::Sub, {x, *mean}) : nullptr;
    if (!centred) return;
    x = *centred;
  }
  const Known *square = chance(50) ? chain(Fn::Pow, &x, scalar(element, 2)) : chain(Fn::Mul, &x, x);
  const Known *sum = chain(Fn::Add, keptReduce(ReduceKind::Mean, square, axis), scalar(element, 1));
  if (!sum) return;
  Known variance = *sum;
  const Known *y = nullptr;
  switch (pick(4)) {
    case 0: y = chain(Fn::Sqrt, &variance); if (y) y = elementwise(Fn::Div, {x, *y}); break;
    case 1: y = chain(Fn::Rsqrt, &variance); if (y) y = elementwise(Fn::Mul, {x, *y}); break;
    case 2: y = chain(Fn::Pow, &variance, scalar(element, -0.5)); if (y) y = elementwise(Fn::Mul, {*y, x}); break;
    default:
      y = chain(Fn::Sqrt, &variance);
      if (y) y = elementwise(Fn::Div, {scalar(element, 1), *y});
      if (y) y = elementwise(Fn::Mul, {x, *y});
  }
  if (y && chance(60)) y = chain(Fn::Mul, y, constant(Shape{x.tensor.shape().back()}, element, -2, 2));
  if (y && chance(60)) chain(Fn::Add, y, constant(Shape{x.tensor.shape().back()}, element, -2, 2));
}

void Program::spelledSoftmax() {
  const Known *found = chooseFloat(1);
  if (!found || found->tensor.size() == 0) return;
  Known x = *found;
  int64_t axis = pick(x.tensor.rank());
  const Known *most = keptReduce(ReduceKind::Max, &x, axis);
  const Known *shifted = most ? elementwise(Fn::Sub, {x, *most}) : nullptr;
  if (!shifted) return;
  Known d = *shifted;
  const Known *power = chain(Fn::Exp, &d);
  if (!power) return;
  Known e = *power;
  const Known *sum = keptReduce(ReduceKind::Sum, &e, axis);
  if (!sum) return;
  if (chance(60)) elementwise(Fn::Div, {e, *sum});
  else if (const Known *log = chain(Fn::Log, sum)) elementwise(Fn::Sub, {d, *log});
}

/// Sigmoid, SiLU, hard swish, GELU by erf and by tanh.
void Program::spelledActivation() {
  const Known *found = choose([](const Known &k) { return k.tensor.element().isF32() && k.tensor.size() > 0; });
  if (!found) return;
  Known x = *found;
  Type f = x.tensor.element();
  auto number = [&](double v) { return scalar(f, v); };
  switch (pick(4)) {
    case 0: {
      const Known *gate = chain(Fn::Add, chain(Fn::Exp, chain(Fn::Neg, &x)), number(1));
      if (gate) elementwise(Fn::Div, {chance(50) ? x : number(1), *gate});
      return;
    }
    case 1: {
      const Known *gate = chain(Fn::Add, &x, number(3));
      gate = chance(50) ? chain(Fn::Min, chain(Fn::Max, gate, number(0)), number(6))
                        : chain(Fn::Max, chain(Fn::Min, gate, number(6)), number(0));
      if (chance(50)) gate = chain(Fn::Mul, gate, x);
      if (gate) chance(50) ? elementwise(Fn::Div, {*gate, number(6)}) : chain(Fn::Mul, gate, number(1.0 / 6));
      return;
    }
    case 2: {
      const Known *z = chance(50) ? elementwise(Fn::Div, {x, number(1.4142135)}) : chain(Fn::Mul, &x, number(0.70710678));
      const Known *gate = chain(Fn::Add, chain(Fn::Erf, z), number(1));
      if (chance(50)) chain(Fn::Mul, chain(Fn::Mul, gate, x), number(0.5));
      else if (const Known *half = gate ? chain(Fn::Mul, &x, number(0.5)) : nullptr) chain(Fn::Mul, gate, *half);
      return;
    }
    default: {
      const Known *cube = chance(50) ? chain(Fn::Pow, &x, number(3)) : chain(Fn::Mul, chain(Fn::Mul, &x, x), x);
      const Known *z = chain(Fn::Mul, chain(Fn::Add, chain(Fn::Mul, cube, number(0.044715)), x), number(0.7978845608));
      const Known *gate = chain(Fn::Add, chain(Fn::Tanh, z), number(1));
      chain(Fn::Mul, chain(Fn::Mul, gate, x), number(0.5));
    }
  }
}

/// x * cosine + concat(-x[h:], x[:h]) * sine.
void Program::spelledRotary() {
  const Known *found = choose([](const Known &k) {
    return reference::isFloat(k.tensor.element()) && k.tensor.rank() > 0 && k.tensor.size() > 0 &&
           k.tensor.shape().back() % 2 == 0;
  });
  if (!found) return;
  Known x = *found;
  int64_t rank = x.tensor.rank(), extent = x.tensor.shape().back();
  auto part = [&](int64_t begin, int64_t end) {
    Shape starts(rank, 0), ends(rank, INT64_MAX);
    starts.back() = begin, ends.back() = end;
    return add<SliceOp>({x, ints(starts), ints(ends), ints(Shape(rank, 1))});
  };
  const Known *high = chain(Fn::Neg, part(extent / 2, INT64_MAX));
  if (!high) return;
  Known first = *high;
  const Known *low = part(0, extent / 2);
  const Known *turned = low ? add<ConcatOp>({first, *low}, number("axis", rank - 1)) : nullptr;
  turned = chain(Fn::Mul, turned, constant(Shape{extent}, x.tensor.element(), -1, 1));
  if (!turned) return;
  Known sine = *turned;
  const Known *straight = chain(Fn::Mul, &x, constant(Shape{chance(50) ? extent : 1}, x.tensor.element(), -1, 1));
  if (straight) elementwise(Fn::Add, {*straight, sine});
}

/// A convolution that something pads before, or scales and shifts after.
void Program::dressedConv() {
  const Known *found = choose([](const Known &k) {
    return k.tensor.element().isF32() && k.tensor.rank() == 4 && k.tensor.size() > 0;
  });
  if (!found) return;
  Known x = *found;
  Type f = x.tensor.element();
  if (chance(60)) {
    Shape pads(8, 0);
    for (int64_t i : {2, 3, 6, 7}) pads[i] = pick(3);
    const Known *padded = add<PadOp>({x, ints(pads), scalar(f, 0)});
    if (padded) x = *padded;
  }
  int64_t outputs = oneOf<int64_t>({1, 3, 8}), k = oneOf<int64_t>({1, 2, 3});
  Known w = constant({outputs, x.tensor.dim(1), k, k}, f, -0.5, 0.5);
  const Known *y = add<ConvOp>({x, w}, {list("strides", {1, 1}), list("pads", {0, 1, 0, 1}),
                                        list("dilations", {1, 1})});
  if (chance(70)) y = chain(Fn::Mul, y, constant({outputs, 1, 1}, f, -2, 2));
  if (chance(70)) y = chain(Fn::Add, y, constant({outputs, 1, 1}, f, -2, 2));
  if (y && chance(40)) squeezeExcite(*y);
}

/// x * hard_sigmoid(w2 * relu(w1 * mean(x))).
void Program::squeezeExcite(Known x) {
  Type f = x.tensor.element();
  int64_t channels = x.tensor.dim(1), few = oneOf<int64_t>({1, 2, 5});
  auto pointwise = [&](const Known *v, int64_t to, int64_t from) -> const Known * {
    if (!v) return nullptr;
    return add<ConvOp>({*v, constant({to, from, 1, 1}, f, -1, 1), constant(Shape{to}, f, -1, 1)},
                       {list("strides", {1, 1}), list("pads", {0, 0, 0, 0}), list("dilations", {1, 1})});
  };
  const Known *mean = add<ReduceOp>({x}, {attr("kind", ReduceKindAttr::get(b.getContext(), ReduceKind::Mean)),
                                          list("axes", {2, 3}), flag("keepdims", true)});
  const Known *gate = chain(Fn::Max, pointwise(mean, few, channels), scalar(f, 0));
  gate = chain(Fn::Add, chain(Fn::Mul, pointwise(gate, channels, few), scalar(f, 0.2)), scalar(f, 0.5));
  chain(Fn::Mul, chain(Fn::Min, chain(Fn::Max, gate, scalar(f, 0)), scalar(f, 1)), x);
}

}  // namespace adze::differential
