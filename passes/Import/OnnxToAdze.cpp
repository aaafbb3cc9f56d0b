// onnx.* -> adze.*, one node at a time, through the registry.
#include "passes/Import/Passes.h"

#include "dialects/Graph/DimExprs.h"
#include "dialects/Onnx/Location.h"
#include "dialects/Onnx/Onnx.h"
#include "lib/Support/Diagnostics.h"
#include "passes/Import/Folding.h"
#include "passes/Import/NodeBuilder.h"
#include "passes/Import/Registry.h"

#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace adze {
#define GEN_PASS_DEF_ONNXTOADZE
#include "passes/Import/Passes.h.inc"

using convert::Folder;
using convert::NodeBuilder;
using convert::OpEntry;
using convert::Values;

namespace {

/// Converts the nodes of one function, subgraphs included.
class GraphConverter {
 public:
  GraphConverter(MLIRContext *ctx, Folder &folder) : b(ctx), folder(folder) {}

  int64_t numNodes = 0;
  bool anyFailed = false;

  /// Converts the ops of `block` in place, before its terminator.
  void convertEntry(Block &block);

 private:
  OpBuilder b;
  Folder &folder;
  DenseMap<Value, Value> mapped;  ///< looked up only, never walked

  void convertOp(Operation *op);
  void convertNode(onnxir::NodeOp node);
  void convertConstant(onnxir::ConstantOp op);
  FailureOr<Values> convertBody(Block &from, ValueRange args);
  void report(NodeBuilder &nb);
  void fail(Operation *op, const Twine &message);
};

void GraphConverter::fail(Operation *op, const Twine &message) {
  anyFailed = true;
  emitError(op->getLoc()) << message;
}

void GraphConverter::report(NodeBuilder &nb) {
  anyFailed = true;
  std::string why = printable(nb.reason);
  std::string type = printable(nb.opType());
  if (nb.failure == NodeBuilder::Failure::Unsupported)
    emitError(nb.loc) << "ADZ0202: " << type << " is unsupported here, because " << why;
  else if (nb.failure == NodeBuilder::Failure::Invalid)
    emitError(nb.loc) << "ADZ0301: " << type << ": " << why;
}

void GraphConverter::convertConstant(onnxir::ConstantOp op) {
  auto type = dyn_cast<RankedTensorType>(op.getOutput().getType());
  // A string or complex constant is refused where it is used.
  if (!type || !type.getElementType().isIntOrFloat()) return;
  mapped[op.getOutput()] = graph::ConstantOp::create(b, op.getLoc(), op.getValue());
}

void GraphConverter::convertNode(onnxir::NodeOp node) {
  ++numNodes;
  SmallVector<Value> inputs;
  for (Value v : node.getInputs()) {
    bool absent = isa<onnxir::NoneType>(v.getType());
    Value m = absent ? Value() : mapped.lookup(v);
    if (!absent && !m) {
      auto type = dyn_cast<ShapedType>(v.getType());
      if (v.getDefiningOp<onnxir::ConstantOp>() || (type && !type.getElementType().isIntOrFloat()))
        fail(node, "ADZ0202: " + printable(node.getOpType()) + " is unsupported here, because it "
                   "reads a string or complex tensor");
      return;  // what it depends on has failed, and said so
    }
    inputs.push_back(m);
  }
  const OpEntry *row =
      convert::lookupOp(node.getDomain(), node.getOpType(), node.getSinceVersion());
  if (!row)
    return fail(node, "ADZ0202: " + printable(node.getOpType()) +
                          " is unsupported here, because adze has no converter for version " +
                          Twine(node.getSinceVersion()) + " of this operator");
  NodeBuilder nb(b, node, inputs, folder,
                 [this](Block &from, ValueRange args) { return convertBody(from, args); });
  Values results = row->convert(nb);
  for (unsigned i = 0; i < node.getNumResults() && !nb.failed(); ++i) {
    Value v = i < results.size() ? results[i] : Value();
    if (!v && nb.wants(i)) nb.unsupported("its output " + Twine(i) + " is not computed");
    if (v) mapped[node.getResult(i)] = v;
  }
  if (!nb.failed()) return;
  report(nb);
  for (Value r : node.getResults()) mapped.erase(r);
}

void GraphConverter::convertOp(Operation *op) {
  if (auto node = dyn_cast<onnxir::NodeOp>(op)) return convertNode(node);
  if (auto constant = dyn_cast<onnxir::ConstantOp>(op)) return convertConstant(constant);
}

FailureOr<Values> GraphConverter::convertBody(Block &from, ValueRange args) {
  for (auto [a, c] : llvm::zip(from.getArguments(), args)) mapped[a] = c;
  bool before = std::exchange(anyFailed, false);
  for (Operation &op : from.without_terminator()) convertOp(&op);
  bool failedHere = anyFailed;
  anyFailed |= before;
  if (failedHere) return failure();
  Values results;
  for (Value v : from.getTerminator()->getOperands()) {
    results.push_back(mapped.lookup(v));
    if (!results.back()) return failure();
  }
  return results;
}

void GraphConverter::convertEntry(Block &block) {
  for (BlockArgument arg : block.getArguments()) {
    if (isa<RankedTensorType>(arg.getType())) mapped[arg] = arg;
    else fail(block.getParentOp(), "ADZ0202: input " + Twine(arg.getArgNumber()) +
                                       " has no known rank or is no tensor of numbers");
  }
  SmallVector<Operation *> old;
  for (Operation &op : block.without_terminator()) {
    if (isa_and_present<onnxir::OnnxDialect>(op.getDialect())) {
      old.push_back(&op);
      continue;
    }
    // Ops that are converted already stay, if they stand on their own.
    for (Value v : op.getResults()) mapped[v] = v;
    for (Value v : op.getOperands())
      if (Operation *def = v.getDefiningOp();
          def && isa_and_present<onnxir::OnnxDialect>(def->getDialect()))
        fail(&op, "ADZ0301: an op of another dialect reads an onnx value");
  }
  b.setInsertionPoint(block.getTerminator());
  for (Operation *op : old) convertOp(op);
  if (anyFailed) return;
  for (OpOperand &use : block.getTerminator()->getOpOperands()) {
    Value v = mapped.lookup(use.get());
    if (!v) {
      fail(block.getParentOp(), "ADZ0202: output " + Twine(use.getOperandNumber()) +
                                    " is no tensor of numbers");
      continue;
    }
    use.set(v);
  }
  if (anyFailed) return;
  for (Operation *op : llvm::reverse(old)) op->erase();
}

/// The function's type follows from its body; a note on dimensions that no
/// longer fits the type goes.
void updateSignature(func::FuncOp func) {
  Operation *ret = func.getBody().front().getTerminator();
  SmallVector<Type> results(ret->getOperandTypes());
  for (auto [i, type] : llvm::enumerate(results)) {
    auto dims = func.getResultAttrOfType<ArrayAttr>(i, onnxir::kDims);
    if (dims && int64_t(dims.size()) != cast<RankedTensorType>(type).getRank())
      func.removeResultAttr(i, StringAttr::get(func.getContext(), onnxir::kDims));
  }
  func.setFunctionType(
      FunctionType::get(func.getContext(), func.getArgumentTypes(), results));
}

/// Says of arguments which of their extents have the same name and are thus the
/// same at run time, where a request is refused otherwise.
void describeExtents(func::FuncOp func) {
  Builder b(func.getContext());
  auto nameOf = [&](unsigned arg, int64_t dim) {
    auto names = func.getArgAttrOfType<ArrayAttr>(arg, onnxir::kDims);
    auto name = names && dim < int64_t(names.size()) ? dyn_cast<StringAttr>(names[dim]) : StringAttr();
    return name && onnxir::namesExtent(name.getValue()) ? name : StringAttr();
  };
  DenseMap<StringAttr, unsigned> symbols, uses;
  auto forEachArgument = [&](auto visit) {
    for (auto [arg, type] : llvm::enumerate(func.getArgumentTypes()))
      if (auto tensor = dyn_cast<RankedTensorType>(type); tensor && !tensor.hasStaticShape())
        visit(arg, tensor);
  };
  forEachArgument([&](unsigned arg, RankedTensorType type) {
    for (int64_t i = 0; i < type.getRank(); ++i)
      if (StringAttr name = nameOf(arg, i); name && type.isDynamicDim(i)) ++uses[name];
  });
  unsigned next = 0;
  forEachArgument([&](unsigned arg, RankedTensorType type) {
    bool shares = false;
    SmallVector<AffineExpr> extents;
    for (int64_t i = 0; i < type.getRank(); ++i) {
      StringAttr name = nameOf(arg, i);
      if (!type.isDynamicDim(i)) {
        extents.push_back(b.getAffineConstantExpr(type.getDimSize(i)));
        continue;
      }
      // Symbols at even positions are extents.
      unsigned position = name ? symbols.try_emplace(name, next).first->second : next;
      if (position == next) next += 2;
      extents.push_back(b.getAffineSymbolExpr(position));
      shares |= name && uses.lookup(name) > 1;
    }
    if (shares)
      func.setArgAttr(arg, graph::DimExprs::kDimsAttr,
                      AffineMapAttr::get(AffineMap::get(0, next, extents, func.getContext())));
  });
}

struct OnnxToAdzePass : impl::OnnxToAdzeBase<OnnxToAdzePass> {
  void runOnOperation() override {
    Folder folder;
    for (func::FuncOp func : getOperation().getOps<func::FuncOp>()) {
      if (func.isExternal() || !func.getBody().hasOneBlock()) continue;
      GraphConverter converter(&getContext(), folder);
      converter.convertEntry(func.getBody().front());
      numNodes += converter.numNodes;
      if (converter.anyFailed) signalPassFailure();
      else updateSignature(func), describeExtents(func);
    }
    numFoldedBytes += folder.bytesMade();
  }
};

}  // namespace
}  // namespace adze
