// Element values as double and 64-bit integers, and back with one rounding.
#include "lib/Reference/Tensor.h"

#include "llvm/ADT/APFloat.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

using namespace mlir;

namespace adze::reference {

bool isFloat(Type type) { return isa<FloatType>(type); }
bool isUnsigned(Type type) { return type.isUnsignedInteger() || type.isInteger(1); }

static double decode(const llvm::fltSemantics &semantics, uint64_t bits, unsigned width) {
  APFloat value(semantics, APInt(width, bits, false, true));
  if (&semantics == &APFloat::IEEEdouble()) return value.convertToDouble();
  bool lost = false;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return value.convertToDouble();
}

/// Formats without infinities take their largest value for them; those without
/// NaN a negative zero, as ONNX does.
static APFloat special(const llvm::fltSemantics &semantics, double v) {
  if (std::isnan(v))
    return APFloat::semanticsHasNaN(semantics) ? APFloat::getNaN(semantics)
                                               : APFloat::getZero(semantics, true);
  if (APFloat::semanticsHasInf(semantics)) return APFloat::getInf(semantics, v < 0);
  return APFloat::semanticsHasNaN(semantics) ? APFloat::getNaN(semantics)
                                             : APFloat::getLargest(semantics, v < 0);
}

static uint64_t encode(const llvm::fltSemantics &semantics, double v) {
  APFloat value(v);
  bool lost = false;
  if (!std::isfinite(v))
    value = special(semantics, v);
  else if (v < 0 && !APFloat::semanticsHasSignedRepr(semantics))
    value = APFloat::getNaN(semantics);
  else if (v == 0 && !APFloat::semanticsHasZero(semantics))
    value = APFloat::getSmallest(semantics);
  else
    value.convert(semantics, APFloat::rmNearestTiesToEven, &lost);
  return value.bitcastToAPInt().getZExtValue();
}

/// The nearest float towards zero with its lowest bit set when inexact: rounding
/// it again to at most 22 bits gives what rounding `v` once would have.
static float roundToOdd(double v) {
  float f = static_cast<float>(v);
  if (double(f) == v || std::isnan(v)) return f;
  if (std::isinf(f) || std::fabs(double(f)) > std::fabs(v)) f = std::nextafterf(f, 0.0f);
  return std::bit_cast<float>(std::bit_cast<uint32_t>(f) | 1u);
}

static uint16_t toBFloat(double v) {
  uint32_t bits = std::bit_cast<uint32_t>(roundToOdd(v));
  if (std::isnan(v)) return uint16_t((bits >> 16) | 0x40);
  return uint16_t((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

static double fromBFloat(uint16_t bits) { return std::bit_cast<float>(uint32_t(bits) << 16); }

static uint16_t toHalf(double v) { return std::bit_cast<uint16_t>(static_cast<_Float16>(v)); }
static double fromHalf(uint16_t bits) { return std::bit_cast<_Float16>(bits); }

/// All values of a float of at most eight bits.
static std::array<double, 256> tableOf(Type type) {
  const llvm::fltSemantics &semantics = cast<FloatType>(type).getFloatSemantics();
  unsigned width = type.getIntOrFloatBitWidth();
  std::array<double, 256> table{};
  for (unsigned i = 0; i < (1u << width); ++i) table[i] = decode(semantics, i, width);
  return table;
}

template <typename T, typename Out>
static void convertAll(const Tensor &t, std::vector<Out> &out) {
  ArrayRef<T> data = t.data<T>();
  out.assign(data.begin(), data.end());
}

template <typename Out>
static std::vector<Out> convertInts(const Tensor &t) {
  std::vector<Out> out;
  bool u = isUnsigned(t.element());
  switch (t.elementBytes()) {
    case 1: u ? convertAll<uint8_t>(t, out) : convertAll<int8_t>(t, out); break;
    case 2: u ? convertAll<uint16_t>(t, out) : convertAll<int16_t>(t, out); break;
    case 4: u ? convertAll<uint32_t>(t, out) : convertAll<int32_t>(t, out); break;
    case 8: u ? convertAll<uint64_t>(t, out) : convertAll<int64_t>(t, out); break;
    default: out.resize(t.size());
  }
  return out;
}

std::vector<int64_t> toInts(const Tensor &t) { return convertInts<int64_t>(t); }

std::vector<double> toDoubles(const Tensor &t) {
  Type type = t.element();
  if (!isFloat(type)) return convertInts<double>(t);
  std::vector<double> out;
  if (type.isF32()) {
    convertAll<float>(t, out);
  } else if (type.isF64()) {
    convertAll<double>(t, out);
  } else if (type.isF16() || type.isBF16()) {
    out.reserve(t.size());
    for (uint16_t bits : t.data<uint16_t>())
      out.push_back(type.isF16() ? fromHalf(bits) : fromBFloat(bits));
  } else if (t.elementBytes() == 1) {
    std::array<double, 256> table = tableOf(type);
    out.reserve(t.size());
    unsigned mask = (1u << type.getIntOrFloatBitWidth()) - 1;
    for (uint8_t bits : t.data<uint8_t>()) out.push_back(table[bits & mask]);
  } else {
    out.resize(t.size());
  }
  return out;
}

void storeDoubles(Tensor &t, ArrayRef<double> values) {
  Type type = t.element();
  if (type.isF32()) {
    llvm::transform(values, t.mutableData<float>().begin(), [](double v) { return float(v); });
  } else if (type.isF64()) {
    llvm::copy(values, t.mutableData<double>().begin());
  } else if (type.isF16()) {
    llvm::transform(values, t.mutableData<uint16_t>().begin(), toHalf);
  } else if (type.isBF16()) {
    llvm::transform(values, t.mutableData<uint16_t>().begin(), toBFloat);
  } else if (isFloat(type) && t.elementBytes() == 1) {
    const llvm::fltSemantics &semantics = cast<FloatType>(type).getFloatSemantics();
    llvm::transform(values, t.mutableData<uint8_t>().begin(),
                    [&](double v) { return uint8_t(encode(semantics, v)); });
  }
}

int64_t wrapInt(Type type, int64_t v) {
  unsigned width = type.getIntOrFloatBitWidth();
  if (width >= 64) return v;
  uint64_t bits = static_cast<uint64_t>(v) << (64 - width);
  return isUnsigned(type) ? static_cast<int64_t>(bits >> (64 - width))
                          : static_cast<int64_t>(bits) >> (64 - width);
}

template <typename T>
static void storeAs(Tensor &t, ArrayRef<int64_t> values) {
  T *to = t.mutableData<T>().data();
  for (size_t i = 0; i < values.size(); ++i) to[i] = static_cast<T>(values[i]);
}

void storeInts(Tensor &t, ArrayRef<int64_t> values) {
  Type type = t.element();
  if (type.getIntOrFloatBitWidth() < 8) {
    int8_t *to = t.mutableData<int8_t>().data();
    for (size_t i = 0; i < values.size(); ++i) to[i] = int8_t(wrapInt(type, values[i]));
    return;
  }
  switch (t.elementBytes()) {
    case 1: return storeAs<uint8_t>(t, values);
    case 2: return storeAs<uint16_t>(t, values);
    case 4: return storeAs<uint32_t>(t, values);
    case 8: return storeAs<uint64_t>(t, values);
  }
}

double roundTo(Type type, double v) {
  if (type.isF64()) return v;
  if (type.isF32()) return float(v);
  if (type.isF16()) return fromHalf(toHalf(v));
  if (type.isBF16()) return fromBFloat(toBFloat(v));
  const llvm::fltSemantics &semantics = cast<FloatType>(type).getFloatSemantics();
  return decode(semantics, encode(semantics, v), type.getIntOrFloatBitWidth());
}

double largestFinite(Type type) {
  APFloat value = APFloat::getLargest(cast<FloatType>(type).getFloatSemantics());
  bool lost = false;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return value.convertToDouble();
}

int64_t lowestInt(Type type) {
  unsigned width = type.getIntOrFloatBitWidth();
  if (isUnsigned(type)) return 0;
  return width >= 64 ? INT64_MIN : -(int64_t(1) << (width - 1));
}

int64_t highestInt(Type type) {
  unsigned width = type.getIntOrFloatBitWidth();
  if (isUnsigned(type)) return width >= 64 ? -1 : (int64_t(1) << width) - 1;
  return width >= 64 ? INT64_MAX : (int64_t(1) << (width - 1)) - 1;
}

}  // namespace adze::reference
