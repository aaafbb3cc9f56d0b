// RUN: adze-opt %s --onnx-to-adze --split-input-file --verify-diagnostics

func.func @same_dynamic(%x: tensor<1x4x?x?xf32>) -> (tensor<*xf32>, tensor<*xi64>) {
  // expected-error @below {{ADZ0202: MaxPool is unsupported here, because auto_pad of a dynamic extent is not known at compile time}}
  %r0, %r1 = onnx.node "MaxPool"(%x) {since_version = 22 : i64, onnx_attributes = {auto_pad = "SAME_UPPER", kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>}}
      : (tensor<1x4x?x?xf32>) -> (tensor<*xf32>, tensor<*xi64>)
  return %r0, %r1 : tensor<*xf32>, tensor<*xi64>
}

// -----

func.func @conv_rank(%x: tensor<4xf32>, %y: tensor<4x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Conv: its input of rank 1 does not fit a kernel of rank 2}}
  %r0 = onnx.node "Conv"(%x, %y) {since_version = 22 : i64} : (tensor<4xf32>, tensor<4x4x3x3xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @conv_strides(%x: tensor<1x4x8x8xf32>, %y: tensor<4x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Conv: kernel, strides and dilations must be positive}}
  %r0 = onnx.node "Conv"(%x, %y) {since_version = 22 : i64, onnx_attributes = {strides = array<i64: 0, 1>}}
      : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @auto_pad(%x: tensor<1x4x8x8xf32>, %y: tensor<4x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Conv: auto_pad is none of NOTSET, SAME_UPPER, SAME_LOWER, VALID}}
  %r0 = onnx.node "Conv"(%x, %y) {since_version = 22 : i64, onnx_attributes = {auto_pad = "SOME"}}
      : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @weight_rank(%x: tensor<1x4x8x8xf32>, %y: tensor<4x4xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: Conv: its weight must have rank 3 or more}}
  %r0 = onnx.node "Conv"(%x, %y) {since_version = 22 : i64} : (tensor<1x4x8x8xf32>, tensor<4x4xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @kernel_dynamic(%x: tensor<1x4x8x8xf32>, %y: tensor<4x4x?x3xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: Conv is unsupported here, because its kernel has a dynamic extent}}
  %r0 = onnx.node "Conv"(%x, %y) {since_version = 22 : i64}
      : (tensor<1x4x8x8xf32>, tensor<4x4x?x3xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @output_shape(%x: tensor<1x4x8x8xf32>, %y: tensor<4x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: ConvTranspose: output_shape has a wrong length}}
  %r0 = onnx.node "ConvTranspose"(%x, %y) {since_version = 22 : i64, onnx_attributes = {output_shape = array<i64: 9>}}
      : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @output_dynamic(%x: tensor<1x4x?x?xf32>, %y: tensor<4x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0202: ConvTranspose is unsupported here, because output_shape is given for a dynamic extent}}
  %r0 = onnx.node "ConvTranspose"(%x, %y) {since_version = 22 : i64, onnx_attributes = {output_shape = array<i64: 9, 9>}}
      : (tensor<1x4x?x?xf32>, tensor<4x4x3x3xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @transpose_rank(%x: tensor<4xf32>, %y: tensor<4x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: ConvTranspose: its input does not fit the kernel's rank}}
  %r0 = onnx.node "ConvTranspose"(%x, %y) {since_version = 22 : i64}
      : (tensor<4xf32>, tensor<4x4x3x3xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @transpose_strides(%x: tensor<1x4x8x8xf32>, %y: tensor<4x4x3x3xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: ConvTranspose: kernel, strides and dilations must be positive}}
  %r0 = onnx.node "ConvTranspose"(%x, %y) {since_version = 22 : i64, onnx_attributes = {strides = array<i64: 0, 1>}}
      : (tensor<1x4x8x8xf32>, tensor<4x4x3x3xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @pool_kernel(%x: tensor<1x4x8x8xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: AveragePool: kernel_shape is missing}}
  %r0 = onnx.node "AveragePool"(%x) {since_version = 22 : i64} : (tensor<1x4x8x8xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @indices_kernel(%x: tensor<1x4x8x8xf32>) -> (tensor<*xf32>, tensor<*xi64>) {
  // expected-error @below {{ADZ0301: MaxPool: kernel_shape is missing}}
  %r0, %r1 = onnx.node "MaxPool"(%x) {since_version = 22 : i64}
      : (tensor<1x4x8x8xf32>) -> (tensor<*xf32>, tensor<*xi64>)
  return %r0, %r1 : tensor<*xf32>, tensor<*xi64>
}

// -----

func.func @unpool_kernel(%x: tensor<1x4x8x8xf32>, %y: tensor<1x4x8x8xi64>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: MaxUnpool: kernel_shape is missing}}
  %r0 = onnx.node "MaxUnpool"(%x, %y) {since_version = 22 : i64}
      : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xi64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @unpool_rank(%x: tensor<4xf32>, %y: tensor<4xi64>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: MaxUnpool: its input does not fit the kernel's rank}}
  %r0 = onnx.node "MaxUnpool"(%x, %y) {since_version = 22 : i64, onnx_attributes = {kernel_shape = array<i64: 2, 2>}}
      : (tensor<4xf32>, tensor<4xi64>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}

// -----

func.func @global_lp(%x: tensor<1x4x8x8xf32>) -> tensor<*xf32> {
  // expected-error @below {{ADZ0301: GlobalLpPool: p must be positive}}
  %r0 = onnx.node "GlobalLpPool"(%x) {since_version = 22 : i64, onnx_attributes = {p = 0 : i64}}
      : (tensor<1x4x8x8xf32>) -> tensor<*xf32>
  return %r0 : tensor<*xf32>
}
