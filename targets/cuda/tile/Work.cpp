#include "targets/cuda/tile/Work.h"

namespace adze::cuda {

Work findWork(Kit &kit, const WorkShape &shape, const MatmulProblem &p) {
  Value rows = ceilDiv(kit, p.m, shape.m), columns = ceilDiv(kit, p.n, shape.n);
  Value tiles = kit.mul(rows, columns), block = kit.block(0);
  Value tile = kit.rem(block, tiles), rest = kit.div(block, tiles);
  Work w;
  w.split = kit.rem(rest, shape.splitK);
  w.batch = kit.div(rest, shape.splitK);
  auto [row, column] = rasterTile(kit, tile, rows, columns, shape.rasterGroup);
  w.firstRow = kit.mul(row, shape.m);
  w.firstColumn = kit.mul(column, shape.n);
  w.tile = kit.add(tile, kit.mul(w.batch, tiles));
  Value steps = ceilDiv(kit, p.k, shape.k);
  w.firstStep = kit.i32(0), w.endStep = steps;
  if (shape.splitK == 1) return w;
  Value each = kit.div(kit.add(steps, shape.splitK - 1), shape.splitK);
  w.firstStep = kit.min(kit.mul(w.split, each), steps);
  w.endStep = kit.min(kit.add(w.firstStep, each), steps);
  return w;
}

}  // namespace adze::cuda
