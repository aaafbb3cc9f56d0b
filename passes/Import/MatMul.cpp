// Matrix products.
#include "passes/Import/Constants.h"
#include "passes/Import/NodeBuilder.h"

using namespace mlir;

namespace adze::convert {

/// numpy's matmul: a vector gains an axis, which the result loses.
static Value matmulAnyRank(NodeBuilder &nb, Value a, Value b, bool ta = false, bool tb = false,
                           Type accumulator = {}) {
  if (!a || !b) return {};
  bool rowVector = nb.rank(a) == 1, columnVector = nb.rank(b) == 1;
  if (nb.rank(a) == 0 || nb.rank(b) == 0) return nb.invalid("an operand has rank 0");
  if (rowVector) a = nb.unsqueeze(a, {0}), ta = false;
  if (columnVector) b = nb.unsqueeze(b, {1}), tb = false;
  Value y = nb.matmul(a, b, ta, tb, accumulator);
  if (!y) return y;
  Ints gone;
  if (rowVector) gone.push_back(nb.rank(y) - 2);
  if (columnVector) gone.push_back(nb.rank(y) - 1);
  return nb.squeeze(y, gone);
}

static Values convertMatMul(NodeBuilder &nb) { return {matmulAnyRank(nb, nb.in(0), nb.in(1))}; }

/// alpha * a * b + beta * c
static Values convertGemm(NodeBuilder &nb) {
  Value a = nb.in(0), b = nb.in(1);
  if (!a || !b) return {Value()};
  if (nb.rank(a) != 2 || nb.rank(b) != 2) return {nb.invalid("its operands must have rank 2")};
  double alpha = nb.floatAttr("alpha", 1), beta = nb.floatAttr("beta", 1);
  Value y = nb.matmul(a, b, nb.boolAttr("transA"), nb.boolAttr("transB"));
  if (alpha != 1) y = nb.mulS(y, alpha);
  if (!nb.has(2) || beta == 0) return {y};
  return {nb.add(y, beta == 1 ? nb.in(2) : nb.mulS(nb.in(2), beta))};
}

/// com.microsoft: alpha * (a * b); transBatchA and B are refused.
static Values convertFusedMatMul(NodeBuilder &nb) {
  if (nb.boolAttr("transBatchA") || nb.boolAttr("transBatchB"))
    return {nb.unsupported("it transposes batch axes")};
  Value y = matmulAnyRank(nb, nb.in(0), nb.in(1), nb.boolAttr("transA"), nb.boolAttr("transB"));
  double alpha = nb.floatAttr("alpha", 1);
  return {alpha == 1 ? y : nb.mulS(y, alpha)};
}

void populateMatMul(OpTable &t) {
  t.push_back({"", "MatMul", 1, 0, kNumbers, convertMatMul});
  t.push_back({"", "Gemm", 7, 0, kNumbers, convertGemm});
  t.push_back({"com.microsoft", "FusedMatMul", 1, 0, kFloats, convertFusedMatMul});
}

}  // namespace adze::convert
