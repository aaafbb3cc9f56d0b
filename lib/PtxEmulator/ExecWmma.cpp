// wmma: fragments whose layout is nobody's business but ours. Element i of the
// matrix, row-major, is element i % E of lane i / E, with E elements a lane;
// operands of f16 keep everything twice, as the manual asks for.
#include "lib/PtxEmulator/Exec.h"
#include "lib/PtxEmulator/Matrix.h"
#include "lib/PtxEmulator/Numbers.h"

#include <cstring>

namespace adze::ptx {

namespace {

struct Part {
  int rows, columns;   ///< of the operand's matrix
  Element element;
  int registers, perRegister;
};

std::optional<Part> partOf(char which, Shape s, Element e) {
  int bits = infoOf(e).bits;
  Part p{which == 'b' ? s.k : s.m, which == 'a' ? s.k : s.n, e, 0, 32 / bits};
  bool known = (s.m * s.n == 256 && s.k == (e == Element::Tf32 ? 8 : 16)) ||
               (s.m * s.n == 256 && s.k == 8 && (which == 'c' || which == 'd'));
  if (!known) return std::nullopt;
  p.registers = p.rows * p.columns * bits / 1024;
  if (e == Element::F16 && (which == 'a' || which == 'b')) p.registers = 8;
  return p;
}

/// Calls f(row, column, lane, register, shift) for each element, copies last.
template <class F>
void eachElement(const Part &p, F f) {
  int perLane = p.registers * p.perRegister, count = p.rows * p.columns;
  for (int i = 0; i < perLane * kLanes; ++i) {
    int e = i % count, lane = i / perLane, at = i % perLane;
    f(e / p.columns, e % p.columns, lane, at / p.perRegister, at % p.perRegister * infoOf(p.element).bits);
  }
}

uint32_t keepOf(Element e) { return infoOf(e).bits == 32 ? ~0u : (1u << infoOf(e).bits) - 1; }

bool prepareTransfer(Detail &d, std::string &message, const Argument &values) {
  std::optional<Shape> shape;
  std::optional<Element> element;
  char which = 'd';
  for (std::string_view w : d.words) {
    if (auto s = shapeNamed(w)) shape = s;
    if (auto e = elementNamed(w)) element = e->element;
    if (w == "a" || w == "b" || w == "c") which = w[0];
    d.values[0] |= w == "col";
  }
  std::optional<Part> part;
  if (shape && element) part = partOf(which, *shape, *element);
  if (!part) return message = "not a form of wmma that is emulated", false;
  if (values.rows.size() != static_cast<size_t>(part->registers)) return message = "a fragment has a wrong number of registers", false;
  d.plan = std::make_shared<Part>(*part);
  return true;
}

/// The address of an element, from lane 0's: all lanes give the same.
uint64_t addressOf(const Step &step, const Part &p, const Argument &base, const Argument &stride, int row, int column) {
  uint64_t ld = stride.present ? static_cast<uint32_t>(step.value(stride, 0, 0))
                               : static_cast<uint64_t>(step.detail().values[0] ? p.rows : p.columns);
  uint64_t index = step.detail().values[0] ? static_cast<uint64_t>(column) * ld + static_cast<uint64_t>(row)
                                           : static_cast<uint64_t>(row) * ld + static_cast<uint64_t>(column);
  return step.address(base, 0) + index * (infoOf(p.element).bits / 8);
}

uint8_t *elementBytes(const Step &step, uint64_t address, uint32_t bytes, bool reads) {
  Space space = step.detail().space;
  bool shared = space == Space::Shared || (space == Space::Generic && address >> kWindowBits == kSharedWindow >> kWindowBits);
  if (!shared) return globalBytes(step, address, bytes, reads, 0);
  auto a = static_cast<uint32_t>(space == Space::Generic ? address - kSharedWindow : address);
  if (!(reads ? sharedRead(step, a, bytes, -1) : sharedWrite(step, a, bytes, -1))) return nullptr;
  return step.cta.shared.data() + a;
}

}  // namespace

bool prepareWmmaLoad(Detail &d, std::string &message) { return prepareTransfer(d, message, d.args[0]); }
bool prepareWmmaStore(Detail &d, std::string &message) { return prepareTransfer(d, message, d.args[1]); }

Flow execWmmaLoad(Step &step) {
  const Detail &d = step.detail();
  if (!wholeWarp(step)) return Flow::Next;
  const Part &p = *static_cast<const Part *>(d.plan.get());
  uint32_t bytes = infoOf(p.element).bits / 8, matrix[512] = {};
  for (int i = 0; i < p.rows * p.columns; ++i) {
    const uint8_t *at = elementBytes(step, addressOf(step, p, d.args[1], d.args[2], i / p.columns, i % p.columns), bytes, true);
    if (at) std::memcpy(&matrix[i], at, bytes);
  }
  step.site().bytes += bytes * static_cast<uint64_t>(p.rows * p.columns);
  eachElement(p, [&](int r, int c, int lane, int reg, int shift) {
    uint32_t &to = step.row32(d.args[0].rows[static_cast<size_t>(reg)])[lane];
    if (shift == 0) to = 0;
    to |= matrix[r * p.columns + c] << shift;
  });
  return Flow::Next;
}

Flow execWmmaStore(Step &step) {
  const Detail &d = step.detail();
  if (!wholeWarp(step)) return Flow::Next;
  const Part &p = *static_cast<const Part *>(d.plan.get());
  uint32_t bytes = infoOf(p.element).bits / 8;
  step.site().bytes += bytes * static_cast<uint64_t>(p.rows * p.columns);
  eachElement(p, [&](int r, int c, int lane, int reg, int shift) {
    uint32_t v = step.row32(d.args[1].rows[static_cast<size_t>(reg)])[lane] >> shift & keepOf(p.element);
    uint8_t *at = elementBytes(step, addressOf(step, p, d.args[0], d.args[2], r, c), bytes, false);
    if (at) std::memcpy(at, &v, bytes);
  });
  return Flow::Next;
}

namespace {
struct WmmaPlan {
  Shape shape;
  Part d, a, b, c;
  bool saturate = false;
};
}  // namespace

/// Types at the opcode's end: D, C of two (operands f16), or D, A, B, C.
bool prepareWmmaMma(Detail &d, std::string &message) {
  std::vector<Element> types;
  WmmaPlan plan{};
  for (std::string_view w : d.words) {
    if (auto s = shapeNamed(w)) plan.shape = *s;
    if (auto e = elementNamed(w)) types.push_back(e->element);
    plan.saturate |= w == "satfinite";
  }
  if (types.size() == 2) types = {types[0], Element::F16, Element::F16, types[1]};
  if (types.size() != 4) return message = "not a form of wmma that is emulated", false;
  auto pd = partOf('d', plan.shape, types[0]), pa = partOf('a', plan.shape, types[1]);
  auto pb = partOf('b', plan.shape, types[2]), pc = partOf('c', plan.shape, types[3]);
  if (!pd || !pa || !pb || !pc) return message = "not a form of wmma that is emulated", false;
  plan.d = *pd, plan.a = *pa, plan.b = *pb, plan.c = *pc;
  const Part *parts[] = {&plan.d, &plan.a, &plan.b, &plan.c};
  for (int i = 0; i < 4; ++i)
    if (d.args[i].rows.size() != static_cast<size_t>(parts[i]->registers))
      return message = "a fragment has a wrong number of registers", false;
  d.plan = std::make_shared<WmmaPlan>(plan);
  return true;
}

template <class T, class F>
static void collect(const Step &step, const Part &p, const Argument &arg, T *to, F convert) {
  eachElement(p, [&](int r, int c, int lane, int reg, int shift) {
    to[r * p.columns + c] = convert(p.element, step.row32(arg.rows[static_cast<size_t>(reg)])[lane] >> shift & keepOf(p.element));
  });
}

Flow execWmmaMma(Step &step) {
  const Detail &d = step.detail();
  if (!wholeWarp(step)) return Flow::Next;
  const WmmaPlan &p = *static_cast<const WmmaPlan *>(d.plan.get());
  Shape s = p.shape;
  bool integer = infoOf(p.a.element).integer;
  float fa[512], fb[512], fc[256];
  int32_t ia[512], ib[512], ic[256];
  if (integer) {
    collect(step, p.a, d.args[1], ia, elementToInt), collect(step, p.b, d.args[2], ib, elementToInt);
    collect(step, p.c, d.args[3], ic, elementToInt);
    multiplyInt(ic, ia, ib, s.m, s.n, s.k, p.saturate);
  } else {
    collect(step, p.a, d.args[1], fa, elementToFloat), collect(step, p.b, d.args[2], fb, elementToFloat);
    collect(step, p.c, d.args[3], fc, elementToFloat);
    multiplyFloat(fc, fa, fb, s.m, s.n, s.k, p.d.element == Element::F16 ? TensorSum::Half : TensorSum::Float);
  }
  eachElement(p.d, [&](int r, int c, int lane, int reg, int shift) {
    int i = r * s.n + c;
    uint32_t v = integer ? static_cast<uint32_t>(ic[i])
                 : p.d.element == Element::F16 ? toHalf(fc[i]).bits : bitsAs<uint32_t>(canonical(fc[i]));
    uint32_t &to = step.row32(d.args[0].rows[static_cast<size_t>(reg)])[lane];
    to = (shift == 0 ? 0 : to) | v << shift;
  });
  step.site().flops += 2ull * static_cast<uint64_t>(s.m * s.n * s.k);
  return Flow::Next;
}

}  // namespace adze::ptx
