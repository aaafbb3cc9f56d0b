// TopK, NonZero, Unique and NonMaxSuppression.
#include "passes/Import/NodeBuilder.h"

#include <limits>

using namespace mlir;

namespace adze::convert {

static Values convertTopK(NodeBuilder &nb) {
  Value x = nb.in(0);
  Value k = nb.version() < 10 ? nb.index(nb.intAttr("k")) : nb.scalar(nb.in(1));
  return nb.create<graph::TopKOp>(
      {x, k}, {nb.named("axis", nb.axis(nb.intAttr("axis", -1), nb.rank(x))),
               nb.flag("largest", nb.boolAttr("largest", true)),
               nb.flag("sorted", nb.boolAttr("sorted", true))});
}

static Values convertNonZero(NodeBuilder &nb) { return {nb.make<graph::NonZeroOp>(nb.in(0))}; }

static Values convertUnique(NodeBuilder &nb) {
  Value x = nb.in(0);
  SmallVector<NamedAttribute> attrs{nb.flag("sorted", nb.boolAttr("sorted", true))};
  if (nb.hasAttr("axis"))
    attrs.push_back(nb.named("axis", nb.axis(nb.intAttr("axis"), nb.rank(x))));
  return nb.create<graph::UniqueOp>(x, attrs);
}

static Values convertNonMaxSuppression(NodeBuilder &nb) {
  Value most = nb.has(2) ? nb.scalar(nb.cast(nb.in(2), nb.i64())) : nb.index(0);
  Value overlap = nb.has(3) ? nb.scalar(nb.in(3)) : nb.splat(nb.f32(), 0);
  Value score = nb.has(4) ? nb.scalar(nb.in(4))
                          : nb.splat(nb.f32(), -std::numeric_limits<double>::infinity());
  return {nb.make<graph::NmsOp>({nb.in(0), nb.in(1), most, overlap, score},
                                nb.flag("center_point_box", nb.boolAttr("center_point_box")))};
}

void populateSorting(OpTable &t) {
  t.push_back({"", "TopK", 1, 0, kNumbers, convertTopK});
  t.push_back({"", "NonZero", 9, 0, kAny, convertNonZero});
  t.push_back({"", "Unique", 11, 0, kNumbers, convertUnique});
  t.push_back({"", "NonMaxSuppression", 10, 0, kF32, convertNonMaxSuppression});
}

}  // namespace adze::convert
