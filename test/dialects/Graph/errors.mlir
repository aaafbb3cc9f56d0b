// RUN: adze-opt %s -split-input-file -verify-diagnostics

// One block a rule: what a model's author reads when a rule is broken.

func.func @arity(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{add takes 2 operands, got 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.elementwise add(%x) : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @broadcast(%x: tensor<2x3xf32>, %y: tensor<2x2xf32>) {
  // expected-error @+2 {{shapes do not broadcast: tensor<2x3xf32>, tensor<2x2xf32>}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.elementwise add(%x, %y) : (tensor<2x3xf32>, tensor<2x2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @element_kinds(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{and does not take elements of type 'f32'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.elementwise and(%x, %x) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xi1>
  return
}

// -----

func.func @element_types(%x: tensor<2x3xf32>, %y: tensor<3xf16>) {
  // expected-error @+2 {{add needs one element type, got 'f32' and 'f16'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.elementwise add(%x, %y) : (tensor<2x3xf32>, tensor<3xf16>) -> tensor<2x3xf32>
  return
}

// -----

func.func @select_condition(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{the condition of select must be bool}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.elementwise select(%x, %x, %x) : (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @bitcast_width(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{cannot reinterpret 'f32' as 'i64'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.bitcast %x {to = i64} : (tensor<2x3xf32>) -> tensor<2x3xi64>
  return
}

// -----

func.func @complex(%x: tensor<2xcomplex<f32>>) {
  // expected-error @+2 {{elements of type 'complex<f32>' are not numbers}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.shape_of %x : (tensor<2xcomplex<f32>>) -> tensor<1xi64>
  return
}

// -----

func.func @range_delta(%s: tensor<i64>) {
  %d = adze.constant dense<0> : tensor<i64> : tensor<i64>
  // expected-error @+2 {{delta of a range is 0}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.range %s, %s, %d : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return
}

// -----

func.func @range_rank(%s: tensor<1xi64>, %d: tensor<i64>) {
  // expected-error @+2 {{start must have rank 0, got rank 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.range %s, %d, %d : (tensor<1xi64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return
}

// -----

func.func @range_type(%s: tensor<i64>, %d: tensor<i32>) {
  // expected-error @+2 {{delta must have elements of type 'i64', got 'i32'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.range %s, %s, %d : (tensor<i64>, tensor<i64>, tensor<i32>) -> tensor<?xi64>
  return
}

// -----

func.func @reshape_count(%x: tensor<2x3xf32>) {
  %s = adze.constant dense<[4, 2]> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{cannot reshape [2, 3] to [4, 2]}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reshape %x, %s : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<4x2xf32>
  return
}

// -----

func.func @reshape_rest(%x: tensor<2x3xf32>) {
  %s = adze.constant dense<[4, -1]> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{cannot reshape [2, 3] to [4, -1]}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reshape %x, %s : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<4x?xf32>
  return
}

// -----

func.func @reshape_two_rests(%x: tensor<2x3xf32>) {
  %s = adze.constant dense<-1> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{shape has more than one entry -1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reshape %x, %s : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @reshape_negative(%x: tensor<2x3xf32>) {
  %s = adze.constant dense<[2, -3]> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{shape has the entry -3}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reshape %x, %s : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x?xf32>
  return
}

// -----

func.func @reshape_empty(%x: tensor<0x3xf32>) {
  %s = adze.constant dense<[0, -1]> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{the entry -1 is not determined: other extents are 0}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reshape %x, %s : (tensor<0x3xf32>, tensor<2xi64>) -> tensor<0x?xf32>
  return
}

// -----

func.func @reshape_rank(%x: tensor<2x3xf32>, %s: tensor<?xi64>) {
  // expected-error @+2 {{the rank of the result is not known}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reshape %x, %s : (tensor<2x3xf32>, tensor<?xi64>) -> tensor<?xf32>
  return
}

// -----

func.func @expand_extent(%x: tensor<2x3xf32>) {
  %s = adze.constant dense<[4, 3]> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{cannot expand [2, 3] to [4, 3]}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.expand %x, %s : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<4x3xf32>
  return
}

// -----

func.func @expand_rank(%x: tensor<2x3xf32>) {
  %s = adze.constant dense<[3]> : tensor<1xi64> : tensor<1xi64>
  // expected-error @+2 {{shape has 1 entries for a rank-2 input}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.expand %x, %s : (tensor<2x3xf32>, tensor<1xi64>) -> tensor<3xf32>
  return
}

// -----

func.func @expand_negative(%x: tensor<2x3xf32>) {
  %s = adze.constant dense<[-1, 3]> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{shape has the entry -1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.expand %x, %s : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<?x3xf32>
  return
}

// -----

func.func @transpose_axis(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{axis 7 is out of range for a rank-2 input}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.transpose %x {perm = array<i64: 0, 7>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @transpose_twice(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{perm has axis 1 twice}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.transpose %x {perm = array<i64: 1, 1>} : (tensor<2x3xf32>) -> tensor<3x3xf32>
  return
}

// -----

func.func @transpose_rank(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{perm has 1 entries for a rank-2 input}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.transpose %x {perm = array<i64: 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @concat_axis(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{axis -1 is out of range for a rank-2 input}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.concat %x {axis = -1 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @concat_none() {
  // expected-error @+2 {{needs at least one input}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.concat {axis = 0 : i64} : () -> tensor<2x3xf32>
  return
}

// -----

func.func @concat_extent(%x: tensor<2x3xf32>, %y: tensor<4x3xf32>) {
  // expected-error @+2 {{extents along axis 0 differ: 2 and 4}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.concat %x, %y {axis = 1 : i64} : (tensor<2x3xf32>, tensor<4x3xf32>) -> tensor<2x6xf32>
  return
}

// -----

func.func @concat_rank(%x: tensor<2x3xf32>, %y: tensor<3xf32>) {
  // expected-error @+2 {{every input must have rank 2, got rank 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.concat %x, %y {axis = 0 : i64} : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @concat_type(%x: tensor<2x3xf32>, %y: tensor<2x3xi64>) {
  // expected-error @+2 {{every input must have elements of type 'f32', got 'i64'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.concat %x, %y {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2x3xi64>) -> tensor<4x3xf32>
  return
}

// -----

func.func @slice_step(%x: tensor<2x3xf32>, %s: tensor<2xi64>) {
  %z = adze.constant dense<[1, 0]> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{the step of axis 1 is 0}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.slice %x, %s, %s, %z : (tensor<2x3xf32>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @slice_entries(%x: tensor<2x3xf32>, %s: tensor<2xi64>, %t: tensor<1xi64>) {
  // expected-error @+2 {{ends must have 2 entries, got 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.slice %x, %s, %t, %s : (tensor<2x3xf32>, tensor<2xi64>, tensor<1xi64>, tensor<2xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @pad_crop(%x: tensor<2x3xf32>, %v: tensor<f32>) {
  %p = adze.constant dense<[-2, 0, -1, 0]> : tensor<4xi64> : tensor<4xi64>
  // expected-error @+2 {{pads -2 and -1 do not fit axis 0 of extent 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.pad %x, %p, %v : (tensor<2x3xf32>, tensor<4xi64>, tensor<f32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @pad_entries(%x: tensor<2x3xf32>, %v: tensor<f32>, %p: tensor<2xi64>) {
  // expected-error @+2 {{pads must have 4 entries, got 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.pad %x, %p, %v : (tensor<2x3xf32>, tensor<2xi64>, tensor<f32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @pad_value(%x: tensor<2x3xf32>, %v: tensor<1xf32>, %p: tensor<4xi64>) {
  // expected-error @+2 {{the padding value must have rank 0, got rank 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.pad %x, %p, %v : (tensor<2x3xf32>, tensor<4xi64>, tensor<1xf32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @pad_empty(%x: tensor<0xf32>, %v: tensor<f32>) {
  %p = adze.constant dense<1> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{axis 0 is empty: only constant padding can fill it}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.pad %x, %p, %v {mode = #adze<pad_mode edge>} : (tensor<0xf32>, tensor<2xi64>, tensor<f32>) -> tensor<?xf32>
  return
}

// -----

func.func @tile_negative(%x: tensor<2x3xf32>) {
  %r = adze.constant dense<[1, -1]> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{axis 1 is repeated -1 times}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.tile %x, %r : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @tile_large(%x: tensor<2x3xf32>) {
  %r = adze.constant dense<[1, 9000000000000000000]> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{the result's extent along axis 1 is too large}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.tile %x, %r : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @result_large(%x: tensor<1x1xf32>) {
  %r = adze.constant dense<4000000000> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{the result's shape [4000000000, 4000000000] is too large}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.tile %x, %r : (tensor<1x1xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @gather_axis(%x: tensor<2x3xf32>, %i: tensor<2xi64>) {
  // expected-error @+2 {{axis 2 is out of range for a rank-2 input}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.gather %x, %i {axis = 2 : i64} : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return
}

// -----

func.func @gather_indices(%x: tensor<2x3xf32>, %i: tensor<2xi8>) {
  // expected-error @+2 {{indices must be i32 or i64, got 'i8'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.gather %x, %i {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2xi8>) -> tensor<?x?xf32>
  return
}

// -----

func.func @gather_elements_rank(%x: tensor<2x3xf32>, %i: tensor<2xi64>) {
  // expected-error @+2 {{indices must have rank 2, got rank 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.gather_elements %x, %i {axis = 0 : i64} : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2xf32>
  return
}

// -----

func.func @gather_elements_extent(%x: tensor<2x3xf32>, %i: tensor<1x4xi64>) {
  // expected-error @+2 {{indices have extent 4 along axis 1, the input only 3}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.gather_elements %x, %i {axis = 0 : i64} : (tensor<2x3xf32>, tensor<1x4xi64>) -> tensor<1x4xf32>
  return
}

// -----

func.func @gather_nd_tuple(%x: tensor<2x3xf32>, %i: tensor<1x3xi64>) {
  // expected-error @+2 {{the last extent of indices is 3, but the input has 2 axes to index}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.gather_nd %x, %i : (tensor<2x3xf32>, tensor<1x3xi64>) -> tensor<1xf32>
  return
}

// -----

func.func @gather_nd_unknown(%x: tensor<2x3xf32>, %i: tensor<1x?xi64>) {
  // expected-error @+2 {{the last extent of indices is not known}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.gather_nd %x, %i : (tensor<2x3xf32>, tensor<1x?xi64>) -> tensor<1xf32>
  return
}

// -----

func.func @gather_nd_batch(%x: tensor<2x3xf32>, %i: tensor<1x1xi64>) {
  // expected-error @+2 {{batch_dims 2 is out of range for ranks 2 and 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.gather_nd %x, %i {batch_dims = 2 : i64} : (tensor<2x3xf32>, tensor<1x1xi64>) -> tensor<1xf32>
  return
}

// -----

func.func @gather_nd_batch_extent(%x: tensor<2x3xf32>, %i: tensor<4x1xi64>) {
  // expected-error @+2 {{batch extents differ: 4 and 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.gather_nd %x, %i {batch_dims = 1 : i64} : (tensor<2x3xf32>, tensor<4x1xi64>) -> tensor<4xf32>
  return
}

// -----

func.func @scatter_shapes(%x: tensor<2x3xf32>, %i: tensor<1x2xi64>, %u: tensor<1x3xf32>) {
  // expected-error @+2 {{indices and updates have different shapes: [1, 2] and [1, 3]}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.scatter_elements %x, %i, %u {axis = 0 : i64} : (tensor<2x3xf32>, tensor<1x2xi64>, tensor<1x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @scatter_updates(%x: tensor<2x3xf32>, %i: tensor<1x2xi64>, %u: tensor<1x2xi32>) {
  // expected-error @+2 {{updates must have elements of type 'f32', got 'i32'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.scatter_elements %x, %i, %u {axis = 0 : i64} : (tensor<2x3xf32>, tensor<1x2xi64>, tensor<1x2xi32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @scatter_bool(%x: tensor<2xi1>, %i: tensor<1xi64>, %u: tensor<1xi1>) {
  // expected-error @+2 {{cannot reduce bool elements by add}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.scatter_elements %x, %i, %u {axis = 0 : i64, reduction = #adze<scatter_reduction add>} : (tensor<2xi1>, tensor<1xi64>, tensor<1xi1>) -> tensor<2xi1>
  return
}

// -----

func.func @scatter_nd_updates(%x: tensor<2x3xf32>, %i: tensor<4x1xi64>, %u: tensor<4x2xf32>) {
  // expected-error @+2 {{updates must have shape [4, 3], got [4, 2]}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.scatter_nd %x, %i, %u : (tensor<2x3xf32>, tensor<4x1xi64>, tensor<4x2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @reverse_axes(%x: tensor<2x3xf32>, %l: tensor<3xi64>) {
  // expected-error @+2 {{batch axis and time axis are both 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reverse_sequence %x, %l {batch_axis = 1 : i64, time_axis = 1 : i64} : (tensor<2x3xf32>, tensor<3xi64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @reverse_lens(%x: tensor<2x3xf32>, %l: tensor<2xi64>) {
  // expected-error @+2 {{sequence_lens must have 3 entries, got 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reverse_sequence %x, %l {batch_axis = 1 : i64, time_axis = 0 : i64} : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @trilu_rank(%x: tensor<3xf32>, %k: tensor<i64>) {
  // expected-error @+2 {{the input must have rank 2 or more, got rank 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.trilu %x, %k {upper = true} : (tensor<3xf32>, tensor<i64>) -> tensor<3xf32>
  return
}

// -----

func.func @one_hot_axis(%i: tensor<2xi64>, %v: tensor<2xf32>, %d: tensor<i64>) {
  // expected-error @+2 {{axis 2 is out of range for a rank-2 result}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.one_hot %i, %d, %v {axis = 2 : i64} : (tensor<2xi64>, tensor<i64>, tensor<2xf32>) -> tensor<2x?xf32>
  return
}

// -----

func.func @one_hot_depth(%i: tensor<2xi64>, %v: tensor<2xf32>) {
  %d = adze.constant dense<-3> : tensor<i64> : tensor<i64>
  // expected-error @+2 {{depth is -3}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.one_hot %i, %d, %v {axis = 1 : i64} : (tensor<2xi64>, tensor<i64>, tensor<2xf32>) -> tensor<2x?xf32>
  return
}

// -----

func.func @one_hot_values(%i: tensor<2xi64>, %v: tensor<3xf32>, %d: tensor<i64>) {
  // expected-error @+2 {{values must have 2 entries, got 3}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.one_hot %i, %d, %v {axis = 1 : i64} : (tensor<2xi64>, tensor<i64>, tensor<3xf32>) -> tensor<2x?xf32>
  return
}

// -----

func.func @resize_mode(%x: tensor<2x3xf32>, %s: tensor<2xi64>, %f: tensor<2xf32>) {
  // expected-error @+2 {{resize does not know the mode 'sharp'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.resize %x, %s, %f {mode = "sharp", coordinate_mode = "half_pixel"} : (tensor<2x3xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @resize_coordinates(%x: tensor<2x3xf32>, %s: tensor<2xi64>, %f: tensor<2xf32>) {
  // expected-error @+2 {{resize does not know the coordinate transformation 'polar'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.resize %x, %s, %f {mode = "linear", coordinate_mode = "polar"} : (tensor<2x3xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @resize_roi(%x: tensor<2x3xf32>, %s: tensor<2xi64>, %f: tensor<2xf32>) {
  // expected-error @+2 {{tf_crop_and_resize needs roi}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.resize %x, %s, %f {mode = "linear", coordinate_mode = "tf_crop_and_resize"} : (tensor<2x3xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @resize_sizes(%x: tensor<2x3xf32>, %s: tensor<1xi64>, %f: tensor<2xf32>) {
  // expected-error @+2 {{sizes must have 2 entries, got 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.resize %x, %s, %f {mode = "linear", coordinate_mode = "half_pixel"} : (tensor<2x3xf32>, tensor<1xi64>, tensor<2xf32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @resize_negative(%x: tensor<2x3xf32>, %f: tensor<2xf32>) {
  %s = adze.constant dense<-2> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{the size of axis 0 is -2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.resize %x, %s, %f {mode = "linear", coordinate_mode = "half_pixel"} : (tensor<2x3xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @reduce_axis(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{axis 7 is out of range for a rank-2 input}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reduce %x {kind = #adze<reduce_kind sum>, axes = array<i64: 7>, keepdims = true} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @reduce_twice(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{axis 1 is given twice}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reduce %x {kind = #adze<reduce_kind sum>, axes = array<i64: 1, 1>, keepdims = true} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @reduce_order(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{axes are not sorted}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reduce %x {kind = #adze<reduce_kind sum>, axes = array<i64: 1, 0>, keepdims = true} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @reduce_bool(%x: tensor<2xi1>) {
  // expected-error @+2 {{cannot reduce bool elements by sum}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reduce %x {kind = #adze<reduce_kind sum>, axes = array<i64: 0>, keepdims = true} : (tensor<2xi1>) -> tensor<1xi1>
  return
}

// -----

func.func @arg_empty(%x: tensor<0xf32>) {
  // expected-error @+2 {{axis 0 is empty: it has no extreme}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.arg_reduce %x {kind = #adze<arg_kind max>, axis = 0 : i64, keepdims = true} : (tensor<0xf32>) -> tensor<1xi64>
  return
}

// -----

func.func @cumulative_kind(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{a running reduction is a sum or a product, not max}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.cumulative %x {kind = #adze<reduce_kind max>, axis = 0 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @softmax_axis(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{axis 7 is out of range for a rank-2 input}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.softmax %x {axis = 7 : i64} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @softmax_int(%x: tensor<2xi32>) {
  // expected-error @+2 {{the input must have floating-point elements, got 'i32'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.softmax %x {axis = 0 : i64} : (tensor<2xi32>) -> tensor<2xi32>
  return
}

// -----

func.func @normalize_axes(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{needs at least one axis}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.normalize %x {axes = array<i64>, epsilon = 1.0e-5 : f32, center = true, operandSegmentSizes = array<i32: 1, 0, 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @normalize_scale(%x: tensor<2x3xf32>, %s: tensor<2xf32>) {
  // expected-error @+2 {{scale of shape [2] does not broadcast to [2, 3]}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.normalize %x, %s {axes = array<i64: 1>, epsilon = 1.0e-5 : f32, center = true, operandSegmentSizes = array<i32: 1, 1, 0>} : (tensor<2x3xf32>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @topk_k(%x: tensor<2x3xf32>) {
  %k = adze.constant dense<4> : tensor<i64> : tensor<i64>
  // expected-error @+2 {{k is 4, but axis 1 has 3 elements}}
  // expected-error @+1 {{failed to infer returned types}}
  %0:2 = adze.topk %x, %k {axis = 1 : i64, largest = true} : (tensor<2x3xf32>, tensor<i64>) -> (tensor<2x?xf32>, tensor<2x?xi64>)
  return
}

// -----

func.func @unique_axis(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{axis 2 is out of range for a rank-2 input}}
  // expected-error @+1 {{failed to infer returned types}}
  %0:4 = adze.unique %x {axis = 2 : i64, sorted = true} : (tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<?xi64>, tensor<?xi64>, tensor<?xi64>)
  return
}

// -----

func.func @nms_boxes(%b: tensor<1x5x4xf32>, %s: tensor<1x2x6xf32>, %m: tensor<i64>, %t: tensor<f32>) {
  // expected-error @+2 {{numbers of boxes and scores differ: 5 and 6}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.nms %b, %s, %m, %t, %t : (tensor<1x5x4xf32>, tensor<1x2x6xf32>, tensor<i64>, tensor<f32>, tensor<f32>) -> tensor<?x3xi64>
  return
}

// -----

func.func @nms_corners(%b: tensor<1x5x3xf32>, %s: tensor<1x2x5xf32>, %m: tensor<i64>, %t: tensor<f32>) {
  // expected-error @+2 {{coordinates of a box differ: 4 and 3}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.nms %b, %s, %m, %t, %t : (tensor<1x5x3xf32>, tensor<1x2x5xf32>, tensor<i64>, tensor<f32>, tensor<f32>) -> tensor<?x3xi64>
  return
}

// -----

func.func @matmul_rank(%a: tensor<3xf32>, %x: tensor<2x3xf32>) {
  // expected-error @+2 {{a must have rank 2 or more, got rank 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.matmul %a, %x : (tensor<3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @matmul_extent(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{the extents to multiply over differ: 3 and 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.matmul %x, %x : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @matmul_batch(%a: tensor<2x4x4xf32>, %c: tensor<3x4x4xf32>) {
  // expected-error @+2 {{batch shapes do not broadcast: [2] and [3]}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.matmul %a, %c : (tensor<2x4x4xf32>, tensor<3x4x4xf32>) -> tensor<2x4x4xf32>
  return
}

// -----

func.func @matmul_types(%a: tensor<4x4xi8>, %c: tensor<4x4xui8>) {
  // expected-error @+2 {{needs one element type, got 'i8' and 'ui8'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.matmul %a, %c : (tensor<4x4xi8>, tensor<4x4xui8>) -> tensor<4x4xi8>
  return
}

// -----

func.func @matmul_accumulator(%a: tensor<4x4xi32>) {
  // expected-error @+2 {{cannot accumulate products of 'i32' in 'i8'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.matmul %a, %a {accumulator = i8} : (tensor<4x4xi32>, tensor<4x4xi32>) -> tensor<4x4xi8>
  return
}

// -----

func.func @matmul_bool(%a: tensor<4x4xi1>) {
  // expected-error @+2 {{cannot multiply elements of types 'i1' and 'i1'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.matmul %a, %a : (tensor<4x4xi1>, tensor<4x4xi1>) -> tensor<4x4xi1>
  return
}

// -----

func.func @conv_stride(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+2 {{strides must be at least 1, got 0}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 0, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_strides(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+2 {{strides must have 2 entries, got 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_pads(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+2 {{pads must be at least 0, got -1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, -1>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_pad_count(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+2 {{pads must have 4 entries, got 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_dilation(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+2 {{dilations must be at least 1, got 0}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 0>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_group(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+2 {{group must be at least 1, got 0}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 0 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_group_divides(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+2 {{6 output channels do not divide into 4 groups}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, groups = 4 : i64} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_channels(%x: tensor<1x4x8x8xf32>, %w: tensor<6x3x3x3xf32>) {
  // expected-error @+2 {{the input has 4 channels, the weight 3 in 1 groups}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x3x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_kernel(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x9x3xf32>) {
  // expected-error @+2 {{the kernel, 9 long, does not fit spatial axis 0 of extent 8 and its padding}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x9x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_empty_kernel(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x0xf32>) {
  // expected-error @+2 {{the kernel is empty along spatial axis 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x0xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_weight_rank(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3xf32>) {
  // expected-error @+2 {{the weight must have rank 4, got rank 3}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_bias(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<5xf32>) {
  // expected-error @+2 {{bias and result channels differ: 6 and 5}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w, %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<5xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_bias_rank(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>, %b: tensor<1x6xf32>) {
  // expected-error @+2 {{bias must have rank 1, got rank 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w, %b {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>, tensor<1x6xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_types(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf16>) {
  // expected-error @+2 {{needs one element type, got 'f32' and 'f16'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf16>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_huge(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) {
  // expected-error @+2 {{the window along spatial axis 0 is too large}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 9000000000000000000, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_rank(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{the input must have rank 3 or more, got rank 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %x {strides = array<i64>, pads = array<i64>, dilations = array<i64>} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @conv_transpose_channels(%x: tensor<1x4x8x8xf32>, %w: tensor<5x6x3x3xf32>) {
  // expected-error @+2 {{channels of input and weight differ: 5 and 4}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv_transpose %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, output_padding = array<i64: 0, 0>} : (tensor<1x4x8x8xf32>, tensor<5x6x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_transpose_group(%x: tensor<1x4x8x8xf32>, %w: tensor<4x6x3x3xf32>) {
  // expected-error @+2 {{4 input channels do not divide into 3 groups}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv_transpose %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, output_padding = array<i64: 0, 0>, groups = 3 : i64} : (tensor<1x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_transpose_output_padding(%x: tensor<1x4x8x8xf32>, %w: tensor<4x6x3x3xf32>) {
  // expected-error @+2 {{output_padding must be at least 0, got -1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv_transpose %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, output_padding = array<i64: 0, -1>} : (tensor<1x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @conv_transpose_extent(%x: tensor<1x4x8x8xf32>, %w: tensor<4x6x3x3xf32>) {
  // expected-error @+2 {{spatial axis 0 would have extent -2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv_transpose %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 6, 0, 6, 0>, dilations = array<i64: 1, 1>, output_padding = array<i64: 0, 0>} : (tensor<1x4x8x8xf32>, tensor<4x6x3x3xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @pool_kernel(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+2 {{kernel must be at least 1, got 0}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.pool %x {kind = #adze<pool_kind max>, kernel = array<i64: 0, 2>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @pool_kernel_count(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+2 {{kernel must have 2 entries, got 3}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.pool %x {kind = #adze<pool_kind max>, kernel = array<i64: 2, 2, 2>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @pool_average_int(%x: tensor<1x4x8x8xi8>) {
  // expected-error @+2 {{the input must have floating-point elements, got 'i8'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.pool %x {kind = #adze<pool_kind average>, kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xi8>) -> tensor<?x?x?x?xi8>
  return
}

// -----

func.func @pool_bool(%x: tensor<1x4x8x8xi1>) {
  // expected-error @+2 {{cannot pool bool elements}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.pool %x {kind = #adze<pool_kind max>, kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xi1>) -> tensor<?x?x?x?xi1>
  return
}

// -----

func.func @pool_p(%x: tensor<1x4x8x8xf32>) {
  // expected-error @+2 {{p must be at least 1, got 0}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.pool %x {kind = #adze<pool_kind lp>, kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, p = 0 : i64} : (tensor<1x4x8x8xf32>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @recurrent_direction(%x: tensor<5x2x4xf32>, %w: tensor<1x12x4xf32>, %r: tensor<1x12x3xf32>) {
  // expected-error @+2 {{unknown direction 'sideways'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0:3 = adze.recurrent %x, %w, %r {kind = #adze<recurrent_kind lstm>, direction = "sideways", activations = ["Sigmoid", "Tanh", "Tanh"], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>} : (tensor<5x2x4xf32>, tensor<1x12x4xf32>, tensor<1x12x3xf32>) -> (tensor<5x1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @recurrent_activations(%x: tensor<5x2x4xf32>, %w: tensor<1x12x4xf32>, %r: tensor<1x12x3xf32>) {
  // expected-error @+2 {{needs 3 activations, got 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0:3 = adze.recurrent %x, %w, %r {kind = #adze<recurrent_kind lstm>, direction = "forward", activations = ["Tanh"], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>} : (tensor<5x2x4xf32>, tensor<1x12x4xf32>, tensor<1x12x3xf32>) -> (tensor<5x1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @recurrent_activation(%x: tensor<5x2x4xf32>, %w: tensor<1x12x4xf32>, %r: tensor<1x12x3xf32>) {
  // expected-error @+2 {{unknown activation 'Gelu'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0:3 = adze.recurrent %x, %w, %r {kind = #adze<recurrent_kind lstm>, direction = "forward", activations = ["Sigmoid", "Gelu", "Tanh"], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>} : (tensor<5x2x4xf32>, tensor<1x12x4xf32>, tensor<1x12x3xf32>) -> (tensor<5x1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @recurrent_w(%x: tensor<5x2x4xf32>, %w: tensor<1x12x5xf32>, %r: tensor<1x12x3xf32>) {
  // expected-error @+2 {{w must have shape [1, 12, 4], got [1, 12, 5]}}
  // expected-error @+1 {{failed to infer returned types}}
  %0:3 = adze.recurrent %x, %w, %r {kind = #adze<recurrent_kind lstm>, direction = "forward", activations = ["Sigmoid", "Tanh", "Tanh"], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>} : (tensor<5x2x4xf32>, tensor<1x12x5xf32>, tensor<1x12x3xf32>) -> (tensor<5x1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @recurrent_r(%x: tensor<5x2x4xf32>, %w: tensor<1x12x4xf32>, %r: tensor<1x9x3xf32>) {
  // expected-error @+2 {{r must have shape [1, 12, 3], got [1, 9, 3]}}
  // expected-error @+1 {{failed to infer returned types}}
  %0:3 = adze.recurrent %x, %w, %r {kind = #adze<recurrent_kind lstm>, direction = "forward", activations = ["Sigmoid", "Tanh", "Tanh"], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>} : (tensor<5x2x4xf32>, tensor<1x12x4xf32>, tensor<1x9x3xf32>) -> (tensor<5x1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @recurrent_rank(%x: tensor<5x2x4xf32>, %w: tensor<12x4xf32>, %r: tensor<1x12x3xf32>) {
  // expected-error @+2 {{w must have rank 3, got rank 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0:3 = adze.recurrent %x, %w, %r {kind = #adze<recurrent_kind lstm>, direction = "forward", activations = ["Sigmoid", "Tanh", "Tanh"], operandSegmentSizes = array<i32: 1, 1, 1, 0, 0, 0, 0, 0>} : (tensor<5x2x4xf32>, tensor<12x4xf32>, tensor<1x12x3xf32>) -> (tensor<5x1x2x3xf32>, tensor<1x2x3xf32>, tensor<1x2x3xf32>)
  return
}

// -----

func.func @quantize_type(%x: tensor<2x3xf32>, %s: tensor<f32>, %z: tensor<f32>) {
  // expected-error @+2 {{cannot quantize to 'f32'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.quantize %x, %s, %z : (tensor<2x3xf32>, tensor<f32>, tensor<f32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @quantize_input(%x: tensor<2x3xi8>, %s: tensor<f32>, %z: tensor<i8>) {
  // expected-error @+2 {{cannot quantize elements of type 'i8'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.quantize %x, %s, %z : (tensor<2x3xi8>, tensor<f32>, tensor<i8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @quantize_scale(%x: tensor<2x3xf32>, %s: tensor<i8>, %z: tensor<i8>) {
  // expected-error @+2 {{scale must have floating-point elements, got 'i8'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.quantize %x, %s, %z : (tensor<2x3xf32>, tensor<i8>, tensor<i8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @quantize_shapes(%x: tensor<2x3xf32>, %s: tensor<3xf32>, %z: tensor<i8>) {
  // expected-error @+2 {{scale and zero point have different shapes: [3] and []}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.quantize %x, %s, %z : (tensor<2x3xf32>, tensor<3xf32>, tensor<i8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @quantize_list(%x: tensor<2x3xf32>, %s: tensor<3xf32>, %z: tensor<3xi8>) {
  // expected-error @+2 {{scale must have 2 entries, got 3}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.quantize %x, %s, %z : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xi8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @quantize_block(%x: tensor<2x3xf32>, %s: tensor<2x3xf32>, %z: tensor<2x3xi8>) {
  // expected-error @+2 {{a blocked scale must have shape [2, 2], got [2, 3]}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.quantize %x, %s, %z {axis = 1 : i64, block_size = 2 : i64} : (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xi8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @quantize_block_size(%x: tensor<2x3xf32>, %s: tensor<f32>, %z: tensor<i8>) {
  // expected-error @+2 {{block_size is -1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.quantize %x, %s, %z {block_size = -1 : i64} : (tensor<2x3xf32>, tensor<f32>, tensor<i8>) -> tensor<2x3xi8>
  return
}

// -----

func.func @dequantize_types(%x: tensor<3xi8>, %s: tensor<f32>, %z: tensor<ui8>) {
  // expected-error @+2 {{the zero point must have elements of type 'i8', got 'ui8'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.dequantize %x, %s, %z : (tensor<3xi8>, tensor<f32>, tensor<ui8>) -> tensor<3xf32>
  return
}

// -----

func.func @result_type(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{inferred type(s) 'tensor<3x2xf32>' are incompatible with return type(s) of operation 'tensor<2x3xf32>'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.transpose %x {perm = array<i64: 1, 0>} : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @constant_type() {
  // expected-error @+1 {{value has type 'tensor<2xf32>', result 'tensor<3xf32>'}}
  %0 = adze.constant dense<1.0> : tensor<2xf32> : tensor<3xf32>
  return
}

// -----

func.func @if_condition(%c: tensor<2xi1>) {
  // expected-error @+1 {{needs a condition of exactly one element}}
  adze.if %c : (tensor<2xi1>) -> () {
  } else {
  }
  return
}

// -----

func.func @if_yield(%c: tensor<i1>, %x: tensor<2xf32>) {
  // expected-error @+1 {{the else region yields types that differ from the results'}}
  %0 = adze.if %c : (tensor<i1>) -> tensor<2xf32> {
    adze.yield %x : tensor<2xf32>
  } else {
    adze.yield
  }
  return
}

// -----

func.func @loop_body(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<2xf32>) {
  // expected-error @+1 {{body takes an iteration (i64), a condition (i1) and the carried values}}
  %0 = adze.loop %n, %c, %x : (tensor<i64>, tensor<i1>, tensor<2xf32>) -> tensor<2xf32> {
  ^bb0(%i: tensor<i64>, %v: tensor<2xf32>):
    adze.yield %c, %v : tensor<i1>, tensor<2xf32>
  }
  return
}

// -----

func.func @loop_yield(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<2xf32>) {
  // expected-error @+1 {{the body yields types that differ from the results'}}
  %0 = adze.loop %n, %c, %x : (tensor<i64>, tensor<i1>, tensor<2xf32>) -> tensor<2xf32> {
  ^bb0(%i: tensor<i64>, %d: tensor<i1>, %v: tensor<2xf32>):
    adze.yield %v : tensor<2xf32>
  }
  return
}

// -----

func.func @fusion_inputs(%x: tensor<2xf32>) {
  // expected-error @+1 {{block arguments differ from the inputs' types}}
  %0 = adze.fusion(%x) : (tensor<2xf32>) -> tensor<3xf32> {
  ^bb0(%a: tensor<3xf32>):
    adze.yield %a : tensor<3xf32>
  }
  return
}

// -----

// expected-error @+1 {{panels need at least one column}}
func.func private @no_columns() -> tensor<2x3xf32, #adze.panels<0>>

// -----

// expected-error @+1 {{panels need static extents, and one at least}}
func.func private @dynamic_panels() -> tensor<2x?xf32, #adze.panels<16>>

// -----

func.func @relayout_dynamic(%x: tensor<?x3xf32>) {
  // expected-error @+2 {{panels need static extents, and one at least}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.relayout %x {layout = #adze.panels<16>} : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return
}

// -----

func.func @relayout_same(%x: tensor<2x3xf32>) {
  // expected-error @+2 {{changes no layout}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.relayout %x : (tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @panels_where_rows_are_read(%x: tensor<2x3xf32, #adze.panels<16>>) {
  // expected-error @+2 {{operand 0 must be stored row-major}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.elementwise exp(%x) : (tensor<2x3xf32, #adze.panels<16>>) -> tensor<2x3xf32>
  return
}

// -----

func.func @panels_transposed(%a: tensor<2x3xf32>, %b: tensor<4x3xf32, #adze.panels<16>>) {
  // expected-error @+2 {{only a matrix that is not transposed may be in panels}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.matmul %a, %b {transpose_b = true} : (tensor<2x3xf32>, tensor<4x3xf32, #adze.panels<16>>) -> tensor<2x4xf32>
  return
}

// -----

func.func @panels_nchw(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x3x3xf32, #adze.panels<16>>) {
  // expected-error @+2 {{only NHWC weights of one group may be in panels}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x3x8x8xf32>, tensor<4x3x3x3xf32, #adze.panels<16>>) -> tensor<1x4x6x6xf32>
  return
}

// -----

// expected-error @+1 {{winograd is 4, or left out}}
func.func private @winograd_tile() -> tensor<3x3x8x8xf32, #adze.panels<16, winograd = 2>>

// -----

// expected-error @+1 {{coefficients of a Winograd convolution are those of a 3x3 kernel}}
func.func private @winograd_kernel() -> tensor<5x5x8x8xf32, #adze.panels<16, winograd = 4>>

// -----

// expected-error @+1 {{coefficients of a Winograd convolution are f32 or f64}}
func.func private @winograd_half() -> tensor<3x3x8x8xf16, #adze.panels<16, winograd = 4>>

// -----

func.func @winograd_strides(%x: tensor<1x8x8x3xf32>, %w: tensor<3x3x3x4xf32, #adze.panels<16, winograd = 4>>) {
  // expected-error @+2 {{Winograd coefficients are for strides and dilations of 1}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv %x, %w {strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, layout = #adze<layout nhwc>} : (tensor<1x8x8x3xf32>, tensor<3x3x3x4xf32, #adze.panels<16, winograd = 4>>) -> tensor<1x3x3x4xf32>
  return
}

// -----

func.func @winograd_back(%w: tensor<3x3x3x4xf32, #adze.panels<16, winograd = 4>>) {
  // expected-error @+2 {{cannot tell weights from Winograd coefficients}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.relayout %w : (tensor<3x3x3x4xf32, #adze.panels<16, winograd = 4>>) -> tensor<3x3x3x4xf32>
  return
}

// -----

func.func @constant_without_resource() {
  // expected-error @+1 {{has no resource 'nowhere' of the size of 'tensor<2xf32>'}}
  %0 = adze.constant dense_resource<nowhere> : tensor<2xf32> : tensor<2xf32>
  return
}

// -----

func.func @large_range() {
  %z = adze.constant dense<0> : tensor<i64> : tensor<i64>
  %n = adze.constant dense<9223372036854775807> : tensor<i64> : tensor<i64>
  %m = adze.constant dense<-9223372036854775807> : tensor<i64> : tensor<i64>
  %d = adze.constant dense<1> : tensor<i64> : tensor<i64>
  // expected-error @+2 {{the range has too many elements}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.range %m, %n, %d : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return
}

// -----

func.func @reshape_large(%x: tensor<2x3xf32>) {
  %s = adze.constant dense<[4000000000, 4000000000, 4000000000, -1]> : tensor<4xi64> : tensor<4xi64>
  // expected-error @+2 {{the shape is too large}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.reshape %x, %s : (tensor<2x3xf32>, tensor<4xi64>) -> tensor<?x?x?x?xf32>
  return
}

// -----

func.func @resize_empty(%x: tensor<0x3xf32>, %f: tensor<2xf32>) {
  %s = adze.constant dense<[2, 3]> : tensor<2xi64> : tensor<2xi64>
  // expected-error @+2 {{axis 0 is empty and cannot be resized to 2}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.resize %x, %s, %f {mode = "nearest", coordinate_mode = "half_pixel"} : (tensor<0x3xf32>, tensor<2xi64>, tensor<2xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @one_hot_bool(%i: tensor<4xi1>, %d: tensor<i64>, %v: tensor<2xf32>) {
  // expected-error @+2 {{indices must be numbers, got bool}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.one_hot %i, %d, %v {axis = 1 : i64} : (tensor<4xi1>, tensor<i64>, tensor<2xf32>) -> tensor<4x?xf32>
  return
}

// -----

func.func @dequantize_floats(%x: tensor<4xf32>, %s: tensor<f32>, %z: tensor<f32>) {
  // expected-error @+2 {{cannot dequantize elements of type 'f32'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.dequantize %x, %s, %z : (tensor<4xf32>, tensor<f32>, tensor<f32>) -> tensor<4xf32>
  return
}

// -----

func.func @transpose_channels(%x: tensor<1x?x5xf32>, %w: tensor<?x4000000000x3xf32>) {
  // expected-error @+2 {{too many output channels}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.conv_transpose %x, %w {strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>, output_padding = array<i64: 0>, groups = 4000000000 : i64} : (tensor<1x?x5xf32>, tensor<?x4000000000x3xf32>) -> tensor<1x?x7xf32>
  return
}

// -----

func.func @branch_arguments(%c: tensor<i1>) {
  // expected-error @+1 {{has regions with arguments}}
  "adze.if"(%c) ({
  ^bb0(%x: tensor<f32>):
    adze.yield
  }, {
    adze.yield
  }) : (tensor<i1>) -> ()
  return
}

// -----

func.func @loop_results(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<2xf32>) {
  // expected-error @+1 {{has fewer results than carried values}}
  "adze.loop"(%n, %c, %x) ({
  ^bb0(%i: tensor<i64>, %k: tensor<i1>, %v: tensor<2xf32>):
    adze.yield %k, %v : tensor<i1>, tensor<2xf32>
  }) : (tensor<i64>, tensor<i1>, tensor<2xf32>) -> ()
  return
}

// -----

func.func @loop_carried(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<2xf32>) {
  // expected-error @+1 {{body arguments differ from the initial values}}
  %0 = "adze.loop"(%n, %c, %x) ({
  ^bb0(%i: tensor<i64>, %k: tensor<i1>, %v: tensor<2xf16>):
    adze.yield %k, %x : tensor<i1>, tensor<2xf32>
  }) : (tensor<i64>, tensor<i1>, tensor<2xf32>) -> tensor<2xf32>
  return
}

// -----

func.func @loop_scan(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<f32>) {
  // expected-error @+1 {{has a scan output of rank 0}}
  %0 = "adze.loop"(%n, %c) ({
  ^bb0(%i: tensor<i64>, %k: tensor<i1>):
    adze.yield %k, %x : tensor<i1>, tensor<f32>
  }) : (tensor<i64>, tensor<i1>) -> tensor<f32>
  return
}

// -----

func.func @no_yield(%c: tensor<i1>) {
  // expected-error @+1 {{the then region does not end in adze.yield}}
  "adze.if"(%c) ({
    "func.return"() : () -> ()
  }, {
    adze.yield
  }) : (tensor<i1>) -> ()
  return
}

// -----

func.func @cast_type(%x: tensor<2xf32>) {
  // expected-error @+2 {{cannot cast 'f32' to 'index'}}
  // expected-error @+1 {{failed to infer returned types}}
  %0 = adze.cast %x {to = index} : (tensor<2xf32>) -> tensor<2xindex>
  return
}
