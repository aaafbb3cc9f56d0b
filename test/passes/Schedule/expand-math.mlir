// RUN: adze-opt %s --pass-pipeline='builtin.module(func.func(adze-expand-math))' --split-input-file | FileCheck %s

// Functions become vector formulas: no call, no math op that needs one.
// CHECK-LABEL: func.func @formulas
// CHECK-NOT: math.{{exp|tanh|erf|log|rsqrt}}
// CHECK: return
func.func @formulas(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.exp %x : vector<16xf32>
  %1 = math.tanh %0 : vector<16xf32>
  %2 = math.erf %1 : vector<16xf32>
  %3 = math.log %2 : vector<16xf32>
  %4 = math.rsqrt %3 : vector<16xf32>
  return %4 : vector<16xf32>
}

// -----

// Large angles are rare: a branch reduces them, for the whole vector.
// CHECK-LABEL: func.func @sine
// CHECK: %[[SMALL:.*]] = vector.reduction <and>
// CHECK: scf.if %[[SMALL]]
// CHECK: else
// CHECK: arith.muli {{.*}} : vector<16xi64>
// CHECK-NOT: math.sin
// CHECK: return
func.func @sine(%x: vector<16xf32>) -> vector<16xf32> {
  %0 = math.sin %x : vector<16xf32>
  return %0 : vector<16xf32>
}

// -----

// CHECK-LABEL: func.func @cosine
// CHECK: scf.if
// CHECK: else
// CHECK: arith.muli {{.*}} : i64
// CHECK-NOT: math.cos
// CHECK: return
func.func @cosine(%x: f32) -> f32 {
  %0 = math.cos %x : f32
  return %0 : f32
}

// -----

// Powers go by logarithms in double precision.
// CHECK-LABEL: func.func @pow
// CHECK: arith.extf {{.*}} : vector<16xf32> to vector<16xf64>
// CHECK-NOT: math.powf
// CHECK: return
func.func @pow(%x: vector<16xf32>, %y: vector<16xf32>) -> vector<16xf32> {
  %0 = math.powf %x, %y : vector<16xf32>
  return %0 : vector<16xf32>
}

// -----

// The logarithm of a denormal is that of 2^24 times it, less log(2^24).
// CHECK-LABEL: func.func @denormals
// CHECK-DAG: %[[MIN:.*]] = arith.constant 1.17549435E-38 : f32
// CHECK-DAG: %[[SCALE:.*]] = arith.constant 0x4B800000 : f32
// CHECK-DAG: %[[SHIFT:.*]] = arith.constant 16.635{{.*}} : f32
// CHECK: %[[IS:.*]] = arith.cmpf olt, %arg0, %[[MIN]]
// CHECK: %[[BIG:.*]] = arith.mulf %arg0, %[[SCALE]]
// CHECK: arith.select %[[IS]], %[[BIG]], %arg0
// CHECK: arith.select %[[IS]], %[[SHIFT]]
// CHECK: arith.subf
func.func @denormals(%x: f32) -> f32 {
  %0 = math.log %x : f32
  return %0 : f32
}

// -----

// Half precision goes through f32; f64 and other functions stay for libm.
// CHECK-LABEL: func.func @others
// CHECK: arith.extf %arg0
// CHECK: arith.truncf
// CHECK: math.exp %arg1 : f64
// CHECK: math.asin %arg2 : f32
func.func @others(%h: f16, %d: f64, %f: f32) -> (f16, f64, f32) {
  %0 = math.exp %h : f16
  %1 = math.exp %d : f64
  %2 = math.asin %f : f32
  return %0, %1, %2 : f16, f64, f32
}
