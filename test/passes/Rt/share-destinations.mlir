// RUN: adze-opt %s --adze-share-destinations | FileCheck %s
#id = affine_map<(d) -> (d)>

// CHECK-LABEL: func.func @one_value_twice(
// CHECK-SAME: %{{.+}}: tensor<?xf32>, %[[A:.+]]: tensor<?xf32>, %[[B:.+]]: tensor<?xf32>)
// CHECK: %[[Y:.+]] = linalg.generic {{.*}} outs(%[[A]]
// CHECK: %[[FIRST:.+]] = bufferization.materialize_in_destination %[[Y]] in %[[A]]
// CHECK: bufferization.materialize_in_destination %[[FIRST]] in %[[B]]
func.func @one_value_twice(%x: tensor<?xf32>, %a: tensor<?xf32>, %b: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %n1 = arith.negf %in : f32
    linalg.yield %n1 : f32
  } -> tensor<?xf32>
  %r = bufferization.materialize_in_destination %y in %a : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %s = bufferization.materialize_in_destination %y in %b : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %r, %s : tensor<?xf32>, tensor<?xf32>
}
