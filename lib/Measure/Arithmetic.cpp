#include "lib/Measure/Arithmetic.h"

namespace adze::measure {

namespace {
template <int kBytes>
struct Vector {
  typedef float Type __attribute__((vector_size(kBytes)));
};

/// More chains than any core has multiply-adds in flight (latency of 4 or 5
/// cycles, two a cycle), and few enough for 16 registers.
constexpr int kChains = 12;

/// Compiled with -ffp-contract=fast: each line is one instruction where there
/// is one. It is inlined into a function whose target has the vectors.
template <int kBytes>
[[gnu::always_inline]] inline void multiplyAdd(int64_t rounds) {
  using V = typename Vector<kBytes>::Type;
  V sum[kChains], factor = V{} + 0.999f, term = V{} + 1e-3f;
  for (int c = 0; c < kChains; ++c) sum[c] = V{} + static_cast<float>(c);
  __asm__ volatile("" : "+m"(factor), "+m"(term));
  for (int64_t i = 0; i < rounds; ++i) {
#pragma GCC unroll 12
    for (int c = 0; c < kChains; ++c) sum[c] = sum[c] * factor + term;
  }
  __asm__ volatile("" ::"m"(sum) : "memory");
}

constexpr double flops(int bytes) { return kChains * 2.0 * (bytes / 4); }

#if defined(__x86_64__)
[[gnu::target("avx512f")]] void runAvx512(int64_t rounds) { multiplyAdd<64>(rounds); }
[[gnu::target("avx2,fma")]] void runAvx2(int64_t rounds) { multiplyAdd<32>(rounds); }
#endif
void runBaseline(int64_t rounds) { multiplyAdd<16>(rounds); }
}  // namespace

const Level kLevels[] = {
#if defined(__x86_64__)
    {"avx512f", nullptr, flops(64), runAvx512},
    {"avx2", "fma", flops(32), runAvx2},
    {"sse2", nullptr, flops(16), runBaseline},
#elif defined(__aarch64__)
    {"neon", nullptr, flops(16), runBaseline},
#else
    {"128-bit vectors", nullptr, flops(16), runBaseline},
#endif
};
const int kLevelCount = sizeof kLevels / sizeof *kLevels;

}  // namespace adze::measure
