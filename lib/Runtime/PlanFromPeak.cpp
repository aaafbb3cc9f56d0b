#include "lib/Runtime/PlanFromPeak.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace adze::runtime {

namespace {
/// Free ranges that a buffer chooses among, the tightest ones.
constexpr int kChoices = 16;
/// What a neighbour that ends at another time counts, next to a range left empty that
/// is as large as the buffer. Which is best differs from graph to graph.
constexpr double kWeights[] = {0.3, 0.6, 1.0};

/// A buffer, in the direction of a sweep.
struct Life {
  int64_t size = 0, first = 0, last = 0;
  size_t number = 0;
};

/// A slab without end as a list of ranges, free or taken, by their place.
class Slab {
 public:
  static constexpr int64_t kFree = INT64_MIN;

  Slab() { insertFree(blocks_.size(), 0, kEndless, kNone, kNone); }

  /// Appends a taken range; before any is freed.
  size_t append(const Life &life) { return carve(top_, life, /*low=*/true); }

  /// Finds room; returns the block. Its place is `begin(block)`.
  size_t take(const Life &life, double weight) {
    double best = 0;
    size_t where = kNone;
    bool low = true;
    auto at = bySize_.lower_bound({life.size, 0, 0});
    for (int i = 0; i < kChoices && at != bySize_.end(); ++i, ++at) {
      size_t block = std::get<2>(*at);
      if (block == top_ && where != kNone) break;
      if (blocks_[block].size == life.size || block == top_) {
        where = block, low = true;
        break;
      }
      double waste = double(blocks_[block].size - life.size) / double(life.size);
      for (bool end : {true, false}) {
        size_t beside = end ? blocks_[block].below : blocks_[block].above;
        double cost = waste + weight * mismatch(life, beside);
        if (where == kNone || cost < best) best = cost, where = block, low = end;
      }
    }
    return carve(where, life, low);
  }

  void give(size_t block) {
    auto [begin, size, last, below, above] = blocks_[block];
    spare_.push_back(block);
    for (size_t *side : {&below, &above}) {
      if (*side == kNone || blocks_[*side].last != kFree) continue;
      const Block merged = blocks_[*side];
      eraseFree(*side);
      begin = std::min(begin, merged.begin);
      size += merged.size;
      *side = side == &below ? merged.below : merged.above;
    }
    insertFree(newBlock(), begin, size, below, above);
  }

  int64_t begin(size_t block) const { return blocks_[block].begin; }

 private:
  static constexpr size_t kNone = SIZE_MAX;
  static constexpr int64_t kEndless = INT64_MAX / 2;  // twice that would still be a number

  struct Block {
    int64_t begin, size, last;  ///< the step of its end, or kFree
    size_t below, above;
  };

  /// 0 where both end together, 1 where a whole life lies between.
  double mismatch(const Life &life, size_t beside) const {
    if (beside == kNone) return 1;
    double apart = double(std::abs(blocks_[beside].last - life.last));
    return std::min(1.0, apart / double(life.last - life.first + 1));
  }

  /// The low or the high end of a free block becomes one of its own.
  size_t carve(size_t block, const Life &life, bool low) {
    const Block free = blocks_[block];
    eraseFree(block);
    size_t taken = newBlock();
    int64_t left = free.size - life.size;
    int64_t begin = low ? free.begin : free.begin + left;
    blocks_[taken] = {begin, life.size, life.last, free.below, free.above};
    link(taken);
    if (left)
      insertFree(newBlock(), low ? free.begin + life.size : free.begin, left,
                 low ? taken : free.below, low ? free.above : taken);
    return taken;
  }

  size_t newBlock() {
    if (spare_.empty()) return blocks_.size();
    size_t block = spare_.back();
    spare_.pop_back();
    return block;
  }

  void insertFree(size_t block, int64_t begin, int64_t size, size_t below, size_t above) {
    if (block == blocks_.size()) blocks_.emplace_back();
    blocks_[block] = {begin, size, kFree, below, above};
    link(block);
    bySize_.insert({size, begin, block});
    if (above == kNone) top_ = block;
  }

  void eraseFree(size_t block) {
    bySize_.erase({blocks_[block].size, blocks_[block].begin, block});
    spare_.push_back(block);
  }

  void link(size_t block) {
    if (blocks_[block].below != kNone) blocks_[blocks_[block].below].above = block;
    if (blocks_[block].above != kNone) blocks_[blocks_[block].above].below = block;
  }

  std::vector<Block> blocks_;
  std::vector<size_t> spare_;
  std::set<std::tuple<int64_t, int64_t, size_t>> bySize_;
  size_t top_ = 0;
};

/// What lies to one side of the peak, and how to place it beside what is alive there.
class Side {
 public:
  Side(std::vector<Life> lives, std::span<const Life> packed) : begins_(std::move(lives)) {
    std::ranges::sort(begins_, [](const Life &a, const Life &b) {
      return std::tie(a.first, b.size, a.number) < std::tie(b.first, a.size, b.number);
    });
    ends_ = begins_;
    ends_.insert(ends_.end(), packed.begin(), packed.end());
    std::ranges::sort(ends_, [](const Life &a, const Life &b) {
      return std::tie(a.last, a.number) < std::tie(b.last, b.number);
    });
  }

  /// The best over all weights; at most `enough` ends the search, and what is not below
  /// `limit` is of no use. `packed` is in order of place, and has its offsets already.
  int64_t place(std::span<const Life> packed, int64_t enough, int64_t limit,
                std::vector<int64_t> &offsets) const {
    std::vector<int64_t> tried(offsets.size());
    for (double weight : kWeights) {
      int64_t top = sweep(packed, weight, limit, tried);
      if (top >= limit) continue;
      limit = top;
      for (const Life &life : begins_) offsets[life.number] = tried[life.number];
      if (top <= enough) break;
    }
    return limit;
  }

 private:
  int64_t sweep(std::span<const Life> packed, double weight, int64_t limit,
                std::vector<int64_t> &offsets) const {
    Slab slab;
    std::vector<size_t> blocks(offsets.size());
    int64_t top = 0;
    for (const Life &life : packed) {
      blocks[life.number] = slab.append(life);
      top += life.size;
    }
    auto ended = ends_.begin();
    for (const Life &life : begins_) {
      for (; ended->last < life.first; ++ended) slab.give(blocks[ended->number]);
      size_t block = blocks[life.number] = slab.take(life, weight);
      offsets[life.number] = slab.begin(block);
      top = std::max(top, slab.begin(block) + life.size);
      if (top >= limit) return limit;
    }
    return top;
  }

  std::vector<Life> begins_, ends_;  ///< in these orders
};

/// The first step at which most is alive.
int64_t peakStep(std::span<const PlanBuffer> buffers) {
  std::map<int64_t, int64_t> change;
  for (const PlanBuffer &b : buffers) {
    change[b.first] += b.size;
    change[int64_t(b.last) + 1] -= b.size;
  }
  int64_t live = 0, most = -1, at = 0;
  for (auto [step, delta] : change)
    if ((live += delta) > most) most = live, at = step;
  return at;
}

Life mirrored(const Life &l) { return {l.size, -l.last, -l.first, l.number}; }
}  // namespace

int64_t planFromPeak(std::span<const PlanBuffer> buffers, int64_t enough,
                     std::vector<int64_t> &offsets) {
  int64_t peak = peakStep(buffers);
  std::vector<Life> before, after, packed, packedBefore;
  for (size_t i = 0; i < buffers.size(); ++i) {
    Life life{buffers[i].size, buffers[i].first, buffers[i].last, i};
    if (!life.size) continue;
    if (life.last < peak) before.push_back(mirrored(life));
    else if (life.first > peak) after.push_back(life);
    else packed.push_back(life), packedBefore.push_back(mirrored(life));
  }
  Side forward(std::move(after), packed), backward(std::move(before), packedBefore);
  // What ends, begins or lives next to each other leaves room in one piece.
  using Key = int64_t (*)(const Life &);
  const Key keys[] = {[](const Life &l) { return l.last - l.first; },
                      [](const Life &l) { return l.last; }, [](const Life &l) { return -l.first; }};
  int64_t best = INT64_MAX;
  std::vector<int64_t> tried(buffers.size());
  for (Key key : keys) {
    std::ranges::sort(packed, [&](const Life &a, const Life &b) {
      int64_t x = key(a), y = key(b);
      return x != y ? x > y : a.number < b.number;
    });
    int64_t top = 0;
    for (const Life &life : packed) tried[life.number] = top, top += life.size;
    std::ranges::transform(packed, packedBefore.begin(), mirrored);
    int64_t slab = forward.place(packed, enough, best, tried);
    if (slab >= best) continue;
    slab = std::max(slab, backward.place(packedBefore, std::max(enough, slab), best, tried));
    if (slab >= best) continue;
    best = slab;
    offsets = tried;
    if (best <= enough) break;
  }
  return best;
}

}  // namespace adze::runtime
