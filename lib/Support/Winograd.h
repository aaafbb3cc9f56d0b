// Winograd's minimal filtering: matrices that give `m` results of a filter of
// three taps from m + 2 products instead of 3 m.
//   y = A (G g * B d),  d: m + 2 inputs, g: 3 taps, *: element by element
// In two dimensions the transforms go along rows, then along columns.
// Winograd, "Arithmetic Complexity of Computations", 1980; Lavin and Gray,
// "Fast Algorithms for Convolutional Neural Networks", 2016.
#pragma once

#include <array>
#include <cstdint>

namespace adze {

inline constexpr int64_t kWinogradTile = 4;                  ///< results along one dimension
inline constexpr int64_t kWinogradPoints = kWinogradTile + 2;  ///< products along one dimension

struct Winograd {
  std::array<std::array<double, kWinogradPoints>, kWinogradTile> output{};   ///< A
  std::array<std::array<double, kWinogradPoints>, kWinogradPoints> input{};  ///< B
  std::array<std::array<double, 3>, kWinogradPoints> filter{};               ///< G
};

/// The Toom-Cook construction: polynomials are multiplied at the points
/// 0, +-5/8, +-3/2 and infinity. A and B are exact in float32. These points
/// err a third as much as the usual 0, +-1, +-2 (docs/accuracy.md).
constexpr Winograd winogradMatrices() {
  constexpr int64_t n = kWinogradPoints - 1;
  constexpr std::array<double, n> points = {0, 0.625, -0.625, 1.5, -1.5};
  Winograd w;
  // Row k of B: coefficients of the product of (x - p) over all p but point k.
  auto multiply = [](std::array<double, kWinogradPoints> &poly, double root) {
    for (int64_t i = kWinogradPoints; i-- > 0;)
      poly[i] = (i > 0 ? poly[i - 1] : 0.0) - root * poly[i];
  };
  w.input[n][0] = 1;
  for (double root : points) multiply(w.input[n], root);
  for (int64_t k = 0; k < n; ++k) {
    w.input[k][0] = 1;
    double scale = 1, power = 1;
    for (int64_t j = 0; j < n; ++j)
      if (j != k) {
        multiply(w.input[k], points[j]);
        scale *= points[k] - points[j];
      }
    for (int64_t i = 0; i < kWinogradTile; ++i, power *= points[k]) {
      w.output[i][k] = power;
      if (i < 3) w.filter[k][i] = power / scale;
    }
  }
  w.output[kWinogradTile - 1][n] = 1;
  w.filter[n][2] = 1;
  return w;
}

}  // namespace adze
