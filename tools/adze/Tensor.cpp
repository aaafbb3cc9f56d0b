#include "tools/adze/Tensor.h"

#include "lib/Support/Checked.h"
#include "lib/Support/Npy.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace adze::cli {

namespace {

/// A small binary float as a double. `bias` and widths as IEEE 754 has them;
/// the variants' special values are given by `special`.
double smallFloat(uint32_t bits, int exponentBits, int mantissaBits, int bias,
                  double (*special)(uint32_t exponent, uint32_t mantissa)) {
  uint32_t mantissa = bits & ((1u << mantissaBits) - 1);
  uint32_t exponent = bits >> mantissaBits & ((1u << exponentBits) - 1);
  bool negative = bits >> (exponentBits + mantissaBits) & 1;
  double value = special(negative ? exponent | 0x100 : exponent, mantissa);
  if (!std::isnan(value)) return negative ? -value : value;
  value = std::ldexp(exponent ? 1.0 + std::ldexp(mantissa, -mantissaBits)
                              : std::ldexp(mantissa, -mantissaBits),
                     (exponent ? static_cast<int>(exponent) : 1) - bias);
  return negative ? -value : value;
}

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

// smallFloat asks for special values with NaN for "none"; a true NaN is decided
// by the callers below, which look at the bits first.
double noSpecial(uint32_t, uint32_t) { return kNone; }
double halfSpecial(uint32_t e, uint32_t m) { return (e & 0xff) == 31 && m == 0 ? kInf : kNone; }
double e5m2Special(uint32_t e, uint32_t m) { return (e & 0xff) == 31 && m == 0 ? kInf : kNone; }

double fromHalf(uint16_t b) {
  if ((b & 0x7c00) == 0x7c00 && (b & 0x3ff)) return kNone;
  return smallFloat(b, 5, 10, 15, halfSpecial);
}

double fromFloat8(uint8_t b, int32_t dtype) {
  switch (dtype) {
    case ADZE_FLOAT8E4M3FN: return (b & 0x7f) == 0x7f ? kNone : smallFloat(b, 4, 3, 7, noSpecial);
    case ADZE_FLOAT8E4M3FNUZ: return b == 0x80 ? kNone : smallFloat(b, 4, 3, 8, noSpecial);
    case ADZE_FLOAT8E5M2: return (b & 0x7f) > 0x7c ? kNone : smallFloat(b, 5, 2, 15, e5m2Special);
    case ADZE_FLOAT8E5M2FNUZ: return b == 0x80 ? kNone : smallFloat(b, 5, 2, 16, noSpecial);
    default: return b == 0xff ? kNone : std::ldexp(1.0, b - 127);  // E8M0
  }
}

template <typename T>
T elementAt(const std::byte *data, size_t i) {
  T value;
  std::memcpy(&value, data + i * sizeof(T), sizeof(T));
  return value;
}

/// Element `i` as a double; complex numbers count as two elements.
double valueAt(const std::byte *data, size_t i, int32_t dtype) {
  switch (dtype) {
    case ADZE_COMPLEX64:
    case ADZE_FLOAT32: return elementAt<float>(data, i);
    case ADZE_COMPLEX128:
    case ADZE_FLOAT64: return elementAt<double>(data, i);
    case ADZE_FLOAT16: return fromHalf(elementAt<uint16_t>(data, i));
    case ADZE_BFLOAT16:
      return std::bit_cast<float>(static_cast<uint32_t>(elementAt<uint16_t>(data, i)) << 16);
    case ADZE_BOOL:
    case ADZE_UINT8: return elementAt<uint8_t>(data, i);
    case ADZE_INT8: return elementAt<int8_t>(data, i);
    case ADZE_UINT16: return elementAt<uint16_t>(data, i);
    case ADZE_INT16: return elementAt<int16_t>(data, i);
    case ADZE_UINT32: return elementAt<uint32_t>(data, i);
    case ADZE_INT32: return elementAt<int32_t>(data, i);
    case ADZE_UINT64: return static_cast<double>(elementAt<uint64_t>(data, i));
    case ADZE_INT64: return static_cast<double>(elementAt<int64_t>(data, i));
    default: return fromFloat8(elementAt<uint8_t>(data, i), dtype);
  }
}

uint16_t toHalf(float value) {
  // Random values lie well inside half's normal range; nearest is enough.
  if (std::fabs(value) < 6.2e-5f) return 0;
  uint32_t bits = std::bit_cast<uint32_t>(value) + 0x1000;
  return static_cast<uint16_t>((bits >> 16 & 0x8000) | (((bits & 0x7fffffff) >> 13) - 0x1c000));
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random {
  uint64_t state;
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// Sum of twelve uniforms: mean 0, variance 1, no library function.
  double normal() {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += unit();
    return sum;
  }
};

void storeRandom(std::byte *at, int32_t dtype, Random &random) {
  auto put = [&](auto value) { std::memcpy(at, &value, sizeof value); };
  switch (dtype) {
    case ADZE_FLOAT32: return put(static_cast<float>(random.normal()));
    case ADZE_FLOAT64: return put(random.normal());
    case ADZE_COMPLEX64: return put(static_cast<float>(random.normal()));
    case ADZE_COMPLEX128: return put(random.normal());
    case ADZE_FLOAT16: return put(toHalf(static_cast<float>(random.normal())));
    case ADZE_BFLOAT16:
      return put(static_cast<uint16_t>(
          std::bit_cast<uint32_t>(static_cast<float>(random.normal())) >> 16));
    case ADZE_BOOL: return put(static_cast<uint8_t>(random.next() & 1));
    case ADZE_FLOAT8E8M0: return put(static_cast<uint8_t>(120 + random.next() % 14));
    case ADZE_FLOAT8E4M3FN:
    case ADZE_FLOAT8E4M3FNUZ:
    case ADZE_FLOAT8E5M2:
    case ADZE_FLOAT8E5M2FNUZ:  // sign, then exponents about one
      return put(static_cast<uint8_t>((random.next() & 0x80) | (0x30 + random.next() % 16)));
    default: {  // integers: 0 or 1, which masks, types and indices all take; little-endian
      std::memset(at, 0, adze_dtype_bytes(dtype));
      return put(static_cast<uint8_t>(random.next() & 1));
    }
  }
}

/// .npy kinds of a dtype; 'V' for those that NumPy does not know.
char npyKind(int32_t dtype) {
  switch (dtype) {
    case ADZE_BOOL: return 'b';
    case ADZE_INT8:
    case ADZE_INT16:
    case ADZE_INT32:
    case ADZE_INT64: return 'i';
    case ADZE_UINT8:
    case ADZE_UINT16:
    case ADZE_UINT32:
    case ADZE_UINT64: return 'u';
    case ADZE_FLOAT16:
    case ADZE_FLOAT32:
    case ADZE_FLOAT64: return 'f';
    case ADZE_COMPLEX64:
    case ADZE_COMPLEX128: return 'c';
    default: return 'V';
  }
}

int32_t dtypeOfNpy(const NpyArray &array, int32_t wanted) {
  if (npyKind(wanted) == array.kind &&
      static_cast<int64_t>(adze_dtype_bytes(wanted)) == array.itemBytes)
    return wanted;
  for (int32_t t = ADZE_FLOAT32; t <= ADZE_INT2; ++t)
    if (array.kind != 'V' && npyKind(t) == array.kind &&
        static_cast<int64_t>(adze_dtype_bytes(t)) == array.itemBytes)
      return t;
  return ADZE_UNDEFINED;
}

}  // namespace

int64_t HostTensor::count() const { return checkedNumElements(shape).value_or(0); }

bool isComplex(int32_t dtype) { return dtype == ADZE_COMPLEX64 || dtype == ADZE_COMPLEX128; }

bool isFloat(int32_t dtype) {
  return npyKind(dtype) == 'f' || npyKind(dtype) == 'V' || isComplex(dtype);
}

std::string typeText(const HostTensor &t) {
  std::string text = std::string(adze_dtype_name(t.dtype)) + "[";
  for (size_t i = 0; i < t.shape.size(); ++i) text += (i ? "," : "") + std::to_string(t.shape[i]);
  return text + "]";
}

std::vector<double> toDoubles(const HostTensor &t) {
  std::vector<double> values(t.count() * (isComplex(t.dtype) ? 2 : 1));
  for (size_t i = 0; i < values.size(); ++i) values[i] = valueAt(t.data.data(), i, t.dtype);
  return values;
}

std::optional<HostTensor> makeTensor(std::string name, int32_t dtype, std::vector<int64_t> shape) {
  HostTensor t{std::move(name), dtype, std::move(shape), {}};
  auto count = checkedNumElements(t.shape);
  auto bytes = count ? checkedMul(*count, adze_dtype_bytes(dtype)) : std::nullopt;
  if (!bytes || adze_dtype_bytes(dtype) == 0) return std::nullopt;
  t.data.resize(*bytes);
  return t;
}

void fillRandom(HostTensor &t, uint64_t seed) {
  // Each tensor has a stream of its own, so that one more input changes no other.
  Random random{seed};
  for (unsigned char c : t.name) random.state = random.next() ^ c;
  size_t size = adze_dtype_bytes(t.dtype) / (isComplex(t.dtype) ? 2 : 1);
  for (size_t i = 0; size && i + size <= t.data.size(); i += size)
    storeRandom(&t.data[i], t.dtype, random);
}

std::optional<HostTensor> loadNpy(const std::string &path, const std::string &name, int32_t wanted,
                                  std::string &error) {
  auto array = readNpy(path, error);
  if (!array) return std::nullopt;
  HostTensor t{name, dtypeOfNpy(*array, wanted), std::move(array->shape), std::move(array->data)};
  if (t.dtype != ADZE_UNDEFINED) return t;
  error = path + ": raw items that are no " + std::string(adze_dtype_name(wanted));
  return std::nullopt;
}

bool saveNpy(const std::string &path, const HostTensor &t, std::string &error) {
  NpyArray array;
  array.kind = npyKind(t.dtype);
  array.itemBytes = static_cast<int64_t>(adze_dtype_bytes(t.dtype));
  array.shape = t.shape;
  array.data = t.data;
  return writeNpy(path, array, error);
}

Json summaryOf(const HostTensor &t) {
  double low = kInf, high = -kInf, sum = 0;
  int64_t odd = 0;
  std::vector<double> values = toDoubles(t);
  for (double v : values) {
    if (!std::isfinite(v)) {
      ++odd;
      continue;
    }
    low = std::min(low, v), high = std::max(high, v), sum += v;
  }
  Json j{{"name", t.name}, {"dtype", adze_dtype_name(t.dtype)}, {"shape", t.shape}};
  if (int64_t finite = static_cast<int64_t>(values.size()) - odd; finite > 0)
    j["min"] = low, j["max"] = high, j["mean"] = sum / static_cast<double>(finite);
  j["not_finite"] = odd;
  return j;
}

}  // namespace adze::cli
