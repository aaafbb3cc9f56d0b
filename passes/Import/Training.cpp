// One step of an optimizer, for each group of (x, gradient, state...).
#include "passes/Import/NodeBuilder.h"

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;

namespace {
/// The inputs (R, T, group tensors...) and how many tensors a group has.
struct Step {
  Value rate, count;
  int64_t groups = 0;
};
}  // namespace

static std::optional<Step> readStep(NodeBuilder &nb, int64_t kinds) {
  int64_t rest = int64_t(nb.inputs.size()) - 2;
  if (rest < kinds || rest % kinds) {
    nb.invalid("its inputs do not come in groups of " + Twine(kinds));
    return std::nullopt;
  }
  return Step{nb.in(0), nb.in(1), rest / kinds};
}

/// Momentum: v' = alpha v + beta' g; x' = x - r v', or with Nesterov
/// x - r (g + alpha v').
static Values convertMomentum(NodeBuilder &nb) {
  std::optional<Step> step = readStep(nb, 3);
  if (!step) return {Value()};
  double alpha = nb.floatAttr("alpha"), beta = nb.floatAttr("beta"), norm = nb.floatAttr("norm_coefficient");
  bool nesterov = nb.strAttr("mode") == "nesterov";
  Values xs, vs;
  for (int64_t i = 0, n = step->groups; i < n; ++i) {
    Value x = nb.in(2 + i), g = nb.in(2 + n + i), v = nb.in(2 + 2 * n + i);
    g = nb.add(nb.mulS(x, norm), g);
    // In the first step the gradient counts whole.
    Value first = nb.ew(Fn::Greater, {step->count, nb.index(0)});
    Value factor = nb.select(first, nb.splat(nb.element(x), beta), nb.splat(nb.element(x), 1));
    Value next = nb.add(nb.mulS(v, alpha), nb.mul(factor, g));
    Value move = nesterov ? nb.add(g, nb.mulS(next, alpha)) : next;
    xs.push_back(nb.sub(x, nb.mul(step->rate, move)));
    vs.push_back(next);
  }
  llvm::append_range(xs, vs);
  return xs;
}

/// Adagrad: h' = h + g^2; x' = x - r' g / (sqrt(h') + epsilon).
static Values convertAdagrad(NodeBuilder &nb) {
  std::optional<Step> step = readStep(nb, 3);
  if (!step || !step->rate || !step->count) return {Value()};
  double decay = nb.floatAttr("decay_factor"), epsilon = nb.floatAttr("epsilon"),
         norm = nb.floatAttr("norm_coefficient");
  Type type = nb.element(step->rate);
  Value rate = nb.div(step->rate, nb.addS(nb.mulS(nb.cast(step->count, type), decay), 1));
  Values xs, hs;
  for (int64_t i = 0, n = step->groups; i < n; ++i) {
    Value x = nb.in(2 + i), g = nb.in(2 + n + i), h = nb.in(2 + 2 * n + i);
    g = nb.add(nb.mulS(x, norm), g);
    Value next = nb.add(h, nb.mul(g, g));
    Value scale = nb.addS(nb.ew(Fn::Sqrt, next), epsilon);
    xs.push_back(nb.sub(x, nb.div(nb.mul(rate, g), scale)));
    hs.push_back(next);
  }
  llvm::append_range(xs, hs);
  return xs;
}

/// Adam: v' = a v + (1 - a) g, h' = b h + (1 - b) g^2,
/// x' = x - r' v' / (sqrt(h') + epsilon), r' corrected for the bias after step 0.
static Values convertAdam(NodeBuilder &nb) {
  std::optional<Step> step = readStep(nb, 4);
  if (!step || !step->rate || !step->count) return {Value()};
  double alpha = nb.floatAttr("alpha", 0.9), beta = nb.floatAttr("beta", 0.999);
  double epsilon = nb.floatAttr("epsilon", 1e-6), norm = nb.floatAttr("norm_coefficient"),
         after = nb.floatAttr("norm_coefficient_post");
  Type type = nb.element(step->rate);
  Value t = nb.cast(step->count, type), one = nb.splat(type, 1);
  auto left = [&](double base) { return nb.sub(one, nb.ew(Fn::Pow, {nb.splat(type, base), t})); };
  Value corrected = nb.mul(step->rate, nb.div(nb.ew(Fn::Sqrt, left(beta)), left(alpha)));
  Value later = nb.ew(Fn::Greater, {step->count, nb.index(0)});
  Value rate = nb.select(later, corrected, step->rate);
  Values xs, vs, hs;
  for (int64_t i = 0, n = step->groups; i < n; ++i) {
    Value x = nb.in(2 + i), g = nb.in(2 + n + i), v = nb.in(2 + 2 * n + i), h = nb.in(2 + 3 * n + i);
    g = nb.add(nb.mulS(x, norm), g);
    Value nextV = nb.add(nb.mulS(v, alpha), nb.mulS(g, 1 - alpha));
    Value nextH = nb.add(nb.mulS(h, beta), nb.mulS(nb.mul(g, g), 1 - beta));
    Value move = nb.div(nb.mul(rate, nextV), nb.addS(nb.ew(Fn::Sqrt, nextH), epsilon));
    xs.push_back(nb.mulS(nb.sub(x, move), 1 - after));
    vs.push_back(nextV);
    hs.push_back(nextH);
  }
  llvm::append_range(xs, vs);
  llvm::append_range(xs, hs);
  return xs;
}

void populateTraining(OpTable &t) {
  const char *domain = "ai.onnx.preview.training";
  t.push_back({domain, "Momentum", 1, 0, kF32 | kF64, convertMomentum});
  t.push_back({domain, "Adagrad", 1, 0, kF32 | kF64, convertAdagrad});
  t.push_back({domain, "Adam", 1, 0, kF32 | kF64, convertAdam});
}

}  // namespace adze::convert
