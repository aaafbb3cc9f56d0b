// recurrent.
#include "passes/Lowering/Activations.h"
#include "passes/Lowering/Contraction.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;

namespace adze::lowering {

namespace {

using graph::RecurrentKind;

/// One direction of an RNN, GRU or LSTM: a matmul of all steps' inputs, then a
/// loop over time with a matmul of the state and one generic for the gates.
/// Everything computes in f32 (f64 for f64).
class Direction {
 public:
  Direction(graph::RecurrentOp op, Emitter &e, int64_t d, bool backwards,
            ArrayRef<Activation> activations)
      : op(op), e(e), b(e.b), loc(e.loc), d(d), backwards(backwards), activations(activations),
        kind(op.getKind()), element(e.adzeElement(0)), compute(computeType(element)),
        steps(e.extent(0, 0)), batch(e.extent(0, 1)), hidden(e.extent(2, 2)),
        gates(kind == RecurrentKind::LSTM ? 4 : kind == RecurrentKind::GRU ? 3 : 1) {}

  /// Writes this direction's results into y, yh, yc; gives the new ones.
  SmallVector<Value> build(Value y, Value yh, Value yc);

 private:
  Value optional(unsigned group) {
    auto [start, length] = op.getODSOperandIndexAndLength(group);
    return length ? e.operand(start) : Value();
  }
  /// Row d of an operand [D, ...] without its first axis, in the compute type.
  Value row(Value v);
  Value widened(Value v);
  /// Rank-2 [rows, H] or rank-1 [H] part of `v` at `offset` of its last axis.
  Value part(Value v, Fold offset);
  Value gate(Value v, int64_t g) { return part(v, e.m.mul(e.m.constant(g), hidden)); }
  Value stateTimes(Value state, Value weights);
  Value inputsTimes(Value weights);
  Value initial(unsigned group);
  Value insertRow(Value into, Value v, ArrayRef<Fold> at);

  struct Step {
    Value time, x, h, c, active;
  };
  SmallVector<Value> cell(const Step &s);
  SmallVector<Value> rnn(const Step &s);
  SmallVector<Value> gru(const Step &s);
  SmallVector<Value> lstm(const Step &s);
  /// A generic over [B, H]; operands of rank 1 are read along H.
  SmallVector<Value> over(ArrayRef<Value> ins, unsigned results, Bodies body);
  SmallVector<Value> masked(const Step &s, Value h, Value c);

  Value add(Value l, Value r) { return arith::AddFOp::create(b, loc, l, r); }
  Value sub(Value l, Value r) { return arith::SubFOp::create(b, loc, l, r); }
  Value mul(Value l, Value r) { return arith::MulFOp::create(b, loc, l, r); }
  Value activate(int64_t i, Value v, bool clipped = true) {
    if (clipped && op.getClip()) {
      double c = op.getClip()->convertToDouble();
      SmallVector<Type> t{compute, compute};
      v = emitFunction(b, loc, graph::ElementwiseFn::Min, {v, scalarConstant(b, loc, compute, c)}, t);
      v = emitFunction(b, loc, graph::ElementwiseFn::Max, {v, scalarConstant(b, loc, compute, -c)}, t);
    }
    return emitActivation(b, loc, activations[i], v);
  }

  graph::RecurrentOp op;
  Emitter &e;
  ConversionPatternRewriter &b;
  Location loc;
  int64_t d;
  bool backwards;
  ArrayRef<Activation> activations;
  RecurrentKind kind;
  Type element, compute;
  Fold steps, batch, hidden;
  int64_t gates;
  Value r, inputBias, stateBias, peephole, lengths;
};

Value Direction::widened(Value v) {
  if (elementOf(v) == compute) return v;
  Folds extents = e.extentsOf(v);
  return e.map(v, e.identity(extents.size()), extents, compute,
               [&](OpBuilder &nb, Location l, ValueRange args) {
                 return loadScalar(nb, l, args[0], element);
               });
}

Value Direction::row(Value v) {
  Folds sizes = e.extentsOf(v), offsets(sizes.size(), e.m.constant(0)),
        ones(sizes.size(), e.m.constant(1));
  offsets[0] = e.m.constant(d);
  sizes[0] = e.m.constant(1);
  Folds kept(ArrayRef<Fold>(sizes).drop_front());
  auto type = tensorType(e.empty(kept, elementOf(v)));
  return widened(tensor::ExtractSliceOp::create(b, loc, type, v, offsets, sizes, ones));
}

Value Direction::part(Value v, Fold offset) {
  Folds sizes = e.extentsOf(v), offsets(sizes.size(), e.m.constant(0)),
        ones(sizes.size(), e.m.constant(1));
  offsets.back() = offset;
  sizes.back() = hidden;
  return tensor::ExtractSliceOp::create(b, loc, v, offsets, sizes, ones);
}

/// state [B, H] times weights [R, H] transposed.
Value Direction::stateTimes(Value state, Value weights) {
  AffineExpr i = b.getAffineDimExpr(0), j = b.getAffineDimExpr(1), k = b.getAffineDimExpr(2);
  SmallVector<utils::IteratorType> iterators = parallel(2);
  iterators.push_back(utils::IteratorType::reduction);
  return e.generic({state, weights}, e.zeros({batch, e.extentsOf(weights)[0]}, compute),
                   {e.affineMap(3, {i, k}), e.affineMap(3, {j, k}), e.affineMap(3, {i, j})}, iterators,
                   [](OpBuilder &nb, Location l, ValueRange a) { return multiplyAdd(nb, l, a[0], a[1], a[2]); });
}

/// x [T, B, I] times weights [R, I] transposed, for all steps at once.
Value Direction::inputsTimes(Value weights) {
  AffineExpr t = b.getAffineDimExpr(0), i = b.getAffineDimExpr(1), j = b.getAffineDimExpr(2),
             k = b.getAffineDimExpr(3);
  SmallVector<utils::IteratorType> iterators = parallel(3);
  iterators.push_back(utils::IteratorType::reduction);
  return e.generic({e.operand(0), weights}, e.zeros({steps, batch, e.extentsOf(weights)[0]}, compute),
                   {e.affineMap(4, {t, i, k}), e.affineMap(4, {j, k}), e.affineMap(4, {t, i, j})},
                   iterators, [&](OpBuilder &nb, Location l, ValueRange a) {
                     return multiplyAdd(nb, l, loadScalar(nb, l, a[0], element), a[1], a[2]);
                   });
}

Value Direction::initial(unsigned group) {
  if (Value given = optional(group)) {
    // A buffer of its own: the loop writes over its state, and carries it in the
    // layout that it has here.
    Value v = row(given);
    return bufferization::AllocTensorOp::create(b, loc, tensorType(v), ValueRange(), v);
  }
  return e.zeros({batch, hidden}, compute);
}

/// Puts v [B, H] into `into` at the leading indices `at`, in storage elements.
Value Direction::insertRow(Value into, Value v, ArrayRef<Fold> at) {
  if (elementOf(into) != compute)
    v = e.map(v, e.identity(2), {batch, hidden}, elementOf(into),
              [&](OpBuilder &nb, Location l, ValueRange args) {
                return storeScalar(nb, l, args[0], element);
              });
  Folds offsets(at), sizes(at.size(), e.m.constant(1));
  offsets.append(2, e.m.constant(0));
  sizes.append({batch, hidden});
  Folds ones(sizes.size(), e.m.constant(1));
  Value source = e.cast(v, e.empty({batch, hidden}, elementOf(into)).getType());
  return tensor::InsertSliceOp::create(b, loc, source, into, offsets, sizes, ones);
}

SmallVector<Value> Direction::over(ArrayRef<Value> ins, unsigned results, Bodies body) {
  SmallVector<AffineMap> maps;
  for (Value v : ins)
    maps.push_back(rankOf(v) == 1 ? e.affineMap(2, {b.getAffineDimExpr(1)}) : e.identity(2));
  SmallVector<Value> outs;
  for (unsigned i = 0; i < results; ++i) {
    outs.push_back(e.empty({batch, hidden}, compute));
    maps.push_back(e.identity(2));
  }
  return llvm::to_vector(e.generics(ins, outs, maps, parallel(2), body));
}

SmallVector<Value> Direction::rnn(const Step &s) {
  SmallVector<Value> ins{s.x, stateTimes(s.h, r)};
  if (inputBias) ins.append({inputBias, stateBias});
  return over(ins, 1, [&](OpBuilder &, Location, ValueRange a) -> SmallVector<Value> {
    Value v = add(a[0], a[1]);
    if (inputBias) v = add(v, add(a[2], a[3]));
    return {activate(0, v)};
  });
}

// Gates z, r, h.
SmallVector<Value> Direction::gru(const Step &s) {
  Fold two = e.m.mul(e.m.constant(2), hidden), three = e.m.mul(e.m.constant(3), hidden);
  auto rows = [&](Fold from, Fold count) -> Value {
    Folds offsets{from, e.m.constant(0)}, sizes{count, hidden}, ones(2, e.m.constant(1));
    return tensor::ExtractSliceOp::create(b, loc, r, offsets, sizes, ones);
  };
  bool linear = op.getLinearBeforeReset();
  Value state = stateTimes(s.h, linear ? rows(e.m.constant(0), three) : rows(e.m.constant(0), two));
  SmallVector<Value> ins{gate(s.x, 0), gate(s.x, 1), gate(state, 0), gate(state, 1), s.h};
  if (inputBias)
    for (int64_t g : {0, 1}) ins.append({gate(inputBias, g), gate(stateBias, g)});
  auto zr = over(ins, 3, [&](OpBuilder &, Location, ValueRange a) -> SmallVector<Value> {
    Value z = add(a[0], a[2]), reset = add(a[1], a[3]);
    if (inputBias) z = add(z, add(a[5], a[6])), reset = add(reset, add(a[7], a[8]));
    reset = activate(0, reset);
    return {activate(0, z), reset, mul(reset, a[4])};
  });
  Value past = linear ? gate(state, 2) : stateTimes(zr[2], rows(two, hidden));
  SmallVector<Value> last{zr[0], zr[1], gate(s.x, 2), past, s.h};
  if (inputBias) last.append({gate(inputBias, 2), gate(stateBias, 2)});
  return over(last, 1, [&](OpBuilder &, Location, ValueRange a) -> SmallVector<Value> {
    Value recurrent = inputBias ? add(a[3], a[6]) : Value(a[3]);
    if (linear) recurrent = mul(a[1], recurrent);
    Value v = add(inputBias ? add(a[2], a[5]) : Value(a[2]), recurrent);
    Value rest = sub(scalarConstant(b, loc, compute, 1), a[0]);
    return {add(mul(rest, activate(1, v)), mul(a[0], a[4]))};
  });
}

// Gates i, o, f, c; peepholes i, o, f.
SmallVector<Value> Direction::lstm(const Step &s) {
  Value state = stateTimes(s.h, r);
  SmallVector<Value> ins;
  for (int64_t g = 0; g < 4; ++g) ins.append({gate(s.x, g), gate(state, g)});
  ins.push_back(s.c);
  size_t biasAt = ins.size();
  if (inputBias)
    for (int64_t g = 0; g < 4; ++g) ins.append({gate(inputBias, g), gate(stateBias, g)});
  size_t peepAt = ins.size();
  if (peephole)
    for (int64_t g = 0; g < 3; ++g) ins.push_back(gate(peephole, g));
  return over(ins, 2, [&](OpBuilder &, Location, ValueRange a) -> SmallVector<Value> {
    auto sum = [&](int64_t g) {
      Value v = add(a[2 * g], a[2 * g + 1]);
      return inputBias ? add(v, add(a[biasAt + 2 * g], a[biasAt + 2 * g + 1])) : v;
    };
    auto peep = [&](int64_t g, Value v, Value c) {
      return peephole ? add(v, mul(a[peepAt + g], c)) : v;
    };
    Value c = a[8];
    Value in = activate(0, peep(0, sum(0), c));
    Value forget = op.getInputForget() ? sub(scalarConstant(b, loc, compute, 1), in)
                                       : activate(0, peep(2, sum(2), c));
    Value next = add(mul(forget, c), mul(in, activate(1, sum(3))));
    Value out = activate(0, peep(1, sum(1), next));
    return {mul(out, activate(2, next, /*clipped=*/false)), next};
  });
}

SmallVector<Value> Direction::cell(const Step &s) {
  if (kind == RecurrentKind::RNN) return rnn(s);
  return kind == RecurrentKind::GRU ? gru(s) : lstm(s);
}

/// Sequences that have ended keep their state and give zeros: h, c, y.
SmallVector<Value> Direction::masked(const Step &s, Value h, Value c) {
  if (!lengths) return {h, c, h};
  AffineMap id = e.identity(2), along = e.affineMap(2, {b.getAffineDimExpr(0)});
  SmallVector<Value> outs;
  for (int i = 0; i < 3; ++i) outs.push_back(e.empty({batch, hidden}, compute));
  auto body = [&](OpBuilder &nb, Location l, ValueRange a) -> SmallVector<Value> {
    Value length = arith::IndexCastOp::create(nb, l, nb.getIndexType(), a[4]);
    Value active = arith::CmpIOp::create(nb, l, arith::CmpIPredicate::slt, s.time, length);
    auto pick = [&](Value yes, Value no) -> Value {
      return arith::SelectOp::create(nb, l, active, yes, no);
    };
    return {pick(a[0], a[2]), pick(a[1], a[3]), pick(a[0], scalarConstant(nb, l, compute, 0))};
  };
  return llvm::to_vector(e.generics({h, c, s.h, s.c, lengths}, outs,
                                    {id, id, id, id, along, id, id, id}, parallel(2), body));
}

SmallVector<Value> Direction::build(Value y, Value yh, Value yc) {
  Value inputs = inputsTimes(row(e.operand(1)));
  r = row(e.operand(2));
  if (Value bias = optional(3)) {
    Value both = row(bias);
    Fold half = e.m.mul(e.m.constant(gates), hidden);
    auto take = [&](Fold from) -> Value {
      return tensor::ExtractSliceOp::create(b, loc, both, Folds{from}, Folds{half},
                                            Folds{e.m.constant(1)});
    };
    inputBias = take(e.m.constant(0));
    stateBias = take(half);
  }
  lengths = optional(4);
  if (Value p = optional(7)) peephole = row(p);
  Value h = initial(5), c = initial(6);
  Value last = e.m.value(e.m.sub(steps, e.m.constant(1)));
  auto type = tensorType(e.empty({batch, hidden}, compute));
  auto body = [&](OpBuilder &, Location, Value i, ValueRange carried) {
    Value time = backwards ? Value(arith::SubIOp::create(b, loc, last, i)) : i;
    Folds offsets{time, e.m.constant(0), e.m.constant(0)};
    Fold width = e.m.mul(e.m.constant(gates), hidden);
    Folds sizes{e.m.constant(1), batch, width}, ones(3, e.m.constant(1));
    auto rowType = tensorType(e.empty({batch, width}, compute));
    Value x = tensor::ExtractSliceOp::create(b, loc, rowType, inputs, offsets, sizes, ones);
    Step s{time, x, carried[0], carried[1], {}};
    SmallVector<Value> next = cell(s);
    if (next.size() == 1) next.push_back(carried[1]);
    SmallVector<Value> kept = masked(s, next[0], next[1]);
    Value written = insertRow(carried[2], kept[2], {time, e.m.constant(d)});
    scf::YieldOp::create(b, loc, ValueRange{e.cast(kept[0], type), e.cast(kept[1], type), written});
  };
  auto loop = scf::ForOp::create(b, loc, e.index(0), e.m.value(steps), e.index(1),
                                 ValueRange{e.cast(h, type), e.cast(c, type), y}, body);
  yh = insertRow(yh, loop.getResult(0), {e.m.constant(d)});
  Value cell = kind == RecurrentKind::LSTM ? loop.getResult(1) : loop.getResult(0);
  return {loop.getResult(2), yh, insertRow(yc, cell, {e.m.constant(d)})};
}

/// adze.recurrent -> for each direction a matmul and an scf.for over time.
struct LowerRecurrent : Lower<graph::RecurrentOp> {
  using Lower::Lower;
  LogicalResult lower(graph::RecurrentOp op, Emitter &e) const override {
    FailureOr<Folds> y = e.resultExtents(0), yh = e.resultExtents(1);
    if (failed(y) || failed(yh)) return e.unsupported("its result extents are not known");
    Type element = e.adzeElement(0);
    if (!isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(element))
      return e.unsupported("this element type has no scalar code");
    bool both = op.getDirection() == "bidirectional";
    int64_t directions = both ? 2 : 1;
    SmallVector<Activation> all = activationsOf(op);
    size_t each = op.getKind() == RecurrentKind::LSTM ? 3 : op.getKind() == RecurrentKind::GRU ? 2 : 1;
    if (all.size() != each * directions) return e.unsupported("it names too few activations");
    static constexpr StringLiteral kKnown[] = {
        "Sigmoid", "Tanh", "Relu", "Affine", "LeakyRelu", "ThresholdedRelu", "ScaledTanh",
        "HardSigmoid", "Elu", "Softsign", "Softplus"};
    for (const Activation &a : all)
      if (!llvm::is_contained(kKnown, a.name)) return e.unsupported("an activation is unknown");
    Type storage = storageType(element);
    SmallVector<Value> r{e.empty(*y, storage), e.empty(*yh, storage), e.empty(*yh, storage)};
    for (int64_t d = 0; d < directions; ++d) {
      bool backwards = both ? d == 1 : op.getDirection() == "reverse";
      ArrayRef<Activation> own = ArrayRef<Activation>(all).slice(d * each, each);
      r = Direction(op, e, d, backwards, own).build(r[0], r[1], r[2]);
    }
    return e.replace(r);
  }
};

}  // namespace

void populateRecurrentPatterns(const TypeConverter &types, LoweringState &state,
                               RewritePatternSet &patterns) {
  addPatterns<LowerRecurrent>(types, state, patterns);
}

}  // namespace adze::lowering
