// RUN: adze-opt %s --split-input-file --adze-form-fusions=remarks=true --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s
// RUN: adze-opt %s --split-input-file --adze-form-fusions | FileCheck %s --check-prefix=NONE
// NONE-NOT: adze.remarks

// What joined and what that saves, an element; where it ends, and why.
// CHECK-LABEL: func.func @epilogue
// CHECK: adze.fusion(%arg0, %arg1) {adze.remarks = {anchor = "matmul",
// CHECK-SAME: joins = [{as = "epilogue", at = loc("relu"{{.*}}), bytes_saved = 8 : i64, op = "max", steps_again = 0 : i64}]
// CHECK-SAME: stops = [{at = loc("second"{{.*}}), op = "matmul", why = "there would be too few blocks of rows to share out"}]
// CHECK: stops = [{at = {{.*}}, op = "return", why = "it is a result of the model or of a branch"}]
func.func @epilogue(%a: tensor<4x8xf32>, %b: tensor<8x8xf32>) -> tensor<4x8xf32> {
  %zero = adze.constant dense<0.0> : tensor<f32> : tensor<f32>
  %0 = adze.matmul %a, %b : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("first")
  %1 = adze.elementwise max(%0, %zero) : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32> loc("relu")
  %2 = adze.matmul %1, %b : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("second")
  return %2 : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: func.func @reasons
// CHECK-DAG: op = "softmax", why = "it would be computed 2 times: 20 steps more an element, to save 8 bytes"
// CHECK-DAG: op = "matmul", why = "matmul reads this operand from memory"
// CHECK-DAG: op = "reshape", why = "the entry does reshape itself"
// CHECK-DAG: op = "gather", why = "gather shares no kernel"
// CHECK-DAG: op = "abs", why = "concat holds no element for what follows"
// CHECK-DAG: op = "transpose", why = "transpose reads by another index"
// CHECK-DAG: op = "neg", why = "adze.fuse keeps it alone"
func.func @reasons(%x: tensor<4x4xf32>)
    -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<16xf32>, tensor<2x4xf32>, tensor<8x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) {
  %i = adze.constant dense<[3, 0]> : tensor<2xi64> : tensor<2xi64>
  %flat = adze.constant dense<16> : tensor<1xi64> : tensor<1xi64>
  %0 = adze.elementwise tanh(%x) : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = adze.softmax %0 {axis = 1 : i64} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %2 = adze.elementwise exp(%x) : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %3 = adze.matmul %2, %x : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %4 = adze.reshape %3, %flat : (tensor<4x4xf32>, tensor<1xi64>) -> tensor<16xf32>
  %5 = adze.gather %1, %i {axis = 0 : i64} : (tensor<4x4xf32>, tensor<2xi64>) -> tensor<2x4xf32>
  %6 = adze.concat %x, %1 {axis = 0 : i64} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
  %7 = adze.elementwise abs(%6) : (tensor<8x4xf32>) -> tensor<8x4xf32>
  %8 = adze.transpose %1 {perm = array<i64: 1, 0>} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  %9 = adze.elementwise neg(%8) {adze.fuse = "alone"} : (tensor<4x4xf32>) -> tensor<4x4xf32>
  return %1, %3, %4, %5, %7, %8, %9 : tensor<4x4xf32>, tensor<4x4xf32>, tensor<16xf32>, tensor<2x4xf32>, tensor<8x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>
}
