// RUN: adze-opt %s --onnx-to-adze | FileCheck %s

// Dimensions of one name have one extent; "?" and no name say nothing, nor does
// a name that stands once.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %{{.*}}: tensor<?x4x?xf32> {adze.dims = affine_map<()[s0, s1, s2, s3] -> (s0, 4, s2)>, onnx.dims = ["batch", "", "seq"]}
// CHECK-SAME: %{{.*}}: tensor<?x?xf32> {adze.dims = affine_map<()[s0, s1, s2, s3, s4, s5] -> (s2, s4)>, onnx.dims = ["seq", "?"]}
// CHECK-SAME: %{{.*}}: tensor<?x?xf32> {adze.dims = affine_map<()[s0, s1, s2, s3, s4, s5, s6, s7] -> (s6, s0)>, onnx.dims = ["?", "batch"]}
// CHECK-SAME: %{{.*}}: tensor<?xf32> {onnx.dims = ["alone"]}
func.func @main(%a: tensor<?x4x?xf32> {onnx.dims = ["batch", "", "seq"]},
                %b: tensor<?x?xf32> {onnx.dims = ["seq", "?"]},
                %c: tensor<?x?xf32> {onnx.dims = ["?", "batch"]},
                %d: tensor<?xf32> {onnx.dims = ["alone"]}) -> tensor<?x4x?xf32> {
  return %a : tensor<?x4x?xf32>
}
