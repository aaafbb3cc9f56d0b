#include "lib/PtxEmulator/Matrix.h"

#include "lib/PtxEmulator/Numbers.h"

#include <charconv>

namespace adze::ptx {

static constexpr ElementInfo kElements[] = {
    {"f16", Element::F16, 16, false},  {"bf16", Element::Bf16, 16, false}, {"tf32", Element::Tf32, 32, false},
    {"e4m3", Element::E4m3, 8, false}, {"e5m2", Element::E5m2, 8, false},  {"s8", Element::S8, 8, true},
    {"u8", Element::U8, 8, true},      {"s4", Element::S4, 4, true},       {"u4", Element::U4, 4, true},
    {"f64", Element::F64, 64, false},  {"f32", Element::F32, 32, false},   {"s32", Element::S32, 32, true}};

std::optional<ElementInfo> elementNamed(std::string_view name) {
  for (const ElementInfo &e : kElements)
    if (e.name == name) return e;
  return std::nullopt;
}
const ElementInfo &infoOf(Element e) { return kElements[static_cast<int>(e)]; }

float elementToFloat(Element e, uint32_t bits) {
  switch (e) {
    case Element::F16: return toFloat(Half{static_cast<uint16_t>(bits)});
    case Element::Bf16: return toFloat(Bf16{static_cast<uint16_t>(bits)});
    case Element::Tf32: return bitsAs<float>(bits & 0xffffe000u);  // the rest is ignored
    case Element::E4m3: return static_cast<float>(decodeFloat(bits & 0xff, kE4m3));
    case Element::E5m2: return static_cast<float>(decodeFloat(bits & 0xff, kE5m2));
    case Element::F32: return bitsAs<float>(bits);
    default: return static_cast<float>(elementToInt(e, bits));
  }
}

int32_t elementToInt(Element e, uint32_t bits) {
  switch (e) {
    case Element::S8: return static_cast<int8_t>(bits);
    case Element::U8: return static_cast<uint8_t>(bits);
    case Element::S4: return static_cast<int8_t>(bits << 4) >> 4;
    case Element::U4: return static_cast<int32_t>(bits & 15);
    default: return static_cast<int32_t>(bits);
  }
}

void multiplyFloat(float *c, const float *a, const float *b, int m, int n, int k) {
  for (int i = 0; i < m; ++i)
    for (int x = 0; x < k; ++x) {
      float v = a[i * k + x];
      for (int j = 0; j < n; ++j) c[i * n + j] += v * b[x * n + j];
    }
}

void multiplyInt(int32_t *c, const int32_t *a, const int32_t *b, int m, int n, int k, bool saturate) {
  for (int i = 0; i < m; ++i)
    for (int j = 0; j < n; ++j) {
      int64_t sum = c[i * n + j];
      for (int x = 0; x < k; ++x) sum += static_cast<int64_t>(a[i * k + x]) * b[x * n + j];
      if (saturate) sum = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
      c[i * n + j] = static_cast<int32_t>(sum);
    }
}

std::optional<Shape> shapeNamed(std::string_view text) {
  Shape s;
  int *parts[] = {&s.m, &s.n, &s.k};
  const char *at = text.data(), *end = at + text.size();
  for (int i = 0; i < 3; ++i) {
    if (at == end || *at != "mnk"[i]) return std::nullopt;
    auto [next, bad] = std::from_chars(at + 1, end, *parts[i]);
    if (bad != std::errc()) return std::nullopt;
    at = next;
  }
  return at == end ? std::optional(s) : std::nullopt;
}

}  // namespace adze::ptx
