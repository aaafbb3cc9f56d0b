// The many conversions, compiled once.
#include "lib/PtxEmulator/LaneTypes.h"

namespace adze::ptx {
#define LANE(PATTERN, PIPE, R, A, B, C, D, ...)                                              \
  &lanes<R, A, B, C, D, ([](A a, B b, C c, D d) { return __VA_ARGS__; })>,
extern const LaneFunction kLanesConvert[];
const LaneFunction kLanesConvert[] = {
#include "lib/PtxEmulator/LaneConvert.def"
};
#undef LANE
}  // namespace adze::ptx
