#include "tools/adze/Compare.h"

#include "tools/adze/Session.h"

#include <cmath>
#include <limits>

namespace adze::cli {

/// Distance from one to the next number of the type: 2 to the minus its bits of
/// mantissa.
static double epsilonOf(int32_t dtype) {
  switch (dtype) {
    case ADZE_FLOAT64:
    case ADZE_COMPLEX128: return 0x1p-52;
    case ADZE_FLOAT16: return 0x1p-10;
    case ADZE_BFLOAT16: return 0x1p-7;
    case ADZE_FLOAT8E4M3FN:
    case ADZE_FLOAT8E4M3FNUZ: return 0x1p-3;
    case ADZE_FLOAT8E5M2:
    case ADZE_FLOAT8E5M2FNUZ: return 0x1p-2;
    case ADZE_FLOAT8E8M0: return 1;
    default: return isFloat(dtype) ? 0x1p-23 : 0;
  }
}

/// Error of `steps` roundings to `dtype` and of sums of `terms` terms, relative
/// to the largest number on the way; 0 for integers. A term costs a product and an
/// addition on either side; only one side's products may be off by `product`.
static double drift(int32_t dtype, int64_t steps, int64_t terms, double product = 0) {
  double own = epsilonOf(dtype);
  if (own == 0) return 0;
  // Products are summed in float32, or float64 for float64.
  double sums = std::min(own, 0x1p-23);
  double products = std::max(sums, dtype == ADZE_FLOAT64 ? 0 : 2 * product);
  double term = 3 * std::sqrt((products * products + 3 * sums * sums) / 4);
  return 2 * own * std::sqrt(static_cast<double>(steps)) +
         term * std::sqrt(static_cast<double>(terms));
}

Tolerance suiteTolerance(int32_t dtype, int64_t steps, int64_t terms) {
  // The runner's defaults, which cover the last rounding; for bfloat16 it takes
  // two units in the last place.
  return {dtype == ADZE_BFLOAT16 ? 0x1p-6 : 1e-3, 1e-7,
          drift(dtype, std::max<int64_t>(steps - 1, 0), terms)};
}

Tolerance derivedTolerance(int32_t dtype, int64_t stages, int64_t terms, double addend, double product) {
  double d = drift(dtype, std::max<int64_t>(stages, 1), std::max<int64_t>(terms, 1), product);
  return {d, 2 * epsilonOf(dtype) * addend, d};
}

static bool elementPasses(double got, double want, double bound) {
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) && std::isnan(got);
  if (std::isinf(want) || std::isinf(got)) return got == want;
  return std::fabs(got - want) <= bound;
}

static void measure(const std::vector<double> &got, const std::vector<double> &want,
                    const Tolerance &t, double epsilon, Difference &d) {
  double largest = 0, signal = 0, noise = 0;
  for (double w : want)
    if (std::isfinite(w)) largest = std::max(largest, std::fabs(w));
  size_t first = want.size();
  for (size_t i = 0; i < want.size(); ++i) {
    double bound = t.absolute + t.relative * std::fabs(want[i]) + t.ofLargest * largest;
    if (!elementPasses(got[i], want[i], bound)) {
      ++d.wrong;
      first = std::min(first, i);
    }
    double error = std::fabs(got[i] - want[i]), size = std::fabs(want[i]);
    if (!std::isfinite(error)) continue;
    d.maxAbsolute = std::max(d.maxAbsolute, error);
    if (size > 0) d.maxRelative = std::max(d.maxRelative, error / size);
    if (epsilon > 0 && size > 0)
      d.maxUlps = std::max(d.maxUlps, error / (epsilon * std::exp2(std::floor(std::log2(size)))));
    signal += size * size, noise += error * error;
  }
  d.sqnr = noise > 0 ? 10 * std::log10(signal / noise) : std::numeric_limits<double>::infinity();
  if (!d.wrong) return;
  char text[160];
  std::snprintf(text, sizeof text, "%lld of %zu elements differ, first at %zu: %.9g, expected %.9g",
                static_cast<long long>(d.wrong), want.size(), first, got[first], want[first]);
  d.same = false;
  d.reason = text;
}

Difference compare(const HostTensor &got, const HostTensor &want, const Tolerance &tolerance) {
  Difference d;
  if (got.dtype != want.dtype || got.shape != want.shape) {
    d.same = false;
    d.reason = "is " + typeText(got) + ", expected " + typeText(want);
    return d;
  }
  if (!isFloat(got.dtype)) {  // 64-bit integers do not fit a double: bytes decide
    d.same = got.data == want.data;
    if (d.same) return d.sqnr = std::numeric_limits<double>::infinity(), d;
  }
  measure(toDoubles(got), toDoubles(want), isFloat(got.dtype) ? tolerance : Tolerance{},
          epsilonOf(got.dtype), d);
  if (!isFloat(got.dtype) && d.reason.empty()) d.reason = "integers differ beyond 2^53";
  return d;
}

Json toJson(const Difference &d) {
  Json j{{"same", d.same},         {"max_abs", d.maxAbsolute}, {"max_rel", d.maxRelative},
         {"max_ulps", d.maxUlps},  {"wrong", d.wrong}};
  j["sqnr_db"] = std::isfinite(d.sqnr) ? Json(d.sqnr) : Json(nullptr);
  if (!d.reason.empty()) j["reason"] = d.reason;
  return j;
}

Tolerance toleranceOf(const Session &session, int32_t dtype) {
  int64_t stages = static_cast<int64_t>(adze_model_kernel_count(session.model())), terms = 0;
  for (int64_t i = 0; i < stages; ++i) {
    adze_kernel_info kernel = ADZE_INIT(adze_kernel_info);
    adze_status *status = adze_model_kernel(session.model(), i, &kernel);
    terms += !status && std::string(kernel.kind) != "elementwise" ? 512 : 1;
    adze_status_destroy(status);
  }
  Tolerance t = derivedTolerance(dtype, stages, terms), suite = suiteTolerance(dtype, 0, 0);
  return {std::max(t.relative, suite.relative), std::max(t.absolute, suite.absolute), t.ofLargest};
}

}  // namespace adze::cli
