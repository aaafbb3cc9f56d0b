#include "test/unit/Cuda/Kernels.h"

#include <catch2/catch.hpp>

using namespace adze::cuda;
using namespace adze::cuda::test;

namespace {

/// Tensor maps want both factors along k where they are float32.
MatmulSpec alongK(int64_t m, int64_t n, int64_t k, FactorLayout a = FactorLayout::AlongK,
                  FactorLayout b = FactorLayout::AlongK) {
  return productOf(m, n, k, a, b);
}

HopperKernel kernel(Multiply multiply, int64_t m = 128, int64_t n = 64, int64_t stages = 3) {
  HopperKernel k;
  k.multiply = multiply, k.blockM = m, k.blockN = n, k.stages = stages;
  return k;
}

}  // namespace

TEST_CASE("wgmma products of every type", "[Cuda]") {
  checkRun(runMatmul(kernel(Multiply::F16), alongK(256, 128, 320), "f16 f16 f16", 3, 3));
  checkRun(runMatmul(kernel(Multiply::BF16), alongK(256, 128, 320), "bf16 bf16 f32", 3, 3));
  checkRun(runMatmul(kernel(Multiply::TF32), alongK(256, 128, 160), "f32 f32 f32", 3, 3));
  Run bytes = runMatmul(kernel(Multiply::S8), alongK(256, 128, 640), "i8 i8 i32", 3, 3);
  checkRun(bytes);
  CHECK(bytes.largest == 0);
}

TEST_CASE("wgmma products of transposed factors", "[Cuda]") {
  for (auto a : {FactorLayout::AlongK, FactorLayout::AlongRows})
    for (auto b : {FactorLayout::AlongK, FactorLayout::AlongRows})
      checkRun(runMatmul(kernel(Multiply::F16, 128, 128), alongK(128, 256, 192, a, b), "f16 f16 f32", 2, 2));
}

TEST_CASE("wgmma products end anywhere, in batches, with an epilogue", "[Cuda]") {
  for (bool dynamic : {false, true})
    for (auto [m, n, k] : {std::array<int64_t, 3>{70, 40, 72}, {1, 8, 8}, {130, 67, 136}}) {
      MatmulSpec s = alongK(m, n, k);
      s.batch = 2, s.isDynamic = dynamic, s.bias = true, s.relu = true;
      INFO(m << "x" << n << "x" << k << " dynamic " << dynamic);
      checkRun(runMatmul(kernel(Multiply::F16), s, "f16 f16 f16", 2, 2));
    }
}

TEST_CASE("wgmma tiles of many sizes", "[Cuda]") {
  for (auto [m, n, stages] : {std::array<int64_t, 3>{64, 256, 2}, {128, 256, 4}, {192, 128, 3}, {64, 8, 5}, {128, 96, 4}}) {
    INFO(m << "x" << n);
    checkRun(runMatmul(kernel(Multiply::BF16, m, n, stages), alongK(200, 264, 264), "bf16 bf16 bf16", 2, 1));
  }
}

TEST_CASE("wgmma products of a factor that threads copy", "[Cuda]") {
  // Fewer steps than stages are on their way, as many, more; several tiles of a block.
  for (int64_t k : {16, 64, 128, 200, 640})
    for (bool dynamic : {false, true})
      for (auto b : {FactorLayout::AlongK, FactorLayout::AlongRows})
        for (int64_t stages : {3, 5}) {
          HopperKernel copies = kernel(Multiply::F16, 128, 64, stages);
          copies.maps = 1;
          MatmulSpec s = alongK(200, 136, k, FactorLayout::AlongK, b);
          s.batch = dynamic ? 1 : 2, s.isDynamic = dynamic, s.divisor = 8, s.bias = s.relu = true;
          INFO(k << " terms, dynamic " << dynamic << ", " << stages << " stages");
          checkRun(runMatmul(copies, s, "f16 f16 f16", 3, 3));
        }
  for (int64_t m : {64, 192}) {
    HopperKernel copies = kernel(Multiply::BF16, m, 128, 4);
    copies.maps = 1;
    Run run = runMatmul(copies, alongK(200, 264, 264), "bf16 bf16 bf16", 2, 2);
    checkRun(run);
    CHECK(run.shared.wavefronts == run.shared.accesses);
  }
  HopperKernel cut = kernel(Multiply::TF32, 128, 128, 4);
  cut.maps = 1;
  checkRun(runMatmul(cut, alongK(130, 128, 100), "f32 f32 f32", 2, 2));
}

TEST_CASE("wgmma schedules that cannot be say why", "[Cuda]") {
  auto why = [](HopperKernel k, const char *types, FactorLayout b = FactorLayout::AlongK) {
    return runMatmul(k, alongK(64, 64, 64, FactorLayout::AlongK, b), types, 1).error;
  };
  CHECK(why(kernel(Multiply::TF32x3), "f32 f32 f32") == "wgmma has no tf32x3 products");
  CHECK(why(kernel(Multiply::F16, 32), "f16 f16 f16") == "a tile has 64, 128 or 192 rows");
  CHECK(why(kernel(Multiply::F16, 64, 260), "f16 f16 f16") == "a tile has 8 to 256 columns, a multiple of 8");
  CHECK(why(kernel(Multiply::TF32), "f32 f32 f32", FactorLayout::AlongRows) == "wgmma transposes 16-bit factors only");
  CHECK(why(kernel(Multiply::F16, 128, 256, 5), "f16 f16 f16") == "the stages need too much shared memory");
  HopperKernel copies = kernel(Multiply::F16);
  copies.maps = 1;
  auto whyCopied = [&](FactorLayout a, int64_t alignment) {
    MatmulSpec s = alongK(64, 64, 64, a);
    s.alignment = alignment;
    return runMatmul(copies, s, "f16 f16 f16", 1).error;
  };
  CHECK(whyCopied(FactorLayout::AlongRows, 16) == "A: threads copy along k");
  CHECK(whyCopied(FactorLayout::AlongK, 8) == "A: not aligned to 16 bytes");
  copies.stages = 2;
  CHECK(whyCopied(FactorLayout::AlongK, 16) == "stages are too few");
  copies = kernel(Multiply::F16, 192, 192), copies.maps = 1;
  CHECK(whyCopied(FactorLayout::AlongK, 16) == "the sums need too many registers");
  copies.maps = 3;
  CHECK(whyCopied(FactorLayout::AlongK, 16) == "one factor or two have maps");
}

TEST_CASE("f32 products as three of tf32 with wgmma", "[Cuda]") {
  auto kernel = [](int64_t m, int64_t n, int64_t stages = 3, int64_t split = 1) {
    HopperSplitKernel k;
    k.blockM = m, k.blockN = n, k.stages = stages, k.splitK = split;
    return k;
  };
  for (auto a : {FactorLayout::AlongK, FactorLayout::AlongRows})
    for (auto b : {FactorLayout::AlongK, FactorLayout::AlongRows}) {
      if (a == FactorLayout::AlongRows && b == a) continue;
      INFO(int(a) << int(b));
      Run run = runMatmul(kernel(128, 128), alongK(128, 256, 160, a, b), 3, true);
      checkRun(run);
      CHECK(run.shared.wavefronts == run.shared.accesses);
      MatmulSpec s = alongK(70, 100, 36, a, b);
      s.batch = 2, s.bias = true, s.relu = true;
      checkRun(runMatmul(kernel(64, 64), s, 2));
      s.isDynamic = true;
      checkRun(runMatmul(kernel(128, 64, 2), s, 2));
      checkRun(runMatmul(kernel(64, 128, 4), alongK(65, 3, 1, a, b), 2));
      MatmulSpec parts = alongK(64, 128, 200, a, b);
      parts.batch = 2;
      checkRun(runMatmul(kernel(64, 64, 3, 3), parts, 2));
    }
  MatmulSpec convolution = alongK(2 * 9 * 11, 20, 3 * 3 * 8, FactorLayout::Convolution, FactorLayout::AlongRows);
  auto is = [](int64_t n) { return Extent::of(n); };
  convolution.aFactor.convolution = {is(9), is(11), is(9), is(11), is(8), is(8), 3, 1, 1, 1, 1, is(1), is(1)};
  checkRun(runMatmul(kernel(128, 64), convolution, 2));
  MatmulSpec panels = alongK(70, 100, 40);
  panels.bFactor = {FactorLayout::Panels, 64, {}};
  checkRun(runMatmul(kernel(64, 128), panels, 1));
  CHECK(runMatmul(kernel(128, 128), alongK(8, 8, 8, FactorLayout::AlongRows, FactorLayout::AlongRows)).error ==
        "neither factor is contiguous along k");
  CHECK(runMatmul(kernel(128, 96), alongK(8, 8, 8, FactorLayout::AlongK, FactorLayout::AlongRows)).error ==
        "the factor in registers has 64, 128 or 192 rows");
}
