// A contraction's factors as tensor maps: what copies of boxes can address, and the maps' making.
#include "dialects/Rt/Rt.h"
#include "targets/cuda/ContractionReader.h"

using namespace mlir;
using namespace adze::schedule;

namespace adze::cuda {
namespace {

constexpr size_t kMostDimensions = 5;
constexpr int64_t kStrideBytes = 16;  ///< strides and the first address are multiples of it
constexpr int64_t kSwizzle = 128;

bool isMultipleOf(const Stride &stride, int64_t n) {
  return llvm::all_of(stride.getTerms(), [&](const Term &t) { return t.coefficient % n == 0; });
}

bool isPositive(const Stride &stride) {
  return !stride.isZero() &&
         llvm::all_of(stride.getTerms(), [](const Term &t) { return t.coefficient > 0; });
}

/// Extents, the last dimension's first, of a box that takes `count` of what `dims` number together,
/// from a multiple of it on: whole inner dimensions and a part of the next one. Beyond the first
/// dimension's end there is nothing to take. nullopt: no box does.
std::optional<SmallVector<int64_t>> boxOf(const Contraction &c, ArrayRef<unsigned> dims,
                                          int64_t count) {
  SmallVector<int64_t> box;
  for (unsigned dim : llvm::reverse(dims.drop_front())) {
    const Stride &size = c.unit->sizes[dim];
    auto known = size.asConstant();
    if (isMultipleOf(size, count))
      box.push_back(count);
    else if (known && count % *known == 0)
      box.push_back(*known);
    else
      return std::nullopt;
    count /= box.back();
  }
  box.push_back(count);
  return box;
}

std::string whyNotMapped(const Access &access, const FactorMap &map) {
  int64_t bytes = bytesOf(access.elementType());
  auto isAligned = [&](int64_t divisor) { return divisor * bytes % kStrideBytes == 0; };
  if (!access.bounds.empty()) return "padding";
  if (map.dims.size() > kMostDimensions) return "too many dimensions";
  if (strideOf(access, map.dims.front()) != Stride::constant(1))
    return "neither rows nor terms lie side by side";
  if (!isAligned(firstDivisor(access))) return "an odd first address";
  for (unsigned dim : ArrayRef(map.dims).drop_front())
    if (Stride stride = strideOf(access, dim); !isPositive(stride) || !isAligned(divisorOf(stride)))
      return "strides that are no multiple of 16 bytes";
  return "";
}

/// Of `operand`, for tiles of `tileRows` rows.
std::optional<FactorMap> mapFactor(const Contraction &c, unsigned operand, ArrayRef<unsigned> rows,
                                   int64_t tileRows, std::string &why) {
  const Access &access = c.core().operands[operand];
  int64_t line = kSwizzle / bytesOf(access.elementType());
  FactorMap map{operand, SmallVector<unsigned>(rows), {}, {}, false};
  map.alongK = strideOf(access, c.k.back()) == Stride::constant(1);
  ArrayRef<unsigned> along = c.k, across = rows;
  if (!map.alongK) std::swap(along, across);
  // A line is of one dimension; its neighbours follow it in shared memory.
  map.dims = {along.back()};
  for (ArrayRef<unsigned> dims : {across, along.drop_back(), ArrayRef(c.batch)})
    map.dims.append(dims.rbegin(), dims.rend());
  why = whyNotMapped(access, map);
  if (!why.empty()) return std::nullopt;
  auto box = boxOf(c, across, map.alongK ? tileRows : line);
  if (!box || (along.size() > 1 && !isMultipleOf(c.unit->sizes[along.back()], line))) {
    why = "tiles that are no boxes";
    return std::nullopt;
  }
  map.box = {line};
  map.box.append(*box);
  map.box.resize(map.dims.size(), 1);
  return map;
}

MappedOperand operandOf(const Contraction &c, const FactorMap &map, Value argument,
                        const KernelArguments &arguments) {
  auto coordinates = [&c, &arguments, map](Kit &kit, Value batch, Value row, Value k) {
    Reader reader{kit, c, arguments};
    DenseMap<unsigned, Value> indices;
    reader.split(c.batch, batch, indices);
    reader.split(map.rows, row, indices);
    reader.split(c.k, k, indices);
    return llvm::map_to_vector(map.dims, [&](unsigned dim) { return indices.at(dim); });
  };
  return {c.core().operands[map.operand].elementType(), argument, map.alongK, coordinates};
}

}  // namespace

std::optional<FactorMaps> mapFactors(const Contraction &c, int64_t count, int64_t m, int64_t n,
                                     std::string &why) {
  FactorMaps maps;
  auto add = [&](unsigned operand, ArrayRef<unsigned> rows, int64_t tileRows) {
    std::optional<FactorMap> map = mapFactor(c, operand, rows, tileRows, why);
    if (map) maps.push_back(std::move(*map));
    return map.has_value();
  };
  if (count == 2 && !add(c.a, c.row, m)) return std::nullopt;
  if (count > 0 && !add(c.b, c.column, n)) return std::nullopt;
  return maps;
}

void addMaps(MatmulProblem &problem, const Contraction &c, const FactorMaps &maps,
             ArrayRef<Value> values, const KernelArguments &arguments) {
  for (auto [map, value] : llvm::zip_equal(maps, values))
    (map.operand == c.a ? problem.aMap : problem.bMap) = operandOf(c, map, value, arguments);
}

Value makeMap(OpBuilder &b, Location loc, const Contraction &c, const FactorMap &map) {
  const Access &access = c.core().operands[map.operand];
  auto number = [&](const Stride &stride) { return c.unit->symbols.materialize(b, loc, stride); };
  // A map has no extent or stride of 0; of a tensor without elements no kernel reads any.
  auto atLeast = [&](int64_t least, const Stride &stride) {
    Value bound = arith::ConstantIndexOp::create(b, loc, least);
    return b.createOrFold<arith::MaxUIOp>(loc, number(stride), bound);
  };
  SmallVector<Value> extents, strides;
  for (unsigned dim : map.dims) {
    extents.push_back(atLeast(1, c.unit->sizes[dim]));
    if (dim != map.dims.front())
      strides.push_back(
          atLeast(kStrideBytes / bytesOf(access.elementType()), strideOf(access, dim)));
  }
  return rt::TensorMapOp::create(b, loc, rt::TensorMapType::get(b.getContext()), access.source,
                                 number(access.offset), extents, strides, map.box, kSwizzle);
}

}  // namespace adze::cuda
