// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Shape arithmetic is scalar code on the input's extents, and a reshape moves
// nothing.
// CHECK-LABEL: func.func @reshape
// CHECK-SAME: %[[X:.*]]: tensor<?x4x?xf32>
// CHECK-NOT: from_elements
// CHECK: %[[D:.*]] = tensor.dim %[[X]]
// CHECK: tensor.expand_shape %[[X]] {{\[}}[0], [1, 2], [3]] output_shape [%[[D]], 2, 2,
func.func @reshape(%x: tensor<?x4x?xf32>) -> tensor<?x2x2x?xf32> {
  %s = adze.shape_of %x : (tensor<?x4x?xf32>) -> tensor<3xi64>
  %i = adze.constant dense<[0]> : tensor<1xi64> : tensor<1xi64>
  %n = adze.gather %s, %i {axis = 0 : i64} : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
  %r = adze.constant dense<[2, 2, -1]> : tensor<3xi64> : tensor<3xi64>
  %sh = adze.concat %n, %r {axis = 0 : i64} : (tensor<1xi64>, tensor<3xi64>) -> tensor<4xi64>
  %0 = adze.reshape %x, %sh : (tensor<?x4x?xf32>, tensor<4xi64>) -> tensor<?x2x2x?xf32>
  return %0 : tensor<?x2x2x?xf32>
}

// -----

// Two extents that may or may not be 1: checked, and copied only if they are.
// bool leaves as i8.
// CHECK-LABEL: func.func @broadcast
// CHECK-SAME: -> tensor<?xi8>
// CHECK: adze_rt.check {{.*}}, "shapes do not broadcast"
// CHECK: scf.if
func.func @broadcast(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xi1> {
  %0 = adze.elementwise less(%a, %b) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xi1>
  return %0 : tensor<?xi1>
}

// -----

// An extent cut from another is that or does not fit: nothing is broadcast.
// CHECK-LABEL: func.func @cut
// CHECK: adze_rt.check {{.*}}, "shapes do not broadcast"
// CHECK-NOT: scf.if
// CHECK: return
func.func @cut(%a: tensor<?xf32> {adze.dims = affine_map<()[s0] -> (s0)>},
               %b: tensor<?xf32> {adze.cut_from = affine_map<()[s0] -> (s0)>, adze.dims = affine_map<()[s0, s1, s2] -> (s2)>})
    -> tensor<?xf32> {
  %0 = adze.elementwise add(%a, %b) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// What the caller knows of its arguments' extents is used, then dropped.
// CHECK-LABEL: func.func @described
// CHECK-NOT: adze.dims
// CHECK-NOT: scf.if
// CHECK: return
func.func @described(%a: tensor<?xf32> {adze.dims = affine_map<()[s0] -> (s0)>},
                     %b: tensor<?xf32> {adze.dims = affine_map<()[s0] -> (s0)>}) -> tensor<?xf32> {
  %0 = adze.elementwise add(%a, %b) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// A row of a running sum keeps the axis: beside another extent of 1, which of the
// two was dropped could not be told from dynamic strides.
// CHECK-LABEL: func.func @cumulative
// CHECK: tensor.extract_slice {{.*}} : tensor<1x17x?x?xf32> to tensor<1x17x1x?xf32>
// CHECK: tensor.insert_slice {{.*}} : tensor<1x17x1x?xf32> into tensor<1x17x?x?xf32>
func.func @cumulative(%x: tensor<1x17x?x?xf32>) -> tensor<1x17x?x?xf32> {
  %0 = adze.cumulative %x {axis = 2 : i64, kind = #adze<reduce_kind sum>} : (tensor<1x17x?x?xf32>) -> tensor<1x17x?x?xf32>
  return %0 : tensor<1x17x?x?xf32>
}

// -----

// Extents that nothing is known of: the count is checked, then a view.
// CHECK-LABEL: func.func @unknown
// CHECK: adze_rt.check %{{.*}}, "reshape: the element counts differ"
// CHECK: tensor.collapse_shape %arg0
// CHECK: tensor.expand_shape
func.func @unknown(%x: tensor<?x?xf32>, %s: tensor<2xi64>) -> tensor<?x?xf32> {
  %0 = adze.reshape %x, %s : (tensor<?x?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// Cropped by all there is: only padding remains.
// CHECK-LABEL: func.func @pad_after_nothing
// CHECK-NOT: extract_slice
// CHECK: linalg.fill {{.*}} -> tensor<3xf32>
func.func @pad_after_nothing(%x: tensor<1xf32>, %v: tensor<f32>) -> tensor<3xf32> {
  %p = adze.constant dense<[-1, 3]> : tensor<2xi64> : tensor<2xi64>
  %0 = adze.pad %x, %p, %v : (tensor<1xf32>, tensor<2xi64>, tensor<f32>) -> tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

// A shape that is asked for as data.
// CHECK-LABEL: func.func @shape_of
// CHECK: %[[D:.*]] = tensor.dim %arg0
// CHECK: %[[N:.*]] = arith.index_cast %[[D]]
// CHECK: tensor.from_elements %[[N]], %c4_i64
func.func @shape_of(%x: tensor<?x4xf32>) -> tensor<2xi64> {
  %0 = adze.shape_of %x : (tensor<?x4xf32>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}

// -----

// The elements of small integer tensors are scalars, without a loop.
// CHECK-LABEL: func.func @scalars
// CHECK-NOT: linalg
// CHECK-COUNT-2: arith.addi
// CHECK: tensor.from_elements
func.func @scalars(%a: tensor<2xi64>, %b: tensor<2xi64>) -> tensor<2xi64> {
  %0 = adze.elementwise add(%a, %b) : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  return %0 : tensor<2xi64>
}
