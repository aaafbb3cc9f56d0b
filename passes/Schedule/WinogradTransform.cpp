#include "passes/Schedule/WinogradTransform.h"

#include "lib/Support/Winograd.h"

#include <cmath>

using namespace mlir;

namespace adze::schedule {
namespace {

using Row = SmallVector<double>;

/// Straight-line code for y = matrix * x.
class LinearMap {
public:
  LinearMap(OpBuilder &b, Location loc, ArrayRef<Row> matrix) : b(b), loc(loc), matrix(matrix) {}

  SmallVector<Value> apply(ArrayRef<Value> x) {
    SmallVector<Row> rows(matrix);
    SmallVector<Value> values(x);
    pairColumns(rows, values);
    return applyRows(rows, values);
  }

private:
  Value scaled(Value x, double factor) {
    auto attr = b.getFloatAttr(x.getType(), factor);
    return arith::MulFOp::create(b, loc, x, arith::ConstantOp::create(b, loc, attr), contract());
  }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y, contract()); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y, contract()); }
  arith::FastMathFlagsAttr contract() {
    return arith::FastMathFlagsAttr::get(b.getContext(), arith::FastMathFlags::contract);
  }

  /// Points p and -p: two columns that differ in signs only become their sum
  /// and their difference.
  static bool areOpposite(ArrayRef<Row> rows, size_t c, size_t d) {
    return llvm::all_of(rows, [&](const Row &row) { return std::abs(row[c]) == std::abs(row[d]); });
  }
  void pairColumns(MutableArrayRef<Row> rows, MutableArrayRef<Value> values) {
    for (size_t c = 0; c + 1 < values.size(); ++c)
      if (areOpposite(rows, c, c + 1)) {
        Value sum = add(values[c], values[c + 1]), difference = sub(values[c], values[c + 1]);
        values[c] = sum;
        values[c + 1] = difference;
        for (Row &row : rows) {
          bool same = row[c] == row[c + 1];
          row[c + 1] = same ? 0 : row[c];
          row[c] = same ? row[c] : 0;
        }
        ++c;
      }
  }

  /// sum over i of row[i] * values[i]; null when all are zero. Plain terms
  /// come first, so that each of the others is one fused multiply-add.
  Value sum(ArrayRef<double> row, ArrayRef<Value> values) {
    Value total;
    for (bool plain : {true, false})
      for (auto [factor, value] : llvm::zip(row, values)) {
        if (factor == 0 || (factor == 1) != plain)
          continue;
        Value term = plain ? value : scaled(value, factor);
        total = total ? add(total, term) : term;
      }
    return total;
  }

  /// Rows of points p and -p share what is even in p and what is odd.
  static bool areConjugate(const Row &r, const Row &s) {
    bool even = false, odd = false;
    for (auto [a, c] : llvm::zip(r, s)) {
      if (std::abs(a) != std::abs(c))
        return false;
      (a == c ? even : odd) |= a != 0;
    }
    return even && odd;
  }

  SmallVector<Value> applyRows(ArrayRef<Row> rows, ArrayRef<Value> values) {
    SmallVector<Value> results;
    for (size_t r = 0; r < rows.size(); ++r) {
      if (r + 1 == rows.size() || !areConjugate(rows[r], rows[r + 1])) {
        results.push_back(sum(rows[r], values));
        continue;
      }
      Row even(rows[r]), odd(rows[r]);
      double lead = 0;
      for (size_t i = 0; i < even.size(); ++i) {
        (rows[r][i] == rows[r + 1][i] ? odd[i] : even[i]) = 0;
        if (odd[i] != 0)
          lead = odd[i];
      }
      for (double &factor : odd)
        factor /= lead;  // exact: it divides the others (lib/Support/Winograd.h)
      Value common = sum(even, values), differing = scaled(sum(odd, values), lead);
      results.push_back(add(common, differing));
      results.push_back(sub(common, differing));
      ++r;
    }
    return results;
  }

  OpBuilder &b;
  Location loc;
  ArrayRef<Row> matrix;
};

template <size_t rows, size_t columns>
SmallVector<Row> toRows(const std::array<std::array<double, columns>, rows> &matrix) {
  SmallVector<Row> result;
  for (const auto &row : matrix)
    result.emplace_back(row.begin(), row.end());
  return result;
}

/// Columns first, then rows of what results.
SmallVector<Value> transform(OpBuilder &b, Location loc, ArrayRef<Row> matrix, ValueRange in) {
  size_t n = matrix.front().size(), results = matrix.size();
  SmallVector<SmallVector<Value>> columns;
  for (size_t j = 0; j < n; ++j) {
    SmallVector<Value> column;
    for (size_t i = 0; i < n; ++i)
      column.push_back(in[i * n + j]);
    columns.push_back(LinearMap(b, loc, matrix).apply(column));
  }
  SmallVector<Value> out;
  for (size_t i = 0; i < results; ++i) {
    SmallVector<Value> row;
    for (size_t j = 0; j < n; ++j)
      row.push_back(columns[j][i]);
    llvm::append_range(out, LinearMap(b, loc, matrix).apply(row));
  }
  return out;
}

}  // namespace

void emitTransform(OpBuilder &builder, Location loc, WinogradSide side, ValueRange ins,
                   ValueRange outs) {
  constexpr Winograd matrices = winogradMatrices();
  SmallVector<Row> matrix =
      side == WinogradSide::Input ? toRows(matrices.input) : toRows(matrices.output);
  SmallVector<AffineMap> maps(ins.size() + outs.size(), builder.getMultiDimIdentityMap(2));
  SmallVector<utils::IteratorType> iterators(2, utils::IteratorType::parallel);
  linalg::GenericOp::create(builder, loc, TypeRange(), ins, outs, maps, iterators,
                            [&](OpBuilder &b, Location loc, ValueRange args) {
                              linalg::YieldOp::create(
                                  b, loc, transform(b, loc, matrix, args.take_front(ins.size())));
                            });
}

}  // namespace adze::schedule
