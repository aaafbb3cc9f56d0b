#include "targets/cuda/tile/Matmul.h"
#include "targets/cuda/tile/WarpProduct.h"
#include "targets/cuda/tile/Work.h"

#include <algorithm>

using namespace mlir;

namespace adze::cuda {
namespace {

SharedTile tileOf(const MatmulKernel &kernel, const Operand &operand, int64_t rows,
                  int64_t warpRows) {
  SharedTile tile{rows, kernel.blockK, bytesOf(kernel.multiply), operand.alongK};
  if (warpRows == 16) tile.pieceRows = 2;
  tile.reader = readerOf(kernel.multiply, kernel.chip);
  if (tile.reader == TileReader::Cores) tile.alongK = false;
  return tile;
}

bool isAsync(const MatmulKernel &k, const MatmulProblem &p) {
  return k.chip >= 80 && TileCopy::canBeAsync(p.a, tileOf(k, p.a, k.blockM, k.warpM), p.m, p.k) &&
         TileCopy::canBeAsync(p.b, tileOf(k, p.b, k.blockN, k.warpN), p.n, p.k);
}

/// Of those that multiply one part of a tile's k.
int64_t warpsOfTile(const MatmulKernel &k) { return k.blockM / k.warpM * (k.blockN / k.warpN); }

/// Do blocks add up their sums of a tile?
bool sharesTiles(const MatmulKernel &k) {
  return (k.splitK > 1 && !k.splitsApart) || k.streamBlocks > 0;
}

int64_t stageBytes(const MatmulKernel &k, const MatmulProblem &p) {
  return tileOf(k, p.a, k.blockM, k.warpM).bytes() + tileOf(k, p.b, k.blockN, k.warpN).bytes();
}

/// One kernel under construction: a ring of stages in shared memory, the sums
/// of the lane's part in registers.
class MatmulBuilder {
 public:
  MatmulBuilder(Kit &kit, const MatmulKernel &kernel, const MatmulProblem &problem, Work work)
      : kit_(kit),
        k_(kernel),
        p_(problem),
        work_(std::move(work)),
        shared_(sharedMemory(kit)),
        aTile_(tileOf(k_, p_.a, k_.blockM, k_.warpM)),
        bTile_(tileOf(k_, p_.b, k_.blockN, k_.warpN)),
        aCopy_(kit, p_.a, aTile_, p_.m, p_.k, work_.batch, work_.firstRow, threads(k_)),
        bCopy_(kit, p_.b, bTile_, p_.n, p_.k, work_.batch, work_.firstColumn, threads(k_)),
        slice_(kit.div(warp(), tileWarps())),
        inTile_(kit.rem(warp(), tileWarps())),
        warpRow_(kit.mul(kit.div(inTile_, k_.blockN / k_.warpN), k_.warpM)),
        warpColumn_(kit.mul(kit.rem(inTile_, k_.blockN / k_.warpN), k_.warpN)),
        product_(makeWarpProduct(kit, k_.multiply, k_.chip, aTile_, bTile_,
                                 {warpRow_, warpColumn_, k_.warpM, k_.warpN, firstStep()})) {}

  void build();

 private:
  Value warp() { return kit_.shr(kit_.thread(), 5); }
  int64_t tileWarps() const { return warpsOfTile(k_); }
  /// 32 bytes of k, of a tile's, that a warp multiplies.
  int64_t ownSteps() const { return k_.blockK * bytesOf(k_.multiply) / 32 / k_.sliceK; }
  Value firstStep() { return k_.sliceK == 1 ? Value() : kit_.mul(slice_, ownSteps()); }
  Value zero() { return k_.multiply == Multiply::S8 ? kit_.i32(0) : kit_.f32(0); }
  SmallVector<Value> zeros() { return SmallVector<Value>(product_->places().size(), zero()); }
  Value sum(Value a, Value b) {
    return k_.multiply == Multiply::S8 ? kit_.add(a, b) : Value(kit_.create<arith::AddFOp>(a, b));
  }
  Value stage(Value number) {
    return kit_.offset(shared_, kit_.mul(number, aTile_.bytes() + bTile_.bytes()));
  }
  Value bStage(Value stage) { return kit_.offset(stage, aTile_.bytes()); }
  Value next(Value number);

  void startCopies(Value number, Value step);
  SmallVector<Value> multiply(Value stage, SmallVector<Value> sums);
  SmallVector<Value> asyncLoop();
  SmallVector<Value> registerLoop();
  void reduceSlices(ValueRange sums);
  void finishParts(ValueRange sums);
  Value partPointer(Value slot, int64_t quad);
  Value isLastPart(ValueRange sums);
  Value countArrivals();
  void finish(ValueRange sums);

  Kit &kit_;
  const MatmulKernel &k_;
  const MatmulProblem &p_;
  Work work_;
  Value shared_;
  SharedTile aTile_, bTile_;
  TileCopy aCopy_, bCopy_;
  Value slice_, inTile_;  ///< of the warp: its part of k, its number among those of one part
  Value warpRow_, warpColumn_;
  std::unique_ptr<WarpProduct> product_;
};

/// The stage after `number` in the ring.
Value MatmulBuilder::next(Value number) {
  Value n = kit_.add(number, 1);
  return kit_.select(kit_.equal(n, kit_.i32(k_.stages)), kit_.i32(0), n);
}

void MatmulBuilder::startCopies(Value number, Value step) {
  kit_.when(kit_.less(step, work_.endStep), [&] {
    Value at = stage(number), k = kit_.mul(step, k_.blockK);
    aCopy_.start(kit_, at, k);
    bCopy_.start(kit_, bStage(at), k);
  });
  // Also without copies, so that all threads count the same groups.
  kit_.create<NVVM::CpAsyncCommitGroupOp>();
}

SmallVector<Value> MatmulBuilder::multiply(Value stage, SmallVector<Value> sums) {
  SmallVector<Value> part = k_.roundSums ? zeros() : sums;
  for (int64_t step = 0; step < ownSteps(); ++step)
    product_->multiply(kit_, stage, bStage(stage), step, part);
  if (!k_.roundSums) return part;
  for (auto [all, p] : llvm::zip_equal(sums, part)) all = sum(all, p);
  return sums;
}

/// stages - 1 tiles are on their way while one is multiplied.
SmallVector<Value> MatmulBuilder::asyncLoop() {
  kit_.loop(kit_.i32(0), kit_.i32(k_.stages - 1), kit_.i32(1), {}, [&](Value i, ValueRange) {
    startCopies(i, kit_.add(work_.firstStep, i));
    return SmallVector<Value>();
  });
  SmallVector<Value> carried{kit_.i32(0), kit_.i32(k_.stages - 1)};
  carried.append(zeros());
  auto body = [&](Value step, ValueRange values) {
    kit_.create<NVVM::CpAsyncWaitGroupOp>(k_.stages - 2);
    kit_.barrier();
    startCopies(values[1], kit_.add(step, k_.stages - 1));
    SmallVector<Value> out{next(values[0]), next(values[1])};
    out.append(multiply(stage(values[0]), SmallVector<Value>(values.drop_front(2))));
    return out;
  };
  SmallVector<Value> results =
      kit_.loop(work_.firstStep, work_.endStep, kit_.i32(1), carried, body);
  return SmallVector<Value>(ArrayRef<Value>(results).drop_front(2));
}

/// Two stages: the next tile is in registers while one is multiplied.
SmallVector<Value> MatmulBuilder::registerLoop() {
  auto fetch = [&](Value step) {
    Value k = kit_.mul(step, k_.blockK);
    Value enabled = kit_.less(step, work_.endStep);
    SmallVector<Value> values = aCopy_.fetch(kit_, k, enabled);
    values.append(bCopy_.fetch(kit_, k, enabled));
    return values;
  };
  auto put = [&](Value number, ValueRange values) {
    Value at = stage(number);
    Type type = elementOf(k_.multiply, kit_.getContext());
    aCopy_.put(kit_, at, values.take_front(aCopy_.chunks()), type);
    bCopy_.put(kit_, bStage(at), values.drop_front(aCopy_.chunks()), type);
  };
  put(kit_.i32(0), fetch(work_.firstStep));
  kit_.barrier();
  SmallVector<Value> carried{kit_.i32(0)};
  carried.append(zeros());
  auto body = [&](Value step, ValueRange values) {
    SmallVector<Value> ahead = fetch(kit_.add(step, 1));
    // Without it ptxas moves the reads down to where their values are stored, for the sake of
    // registers, and all of their latency is waited for.
    kit_.create<NVVM::SyncWarpOp>(kit_.i32(-1));
    SmallVector<Value> out{kit_.bitXor(values[0], kit_.i32(1))};
    out.append(multiply(stage(values[0]), SmallVector<Value>(values.drop_front())));
    put(out[0], ahead);
    kit_.barrier();
    return out;
  };
  SmallVector<Value> results =
      kit_.loop(work_.firstStep, work_.endStep, kit_.i32(1), carried, body);
  return SmallVector<Value>(ArrayRef<Value>(results).drop_front());
}

void MatmulBuilder::finish(ValueRange sums) {
  Value batch = work_.batch;
  if (k_.splitsApart) batch = kit_.add(kit_.mul(batch, k_.splitK), work_.split);
  ProductTile tile{batch, work_.firstRow, work_.firstColumn, k_.blockM, k_.blockN, p_.m, p_.n};
  finishTile(kit_, tile, kit_.add(kit_.add(work_.firstRow, warpRow_), product_->laneRow()),
             kit_.add(kit_.add(work_.firstColumn, warpColumn_), product_->laneColumn()),
             product_->places(), sums, p_.epilogue);
}

/// How many blocks of this tile came before, the same in all threads.
Value MatmulBuilder::countArrivals() {
  Value counter = kit_.offset(p_.counters, kit_.mul(kit_.wide(work_.counter), kit_.i64(4)));
  // Each thread's sums are visible to the device before the block counts.
  kit_.create<NVVM::MembarOp>(NVVM::MemScopeKind::GPU);
  kit_.barrier();
  kit_.when(kit_.equal(kit_.thread(), kit_.i32(0)), [&] {
    Value before = kit_.create<LLVM::AtomicRMWOp>(LLVM::AtomicBinOp::uinc_wrap, counter,
                                                  kit_.sub(work_.parts, kit_.i32(1)),
                                                  LLVM::AtomicOrdering::monotonic, "device");
    kit_.store(before, shared_, 4);
  });
  kit_.barrier();
  kit_.create<NVVM::MembarOp>(NVVM::MemScopeKind::GPU);
  return kit_.load(kit_.getI32Type(), shared_, 4);
}

/// Four of the thread's sums of the part in `slot`.
Value MatmulBuilder::partPointer(Value slot, int64_t quad) {
  Value bytes = kit_.mul(kit_.wide(slot), kit_.i64(k_.blockM * k_.blockN * 4));
  bytes = kit_.add(bytes, kit_.wide(kit_.mul(kit_.thread(), 16)));
  return kit_.offset(kit_.offset(p_.partialSums, bytes), quad * threads(k_) * 16);
}

/// Leaves the sums of a part of the tile to its last block; whether that is this one. A whole tile
/// is nobody else's.
Value MatmulBuilder::isLastPart(ValueRange sums) {
  Value isWhole = kit_.equal(work_.parts, kit_.i32(1));
  auto last = kit_.create<scf::IfOp>(TypeRange{kit_.getI1Type()}, isWhole, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(kit_);
  kit_.setInsertionPointToStart(last.thenBlock());
  kit_.create<scf::YieldOp>(kit_.truth(true));
  kit_.setInsertionPointToStart(last.elseBlock());
  for (size_t q = 0; q < sums.size() / 4; ++q)
    kit_.store(kit_.vector(sums.slice(4 * q, 4)), partPointer(work_.slot, q), 16);
  Value isLast = kit_.equal(countArrivals(), kit_.sub(work_.parts, kit_.i32(1)));
  kit_.create<scf::YieldOp>(isLast);
  return last.getResult(0);
}

/// The last block of a tile adds the sums of all, in the order of k, and goes on.
void MatmulBuilder::finishParts(ValueRange sums) {
  Type type = VectorType::get(4, sums[0].getType());
  kit_.when(isLastPart(sums), [&] {
    Value isWhole = kit_.equal(work_.parts, kit_.i32(1));
    SmallVector<Value> start;
    for (Value s : sums) start.push_back(kit_.select(isWhole, s, zero()));
    Value parts = kit_.select(isWhole, kit_.i32(0), work_.parts);
    finish(kit_.loop(kit_.i32(0), parts, kit_.i32(1), start, [&](Value part, ValueRange all) {
      SmallVector<Value> out;
      Value slot = work_.slotOf(kit_, part);
      for (size_t q = 0; q < sums.size() / 4; ++q) {
        Value quad = kit_.load(type, partPointer(slot, q), 16);
        for (size_t i = 0; i < 4; ++i) out.push_back(sum(all[4 * q + i], kit_.element(quad, i)));
      }
      return out;
    }));
  });
}

void MatmulBuilder::build() {
  SmallVector<Value> sums = isAsync(k_, p_) ? asyncLoop() : registerLoop();
  if (k_.sliceK > 1) return reduceSlices(sums);
  if (sharesTiles(k_)) return finishParts(sums);
  finish(sums);
}

/// The warps of the first slice add the sums of the others, which pass them through the stages'
/// memory, and go on.
void MatmulBuilder::reduceSlices(ValueRange sums) {
  int64_t quads = static_cast<int64_t>(sums.size()) / 4, width = tileWarps() * 32 * 16;
  Type type = VectorType::get(4, sums[0].getType());
  Value own = kit_.mul(kit_.rem(kit_.thread(), tileWarps() * 32), 16);
  if (isAsync(k_, p_)) kit_.create<NVVM::CpAsyncWaitGroupOp>(0);
  kit_.barrier();
  Value isFirst = kit_.equal(slice_, kit_.i32(0));
  Value slot = kit_.offset(shared_, kit_.mul(kit_.sub(slice_, kit_.i32(1)), quads * width));
  kit_.when(
      isFirst, [] {},
      [&] {
        for (int64_t q = 0; q < quads; ++q)
          kit_.store(kit_.vector(sums.slice(4 * q, 4)),
                     kit_.offset(kit_.offset(slot, own), q * width), 16);
      });
  kit_.barrier();
  kit_.when(isFirst, [&] {
    SmallVector<Value> all(sums);
    for (int64_t n = 0; n < (k_.sliceK - 1) * quads; ++n) {
      Value part = kit_.load(type, kit_.offset(kit_.offset(shared_, own), n * width), 16);
      for (int64_t i = 0; i < 4; ++i) {
        Value &s = all[n % quads * 4 + i];
        s = sum(s, kit_.element(part, i));
      }
    }
    finish(all);
  });
}

constexpr int64_t kMostWarpSums = 128 * 32;  // half of what registers hold

bool isPowerOfTwo(int64_t n) { return n > 0 && (n & (n - 1)) == 0; }

bool divides(int64_t part, int64_t whole) { return part > 0 && whole % part == 0; }

std::optional<std::string> whyNotFactor(const MatmulKernel &k, const Operand &o, bool isA,
                                        const Extent &extent, const Extent &depth) {
  int64_t rows = isA ? k.blockM : k.blockN, warpRows = isA ? k.warpM : k.warpN;
  SharedTile tile = tileOf(k, o, rows, warpRows);
  if (isa<FloatType>(o.element) == (k.multiply == Multiply::S8)) return "factors of another type";
  if (k.multiply == Multiply::S8 && (!o.alongK || !o.element.isInteger(8)))
    return "8-bit factors must be contiguous along k";
  if (!isPowerOfTwo(o.alignment)) return "an alignment is no power of two";
  if (!isPowerOfTwo(rows) || !isPowerOfTwo(k.blockK)) return "a tile's extent is no power of two";
  if (!canHaveRows(tile, isA, warpRows, isA ? k.warpN : k.warpM))
    return "a warp's tile is too small";
  if (tile.lineBytes() < (tile.isReadByPieces() ? 128 : 32)) return "a tile's lines are too short";
  if (k.blockK * tile.elementBytes % 32 != 0) return "a tile has no 32 bytes of k";
  if (!TileCopy::fits(o, tile, extent, depth, threads(k)))
    return "threads do not share a tile's chunks evenly";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> whyNot(const MatmulKernel &k, const MatmulProblem &p) {
  if (!canMultiply(k.multiply, k.chip))
    return "the chip has no " + nameOf(k.multiply).str() + " products";
  if (!divides(k.warpM, k.blockM)) return "A: warps do not divide the tile";
  if (!divides(k.warpN, k.blockN)) return "B: warps do not divide the tile";
  if (k.warpM * k.warpN > kMostWarpSums) return "a warp's sums need too many registers";
  if (k.sliceK < 1 || k.blockK * bytesOf(k.multiply) / 32 % k.sliceK != 0)
    return "warps do not share k evenly";
  if (auto why = whyNotFactor(k, p.a, true, p.m, p.k)) return "A: " + *why;
  if (auto why = whyNotFactor(k, p.b, false, p.n, p.k)) return "B: " + *why;
  if (threads(k) > 1024) return "a block has over 1024 threads";
  if (k.stages < 2 || k.splitK < 1 || k.rasterGroup < 1)
    return "stages, splits or groups are too few";
  if (k.streamBlocks < 0 || (k.streamBlocks > 0 && k.splitK > 1))
    return "blocks share k in one way only";
  if (sharesTiles(k) && (!p.partialSums || !p.counters)) return "splitting k needs memory";
  if (k.sliceK > 1 && sharesTiles(k)) return "warps and blocks both share k";
  if (k.roundSums && k.multiply == Multiply::S8) return "integer sums are not rounded";
  if (sharedBytes(k, p) > sharedLimit(k.chip)) return "the stages need too much shared memory";
  return std::nullopt;
}

int64_t threads(const MatmulKernel &k) { return warpsOfTile(k) * k.sliceK * 32; }

int64_t sharedBytes(const MatmulKernel &k, const MatmulProblem &p) {
  int64_t slices = (k.sliceK - 1) * k.blockM * k.blockN * 4;
  return std::max(stageBytes(k, p) * (isAsync(k, p) ? k.stages : 2), slices);
}

int64_t blockCount(const MatmulKernel &k, int64_t batch, int64_t m, int64_t n) {
  if (k.streamBlocks) return k.streamBlocks;
  return ceilDiv(m, k.blockM) * ceilDiv(n, k.blockN) * batch * k.splitK;
}

int64_t splitBytes(const MatmulKernel &k, int64_t batch, int64_t m, int64_t n) {
  if (!sharesTiles(k)) return 0;
  int64_t slots = k.streamBlocks ? 2 * k.streamBlocks : blockCount(k, batch, m, n);
  return slots * k.blockM * k.blockN * 4;
}

void buildMatmul(Kit &kit, const MatmulKernel &kernel, const MatmulProblem &problem) {
  WorkShape shape{kernel.blockM, kernel.blockN, kernel.blockK, kernel.splitK, kernel.rasterGroup};
  auto build = [&](const Work &work) { MatmulBuilder(kit, kernel, problem, work).build(); };
  if (!kernel.streamBlocks) return build(findWork(kit, shape, problem));
  forEachShare(kit, shape, kernel.streamBlocks, problem, [&](const Work &work) {
    // No warp writes what another one still reads of the tile before.
    kit.barrier();
    build(work);
  });
}

}  // namespace adze::cuda
