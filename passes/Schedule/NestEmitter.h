// Emits one unit as a loop nest over vectors and registers.
#pragma once

#include "passes/Schedule/BodyEmitter.h"
#include "passes/Schedule/MachineModel.h"
#include "passes/Schedule/Unit.h"

#include <map>
#include <tuple>

namespace adze::schedule {

/// A loop of one dimension with a fixed amount of work an iteration. The
/// register tile of a dimension runs as a ladder of rungs: the full tile, then
/// smaller ones, then a masked one.
struct Rung {
  int64_t count = 1;    ///< unroll factor (vectors, for the vector dimension)
  int64_t lanes = 1;    ///< elements a vector; 1 for other dimensions
  int64_t tail = 0;     ///< lanes in use of the last vector; 0 all, -1 known at run time
  mlir::Value lower, upper;
  bool once = false;    ///< exactly one iteration
};

/// Where code is being emitted: bounds, indices and addresses so far.
struct NestState {
  struct Dim {
    mlir::Value lower, upper;        ///< of the chunk
    std::optional<int64_t> extent;   ///< upper - lower, when known
    int64_t step = 0, rest = 0;      ///< of uneven chunks: the extent, and the last one's
    int64_t lastLower = 0;           ///< where the last of uneven chunks begins
    mlir::Value index;               ///< of the tile's first point
    int64_t count = 1;
    bool bound = false;              ///< the register tile loop has been entered
  };
  llvm::SmallVector<Dim> dims;
  int64_t lanes = 1;
  mlir::Value mask;                  ///< of the last vector, or null
  bool checked = false;              ///< reads of padded operands look at their bounds
  /// Address of each stage's operands at the tile's first point, in elements.
  llvm::SmallVector<llvm::SmallVector<mlir::Value>> addresses;
  /// Values read already: stage, operand, distance from the address, last
  /// vector; where bounds are checked the point too, for one address may be in
  /// bounds by one way and not by another.
  std::map<std::tuple<unsigned, unsigned, Stride, bool, llvm::SmallVector<int64_t, 8>>, mlir::Value>
      loads;
  /// Where rows of padded operands begin: buffer and address.
  std::map<std::tuple<unsigned, unsigned, llvm::SmallVector<int64_t, 8>>,
           std::pair<mlir::Value, mlir::Value>>
      rows;
};

/// A point of the register tile: the unroll index of each dimension.
using Point = llvm::SmallVector<int64_t, 8>;

class NestEmitter {
public:
  NestEmitter(Unit &unit, const Schedule &schedule, const MachineModel &machine,
              mlir::OpBuilder &builder, mlir::Location loc);
  /// Emits at the builder's insertion point what the nest needs before it.
  void begin();
  /// Emits the nest at the builder's insertion point, after begin().
  void emit();
  /// Emits the nest over a chunk of some dimensions: loop.step indices of
  /// loop.dim from the loop's index on, or to the dimension's end. `lane`: the
  /// thread's number in the team that runs it, or null.
  void emitChunk(llvm::ArrayRef<Loop> loops, mlir::ValueRange indices, mlir::Value lane = {});
  /// The bound of `dim`.
  mlir::Value upperBound(unsigned dim) const { return state.dims[dim].upper; }

private:
  using Values = llvm::SmallVector<mlir::Value>;

  // Loops (NestEmitter.cpp).
  void emitLoops(unsigned level, NestState state);
  void emitParallel(unsigned level, NestState state);
  void emitRungs(unsigned level, const NestState &state);
  void enterChunk(const Loop &loop, mlir::Value index, NestState &state);
  Values emitReduction(unsigned level, NestState state, Values accumulators);
  Values emitReductionLoop(unsigned level, const Rung &rung, NestState state, Values accumulators);
  Values emitPartialSums(unsigned level, const Rung &rung, const NestState &state,
                         Values accumulators);
  bool isPlainSum() const;
  llvm::SmallVector<Rung> ladder(unsigned dim, const NestState &state);
  void tailRungs(unsigned dim, int64_t rest, mlir::Value lower, llvm::SmallVector<Rung> &rungs);
  void moveTo(unsigned dim, mlir::Value index, NestState &state);
  void bind(unsigned dim, const Rung &rung, mlir::Value index, NestState &state);
  bool isInnermost(unsigned level) const;
  bool masksFit() const;
  void preload(NestState &state);

  // Teams (TeamEmitter.cpp).
  int teamDim(const NestState &state) const;
  mlir::Value isFirstLane();
  Rung shareOfTeam(const Rung &rung, int64_t &step);
  Values onFirstLane(llvm::ArrayRef<mlir::Value> otherwise, llvm::function_ref<Values()> emit);
  void emitWithLane(NestState state);
  mlir::Value reduceTeam(mlir::Value value);
  mlir::Value mergeTeam(mlir::Value value, mlir::Value init);

  // Tiles (TileEmitter.cpp).
  void emitTile(NestState state);
  void emitStages(NestState state);
  bool isFullTile(const NestState &state) const;
  void emitChecked(NestState state);
  void emitParts(const NestState &state, unsigned dim, mlir::Value index, int64_t count,
                 int64_t times);
  bool isBounded(unsigned dim) const;
  llvm::SmallVector<Point> points(const NestState &state, bool reduction) const;
  void runStage(unsigned stage, NestState &state);
  void runCore(NestState &state);
  Values accumulate(NestState &state, Values accumulators);
  mlir::Value accumulateTail(NestState &state, const Point &point, unsigned index,
                             mlir::Value accumulator);
  mlir::Value current(unsigned stage, unsigned operand, NestState &state, unsigned index);
  Values evaluate(unsigned stage, NestState &state, const Point &point, unsigned index,
                  llvm::ArrayRef<mlir::Value> outputs);
  mlir::Value mergeLanes(llvm::ArrayRef<mlir::Value> vectors, mlir::Value init);
  mlir::Value neutral(int64_t lanes);
  void storeResults(NestState &state);
  bool reducesLanes() const;
  bool isDead(mlir::Value memref) const;

  // Memory (Memory.cpp).
  mlir::Value load(unsigned stage, unsigned operand, NestState &state, const Point &point);
  void store(const Access &access, unsigned stage, unsigned operand, mlir::Value value,
             NestState &state, const Point &point);
  Stride distance(const Access &access, const NestState &state, const Point &point) const;
  mlir::Value address(unsigned stage, unsigned operand, const NestState &state,
                      const Stride &distance);
  bool storeInterleaved(const Access &access, unsigned stage, unsigned operand,
                        llvm::ArrayRef<mlir::Value> values, NestState &state);
  mlir::Value interleave(llvm::ArrayRef<mlir::Value> vectors, int64_t part);
  mlir::Value maskFor(const NestState &state, const Point &point) const;

  // Padded operands (Clipping.cpp).
  bool skipsPadding(unsigned stage, unsigned operand) const;
  int clippedLoop(unsigned stage, unsigned operand, const Bound &bound) const;
  void clip(unsigned dim, NestState &state);
  mlir::Value indexOf(const Bound &bound, const NestState &state, const Point &point);
  std::pair<mlir::Value, mlir::Value> rangeOf(const Bound &bound, const NestState &state);
  mlir::Value insideAllBounds(const NestState &state);
  mlir::Value insideBounds(unsigned stage, unsigned operand, const NestState &state,
                           const Point &point);
  std::pair<mlir::Value, mlir::Value> checkedAddress(unsigned stage, unsigned operand,
                                                     NestState &state, const Point &point);
  mlir::Value loadIfInside(unsigned stage, unsigned operand, NestState &state, const Point &point,
                           bool wide, llvm::function_ref<mlir::Value(mlir::Value, mlir::Value)> load);
  std::pair<mlir::Value, mlir::Value> withPaddingRow(const Access &access);
  mlir::Value loadVector(mlir::Value source, mlir::Type element, mlir::Value address,
                         mlir::Value mask, int64_t lanes);
  mlir::Value bodyLoad(unsigned stage, mlir::memref::LoadOp op,
                       llvm::ArrayRef<mlir::Value> indices, mlir::Value mask, int64_t lanes);
  mlir::Value gather(mlir::Value source, mlir::Value base, mlir::Value indices, mlir::Value mask,
                     int64_t lanes);
  mlir::Value laneIndices(const Stride &stride, int64_t lanes);
  mlir::Value flat(mlir::Value memref);

  // Arithmetic on indices, folded.
  mlir::Value constant(int64_t value);
  mlir::Value materialize(const Stride &stride);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value roundDown(mlir::Value value, int64_t multiple);

  Unit &unit;
  const Schedule &schedule;
  const MachineModel &machine;
  mlir::OpBuilder &builder;
  mlir::OpBuilder prologue;  ///< before the nest: sizes, strides, flat views
  mlir::Location loc;
  llvm::SmallVector<Loop> parallelLoops, reductionLoops;
  NestState state;           ///< before the first loop
  mlir::Value lane;          ///< of the team (schedule.team), or null
  int shared = -1;           ///< the dimension that the team shares out
  std::map<void *, mlir::Value> flats;
  llvm::DenseMap<std::pair<void *, mlir::Attribute>, std::pair<mlir::Value, mlir::Value>>
      paddingRows;
  std::map<int64_t, mlir::Value> constants;
  llvm::SmallVector<Point> tile;             ///< points of the current tile
  std::map<void *, Values> written;          ///< values of buffers written so far in the tile
};

}  // namespace adze::schedule
