// RUN: adze-opt %s --onnx-to-adze --canonicalize --cse | FileCheck %s

// A zero in Reshape's shape copies the input's extent; the hint is not needed.
// CHECK-LABEL: func @reshape_copies
// CHECK: %[[S:.+]] = adze.shape_of %arg0
// CHECK: %[[N:.+]] = adze.slice %[[S]]
// CHECK: adze.concat %[[N]],
// CHECK: adze.reshape %arg0, {{.*}} -> tensor<?x12xf32>
func.func @reshape_copies(%x: tensor<?x3x4xf32>) -> tensor<*xf32> {
  %s = onnx.constant dense<[0, -1]> : tensor<2xi64>
  %y = onnx.node "Reshape"(%x, %s) {since_version = 21 : i64}
      : (tensor<?x3x4xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// A shape computed from extents known at compile time is a constant.
// CHECK-LABEL: func @shape_arithmetic
// CHECK: %[[S:.+]] = adze.constant dense<[4, -1]>
// CHECK-NEXT: adze.reshape %arg0, %[[S]] {{.*}} -> tensor<4x15xf32>
func.func @shape_arithmetic(%x: tensor<4x3x5xf32>) -> tensor<*xf32> {
  %shape = onnx.node "Shape"(%x) {since_version = 21 : i64} : (tensor<4x3x5xf32>) -> tensor<3xi64>
  %i = onnx.constant dense<[0]> : tensor<1xi64>
  %n = onnx.node "Gather"(%shape, %i) {since_version = 13 : i64}
      : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
  %m = onnx.constant dense<[-1]> : tensor<1xi64>
  %s = onnx.node "Concat"(%n, %m) {since_version = 13 : i64, onnx_attributes = {axis = 0 : i64}}
      : (tensor<1xi64>, tensor<1xi64>) -> tensor<2xi64>
  %y = onnx.node "Reshape"(%x, %s) {since_version = 21 : i64}
      : (tensor<4x3x5xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// CHECK-LABEL: func @squeeze_attribute
// CHECK: adze.reshape {{.*}} -> tensor<?x4xf32>
func.func @squeeze_attribute(%x: tensor<?x1x4xf32>) -> tensor<*xf32> {
  %y = onnx.node "Squeeze"(%x) {since_version = 11 : i64,
      onnx_attributes = {axes = array<i64: -2>}} : (tensor<?x1x4xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// A slice along some axes leaves the others whole.
// CHECK-LABEL: func @slice_axes
// CHECK-DAG: adze.constant dense<[0, 1]>
// CHECK-DAG: adze.constant dense<[9223372036854775807, 3]>
// CHECK: adze.slice {{.*}} -> tensor<5x2xf32>
func.func @slice_axes(%x: tensor<5x7xf32>) -> tensor<*xf32> {
  %b = onnx.constant dense<[1]> : tensor<1xi64>
  %e = onnx.constant dense<[3]> : tensor<1xi64>
  %a = onnx.constant dense<[-1]> : tensor<1xi64>
  %y = onnx.node "Slice"(%x, %b, %e, %a) {since_version = 13 : i64}
      : (tensor<5x7xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// Expand broadcasts both ways.
// CHECK-LABEL: func @expand_two_way
// CHECK: adze.expand {{.*}} -> tensor<3x4xf32>
func.func @expand_two_way(%x: tensor<3x1xf32>) -> tensor<*xf32> {
  %s = onnx.constant dense<[1, 4]> : tensor<2xi64>
  %y = onnx.node "Expand"(%x, %s) {since_version = 13 : i64}
      : (tensor<3x1xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// Axes that are data: pairs of extents, one of which is 1.
// CHECK-LABEL: func @reduce_runtime_axes
// CHECK: adze.reshape %arg0, {{.*}} -> tensor<?x?x?x?xf32>
// CHECK: adze.reduce {{.*}}axes = array<i64: 0, 2>
func.func @reduce_runtime_axes(%x: tensor<5x7xf32>, %a: tensor<1xi64>) -> tensor<*xf32> {
  %y = onnx.node "ReduceSum"(%x, %a) {since_version = 13 : i64}
      : (tensor<5x7xf32>, tensor<1xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// A concat of very many operands is joined in groups of 64.
// CHECK-LABEL: func.func @long_concat
// CHECK: %[[A:.*]] = adze.concat {{.*}} -> tensor<64x2xf32>
// CHECK: adze.concat %[[A]], %arg0 {{.*}} -> tensor<65x2xf32>
func.func @long_concat(%x: tensor<1x2xf32>) -> tensor<*xf32> {
  %y = onnx.node "Concat"(%x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x, %x) {since_version = 13 : i64, onnx_attributes = {axis = 0 : i64}}
      : (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}
