// recurrent: ONNX RNN, GRU and LSTM, one sequence of one direction at a time.
#include "lib/Reference/Call.h"

#include <cmath>

using namespace mlir;
using adze::graph::RecurrentKind;

namespace adze::reference {

namespace {
struct Activation {
  StringRef name;
  double alpha = 0, beta = 0;

  double operator()(double x) const {
    if (name == "Sigmoid") return 1 / (1 + std::exp(-x));
    if (name == "Tanh") return std::tanh(x);
    if (name == "Relu") return std::max(x, 0.0);
    if (name == "Affine") return alpha * x + beta;
    if (name == "LeakyRelu") return x >= 0 ? x : alpha * x;
    if (name == "ThresholdedRelu") return x > alpha ? x : 0;
    if (name == "ScaledTanh") return alpha * std::tanh(beta * x);
    if (name == "HardSigmoid") return std::clamp(alpha * x + beta, 0.0, 1.0);
    if (name == "Elu") return x >= 0 ? x : alpha * (std::exp(x) - 1);
    if (name == "Softsign") return x / (1 + std::fabs(x));
    return std::log1p(std::exp(x));  // Softplus
  }
};

/// Which parameters an activation takes, and their defaults (those of the ONNX
/// op of the same name).
struct Parameters {
  StringRef name;
  std::optional<double> alpha, beta;
};
const Parameters kParameters[] = {
    {"Affine", 1.0, 0.0},      {"LeakyRelu", 0.01, std::nullopt}, {"ThresholdedRelu", 1.0, std::nullopt},
    {"ScaledTanh", 1.0, 1.0},  {"HardSigmoid", 0.2, 0.5},         {"Elu", 1.0, std::nullopt},
};

/// The activations of all directions. Those that take a parameter use up the
/// lists of parameters in order.
SmallVector<Activation> activationsOf(graph::RecurrentOp op) {
  auto read = [](ArrayAttr list) {
    SmallVector<double> values;
    for (Attribute a : list) values.push_back(cast<FloatAttr>(a).getValueAsDouble());
    return values;
  };
  SmallVector<double> alphas = read(op.getActivationAlpha()), betas = read(op.getActivationBeta());
  size_t nextAlpha = 0, nextBeta = 0;
  SmallVector<Activation> result;
  for (StringRef name : op.getActivations().getAsValueRange<StringAttr>()) {
    Activation a{name};
    auto *row = llvm::find_if(kParameters, [&](const Parameters &p) { return p.name == name; });
    if (row != std::end(kParameters)) {
      if (row->alpha) a.alpha = nextAlpha < alphas.size() ? alphas[nextAlpha++] : *row->alpha;
      if (row->beta) a.beta = nextBeta < betas.size() ? betas[nextBeta++] : *row->beta;
    }
    result.push_back(a);
  }
  return result;
}

using Vector = std::vector<double>;

/// The operands of one direction.
struct Cell {
  RecurrentKind kind;
  int64_t inputs, hidden;
  const double *w, *r;            ///< [G*H, I], [G*H, H]
  const double *bias, *peephole;  ///< [2*G*H], [3*H] or null
  ArrayRef<Activation> activations;
  double clip;
  bool linearBeforeReset, inputForget;

  /// W[gate] x + its bias, element `h`.
  double input(int64_t gate, int64_t h, const double *x) const {
    int64_t row = gate * hidden + h;
    double sum = bias ? bias[row] : 0;
    for (int64_t i = 0; i < inputs; ++i) sum += w[row * inputs + i] * x[i];
    return sum;
  }
  /// R[gate] state + its bias, element `h`.
  double recurrence(int64_t gate, int64_t h, const Vector &state) const {
    int64_t row = gate * hidden + h, gates = kind == RecurrentKind::LSTM  ? 4
                                             : kind == RecurrentKind::GRU ? 3
                                                                          : 1;
    double sum = bias ? bias[gates * hidden + row] : 0;
    for (int64_t i = 0; i < hidden; ++i) sum += r[row * hidden + i] * state[i];
    return sum;
  }
  double activate(int64_t i, double v) const { return activations[i](std::clamp(v, -clip, clip)); }
  double peep(int64_t gate, int64_t h, double c) const {
    return peephole ? peephole[gate * hidden + h] * c : 0;
  }

  void step(const double *x, Vector &h, Vector &c) const;
  void stepGru(const double *x, Vector &h) const;
  void stepLstm(const double *x, Vector &h, Vector &c) const;
};

void Cell::step(const double *x, Vector &h, Vector &c) const {
  if (kind == RecurrentKind::GRU) return stepGru(x, h);
  if (kind == RecurrentKind::LSTM) return stepLstm(x, h, c);
  Vector next(hidden);
  for (int64_t i = 0; i < hidden; ++i) next[i] = activate(0, input(0, i, x) + recurrence(0, i, h));
  h = next;
}

// Gates z, r, h.
void Cell::stepGru(const double *x, Vector &h) const {
  Vector z(hidden), reset(hidden), gated(hidden), next(hidden);
  for (int64_t i = 0; i < hidden; ++i) {
    z[i] = activate(0, input(0, i, x) + recurrence(0, i, h));
    reset[i] = activate(0, input(1, i, x) + recurrence(1, i, h));
    gated[i] = reset[i] * h[i];
  }
  for (int64_t i = 0; i < hidden; ++i) {
    double past = linearBeforeReset ? reset[i] * recurrence(2, i, h) : recurrence(2, i, gated);
    next[i] = (1 - z[i]) * activate(1, input(2, i, x) + past) + z[i] * h[i];
  }
  h = next;
}

// Gates i, o, f, c; peepholes i, o, f.
void Cell::stepLstm(const double *x, Vector &h, Vector &c) const {
  Vector next(hidden);
  for (int64_t i = 0; i < hidden; ++i) {
    auto gate = [&](int64_t g) { return input(g, i, x) + recurrence(g, i, h); };
    double in = activate(0, gate(0) + peep(0, i, c[i]));
    double forget = inputForget ? 1 - in : activate(0, gate(2) + peep(2, i, c[i]));
    c[i] = forget * c[i] + in * activate(1, gate(3));
    double out = activate(0, gate(1) + peep(1, i, c[i]));
    next[i] = out * activations[2](c[i]);
  }
  h = next;
}
}  // namespace

ADZE_EVALUATE(RecurrentOp) {
  const Tensor &xt = call.in(0);
  int64_t times = xt.dim(0), batches = xt.dim(1), inputs = xt.dim(2);
  int64_t directions = call.out(1).dim(0), hidden = call.out(1).dim(2);
  auto values = [&](unsigned i) {
    const Tensor *t = call.optional(op, i);
    return t ? toDoubles(*t) : Vector();
  };
  Vector x = toDoubles(xt), w = values(1), r = values(2), b = values(3), h0 = values(5),
         c0 = values(6), p = values(7);
  std::vector<int64_t> lengths(batches, times);
  if (const Tensor *t = call.optional(op, 4)) lengths = toInts(*t);
  SmallVector<Activation> activations = activationsOf(op);
  int64_t rows = w.size() / std::max<int64_t>(1, directions * inputs);
  rows = hidden ? int64_t(r.size()) / (directions * hidden) : rows;
  double clip = op.getClip() ? op.getClip()->convertToFloat() : HUGE_VAL;
  Vector y(call.out(0).size()), yh(call.out(1).size()), yc(call.out(2).size());
  auto part = [](const Vector &v, int64_t d, int64_t size) {
    return v.empty() ? nullptr : v.data() + d * size;
  };
  int64_t each = activations.size() / directions;
  for (int64_t d = 0; d < directions; ++d) {
    Cell cell{op.getKind(), inputs, hidden, part(w, d, rows * inputs), part(r, d, rows * hidden),
              part(b, d, 2 * rows), part(p, d, 3 * hidden),
              ArrayRef(activations).slice(d * each, each), clip, op.getLinearBeforeReset(),
              op.getInputForget()};
    bool backwards = d == 1 || op.getDirection() == "reverse";
    for (int64_t n = 0; n < batches; ++n) {
      if (lengths[n] < 0 || lengths[n] > times)
        return call.error("sequence length ", lengths[n], " is out of range for ", times, " steps");
      int64_t state = (d * batches + n) * hidden;
      Vector h(hidden, 0), c(hidden, 0);
      if (!h0.empty()) std::copy_n(&h0[state], hidden, h.begin());
      if (!c0.empty()) std::copy_n(&c0[state], hidden, c.begin());
      for (int64_t s = 0; s < lengths[n]; ++s) {
        int64_t t = backwards ? lengths[n] - 1 - s : s;
        cell.step(x.data() + (t * batches + n) * inputs, h, c);
        std::copy_n(h.begin(), hidden, y.begin() + ((t * directions + d) * batches + n) * hidden);
      }
      std::copy_n(h.begin(), hidden, yh.begin() + state);
      const Vector &last = op.getKind() == RecurrentKind::LSTM ? c : h;
      std::copy_n(last.begin(), hidden, yc.begin() + state);
    }
  }
  storeDoubles(call.out(0), y);
  storeDoubles(call.out(1), yh);
  storeDoubles(call.out(2), yc);
  return success();
}

}  // namespace adze::reference
