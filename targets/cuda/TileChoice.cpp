#include "targets/cuda/TileChoice.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace adze::schedule;

namespace adze::cuda {
namespace {

constexpr int64_t kLeastExtent = 16;  ///< of rows, columns and terms: less leaves tiles empty

bool isWorthIt(const Contraction &c) {
  auto fits = [&](ArrayRef<unsigned> dims, int64_t least) {
    auto known = c.size(dims).asConstant();
    return !known || (*known >= least && *known <= INT32_MAX);
  };
  return fits(c.row, kLeastExtent) && fits(c.column, kLeastExtent) && fits(c.k, kLeastExtent) &&
         fits(c.batch, 1);
}

/// The result's buffer, where it is dense, is what parts of the sums look like.
bool canSumApart(const Contraction &c) {
  const Access &out = c.core().outputs().front();
  auto type = cast<MemRefType>(out.source.getType());
  return type.hasStaticShape() && type.getLayout().isIdentity() && out.offset.isZero();
}

/// A kernel's arguments without the kernel: what whyNot needs to see a problem.
class Sketch {
 public:
  explicit Sketch(const Contraction &c) : contraction_(c) {
    auto argument = [&] {
      MLIRContext *context = c.core().op.getContext();
      return block_.addArgument(IntegerType::get(context, 32), c.core().op.getLoc());
    };
    for (const Stride &stride : unknownsOf(c)) arguments_.numbers[stride] = argument();
    problem_ = problemOf(c, arguments_);
    problem_.partialSums = problem_.counters = argument();
  }

  std::optional<std::string> whyNot(const TileSchedule &schedule) const {
    TileGrid grid = gridOf(schedule);
    std::string why;
    std::optional<FactorMaps> maps = mapFactors(contraction_, grid.maps, grid.m, grid.n, why);
    if (!maps) return why;
    MatmulProblem mapped = problem_;
    addMaps(mapped, contraction_, *maps, SmallVector<Value>(maps->size()), arguments_);
    return cuda::whyNot(schedule, mapped);
  }

 private:
  const Contraction &contraction_;
  Block block_;
  KernelArguments arguments_;
  MatmulProblem problem_;
};

}  // namespace

std::optional<TileUnit> findTileUnit(Unit &unit, const Device &device, StringRef products) {
  if (unit.core < 0) return std::nullopt;
  std::string why;
  (void)collapseDims(unit, findCollapsible(unit));
  std::optional<Contraction> c = matchContraction(unit, why);
  if (!c || !isWorthIt(*c)) return std::nullopt;
  TileTask task{
      {c->estimate(c->batch), c->estimate(c->row), c->estimate(c->column), c->estimate(c->k)},
      multipliesOf(c->element(), products, device),
      device,
      canSumApart(*c)};
  return TileUnit{std::move(*c), std::move(task)};
}

std::vector<TileSchedule> TileUnit::schedules(unsigned most, std::string *refused) const {
  Sketch sketch(contraction);
  std::vector<TileSchedule> list;
  for (const RankedTile &ranked : rankTiles(task)) {
    if (list.size() == most) break;
    std::optional<std::string> why = sketch.whyNot(ranked.schedule);
    if (!why)
      list.push_back(ranked.schedule);
    else if (refused && list.empty() && refused->empty())
      *refused = printTile(ranked.schedule) + ": " + *why;
  }
  return list;
}

std::optional<TileSchedule> TileUnit::read(StringRef text, std::string &why) const {
  std::optional<TileSchedule> schedule = parseTile(text, task, why);
  if (!schedule) return std::nullopt;
  std::optional<std::string> reason = Sketch(contraction).whyNot(*schedule);
  if (!reason) return schedule;
  why = *reason;
  return std::nullopt;
}

}  // namespace adze::cuda
