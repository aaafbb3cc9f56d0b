// Random graphs of the ops that layout and fusion rewrite, static and dynamic.
#include "Differential.h"

#include "catch2/catch.hpp"
#include "dialects/Graph/Graph.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace adze;
using namespace adze::graph;

namespace {

using Shape = std::vector<int64_t>;

/// Grows one function op by op; knows each value's extents at run time.
class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed)
      : random(seed), b(&graphContext()), module(ModuleOp::create(b.getUnknownLoc())) {}

  void run(unsigned ops) {
    start();
    for (unsigned i = 0; i < ops; ++i) step();
    finish();
    REQUIRE(succeeded(verify(*module)));
    checkPipelines(*module, "main", inputs);
  }

 private:
  unsigned pick(unsigned n) { return random() % n; }

  void start() {
    SmallVector<Type> types;
    bool dynamic = pick(2);
    for (unsigned i = 0; i < 3; ++i) {
      Shape shape, known;
      for (unsigned d = 0, rank = 2 + pick(3); d < rank; ++d) {
        shape.push_back(1 + pick(4));
        known.push_back(dynamic && pick(2) ? ShapedType::kDynamic : shape.back());
      }
      types.push_back(RankedTensorType::get(known, b.getF32Type()));
      auto type = RankedTensorType::get(shape, b.getF32Type());
      inputs.push_back(argumentFor(type, random));
      shapes.push_back(shape);
    }
    b.setInsertionPointToEnd(module->getBody());
    function = func::FuncOp::create(b, b.getUnknownLoc(), "main", b.getFunctionType(types, {}));
    Block *entry = function.addEntryBlock();
    llvm::append_range(values, entry->getArguments());
    b.setInsertionPointToEnd(entry);
  }

  void finish() {
    // The last value and one from the middle, which then has a use outside.
    SmallVector<Value> results{values.back(), values[values.size() / 2]};
    func::ReturnOp::create(b, b.getUnknownLoc(), results);
    function.setType(b.getFunctionType(function.getArgumentTypes(),
                                       TypeRange(ValueRange(results))));
  }

  template <typename OpTy>
  void add(ValueRange operands, ArrayRef<NamedAttribute> attrs, Shape shape) {
    auto op = tryCreate<OpTy>(b, b.getUnknownLoc(), operands, attrs);
    REQUIRE(succeeded(op));
    values.push_back((*op)->getResult(0));
    shapes.push_back(std::move(shape));
  }
  NamedAttribute attr(StringRef name, Attribute value) { return b.getNamedAttr(name, value); }
  NamedAttribute fn(ElementwiseFn f) {
    return attr("fn", ElementwiseFnAttr::get(b.getContext(), f));
  }
  Value ints(ArrayRef<int64_t> v) {
    auto type = RankedTensorType::get({int64_t(v.size())}, b.getI64Type());
    return ConstantOp::create(b, b.getUnknownLoc(), DenseIntElementsAttr::get(type, v));
  }

  /// A recent value, so that chains grow, or any.
  size_t choose() {
    size_t recent = std::min<size_t>(values.size(), 4);
    return pick(4) ? values.size() - 1 - pick(recent) : pick(values.size());
  }

  void step() {
    switch (pick(11)) {
      case 0: case 1: return unary();
      case 2: case 3: return binary();
      case 4: case 5: return transpose();
      case 6: return reduce();
      case 7: return concat();
      case 8: return pick(2) ? softmax() : sliceOrPad();
      case 9: return pick(2) ? pool() : matmul();
      default: return flatten();
    }
  }

  void unary() {
    static constexpr ElementwiseFn kFns[] = {ElementwiseFn::Abs, ElementwiseFn::Neg,
                                             ElementwiseFn::Sigmoid, ElementwiseFn::Tanh};
    size_t v = choose();
    add<ElementwiseOp>(values[v], fn(kFns[pick(4)]), shapes[v]);
  }

  void binary() {
    static constexpr ElementwiseFn kFns[] = {ElementwiseFn::Add, ElementwiseFn::Sub,
                                             ElementwiseFn::Max, ElementwiseFn::Min};
    size_t v = choose(), w = choose();
    auto f = fn(kFns[pick(4)]);
    if (shapes[v] == shapes[w] && values[v].getType() == values[w].getType())
      return add<ElementwiseOp>({values[v], values[w]}, f, shapes[v]);
    // A constant along one axis.
    Shape shape(shapes[v].size(), 1);
    auto type = cast<RankedTensorType>(values[v].getType());
    for (size_t axis = 0; axis < shape.size(); ++axis)
      if (!type.isDynamicDim(axis) && pick(2)) {
        shape[axis] = shapes[v][axis];
        break;
      }
    shape.erase(shape.begin(), llvm::find_if(shape, [](int64_t e) { return e != 1; }));
    auto elements = RankedTensorType::get(shape, b.getF32Type());
    std::vector<float> numbers;
    for (int64_t i = 0; i < elements.getNumElements(); ++i) numbers.push_back(float(i) - 1);
    Value constant = ConstantOp::create(b, b.getUnknownLoc(),
                                        DenseElementsAttr::get(elements, ArrayRef(numbers)));
    add<ElementwiseOp>({values[v], constant}, f, shapes[v]);
  }

  void transpose() {
    size_t v = choose();
    SmallVector<int64_t> perm(shapes[v].size());
    std::iota(perm.begin(), perm.end(), 0);
    for (size_t i = perm.size(); i > 1; --i) std::swap(perm[i - 1], perm[pick(i)]);
    Shape shape;
    for (int64_t p : perm) shape.push_back(shapes[v][p]);
    add<TransposeOp>(values[v], attr("perm", b.getDenseI64ArrayAttr(perm)), shape);
  }

  void reduce() {
    size_t v = choose();
    if (shapes[v].empty()) return;
    static constexpr ReduceKind kKinds[] = {ReduceKind::Sum, ReduceKind::Max, ReduceKind::Mean};
    int64_t axis = pick(shapes[v].size());
    bool keep = pick(3);
    Shape shape = shapes[v];
    if (keep) shape[axis] = 1;
    else shape.erase(shape.begin() + axis);
    add<ReduceOp>(values[v],
                  {attr("kind", ReduceKindAttr::get(b.getContext(), kKinds[pick(3)])),
                   attr("axes", b.getDenseI64ArrayAttr({axis})),
                   attr("keepdims", b.getBoolAttr(keep))},
                  shape);
  }

  void concat() {
    size_t v = choose();
    if (shapes[v].empty()) return;
    int64_t axis = pick(shapes[v].size());
    Shape shape = shapes[v];
    // Sizes stay small however long the graph.
    if ((shape[axis] *= 2) > 16) return;
    add<ConcatOp>({values[v], values[v]}, attr("axis", b.getI64IntegerAttr(axis)), shape);
  }

  void softmax() {
    size_t v = choose();
    if (shapes[v].empty()) return;
    add<SoftmaxOp>(values[v], attr("axis", b.getI64IntegerAttr(pick(shapes[v].size()))), shapes[v]);
  }

  void sliceOrPad() {
    size_t v = choose(), rank = shapes[v].size();
    if (rank == 0) return;
    size_t axis = pick(rank);
    Shape shape = shapes[v];
    if (pick(2)) {
      SmallVector<int64_t> starts(rank, 0), ends(rank, INT64_MAX), steps(rank, 1);
      ends[axis] = 1;
      shape[axis] = std::min<int64_t>(shape[axis], 1);
      return add<SliceOp>({values[v], ints(starts), ints(ends), ints(steps)}, {}, shape);
    }
    SmallVector<int64_t> pads(2 * rank, 0);
    pads[axis] = 1;
    shape[axis] += 1;
    auto scalar = RankedTensorType::get({}, b.getF32Type());
    Value fill = ConstantOp::create(b, b.getUnknownLoc(), DenseElementsAttr::get(scalar, 0.5f));
    add<PadOp>({values[v], ints(pads), fill}, {}, shape);
  }

  /// v times its own transpose.
  void matmul() {
    size_t v = choose(), rank = shapes[v].size();
    if (rank < 2) return;
    SmallVector<int64_t> perm(rank);
    std::iota(perm.begin(), perm.end(), 0);
    std::swap(perm[rank - 1], perm[rank - 2]);
    Shape turned = shapes[v], shape = shapes[v];
    std::swap(turned[rank - 1], turned[rank - 2]);
    shape[rank - 1] = shape[rank - 2];
    add<SoftmaxOp>(values[v], attr("axis", b.getI64IntegerAttr(rank - 1)), shapes[v]);
    Value x = values.back();
    add<TransposeOp>(x, attr("perm", b.getDenseI64ArrayAttr(perm)), turned);
    add<MatmulOp>({x, values.back()}, {}, shape);
  }

  /// Over two neighbours along one axis.
  void pool() {
    size_t v = choose(), rank = shapes[v].size();
    if (rank < 3) return;
    SmallVector<int64_t> ones(rank - 2, 1), kernel(ones), pads(2 * (rank - 2), 0);
    size_t axis = pick(rank - 2);
    if (shapes[v][axis + 2] < 2) return;
    Shape shape = shapes[v];
    shape[axis + 2] -= 1;
    kernel[axis] = 2;
    auto list = [&](StringRef name, ArrayRef<int64_t> values) {
      return attr(name, b.getDenseI64ArrayAttr(values));
    };
    PoolKind kind = pick(2) ? PoolKind::Max : PoolKind::Average;
    add<PoolOp>(values[v],
                {attr("kind", PoolKindAttr::get(b.getContext(), kind)), list("kernel", kernel),
                 list("strides", ones), list("pads", pads), list("dilations", ones)},
                shape);
  }

  /// The last two axes become one.
  void flatten() {
    size_t v = choose(), rank = shapes[v].size();
    if (rank < 2) return;
    auto type = cast<RankedTensorType>(values[v].getType());
    SmallVector<int64_t> extents(type.getShape().drop_back(2));
    if (llvm::any_of(extents, ShapedType::isDynamic)) return;
    extents.push_back(-1);
    Shape shape(shapes[v].begin(), shapes[v].end() - 2);
    shape.push_back(shapes[v][rank - 1] * shapes[v][rank - 2]);
    if (shape.back() > 64) return;
    add<ReshapeOp>({values[v], ints(extents)}, {}, shape);
  }

  std::mt19937 random;
  OpBuilder b;
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
  SmallVector<reference::Tensor> inputs;
  std::vector<Value> values;
  std::vector<Shape> shapes;
};

}  // namespace

TEST_CASE("passes keep the meaning of random graphs", "[Passes]") {
  for (unsigned seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    RandomGraph(seed).run(5 + seed % 40);
  }
}
