// ldmatrix, stmatrix, movmatrix and mma.sync. Fragment layouts: PTX ISA,
// "Matrix fragments for mma".
#include "lib/PtxEmulator/Exec.h"
#include "lib/PtxEmulator/Matrix.h"
#include "lib/PtxEmulator/Numbers.h"

#include <cstring>
#include <memory>

namespace adze::ptx {

// ---- ldmatrix and its kin: 8 x 8 matrices of 16-bit elements

bool prepareMatrix(Detail &d, std::string &message) {
  for (std::string_view w : d.words) {
    d.values[0] = w == "x1" ? 1 : w == "x2" ? 2 : w == "x4" ? 4 : d.values[0];
    d.values[1] |= w == "trans";
  }
  if (!d.values[0]) return true;  // movmatrix
  for (const Argument &a : d.args)
    if (!a.rows.empty() && a.rows.size() != d.values[0]) return message = "the vector has a wrong number of registers", false;
  return true;
}

bool wholeWarp(const Step &step) {
  if (step.mask == ~0u) return true;
  step.find(FindingKind::DivergentCollective, [&] {
    return "warp " + std::to_string(step.warp.index) + ": only lanes " + hex(step.mask) + " execute it";
  });
  return false;
}

uint32_t sharedOffset(const Step &step, const Argument &arg, int lane) {
  uint64_t a = step.address(arg, lane);
  if (step.detail().space == Space::Generic) a -= kSharedWindow;
  return a > ~0u ? ~0u : static_cast<uint32_t>(a);
}

Flow execLdmatrix(Step &step) {
  const Detail &d = step.detail();
  if (!wholeWarp(step)) return Flow::Next;
  uint16_t m[4][8][8];
  for (uint32_t i = 0; i < d.values[0]; ++i) {
    uint32_t rows[8];
    for (int r = 0; r < 8; ++r) {
      rows[r] = sharedOffset(step, d.args[1], static_cast<int>(8 * i) + r);
      if (sharedRead(step, rows[r], 16, -1)) std::memcpy(m[i][r], step.cta.shared.data() + rows[r], 16);
      else std::memset(m[i][r], 0xff, 16);
    }
    countBanks(step, rows, 8, 16);
  }
  for (uint32_t i = 0; i < d.values[0]; ++i) {
    uint32_t *to = step.row32(d.args[0].rows[i]);
    for (int l = 0; l < kLanes; ++l) {
      int r = l / 4, c = l % 4 * 2;
      uint32_t low = d.values[1] ? m[i][c][r] : m[i][r][c], high = d.values[1] ? m[i][c + 1][r] : m[i][r][c + 1];
      to[l] = low | high << 16;
    }
  }
  return Flow::Next;
}

Flow execStmatrix(Step &step) {
  const Detail &d = step.detail();
  if (!wholeWarp(step)) return Flow::Next;
  for (uint32_t i = 0; i < d.values[0]; ++i) {
    uint16_t m[8][8];
    const uint32_t *from = step.row32(d.args[1].rows[i]);
    for (int l = 0; l < kLanes; ++l)
      for (int e = 0; e < 2; ++e) {
        int r = l / 4, c = l % 4 * 2 + e;
        (d.values[1] ? m[c][r] : m[r][c]) = static_cast<uint16_t>(from[l] >> 16 * e);
      }
    uint32_t rows[8];
    for (int r = 0; r < 8; ++r) {
      rows[r] = sharedOffset(step, d.args[0], static_cast<int>(8 * i) + r);
      if (sharedWrite(step, rows[r], 16, -1)) std::memcpy(step.cta.shared.data() + rows[r], m[r], 16);
    }
    countBanks(step, rows, 8, 16);
  }
  return Flow::Next;
}

Flow execMovmatrix(Step &step) {
  const Detail &d = step.detail();
  if (!wholeWarp(step)) return Flow::Next;
  uint16_t m[8][8];
  const uint32_t *from = step.row32(d.args[1].rows[0]);
  for (int l = 0; l < kLanes; ++l)
    for (int e = 0; e < 2; ++e) m[l / 4][l % 4 * 2 + e] = static_cast<uint16_t>(from[l] >> 16 * e);
  uint32_t *to = step.row32(d.args[0].rows[0]);
  for (int l = 0; l < kLanes; ++l) to[l] = m[l % 4 * 2][l / 4] | static_cast<uint32_t>(m[l % 4 * 2 + 1][l / 4]) << 16;
  return Flow::Next;
}

// ---- mma

namespace {

/// Where each element of a fragment lies: [(register * elements) + e][lane].
struct Fragment {
  int elements = 1;                    ///< a register
  std::vector<std::array<uint16_t, kLanes>> at;
  int group = 0;                       ///< registers whose elements are neighbours, lane by lane of a quad; 0: not so
};

struct MmaPlan {
  Shape shape;
  Element a, b, c, d;
  bool saturate = false, isVolta = false;
  Fragment fragA, fragB, fragC, fragD;
};

using Place = std::pair<int, int>;  // row, column

/// Whether element e of register q of the groups is neighbour (lane * group + q) * elements + e of its quad's first.
bool isGrouped(const Fragment &f, size_t group) {
  size_t in = group * static_cast<size_t>(f.elements);
  if (f.at.size() % in) return false;
  for (size_t i = 0; i < f.at.size(); ++i)
    for (size_t l = 0; l < kLanes; ++l)
      if (f.at[i][l] != f.at[i - i % in][l / 4 * 4] + l % 4 * in + i % in) return false;
  return true;
}

template <class F>
Fragment makeFragment(int registers, int elements, int columns, F place) {
  Fragment f;
  f.elements = elements;
  for (int r = 0; r < registers; ++r)
    for (int e = 0; e < elements; ++e) {
      f.at.emplace_back();
      for (int l = 0; l < kLanes; ++l) {
        Place p = place(l, r, e);
        f.at.back()[l] = static_cast<uint16_t>(p.first * columns + p.second);
      }
    }
  f.group = isGrouped(f, 1) ? 1 : elements == 1 && isGrouped(f, 2) ? 2 : 0;
  return f;
}

Fragment operandA(Shape s, int bits) {
  int per = 32 / bits, registers = s.m * s.k * bits / 1024;
  return makeFragment(registers, per, s.k, [=](int l, int r, int e) {
    int half = s.m == 16 ? r & 1 : 0, step = s.m == 16 ? r >> 1 : r;
    return Place(l / 4 + 8 * half, l % 4 * per + step * 4 * per + e);
  });
}
Fragment operandB(Shape s, int bits) {
  int per = 32 / bits, registers = s.n * s.k * bits / 1024;
  return makeFragment(registers, per, s.n, [=](int l, int r, int e) { return Place(l % 4 * per + r * 4 * per + e, l / 4); });
}
Fragment accumulator(Shape s, int bits) {
  int per = 32 / bits, registers = s.m * s.n * bits / 1024;
  return makeFragment(registers, per, s.n, [=](int l, int r, int e) {
    int i = r * per + e;
    return Place(l / 4 + 8 * (i >> 1), l % 4 * 2 + (i & 1));
  });
}

/// m8n8k4: four products at once, one for each quad pair (lanes q, q + 4 …).
/// Rows of pair q are rows 8q … of A and C; columns 8q … of B hold its B.
Fragment voltaOperand(bool rowsAcross, bool isA) {
  return makeFragment(2, 2, isA ? 4 : 32, [=](int l, int r, int e) {
    int i = r * 2 + e, pair = l % 16 / 4, half = l < 16 ? 0 : 4;
    if (isA) return rowsAcross ? Place(8 * pair + l % 4 + half, i) : Place(8 * pair + i + half, l % 4);
    return rowsAcross ? Place(l % 4, 8 * pair + i + half) : Place(i, 8 * pair + l % 4 + half);
  });
}
Fragment voltaAccumulator(bool isF32) {
  return makeFragment(isF32 ? 8 : 4, isF32 ? 1 : 2, 8, [=](int l, int r, int e) {
    int pair = l % 16 / 4, half = l < 16 ? 0 : 4, i = isF32 ? r : r * 2 + e;
    if (!isF32) return Place(8 * pair + l % 4 + half, i);
    return Place(8 * pair + (l & 1) + (i & 2) + half, (i & 4) + (l & 2) + (i & 1));
  });
}

/// Calls f(index, register's lane, element) for all elements of the fragment, neighbours one after the other.
template <int Group, int Elements, class F>
void forGroups(const Step &step, const Fragment &fragment, const Argument &arg, F f) {
  for (size_t i = 0; i < fragment.at.size(); i += Group * Elements) {
    uint32_t *rows[Group];
    for (size_t q = 0; q < Group; ++q) rows[q] = step.row32(arg.rows[i / Elements + q]);
    for (int quad = 0; quad < kLanes; quad += 4) {
      int at = fragment.at[i][static_cast<size_t>(quad)];
      for (int l = quad; l < quad + 4; ++l)
        for (int q = 0; q < Group; ++q)
          for (int e = 0; e < Elements; ++e) f(at++, rows[q][l], e);
    }
  }
}

/// The same for what lies in groups; false for what does not.
template <class F>
bool forGrouped(const Step &step, const Fragment &fragment, const Argument &arg, F f) {
  if (fragment.group == 2) return forGroups<2, 1>(step, fragment, arg, f), true;
  if (fragment.group != 1) return false;
  if (fragment.elements == 1) return forGroups<1, 1>(step, fragment, arg, f), true;
  if (fragment.elements == 2) return forGroups<1, 2>(step, fragment, arg, f), true;
  if (fragment.elements == 4) return forGroups<1, 4>(step, fragment, arg, f), true;
  return false;
}

template <class T, class F>
void gather(const Step &step, const Fragment &f, const Argument &arg, int bits, T *to, F convert) {
  uint32_t keep = bits == 32 ? ~0u : (1u << bits) - 1;
  if (forGrouped(step, f, arg, [&](int at, uint32_t lane, int e) { to[at] = convert(lane >> bits * e & keep); })) return;
  for (size_t i = 0; i < f.at.size(); ++i) {
    const uint32_t *row = step.row32(arg.rows[i / static_cast<size_t>(f.elements)]);
    int shift = bits * static_cast<int>(i % static_cast<size_t>(f.elements));
    for (int l = 0; l < kLanes; ++l) to[f.at[i][l]] = convert(row[l] >> shift & keep);
  }
}

void scatterFloat(const Step &step, const Fragment &f, const Argument &arg, const float *from) {
  if (f.group == 2)
    return forGroups<2, 1>(step, f, arg, [&](int at, uint32_t &lane, int) { lane = bitsAs<uint32_t>(canonical(from[at])); });
  for (size_t i = 0; i < f.at.size(); i += static_cast<size_t>(f.elements)) {
    uint32_t *row = step.row32(arg.rows[i / static_cast<size_t>(f.elements)]);
    for (int l = 0; l < kLanes; ++l)
      row[l] = f.elements == 1 ? bitsAs<uint32_t>(canonical(from[f.at[i][l]]))
                               : pair(toHalf(from[f.at[i][l]]), toHalf(from[f.at[i + 1][l]])).bits;
  }
}

void runFloat(const Step &step, const MmaPlan &p) {
  const Detail &d = step.detail();
  float a[32 * 64], b[64 * 32], c[32 * 8];
  withElement(p.a, [&](auto convert) { gather(step, p.fragA, d.args[1], infoOf(p.a).bits, a, convert); });
  withElement(p.b, [&](auto convert) { gather(step, p.fragB, d.args[2], infoOf(p.b).bits, b, convert); });
  withElement(p.c, [&](auto convert) { gather(step, p.fragC, d.args[3], infoOf(p.c).bits, c, convert); });
  if (p.isVolta) {
    for (int q = 0; q < 4; ++q) {
      float own[4 * 8];
      for (int k = 0; k < 4; ++k) std::memcpy(own + 8 * k, b + 32 * k + 8 * q, 32);
      multiplyFloat(c + 64 * q, a + 32 * q, own, 8, 8, 4, p.d == Element::F16 ? TensorSum::Half : TensorSum::Float);
    }
  } else if (infoOf(p.a).bits == 8) {
    multiplyEighths(c, a, b, p.shape.m, p.shape.n, p.shape.k);
  } else {
    multiplyFloat(c, a, b, p.shape.m, p.shape.n, p.shape.k, p.d == Element::F16 ? TensorSum::Half : TensorSum::Float);
  }
  scatterFloat(step, p.fragD, d.args[0], c);
}

void runInt(const Step &step, const MmaPlan &p) {
  const Detail &d = step.detail();
  int32_t a[16 * 64], b[64 * 8], c[16 * 8];
  gather(step, p.fragA, d.args[1], infoOf(p.a).bits, a, [&](uint32_t x) { return elementToInt(p.a, x); });
  gather(step, p.fragB, d.args[2], infoOf(p.b).bits, b, [&](uint32_t x) { return elementToInt(p.b, x); });
  gather(step, p.fragC, d.args[3], 32, c, [](uint32_t x) { return static_cast<int32_t>(x); });
  multiplyInt(c, a, b, p.shape.m, p.shape.n, p.shape.k, p.saturate);
  for (size_t i = 0; i < p.fragD.at.size(); ++i)
    for (int l = 0; l < kLanes; ++l) step.row32(d.args[0].rows[i])[l] = static_cast<uint32_t>(c[p.fragD.at[i][l]]);
}

/// m8n8k4 of doubles: a register of 64 bits an element.
void runDouble(const Step &step) {
  const Detail &d = step.detail();
  double a[8][4], b[4][8], c[8][8];
  for (int l = 0; l < kLanes; ++l) {
    a[l / 4][l % 4] = bitsAs<double>(step.row64(d.args[1].rows[0])[l]);
    b[l % 4][l / 4] = bitsAs<double>(step.row64(d.args[2].rows[0])[l]);
    for (int i = 0; i < 2; ++i) c[l / 4][l % 4 * 2 + i] = bitsAs<double>(step.row64(d.args[3].rows[i])[l]);
  }
  for (int i = 0; i < 8; ++i)
    for (int j = 0; j < 8; ++j)
      for (int k = 0; k < 4; ++k) c[i][j] = __builtin_fma(a[i][k], b[k][j], c[i][j]);
  for (int l = 0; l < kLanes; ++l)
    for (int i = 0; i < 2; ++i) step.row64(d.args[0].rows[i])[l] = bitsAs<uint64_t>(c[l / 4][l % 4 * 2 + i]);
}

bool planFragments(MmaPlan &p, bool rowA, bool rowB) {
  Shape s = p.shape;
  int bits = infoOf(p.a).bits, bitsB = infoOf(p.b).bits;
  if (s.m == 8 && s.n == 8 && s.k == 4 && p.a == Element::F16) {
    p.isVolta = true;
    p.fragA = voltaOperand(rowA, true), p.fragB = voltaOperand(rowB, false);
    p.fragC = voltaAccumulator(p.c == Element::F32), p.fragD = voltaAccumulator(p.d == Element::F32);
    return true;
  }
  bool small = s.m == 8 && s.n == 8 && infoOf(p.a).integer && s.k * bits == 128;
  bool large = s.m == 16 && s.n == 8 && (s.k * bits == 128 || s.k * bits == 256);
  if (!rowA || rowB || (!small && !large) || bits != bitsB) return false;
  p.fragA = operandA(s, bits), p.fragB = operandB(s, bits);
  p.fragC = accumulator(s, infoOf(p.c).bits), p.fragD = accumulator(s, infoOf(p.d).bits);
  return true;
}

}  // namespace

/// The types stand as D, A, B, C at the opcode's end.
bool prepareMma(Detail &d, std::string &message) {
  auto plan = std::make_shared<MmaPlan>();
  std::vector<Element> types;
  std::vector<bool> rows;
  for (std::string_view w : d.words) {
    if (auto s = shapeNamed(w)) plan->shape = *s;
    if (auto e = elementNamed(w)) types.push_back(e->element);
    if (w == "row" || w == "col") rows.push_back(w == "row");
    plan->saturate |= w == "satfinite";
  }
  if (types.size() != 4 || rows.size() != 2) return message = "not a form of mma that is emulated", false;
  plan->d = types[0], plan->a = types[1], plan->b = types[2], plan->c = types[3];
  Shape s = plan->shape;
  if (plan->a == Element::F64) {
    bool ok = s.m == 8 && s.n == 8 && s.k == 4;
    constexpr size_t kRegisters[] = {2, 1, 1, 2};
    for (int i = 0; i < 4; ++i) {
      ok &= d.args[i].rows.size() == kRegisters[i];
      for (uint8_t bits : d.args[i].bits) ok &= bits == 64;
    }
    return ok ? true : (message = "not a form of mma that is emulated", false);
  }
  if (!planFragments(*plan, rows[0], rows[1])) return message = "not a form of mma that is emulated", false;
  const Fragment *frags[] = {&plan->fragD, &plan->fragA, &plan->fragB, &plan->fragC};
  for (int i = 0; i < 4; ++i)
    if (d.args[i].rows.size() * static_cast<size_t>(frags[i]->elements) != frags[i]->at.size())
      return message = "a fragment has a wrong number of registers", false;
  d.plan = std::move(plan);
  return true;
}

Flow execMma(Step &step) {
  const Detail &d = step.detail();
  if (!wholeWarp(step)) return Flow::Next;
  if (!d.plan) {
    runDouble(step);
    step.site().flops += 2 * 8 * 8 * 4;
    return Flow::Next;
  }
  const MmaPlan &p = *static_cast<const MmaPlan *>(d.plan.get());
  if (infoOf(p.a).integer) runInt(step, p);
  else runFloat(step, p);
  step.site().flops += 2ull * static_cast<uint64_t>(p.shape.m * p.shape.n * p.shape.k) * (p.isVolta ? 4 : 1);
  return Flow::Next;
}

}  // namespace adze::ptx
