// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-expand-shape-to-cast))' | FileCheck %s

// Strides follow from the extents, two dynamic ones of a group included.
// CHECK-LABEL: func.func @dynamic
// CHECK: %[[S:.*]] = arith.muli %{{.*}}, %arg2
// CHECK: memref.reinterpret_cast %arg0 to offset: [0], sizes: [%arg1, %arg2, 4], strides: [%{{.*}}, 4, 1]
func.func @dynamic(%x: memref<?x4xf32>, %a: index, %b: index) -> memref<?x?x4xf32> {
  %0 = memref.expand_shape %x [[0, 1], [2]] output_shape [%a, %b, 4] : memref<?x4xf32> into memref<?x?x4xf32>
  return %0 : memref<?x?x4xf32>
}

// A strided buffer is left to upstream.
// CHECK-LABEL: func.func @strided
// CHECK: memref.expand_shape
func.func @strided(%x: memref<8xf32, strided<[2]>>) -> memref<2x4xf32, strided<[8, 2]>> {
  %0 = memref.expand_shape %x [[0, 1]] output_shape [2, 4] : memref<8xf32, strided<[2]>> into memref<2x4xf32, strided<[8, 2]>>
  return %0 : memref<2x4xf32, strided<[8, 2]>>
}
