// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-copy-to-linalg))' | FileCheck %s

// A strided copy is scheduled like any map.
// CHECK-LABEL: func.func @strided
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]} ins(%arg0 {{.*}} outs(%arg1
// CHECK: linalg.yield %in
// CHECK-NOT: memref.copy
func.func @strided(%x: memref<4x4xf32, strided<[8, 1], offset: ?>>, %y: memref<4x4xf32>) {
  memref.copy %x, %y : memref<4x4xf32, strided<[8, 1], offset: ?>> to memref<4x4xf32>
  return
}

// A contiguous one stays and becomes memcpy.
// CHECK-LABEL: func.func @contiguous
// CHECK: memref.copy
func.func @contiguous(%x: memref<?x4xf32>, %y: memref<?x4xf32>) {
  memref.copy %x, %y : memref<?x4xf32> to memref<?x4xf32>
  return
}
