// Vector formulas of elementary functions. The polynomials are minimax fits
// (Lawson's weighted least squares in double) over the ranges named beside
// them; test/passes/Schedule/math-errors.test measures what Passes.td promises.
#include "passes/Schedule/MathBuilder.h"
#include "passes/Schedule/Passes.h"
#include "passes/Schedule/Pow.h"
#include "passes/Schedule/Quarters.h"

#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace adze::schedule {
#define GEN_PASS_DEF_EXPANDMATH
#include "passes/Schedule/Passes.h.inc"
}  // namespace adze::schedule

using namespace mlir;

namespace adze::schedule {
namespace {

using arith::CmpFPredicate;

/// e^x = 2^n e^r with |r| <= ln2/2: n and e^r.
std::pair<Value, Value> reduceExp(MathBuilder &m, Value x) {
  Value n = m.round(m.mul(x, m.constant(1.442695041f)));
  // ln 2 in two parts; the first has few bits, so that its product is exact.
  Value r = m.mulAdd(n, m.constant(-6.931152344e-01f), x);
  r = m.mulAdd(n, m.constant(-3.194618330e-05f), r);
  Value tail = m.polynomial(r, {4.999999404e-01f, 1.666651517e-01f, 4.166845605e-02f,
                                8.369419724e-03f, 1.381313545e-03f});
  return {m.toInt(n), m.add(m.mulAdd(m.mul(r, r), tail, r), m.constant(1.0f))};
}

/// e^x; two factors of 2^n reach the denormals.
Value buildExp(MathBuilder &m, Value x) {
  Value low = m.constant(-104.0f), high = m.constant(89.0f);
  Value bounded = m.select(m.compare(CmpFPredicate::OLT, x, low), low, x);
  bounded = m.select(m.compare(CmpFPredicate::OGT, bounded, high), high, bounded);
  auto [whole, e] = reduceExp(m, bounded);
  Value half = arith::ShRSIOp::create(m.builder, m.loc, whole, m.integer(1));
  Value rest = arith::SubIOp::create(m.builder, m.loc, whole, half);
  Value result = m.mul(m.mul(e, m.powerOfTwo(half)), m.powerOfTwo(rest));
  return m.select(m.compare(CmpFPredicate::UNO, x, x), x, result);
}

/// e^x of |x| <= 87.
Value buildExpWithin(MathBuilder &m, Value x) {
  auto [n, e] = reduceExp(m, x);
  return m.mul(e, m.powerOfTwo(n));
}

/// The smaller of the two; of NaN, `most`.
Value atMost(MathBuilder &m, Value x, float most) {
  Value limit = m.constant(most);
  return m.select(m.compare(CmpFPredicate::OLT, x, limit), x, limit);
}

/// Near zero x + x^3 p(x^2); else 1 - 2 / (e^2|x| + 1).
Value buildTanh(MathBuilder &m, Value x) {
  Value size = m.abs(x), square = m.mul(x, x);
  Value p = m.polynomial(square, {-3.333333135e-01f, 1.333321035e-01f, -5.394720286e-02f,
                                  2.170296200e-02f, -8.182662539e-03f, 2.147527644e-03f});
  Value nearZero = m.mulAdd(m.mul(square, x), p, x);
  Value one = m.constant(1.0f);
  Value bounded = atMost(m, size, 10.0f);  // 1 in f32 from 9.1 on
  Value e = m.add(buildExpWithin(m, m.add(bounded, bounded)), one);
  Value far = m.sub(one, m.div(m.constant(2.0f), e));
  Value isNear = m.compare(CmpFPredicate::ULT, size, m.constant(0.625f));  // NaN too
  return m.copySign(m.select(isNear, nearZero, far), x);
}

/// Below one x + x p(x^2); to four 1 - e^q(|x|) with q = log erfc; then 1.
Value buildErf(MathBuilder &m, Value x) {
  Value size = m.abs(x), one = m.constant(1.0f);
  Value p = m.polynomial(m.mul(x, x), {1.28379226e-01f, -3.761263788e-01f, 1.128378212e-01f,
                                       -2.686540037e-02f, 5.220945459e-03f, -8.482828271e-04f,
                                       1.125694325e-04f, -9.641504221e-06f});
  Value nearZero = m.mulAdd(x, p, x);
  Value q = m.polynomial(atMost(m, size, 4.0f), {1.824639912e-04f, -1.129552007e+00f, -6.332723498e-01f,
                                   -1.083616018e-01f, 2.517184056e-02f, -4.190868232e-03f,
                                   4.385326465e-04f, -2.144581231e-05f});
  Value far = m.copySign(m.sub(one, buildExpWithin(m, q)), x);
  return m.select(m.compare(CmpFPredicate::ULT, size, one), nearZero, far);  // NaN is near
}

/// sin(x + shift pi/2) of x = k pi/2 + r, |r| <= pi/4; k is an integer.
Value buildSineOf(MathBuilder &m, Value k, Value r, int32_t shift) {
  Value z = m.mul(r, r);
  Value s = m.mulAdd(m.mul(z, r),
                     m.polynomial(z, {-1.666666716e-01f, 8.333329111e-03f, -1.983925613e-04f,
                                      2.717564257e-06f}), r);
  Value c = m.mulAdd(m.mul(z, z),
                     m.polynomial(z, {4.166664556e-02f, -1.388730598e-03f, 2.443119774e-05f}),
                     m.mulAdd(z, m.constant(-0.5f), m.constant(1.0f)));
  Value quadrant = arith::AddIOp::create(m.builder, m.loc, k, m.integer(shift));
  auto bit = [&](int32_t mask) -> Value {
    Value masked = arith::AndIOp::create(m.builder, m.loc, quadrant, m.integer(mask));
    return arith::CmpIOp::create(m.builder, m.loc, arith::CmpIPredicate::ne, masked, m.integer(0));
  };
  Value value = m.select(bit(1), c, s);
  value = m.select(bit(2), arith::NegFOp::create(m.builder, m.loc, value), value);
  return value;
}

/// k and r of |x| up to 8192.
std::pair<Value, Value> reduceNear(MathBuilder &m, Value x) {
  Value k = m.round(m.mul(x, m.constant(6.366197724e-01f)));
  // pi/2 in four parts, the first three of eleven bits.
  Value r = m.mulAdd(k, m.constant(-1.5703125e+00f), x);
  r = m.mulAdd(k, m.constant(-4.837512970e-04f), r);
  r = m.mulAdd(k, m.constant(-7.549533620e-08f), r);
  r = m.mulAdd(k, m.constant(-2.563282919e-12f), r);
  return {m.toInt(k), r};
}

/// sin(x + shift pi/2) of any x. Large ones are rare: a branch computes them.
Value buildSine(MathBuilder &m, Value x, int32_t shift) {
  auto [k, r] = reduceNear(m, x);
  Value isNear = m.compare(CmpFPredicate::OLE, m.abs(x), m.constant(8192.0f)), all = isNear;
  if (isa<VectorType>(m.type))
    all = vector::ReductionOp::create(m.builder, m.loc, vector::CombiningKind::AND, isNear);
  auto branch = scf::IfOp::create(m.builder, m.loc, TypeRange{k.getType(), r.getType()}, all,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(m.builder);
  m.builder.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(m.builder, m.loc, ValueRange{k, r});
  m.builder.setInsertionPointToStart(branch.elseBlock());
  auto [farK, farR] = reduceQuarters(m, x);
  scf::YieldOp::create(m.builder, m.loc, ValueRange{m.select(isNear, k, farK), m.select(isNear, r, farR)});
  m.builder.setInsertionPointAfter(branch);
  return buildSineOf(m, branch.getResult(0), branch.getResult(1), shift);
}

bool isF32(Type type) { return getElementTypeOrSelf(type).isF32(); }

/// op(x) of f32 becomes the formula.
template <typename OpTy, Value (*build)(MathBuilder &, Value)>
struct ExpandUnary : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    if (!isF32(op.getType()))
      return rewriter.notifyMatchFailure(op, "not f32");
    MathBuilder m(rewriter, op.getLoc(), op.getType());
    rewriter.replaceOp(op, build(m, op.getOperand()));
    return success();
  }
};

constexpr StringLiteral kScaled = "adze.scaled";

constexpr float kLn2Times24 = 16.63553233f;

/// log and log2 of denormals, which MLIR's formulas take for normal numbers:
/// log(x) = log(2^24 x) - log(2^24).
template <typename OpTy> struct ScaleDenormals : OpRewritePattern<OpTy> {
  ScaleDenormals(MLIRContext *ctx, float log24) : OpRewritePattern<OpTy>(ctx, 2), log24(log24) {}
  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    if (!isF32(op.getType()) || op->hasAttr(kScaled))
      return rewriter.notifyMatchFailure(op, "not f32, or done");
    MathBuilder m(rewriter, op.getLoc(), op.getType());
    Value x = op.getOperand();
    Value denormal = m.compare(CmpFPredicate::OLT, x, m.constant(0x1p-126f));
    Value scaled = m.select(denormal, m.mul(x, m.constant(0x1p24f)), x);
    auto log = OpTy::create(rewriter, op.getLoc(), scaled);
    log->setAttr(kScaled, rewriter.getUnitAttr());
    Value shift = m.select(denormal, m.constant(log24), m.constant(0.0f));
    rewriter.replaceOp(op, m.sub(log, shift));
    return success();
  }
  float log24;
};

template <int32_t shift>
Value buildShiftedSine(MathBuilder &m, Value x) {
  return buildSine(m, x, shift);
}

struct ExpandPow : OpRewritePattern<math::PowFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::PowFOp op, PatternRewriter &rewriter) const override {
    if (!isF32(op.getType())) return rewriter.notifyMatchFailure(op, "not f32");
    rewriter.replaceOp(op, buildPow(rewriter, op.getLoc(), op.getLhs(), op.getRhs()));
    return success();
  }
};

/// 1 / sqrt(x), which is exact to an ulp and never an approximate instruction.
Value buildRsqrt(MathBuilder &m, Value x) {
  return m.div(m.constant(1.0f), math::SqrtOp::create(m.builder, m.loc, x));
}

struct ExpandMath : impl::ExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandUnary<math::ExpOp, buildExp>, ExpandUnary<math::TanhOp, buildTanh>,
                 ExpandUnary<math::ErfOp, buildErf>, ExpandUnary<math::RsqrtOp, buildRsqrt>,
                 ExpandUnary<math::SinOp, buildShiftedSine<0>>,
                 ExpandUnary<math::CosOp, buildShiftedSine<1>>, ExpandPow>(&getContext());
    patterns.add<ScaleDenormals<math::LogOp>>(&getContext(), kLn2Times24);
    patterns.add<ScaleDenormals<math::Log2Op>>(&getContext(), 24.0f);
    // Of MLIR's own formulas, those measured good to three ulp.
    auto isGood = [](StringRef name) {
      return llvm::is_contained({"math.log", "math.log2", "math.log1p", "math.expm1", "math.erfc"},
                                name);
    };
    populateMathPolynomialApproximationPatterns(patterns, isGood);
    auto isExpanded = [&](StringRef name) {
      return isGood(name) || llvm::is_contained({"math.exp", "math.tanh", "math.erf", "math.sin",
                                                 "math.cos", "math.rsqrt"}, name);
    };
    populateMathF32ExpansionPatterns(patterns, isExpanded);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

}  // namespace
}  // namespace adze::schedule
