// RUN: adze-opt %s --adze-sink-reshapes --canonicalize | FileCheck %s

#wide = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#rows = affine_map<(d0, d1) -> (d0, d1)>
#columns = affine_map<(d0, d1) -> (d1)>

// What follows a collapsed result takes its shape, as does the destination,
// whose view stands before everything that writes it.
// CHECK-LABEL: func.func @epilogue
// CHECK: %[[N:.*]] = tensor.dim %arg0
// CHECK: %[[OUT:.*]] = tensor.expand_shape %arg2 {{\[\[}}0, 1], [2]] output_shape [%[[N]], 2, 4]
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<?x2x4xf32>)
// CHECK: %[[R:.*]] = linalg.generic {{.*}} ins(%arg1 : tensor<4xf32>) outs(%[[Y]] : tensor<?x2x4xf32>)
// CHECK: %[[S:.*]] = bufferization.materialize_in_destination %[[R]] in %[[OUT]]
// CHECK: tensor.collapse_shape %[[S]] {{\[\[}}0, 1], [2]]
func.func @epilogue(%x: tensor<?x2x4xf32>, %bias: tensor<4xf32>, %out: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x2x4xf32>
  %e = tensor.empty(%n) : tensor<?x2x4xf32>
  %y = linalg.generic {indexing_maps = [#wide, #wide], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : tensor<?x2x4xf32>) outs(%e : tensor<?x2x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.negf %a : f32
    linalg.yield %v : f32
  } -> tensor<?x2x4xf32>
  %c = tensor.collapse_shape %y [[0, 1], [2]] : tensor<?x2x4xf32> into tensor<?x4xf32>
  %r = linalg.generic {indexing_maps = [#columns, #rows], iterator_types = ["parallel", "parallel"]} ins(%bias : tensor<4xf32>) outs(%c : tensor<?x4xf32>) {
  ^bb0(%b: f32, %o: f32):
    %v = arith.addf %o, %b : f32
    linalg.yield %v : f32
  } -> tensor<?x4xf32>
  %s = bufferization.materialize_in_destination %r in %out : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %s : tensor<?x4xf32>
}

// A residual in the narrow shape is read through a view.
// CHECK-LABEL: func.func @residual
// CHECK: tensor.expand_shape %arg1 {{\[\[}}0, 1], [2]] output_shape [3, 2, 4] : tensor<6x4xf32> into tensor<3x2x4xf32>
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<3x2x4xf32>)
// CHECK: tensor.collapse_shape
func.func @residual(%x: tensor<3x2x4xf32>, %z: tensor<6x4xf32>) -> tensor<6x4xf32> {
  %e = tensor.empty() : tensor<3x2x4xf32>
  %y = linalg.generic {indexing_maps = [#wide, #wide], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : tensor<3x2x4xf32>) outs(%e : tensor<3x2x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.negf %a : f32
    linalg.yield %v : f32
  } -> tensor<3x2x4xf32>
  %c = tensor.collapse_shape %y [[0, 1], [2]] : tensor<3x2x4xf32> into tensor<6x4xf32>
  %r = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]} ins(%z : tensor<6x4xf32>) outs(%c : tensor<6x4xf32>) {
  ^bb0(%b: f32, %o: f32):
    %v = arith.addf %o, %b : f32
    linalg.yield %v : f32
  } -> tensor<6x4xf32>
  return %r : tensor<6x4xf32>
}

// A value with other users keeps its shape.
// CHECK-LABEL: func.func @shared
// CHECK: tensor.collapse_shape
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<6x4xf32>)
func.func @shared(%x: tensor<3x2x4xf32>) -> (tensor<6x4xf32>, tensor<6x4xf32>) {
  %e = tensor.empty() : tensor<3x2x4xf32>
  %y = linalg.generic {indexing_maps = [#wide, #wide], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : tensor<3x2x4xf32>) outs(%e : tensor<3x2x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %v = arith.negf %a : f32
    linalg.yield %v : f32
  } -> tensor<3x2x4xf32>
  %c = tensor.collapse_shape %y [[0, 1], [2]] : tensor<3x2x4xf32> into tensor<6x4xf32>
  %f = tensor.empty() : tensor<6x4xf32>
  %r = linalg.generic {indexing_maps = [#rows, #rows], iterator_types = ["parallel", "parallel"]} ins(%c : tensor<6x4xf32>) outs(%f : tensor<6x4xf32>) {
  ^bb0(%b: f32, %o: f32):
    %v = arith.negf %b : f32
    linalg.yield %v : f32
  } -> tensor<6x4xf32>
  return %c, %r : tensor<6x4xf32>, tensor<6x4xf32>
}
