#include "dialects/Onnx/Location.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/MLIRContext.h"

using namespace mlir;

namespace adze::onnxir {

Location nodeLocation(MLIRContext *ctx, StringRef graph, int64_t index, StringRef opType,
                      StringRef name) {
  Location file = FileLineColLoc::get(StringAttr::get(ctx, graph), unsigned(index), 0);
  Location named = NameLoc::get(StringAttr::get(ctx, name), file);
  return FusedLoc::get(ctx, {named}, StringAttr::get(ctx, opType));
}

// A node's location is a fusion of one named location, with a string.
static std::optional<NodeRef> asNode(FusedLoc loc) {
  auto opType = dyn_cast_or_null<StringAttr>(loc.getMetadata());
  if (!opType || loc.getLocations().size() != 1) return std::nullopt;
  auto named = dyn_cast<NameLoc>(loc.getLocations().front());
  if (!named) return std::nullopt;
  auto file = dyn_cast<FileLineColLoc>(named.getChildLoc());
  if (!file) return std::nullopt;
  return NodeRef{file.getFilename().str(), int64_t(file.getLine()), opType.str(),
                 named.getName().str()};
}

void forEachNode(Location loc, llvm::function_ref<void(FusedLoc)> node) {
  if (auto fused = dyn_cast<FusedLoc>(loc)) {
    if (asNode(fused)) return node(fused);
    for (Location inner : fused.getLocations()) forEachNode(inner, node);
  }
  if (auto call = dyn_cast<CallSiteLoc>(loc))
    forEachNode(nodeOf(call.getCaller()) ? call.getCaller() : call.getCallee(), node);
  if (auto named = dyn_cast<NameLoc>(loc)) forEachNode(named.getChildLoc(), node);
}

std::optional<NodeRef> nodeOf(Location loc) {
  if (auto fused = dyn_cast<FusedLoc>(loc)) {
    if (auto node = asNode(fused)) return node;
    for (Location inner : fused.getLocations())
      if (auto node = nodeOf(inner)) return node;
  }
  if (auto call = dyn_cast<CallSiteLoc>(loc)) {
    if (auto node = nodeOf(call.getCaller())) return node;
    return nodeOf(call.getCallee());
  }
  if (auto named = dyn_cast<NameLoc>(loc)) return nodeOf(named.getChildLoc());
  return std::nullopt;
}

}  // namespace adze::onnxir
