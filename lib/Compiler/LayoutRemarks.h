// Which order of dimensions ops got, and what that costs: as data.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace mlir {
class ModuleOp;
}

namespace adze {

/// An op that has two orders to choose from; cycles of one core.
struct LayoutOp {
  std::string op, node;  ///< "conv"; the ONNX node's name, "" for none
  bool changed = false;  ///< not in the model's order
  int64_t keep = 0, change = 0;
};

/// A tensor that is transposed.
struct LayoutTranspose {
  std::string node;  ///< that computes it; "" for none
  int64_t cycles = 0;
};

/// Ops that were assigned together.
struct LayoutRegion {
  std::vector<LayoutOp> ops;
  std::vector<LayoutTranspose> transposes;
  int64_t cycles = 0, keep = 0, change = 0;  ///< as chosen, with all ops kept, with all changed
};

using LayoutRemarks = std::vector<LayoutRegion>;

/// Takes the remarks of adze-assign-layout off the module.
LayoutRemarks takeLayoutRemarks(mlir::ModuleOp module);

}  // namespace adze
