// RUN: adze-opt %s --split-input-file --adze-assign-layout=remarks=true --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s
// RUN: adze-opt %s --split-input-file --adze-assign-layout | FileCheck %s --check-prefix=NONE
// NONE-NOT: adze.layout_remarks

// Cycles in each order of each op, the transposes that were placed, and the sums:
// as chosen, all in the model's order, all in the other.
// CHECK-LABEL: func.func @pool
// CHECK-SAME: adze.layout_remarks = [{change = [[ALL:[0-9]+]] : i64, cycles = [[ALL]] : i64, keep = [[KEEP:[0-9]+]] : i64,
// CHECK-SAME: ops = [{at = loc("max"{{.*}}), change = 810 : i64, keep = [[KEEP]] : i64, op = "pool", order = "change"},
// CHECK-SAME: {at = loc("abs"{{.*}}), change = 0 : i64, keep = 0 : i64, op = "elementwise", order = "change"}]
// CHECK-SAME: transposes = [{cycles = [[OUT:[0-9]+]] : i64, of = loc("abs"{{.*}})}, {cycles = [[IN:[0-9]+]] : i64, of = loc("x"{{.*}})}]}]
module attributes {adze.target = {vector_bits = 512}} {
func.func @pool(%x: tensor<1x16x13x13xf32> loc("x")) -> tensor<1x16x6x6xf32> {
  %0 = adze.pool %x {kind = #adze<pool_kind max>, kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>,
    pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x16x13x13xf32>) -> tensor<1x16x6x6xf32> loc("max")
  %1 = adze.elementwise abs(%0) : (tensor<1x16x6x6xf32>) -> tensor<1x16x6x6xf32> loc("abs")
  return %1 : tensor<1x16x6x6xf32>
}
}
