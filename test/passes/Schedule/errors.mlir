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
