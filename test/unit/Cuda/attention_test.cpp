#include "targets/cuda/AttentionSchedule.h"
#include "test/unit/Cuda/Kernels.h"

#include <catch2/catch.hpp>

#include <limits>

using namespace adze;
using namespace adze::cuda;
using namespace adze::cuda::test;

namespace {

AttentionSpec shape(int64_t queries, int64_t keys, int64_t depth, int64_t valueDepth = 0) {
  AttentionSpec s;
  s.queries = queries, s.keys = keys, s.depth = depth, s.valueDepth = valueDepth ? valueDepth : depth;
  return s;
}

AttentionKernel kernel(Multiply multiply, int64_t warps = 2, int64_t keys = 32, int64_t warpM = 16) {
  AttentionKernel k;
  k.multiply = multiply, k.warps = warps, k.blockN = keys, k.warpM = warpM;
  return k;
}

}  // namespace

TEST_CASE("attention of every type, with tiles of several sizes", "[Cuda]") {
  for (auto [m, type] : {std::pair{Multiply::TF32, "f32"}, {Multiply::TF32x3, "f32"}, {Multiply::F16, "f16"}, {Multiply::BF16, "bf16"}})
    for (int64_t depth : {32, 64, 128}) {
      INFO(nameOf(m).str() << " depth " << depth);
      checkRun(runAttention(kernel(m), shape(64, 96, depth), type, 0, 2));
    }
  for (auto [warps, keys, warpM] : {std::array<int64_t, 3>{4, 64, 16}, {2, 32, 32}, {4, 16, 16}, {1, 32, 32}, {8, 32, 16}}) {
    INFO(warps << " warps of " << warpM << " queries, " << keys << " keys");
    checkRun(runAttention(kernel(Multiply::F16, warps, keys, warpM), shape(130, 128, 64), "f16", 0, 1));
    checkRun(runAttention(kernel(Multiply::TF32x3, warps, keys, warpM), shape(130, 128, 64), "f32", 0, 1));
  }
}

TEST_CASE("warps that share queries put their sums together", "[Cuda]") {
  for (auto [m, type] : {std::pair{Multiply::TF32x3, "f32"}, {Multiply::BF16, "bf16"}})
    for (auto [warps, slices, keys, warpM] :
         {std::array<int64_t, 4>{1, 4, 64, 16}, {2, 2, 64, 16}, {1, 4, 128, 32}, {2, 8, 128, 16}})
      for (auto [count, dynamic] : {std::pair<int64_t, bool>{256, false}, {96, false}, {77, true}, {5, true}, {0, true}}) {
        AttentionKernel k = kernel(m, warps, keys, warpM);
        k.slices = slices;
        AttentionSpec s = shape(50, count, 32, 40);
        s.isDynamic = dynamic, s.mask = count == 96;
        INFO(nameOf(m).str() << " " << warps << " warps, " << slices << " slices of " << keys << ", of " << count << " keys");
        checkRun(runAttention(k, s, type, 0, 3));
      }
  AttentionKernel k = kernel(Multiply::F16, 2, 64);
  k.slices = 2;
  AttentionSpec s = shape(70, 90, 64);
  s.batch = 2, s.heads = 4, s.keyHeads = 2, s.causal = true, s.clears = true;
  for (int64_t offset : {0, 20, -20}) checkRun(runAttention(k, s, "f16", offset, 2));
}

TEST_CASE("warps share queries where these are few", "[Cuda]") {
  AttentionProblem p;
  auto best = [&](const char *device, AttentionSize size, Multiply m) {
    return rankAttention(p, size, m, *findDevice(device)).front();
  };
  for (const char *device : {"sm_80", "sm_90a"})
    for (Multiply m : {Multiply::TF32x3, Multiply::F16}) {
      INFO(device << " " << nameOf(m).str());
      CHECK(best(device, {12, 128, 128}, m).slices > 1);
      AttentionKernel many = best(device, {1024, 4096, 4096}, m);
      CHECK(many.warps > 1);
      CHECK(many.slices == 1);
      CHECK(many.chip == (device == std::string("sm_80") ? 80 : 90));
    }
  AttentionKernel k;
  CHECK(describe(k) == "tf32x3 attention 64 queries 32 keys warp 16");
  k.warps = 1, k.blockN = 128, k.slices = 4;
  CHECK(describe(k) == "tf32x3 attention 16 queries 128 keys warp 16 slices 4");
}

TEST_CASE("attention ends anywhere: queries, keys, depths", "[Cuda]") {
  for (auto [queries, keys, depth, values] :
       {std::array<int64_t, 4>{33, 70, 40, 40}, {1, 1, 64, 64}, {1, 77, 80, 48}, {50, 31, 256, 256}, {17, 45, 4, 12}})
    for (bool dynamic : {false, true})
      for (auto [m, type] : {std::pair{Multiply::TF32x3, "f32"}, {Multiply::F16, "f16"}}) {
        AttentionSpec s = shape(queries, keys, depth, values);
        s.isDynamic = dynamic;
        INFO(nameOf(m).str() << " " << queries << " queries " << keys << " keys depth " << depth << " " << values << " dynamic " << dynamic);
        checkRun(runAttention(kernel(m, 2, depth == 256 ? 16 : 32), s, type, 0, 2));
      }
}

TEST_CASE("causal attention, masks, heads that share keys", "[Cuda]") {
  for (auto [m, type] : {std::pair{Multiply::TF32x3, "f32"}, {Multiply::F16, "f16"}})
    for (int64_t offset : {0, 20, 37})
      for (bool mask : {false, true}) {
        AttentionSpec s = shape(70, 90, 32);
        s.batch = 2, s.heads = 4, s.keyHeads = 2;
        s.causal = offset != 37, s.mask = mask;
        INFO(nameOf(m).str() << " offset " << offset << " mask " << mask);
        checkRun(runAttention(kernel(m), s, type, offset, 1));
      }
}

TEST_CASE("queries that see no key get NaN, and trouble nobody else", "[Cuda]") {
  AttentionSpec s = shape(48, 64, 32);
  s.causal = true;
  checkRun(runAttention(kernel(Multiply::TF32), s, "f32", -20, 2));
}

TEST_CASE("queries whose results are cleared get 0, and all where there are no keys", "[Cuda]") {
  for (int64_t offset : {0, -20}) {
    AttentionSpec s = shape(70, 77, 32);
    s.clears = true, s.causal = true;
    checkRun(runAttention(kernel(Multiply::TF32x3), s, "f32", offset, 2));
  }
  for (bool dynamic : {false, true}) {
    AttentionSpec s = shape(40, 0, 32);
    s.isDynamic = dynamic;
    checkRun(runAttention(kernel(Multiply::F16), s, "f16", 0, 1));
  }
}

TEST_CASE("a mask's numbers are read one by one where pairs of them are not aligned", "[Cuda]") {
  for (int64_t keys : {64, 65}) {
    AttentionSpec s = shape(33, keys, 32);
    s.mask = true;
    checkRun(runAttention(kernel(Multiply::F16), s, "f16", 0, 1));
  }
}

TEST_CASE("attention that cannot be says why", "[Cuda]") {
  auto why = [](AttentionKernel k, AttentionSpec s, const char *type) { return runAttention(k, s, type, 0, 1).error; };
  CHECK(why(kernel(Multiply::S8), shape(8, 8, 32), "i8") == "the chip has no such kernel");
  CHECK(why(kernel(Multiply::F16, 2, 32, 48), shape(8, 8, 32), "f16") == "a warp has 16 or 32 queries");
  AttentionKernel slices = kernel(Multiply::F16, 1, 32);
  slices.slices = 4;
  CHECK(why(slices, shape(8, 8, 32), "f16") == "tiles are too small or too large");
  CHECK(why(kernel(Multiply::F16), shape(8, 8, 257), "f16") == "the depth is not within 1 and 256");
  CHECK(why(kernel(Multiply::F16), shape(8, 8, 33), "f16") == "queries: it is not aligned to 4 bytes");
  CHECK(why(kernel(Multiply::TF32, 4, 128), shape(8, 8, 256), "f32") == "the tiles need too much shared memory");
}

namespace {

HopperAttentionKernel hopper(Multiply multiply, int64_t groups = 2, int64_t keys = 64, bool takeTurns = true) {
  HopperAttentionKernel k;
  k.multiply = multiply, k.groups = groups, k.blockN = keys, k.takeTurns = takeTurns;
  return k;
}

}  // namespace

TEST_CASE("attention with wgmma, in tiles of several sizes", "[Cuda]") {
  for (int64_t depth : {64, 128}) {
    checkRun(runAttention(hopper(Multiply::F16), shape(256, 256, depth), "f16", 0, 3));
    checkRun(runAttention(hopper(Multiply::BF16), shape(128, 192, depth), "bf16", 0, 2));
  }
  for (auto [groups, keys, turns] : {std::array<int64_t, 3>{1, 128, 1}, {3, 64, 1}, {2, 128, 0}, {2, 16, 1}, {2, 176, 1}}) {
    INFO(groups << " warpgroups, " << keys << " keys, turns " << turns);
    checkRun(runAttention(hopper(Multiply::F16, groups, keys, turns), shape(200, 400, 64), "f16", 0, 2));
  }
}

TEST_CASE("attention with wgmma ends anywhere, causal, masked, with shared heads", "[Cuda]") {
  for (auto [queries, keys, depth, values] :
       {std::array<int64_t, 4>{33, 70, 40, 40}, {1, 1, 64, 64}, {1, 77, 80, 48}, {150, 131, 256, 256}, {17, 145, 8, 16}})
    for (bool dynamic : {false, true}) {
      AttentionSpec s = shape(queries, keys, depth, values);
      s.isDynamic = dynamic;
      INFO(queries << " queries " << keys << " keys depth " << depth << " " << values << " dynamic " << dynamic);
      checkRun(runAttention(hopper(Multiply::F16, 2, depth == 256 ? 32 : 64), s, "f16", 0, 2));
    }
  for (int64_t offset : {0, 20, -70})
    for (bool mask : {false, true}) {
      AttentionSpec s = shape(170, 190, 64);
      s.batch = 2, s.heads = 4, s.keyHeads = 2, s.causal = true, s.mask = mask;
      INFO("offset " << offset << " mask " << mask);
      checkRun(runAttention(hopper(Multiply::F16), s, "f16", offset, 1));
    }
}
