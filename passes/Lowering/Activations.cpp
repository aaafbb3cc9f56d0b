#include "passes/Lowering/Activations.h"

using namespace mlir;

namespace adze::lowering {

namespace {
/// Defaults are those of the ONNX op of the same name.
struct Parameters {
  StringLiteral name;
  std::optional<double> alpha, beta;
};
const Parameters kParameters[] = {
    {"Affine", 1.0, 0.0},     {"LeakyRelu", 0.01, std::nullopt}, {"ThresholdedRelu", 1.0, std::nullopt},
    {"ScaledTanh", 1.0, 1.0}, {"HardSigmoid", 0.2, 0.5},         {"Elu", 1.0, std::nullopt},
};
}  // namespace

SmallVector<Activation> activationsOf(graph::RecurrentOp op) {
  auto read = [](ArrayAttr list) {
    SmallVector<double> values;
    if (list)
      for (Attribute a : list) values.push_back(cast<FloatAttr>(a).getValueAsDouble());
    return values;
  };
  SmallVector<double> alphas = read(op.getActivationAlpha()), betas = read(op.getActivationBeta());
  size_t nextAlpha = 0, nextBeta = 0;
  SmallVector<Activation> result;
  for (StringRef name : op.getActivations().getAsValueRange<StringAttr>()) {
    Activation a{name};
    for (const Parameters &row : kParameters) {
      if (row.name != name) continue;
      if (row.alpha) a.alpha = nextAlpha < alphas.size() ? alphas[nextAlpha++] : *row.alpha;
      if (row.beta) a.beta = nextBeta < betas.size() ? betas[nextBeta++] : *row.beta;
    }
    result.push_back(a);
  }
  return result;
}

Value emitActivation(OpBuilder &b, Location loc, const Activation &a, Value x) {
  using graph::ElementwiseFn;
  using P = arith::CmpFPredicate;
  Type type = x.getType();
  auto c = [&](double v) { return scalarConstant(b, loc, type, v); };
  auto call = [&](ElementwiseFn fn, Value l, Value r = {}) {
    SmallVector<Value> args{l};
    if (r) args.push_back(r);
    return emitFunction(b, loc, fn, args, SmallVector<Type>(args.size(), type));
  };
  auto select = [&](P p, Value l, Value r, Value yes, Value no) -> Value {
    return arith::SelectOp::create(b, loc, arith::CmpFOp::create(b, loc, p, l, r), yes, no);
  };
  auto affine = [&] {
    return call(ElementwiseFn::Add, call(ElementwiseFn::Mul, x, c(a.alpha)), c(a.beta));
  };
  if (a.name == "Sigmoid") return call(ElementwiseFn::Sigmoid, x);
  if (a.name == "Tanh") return call(ElementwiseFn::Tanh, x);
  if (a.name == "Relu") return call(ElementwiseFn::Max, x, c(0));
  if (a.name == "Affine") return affine();
  if (a.name == "LeakyRelu") return select(P::OGE, x, c(0), x, call(ElementwiseFn::Mul, x, c(a.alpha)));
  if (a.name == "ThresholdedRelu") return select(P::OGT, x, c(a.alpha), x, c(0));
  if (a.name == "ScaledTanh") {
    Value t = call(ElementwiseFn::Tanh, call(ElementwiseFn::Mul, x, c(a.beta)));
    return call(ElementwiseFn::Mul, t, c(a.alpha));
  }
  if (a.name == "HardSigmoid")
    return call(ElementwiseFn::Min, call(ElementwiseFn::Max, affine(), c(0)), c(1));
  if (a.name == "Elu") {
    Value e = call(ElementwiseFn::Sub, call(ElementwiseFn::Exp, x), c(1));
    return select(P::OGE, x, c(0), x, call(ElementwiseFn::Mul, e, c(a.alpha)));
  }
  if (a.name == "Softsign")
    return call(ElementwiseFn::Div, x, call(ElementwiseFn::Add, call(ElementwiseFn::Abs, x), c(1)));
  if (a.name == "Softplus") return math::Log1pOp::create(b, loc, math::ExpOp::create(b, loc, x));
  return {};
}

}  // namespace adze::lowering
