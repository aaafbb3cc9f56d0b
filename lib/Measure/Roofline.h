// What bounds a piece of work on a machine (Williams, Waterman, Patterson:
// "Roofline: an insightful visual performance model", CACM 52(4), 2009).
#pragma once
#include "lib/Measure/Peak.h"

namespace adze::measure {

/// What was done, and how long it took. Negative counts are not known.
struct Work {
  double seconds = 0, flops = -1, bytes = -1;
};

enum class Bound { Compute, Memory, Overhead };
const char *boundName(Bound bound);

struct Roofline {
  double seconds = 0;  ///< the least that the machine takes for it; 0: not known
  double share = 0;    ///< of the peak that bounds it: the least time to the real one
  Bound bound = Bound::Overhead;
};

/// What neither peak explains (less than a tenth of both) is overhead: latency,
/// launches, scalar code.
Roofline rooflineOf(const Work &work, const Peak &peak);

}  // namespace adze::measure
