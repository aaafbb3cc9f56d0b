#include "lib/PtxEmulator/LaneOps.h"
#include "lib/PtxEmulator/Matrix.h"
#include "lib/PtxEmulator/Numbers.h"
#include "lib/PtxEmulator/OpTable.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <random>

using namespace adze::ptx;

TEST_CASE("halves convert as encodeFloat and decodeFloat do, all of them", "[PtxEmulator]") {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    Half h{static_cast<uint16_t>(bits)};
    double d = decodeFloat(bits, kF16);
    if (d != d) {
      CHECK(std::isnan(toFloat(h)));
      continue;
    }
    REQUIRE(static_cast<double>(toFloat(h)) == d);
    REQUIRE(toHalf(toFloat(h)).bits == bits);
    // Half way to the next number, and next to that.
    double next = decodeFloat(bits + 1, kF16);
    if (std::isinf(d) || std::isinf(next)) continue;
    for (float x : {static_cast<float>((d + next) / 2), std::nextafterf(static_cast<float>((d + next) / 2), 0)})
      REQUIRE(toHalf(x).bits == encodeFloat(x, kF16, Rounding::Nearest));
  }
}

TEST_CASE("rounding to odd makes a second rounding exact", "[PtxEmulator]") {
  std::mt19937_64 random(1);
  for (int i = 0; i < 100000; ++i) {
    double a = static_cast<double>(static_cast<float>(std::ldexp(static_cast<double>(random() >> 40), static_cast<int>(random() % 40) - 20)));
    double b = std::ldexp(static_cast<double>(random() >> 40), static_cast<int>(random() % 80) - 60);
    long double exact = static_cast<long double>(a) + b;  // 64 bits: these sums fit or are sticky enough
    double odd = addToOdd(a, b);
    long double error = exact - static_cast<long double>(odd);
    if (error != 0) CHECK((bitsAs<uint64_t>(odd) & 1) == 1);
    CHECK(std::abs(static_cast<double>(error)) <= std::ldexp(std::abs(odd), -52));
  }
}

TEST_CASE("eight-bit floats: all codes, saturation, ties", "[PtxEmulator]") {
  for (FloatFormat f : {kE4m3, kE5m2})
    for (uint32_t bits = 0; bits < 256; ++bits) {
      double d = decodeFloat(bits, f);
      if (d == d && !std::isinf(d)) CHECK(encodeFloat(d, f, Rounding::Nearest, true) == bits);
    }
  CHECK(decodeFloat(0x7e, kE4m3) == 448);
  CHECK(encodeFloat(1e9, kE4m3, Rounding::Nearest, true) == 0x7e);
  CHECK(encodeFloat(-1e9, kE5m2, Rounding::Nearest, true) == 0xfb);
  CHECK(encodeFloat(NAN, kE4m3, Rounding::Nearest, true) == 0x7f);
  CHECK(encodeFloat(1.0625, kE4m3, Rounding::Nearest) == 0x38);  // a tie, to even
  CHECK(encodeFloat(1.1875, kE4m3, Rounding::Nearest) == 0x3a);
}

/// What docs/emulator.md says of a tensor core's sum, one term after the other.
static float tensorSum(float c, const float *a, const float *b, int k, int stride) {
  int largest = c ? std::ilogb(c) : -2000;
  for (int x = 0; x < k; ++x)
    if (a[x] && b[x * stride]) largest = std::max(largest, std::ilogb(a[x]) + std::ilogb(b[x * stride]));
  auto cut = [&](double v) { return static_cast<int64_t>(std::ldexp(v, 25 - largest)); };
  int64_t sum = cut(c);
  for (int x = 0; x < k; ++x) sum += cut(static_cast<double>(a[x]) * b[x * stride]);
  double exact = std::ldexp(static_cast<double>(sum), largest - 25);
  auto nearest = static_cast<float>(exact);
  if (std::abs(exact) >= 0x1p128) return nearest;
  return std::abs(static_cast<double>(nearest)) > std::abs(exact) ? std::nextafter(nearest, 0.0f) : nearest + 0.0f;
}

/// Of `bits` bits, in every eighth case 0, and else about 2^0 .. 2^±span.
static float someFloat(std::mt19937_64 &random, int bits, int span) {
  if (random() % 8 == 0) return random() % 2 ? 0.0f : -0.0f;
  auto digits = static_cast<float>(random() % (1u << bits));
  int exponent = static_cast<int>(random() % static_cast<uint64_t>(2 * span + 1)) - span - bits;
  return std::ldexp(random() % 2 ? digits : -digits, exponent);
}

TEST_CASE("sums of tensor cores: all shapes, near exponents and far ones", "[PtxEmulator]") {
  std::mt19937_64 random(3);
  for (auto [m, n, k] : {std::tuple(16, 8, 8), {16, 8, 4}, {16, 8, 16}, {8, 8, 4}, {16, 16, 16}, {64, 24, 8}, {3, 40, 16}})
    for (int span : {2, 12, 49, 60, 126})
      for (int round = 0; round < 50; ++round) {
        std::vector<float> a(static_cast<size_t>(m * k)), b(static_cast<size_t>(k * n)), c(static_cast<size_t>(m * n));
        for (float &x : a) x = someFloat(random, 11, span);
        for (float &x : b) x = someFloat(random, 11, span);
        for (float &x : c) x = someFloat(random, 24, std::min(2 * span, 126));
        std::vector<float> made = c;
        multiplyFloat(made.data(), a.data(), b.data(), m, n, k);
        for (int i = 0; i < m; ++i)
          for (int j = 0; j < n; ++j) {
            float want = tensorSum(c[static_cast<size_t>(i * n + j)], &a[static_cast<size_t>(i * k)], &b[static_cast<size_t>(j)], k, n);
            REQUIRE(bitsAs<uint32_t>(made[static_cast<size_t>(i * n + j)]) == bitsAs<uint32_t>(want));
          }
      }
}

/// The functions for this processor against those for any (LaneConvert.cpp and
/// LaneOps.cpp are compiled without vector extensions).
TEST_CASE("a lane instruction gives the same in every lane and in place", "[PtxEmulator]") {
  OpMatch fma = findOp("fma.rn.f32");
  LaneFunction f = laneFunction(fma.laneIndex);
  alignas(64) float a[32], b[32], c[32], d[32];
  for (int l = 0; l < 32; ++l) a[l] = 1.0f + static_cast<float>(l) * 0x1p-23f, b[l] = 3.0f, c[l] = -0x1p-30f * static_cast<float>(l);
  f(d, a, b, c, c);
  for (int l = 0; l < 32; ++l) CHECK(d[l] == std::fmaf(a[l], b[l], c[l]));
  float before[32];
  std::copy(a, a + 32, before);
  f(a, a, b, c, c);
  for (int l = 0; l < 32; ++l) CHECK(a[l] == std::fmaf(before[l], b[l], c[l]));
}
