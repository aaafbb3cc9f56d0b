#include "passes/Schedule/Schedule.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace adze::schedule {
namespace {

std::string printLoop(const Loop &loop) {
  return (Twine(loop.parallel ? "parallel " : "") + "d" + Twine(loop.dim) + " by " +
          Twine(loop.step))
      .str();
}

bool parseLoop(StringRef text, Loop &loop) {
  loop.parallel = text.consume_front("parallel ");
  return text.consume_front("d") && !text.consumeInteger(10, loop.dim) &&
         text.consume_front(" by ") && !text.getAsInteger(10, loop.step) && loop.step > 0;
}

/// Every dimension has loops, steps shrink inwards and end in the tile's step.
std::string check(const Schedule &schedule, unsigned numDims) {
  if (schedule.tile.size() != numDims)
    return "tile must have one entry for each loop dimension";
  if (schedule.vectorDim >= static_cast<int>(numDims) || schedule.lanes < 1 || !llvm::isPowerOf2_64(schedule.lanes) ||
      (schedule.vectorDim < 0 && schedule.lanes != 1))
    return "bad vector dimension or lanes";
  if (schedule.team < 1 || schedule.team > 1024 || !llvm::isPowerOf2_64(schedule.team))
    return "a team has 1 to 1024 threads, a power of two";
  SmallVector<int64_t> step(numDims, 0);
  for (const Loop &loop : schedule.loops) {
    if (loop.dim >= numDims)
      return "loop over a dimension that does not exist";
    if (step[loop.dim] && step[loop.dim] % loop.step != 0)
      return "chunk steps must be multiples of the inner steps";
    step[loop.dim] = loop.step;
  }
  for (unsigned dim = 0; dim < numDims; ++dim) {
    int64_t lanes = static_cast<int>(dim) == schedule.vectorDim ? schedule.lanes : 1;
    if (schedule.tile[dim] < 1 || schedule.tile[dim] > 64 ||
        step[dim] != schedule.tile[dim] * lanes)
      return "the innermost loop of each dimension must step by its tile";
  }
  return "";
}

/// Adjacent runs, in order, that cover the dimensions.
std::string parseCollapse(ArrayAttr groups, unsigned numDims, Schedule &schedule) {
  unsigned next = 0;
  for (Attribute group : groups) {
    auto dims = dyn_cast<DenseI64ArrayAttr>(group);
    if (!dims || dims.empty())
      return "collapse must be an array of i64 arrays";
    auto &run = schedule.collapse.emplace_back();
    for (int64_t dim : dims.asArrayRef()) {
      if (dim != next++)
        return "collapse must list adjacent dimensions in order";
      run.push_back(dim);
    }
  }
  return next == numDims ? "" : "collapse must cover every dimension";
}

std::string parse(DictionaryAttr attr, unsigned numDims, Schedule &schedule) {
  if (auto groups = attr.getAs<ArrayAttr>("collapse")) {
    if (std::string error = parseCollapse(groups, numDims, schedule); !error.empty())
      return error;
    numDims = schedule.collapse.size();
  }
  auto loops = attr.getAs<ArrayAttr>("loops");
  auto tile = attr.getAs<DenseI64ArrayAttr>("tile");
  if (!loops || !tile)
    return "a schedule needs `loops` and `tile`";
  for (Attribute entry : loops) {
    auto text = dyn_cast<StringAttr>(entry);
    if (!text || !parseLoop(text.getValue(), schedule.loops.emplace_back()))
      return "a loop reads \"[parallel ]d<dim> by <step>\"";
  }
  schedule.tile = SmallVector<int64_t>(tile.asArrayRef());
  auto integer = [&](StringRef key, int64_t otherwise) {
    auto value = attr.getAs<IntegerAttr>(key);
    return value ? value.getInt() : otherwise;
  };
  schedule.vectorDim = static_cast<int>(integer("vector", -1));
  schedule.lanes = integer("lanes", 1);
  schedule.grain = integer("grain", 1);
  schedule.team = integer("team", 1);
  return check(schedule, numDims);
}

}  // namespace

DictionaryAttr Schedule::toAttr(MLIRContext *context) const {
  Builder builder(context);
  SmallVector<NamedAttribute> entries;
  auto add = [&](StringRef key, Attribute value) {
    entries.push_back(builder.getNamedAttr(key, value));
  };
  if (!collapse.empty()) {
    SmallVector<Attribute> groups;
    for (const auto &run : collapse)
      groups.push_back(builder.getDenseI64ArrayAttr(SmallVector<int64_t>(run.begin(), run.end())));
    add("collapse", builder.getArrayAttr(groups));
  }
  SmallVector<Attribute> texts;
  for (const Loop &loop : loops)
    texts.push_back(builder.getStringAttr(printLoop(loop)));
  add("loops", builder.getArrayAttr(texts));
  add("tile", builder.getDenseI64ArrayAttr(tile));
  if (vectorDim >= 0) {
    add("vector", builder.getI64IntegerAttr(vectorDim));
    add("lanes", builder.getI64IntegerAttr(lanes));
  }
  if (team != 1)
    add("team", builder.getI64IntegerAttr(team));
  if (grain != 1)
    add("grain", builder.getI64IntegerAttr(grain));
  return builder.getDictionaryAttr(entries);
}

FailureOr<Schedule> Schedule::fromAttr(DictionaryAttr attr, unsigned numDims, std::string &error) {
  Schedule schedule;
  error = parse(attr, numDims, schedule);
  if (!error.empty())
    return failure();
  return schedule;
}

}  // namespace adze::schedule
