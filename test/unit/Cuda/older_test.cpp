// Products for chips without asynchronous copies and ldmatrix: f32 on the ordinary cores, f16 by
// Volta's tensor cores.
#include "test/unit/Cuda/Kernels.h"

#include <catch2/catch.hpp>

using namespace adze::cuda;
using namespace adze::cuda::test;

namespace {

struct Kind {
  Multiply multiply;
  int chip;
  const char *types;
  std::string name() const { return nameOf(multiply).str() + " sm_" + std::to_string(chip) + " " + types; }
};
const Kind kKinds[] = {{Multiply::F32, 70, "f32 f32 f32"},
                       {Multiply::F16, 70, "f16 f16 f16"},
                       {Multiply::F16, 70, "f32 f16 f32"},
                       {Multiply::F32, 75, "bf16 f16 f32"},
                       {Multiply::F32, 80, "f32 f32 f32"}};
const FactorLayout kLayouts[] = {FactorLayout::AlongK, FactorLayout::AlongRows};

MatmulKernel small(const Kind &kind, int64_t depth = 16) {
  MatmulKernel k;
  k.multiply = kind.multiply, k.chip = kind.chip;
  k.blockM = 64, k.blockN = 64, k.blockK = depth, k.warpM = 32, k.warpN = 32;
  return k;
}

}  // namespace

TEST_CASE("older chips: whole tiles, without bank conflicts or wasted sectors", "[Cuda]") {
  for (const Kind &kind : kKinds)
    for (auto a : kLayouts)
      for (auto b : kLayouts) {
        INFO(kind.name() << " " << int(a) << int(b));
        Run run = runMatmul(small(kind), productOf(128, 192, 96, a, b), kind.types, 3);
        checkRun(run);
        CHECK(run.stores.bytes == run.stores.sectors * 32);
        // Eight f32 of a chunk, where it becomes f16, are two loads, each of half a sector.
        bool narrows = kind.types == std::string("f32 f16 f32");
        CHECK((narrows || run.copies.bytes == run.copies.sectors * 32));
      }
}

TEST_CASE("older chips: products end anywhere", "[Cuda]") {
  int64_t shapes[][3] = {{70, 100, 36}, {1, 64, 33}, {65, 3, 1}, {1, 1, 1}, {64, 66, 50}, {33, 70, 7}};
  for (const Kind &kind : kKinds)
    for (auto [m, n, depth] : shapes)
      for (auto a : kLayouts)
        for (auto b : kLayouts)
          for (bool dynamic : {false, true}) {
            MatmulSpec s = productOf(m, n, depth, a, b);
            s.isDynamic = dynamic, s.bias = true, s.relu = m == 70;
            INFO(kind.name() << " " << m << "x" << n << "x" << depth << " " << int(a) << int(b) << dynamic);
            checkRun(runMatmul(small(kind), s, kind.types));
          }
}

TEST_CASE("older chips: batches, panels, extents that are multiples of four", "[Cuda]") {
  for (const Kind &kind : kKinds)
    for (bool dynamic : {false, true}) {
      INFO(kind.name() << " dynamic " << dynamic);
      MatmulSpec s = productOf(68, 36, 40);
      s.batch = 3, s.isDynamic = dynamic, s.divisor = 4, s.bias = true;
      checkRun(runMatmul(small(kind), s, kind.types, 2));
      s = productOf(70, 100, 40);
      s.bFactor = {FactorLayout::Panels, 16, {}};
      checkRun(runMatmul(small(kind), s, kind.types, 2));
    }
}

TEST_CASE("older chips: convolutions", "[Cuda]") {
  struct Case {
    int64_t images, height, width, channels, groups, kernel, stride, dilation, pad;
  };
  const Case cases[] = {{2, 9, 11, 8, 1, 3, 1, 1, 1}, {1, 12, 10, 16, 1, 3, 2, 1, 1},
                        {1, 10, 10, 3, 1, 5, 2, 1, 2}, {2, 9, 9, 8, 2, 3, 1, 2, 2},
                        {1, 7, 7, 32, 1, 1, 1, 1, 0}};
  for (const Case &c : cases)
    for (const Kind &kind : kKinds) {
      auto out = [&](int64_t n) { return (n + 2 * c.pad - c.dilation * (c.kernel - 1) - 1) / c.stride + 1; };
      int64_t group = c.channels / c.groups;
      MatmulSpec s = productOf(c.images * out(c.height) * out(c.width), 20, c.kernel * c.kernel * group,
                           FactorLayout::Convolution);
      s.batch = c.groups;
      s.aFactor.convolution = {Extent::of(c.height), Extent::of(c.width), Extent::of(out(c.height)),
                               Extent::of(out(c.width)), Extent::of(c.channels), Extent::of(group),
                               c.kernel, c.stride, c.stride, c.dilation, c.dilation,
                               Extent::of(c.pad), Extent::of(c.pad)};
      INFO(kind.name() << " channels " << c.channels << " kernel " << c.kernel);
      checkRun(runMatmul(small(kind), s, kind.types, 2));
    }
}

TEST_CASE("older chips: tiles of many sizes", "[Cuda]") {
  struct Case {
    int64_t m, n, k, warpM, warpN;
  };
  const Case cases[] = {{128, 128, 16, 64, 32}, {128, 128, 32, 32, 64}, {64, 64, 64, 64, 32}, {32, 64, 16, 32, 32},
                        {128, 256, 16, 64, 64}, {32, 32, 32, 32, 32},  {256, 64, 16, 32, 32}};
  for (const Case &c : cases)
    for (const Kind &kind : {kKinds[0], kKinds[1]})
      for (auto a : kLayouts) {
        MatmulKernel k = small(kind, c.k);
        k.blockM = c.m, k.blockN = c.n, k.warpM = c.warpM, k.warpN = c.warpN;
        auto b = a == kLayouts[0] ? kLayouts[1] : kLayouts[0];
        INFO(kind.name() << " " << c.m << "x" << c.n << "x" << c.k << " " << int(a));
        checkRun(runMatmul(k, productOf(c.m + 22, c.n + 8, 72, a, b), kind.types, 1));
      }
}

TEST_CASE("older chips: tiles of the ordinary cores alone", "[Cuda]") {
  struct Case {
    int64_t m, n, k, warpM, warpN;
  };
  const Case cases[] = {{128, 128, 8, 64, 32}, {64, 128, 8, 32, 64}, {32, 32, 8, 32, 16},
                        {32, 64, 16, 16, 32}, {64, 32, 32, 64, 16}};
  for (const Case &c : cases)
    for (auto a : kLayouts)
      for (auto b : kLayouts)
        for (int64_t depth : {72, 70, 71}) {
          MatmulKernel k = small(kKinds[0], c.k);
          k.blockM = c.m, k.blockN = c.n, k.warpM = c.warpM, k.warpN = c.warpN;
          INFO(c.m << "x" << c.n << "x" << c.k << " " << int(a) << int(b) << " depth " << depth);
          checkRun(runMatmul(k, productOf(140, 68, depth, a, b), kKinds[0].types, 1));
        }
}

TEST_CASE("older chips: blocks and warps that share k", "[Cuda]") {
  for (const Kind &kind : kKinds)
    for (auto a : kLayouts)
      for (auto b : kLayouts) {
        INFO(kind.name() << " " << int(a) << int(b));
        MatmulSpec s = productOf(70, 100, 200, a, b);
        s.batch = 2, s.bias = true, s.relu = true;
        MatmulKernel k = small(kind);
        k.splitK = 3;
        checkRun(runMatmul(k, s, kind.types, 2));
        k = small(kind, 64);
        k.sliceK = 4, k.blockN = 32;
        checkRun(runMatmul(k, s, kind.types, 2));
      }
}

TEST_CASE("older chips: schedules that cannot be say why", "[Cuda]") {
  auto why = [](MatmulKernel k, const char *types, FactorLayout a = FactorLayout::AlongK) {
    return runMatmul(k, productOf(64, 64, 64, a), types).error;
  };
  MatmulKernel core = small(kKinds[0]), quad = small(kKinds[1]);
  core.warpM = core.warpN = 16;
  CHECK(why(core, "f32 f32 f32") == "A: a warp's tile is too small");
  core.warpM = 32, core.blockK = 4;
  CHECK(why(core, "f32 f32 f32") == "A: a tile has no 32 bytes of k");
  CHECK(why(small(kKinds[0]), "i8 i8 i32") == "A: factors of another type");
  quad.warpM = 16;
  CHECK(why(quad, "f16 f16 f16") == "");
  CHECK(why(quad, "f16 f16 f16", FactorLayout::AlongRows) == "A: a warp's tile is too small");
  quad.multiply = Multiply::S8;
  CHECK(why(quad, "i8 i8 i32") == "the chip has no s8 products");
}
