#include "lib/Measure/Roofline.h"

#include <algorithm>

namespace adze::measure {

const char *boundName(Bound bound) {
  switch (bound) {
    case Bound::Compute: return "compute";
    case Bound::Memory: return "memory";
    case Bound::Overhead: return "overhead";
  }
  return "";
}

Roofline rooflineOf(const Work &work, const Peak &peak) {
  auto least = [](double amount, double rate) {
    return amount > 0 && rate > 0 ? amount / rate : 0;
  };
  double compute = least(work.flops, peak.flopsPerSecond);
  double memory = least(work.bytes, peak.bytesPerSecond);
  Roofline r;
  r.seconds = std::max(compute, memory);
  r.share = work.seconds > 0 ? r.seconds / work.seconds : 0;
  if (r.share >= 0.1) r.bound = compute >= memory ? Bound::Compute : Bound::Memory;
  return r;
}

}  // namespace adze::measure
