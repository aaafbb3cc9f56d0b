// RUN: adze-opt %s --onnx-to-adze --split-input-file --verify-diagnostics

func.func @slice_axes(%x: tensor<4xf32>, %y: tensor<?xi64>, %z: tensor<?xi64>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: Slice is unsupported here, because the number of sliced axes is computed at run time}}
  %r0 = onnx.node "Slice"(%x, %y, %z) {since_version = 13 : i64}
      : (tensor<4xf32>, tensor<?xi64>, tensor<?xi64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @slice_lengths(%x: tensor<4x4xf32>) -> tensor<*xf32> {
  %y = onnx.constant dense<[0, 0]> : tensor<2xi64>
  %z = onnx.constant dense<[1, 1]> : tensor<2xi64>
  %u = onnx.constant dense<[0]> : tensor<1xi64>
  // expected-error @below {{ADZ0301: Slice: starts and axes differ in length}}
  %r0 = onnx.node "Slice"(%x, %y, %z, %u) {since_version = 13 : i64}
      : (tensor<4x4xf32>, tensor<2xi64>, tensor<2xi64>, tensor<1xi64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @split_count(%x: tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %y = onnx.constant dense<[1, 1, 2]> : tensor<3xi64>
  // expected-error @below {{ADZ0301: Split: split has not one entry an output}}
  %r0, %r1 = onnx.node "Split"(%x, %y) {since_version = 18 : i64}
      : (tensor<4xf32>, tensor<3xi64>) -> (tensor<*xf32>, tensor<*xf32>)
  return %r0, %r1 : tensor<*xf32>, tensor<*xf32>
}

// -----

func.func @split_negative(%x: tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %y = onnx.constant dense<[-1, 5]> : tensor<2xi64>
  // expected-error @below {{ADZ0301: Split: split has a bad extent}}
  %r0, %r1 = onnx.node "Split"(%x, %y) {since_version = 18 : i64}
      : (tensor<4xf32>, tensor<2xi64>) -> (tensor<*xf32>, tensor<*xf32>)
  return %r0, %r1 : tensor<*xf32>, tensor<*xf32>
}

// -----

func.func @split_sum(%x: tensor<4xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %y = onnx.constant dense<[1, 1]> : tensor<2xi64>
  // expected-error @below {{ADZ0301: Split: the split sizes do not add up to the extent of the axis}}
  %r0, %r1 = onnx.node "Split"(%x, %y) {since_version = 18 : i64}
      : (tensor<4xf32>, tensor<2xi64>) -> (tensor<*xf32>, tensor<*xf32>)
  return %r0, %r1 : tensor<*xf32>, tensor<*xf32>
}

// -----

func.func @pad_length(%x: tensor<4x4xf32>, %z: tensor<f32>) -> tensor<*xf32> {
  %y = onnx.constant dense<[1, 1, 1]> : tensor<3xi64>
  %u = onnx.constant dense<[0]> : tensor<1xi64>
  // expected-error @below {{ADZ0301: Pad: pads has not two entries an axis}}
  %r0 = onnx.node "Pad"(%x, %y, %z, %u) {since_version = 25 : i64}
      : (tensor<4x4xf32>, tensor<3xi64>, tensor<f32>, tensor<1xi64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @pad_mode(%x: tensor<4xf32>) -> tensor<*xf32> {
  %y = onnx.constant dense<[1, 1]> : tensor<2xi64>
  // expected-error @below {{ADZ0301: Pad: mode is none of constant, reflect, edge, wrap}}
  %r0 = onnx.node "Pad"(%x, %y) {since_version = 25 : i64, onnx_attributes = {mode = "mirror"}}
      : (tensor<4xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @scatter(%x: tensor<4xf32>, %y: tensor<2xi64>, %z: tensor<2xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: ScatterElements: reduction is none of none, add, mul, max, min}}
  %r0 = onnx.node "ScatterElements"(%x, %y, %z) {since_version = 18 : i64, onnx_attributes = {reduction = "xor"}}
      : (tensor<4xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @tensor_scatter(%x: tensor<2x4x3xf32>, %y: tensor<2x1x3xf32>, %z: tensor<2xi64>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: TensorScatter: axis 0 is the batch}}
  %r0 = onnx.node "TensorScatter"(%x, %y, %z) {since_version = 24 : i64, onnx_attributes = {axis = 0 : i64}}
      : (tensor<2x4x3xf32>, tensor<2x1x3xf32>, tensor<2xi64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @depth_to_space(%x: tensor<4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: DepthToSpace: needs rank 4 and a positive blocksize}}
  %r0 = onnx.node "DepthToSpace"(%x) {since_version = 13 : i64, onnx_attributes = {blocksize = 2 : i64}}
      : (tensor<4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @space_to_depth(%x: tensor<1x4x8x8xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: SpaceToDepth: needs rank 4 and a positive blocksize}}
  %r0 = onnx.node "SpaceToDepth"(%x) {since_version = 13 : i64, onnx_attributes = {blocksize = 0 : i64}}
      : (tensor<1x4x8x8xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}
