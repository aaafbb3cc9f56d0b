// RUN: adze-opt %s --split-input-file --adze-recognize-rotary | FileCheck %s

// Halves of x, and of tables that are as long; one that broadcasts is taken as it is.
// CHECK-LABEL: func.func @rotary
// CHECK: %[[L:.*]] = adze.slice %arg0, {{.*}} -> tensor<?x7x4xf32>
// CHECK: %[[H:.*]] = adze.slice %arg0, {{.*}} -> tensor<?x7x4xf32>
// CHECK: %[[CL:.*]] = adze.slice %arg1, {{.*}} -> tensor<7x4xf32>
// CHECK: %[[A:.*]] = adze.elementwise mul(%[[L]], %[[CL]])
// CHECK: %[[B:.*]] = adze.elementwise mul(%[[H]], %arg2)
// CHECK: %[[Y1:.*]] = adze.elementwise sub(%[[A]], %[[B]])
// CHECK: %[[CH:.*]] = adze.slice %arg1, {{.*}} -> tensor<7x4xf32>
// CHECK: %[[C:.*]] = adze.elementwise mul(%[[H]], %[[CH]])
// CHECK: %[[D:.*]] = adze.elementwise mul(%[[L]], %arg2)
// CHECK: %[[Y2:.*]] = adze.elementwise add(%[[C]], %[[D]])
// CHECK: %[[Y:.*]] = adze.concat %[[Y1]], %[[Y2]] {axis = 2 : i64}
// CHECK-NEXT: return %[[Y]]
func.func @rotary(%x: tensor<?x7x8xf32>, %c: tensor<7x8xf32>, %s: tensor<7x1xf32>) -> tensor<?x7x8xf32> {
  %zero = adze.constant dense<0> : tensor<3xi64> : tensor<3xi64>
  %half = adze.constant dense<[0, 0, 4]> : tensor<3xi64> : tensor<3xi64>
  %mid = adze.constant dense<[9223372036854775807, 9223372036854775807, 4]> : tensor<3xi64> : tensor<3xi64>
  %end = adze.constant dense<9223372036854775807> : tensor<3xi64> : tensor<3xi64>
  %one = adze.constant dense<1> : tensor<3xi64> : tensor<3xi64>
  %l = adze.slice %x, %zero, %mid, %one : (tensor<?x7x8xf32>, tensor<3xi64>, tensor<3xi64>, tensor<3xi64>) -> tensor<?x7x4xf32>
  %h = adze.slice %x, %half, %end, %one : (tensor<?x7x8xf32>, tensor<3xi64>, tensor<3xi64>, tensor<3xi64>) -> tensor<?x7x4xf32>
  %n = adze.elementwise neg(%h) : (tensor<?x7x4xf32>) -> tensor<?x7x4xf32>
  %r = adze.concat %n, %l {axis = 2 : i64} : (tensor<?x7x4xf32>, tensor<?x7x4xf32>) -> tensor<?x7x8xf32>
  %a = adze.elementwise mul(%x, %c) : (tensor<?x7x8xf32>, tensor<7x8xf32>) -> tensor<?x7x8xf32>
  %b = adze.elementwise mul(%r, %s) : (tensor<?x7x8xf32>, tensor<7x1xf32>) -> tensor<?x7x8xf32>
  %y = adze.elementwise add(%a, %b) : (tensor<?x7x8xf32>, tensor<?x7x8xf32>) -> tensor<?x7x8xf32>
  return %y : tensor<?x7x8xf32>
}

// -----

// The halves in their old order are no rotation.
// CHECK-LABEL: func.func @other
// CHECK: adze.concat
// CHECK: adze.elementwise add
func.func @other(%x: tensor<3x8xf32>, %c: tensor<8xf32>) -> tensor<3x8xf32> {
  %zero = adze.constant dense<0> : tensor<2xi64> : tensor<2xi64>
  %half = adze.constant dense<[0, 4]> : tensor<2xi64> : tensor<2xi64>
  %mid = adze.constant dense<[9223372036854775807, 4]> : tensor<2xi64> : tensor<2xi64>
  %end = adze.constant dense<9223372036854775807> : tensor<2xi64> : tensor<2xi64>
  %one = adze.constant dense<1> : tensor<2xi64> : tensor<2xi64>
  %l = adze.slice %x, %zero, %mid, %one : (tensor<3x8xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<3x4xf32>
  %h = adze.slice %x, %half, %end, %one : (tensor<3x8xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<3x4xf32>
  %n = adze.elementwise neg(%l) : (tensor<3x4xf32>) -> tensor<3x4xf32>
  %r = adze.concat %n, %h {axis = 1 : i64} : (tensor<3x4xf32>, tensor<3x4xf32>) -> tensor<3x8xf32>
  %a = adze.elementwise mul(%x, %c) : (tensor<3x8xf32>, tensor<8xf32>) -> tensor<3x8xf32>
  %b = adze.elementwise mul(%r, %c) : (tensor<3x8xf32>, tensor<8xf32>) -> tensor<3x8xf32>
  %y = adze.elementwise add(%a, %b) : (tensor<3x8xf32>, tensor<3x8xf32>) -> tensor<3x8xf32>
  return %y : tensor<3x8xf32>
}
