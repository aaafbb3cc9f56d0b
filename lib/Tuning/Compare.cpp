#include "lib/Tuning/Compare.h"

#include <algorithm>
#include <cmath>

namespace adze::tuning {

// 2.75 standard deviations of the binomial distribution: one side, 0.3 %.
static constexpr double kDeviations = 2.75;
static constexpr double kLeastGain = 0.02;

Comparison compare(std::vector<double> ratios) {
  Comparison c;
  if (ratios.empty()) return c;
  std::sort(ratios.begin(), ratios.end());
  size_t n = ratios.size();
  c.ratio = (ratios[(n - 1) / 2] + ratios[n / 2]) / 2;
  double needed = static_cast<double>(n) / 2 + kDeviations * std::sqrt(static_cast<double>(n)) / 2;
  auto below = std::lower_bound(ratios.begin(), ratios.end(), 1.0) - ratios.begin();
  auto above = ratios.end() - std::upper_bound(ratios.begin(), ratios.end(), 1.0);
  c.faster = c.ratio <= 1 - kLeastGain && static_cast<double>(below) >= needed;
  c.slower = c.ratio >= 1 + kLeastGain && static_cast<double>(above) >= needed;
  return c;
}

}  // namespace adze::tuning
