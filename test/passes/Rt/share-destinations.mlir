// RUN: adze-opt %s --adze-share-destinations --split-input-file | FileCheck %s

// The result is computed where it is wanted.
// CHECK-LABEL: func.func @straight
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>, %[[OUT:.*]]: tensor<4xf32>
// CHECK: linalg.generic {{.*}} outs(%[[OUT]] :
func.func @straight(%x: tensor<4xf32>, %out: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %1 = arith.negf %a : f32
    linalg.yield %1 : f32
  } -> tensor<4xf32>
  %2 = bufferization.materialize_in_destination %0 in %out : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----

// A loop that carries the tensor keeps it apart.
// CHECK-LABEL: func.func @loop
// CHECK: tensor.empty
func.func @loop(%n: index, %out: tensor<4xindex>) -> tensor<4xindex> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %e = tensor.empty() : tensor<4xindex>
  %0 = scf.for %i = %c0 to %n step %c1 iter_args(%t = %e) -> tensor<4xindex> {
    %1 = tensor.insert %i into %t[%c0] : tensor<4xindex>
    scf.yield %1 : tensor<4xindex>
  }
  %2 = bufferization.materialize_in_destination %0 in %out : (tensor<4xindex>, tensor<4xindex>) -> tensor<4xindex>
  return %2 : tensor<4xindex>
}

// -----

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

// -----

#id = affine_map<(d) -> (d)>

// Every part of a result that is put together is computed in its place.
// CHECK-LABEL: func.func @parts(
// CHECK-SAME: %{{.+}}: tensor<4xf32>, %[[OUT:.+]]: tensor<8xf32>)
// CHECK-NOT: tensor.empty
// CHECK: %[[P:.+]] = tensor.extract_slice %[[OUT]][0] [4] [1]
// CHECK: linalg.generic {{.*}} outs(%[[P]]
// CHECK: %[[Q:.+]] = tensor.extract_slice %{{.+}}[4] [4] [1]
// CHECK: linalg.generic {{.*}} outs(%[[Q]]
func.func @parts(%x: tensor<4xf32>, %out: tensor<8xf32>) -> tensor<8xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %whole = tensor.empty() : tensor<8xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %n = arith.negf %a : f32
    linalg.yield %n : f32
  } -> tensor<4xf32>
  %1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %n = arith.addf %a, %a : f32
    linalg.yield %n : f32
  } -> tensor<4xf32>
  %2 = tensor.insert_slice %0 into %whole[0] [4] [1] : tensor<4xf32> into tensor<8xf32>
  %3 = tensor.insert_slice %1 into %2[4] [4] [1] : tensor<4xf32> into tensor<8xf32>
  %4 = bufferization.materialize_in_destination %3 in %out : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %4 : tensor<8xf32>
}

// -----

#id = affine_map<(d) -> (d)>

// What two ops write over is filled for each, next to it; what is only read stays one.
// CHECK-LABEL: func.func @two_fills
// CHECK: %[[READ:.+]] = linalg.fill
// CHECK: %[[A:.+]] = linalg.fill
// CHECK-NEXT: linalg.generic {{.*}} ins(%[[READ]] : {{.*}} outs(%[[A]] :
// CHECK: %[[B:.+]] = linalg.fill
// CHECK-NEXT: linalg.generic {{.*}} outs(%[[B]] :
func.func @two_fills(%x: tensor<?xf32>, %n: index) -> (tensor<?xf32>, tensor<?xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty(%n) : tensor<?xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?xf32>) -> tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%f : tensor<?xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %1 = arith.addf %in, %out : f32
    linalg.yield %1 : f32
  } -> tensor<?xf32>
  %2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf32>) outs(%f : tensor<?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %3 = arith.addf %in, %out : f32
    linalg.yield %3 : f32
  } -> tensor<?xf32>
  return %0, %2 : tensor<?xf32>, tensor<?xf32>
}
