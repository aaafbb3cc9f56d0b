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

MatmulSpec shape(int64_t m, int64_t n, int64_t k, FactorLayout a = FactorLayout::AlongK,
                 FactorLayout b = FactorLayout::AlongRows) {
  MatmulSpec s;
  s.m = m, s.n = n, s.k = k;
  s.aFactor.layout = a, s.bFactor.layout = b;
  return s;
}

void checkRun(const Run &run) {
  INFO(run.ptx);
  CHECK(run.error == "");
  CHECK(run.worst <= 1);
  CHECK(run.shared.wavefronts == run.shared.accesses);
}

}  // namespace

TEST_CASE("products of f32 in whole tiles are right, without bank conflicts or wasted sectors", "[Cuda]") {
  for (Multiply m : {Multiply::TF32, Multiply::TF32x3})
    for (auto a : {FactorLayout::AlongK, FactorLayout::AlongRows})
      for (auto b : {FactorLayout::AlongK, FactorLayout::AlongRows}) {
        Run run = runMatmul(small(m), shape(128, 192, 96, a, b), "f32 f32 f32", 3);
        INFO(nameOf(m).str() << " " << int(a) << int(b));
        checkRun(run);
        CHECK(run.copies.bytes == run.copies.sectors * 32);
        CHECK(run.stores.bytes == run.stores.sectors * 32);
      }
}

TEST_CASE("debug", "[.debug]") {
  for (Multiply m : {Multiply::TF32, Multiply::TF32x3})
    for (bool positive : {false, true})
      for (bool round : {false, true})
        for (int64_t K : {64, 1024, 4096}) {
          auto k = small(m);
          k.roundSums = round;
          Run run = runMatmul(k, shape(64, 64, K), "f32 f32 f32", 1, positive);
          std::printf("%s pos %d round %d K %ld: worst/bound %.3g  err/sum|ab| %.3g = 2^%.1f bound 2^%.1f  %s\n", nameOf(m).data(), positive, round, K, run.worst, run.largest,
                      std::log2(run.largest), std::log2(errorBound(k, [&]{auto s = shape(64,64,K); Session x; static Session y; s.a=s.b=s.c=y.type("f32"); return s;}())), run.error.c_str());
        }
}
