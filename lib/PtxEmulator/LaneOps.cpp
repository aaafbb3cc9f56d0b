// The table of lane instructions, its functions for any processor, and the
// choice between those for this one.
#include "lib/PtxEmulator/LaneOps.h"

#include "lib/PtxEmulator/LaneTypes.h"

namespace adze::ptx {

namespace {
#define LANE(PATTERN, PIPE, R, A, B, C, D, ...)                                   \
  {PATTERN, Pipe::PIPE, kRowKind<R>, {kRowKind<A>, kRowKind<B>, kRowKind<C>, kRowKind<D>}},
constexpr LaneOp kOps[] = {
#include "lib/PtxEmulator/LaneInteger.def"
#include "lib/PtxEmulator/LaneFloat.def"
#include "lib/PtxEmulator/LaneConvert.def"
};
#undef LANE
}  // namespace

#define TABLE kLanesAny
#define TENSOR kTensorAny
#include "lib/PtxEmulator/LaneTable.inc"
#undef TABLE
#undef TENSOR
extern const LaneFunction kLanesConvert[];

static constexpr size_t kFrequent = 0
#define LANE(...) +1
#include "lib/PtxEmulator/LaneInteger.def"
#include "lib/PtxEmulator/LaneFloat.def"
#undef LANE
    ;

namespace {
struct Level {
  const LaneFunction *lanes;
  const TensorFunctions *tensor;
};
}  // namespace

#if defined(__x86_64__) && defined(__clang__)
extern const LaneFunction kLanesV3[], kLanesV4[];
extern const TensorFunctions kTensorV3, kTensorV4;
static Level chooseLevel() {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("x86-64-v4")) return {kLanesV4, &kTensorV4};
  if (__builtin_cpu_supports("x86-64-v3")) return {kLanesV3, &kTensorV3};
  return {kLanesAny, &kTensorAny};
}
#else
static Level chooseLevel() { return {kLanesAny, &kTensorAny}; }
#endif

static const Level &level() {
  static const Level chosen = chooseLevel();
  return chosen;
}

const TensorFunctions &tensorFunctions() { return *level().tensor; }

std::span<const LaneOp> laneOps() { return kOps; }

LaneFunction laneFunction(size_t index) {
  return index < kFrequent ? level().lanes[index] : kLanesConvert[index - kFrequent];
}

const char *pipeName(Pipe pipe) {
  static constexpr const char *kNames[kPipes] = {
      "alu", "fma", "half", "double", "int-mul", "int-div", "special", "move", "convert",
      "memory", "sync", "tensor", "control", "async"};
  return kNames[static_cast<int>(pipe)];
}

}  // namespace adze::ptx
