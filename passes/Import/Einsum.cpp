// Einsum: diagonals, sums over single labels, then one product after another
// as matmul or mul, and a last transpose.
#include "passes/Import/NodeBuilder.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <map>

using namespace mlir;

namespace adze::convert {

using Fn = ElementwiseFn;
using graph::ReduceKind;

namespace {

/// A value and the label of each of its axes. Letters are themselves; axes
/// under the ellipsis are kEllipsis + position counted from the right.
struct Term {
  Value value;
  SmallVector<int> labels;
};
constexpr int kEllipsis = 1000;

class Einsum {
 public:
  explicit Einsum(NodeBuilder &nb) : nb(nb) {}
  Value run();

 private:
  NodeBuilder &nb;
  SmallVector<Term> terms;
  SmallVector<int> output;

  bool parse(StringRef equation);
  std::optional<SmallVector<int>> parseTerm(StringRef text, int64_t rank);
  void implicitOutput();
  void takeDiagonals(Term &term);
  void sumSingles(size_t index);
  bool neededAfter(int label, size_t next) const;
  Term multiply(Term a, Term b, size_t next);
  Term ordered(const Term &term, ArrayRef<int> labels, bool insertMissing);
  Value flattened(const Term &term, size_t batch, ArrayRef<size_t> groups);
};

bool has(ArrayRef<int> labels, int label) { return llvm::is_contained(labels, label); }

/// `rank` is that of the operand; -1 for the output, where the ellipsis takes
/// as many axes as the widest operand's.
std::optional<SmallVector<int>> Einsum::parseTerm(StringRef text, int64_t rank) {
  SmallVector<int> labels;
  int64_t letters = llvm::count_if(text, [](char c) { return isalpha(static_cast<unsigned char>(c)); });
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == ' ') continue;
    if (text.substr(i).starts_with("...")) {
      int64_t covered = rank - letters;
      if (covered < 0 || covered > 64) return std::nullopt;
      for (int64_t k = covered; k-- > 0;) labels.push_back(kEllipsis + int(k));
      i += 2;
    } else if (isalpha(static_cast<unsigned char>(c))) {
      labels.push_back(c);
    } else {
      return std::nullopt;
    }
  }
  return labels;
}

/// Letters that occur once, in order, behind the ellipsis.
void Einsum::implicitOutput() {
  std::map<int, int> counts;
  for (const Term &t : terms)
    for (int label : t.labels) ++counts[label];
  for (auto it = counts.rbegin(); it != counts.rend(); ++it)
    if (it->first >= kEllipsis) output.push_back(it->first);
  for (auto [label, count] : counts)
    if (label < kEllipsis && count == 1) output.push_back(label);
}

bool Einsum::parse(StringRef equation) {
  auto [left, right] = equation.split("->");
  SmallVector<StringRef> texts;
  left.split(texts, ',');
  if (texts.size() != nb.inputs.size()) return false;
  int64_t widest = 0;
  for (auto [i, text] : llvm::enumerate(texts)) {
    Value v = nb.in(i);
    if (!v) return false;
    auto labels = parseTerm(text, nb.rank(v));
    if (!labels || int64_t(labels->size()) != nb.rank(v)) return false;
    widest = std::max<int64_t>(widest, llvm::count_if(*labels, [](int l) { return l >= kEllipsis; }));
    terms.push_back({v, *labels});
  }
  if (!equation.contains("->")) return implicitOutput(), true;
  int64_t letters = llvm::count_if(right, [](char c) { return isalpha(static_cast<unsigned char>(c)); });
  auto labels = parseTerm(right, letters + widest);
  if (!labels) return false;
  output = *labels;
  for (int label : output)
    if (llvm::count(output, label) > 1 ||
        llvm::none_of(terms, [&](const Term &t) { return has(t.labels, label); }))
      return false;
  return true;
}

/// A label twice in one term: keep the diagonal of its axes.
void Einsum::takeDiagonals(Term &term) {
  for (size_t i = 0; i < term.labels.size(); ++i)
    for (size_t j = i + 1; j < term.labels.size();) {
      if (term.labels[i] != term.labels[j]) {
        ++j;
        continue;
      }
      Value x = term.value;
      Value places = nb.range(nb.index(0), nb.scalar(nb.dim(x, i)), nb.index(1));
      Ints rowAxes, columnAxes;  // ones behind each place
      for (int64_t k = 0, r = nb.rank(x); k < r; ++k) {
        if (k != int64_t(i)) rowAxes.push_back(k);
        if (k != int64_t(j)) columnAxes.push_back(k);
      }
      Value on = nb.ew(Fn::Equal, {nb.unsqueeze(places, rowAxes), nb.unsqueeze(places, columnAxes)});
      Value kept = nb.select(on, x, nb.splat(nb.element(x), 0));
      term.value = nb.reduce(kept, ReduceKind::Sum, {int64_t(j)}, false);
      term.labels.erase(term.labels.begin() + j);
      if (!term.value) return;
    }
}

bool Einsum::neededAfter(int label, size_t next) const {
  return has(output, label) || llvm::any_of(ArrayRef(terms).drop_front(next), [&](const Term &t) {
           return has(t.labels, label);
         });
}

/// Sums over labels that only this term has.
void Einsum::sumSingles(size_t index) {
  Term &term = terms[index];
  Ints axes;
  SmallVector<int> kept;
  for (auto [i, label] : llvm::enumerate(term.labels)) {
    bool elsewhere = has(output, label);
    for (size_t k = 0; k < terms.size(); ++k) elsewhere |= k != index && has(terms[k].labels, label);
    if (elsewhere) kept.push_back(label);
    else axes.push_back(i);
  }
  if (axes.empty()) return;
  term = {nb.reduce(term.value, ReduceKind::Sum, axes, false), kept};
}

/// The term with its axes in the order of `labels`; missing ones become extent 1.
Term Einsum::ordered(const Term &term, ArrayRef<int> labels, bool insertMissing) {
  Ints perm, missing;
  for (auto [i, label] : llvm::enumerate(labels)) {
    const int *at = llvm::find(term.labels, label);
    if (at != term.labels.end()) perm.push_back(at - term.labels.begin());
    else missing.push_back(i);
  }
  Value v = nb.transpose(term.value, perm);
  return {insertMissing ? nb.unsqueeze(v, missing) : v, SmallVector<int>(labels)};
}

/// Keeps the first `batch` axes and makes one of each following group.
Value Einsum::flattened(const Term &term, size_t batch, ArrayRef<size_t> groups) {
  Value v = term.value;
  if (!v || llvm::all_of(groups, [](size_t g) { return g == 1; })) return v;
  SmallVector<Value> pieces{nb.dims(v, 0, batch)};
  int64_t at = batch;
  for (size_t g : groups) {
    pieces.push_back(nb.count(v, at, at + g));
    at += g;
  }
  return nb.reshape(v, nb.join(pieces));
}

Term Einsum::multiply(Term a, Term b, size_t next) {
  SmallVector<int> batch, sum, freeA, freeB;
  for (int label : a.labels) {
    if (!has(b.labels, label)) freeA.push_back(label);
    else if (neededAfter(label, next)) batch.push_back(label);
    else sum.push_back(label);
  }
  for (int label : b.labels)
    if (!has(a.labels, label)) freeB.push_back(label);
  SmallVector<int> result = batch;
  llvm::append_range(result, freeA);
  llvm::append_range(result, freeB);
  if (sum.empty())
    return {nb.mul(ordered(a, result, true).value, ordered(b, result, true).value), result};
  SmallVector<int> left = batch, right = batch;
  llvm::append_range(left, freeA), llvm::append_range(left, sum);
  llvm::append_range(right, sum), llvm::append_range(right, freeB);
  a = ordered(a, left, true), b = ordered(b, right, true);
  Value y = nb.matmul(flattened(a, batch.size(), {freeA.size(), sum.size()}),
                      flattened(b, batch.size(), {sum.size(), freeB.size()}));
  if (!y || (freeA.size() == 1 && freeB.size() == 1)) return {y, result};
  int64_t n = batch.size(), fa = freeA.size(), fb = freeB.size(), s = sum.size();
  Value shape = nb.join({nb.dims(y, 0, n), nb.dims(a.value, n, n + fa),
                         nb.dims(b.value, n + s, n + s + fb)});
  return {nb.reshape(y, shape), result};
}

Value Einsum::run() {
  if (!parse(nb.strAttr("equation")))
    return nb.failed() ? Value() : nb.invalid("its equation does not fit its operands");
  for (size_t i = 0; i < terms.size(); ++i) {
    takeDiagonals(terms[i]);
    if (!terms[i].value) return {};
  }
  for (size_t i = 0; i < terms.size(); ++i) sumSingles(i);
  Term all = terms.front();
  for (size_t i = 1; i < terms.size(); ++i) all = multiply(all, terms[i], i + 1);
  if (!all.value) return {};
  return ordered(all, output, false).value;
}

}  // namespace

static Values convertEinsum(NodeBuilder &nb) { return {Einsum(nb).run()}; }

void populateEinsum(OpTable &t) {
  t.push_back({"", "Einsum", 12, 0, kNumbers, convertEinsum});
}

}  // namespace adze::convert
