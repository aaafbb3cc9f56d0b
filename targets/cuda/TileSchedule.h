// Which kernel of targets/cuda/tile a product of matrices goes by: schedules, as data, best first.
#pragma once
#include "targets/cuda/Devices.h"
#include "targets/cuda/tile/Hopper.h"
#include "targets/cuda/tile/HopperSplit.h"

#include <variant>

namespace adze::cuda {

/// A kind of kernel with its numbers. A new kind is a name in this list, and its TileKind
/// (TileKinds.h).
using TileSchedule = std::variant<MatmulKernel, HopperSplitKernel, HopperKernel>;

struct ProductSize {
  int64_t batch, m, n, k;
};

/// What a schedule is for.
struct TileTask {
  ProductSize size;  ///< to reckon with, where an extent is known at run time only
  llvm::SmallVector<Multiply, 2> multiplies;  ///< any of them is exact enough
  const Device &device;
  /// May blocks that share the k of a tile keep their sums apart, for another kernel to add?
  bool canSumApart = true;
};

/// How the device can multiply factors of that type, f32 as `products` ("f32", "tf32", "bf16",
/// "f16") allows: what its tensor cores do not take, or only slower, is left to the ordinary cores
/// (F32).
llvm::SmallVector<Multiply, 2> multipliesOf(Type element, llvm::StringRef products,
                                            const Device &device);

/// Largest error of a product of two f32 that any of the device's kernels makes, relative to it.
double productError(Multiply multiply, const Device &device);

struct RankedTile {
  TileSchedule schedule;
  double cycles;  ///< of the product, by a model of the device
};
/// All that are worth a try, the one that takes the least cycles first. What fits the factors'
/// layout is for whyNot to say.
std::vector<RankedTile> rankTiles(const TileTask &task);

/// "tf32x3 128x64x32 warp 32x32 stages 3 split 4": how factors are multiplied, then a kind's
/// fields.
std::string printTile(const TileSchedule &schedule);
/// Reads what printTile wrote, or anybody: nullopt, and why, unless it is a schedule for the task.
/// As with rankTiles, whyNot has the last word.
std::optional<TileSchedule> parseTile(llvm::StringRef text, const TileTask &task, std::string &why);

struct TileGrid {
  int64_t m, n;   ///< elements of a tile
  int64_t parts;  ///< of k; where there are several their sums are kept apart (partialEpilogueOf)
  int64_t blocks = 0;  ///< of a launch; 0: one for each tile, batch and part of k
  int64_t slots = 0;   ///< tiles of sums that blocks leave each other; each block has a counter
  int64_t maps = 0;    ///< in place of addresses; 1: of B, 2: of both factors
};
TileGrid gridOf(const TileSchedule &schedule);
int64_t threads(const TileSchedule &schedule, const MatmulProblem &problem);
int64_t sharedBytes(const TileSchedule &schedule, const MatmulProblem &problem);
/// Why the builder has no such kernel, in a few words.
std::optional<std::string> whyNot(const TileSchedule &schedule, const MatmulProblem &problem);
void buildMatmul(Kit &kit, const TileSchedule &schedule, const MatmulProblem &problem);

}  // namespace adze::cuda
