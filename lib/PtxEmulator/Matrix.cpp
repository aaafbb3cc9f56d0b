#include "lib/PtxEmulator/Matrix.h"

#include "lib/PtxEmulator/LaneOps.h"
#include "lib/PtxEmulator/Numbers.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace adze::ptx {

static constexpr ElementInfo kElements[] = {
    {"f16", Element::F16, 16, false},  {"bf16", Element::Bf16, 16, false}, {"tf32", Element::Tf32, 32, false},
    {"e4m3", Element::E4m3, 8, false}, {"e5m2", Element::E5m2, 8, false},  {"s8", Element::S8, 8, true},
    {"u8", Element::U8, 8, true},      {"s4", Element::S4, 4, true},       {"u4", Element::U4, 4, true},
    {"f64", Element::F64, 64, false},  {"f32", Element::F32, 32, false},   {"s32", Element::S32, 32, true}};

std::optional<ElementInfo> elementNamed(std::string_view name) {
  for (const ElementInfo &e : kElements)
    if (e.name == name) return e;
  return std::nullopt;
}
const ElementInfo &infoOf(Element e) { return kElements[static_cast<int>(e)]; }

/// A copy with zeros for what is no finite number.
static const float *onlyFinite(const float *x, int count, std::vector<float> &copy) {
  copy.assign(x, x + count);
  for (float &v : copy) v = v - v == 0 ? v : 0;
  return copy.data();
}

void multiplyFloat(float *c, const float *a, const float *b, int m, int n, int k, TensorSum mode) {
  const TensorFunctions &on = tensorFunctions();
  static thread_local std::vector<int> ea, eb, ec;
  ea.resize(static_cast<size_t>(m * k)), eb.resize(static_cast<size_t>(k * n)), ec.resize(static_cast<size_t>(m * n));
  if (on.exponents(a, m * k, ea.data()) & on.exponents(b, k * n, eb.data()) & on.exponents(c, m * n, ec.data()))
    return on.floats(c, a, b, ea.data(), eb.data(), m, n, k, mode);
  // Sums with an infinity or NaN in them are just that.
  std::vector<float> sums(static_cast<size_t>(m * n)), copyA, copyB, copyC;
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j) {
      double sum = c[i * n + j];
      for (int x = 0; x < k; ++x) sum += static_cast<double>(a[i * k + x]) * b[x * n + j];
      sums[static_cast<size_t>(i * n + j)] = static_cast<float>(sum);
    }
  const float *finiteA = onlyFinite(a, m * k, copyA), *finiteB = onlyFinite(b, k * n, copyB);
  std::copy_n(onlyFinite(c, m * n, copyC), m * n, c);
  on.exponents(finiteA, m * k, ea.data()), on.exponents(finiteB, k * n, eb.data());
  on.floats(c, finiteA, finiteB, ea.data(), eb.data(), m, n, k, mode);
  for (int i = 0; i < m * n; ++i)
    if (sums[static_cast<size_t>(i)] - sums[static_cast<size_t>(i)] != 0) c[i] = sums[static_cast<size_t>(i)];
}

void multiplyEighths(float *c, const float *a, const float *b, int m, int n, int k) {
  std::vector<float> sum(static_cast<size_t>(m * n)), partA(static_cast<size_t>(m * k / 2)), partB(static_cast<size_t>(n * k / 2));
  for (int half = 0; half < 2; ++half) {
    for (int x = 0; x < k / 2; ++x) {
      int from = x / 2 * 4 + 2 * half + x % 2;
      for (int i = 0; i < m; ++i) partA[static_cast<size_t>(i * k / 2 + x)] = a[i * k + from];
      for (int j = 0; j < n; ++j) partB[static_cast<size_t>(x * n + j)] = b[from * n + j];
    }
    multiplyFloat(sum.data(), partA.data(), partB.data(), m, n, k / 2);
  }
  for (int i = 0; i < m * n; ++i) c[i] += sum[static_cast<size_t>(i)];
}

void multiplyInt(int32_t *c, const int32_t *a, const int32_t *b, int m, int n, int k, bool saturate) {
  std::vector<int32_t> sum(static_cast<size_t>(n));
  for (int i = 0; i < m; ++i) {
    std::fill(sum.begin(), sum.end(), 0);  // never overflows: 64 products of 16 bits
    tensorFunctions().integers(sum.data(), a + i * k, b, n, k);
    for (int j = 0; j < n; ++j) {
      int64_t total = int64_t{c[i * n + j]} + sum[static_cast<size_t>(j)];
      if (saturate) total = total > INT32_MAX ? INT32_MAX : total < INT32_MIN ? INT32_MIN : total;
      c[i * n + j] = static_cast<int32_t>(total);
    }
  }
}

std::optional<Shape> shapeNamed(std::string_view text) {
  Shape s;
  int *parts[] = {&s.m, &s.n, &s.k};
  const char *at = text.data(), *end = at + text.size();
  for (int i = 0; i < 3; ++i) {
    if (at == end || *at != "mnk"[i]) return std::nullopt;
    auto [next, bad] = std::from_chars(at + 1, end, *parts[i]);
    if (bad != std::errc()) return std::nullopt;
    at = next;
  }
  return at == end ? std::optional(s) : std::nullopt;
}

}  // namespace adze::ptx
