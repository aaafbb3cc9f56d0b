#include "lib/PtxEmulator/LaneOps.h"
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
