// RUN: adze-opt %s --adze-to-linalg --canonicalize --cse --split-input-file | FileCheck %s

// Operands broadcast by their maps; extents come from the operand that has them.
// CHECK-DAG: #[[ROW:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: func.func @broadcast
// CHECK: %[[N:.*]] = tensor.dim %arg0
// CHECK: %[[E:.*]] = tensor.empty(%[[N]]) : tensor<?x8xf32>
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[ROW]], #{{.*}}], {{.*}} outs(%[[E]]
// CHECK: arith.addf
func.func @broadcast(%a: tensor<?x8xf32>, %b: tensor<8xf32>) -> tensor<?x8xf32> {
  %0 = adze.elementwise add(%a, %b) : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

// bool is an i8 of 0 and 1 in memory, and i1 in arithmetic.
// CHECK-LABEL: func.func @bools
// CHECK-SAME: (%{{.*}}: tensor<64xi8>, %{{.*}}: tensor<64xf32>) -> tensor<64xi8>
// CHECK: %[[D:.*]] = arith.cmpf une, %{{.*}}, %cst
// CHECK: arith.extui %[[D]] : i1 to i8
// CHECK: %[[A:.*]] = arith.cmpi ne, %{{.*}}, %c0_i8
// CHECK: %[[B:.*]] = arith.cmpi ne, %{{.*}}, %c0_i8
// CHECK: %[[R:.*]] = arith.andi %[[A]], %[[B]] : i1
// CHECK: arith.extui %[[R]] : i1 to i8
func.func @bools(%a: tensor<64xi1>, %x: tensor<64xf32>) -> tensor<64xi1> {
  %0 = adze.cast %x {to = i1} : (tensor<64xf32>) -> tensor<64xi1>
  %1 = adze.elementwise and(%a, %0) : (tensor<64xi1>, tensor<64xi1>) -> tensor<64xi1>
  return %1 : tensor<64xi1>
}

// -----

// Half precision computes in f32 and rounds once.
// CHECK-LABEL: func.func @half
// CHECK: %[[W:.*]] = arith.extf %{{.*}} : f16 to f32
// CHECK: %[[E:.*]] = math.exp %[[W]] : f32
// CHECK: arith.truncf %[[E]] : f32 to f16
func.func @half(%a: tensor<4xf16>) -> tensor<4xf16> {
  %0 = adze.elementwise exp(%a) : (tensor<4xf16>) -> tensor<4xf16>
  return %0 : tensor<4xf16>
}

// -----

// Unsigned integers are signless in memory; a division by zero does not trap.
// CHECK-LABEL: func.func @unsigned
// CHECK: %[[ZERO:.*]] = arith.cmpi eq, %[[D:.*]], %c0_i8
// CHECK: %[[SAFE:.*]] = arith.select %[[ZERO]], %c1_i8, %[[D]]
// CHECK: arith.divui %{{.*}}, %[[SAFE]]
func.func @unsigned(%a: tensor<64xui8>, %b: tensor<64xui8>) -> tensor<64xui8> {
  %0 = adze.elementwise div(%a, %b) : (tensor<64xui8>, tensor<64xui8>) -> tensor<64xui8>
  return %0 : tensor<64xui8>
}

// -----

// Float to integer saturates, and NaN gives 0.
// CHECK-LABEL: func.func @saturate
// CHECK: arith.select %{{.*}}, %{{.*}}, %cst{{.*}}
// CHECK: %[[I:.*]] = arith.fptosi %{{.*}} : f32 to i8
// CHECK: %[[NAN:.*]] = arith.cmpf uno, %[[X:.*]], %[[X]]
// CHECK: arith.select %[[NAN]], %c0_i8, %[[I]]
func.func @saturate(%a: tensor<64xf32>) -> tensor<64xi8> {
  %0 = adze.cast %a {to = i8} : (tensor<64xf32>) -> tensor<64xi8>
  return %0 : tensor<64xi8>
}

// -----

// CHECK-LABEL: func.func @reinterpret
// CHECK: arith.bitcast %{{.*}} : f32 to i32
func.func @reinterpret(%a: tensor<4xf32>) -> tensor<4xi32> {
  %0 = adze.bitcast %a {to = i32} : (tensor<4xf32>) -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----

// CHECK-LABEL: func.func @constant
// CHECK: arith.constant dense<[1, 0]> : tensor<2xi8>
func.func @constant() -> tensor<2xi1> {
  %0 = adze.constant dense<[true, false]> : tensor<2xi1> : tensor<2xi1>
  return %0 : tensor<2xi1>
}
