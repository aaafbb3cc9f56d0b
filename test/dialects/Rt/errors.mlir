// RUN: adze-opt %s -split-input-file -verify-diagnostics

func.func @dynamic_constant() -> tensor<?xf32> {
  // expected-error @+1 {{needs a static shape}}
  %0 = adze_rt.constant 0 size 16 : tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @short_constant() -> tensor<5xf32> {
  // expected-error @+1 {{holds 16 bytes, too few for}}
  %0 = adze_rt.constant 0 size 16 : tensor<5xf32>
  return %0 : tensor<5xf32>
}

// -----

func.func @plan_lengths(%a: index) {
  // expected-error @+1 {{needs one lifetime and one offset a size}}
  %b, %o = adze_rt.plan %a first [0, 1] last [2, 3] : (index) -> (index, index)
  return
}

// -----

func.func @plan_lifetime(%a: index) {
  // expected-error @+1 {{buffer 0 ends before it begins}}
  %b, %o = adze_rt.plan %a first [4] last [3] : (index) -> (index, index)
  return
}

// -----

func.func @unknown_kernel() {
  // expected-error @+1 {{calls an unknown function @missing}}
  adze_rt.launch @missing kernel 0() : () -> ()
  return
}

// -----

func.func private @kernel(memref<4xf32>)
func.func @wrong_types(%m: memref<5xf32>) {
  // expected-error @+1 {{passes other types than @kernel takes}}
  adze_rt.launch @kernel kernel 0(%m) : (memref<5xf32>) -> ()
  return
}

// -----

func.func @flat_block(%n: index) {
  // expected-error @+1 {{needs three extents of a block}}
  adze_rt.device_launch @device::@k number 0 grid(%n, %n, %n) block [256] shared 0()
  return
}

// -----

func.func @empty_block(%n: index) {
  // expected-error @+1 {{has blocks of no threads, or too many}}
  adze_rt.device_launch @device::@k number 0 grid(%n, %n, %n) block [0, 1, 1] shared 0()
  return
}

// -----

func.func @large_block(%n: index) {
  // expected-error @+1 {{has more than 1024 threads a block}}
  adze_rt.device_launch @device::@k number 0 grid(%n, %n, %n) block [512, 4, 1] shared 0()
  return
}

// -----

func.func @flat_map(%m: memref<4xf32>, %n: index) {
  // expected-error @+1 {{needs one to five dimensions}}
  %map = adze_rt.tensor_map %m[%n] extents() strides() box [] swizzle 0 : memref<4xf32>
  return
}

// -----

func.func @map_without_stride(%m: memref<4xf32>, %n: index) {
  // expected-error @+1 {{needs an extent of each dimension and a stride of all but the first}}
  %map = adze_rt.tensor_map %m[%n] extents(%n, %n) strides() box [4, 4] swizzle 0 : memref<4xf32>
  return
}

// -----

func.func @odd_swizzle(%m: memref<4xf32>, %n: index) {
  // expected-error @+1 {{swizzles patterns of 32, 64 or 128 bytes, or none}}
  %map = adze_rt.tensor_map %m[%n] extents(%n) strides() box [4] swizzle 48 : memref<4xf32>
  return
}
