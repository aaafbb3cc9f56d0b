// RUN: adze-opt %s --adze-resolve-extents --canonicalize | FileCheck %s

// Extents of views are those of the buffer.
// CHECK-LABEL: func.func @views(
// CHECK-SAME: %[[N:[^:]*]]: index, %[[M:[^:]*]]: index)
// CHECK: memref.alloc(%[[N]], %[[M]])
// CHECK: %[[P:.*]] = arith.muli %[[N]], %[[M]]
// CHECK-NOT: memref.dim
// CHECK: return %[[M]], %[[P]]
func.func @views(%n: index, %m: index) -> (index, index, memref<?x8xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc(%n, %m) : memref<?x?x8xf32>
  %e = memref.expand_shape %a [[0], [1], [2, 3]] output_shape [%n, %m, 2, 4]
      : memref<?x?x8xf32> into memref<?x?x2x4xf32>
  %d = memref.dim %e, %c1 : memref<?x?x2x4xf32>
  %c = memref.collapse_shape %a [[0, 1], [2]] : memref<?x?x8xf32> into memref<?x8xf32>
  %p = memref.dim %c, %c0 : memref<?x8xf32>
  return %d, %p, %c : index, index, memref<?x8xf32>
}
