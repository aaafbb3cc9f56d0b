#include "test/unit/Cuda/Kernels.h"

#include <catch2/catch.hpp>

using namespace adze::cuda;
using namespace adze::cuda::test;

namespace {

MatmulKernel small(Multiply multiply, int64_t depth = 32) {
  MatmulKernel k;
  k.multiply = multiply;
  k.blockM = 64, k.blockN = 64, k.blockK = depth, k.warpM = 32, k.warpN = 32, k.stages = 3;
  return k;
}

}  // namespace

TEST_CASE("products of f32 in whole tiles are right, without bank conflicts or wasted sectors", "[Cuda]") {
  for (Multiply m : {Multiply::TF32, Multiply::TF32x3})
    for (auto a : {FactorLayout::AlongK, FactorLayout::AlongRows})
      for (auto b : {FactorLayout::AlongK, FactorLayout::AlongRows}) {
        Run run = runMatmul(small(m), productOf(128, 192, 96, a, b), "f32 f32 f32", 3);
        INFO(nameOf(m).str() << " " << int(a) << int(b));
        checkRun(run);
        CHECK(run.copies.bytes == run.copies.sectors * 32);
        CHECK(run.stores.bytes == run.stores.sectors * 32);
      }
}

TEST_CASE("products end anywhere: rows, columns and k beyond whole tiles, one row, k of 1", "[Cuda]") {
  int64_t shapes[][3] = {{70, 100, 36}, {1, 64, 33}, {65, 3, 1}, {1, 1, 1}, {64, 66, 130}, {33, 130, 7}};
  auto k = small(Multiply::TF32x3);
  k.roundSums = true;
  for (auto [m, n, depth] : shapes)
    for (auto a : {FactorLayout::AlongK, FactorLayout::AlongRows})
      for (auto b : {FactorLayout::AlongK, FactorLayout::AlongRows})
        for (bool dynamic : {false, true}) {
          MatmulSpec s = productOf(m, n, depth, a, b);
          s.isDynamic = dynamic, s.bias = true, s.relu = m == 70;
          Run run = runMatmul(k, s, "f32 f32 f32", 2);
          INFO(m << "x" << n << "x" << depth << " " << int(a) << int(b) << " dynamic " << dynamic);
          checkRun(run);
        }
}

TEST_CASE("extents that are known to be multiples of four need no single copies", "[Cuda]") {
  MatmulSpec s = productOf(68, 132, 100);
  s.isDynamic = true, s.divisor = 4;
  Run run = runMatmul(small(Multiply::TF32), s, "f32 f32 f32", 2);
  checkRun(run);
  CHECK(run.ptx.find("cp.async.ca") == std::string::npos);
  CHECK(run.ptx.find("st.global.v4") != std::string::npos);
}

TEST_CASE("products of every type", "[Cuda]") {
  struct Case {
    Multiply multiply;
    const char *types;
    int chip = 80;
    int64_t depth = 32;
  };
  const Case cases[] = {
      {Multiply::F16, "f16 f16 f16"},      {Multiply::F16, "f16 f16 f32"},
      {Multiply::BF16, "bf16 bf16 bf16"},  {Multiply::F16, "f32 f32 f32"},
      {Multiply::BF16, "f32 f32 f32"},     {Multiply::F16, "f32 f16 f32"},
      {Multiply::TF32x3, "f16 f32 f32"},   {Multiply::F16, "f16 f16 f16", 75},
      {Multiply::F16, "f32 f32 f32", 75},  {Multiply::F16, "f16 f16 f32", 80, 64},
  };
  for (const Case &c : cases)
    for (auto a : {FactorLayout::AlongK, FactorLayout::AlongRows})
      for (auto b : {FactorLayout::AlongK, FactorLayout::AlongRows})
        for (bool whole : {true, false}) {
          auto k = small(c.multiply, c.depth);
          k.chip = c.chip, k.roundSums = c.multiply == Multiply::TF32x3;
          MatmulSpec s = whole ? productOf(64, 128, 128, a, b) : productOf(40, 77, 51, a, b);
          Run run = runMatmul(k, s, c.types, 2);
          INFO(nameOf(c.multiply).str() << " " << c.types << " sm_" << c.chip << " " << int(a) << int(b) << whole);
          checkRun(run);
        }
}

TEST_CASE("products of bytes are exact", "[Cuda]") {
  for (int chip : {75, 80})
    for (int64_t depth : {32, 64})
      for (auto [m, n, kk] : {std::array<int64_t, 3>{64, 128, 256}, {17, 30, 45}, {70, 64, 96}}) {
        auto k = small(Multiply::S8, depth);
        k.chip = chip;
        Run run = runMatmul(k, productOf(m, n, kk, FactorLayout::AlongK, FactorLayout::AlongK), "i8 i8 i32", 2);
        INFO("sm_" << chip << " " << m);
        checkRun(run);
        CHECK(run.largest == 0);
      }
}

TEST_CASE("factors in panels, and batches", "[Cuda]") {
  for (int64_t panel : {4, 16, 64}) {
    MatmulSpec s = productOf(70, 100, 40);
    s.bFactor = {FactorLayout::Panels, panel, {}};
    Run run = runMatmul(small(Multiply::TF32), s, "f32 f32 f32", 2);
    INFO("panels of " << panel);
    checkRun(run);
  }
  for (bool dynamic : {false, true}) {
    MatmulSpec s = productOf(70, 36, 40);
    s.batch = 3, s.isDynamic = dynamic, s.bias = true;
    checkRun(runMatmul(small(Multiply::TF32), s, "f32 f32 f32", 2));
  }
}

TEST_CASE("convolutions as products", "[Cuda]") {
  struct Case {
    int64_t images, height, width, channels, groups, kernel, stride, dilation, pad;
  };
  const Case cases[] = {{2, 9, 11, 8, 1, 3, 1, 1, 1}, {1, 12, 10, 16, 1, 3, 2, 1, 1},
                        {1, 10, 10, 3, 1, 5, 2, 1, 2}, {2, 9, 9, 8, 2, 3, 1, 2, 2},
                        {1, 7, 7, 32, 1, 1, 1, 1, 0}};
  for (const Case &c : cases)
    for (const char *types : {"f32 f32 f32", "f16 f16 f16"}) {
      auto out = [&](int64_t n) { return (n + 2 * c.pad - c.dilation * (c.kernel - 1) - 1) / c.stride + 1; };
      int64_t group = c.channels / c.groups;
      MatmulSpec s = productOf(c.images * out(c.height) * out(c.width), 20, c.kernel * c.kernel * group,
                           FactorLayout::Convolution);
      s.batch = c.groups;
      s.aFactor.convolution = {Extent::of(c.height), Extent::of(c.width), Extent::of(out(c.height)),
                               Extent::of(out(c.width)), Extent::of(c.channels), Extent::of(group),
                               c.kernel, c.stride, c.stride, c.dilation, c.dilation,
                               Extent::of(c.pad), Extent::of(c.pad)};
      Run run = runMatmul(small(types[1] == '3' ? Multiply::TF32 : Multiply::F16), s, types, 2);
      INFO(types << " channels " << c.channels << " kernel " << c.kernel);
      checkRun(run);
    }
}

TEST_CASE("blocks that share k add up the same, in any order", "[Cuda]") {
  for (int64_t split : {2, 3, 8})
    for (Multiply m : {Multiply::TF32x3, Multiply::F16}) {
      auto k = small(m);
      k.splitK = split;
      MatmulSpec s = productOf(70, 100, 200);
      s.batch = 2, s.bias = true, s.relu = true;
      checkRun(runMatmul(k, s, m == Multiply::F16 ? "f16 f16 f16" : "f32 f32 f32", 3));
    }
  auto bytes = small(Multiply::S8);
  bytes.splitK = 2;
  checkRun(runMatmul(bytes, productOf(64, 64, 128, FactorLayout::AlongK, FactorLayout::AlongK), "i8 i8 i32"));
}

TEST_CASE("blocks that take equal shares of all tiles add up the same, in any order", "[Cuda]") {
  // Fewer and more blocks than tiles, many to a tile, more than there are steps.
  for (int64_t blocks : {1, 3, 5, 16, 200})
    for (bool dynamic : {false, true}) {
      auto k = small(Multiply::F16);
      k.streamBlocks = blocks;
      MatmulSpec s = productOf(70, 100, 200);
      s.batch = 2, s.bias = true, s.relu = true, s.isDynamic = dynamic;
      INFO(blocks << " blocks, dynamic " << dynamic);
      checkRun(runMatmul(k, s, "f16 f16 f16", 3));
    }
  auto split = small(Multiply::TF32x3);
  split.streamBlocks = 7, split.roundSums = true;
  checkRun(runMatmul(split, productOf(70, 100, 333), "f32 f32 f32", 3));
  auto old = small(Multiply::F16);
  old.streamBlocks = 7, old.chip = 75;
  checkRun(runMatmul(old, productOf(70, 100, 333), "f16 f16 f16", 3));
  auto bytes = small(Multiply::S8);
  bytes.streamBlocks = 3;
  Run exact = runMatmul(bytes, productOf(64, 96, 256, FactorLayout::AlongK, FactorLayout::AlongK),
                        "i8 i8 i32", 2);
  checkRun(exact);
  CHECK(exact.largest == 0);
}

TEST_CASE("tiles of many sizes", "[Cuda]") {
  struct Case {
    int64_t m, n, k, warpM, warpN, stages;
  };
  const Case cases[] = {{128, 128, 32, 64, 64, 3}, {128, 64, 16, 32, 32, 4}, {64, 128, 32, 64, 32, 2},
                        {32, 64, 64, 32, 32, 3},  {128, 256, 16, 64, 64, 3}, {32, 128, 32, 16, 64, 5}};
  for (const Case &c : cases)
    for (const char *types : {"f32 f32 f32", "f16 f16 f16"}) {
      MatmulKernel k;
      k.multiply = types[1] == '3' ? Multiply::TF32 : Multiply::F16;
      k.blockM = c.m, k.blockN = c.n, k.blockK = c.k, k.warpM = c.warpM, k.warpN = c.warpN, k.stages = c.stages;
      MatmulSpec s = productOf(150, 264, 136);
      Run run = runMatmul(k, s, types, 1);
      INFO(types << " " << c.m << "x" << c.n << "x" << c.k);
      checkRun(run);
    }
}

TEST_CASE("warps of 16 rows or columns", "[Cuda]") {
  for (auto [m, n, warpM, warpN] : {std::array<int64_t, 4>{32, 32, 16, 16}, {64, 32, 16, 32}, {32, 64, 32, 16}, {64, 64, 16, 16}})
    for (const char *types : {"f32 f32 f32", "f16 f16 f16"})
      for (auto a : {FactorLayout::AlongK, FactorLayout::AlongRows})
        for (auto b : {FactorLayout::AlongK, FactorLayout::AlongRows}) {
          MatmulKernel k = small(types[1] == '3' ? Multiply::TF32x3 : Multiply::F16);
          k.blockM = m, k.blockN = n, k.warpM = warpM, k.warpN = warpN;
          INFO(types << " " << m << "x" << n << " warp " << warpM << "x" << warpN << " " << int(a) << int(b));
          Run run = runMatmul(k, productOf(70, 100, 72, a, b), types, 1);
          checkRun(run);
        }
}

TEST_CASE("warps that share k", "[Cuda]") {
  struct Case {
    Multiply multiply;
    const char *types;
    int64_t depth, slices, warp, split;
  };
  const Case cases[] = {{Multiply::TF32x3, "f32 f32 f32", 32, 2, 32, 1}, {Multiply::TF32x3, "f32 f32 f32", 64, 4, 16, 1},
                        {Multiply::F16, "f16 f16 f16", 64, 4, 16, 1},    {Multiply::F16, "f32 f32 f32", 32, 2, 32, 1},
                        {Multiply::S8, "i8 i8 i32", 64, 2, 32, 1},       {Multiply::TF32, "f32 f32 f32", 32, 4, 32, 1}};
  for (const Case &c : cases)
    for (auto a : {FactorLayout::AlongK, FactorLayout::AlongRows})
      for (auto b : {FactorLayout::AlongK, FactorLayout::AlongRows}) {
        if (c.multiply == Multiply::S8 && (int(a) || int(b))) continue;
        MatmulKernel k = small(c.multiply, c.depth);
        k.blockM = 32, k.warpM = k.warpN = c.warp, k.sliceK = c.slices, k.roundSums = c.multiply == Multiply::TF32x3;
        INFO(nameOf(c.multiply).str() << " " << c.types << " " << c.slices << " " << int(a) << int(b));
        checkRun(runMatmul(k, productOf(40, 76, 200, a, b), c.types, 2));
      }
  MatmulKernel k = small(Multiply::TF32, 32);
  k.sliceK = 3;
  CHECK(runMatmul(k, productOf(8, 8, 8), "f32 f32 f32").error == "warps do not share k evenly");
}

TEST_CASE("schedules that cannot be say why", "[Cuda]") {
  auto why = [](MatmulKernel k, const char *types = "f32 f32 f32", FactorLayout b = FactorLayout::AlongRows) {
    return runMatmul(k, productOf(64, 64, 64, FactorLayout::AlongK, b), types).error;
  };
  MatmulKernel k = small(Multiply::TF32);
  k.chip = 75;
  CHECK(why(k) == "the chip has no tf32 products");
  k = small(Multiply::S8);
  CHECK(why(k) == "A: factors of another type");
  CHECK(why(k, "i8 i8 i32") == "B: 8-bit factors must be contiguous along k");
  k = small(Multiply::TF32);
  k.warpN = 8;
  CHECK(why(k) == "B: a warp's tile is too small");
  k = small(Multiply::TF32);
  k.warpM = 48;
  CHECK(why(k) == "A: warps do not divide the tile");
  k = small(Multiply::TF32);
  k.stages = 11;
  CHECK(why(k) == "the stages need too much shared memory");
  k = small(Multiply::TF32, 4);
  CHECK(why(k) == "A: a tile's lines are too short");
  k = small(Multiply::TF32);
  k.streamBlocks = 4, k.sliceK = 2;
  CHECK(why(k) == "warps and blocks both share k");
  k.sliceK = 1, k.splitK = 2;
  CHECK(why(k) == "blocks share k in one way only");
}

TEST_CASE("debug", "[.debug]") {
  for (Multiply m : {Multiply::TF32, Multiply::TF32x3})
    for (bool positive : {false, true})
      for (bool round : {false, true})
        for (int64_t K : {64, 1024, 4096}) {
          auto k = small(m);
          k.roundSums = round;
          Run run = runMatmul(k, productOf(64, 64, K), "f32 f32 f32", 1, positive);
          std::printf("%s pos %d round %d K %ld: worst/bound %.3g  err/sum|ab| %.3g = 2^%.1f bound 2^%.1f  %s\n", nameOf(m).data(), positive, round, K, run.worst, run.largest,
                      std::log2(run.largest), std::log2(errorBound(k, [&]{auto s = productOf(64,64,K); Session x; static Session y; s.a=s.b=s.c=y.type("f32"); return s;}())), run.error.c_str());
        }
}
