#include "targets/cuda/tile/Int4Matmul.h"
#include "targets/cuda/tile/Tile.h"

using namespace mlir;

namespace adze::cuda {
namespace {

constexpr int64_t kRun = 32;   // weights of a 16-byte load, which one scale has
constexpr int64_t kRuns = 4;   // that four lanes load of a row, side by side
constexpr int64_t kWord = 8;   // weights of a word
constexpr int64_t kPlane = 8;  // rows of x that one instruction multiplies
constexpr uint32_t kSigns = 0x88888888;

/// The instruction has the columns as its rows: a lane's two are `group` and `group` + 8 of 16. Of
/// each run of k the four lanes of a group have a word each. Which k stands for which of an
/// instruction's is free, as long as weights and x agree.
class Int4Builder {
 public:
  Int4Builder(Kit &kit, const Int4Kernel &kernel, const Int4Problem &problem)
      : kit_(kit),
        k_(kernel),
        p_(problem),
        instruction_(*findInstruction(multiplyOf(problem.element), kernel.chip)),
        lane_(kit),
        warp_(kit.shr(kit.thread(), 5)),
        firstColumn_(kit.mul(kit.rem(kit.block(0), columnBlocks()), Int4Kernel::kColumns)),
        firstRow_(kit.mul(kit.div(kit.block(0), columnBlocks()), kernel.rows)) {
    for (int64_t half = 0; half < 2; ++half) {
      Value column = kit.add(firstColumn_, kit.add(lane_.group, 8 * half));
      if (p_.n % Int4Kernel::kColumns != 0) column = kit.min(column, kit.i32(p_.n - 1));
      columns_.push_back(column);
    }
  }

  static Multiply multiplyOf(Type element) {
    return element.isF16() ? Multiply::F16 : element.isBF16() ? Multiply::BF16 : Multiply::TF32;
  }

  void build();

 private:
  /// Of the lane's columns.
  struct Group {
    SmallVector<Value> scales, zeros;
  };

  bool isWide() const { return p_.element.isF32(); }
  int64_t columnBlocks() const { return ceilDiv(p_.n, Int4Kernel::kColumns); }
  int64_t planes() const { return k_.rows / kPlane; }
  int64_t runs() const { return p_.k / kRun; }
  int64_t groups() const { return ceilDiv(p_.k, p_.group); }
  bool isRagged() const { return runs() % kRuns != 0; }
  Value zeroSum() { return kit_.f32(0); }

  SmallVector<Value> loadRuns(Value step);
  void exchange(MutableArrayRef<Value> words);
  SmallVector<Value> shareOut(SmallVector<Value> words);
  SmallVector<Value> weightsOf(Value word, Value zero);
  int64_t groupsOfStep() const;
  SmallVector<Value> scales(Value column, Value first, int64_t count);
  SmallVector<Value> zeroNibbles(Value column, Value first, int64_t count);
  Value zeroPoint(Value nibble);
  SmallVector<Group> groupsAt(Value first, int64_t count);
  void loadRow(int64_t plane, Value run, SmallVector<Value> &big, SmallVector<Value> &small);
  void multiplyRun(Value run, ArrayRef<Value> words, const Group &group,
                   MutableArrayRef<Value> sums);
  void multiplyAlone(Value run, ArrayRef<Value> words, SmallVector<Value> &sums);
  void multiplyStep(Value step, ValueRange words, SmallVector<Value> &sums);
  void finish(ValueRange sums);

  Kit &kit_;
  const Int4Kernel &k_;
  const Int4Problem &p_;
  const MatrixInstruction &instruction_;
  Lane lane_;
  Value warp_, firstColumn_, firstRow_;
  SmallVector<Value> columns_;  ///< the lane's
};

/// Of both columns the lane's run of 128 of k: four words each. Beyond the end, where nothing is
/// multiplied, those of the last run.
SmallVector<Value> Int4Builder::loadRuns(Value step) {
  Type type = VectorType::get(4, kit_.getI32Type());
  Value run = kit_.add(kit_.mul(step, kRuns), lane_.inGroup);
  Value last = kit_.i32(runs() - 1);
  SmallVector<Value> words;
  for (Value column : columns_) {
    Value at = kit_.add(kit_.mul(kit_.wide(column), kit_.i64(p_.k / 2)),
                        kit_.wide(kit_.mul(kit_.min(run, last), kRun / 2)));
    Value loaded = kit_.load(type, kit_.offset(p_.weights, at), 16);
    for (int64_t i = 0; i < 4; ++i) words.push_back(kit_.element(loaded, i));
  }
  return words;
}

/// Word i of lane j of a group of four -> word j of lane i.
void Int4Builder::exchange(MutableArrayRef<Value> words) {
  for (int64_t bit : {1, 2}) {
    Value odd = kit_.equal(kit_.bitAnd(lane_.inGroup, bit), kit_.i32(bit));
    for (int64_t i = 0; i < 4; ++i) {
      if (i & bit) continue;
      Value &low = words[i], &high = words[i + bit];
      Value got = kit_.shuffleXor(kit_.select(odd, low, high), static_cast<int>(bit));
      low = kit_.select(odd, got, low);
      high = kit_.select(odd, high, got);
    }
  }
}

/// What loadRuns gave the lane -> its word of each of the four runs, of both columns; integers 0 to
/// 15.
SmallVector<Value> Int4Builder::shareOut(SmallVector<Value> words) {
  if (p_.isSigned)
    for (Value &word : words) word = kit_.bitXor(word, kit_.i32(static_cast<int32_t>(kSigns)));
  exchange(MutableArrayRef(words).take_front(kRuns));
  exchange(MutableArrayRef(words).drop_front(kRuns));
  return words;
}

/// Registers of an instruction's factor, in order of k: halves hold weights i and i + 4.
SmallVector<Value> Int4Builder::weightsOf(Value word, Value zero) {
  // An integer put below the leading bit of a float whose last place is 1.
  uint32_t magic = isWide() ? 0x4b000000 : p_.element.isF16() ? 0x64006400 : 0x43004300;
  Type type = isWide() ? p_.element : Type(VectorType::get(2, p_.element));
  SmallVector<Value> out;
  for (int64_t i = 0; i < (isWide() ? kWord : kWord / 2); ++i) {
    Value bits = kit_.bitAnd(kit_.shr(word, 4 * i), isWide() ? 0xf : 0x000f000f);
    Value number = kit_.bitcast(kit_.bitOr(bits, kit_.i32(static_cast<int32_t>(magic))), type);
    // Exact, both being small integers beside the magic one.
    number = kit_.create<arith::SubFOp>(number, zero);
    out.push_back(kit_.bitcast(number, kit_.getI32Type()));
  }
  return out;
}

/// Groups that a step's runs lie in, side by side in each row; 0: each run finds its own.
int64_t Int4Builder::groupsOfStep() const {
  constexpr int64_t kTerms = kRuns * kRun;
  if (isRagged()) return 0;
  if (p_.group % kTerms == 0) return 1;
  return kTerms % p_.group == 0 ? kTerms / p_.group : 0;
}

/// `count` of them from `first` on, in one load; as many divide a row's.
SmallVector<Value> Int4Builder::scales(Value column, Value first, int64_t count) {
  int64_t bytes = bytesOf(p_.element);
  Value at = kit_.add(kit_.mul(kit_.wide(column), kit_.i64(groups())), kit_.wide(first));
  Value loaded = kit_.load(count == 1 ? p_.element : VectorType::get(count, p_.element),
                           kit_.offset(p_.scales, kit_.mul(at, kit_.i64(bytes))), count * bytes);
  SmallVector<Value> out;
  for (int64_t i = 0; i < count; ++i) {
    Value s = count == 1 ? loaded : kit_.element(loaded, i);
    out.push_back(isWide() ? s : Value(kit_.create<arith::ExtFOp>(kit_.getF32Type(), s)));
  }
  return out;
}

/// As scales(): nibbles.
SmallVector<Value> Int4Builder::zeroNibbles(Value column, Value first, int64_t count) {
  if (!p_.zeroPoints) return SmallVector<Value>(count, kit_.i32(p_.zeroPoint & 0xf));
  Value at = kit_.add(kit_.mul(kit_.wide(column), kit_.i64(ceilDiv(groups(), 2))),
                      kit_.wide(kit_.shr(first, 1)));
  int64_t bytes = ceilDiv(count, 2);
  Value bits = kit_.load(kit_.getIntegerType(8 * bytes), kit_.offset(p_.zeroPoints, at), bytes);
  bits = kit_.create<arith::ExtUIOp>(kit_.getI32Type(), bits);
  if (count == 1)
    bits = kit_.createOrFold<arith::ShRUIOp>(bits, kit_.mul(kit_.bitAnd(first, 1), 4));
  SmallVector<Value> out;
  for (int64_t i = 0; i < count; ++i) out.push_back(kit_.bitAnd(kit_.shr(bits, 4 * i), 0xf));
  return out;
}

/// With the magic number, as weightsOf takes it.
Value Int4Builder::zeroPoint(Value nibble) {
  if (p_.isSigned) nibble = kit_.bitXor(nibble, kit_.i32(8));
  if (isWide()) return kit_.bitcast(kit_.bitOr(nibble, kit_.i32(0x4b000000)), p_.element);
  Value half = kit_.bitOr(nibble, kit_.i32(p_.element.isF16() ? 0x6400 : 0x4300));
  return kit_.bitcast(kit_.bitOr(half, kit_.shl(half, 16)), VectorType::get(2, p_.element));
}

SmallVector<Int4Builder::Group> Int4Builder::groupsAt(Value first, int64_t count) {
  SmallVector<Group> out(count);
  for (Value column : columns_)
    for (auto [group, scale, nibble] :
         llvm::zip_equal(out, scales(column, first, count), zeroNibbles(column, first, count))) {
      group.scales.push_back(scale);
      group.zeros.push_back(zeroPoint(nibble));
    }
  return out;
}

/// Registers of the lane's word of k of a row of x, as weightsOf orders them; of f32 what tf32
/// leaves too.
void Int4Builder::loadRow(int64_t plane, Value run, SmallVector<Value> &big,
                          SmallVector<Value> &small) {
  Value row = kit_.add(firstRow_, kit_.add(lane_.group, plane * kPlane));
  if (!p_.m.isMultipleOf(k_.rows)) row = kit_.min(row, kit_.sub(kit_.value(p_.m), kit_.i32(1)));
  Value k = kit_.add(kit_.mul(run, kRun), kit_.mul(lane_.inGroup, kWord));
  Value index = kit_.add(kit_.mulWide(row, Extent::of(p_.k)), kit_.wide(k));
  Value at = kit_.offset(p_.x, kit_.mul(index, kit_.i64(bytesOf(p_.element))));
  Type type = VectorType::get(4, kit_.getI32Type());
  SmallVector<Value> words;
  for (int64_t i = 0; i < kWord * bytesOf(p_.element) / 16; ++i) {
    Value loaded = kit_.load(type, kit_.offset(at, 16 * i), 16);
    for (int64_t j = 0; j < 4; ++j) words.push_back(kit_.element(loaded, j));
  }
  if (isWide()) {
    for (Value word : words) {
      auto [first, rest] = splitTf32(kit_, word);
      big.push_back(first), small.push_back(rest);
    }
    return;
  }
  // Elements i and i + 4.
  for (int64_t i = 0; i < 2; ++i) {
    big.push_back(kit_.bitOr(kit_.bitAnd(words[i], 0xffff), kit_.shl(words[i + 2], 16)));
    big.push_back(kit_.bitOr(kit_.shr(words[i], 16),
                             kit_.bitAnd(words[i + 2], static_cast<int32_t>(0xffff0000))));
  }
}

/// sums += x w of a run: products with the integers themselves, which are exact factors, then
/// scaled. `words` are the lane's of both columns.
void Int4Builder::multiplyRun(Value run, ArrayRef<Value> words, const Group &group,
                              MutableArrayRef<Value> sums) {
  SmallVector<Value> registers[2];
  for (size_t i = 0; i < 2; ++i) registers[i] = weightsOf(words[i], group.zeros[i]);
  for (int64_t plane = 0; plane < planes(); ++plane) {
    SmallVector<Value> big, small, part(4, zeroSum());
    loadRow(plane, run, big, small);
    for (size_t i = 0; i < big.size(); i += 2) {
      SmallVector<Value> weights{registers[0][i], registers[1][i], registers[0][i + 1],
                                 registers[1][i + 1]};
      part = multiplyAdd(kit_, instruction_, weights, {big[i], big[i + 1]}, part);
      if (isWide()) part = multiplyAdd(kit_, instruction_, weights, {small[i], small[i + 1]}, part);
    }
    for (size_t i = 0; i < 4; ++i) {
      Value &sum = sums[4 * plane + i];
      sum = kit_.create<LLVM::FMAOp>(part[i], group.scales[i / 2], sum);
    }
  }
}

/// Warps leave their sums in shared memory; some threads add those of four columns of a row, in
/// the order of warps. So that no two lanes meet in a bank, rows lie in the order 0, 2, 1, 3, and
/// rows 4 to 7 of each eight have their columns' halves exchanged.
void Int4Builder::finish(ValueRange sums) {
  constexpr int64_t kColumns = Int4Kernel::kColumns;
  Value shared = sharedMemory(kit_);
  int64_t perWarp = k_.rows * kColumns * 4;
  Value own = kit_.offset(shared, kit_.mul(warp_, perWarp));
  Value low = kit_.bitAnd(lane_.inGroup, 1), high = kit_.shr(lane_.inGroup, 1);
  for (auto [i, sum] : llvm::enumerate(sums)) {
    int64_t plane = i / 4, half = i / 2 % 2, e = i % 2;
    Value place = kit_.add(kit_.add(low, kit_.mul(high, 4)), 2 * e + plane * kPlane);
    Value column = kit_.add(lane_.group, kit_.mul(kit_.bitXor(high, kit_.i32(half)), 8));
    Value at = kit_.add(kit_.mul(place, kColumns), column);
    kit_.store(sum, kit_.offset(own, kit_.mul(at, 4)), 4);
  }
  kit_.barrier();
  Value thread = kit_.thread();
  kit_.when(kit_.less(thread, kit_.i32(k_.rows * kColumns / 4)), [&] {
    Value place = kit_.div(thread, kColumns / 4), quad = kit_.rem(thread, kColumns / 4);
    Value row = kit_.bitOr(
        kit_.bitAnd(place, ~int64_t{3}),
        kit_.bitOr(kit_.shl(kit_.bitAnd(place, 1), 1), kit_.bitAnd(kit_.shr(place, 1), 1)));
    Value column = kit_.mul(kit_.bitXor(quad, kit_.shr(kit_.bitAnd(place, 4), 1)), 4);
    Value first = kit_.offset(shared, kit_.mul(thread, 16)), all;
    for (int64_t warp = 0; warp < k_.warps; ++warp) {
      Value part =
          kit_.load(VectorType::get(4, kit_.getF32Type()), kit_.offset(first, warp * perWarp), 16);
      all = all ? Value(kit_.create<arith::AddFOp>(all, part)) : part;
    }
    SmallVector<Value> values;
    SmallVector<SumPlace> places;
    for (int64_t i = 0; i < 4; ++i) {
      values.push_back(kit_.element(all, i));
      places.push_back({0, i, static_cast<size_t>(i)});
    }
    ProductTile tile{kit_.i32(0), firstRow_, firstColumn_,    k_.rows,
                     kColumns,    p_.m,      Extent::of(p_.n)};
    finishTile(kit_, tile, kit_.add(firstRow_, row), kit_.add(firstColumn_, column), places, values,
               p_.epilogue);
  });
}

/// Of a run that finds its own group, and may lie beyond the end.
void Int4Builder::multiplyAlone(Value run, ArrayRef<Value> words, SmallVector<Value> &sums) {
  auto multiply = [&] {
    Value group = kit_.div(run, p_.group / kRun);
    multiplyRun(run, words, groupsAt(group, 1).front(), sums);
  };
  if (!isRagged()) return multiply();
  SmallVector<Type> types(sums.size(), kit_.getF32Type());
  auto inside = kit_.create<scf::IfOp>(types, kit_.less(run, kit_.i32(runs())), true);
  OpBuilder::InsertionGuard guard(kit_);
  kit_.setInsertionPointToStart(inside.elseBlock());
  kit_.create<scf::YieldOp>(sums);
  kit_.setInsertionPointToStart(inside.thenBlock());
  multiply();
  kit_.create<scf::YieldOp>(sums);
  llvm::copy(inside.getResults(), sums.begin());
}

/// `words` of four runs, first those of one column.
void Int4Builder::multiplyStep(Value step, ValueRange words, SmallVector<Value> &sums) {
  int64_t together = groupsOfStep();
  SmallVector<Group> groups;
  if (together == 1) groups = groupsAt(kit_.div(step, p_.group / (kRuns * kRun)), 1);
  if (together > 1) groups = groupsAt(kit_.mul(step, together), together);
  for (int64_t i = 0; i < kRuns; ++i) {
    Value run = kit_.add(kit_.mul(step, kRuns), i), own[] = {words[i], words[kRuns + i]};
    if (together)
      multiplyRun(run, own, groups[i * together / kRuns], sums);
    else
      multiplyAlone(run, own, sums);
  }
}

/// The next weights are on their way while some are multiplied: what is carried has been through
/// the lanes, or LLVM would load it where it is used.
void Int4Builder::build() {
  Value steps = kit_.i32(ceilDiv(runs(), kRuns)), stride = kit_.i32(k_.warps);
  SmallVector<Value> carried = shareOut(loadRuns(warp_));
  carried.append(4 * planes(), zeroSum());
  SmallVector<Value> end =
      kit_.loop(warp_, steps, stride, carried, [&](Value step, ValueRange values) {
        SmallVector<Value> loaded = loadRuns(kit_.add(step, k_.warps));
        SmallVector<Value> sums(values.drop_front(2 * kRuns));
        multiplyStep(step, values.take_front(2 * kRuns), sums);
        SmallVector<Value> next = shareOut(loaded);
        next.append(sums);
        return next;
      });
  finish(ArrayRef<Value>(end).drop_front(2 * kRuns));
}

}  // namespace

int64_t threads(const Int4Kernel &k) { return k.warps * 32; }

int64_t sharedBytes(const Int4Kernel &k) { return k.warps * k.rows * Int4Kernel::kColumns * 4; }

int64_t blockCount(const Int4Kernel &k, int64_t m, int64_t n) {
  return ceilDiv(m, k.rows) * ceilDiv(n, Int4Kernel::kColumns);
}

std::optional<std::string> whyNot(const Int4Kernel &k, const Int4Problem &p) {
  if (!p.element.isF16() && !p.element.isBF16() && !p.element.isF32())
    return "x is none of f16, bf16 and f32";
  Multiply multiply = Int4Builder::multiplyOf(p.element);
  const MatrixInstruction *instruction = findInstruction(multiply, k.chip);
  if (!instruction || isOfQuads(*instruction))
    return "the chip has no " + nameOf(multiply).str() + " products";
  if (k.rows != 8 && k.rows != 16) return "a block has 8 or 16 rows";
  if (k.warps < 1 || k.warps > 32) return "a block has 1 to 32 warps";
  if (p.n < 1 || p.k < 1) return "there is nothing to sum";
  if (p.k % kRun != 0 || p.group < kRun || p.group % kRun != 0)
    return "k and its groups are no multiples of 32";
  if (k.rows * Int4Kernel::kColumns / 4 > threads(k)) return "warps are too few for the result";
  return std::nullopt;
}

void buildMatmul(Kit &kit, const Int4Kernel &kernel, const Int4Problem &problem) {
  Int4Builder(kit, kernel, problem).build();
}

}  // namespace adze::cuda
