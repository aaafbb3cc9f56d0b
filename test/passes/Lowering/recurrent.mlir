// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// The inputs' share of all steps is one matrix product before the loop; a step
// adds the state's share and runs all gates in one map.
// CHECK-LABEL: func.func @lstm
// CHECK: linalg.generic {{.*}}"parallel", "parallel", "parallel", "reduction"]} ins(%arg0
// CHECK: scf.for {{.*}} -> (tensor<2x4xf32>, tensor<2x4xf32>, tensor<?x1x2x4xf32>)
// CHECK: linalg.generic {{.*}}"parallel", "parallel", "reduction"]
// CHECK: %[[H:.*]]:2 = linalg.generic
// CHECK: math.tanh
// CHECK: tensor.insert_slice %[[H]]#0 into %{{.*}} into tensor<?x1x2x4xf32>
func.func @lstm(%x: tensor<?x2x3xf32>, %w: tensor<1x16x3xf32>, %r: tensor<1x16x4xf32>) -> tensor<?x1x2x4xf32> {
  %0, %1, %2 = adze.recurrent %x, %w, %r {kind = #adze<recurrent_kind lstm>, direction = "forward", activations = ["Sigmoid", "Tanh", "Tanh"], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>} : (tensor<?x2x3xf32>, tensor<1x16x3xf32>, tensor<1x16x4xf32>) -> (tensor<?x1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return %0 : tensor<?x1x2x4xf32>
}

// -----

// Both directions: two loops into the two halves of one result.
// CHECK-LABEL: func.func @both
// CHECK-COUNT-2: scf.for
// CHECK-NOT: scf.for
func.func @both(%x: tensor<5x2x3xf32>, %w: tensor<2x4x3xf32>, %r: tensor<2x4x4xf32>) -> tensor<5x2x2x4xf32> {
  %0, %1, %2 = adze.recurrent %x, %w, %r {kind = #adze<recurrent_kind rnn>, direction = "bidirectional", activations = ["Tanh", "Relu"], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>} : (tensor<5x2x3xf32>, tensor<2x4x3xf32>, tensor<2x4x4xf32>) -> (tensor<5x2x2x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>)
  return %0 : tensor<5x2x2x4xf32>
}

// -----

// A GRU's sequences may end early: the state then stays.
// CHECK-LABEL: func.func @lengths
// CHECK: scf.for %[[T:[^ ]*]] =
// CHECK: %[[ON:.*]] = arith.cmpi slt, %[[T]],
// CHECK: arith.select %[[ON]]
func.func @lengths(%x: tensor<5x2x3xf32>, %w: tensor<1x12x3xf32>, %r: tensor<1x12x4xf32>, %n: tensor<2xi32>) -> tensor<1x2x4xf32> {
  %0, %1, %2 = adze.recurrent %x, %w, %r, %n {kind = #adze<recurrent_kind gru>, direction = "forward", activations = ["Sigmoid", "Tanh"], operandSegmentSizes = array<i32: 1, 1, 1, 0, 1, 0, 0, 0>} : (tensor<5x2x3xf32>, tensor<1x12x3xf32>, tensor<1x12x4xf32>, tensor<2xi32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return %1 : tensor<1x2x4xf32>
}

// -----

// A given state is copied once, to a buffer whose rows the loop carries as they
// lie: a slice of the argument would make every step read at unknown strides.
// CHECK-LABEL: func.func @given_state
// CHECK: %[[ROW:.*]] = tensor.extract_slice %arg3
// CHECK: %[[H:.*]] = bufferization.alloc_tensor() copy(%[[ROW]]) : tensor<2x4xf32>
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[H]],
func.func @given_state(%x: tensor<5x2x3xf32>, %w: tensor<1x4x3xf32>, %r: tensor<1x4x4xf32>, %h: tensor<1x2x4xf32>) -> tensor<1x2x4xf32> {
  %0, %1, %2 = adze.recurrent %x, %w, %r, %h {kind = #adze<recurrent_kind rnn>, direction = "forward", activations = ["Tanh"], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 1, 0, 0>} : (tensor<5x2x3xf32>, tensor<1x4x3xf32>, tensor<1x4x4xf32>, tensor<1x2x4xf32>) -> (tensor<5x1x2x4xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
  return %1 : tensor<1x2x4xf32>
}
