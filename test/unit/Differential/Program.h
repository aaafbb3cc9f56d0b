// Random functions of adze ops over odd sizes, static and dynamic, with what
// the reference makes of each value.
#pragma once
#include "lib/Reference/ErrorBound.h"

#include "dialects/Graph/Graph.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include "llvm/ADT/STLExtras.h"

#include <optional>
#include <random>
#include <vector>

namespace adze::differential {

using reference::Known;

class Program {
 public:
  Program(unsigned seed, mlir::MLIRContext &context);

  mlir::ModuleOp module() { return *module_; }
  llvm::ArrayRef<reference::Tensor> inputs() const { return inputs_; }
  llvm::ArrayRef<Known> results() const { return results_; }

 private:
  using Shape = llvm::SmallVector<int64_t>;
  using Step = void (Program::*)();
  static const std::vector<Step> &steps();

  // Choices.
  unsigned pick(unsigned n) { return n ? random() % n : 0; }
  bool chance(unsigned percent) { return pick(100) < percent; }
  template <typename T>
  T oneOf(std::initializer_list<T> all) { return all.begin()[pick(all.size())]; }
  int64_t extent();
  /// A recent value more often than an old one, for which `fits` holds.
  const Known *choose(llvm::function_ref<bool(const Known &)> fits);
  const Known *chooseFloat(int64_t leastRank = 0);

  // Growing.
  void addInput(Shape shape, mlir::Type element);
  reference::Tensor randomTensor(Shape shape, mlir::Type element, double low, double high);
  Known constant(const reference::Tensor &t);
  Known constant(Shape shape, mlir::Type element, double low, double high);
  Known ints(llvm::ArrayRef<int64_t> values);
  Known scalar(mlir::Type element, double v);
  /// Adds an op on copies of `ins`; null when it is not valid on them, or gives
  /// what later ops could not take.
  template <typename OpTy>
  const Known *add(std::vector<Known> ins, llvm::ArrayRef<mlir::NamedAttribute> attrs = {}) {
    auto operands = llvm::map_to_vector(ins, [](const Known &k) { return k.value; });
    auto op = graph::tryCreate<OpTy>(b, b.getUnknownLoc(), operands, attrs);
    return failed(op) ? nullptr : keep(*op, ins);
  }
  const Known *keep(mlir::Operation *made, llvm::ArrayRef<Known> ins);
  const Known *elementwise(graph::ElementwiseFn fn, std::vector<Known> ins);
  mlir::NamedAttribute attr(llvm::StringRef name, mlir::Attribute value);
  mlir::NamedAttribute list(llvm::StringRef name, llvm::ArrayRef<int64_t> values);
  mlir::NamedAttribute number(llvm::StringRef name, int64_t value);
  mlir::NamedAttribute flag(llvm::StringRef name, bool value);
  /// Something that broadcasts with `x`, and a value of its type.
  Known partner(const Known &x);
  void finish();
  /// Pins some ops to one of their orders of dimensions, so that assignments are
  /// tried that cost too much to be chosen.
  void pinOrders();

  // Steps, each adding some ops.
  void unary(); void binary(); void compareSelect(); void integers(); void convert();
  void transpose(); void reshape(); void concat(); void slice(); void pad(); void tile();
  void expand(); void gather(); void gatherElements(); void scatter(); void reduce();
  void argReduce(); void cumulative(); void softmax(); void normalize(); void topk();
  void matmul(); void integerMatmul(); void conv(); void convTranspose(); void pool();
  void resize(); void trilu(); void quantize(); void shapeArithmetic(); void attention();
  void epilogue(const Known *anchor);

  // Patterns.cpp: steps that spell out in simple ops what passes recognise.
  const Known *chain(graph::ElementwiseFn fn, const Known *x, std::optional<Known> y = std::nullopt);
  const Known *keptReduce(graph::ReduceKind kind, const Known *x, int64_t axis);
  void spelledNormalize(); void spelledSoftmax(); void spelledActivation(); void spelledRotary();
  void dressedConv(); void squeezeExcite(Known x);

  std::mt19937 random;
  mlir::OpBuilder b;
  mlir::OwningOpRef<mlir::ModuleOp> module_;
  mlir::func::FuncOp function;
  std::vector<Known> known;
  llvm::SmallVector<reference::Tensor> inputs_;
  std::vector<Known> results_;
};

}  // namespace adze::differential
