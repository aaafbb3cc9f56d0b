// matmul.
#include "lib/Reference/Call.h"

using namespace mlir;

namespace adze::reference {

namespace {
/// One operand as matrices [batch..., rows, columns].
struct Matrices {
  SmallVector<int64_t> batchStrides;
  int64_t rows, columns, rowStride, columnStride;

  Matrices(const Tensor &t, bool transposed, ArrayRef<int64_t> batch) {
    ArrayRef<int64_t> shape = t.shape();
    SmallVector<int64_t> strides = stridesOf(shape);
    size_t r = shape.size() - 2, c = r + 1;
    if (transposed) std::swap(r, c);
    rows = shape[r], columns = shape[c], rowStride = strides[r], columnStride = strides[c];
    int64_t matrix = shape[r] * shape[c];
    batchStrides = broadcastStrides(shape.drop_back(2), batch);
    for (int64_t &s : batchStrides) s *= matrix;
  }
  int64_t offset(ArrayRef<int64_t> batch) const {
    int64_t at = 0;
    for (auto [i, s] : llvm::zip(batch, batchStrides)) at += i * s;
    return at;
  }
};

double addProduct(double sum, double a, double b) { return sum + a * b; }
int64_t addProduct(int64_t sum, int64_t a, int64_t b) {
  return int64_t(uint64_t(sum) + uint64_t(a) * uint64_t(b));
}

/// out[m, n] += a[m, k] * b[k, n], a row of the result at a time.
template <typename T>
void multiply(const T *a, const Matrices &ma, const T *b, const Matrices &mb, T *out) {
  for (int64_t m = 0; m < ma.rows; ++m, out += mb.columns)
    for (int64_t k = 0; k < ma.columns; ++k) {
      T factor = a[m * ma.rowStride + k * ma.columnStride];
      const T *row = b + k * mb.rowStride;
      for (int64_t n = 0; n < mb.columns; ++n)
        out[n] = addProduct(out[n], factor, row[n * mb.columnStride]);
    }
}

template <typename T>
std::vector<T> multiplyAll(std::vector<T> a, const Matrices &ma, std::vector<T> b,
                           const Matrices &mb, ArrayRef<int64_t> batch, int64_t size) {
  std::vector<T> out(size);
  if (out.empty() || a.empty() || b.empty()) return out;
  SmallVector<int64_t> at(batch.size(), 0);
  T *to = out.data();
  do {
    multiply(a.data() + ma.offset(at), ma, b.data() + mb.offset(at), mb, to);
    to += ma.rows * mb.columns;
  } while (nextIndex(at, batch));
  return out;
}
}  // namespace

ADZE_EVALUATE(MatmulOp) {
  const Tensor &a = call.in(0), &b = call.in(1);
  ArrayRef<int64_t> batch = call.out().shape().drop_back(2);
  Matrices ma(a, op.getTransposeA(), batch), mb(b, op.getTransposeB(), batch);
  int64_t size = call.out().size();
  if (isFloat(call.out().element()))
    storeDoubles(call.out(), multiplyAll(toDoubles(a), ma, toDoubles(b), mb, batch, size));
  else
    storeInts(call.out(), multiplyAll(toInts(a), ma, toInts(b), mb, batch, size));
  return success();
}

}  // namespace adze::reference
