// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-parallel-loops))' | FileCheck %s

#id = affine_map<(d0) -> (d0)>
#none = affine_map<(d0) -> ()>

// CHECK-LABEL: func.func private @gather
// CHECK: scf.parallel
// CHECK: memref.load
func.func private @gather(%x: memref<8xf32>, %y: memref<8xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0 mod 3)>, #id], iterator_types = ["parallel"]}
      ins(%x : memref<8xf32>) outs(%y : memref<8xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  }
  return
}

// One thread sums up what has no parallel dimension.
// CHECK-LABEL: func.func private @total
// CHECK: scf.parallel (%{{.*}}) = (%c0{{.*}}) to (%c1{{.*}}) step (%c1{{.*}})
// CHECK: scf.for
func.func private @total(%x: memref<8xf32>, %y: memref<f32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [#id, #none], iterator_types = ["reduction"]}
      ins(%x : memref<8xf32>) outs(%y : memref<f32>) {
  ^bb0(%in: f32, %out: f32):
    %s = arith.addf %out, %in : f32
    linalg.yield %s : f32
  }
  return
}

// The host's functions are left alone.
// CHECK-LABEL: func.func private @host
// CHECK: linalg.generic
func.func private @host(%x: memref<8xf32>) {
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel"]} outs(%x : memref<8xf32>) {
  ^bb0(%out: f32):
    linalg.yield %out : f32
  }
  return
}
