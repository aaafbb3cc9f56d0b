// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// CHECK: affine_map<(d0, d1, d2) -> (d1, d2, d0)>
// CHECK-LABEL: func.func @transpose
// CHECK: linalg.generic
// CHECK: linalg.yield %in
func.func @transpose(%x: tensor<?x4x5xf32>) -> tensor<5x?x4xf32> {
  %0 = adze.transpose %x {perm = array<i64: 2, 0, 1>} : (tensor<?x4x5xf32>) -> tensor<5x?x4xf32>
  return %0 : tensor<5x?x4xf32>
}

// -----

// Parts are inserted one behind the other; extents beside the axis are checked.
// CHECK-LABEL: func.func @concat
// CHECK: %[[A:.*]] = tensor.insert_slice %arg0 into %{{.*}}[0, 0] [%[[N:.*]], 4]
// CHECK: adze_rt.check %{{.*}}, "concat: extents beside the axis differ"
// CHECK: tensor.insert_slice %arg1 into %[[A]][0, 4] [%[[N]], 6]
func.func @concat(%x: tensor<?x4xf32>, %y: tensor<?x6xf32>) -> tensor<?x10xf32> {
  %0 = adze.concat %x, %y {axis = 1 : i64} : (tensor<?x4xf32>, tensor<?x6xf32>) -> tensor<?x10xf32>
  return %0 : tensor<?x10xf32>
}

// -----

// A slice with positive steps is a view, its bounds clamped.
// CHECK-LABEL: func.func @slice
// CHECK: %[[S:.*]] = arith.minsi %{{.*}}, %c1
// CHECK: tensor.extract_slice %arg0[%[[S]], 0] [%{{.*}}, 4] [1, 2]
func.func @slice(%x: tensor<?x8xf32>) -> tensor<?x4xf32> {
  %s = adze.constant dense<[1, 0]> : tensor<2xi64> : tensor<2xi64>
  %e = adze.constant dense<[9223372036854775807, 9223372036854775807]> : tensor<2xi64> : tensor<2xi64>
  %t = adze.constant dense<[1, 2]> : tensor<2xi64> : tensor<2xi64>
  %0 = adze.slice %x, %s, %e, %t : (tensor<?x8xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// -----

// One that runs backwards is a copy.
// CHECK-LABEL: func.func @backwards
// CHECK: arith.subi %c7, %{{.*}}
// CHECK: tensor.extract %arg0
func.func @backwards(%x: tensor<8xf32>) -> tensor<8xf32> {
  %s = adze.constant dense<-1> : tensor<1xi64> : tensor<1xi64>
  %e = adze.constant dense<-9223372036854775807> : tensor<1xi64> : tensor<1xi64>
  %0 = adze.slice %x, %s, %e, %s : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// -----

// CHECK-LABEL: func.func @pad
// CHECK: %[[V:.*]] = tensor.extract %arg1[]
// CHECK: tensor.pad %arg0 low[0, 1] high[0, 2]
// CHECK: tensor.yield %[[V]]
func.func @pad(%x: tensor<?x8xf32>, %v: tensor<f32>) -> tensor<?x11xf32> {
  %p = adze.constant dense<[0, 1, 0, 2]> : tensor<4xi64> : tensor<4xi64>
  %0 = adze.pad %x, %p, %v : (tensor<?x8xf32>, tensor<4xi64>, tensor<f32>) -> tensor<?x11xf32>
  return %0 : tensor<?x11xf32>
}

// -----

// Along one axis x stands as a block, between strips that read by index. A
// reflection repeats every 2 (n - 1) elements.
// CHECK-LABEL: func.func @reflect
// CHECK: %[[A:.*]] = tensor.insert_slice %arg0 into %{{.*}}[1] [8] [1]
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1xf32>)
// CHECK: tensor.extract %arg0[%c1]
// CHECK: %[[B:.*]] = tensor.insert_slice %{{.*}} into %[[A]][0] [1] [1]
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<2xf32>)
// CHECK: arith.remsi %{{.*}}, %c14
// CHECK: tensor.extract %arg0
// CHECK: tensor.insert_slice %{{.*}} into %[[B]][9] [2] [1]
func.func @reflect(%x: tensor<8xf32>, %v: tensor<f32>) -> tensor<11xf32> {
  %p = adze.constant dense<[1, 2]> : tensor<2xi64> : tensor<2xi64>
  %0 = adze.pad %x, %p, %v {mode = #adze<pad_mode reflect>} : (tensor<8xf32>, tensor<2xi64>, tensor<f32>) -> tensor<11xf32>
  return %0 : tensor<11xf32>
}

// -----

// Along more axes every element is read by index.
// CHECK-LABEL: func.func @edges
// CHECK-NOT: tensor.insert_slice
// CHECK: tensor.extract %arg0
func.func @edges(%x: tensor<4x8xf32>, %v: tensor<f32>) -> tensor<5x10xf32> {
  %p = adze.constant dense<[1, 2, 0, 0]> : tensor<4xi64> : tensor<4xi64>
  %0 = adze.pad %x, %p, %v {mode = #adze<pad_mode edge>} : (tensor<4x8xf32>, tensor<4xi64>, tensor<f32>) -> tensor<5x10xf32>
  return %0 : tensor<5x10xf32>
}

// -----

// Repeats are a dimension of their own.
// CHECK-LABEL: func.func @tile
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<3x2x4xf32>)
// CHECK: tensor.collapse_shape {{.*}} into tensor<3x8xf32>
func.func @tile(%x: tensor<3x4xf32>) -> tensor<3x8xf32> {
  %r = adze.constant dense<[1, 2]> : tensor<2xi64> : tensor<2xi64>
  %0 = adze.tile %x, %r : (tensor<3x4xf32>, tensor<2xi64>) -> tensor<3x8xf32>
  return %0 : tensor<3x8xf32>
}

// -----

// CHECK: affine_map<(d0, d1) -> (0, d1)>
// CHECK-LABEL: func.func @expand
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<6x4xf32>)
func.func @expand(%x: tensor<1x4xf32>) -> tensor<6x4xf32> {
  %s = adze.constant dense<[6, 4]> : tensor<2xi64> : tensor<2xi64>
  %0 = adze.expand %x, %s : (tensor<1x4xf32>, tensor<2xi64>) -> tensor<6x4xf32>
  return %0 : tensor<6x4xf32>
}

// -----

// CHECK-LABEL: func.func @range
// CHECK: arith.ceildivsi
// CHECK: %[[N:.*]] = arith.maxsi %{{.*}}, %c0
// CHECK: tensor.empty(%[[N]])
// CHECK: arith.muli
// CHECK: arith.addi
func.func @range(%a: tensor<i64>, %b: tensor<i64>, %d: tensor<i64>) -> tensor<?xi64> {
  %0 = adze.range %a, %b, %d : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}

// -----

// CHECK-LABEL: func.func @triangle
// CHECK: %[[KEEP:.*]] = arith.cmpi sge
// CHECK: arith.select %[[KEEP]], %in, %cst
func.func @triangle(%x: tensor<4x4xf32>, %k: tensor<i64>) -> tensor<4x4xf32> {
  %0 = adze.trilu %x, %k {upper = true} : (tensor<4x4xf32>, tensor<i64>) -> tensor<4x4xf32>
  return %0 : tensor<4x4xf32>
}

// -----

// Nothing is taken of the end, and nothing is added there.
// CHECK-LABEL: func.func @empty_parts
// CHECK-NOT: extract_slice
// CHECK-NOT: insert_slice
// CHECK: return %arg0, %{{.*}} : tensor<8xf32>, tensor<0xf32>
func.func @empty_parts(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<0xf32>) {
  %s = adze.constant dense<8> : tensor<1xi64> : tensor<1xi64>
  %t = adze.constant dense<1> : tensor<1xi64> : tensor<1xi64>
  %0 = adze.slice %x, %s, %s, %t : (tensor<8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<0xf32>
  %1 = adze.concat %x, %0 {axis = 0 : i64} : (tensor<8xf32>, tensor<0xf32>) -> tensor<8xf32>
  return %1, %0 : tensor<8xf32>, tensor<0xf32>
}
