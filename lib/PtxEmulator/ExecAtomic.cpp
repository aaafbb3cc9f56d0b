// atom and red: one lane after the other, in the order of lanes.
#include "lib/PtxEmulator/Exec.h"
#include "lib/PtxEmulator/Numbers.h"

#include <cstring>

namespace adze::ptx {

namespace {

enum Op : uint32_t { kAdd, kMin, kMax, kAnd, kOr, kXor, kExchange, kCompare, kIncrement, kDecrement };
constexpr std::pair<std::string_view, Op> kOps[] = {
    {"add", kAdd}, {"min", kMin}, {"max", kMax}, {"and", kAnd}, {"or", kOr}, {"xor", kXor},
    {"exch", kExchange}, {"cas", kCompare}, {"inc", kIncrement}, {"dec", kDecrement}};

enum Format : uint32_t { kUnsigned, kSigned, kFormatF16, kFormatF16x2, kFormatBf16, kFormatBf16x2, kFormatF32, kFormatF64 };

Half addHalf(Half a, Half b) { return toHalf(toFloat(a) + toFloat(b)); }
Bf16 addBf(Bf16 a, Bf16 b) { return toBf16(toFloat(a) + toFloat(b)); }

uint64_t addFloat(Format format, uint64_t old, uint64_t b) {
  auto x = static_cast<uint32_t>(old), y = static_cast<uint32_t>(b);
  auto h = [](uint32_t v) { return static_cast<uint16_t>(v); };
  switch (format) {
    case kFormatF16: return addHalf({h(x)}, {h(y)}).bits;
    case kFormatBf16: return addBf({h(x)}, {h(y)}).bits;
    case kFormatF16x2: return pair(addHalf({h(x)}, {h(y)}), addHalf({h(x >> 16)}, {h(y >> 16)})).bits;
    case kFormatBf16x2: return pair(addBf({h(x)}, {h(y)}), addBf({h(x >> 16)}, {h(y >> 16)})).bits;
    case kFormatF32: return bitsAs<uint32_t>(canonical(bitsAs<float>(x) + bitsAs<float>(y)));
    default: return bitsAs<uint64_t>(bitsAs<double>(old) + bitsAs<double>(b));
  }
}

/// The new value; operands have `bytes` bytes and zeros above.
uint64_t combine(Op op, Format format, int bytes, uint64_t old, uint64_t b, uint64_t c) {
  auto asSigned = [&](uint64_t v) { return static_cast<int64_t>(v << (64 - 8 * bytes)) >> (64 - 8 * bytes); };
  bool less = format == kSigned ? asSigned(b) < asSigned(old) : b < old;
  switch (op) {
    case kAdd: return format >= kFormatF16 ? addFloat(format, old, b) : old + b;
    case kMin: return less ? b : old;
    case kMax: return less ? old : b;
    case kAnd: return old & b;
    case kOr: return old | b;
    case kXor: return old ^ b;
    case kExchange: return b;
    case kCompare: return old == b ? c : old;
    case kIncrement: return old >= b ? 0 : old + 1;
    case kDecrement: return old == 0 || old > b ? b : old - 1;
  }
  return old;
}

/// The bytes at a lane's address, in global or shared memory.
uint8_t *target(const Step &step, const Argument &arg, uint32_t bytes, int lane) {
  uint64_t address = step.address(arg, lane);
  bool generic = step.detail().space == Space::Generic;
  bool shared = step.detail().space == Space::Shared || (generic && address >> kWindowBits == kSharedWindow >> kWindowBits);
  if (!shared) {
    uint8_t *p = globalBytes(step, address, bytes, true, lane);
    return p ? globalBytes(step, address, bytes, false, lane) : nullptr;
  }
  if (generic) address -= kSharedWindow;
  auto a = static_cast<uint32_t>(address);
  if (!sharedRead(step, a, bytes, lane, true) || !sharedWrite(step, a, bytes, lane, true)) return nullptr;
  return step.cta.shared.data() + a;
}

void apply(Step &step, const Argument *result, const Argument &where, const Argument &b, const Argument *c) {
  const Detail &d = step.detail();
  uint32_t bytes = d.elementBytes, n = static_cast<uint32_t>(b.rows.size());
  SiteCounters &site = step.site();
  ++site.requests, site.bytes += uint64_t{bytes} * n * static_cast<uint32_t>(std::popcount(step.mask));
  uint64_t keep = bytes == 8 ? ~uint64_t{0} : (uint64_t{1} << 8 * bytes) - 1;
  eachLane(step.mask, [&](int l) {
    uint8_t *p = target(step, where, bytes * n, l);
    for (uint32_t i = 0; i < n; ++i) {
      uint64_t old = 0;
      if (p) std::memcpy(&old, p + bytes * i, bytes);
      uint64_t operand = step.value(b, i, l) & keep, third = c && c->present ? step.value(*c, i, l) & keep : 0;
      uint64_t fresh = combine(static_cast<Op>(d.values[0]), static_cast<Format>(d.values[1]), static_cast<int>(bytes), old, operand, third);
      if (p) std::memcpy(p + bytes * i, &fresh, bytes);
      if (!result) continue;
      if (result->bits[i] == 64) step.row64(result->rows[i])[l] = old;
      else step.row32(result->rows[i])[l] = static_cast<uint32_t>(old);
    }
  });
}

}  // namespace

bool prepareAtomic(Detail &d, std::string &message) {
  for (std::string_view w : d.words) {
    for (auto [name, op] : kOps)
      if (w == name) d.values[0] = op;
    if (w == "f16") d.values[1] = kFormatF16;
    if (w == "f16x2") d.values[1] = kFormatF16x2;
    if (w == "bf16") d.values[1] = kFormatBf16;
    if (w == "bf16x2") d.values[1] = kFormatBf16x2;
    if (w == "f32") d.values[1] = kFormatF32;
    if (w == "f64") d.values[1] = kFormatF64;
  }
  if (d.kind == 's') d.values[1] = kSigned;
  if (d.values[1] >= kFormatF16 && d.values[0] != kAdd && d.values[0] != kExchange)
    return message = "only additions of floats are emulated", false;
  if (d.space == Space::Local || d.space == Space::Param) return message = "atomics are for global and shared memory", false;
  return true;
}

Flow execAtomic(Step &step) {
  const Detail &d = step.detail();
  apply(step, &d.args[0], d.args[1], d.args[2], d.args.size() > 3 ? &d.args[3] : nullptr);
  return Flow::Next;
}

Flow execReduce(Step &step) {
  const Detail &d = step.detail();
  apply(step, nullptr, d.args[0], d.args[1], nullptr);
  return Flow::Next;
}

}  // namespace adze::ptx
