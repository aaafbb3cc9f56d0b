#include "targets/cuda/tile/Work.h"

using namespace mlir;

namespace adze::cuda {
namespace {

/// Tiles of one batch.
struct Tiles {
  Value rows, columns;
  Tiles(Kit &kit, const WorkShape &shape, const MatmulProblem &p)
      : rows(ceilDiv(kit, p.m, shape.m)), columns(ceilDiv(kit, p.n, shape.n)) {}
  Value count(Kit &kit) const { return kit.mul(rows, columns); }
};

void placeTile(Kit &kit, const WorkShape &shape, const Tiles &grid, Value tile, Work &w) {
  auto [row, column] = rasterTile(kit, tile, grid.rows, grid.columns, shape.rasterGroup);
  w.firstRow = kit.mul(row, shape.m);
  w.firstColumn = kit.mul(column, shape.n);
}

/// How blocks share the steps of all tiles: block b has those from b * all / blocks on. Numbers
/// are i64, for there may be more than 2^32 steps.
struct Shares {
  Value steps;   ///< of a tile
  Value all;     ///< steps
  Value blocks;  ///< that have a share: no more than there are steps

  Value begin(Kit &kit, Value block) const { return kit.div(kit.mul(block, all), blocks); }
  /// The block that has step `step`: the least one whose share ends beyond it.
  Value owner(Kit &kit, Value step) const {
    Value scaled = kit.sub(kit.mul(kit.add(step, kit.i64(1)), blocks), kit.i64(1));
    return narrow(kit, kit.div(scaled, all));
  }
  static Value narrow(Kit &kit, Value wide) {
    return kit.createOrFold<arith::TruncIOp>(kit.getI32Type(), wide);
  }
};

/// The part of tile `tile` (of all batches) between `begin` and `end`, which are of all steps.
void takePart(Kit &kit, const Shares &shares, Value steps, Value tile, Value begin, Value end,
              Work &w) {
  Value first = kit.mul(kit.wide(tile), shares.steps), last = kit.add(first, shares.steps);
  auto inTile = [&](Value step) { return Shares::narrow(kit, kit.sub(step, first)); };
  Value from = kit.select(kit.less(begin, first), first, begin);
  w.firstStep = inTile(from);
  // A product of no terms has a step that does nothing.
  w.endStep = kit.min(inTile(kit.min(end, last)), steps);
  Value firstOwner = shares.owner(kit, first);
  w.counter = firstOwner;
  w.parts = kit.add(kit.sub(shares.owner(kit, kit.sub(last, kit.i64(1))), firstOwner), 1);
  // A block has at most one part that does not begin its tile, and one that does not end it.
  auto slot = [](Kit &kit, Value owner, Value begins) {
    return kit.add(kit.mul(owner, 2), kit.select(begins, kit.i32(1), kit.i32(0)));
  };
  w.slot = slot(kit, kit.block(0), kit.equal(from, first));
  w.slotOf = [=](Kit &kit, Value part) {
    return slot(kit, kit.add(firstOwner, part), kit.equal(part, kit.i32(0)));
  };
}

}  // namespace

Work findWork(Kit &kit, const WorkShape &shape, const MatmulProblem &p) {
  Tiles grid(kit, shape, p);
  Value tiles = grid.count(kit), block = kit.block(0);
  Value tile = kit.rem(block, tiles), rest = kit.div(block, tiles);
  Work w;
  w.split = kit.rem(rest, shape.splitK);
  w.batch = kit.div(rest, shape.splitK);
  placeTile(kit, shape, grid, tile, w);
  Value steps = ceilDiv(kit, p.k, shape.k);
  w.firstStep = kit.i32(0), w.endStep = steps;
  w.parts = kit.i32(shape.splitK);
  if (shape.splitK == 1) return w;
  w.counter = kit.add(tile, kit.mul(w.batch, tiles));
  w.slotOf = [counter = w.counter, parts = shape.splitK](Kit &kit, Value part) {
    return kit.add(kit.mul(counter, parts), part);
  };
  w.slot = w.slotOf(kit, w.split);
  Value each = kit.div(kit.add(steps, shape.splitK - 1), shape.splitK);
  w.firstStep = kit.min(kit.mul(w.split, each), steps);
  w.endStep = kit.min(kit.add(w.firstStep, each), steps);
  return w;
}

void forEachShare(Kit &kit, const WorkShape &shape, int64_t blocks, const MatmulProblem &p,
                  function_ref<void(const Work &)> body) {
  Tiles grid(kit, shape, p);
  Value tiles = grid.count(kit), steps = ceilDiv(kit, p.k, shape.k);
  Shares shares;
  shares.steps = kit.wide(kit.createOrFold<arith::MaxUIOp>(steps, kit.i32(1)));
  shares.all = kit.mul(kit.wide(kit.mul(tiles, kit.value(p.batch))), shares.steps);
  shares.blocks = kit.min(kit.i64(blocks), shares.all);
  Value block = kit.wide(kit.block(0));
  kit.when(kit.less(block, shares.blocks), [&] {
    Value begin = shares.begin(kit, block), end = shares.begin(kit, kit.add(block, kit.i64(1)));
    Value first = Shares::narrow(kit, kit.div(begin, shares.steps));
    Value last = Shares::narrow(kit, kit.div(kit.sub(end, kit.i64(1)), shares.steps));
    kit.loop(first, kit.add(last, 1), kit.i32(1), {}, [&](Value tile, ValueRange) {
      Work w;
      w.batch = kit.div(tile, tiles);
      placeTile(kit, shape, grid, kit.rem(tile, tiles), w);
      takePart(kit, shares, steps, tile, begin, end, w);
      body(w);
      return SmallVector<Value>();
    });
  });
}

}  // namespace adze::cuda
