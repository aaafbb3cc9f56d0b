// Which tile schedules a unit can take.
#pragma once
#include "targets/cuda/Contraction.h"
#include "targets/cuda/TileSchedule.h"

namespace adze::cuda {

/// A unit that tensor cores take: the product that it is, and what its schedule is for.
struct TileUnit {
  Contraction contraction;
  TileTask task;

  /// Those that the builder has for the factors' layout, at most `most`, best first.
  /// `refused`: the best of all, and why not, where the builder has not even that.
  std::vector<TileSchedule> schedules(unsigned most, std::string *refused = nullptr) const;
  /// The schedule of a text; nullopt, and why, where the unit cannot take it.
  std::optional<TileSchedule> read(llvm::StringRef text, std::string &why) const;
};

/// Collapses the unit's dimensions. nullopt: it is no product, or one too small for tiles, or
/// one of types that the device's tensor cores do not multiply.
std::optional<TileUnit> findTileUnit(schedule::Unit &unit, const Device &device,
                                     llvm::StringRef products);

}  // namespace adze::cuda
