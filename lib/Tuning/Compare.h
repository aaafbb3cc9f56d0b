// Is one thing faster than another, on a machine that does other things too?
#pragma once
#include <vector>

namespace adze::tuning {

/// `ratios` are times of b over times of a, one for each pair measured next to
/// each other.
struct Comparison {
  double ratio = 1;     ///< their median
  bool faster = false;  ///< b beats a beyond noise
  bool slower = false;
};

/// b is faster (slower) beyond noise when the median is at least 2 % away and so
/// many pairs agree as a coin would give in less than one of 300 (a sign test,
/// which no outlier moves).
Comparison compare(std::vector<double> ratios);

}  // namespace adze::tuning
