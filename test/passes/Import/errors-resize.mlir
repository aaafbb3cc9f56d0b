// RUN: adze-opt %s --onnx-to-adze --split-input-file --verify-diagnostics

func.func @no_sizes(%x: tensor<1x4x8x8xf32>) -> tensor<*xf32> {
  %y = onnx.none : !onnx.none
  %z = onnx.none : !onnx.none
  %u = onnx.none : !onnx.none
  // expected-error @below {{ADZ0301: Resize: it has neither scales nor sizes}}
  %r0 = onnx.node "Resize"(%x, %y, %z, %u) {since_version = 19 : i64}
      : (tensor<1x4x8x8xf32>, !onnx.none, !onnx.none, !onnx.none) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @lengths(%x: tensor<1x4x8x8xf32>, %z: tensor<3xf32>) -> tensor<*xf32> {
  %y = onnx.none : !onnx.none
  // expected-error @below {{ADZ0301: Resize: scales or sizes have not one entry an axis}}
  %r0 = onnx.node "Resize"(%x, %y, %z) {since_version = 19 : i64}
      : (tensor<1x4x8x8xf32>, !onnx.none, tensor<3xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @roi(%x: tensor<4xf32>, %z: tensor<1xf32>) -> tensor<*xf32> {
  %y = onnx.none : !onnx.none
  // expected-error @below {{ADZ0301: Resize: tf_crop_and_resize needs roi}}
  %r0 = onnx.node "Resize"(%x, %y, %z) {since_version = 19 : i64, onnx_attributes = {coordinate_transformation_mode = "tf_crop_and_resize"}}
      : (tensor<4xf32>, !onnx.none, tensor<1xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @upsample(%x: tensor<1x4x8x8xf32>, %y: tensor<3xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Upsample: scales have not one entry an axis}}
  %r0 = onnx.node "Upsample"(%x, %y) {since_version = 9 : i64} : (tensor<1x4x8x8xf32>, tensor<3xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @grid(%x: tensor<1x4x8x8xf32>, %y: tensor<1x4x4x3xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: GridSample: its grid does not fit its input}}
  %r0 = onnx.node "GridSample"(%x, %y) {since_version = 22 : i64}
      : (tensor<1x4x8x8xf32>, tensor<1x4x4x3xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @grid_mode(%x: tensor<1x4x8x8x8xf32>, %y: tensor<1x4x4x4x3xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: GridSample is unsupported here, because it samples 3 axes in mode cubic}}
  %r0 = onnx.node "GridSample"(%x, %y) {since_version = 22 : i64, onnx_attributes = {mode = "cubic"}}
      : (tensor<1x4x8x8x8xf32>, tensor<1x4x4x4x3xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}
