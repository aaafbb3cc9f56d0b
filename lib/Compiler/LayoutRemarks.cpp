#include "lib/Compiler/LayoutRemarks.h"

#include "dialects/Onnx/Location.h"
#include "passes/Layout/Passes.h"

#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace adze {

static std::string nameAt(DictionaryAttr entry, StringRef key) {
  auto loc = dyn_cast_or_null<LocationAttr>(entry.get(key));
  auto node = loc ? onnxir::nodeOf(Location(loc)) : std::nullopt;
  return node ? node->name : "";
}

static int64_t numberOf(DictionaryAttr entry, StringRef key) {
  auto number = entry.getAs<IntegerAttr>(key);
  return number ? number.getInt() : 0;
}

static LayoutRegion regionOf(DictionaryAttr entry) {
  LayoutRegion region;
  for (auto op : entry.getAs<ArrayAttr>("ops").getAsRange<DictionaryAttr>())
    region.ops.push_back({op.getAs<StringAttr>("op").str(), nameAt(op, "at"),
                          op.getAs<StringAttr>("order") == "change", numberOf(op, "keep"),
                          numberOf(op, "change")});
  for (auto t : entry.getAs<ArrayAttr>("transposes").getAsRange<DictionaryAttr>())
    region.transposes.push_back({nameAt(t, "of"), numberOf(t, "cycles")});
  region.cycles = numberOf(entry, "cycles");
  region.keep = numberOf(entry, "keep");
  region.change = numberOf(entry, "change");
  return region;
}

LayoutRemarks takeLayoutRemarks(ModuleOp module) {
  LayoutRemarks out;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    auto regions = dyn_cast_or_null<ArrayAttr>(op->removeAttr(kLayoutRemarks));
    if (!regions) return;
    for (auto region : regions.getAsRange<DictionaryAttr>()) out.push_back(regionOf(region));
  });
  return out;
}

}  // namespace adze
