// RUN: adze-opt %s --split-input-file --adze-form-fusions | FileCheck %s

// Softmax reads its input twice. Computing exp again, 12 steps, saves 8 bytes an
// element: worth it where a vector has 16 elements, not where it has 4.
module attributes {adze.target = {vector_bits = 512 : i64, bytes_per_cycle = 8 : i64}} {
  // CHECK-LABEL: func.func @wide
  // CHECK: {reason = "exp prologue, softmax"}
  func.func @wide(%x: tensor<4x9xf32>) -> tensor<4x9xf32> {
    %0 = adze.elementwise exp(%x) : (tensor<4x9xf32>) -> tensor<4x9xf32>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<4x9xf32>) -> tensor<4x9xf32>
    return %1 : tensor<4x9xf32>
  }
}

// -----

module attributes {adze.target = {vector_bits = 128 : i64, bytes_per_cycle = 8 : i64}} {
  // CHECK-LABEL: func.func @narrow
  // CHECK: {reason = "exp"}
  // CHECK: {reason = "softmax"}
  func.func @narrow(%x: tensor<4x9xf32>) -> tensor<4x9xf32> {
    %0 = adze.elementwise exp(%x) : (tensor<4x9xf32>) -> tensor<4x9xf32>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<4x9xf32>) -> tensor<4x9xf32>
    return %1 : tensor<4x9xf32>
  }
}

// -----

// Slow memory makes the same steps worth it.
module attributes {adze.target = {vector_bits = 128 : i64, bytes_per_cycle = 1 : i64}} {
  // CHECK-LABEL: func.func @slow_memory
  // CHECK: {reason = "exp prologue, softmax"}
  func.func @slow_memory(%x: tensor<4x9xf32>) -> tensor<4x9xf32> {
    %0 = adze.elementwise exp(%x) : (tensor<4x9xf32>) -> tensor<4x9xf32>
    %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<4x9xf32>) -> tensor<4x9xf32>
    return %1 : tensor<4x9xf32>
  }
}
