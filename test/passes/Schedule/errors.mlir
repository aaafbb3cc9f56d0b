// What a written schedule may get wrong; the op then takes plain loops.
// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-emit-nests))' --split-input-file --verify-diagnostics -o /dev/null

func.func @no_loops(%o: memref<8xf32>) {
  // expected-remark @below {{left to the loop fallback: a schedule needs `loops` and `tile`}}
  linalg.generic {adze.schedule = {tile = array<i64: 1>},
      indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%o : memref<8xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @loop_text(%o: memref<8xf32>) {
  // expected-remark @below {{left to the loop fallback: a loop reads "[parallel ]d<dim> by <step>"}}
  linalg.generic {adze.schedule = {loops = ["d0 in 2"], tile = array<i64: 2>},
      indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%o : memref<8xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @tile_length(%o: memref<8xf32>) {
  // expected-remark @below {{left to the loop fallback: tile must have one entry for each loop dimension}}
  linalg.generic {adze.schedule = {loops = ["d0 by 2"], tile = array<i64: 2, 2>},
      indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%o : memref<8xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @lanes(%o: memref<8xf32>) {
  // expected-remark @below {{left to the loop fallback: bad vector dimension or lanes}}
  linalg.generic {adze.schedule = {loops = ["d0 by 3"], tile = array<i64: 1>, vector = 0 : i64, lanes = 3 : i64},
      indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%o : memref<8xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @dimension(%o: memref<8xf32>) {
  // expected-remark @below {{left to the loop fallback: loop over a dimension that does not exist}}
  linalg.generic {adze.schedule = {loops = ["d1 by 2"], tile = array<i64: 2>},
      indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%o : memref<8xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @chunks(%o: memref<8xf32>) {
  // expected-remark @below {{left to the loop fallback: chunk steps must be multiples of the inner steps}}
  linalg.generic {adze.schedule = {loops = ["d0 by 5", "d0 by 2"], tile = array<i64: 2>},
      indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%o : memref<8xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @innermost(%o: memref<8xf32>) {
  // expected-remark @below {{left to the loop fallback: the innermost loop of each dimension must step by its tile}}
  linalg.generic {adze.schedule = {loops = ["d0 by 3"], tile = array<i64: 2>},
      indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%o : memref<8xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @collapse_form(%o: memref<8x8xf32>) {
  // expected-remark @below {{left to the loop fallback: collapse must be an array of i64 arrays}}
  linalg.generic {adze.schedule = {collapse = [0], loops = ["d0 by 1"], tile = array<i64: 1>},
      indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} outs(%o : memref<8x8xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @collapse_order(%o: memref<8x8xf32>) {
  // expected-remark @below {{left to the loop fallback: collapse must list adjacent dimensions in order}}
  linalg.generic {adze.schedule = {collapse = [array<i64: 1>, array<i64: 0>], loops = ["d0 by 1"], tile = array<i64: 1>},
      indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} outs(%o : memref<8x8xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @collapse_cover(%o: memref<8x8xf32>) {
  // expected-remark @below {{left to the loop fallback: collapse must cover every dimension}}
  linalg.generic {adze.schedule = {collapse = [array<i64: 0>], loops = ["d0 by 1"], tile = array<i64: 1>},
      indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} outs(%o : memref<8x8xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @not_contiguous(%o: memref<8x8xf32, strided<[16, 1]>>) {
  // expected-remark @below {{left to the loop fallback: its schedule collapses dimensions that are not contiguous}}
  linalg.generic {adze.schedule = {collapse = [array<i64: 0, 1>], loops = ["d0 by 1"], tile = array<i64: 1>},
      indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} outs(%o : memref<8x8xf32, strided<[16, 1]>>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @none(%o: memref<8xf32>) {
  // expected-remark @below {{left to the loop fallback: it has no schedule}}
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%o : memref<8xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @control_flow(%c: i1, %o: memref<8xf32>) {
  // expected-remark @below {{left to the loop fallback: its body has control flow}}
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%o : memref<8xf32>) {
  ^bb0(%a: f32):
    %0 = scf.if %c -> f32 {
      scf.yield %a : f32
    } else {
      %1 = arith.negf %a : f32
      scf.yield %1 : f32
    }
    linalg.yield %0 : f32
  }
  return
}

// -----

func.func @side_effects(%c: i1, %o: memref<8xf32>) {
  // expected-remark @below {{left to the loop fallback: its body has side effects}}
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%o : memref<8xf32>) {
  ^bb0(%a: f32):
    adze_rt.check %c, "no"
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @reduction_chunks(%a: memref<8x8xf32>, %o: memref<8xf32>) {
  // expected-remark @below {{left to the loop fallback: a reduction has one loop, which is not parallel}}
  linalg.generic {adze.schedule = {loops = ["d0 by 1", "d1 by 4", "d1 by 1"], tile = array<i64: 1, 1>},
      indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
      iterator_types = ["parallel", "reduction"]} ins(%a : memref<8x8xf32>) outs(%o : memref<8xf32>) {
  ^bb0(%x: f32, %s: f32):
    %y = arith.addf %x, %s : f32
    linalg.yield %y : f32
  }
  return
}

// -----

func.func @parallel_inside(%o: memref<8x8xf32>) {
  // expected-remark @below {{left to the loop fallback: parallel loops come first}}
  linalg.generic {adze.schedule = {loops = ["d0 by 1", "parallel d1 by 1"], tile = array<i64: 1, 1>},
      indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} outs(%o : memref<8x8xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @chunks(%o: memref<8xf32>) {
  // expected-remark @below {{left to the loop fallback: its chunks are too many or too large}}
  linalg.generic {adze.schedule = {loops = ["d0 by 4611686018427387904", "d0 by 1"], tile = array<i64: 1>},
      indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%o : memref<8xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @huge_tile(%o: memref<64x64xf32>) {
  // expected-remark @below {{left to the loop fallback: its tile is far larger than the registers}}
  linalg.generic {adze.schedule = {loops = ["d0 by 64", "d1 by 64"], tile = array<i64: 64, 64>},
      indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} outs(%o : memref<64x64xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @many_lanes(%o: memref<4096xf32>) {
  // expected-remark @below {{left to the loop fallback: bad vector dimension or lanes}}
  linalg.generic {adze.schedule = {loops = ["d0 by 4096"], tile = array<i64: 1>, vector = 0, lanes = 4096},
      indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%o : memref<4096xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

func.func @grain(%o: memref<8xf32>) {
  // expected-remark @below {{left to the loop fallback: bad grain}}
  linalg.generic {adze.schedule = {loops = ["parallel d0 by 1"], tile = array<i64: 1>, grain = 0},
      indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%o : memref<8xf32>) {
  ^bb0(%a: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

// Lanes are folded at the end of a sum: not where its op is unknown.
func.func @no_vectors(%a: memref<8xf32>, %o: memref<f32>) {
  // expected-remark @below {{left to the loop fallback: its lanes lie along a dimension that has no vectors}}
  linalg.generic {adze.schedule = {loops = ["d0 by 4"], tile = array<i64: 1>, vector = 0, lanes = 4},
      indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> ()>], iterator_types = ["reduction"]}
      ins(%a : memref<8xf32>) outs(%o : memref<f32>) {
  ^bb0(%x: f32, %s: f32):
    %y = arith.subf %x, %s : f32
    linalg.yield %y : f32
  }
  return
}
