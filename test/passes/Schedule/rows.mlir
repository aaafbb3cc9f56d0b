// RUN: adze-opt %s --adze-assign-schedule --adze-emit-nests --canonicalize --cse | FileCheck %s
// The addition cannot take batch and rows as one, for the mask depends on the
// batch; so the maximum does not either, and both run rows by rows.
module attributes {adze.target = {vector_bits = 512, vector_registers = 32, mask_bits = 8}} {
// CHECK-LABEL: func.func @rows_of_two_dimensions
// CHECK: scf.parallel (%{{.*}}, %{{.*}}) =
// CHECK: arith.addf
// CHECK: arith.maximumf
// CHECK-NOT: scf.parallel
// CHECK: return
func.func @rows_of_two_dimensions(%x: memref<?x48x128xf32>, %m: memref<?x128xf32>, %y: memref<?x48x128xf32>, %most: memref<?x48xf32>) {
  %least = arith.constant 0xFF800000 : f32
  linalg.generic {indexing_maps = [affine_map<(b, r, c) -> (b, r, c)>, affine_map<(b, r, c) -> (b, c)>, affine_map<(b, r, c) -> (b, r, c)>], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x, %m : memref<?x48x128xf32>, memref<?x128xf32>) outs(%y : memref<?x48x128xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  }
  linalg.fill ins(%least : f32) outs(%most : memref<?x48xf32>)
  linalg.generic {indexing_maps = [affine_map<(b, r, c) -> (b, r, c)>, affine_map<(b, r, c) -> (b, r)>], iterator_types = ["parallel", "parallel", "reduction"]} ins(%y : memref<?x48x128xf32>) outs(%most : memref<?x48xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.maximumf %o, %a : f32
    linalg.yield %s : f32
  }
  return
}
}
