// RUN: adze-opt %s --adze-plan-memory --adze-lower-rt --split-input-file --verify-diagnostics

// Sizes are added with overflow checks.
// expected-error @below {{the buffers' sizes overflow 63 bits}}
func.func @too_large() attributes {adze.entry} {
  %a = memref.alloc() : memref<4611686018427387904x4xf32>
  memref.dealloc %a : memref<4611686018427387904x4xf32>
  return
}

// -----

// expected-error @below {{entry argument is no buffer}}
func.func @scalar(%x: f32) attributes {adze.entry} {
  return
}
