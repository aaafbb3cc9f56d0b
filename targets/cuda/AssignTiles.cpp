#include "dialects/Rt/Rt.h"
#include "passes/Schedule/Candidates.h"
#include "passes/Schedule/Prepare.h"
#include "targets/cuda/Passes.h"
#include "targets/cuda/TileChoice.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace adze::cuda {
#define GEN_PASS_DEF_ASSIGNTILES
#include "targets/cuda/Passes.h.inc"
}  // namespace adze::cuda

using namespace mlir;
using namespace adze::schedule;

namespace adze::cuda {
namespace {

struct AssignTiles : impl::AssignTilesBase<AssignTiles> {
  using AssignTilesBase::AssignTilesBase;

  void runOnOperation() override {
    func::FuncOp f = getOperation();
    const Device *device = findDevice(chip.getValue());
    if (!device || !f->hasAttr(kDeviceAttr) || f->hasAttr(kHostAttr)) return;
    generalizeKernels(f);
    forEachUnit(f, machineOf(*device), [&](unsigned, Unit &unit) {
      std::optional<TileUnit> tile = findTileUnit(unit, *device, products);
      if (!tile || unit.anchor()->hasAttr(kTileAttr)) return;
      std::string refused;
      std::vector<TileSchedule> best = tile->schedules(1, &refused);
      if (best.empty()) return;
      Builder b(&getContext());
      unit.anchor()->setAttr(kTileAttr, b.getStringAttr(printTile(best.front())));
      if (!refused.empty()) unit.anchor()->setAttr(kTileRefusedAttr, b.getStringAttr(refused));
      ++numTiles;
    });
  }
};

}  // namespace
}  // namespace adze::cuda
