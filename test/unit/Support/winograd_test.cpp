#include "lib/Support/Winograd.h"

#include "catch2/catch.hpp"

#include <cmath>
#include <random>
#include <vector>

using namespace adze;

namespace {

constexpr Winograd kMatrices = winogradMatrices();
constexpr int64_t kPoints = kWinogradPoints, kTile = kWinogradTile;

/// One tile of results in arithmetic of type T, summed over channels.
template <typename T>
std::vector<T> filter(const std::vector<T> &d, const std::vector<T> &coefficients, int64_t channels) {
  std::vector<T> products(kPoints * kPoints, 0), rows(kTile * kPoints, 0), y(kTile * kTile, 0);
  for (int64_t c = 0; c < channels; ++c) {
    std::vector<T> half(kPoints * kPoints, 0);
    for (int64_t a = 0; a < kPoints; ++a)
      for (int64_t j = 0; j < kPoints; ++j)
        for (int64_t i = 0; i < kPoints; ++i)
          half[a * kPoints + j] += T(kMatrices.input[a][i]) * d[(c * kPoints + i) * kPoints + j];
    for (int64_t a = 0; a < kPoints; ++a)
      for (int64_t b = 0; b < kPoints; ++b) {
        T v = 0;
        for (int64_t j = 0; j < kPoints; ++j) v += T(kMatrices.input[b][j]) * half[a * kPoints + j];
        products[a * kPoints + b] += v * coefficients[(c * kPoints + a) * kPoints + b];
      }
  }
  for (int64_t i = 0; i < kTile; ++i)
    for (int64_t b = 0; b < kPoints; ++b)
      for (int64_t a = 0; a < kPoints; ++a)
        rows[i * kPoints + b] += T(kMatrices.output[i][a]) * products[a * kPoints + b];
  for (int64_t i = 0; i < kTile; ++i)
    for (int64_t j = 0; j < kTile; ++j)
      for (int64_t b = 0; b < kPoints; ++b)
        y[i * kTile + j] += T(kMatrices.output[j][b]) * rows[i * kPoints + b];
  return y;
}

template <typename T>
std::vector<T> coefficientsOf(const std::vector<float> &w, int64_t channels) {
  std::vector<T> u;
  for (int64_t c = 0; c < channels; ++c)
    for (int64_t a = 0; a < kPoints; ++a)
      for (int64_t b = 0; b < kPoints; ++b) {
        double sum = 0;
        for (int64_t i = 0; i < 3; ++i)
          for (int64_t j = 0; j < 3; ++j)
            sum += kMatrices.filter[a][i] * kMatrices.filter[b][j] * w[(c * 3 + i) * 3 + j];
        u.push_back(static_cast<T>(sum));
      }
  return u;
}

struct Tile {
  std::vector<float> d, w;
  std::vector<double> want;  ///< the convolution in double precision
};

Tile randomTile(std::mt19937 &random, int64_t channels) {
  std::normal_distribution<float> normal;
  Tile t;
  for (int64_t i = 0; i < channels * kPoints * kPoints; ++i) t.d.push_back(normal(random));
  for (int64_t i = 0; i < channels * 9; ++i) t.w.push_back(normal(random));
  for (int64_t y = 0; y < kTile; ++y)
    for (int64_t x = 0; x < kTile; ++x) {
      double sum = 0;
      for (int64_t c = 0; c < channels; ++c)
        for (int64_t i = 0; i < 3; ++i)
          for (int64_t j = 0; j < 3; ++j)
            sum += double(t.d[(c * kPoints + y + i) * kPoints + x + j]) * t.w[(c * 3 + i) * 3 + j];
      t.want.push_back(sum);
    }
  return t;
}

}  // namespace

TEST_CASE("Winograd matrices give the convolution, and are exact where they must be", "[Support]") {
  std::mt19937 random(1);
  Tile t = randomTile(random, 5);
  std::vector<double> d(t.d.begin(), t.d.end());
  std::vector<double> got = filter(d, coefficientsOf<double>(t.w, 5), 5);
  for (size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(t.want[i]).margin(1e-12));
  for (const auto &row : kMatrices.input)
    for (double v : row) CHECK(double(float(v)) == v);
  for (const auto &row : kMatrices.output)
    for (double v : row) CHECK(double(float(v)) == v);
}

// docs/accuracy.md allows 3 ε √k of the largest result; this is a third of it.
TEST_CASE("Winograd's rounding errors stay far inside a convolution's bound", "[Support]") {
  for (int64_t channels : {16, 64, 256}) {
    std::mt19937 random(channels);
    double worst = 0, largest = 0;
    for (int round = 0; round < 400; ++round) {
      Tile t = randomTile(random, channels);
      std::vector<float> got = filter(t.d, coefficientsOf<float>(t.w, channels), channels);
      for (size_t i = 0; i < got.size(); ++i) {
        worst = std::max(worst, std::abs(got[i] - t.want[i]));
        largest = std::max(largest, std::abs(t.want[i]));
      }
    }
    double epsilon = std::ldexp(1.0, -23);
    INFO("channels " << channels << ", error " << worst / largest / epsilon << " ε");
    CHECK(worst <= 3 * epsilon * std::sqrt(9.0 * channels) * largest / 3);
  }
}
