// Products with 4-bit weights.
#include "test/unit/Cuda/Kernels.h"

#include <catch2/catch.hpp>

using namespace adze::cuda;
using namespace adze::cuda::test;

namespace {

Int4Spec shape(int64_t m, int64_t n, int64_t k, int64_t group = 32) {
  Int4Spec s;
  s.m = m, s.n = n, s.k = k, s.group = group;
  return s;
}

Int4Kernel kernel(int64_t rows, int64_t warps) {
  Int4Kernel k;
  k.rows = rows, k.warps = warps;
  return k;
}

}  // namespace

TEST_CASE("4-bit weights with every type of x", "[Cuda]") {
  for (const char *types : {"f16 f16", "bf16 bf16", "f32 f32", "f16 f32"})
    for (bool zeroPoints : {false, true})
      for (bool isSigned : {false, true}) {
        Int4Spec s = shape(8, 32, 512);
        s.zeroPoints = zeroPoints, s.isSigned = isSigned;
        INFO(types << " zero points " << zeroPoints << " signed " << isSigned);
        Run run = runMatmul(kernel(8, 4), s, types, 3);
        checkResult(run);
        CHECK(run.shared.wavefronts == run.shared.accesses);
      }
}

TEST_CASE("4-bit weights in groups and products that end anywhere", "[Cuda]") {
  for (auto [m, n, k, group] : {std::array<int64_t, 4>{1, 16, 32, 32}, {1, 30, 160, 64}, {3, 17, 96, 128},
                                {16, 48, 1024, 256}, {7, 24, 384, 64}, {4, 16, 384, 96}, {13, 5, 288, 96}, {40, 33, 256, 32}})
    for (int64_t rows : {8, 16})
      for (bool dynamic : {false, true}) {
        Int4Spec s = shape(m, n, k, group);
        s.zeroPoints = s.bias = s.relu = true, s.isDynamic = dynamic;
        INFO(m << "x" << n << "x" << k << " groups of " << group << " dynamic " << dynamic);
        checkResult(runMatmul(kernel(rows, 2), s, "f16 f16", 2));
        checkResult(runMatmul(kernel(rows, 5), s, "f32 f32"));
      }
}

TEST_CASE("4-bit weights are read once, in whole sectors", "[Cuda]") {
  Int4Kernel k = kernel(8, 8);
  Run run = runMatmul(k, shape(1, 16, 4096, 4096), "f16 f32");
  checkResult(run);
  constexpr uint64_t kSector = 32, kRuns = 4096 / 32;
  uint64_t weights = 16 * 4096 / 2 / kSector;
  // A warp asks for those of the step after its last, which is none, and is given the last run.
  uint64_t ahead = k.warps * 16;
  // Of each run 64 bytes of x, for all columns; of the only group two times eight scales.
  CHECK(run.copies.sectors == weights + ahead + 2 * kRuns + 2 * k.warps);
}

TEST_CASE("kernels of 4-bit weights that cannot be say why", "[Cuda]") {
  auto why = [](Int4Kernel k, Int4Spec s, const char *types = "f16 f16") { return runMatmul(k, s, types).error; };
  CHECK(why(kernel(8, 4), shape(1, 16, 40)) == "k and its groups are no multiples of 32");
  CHECK(why(kernel(8, 4), shape(1, 16, 64, 16)) == "k and its groups are no multiples of 32");
  CHECK(why(kernel(4, 4), shape(1, 16, 64)) == "a block has 8 or 16 rows");
  CHECK(why(kernel(8, 33), shape(1, 16, 64)) == "a block has 1 to 32 warps");
  CHECK(why(kernel(16, 1), shape(1, 16, 64)) == "warps are too few for the result");
  CHECK(why(kernel(8, 4), shape(1, 16, 64), "i8 i32") == "x is none of f16, bf16 and f32");
  Int4Kernel old = kernel(8, 4);
  old.chip = 75;
  CHECK(why(old, shape(1, 16, 64), "bf16 bf16") == "the chip has no bf16 products");
}
