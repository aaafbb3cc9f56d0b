// RNN, GRU and LSTM.
#include "passes/Import/NodeBuilder.h"

using namespace mlir;

namespace adze::convert {

using graph::RecurrentKind;

static SmallVector<StringRef> defaultActivations(RecurrentKind kind) {
  switch (kind) {
    case RecurrentKind::RNN: return {"Tanh"};
    case RecurrentKind::GRU: return {"Sigmoid", "Tanh"};
    case RecurrentKind::LSTM: return {"Sigmoid", "Tanh", "Tanh"};
  }
  return {};
}

static SmallVector<NamedAttribute> recurrentAttrs(NodeBuilder &nb, RecurrentKind kind) {
  StringRef direction = nb.strAttr("direction", "forward");
  SmallVector<StringRef> names = defaultActivations(kind);
  if (direction == "bidirectional") names.append(names);
  if (auto given = nb.strsAttr("activations")) names = *given;
  SmallVector<NamedAttribute> attrs{
      nb.named("kind", graph::RecurrentKindAttr::get(nb.b.getContext(), kind)),
      nb.str("direction", direction),
      nb.named("activations", nb.b.getStrArrayAttr(names)),
      nb.flag("linear_before_reset", nb.boolAttr("linear_before_reset")),
      nb.flag("input_forget", nb.boolAttr("input_forget"))};
  if (auto alpha = nb.floatsAttr("activation_alpha"))
    attrs.push_back(nb.named("activation_alpha", nb.b.getF32ArrayAttr(*alpha)));
  if (auto beta = nb.floatsAttr("activation_beta"))
    attrs.push_back(nb.named("activation_beta", nb.b.getF32ArrayAttr(*beta)));
  if (nb.hasAttr("clip")) attrs.push_back(nb.f32Attr("clip", nb.floatAttr("clip")));
  return attrs;
}

/// With layout 1 the batch comes first in x, the states and the results.
template <RecurrentKind kind>
static Values convertRecurrent(NodeBuilder &nb) {
  bool batchFirst = nb.boolAttr("layout"), lstm = kind == RecurrentKind::LSTM;
  auto swapped = [&](Value v) { return v && batchFirst ? nb.transpose(v, {1, 0, 2}) : v; };
  Value x = swapped(nb.in(0)), w = nb.in(1), r = nb.in(2);
  if (!x || !w || !r) return {Value()};
  if (nb.rank(r) == 3 && nb.hasAttr("hidden_size")) {
    int64_t hidden = nb.intAttr("hidden_size"), own = nb.extent(r, 2);
    if (hidden < 1) return {nb.invalid("hidden_size must be positive")};
    if (!ShapedType::isDynamic(own) && own != hidden)
      return {nb.invalid("hidden_size is " + Twine(hidden) + ", but r has " + Twine(own) +
                         " columns")};
  }
  Value optionals[] = {nb.optional(3), nb.optional(4), swapped(nb.optional(5)),
                       lstm ? swapped(nb.optional(6)) : Value(), lstm ? nb.optional(7) : Value()};
  SmallVector<Value> operands{x, w, r};
  SmallVector<int32_t> segments{1, 1, 1};
  for (Value v : optionals) {
    segments.push_back(v ? 1 : 0);
    if (v) operands.push_back(v);
  }
  SmallVector<NamedAttribute> attrs = recurrentAttrs(nb, kind);
  attrs.push_back(nb.named("operandSegmentSizes", nb.b.getDenseI32ArrayAttr(segments)));
  Values out = nb.create<graph::RecurrentOp>(operands, attrs);
  if (nb.failed()) return {Value()};
  // [T, D, B, H] -> [B, T, D, H]
  if (batchFirst) out[0] = nb.transpose(out[0], {2, 0, 1, 3});
  return {out[0], swapped(out[1]), lstm ? swapped(out[2]) : Value()};
}

void populateRecurrent(OpTable &t) {
  t.push_back({"", "RNN", 7, 0, kFloats, convertRecurrent<RecurrentKind::RNN>});
  t.push_back({"", "GRU", 7, 0, kFloats, convertRecurrent<RecurrentKind::GRU>});
  t.push_back({"", "LSTM", 7, 0, kFloats, convertRecurrent<RecurrentKind::LSTM>});
}

}  // namespace adze::convert
