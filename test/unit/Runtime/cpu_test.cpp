#include "lib/Runtime/Cpu.h"

#include "catch2/catch.hpp"

using namespace adze::runtime;

TEST_CASE("CPU features are known by LLVM's names", "[Runtime]") {
  CHECK(cpuHasFeature("no-such-feature") == -1);
  CHECK(missingCpuFeatures(cpuFeatures()).empty());
  CHECK(missingCpuFeatures({"no-such-feature"}) == std::vector<std::string>{"no-such-feature"});
#if defined(__x86_64__)
  CHECK(cpuHasFeature("sse2") == 1);
  CHECK(cpuHasFeature("avx2") == (__builtin_cpu_supports("avx2") ? 1 : 0));
  CHECK(cpuHasFeature("fma") == (__builtin_cpu_supports("fma") ? 1 : 0));
  CHECK(cpuHasFeature("avx512f") == (__builtin_cpu_supports("avx512f") ? 1 : 0));
  CHECK(cpuHasFeature("avx512vnni") == (__builtin_cpu_supports("avx512vnni") ? 1 : 0));
  CHECK(cpuHasFeature("avx512bf16") == (__builtin_cpu_supports("avx512bf16") ? 1 : 0));
#endif
}
