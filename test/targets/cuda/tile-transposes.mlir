// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-cuda-tile-transposes))' --split-input-file | FileCheck %s

// Rows of x in, rows of y out: columns of a tile between.
// CHECK-LABEL: func.func private @across
// CHECK: scf.parallel (%[[M:.*]], %[[N:.*]], %[[LANE:.*]]) = (%{{.*}}) to (%c512, %c64, %c256{{.*}}) step (%c32{{.*}}, %c32{{.*}}, %c1{{.*}}) {
// CHECK: %[[COLUMN:.*]] = arith.remui %[[LANE]]
// CHECK: %[[ROW:.*]] = arith.divui %[[LANE]]
// CHECK: %[[TILE:.*]] = memref.alloca() : memref<32x33xf32, #gpu.address_space<workgroup>>
// CHECK: %[[X:.*]] = memref.load %arg0
// CHECK-NEXT: memref.store %[[X]], %[[TILE]][%{{.*}}, %[[COLUMN]]]
// CHECK: adze_rt.team_barrier team 256
// CHECK: memref.load %[[TILE]][%[[COLUMN]], %{{.*}}]
// CHECK: memref.load %arg1
// CHECK: arith.addf
// CHECK: memref.store
// CHECK: adze.team = 256
func.func private @across(%x: memref<64x512xf32>, %z: memref<512x64xf32>, %y: memref<512x64xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [affine_map<(m, n) -> (n, m)>, affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x, %z : memref<64x512xf32>, memref<512x64xf32>) outs(%y : memref<512x64xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// Seven points a row fill no tile, 49 do.
// CHECK-LABEL: func.func private @picture
// CHECK: memref.collapse_shape %arg0
// CHECK: scf.parallel {{.*}} to (%c64, %c49, %c256{{.*}})
func.func private @picture(%x: memref<7x7x64xf32>, %y: memref<64x7x7xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [affine_map<(c, h, w) -> (h, w, c)>, affine_map<(c, h, w) -> (c, h, w)>],
                  iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : memref<7x7x64xf32>) outs(%y : memref<64x7x7xf32>) {
  ^bb0(%a: f32, %c: f32):
    linalg.yield %a : f32
  }
  return
}

// -----

// Three channels, a number for each row, what lies straight, and the host's functions
// are left alone.
// CHECK-LABEL: func.func private @few
// CHECK-NOT: scf.parallel
// CHECK-LABEL: func.func private @broadcast
// CHECK-NOT: scf.parallel
// CHECK-NOT: collapse_shape
// CHECK-LABEL: func.func private @straight
// CHECK-NOT: scf.parallel
// CHECK-LABEL: func.func private @host
// CHECK-NOT: scf.parallel
func.func private @few(%x: memref<512x3xf32>, %y: memref<3x512xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [affine_map<(m, n) -> (n, m)>, affine_map<(m, n) -> (m, n)>],
                  iterator_types = ["parallel", "parallel"]} ins(%x : memref<512x3xf32>) outs(%y : memref<3x512xf32>) {
  ^bb0(%a: f32, %c: f32):
    linalg.yield %a : f32
  }
  return
}
func.func private @broadcast(%x: memref<8x64xf32>, %y: memref<8x64x64xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [affine_map<(b, m, n) -> (b, m)>, affine_map<(b, m, n) -> (b, m, n)>],
                  iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : memref<8x64xf32>) outs(%y : memref<8x64x64xf32>) {
  ^bb0(%a: f32, %c: f32):
    linalg.yield %a : f32
  }
  return
}
func.func private @straight(%x: memref<8x64x64xf32>, %y: memref<64x8x64xf32>) attributes {adze.device} {
  linalg.generic {indexing_maps = [affine_map<(m, k, n) -> (k, m, n)>, affine_map<(m, k, n) -> (m, k, n)>],
                  iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : memref<8x64x64xf32>) outs(%y : memref<64x8x64xf32>) {
  ^bb0(%a: f32, %c: f32):
    linalg.yield %a : f32
  }
  return
}
func.func private @host(%x: memref<64x512xf32>, %y: memref<512x64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n) -> (n, m)>, affine_map<(m, n) -> (m, n)>],
                  iterator_types = ["parallel", "parallel"]} ins(%x : memref<64x512xf32>) outs(%y : memref<512x64xf32>) {
  ^bb0(%a: f32, %c: f32):
    linalg.yield %a : f32
  }
  return
}
