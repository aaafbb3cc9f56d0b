// Integer arithmetic gives what the library's functions give, over f32 of all exponents. NaN counts as one value;
// denormals do not count for bf16, as the instruction of AVX-512 takes them for zero.
// RUN: adze-opt %s --convert-vector-to-scf %to-llvm | mlir-runner -e main -entry-point-result=void -shared-libs=%llvm-libs/libmlir_c_runner_utils.so,%llvm-libs/libmlir_float16_utils.so > %t.library
// RUN: adze-opt %s --adze-expand-halves --convert-vector-to-scf %to-llvm | mlir-runner -e main -entry-point-result=void -shared-libs=%llvm-libs/libmlir_c_runner_utils.so > %t.bits
// RUN: diff %t.library %t.bits
// RUN: adze-opt %s --adze-expand-halves | FileCheck %s
// RUN: adze-opt %s --adze-expand-halves --convert-vector-to-scf %to-llvm | mlir-runner -e once -entry-point-result=void -shared-libs=%llvm-libs/libmlir_c_runner_utils.so | FileCheck %s --check-prefix=ONCE
// CHECK-NOT: arith.truncf {{.*}} to {{.*}}bf16
func.func @mix(%sum: i32, %bits: i32, %x: f32) -> i32 {
  %zero = arith.constant 0 : i32
  %factor = arith.constant 16777619 : i32
  %number = arith.cmpf ord, %x, %x : f32
  %kept = arith.select %number, %bits, %zero : i32
  %a = arith.xori %sum, %kept : i32
  %b = arith.muli %a, %factor : i32
  return %b : i32
}
func.func @main() {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %all = arith.constant 65536 : index
  %step = arith.constant 65537 : i32
  %odd = arith.constant 12345 : i32
  %start = arith.constant 1 : i32
  %least = arith.constant 0x00800000 : f32
  %nan = arith.constant 0x7fc00000 : f32
  %r:3 = scf.for %i = %c0 to %all step %c1 iter_args(%u = %start, %v = %start, %w = %start) -> (i32, i32, i32) {
    %n = arith.index_cast %i : index to i32
    %n16 = arith.trunci %n : i32 to i16
    %h = arith.bitcast %n16 : i16 to f16
    %f = arith.extf %h : f16 to f32
    %fbits = arith.bitcast %f : f32 to i32
    %u1 = func.call @mix(%u, %fbits, %f) : (i32, i32, f32) -> i32
    // f32 with the upper bits of n, and lower ones that round every way.
    %m = arith.muli %n, %step : i32
    %k = arith.addi %m, %odd : i32
    %x = arith.bitcast %k : i32 to f32
    %y = arith.truncf %x : f32 to f16
    %y16 = arith.bitcast %y : f16 to i16
    %y32 = arith.extui %y16 : i16 to i32
    %v1 = func.call @mix(%v, %y32, %x) : (i32, i32, f32) -> i32
    %z = arith.truncf %x : f32 to bf16
    %z16 = arith.bitcast %z : bf16 to i16
    %z32 = arith.extui %z16 : i16 to i32
    %size = math.absf %x : f32
    %denormal = arith.cmpf olt, %size, %least : f32
    %counts = arith.select %denormal, %nan, %x : f32
    %w1 = func.call @mix(%w, %z32, %counts) : (i32, i32, f32) -> i32
    scf.yield %u1, %v1, %w1 : i32, i32, i32
  }
  vector.print %r#0 : i32
  vector.print %r#1 : i32
  vector.print %r#2 : i32
  return
}
// Integers go by way of f64.
// CHECK-LABEL: func.func @integer
// CHECK: arith.sitofp {{.*}} : i32 to f64
func.func @integer(%i: i32) -> bf16 {
  %c = arith.sitofp %i : i32 to bf16
  return %c : bf16
}
// From f64 in one step: by way of the nearest f32 each would be a tie.
// ONCE: ( 1.00098, -1.00098, inf, 1 )
// ONCE: ( 1.00781, -1.00781, 1, 65536 )
func.func @once() {
  %x = arith.constant dense<[1.000488281250909494, -1.000488281250909494, 65520.0, 1.000488281249090506]> : vector<4xf64>
  %h = arith.truncf %x : vector<4xf64> to vector<4xf16>
  %f = arith.extf %h : vector<4xf16> to vector<4xf32>
  vector.print %f : vector<4xf32>
  %w = arith.constant dense<[1.003906250000909494, -1.003906250000909494, 1.003906249999090506, 65520.0]> : vector<4xf64>
  %b = arith.truncf %w : vector<4xf64> to vector<4xbf16>
  %g = arith.extf %b : vector<4xbf16> to vector<4xf32>
  vector.print %g : vector<4xf32>
  return
}
