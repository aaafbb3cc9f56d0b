// Evaluating ops, blocks and functions.
#include "lib/Reference/Call.h"
#include "lib/Reference/Registry.h"
#include "lib/Support/Checked.h"

#include "llvm/Support/Threading.h"

using namespace mlir;

namespace adze::reference {

LogicalResult Call::make(unsigned i, ArrayRef<int64_t> shape) {
  Type element = cast<RankedTensorType>(op->getResult(i).getType()).getElementType();
  auto count = checkedNumElements(shape);
  auto bytes = count ? checkedMul(*count, storedBytes(element)) : std::nullopt;
  if (!bytes || *bytes > machine.options.maxBytes)
    return error("a tensor of more than ", machine.options.maxBytes, " bytes is needed");
  auto t = Tensor::zeros(RankedTensorType::get(shape, element));
  if (!t) return error("not enough memory for a tensor of ", *bytes, " bytes");
  results[i] = std::move(*t);
  return success();
}

/// Ops whose result shape depends on the elements of small operands.
static bool readsShapes(Operation *op) {
  return isa<graph::ReshapeOp, graph::ExpandOp, graph::SliceOp, graph::PadOp, graph::TileOp,
             graph::ResizeOp, graph::RangeOp, graph::TopKOp, graph::OneHotOp>(op);
}

static DenseElementsAttr smallConstant(const Tensor &t) {
  if (t.rank() > 1 || t.size() > 64 || t.elementBytes() * 8 != t.element().getIntOrFloatBitWidth())
    return {};
  return DenseElementsAttr::getFromRawBuffer(t.type(), ArrayRef(t.bytes(), t.byteSize()));
}

/// The result types of `op` for inputs of these very shapes: inference again,
/// so that what is checked of static shapes at compile time is checked of all
/// shapes here. Extents that depend on data stay dynamic.
static LogicalResult inferResults(Operation *op, ArrayRef<Tensor> inputs, Machine &machine,
                                  SmallVectorImpl<Type> &types) {
  auto inference = dyn_cast<InferTypeOpInterface>(op);
  if (!inference) return success();
  Block scratch;
  OpBuilder b(op->getContext());
  b.setInsertionPointToEnd(&scratch);
  SmallVector<Value> operands;
  for (auto [t, declared] : llvm::zip(inputs, op->getOperandTypes())) {
    // Tensors here are row-major; how the op's are stored is in their types alone.
    Attribute layout = cast<RankedTensorType>(declared).getEncoding();
    DenseElementsAttr constant = readsShapes(op) ? smallConstant(t) : DenseElementsAttr();
    if (constant)
      operands.push_back(graph::ConstantOp::create(b, op->getLoc(), constant));
    else
      operands.push_back(scratch.addArgument(
          RankedTensorType::get(t.shape(), t.element(), layout), op->getLoc()));
  }
  uint64_t thread = llvm::get_threadid();
  ScopedDiagnosticHandler handler(op->getContext(), [&](Diagnostic &d) {
    if (llvm::get_threadid() != thread) return failure();
    machine.message = d.str();
    return success();
  });
  return inference.inferReturnTypes(op->getContext(), op->getLoc(), operands,
                                    op->getDiscardableAttrDictionary(), op->getPropertiesStorage(),
                                    op->getRegions(), types);
}

/// Results have the types that the op declares, as far as those are static.
static LogicalResult checkResults(Call &call) {
  for (auto [t, declared] : llvm::zip(call.results, call.op->getResultTypes()))
    if (!t || t.element() != getElementTypeOrSelf(declared) ||
        failed(verifyCompatibleShape(t.type(), declared)))
      return call.error("the result has type ", t.type(), ", not ", declared);
  return success();
}

FailureOr<Tensors> Machine::run(Operation *op, ArrayRef<Tensor> inputs) {
  Evaluator evaluator = findEvaluator(op->getName().getStringRef());
  if (!evaluator) return error("the reference does not know ", op->getName().getStringRef());
  if (inputs.size() != op->getNumOperands())
    return error("needs ", op->getNumOperands(), " inputs, got ", inputs.size());
  for (auto [t, v] : llvm::zip(inputs, op->getOperands()))
    if (!t || t.element() != getElementTypeOrSelf(v.getType()) ||
        failed(verifyCompatibleShape(t.type(), v.getType())))
      return error("an input has type ", t.type(), ", not ", v.getType());
  Call call{*this, op, inputs, Tensors(op->getNumResults())};
  SmallVector<Type> types;
  if (failed(inferResults(op, inputs, *this, types))) return failure();
  for (auto [i, type] : llvm::enumerate(types))
    if (auto t = cast<RankedTensorType>(type); t.hasStaticShape())
      if (failed(call.make(i, t.getShape()))) return failure();
  if (failed(evaluator(call)) || failed(checkResults(call))) return failure();
  return std::move(call.results);
}

FailureOr<Tensors> Machine::operands(Operation *op) {
  Tensors result;
  for (Value v : op->getOperands()) {
    auto it = values.find(v);
    if (it != values.end()) {
      result.push_back(it->second);
      continue;
    }
    auto constant = v.getDefiningOp<graph::ConstantOp>();
    auto t = constant ? Tensor::fromAttr(constant.getValue()) : std::nullopt;
    if (!t) return error("a value that the op uses is not known");
    result.push_back(std::move(*t));
  }
  return result;
}

/// Values of the block of `op` that no later op of the block uses.
const SmallVector<Value> &Machine::dying(Operation *op) {
  Block *block = op->getBlock();
  if (!std::exchange(planned[block], true)) {
    auto note = [&](Value v) {
      Operation *last = nullptr;
      for (Operation *user : v.getUsers())
        if (Operation *at = block->findAncestorOpInBlock(*user); !last || last->isBeforeInBlock(at))
          last = at;
      if (last) lastUses[last].push_back(v);
    };
    for (Value v : block->getArguments()) note(v);
    for (Operation &o : *block)
      for (Value v : o.getResults()) note(v);
  }
  return lastUses[op];
}

FailureOr<Tensors> Machine::run(Region &region, ArrayRef<Tensor> args) {
  Block &block = region.front();
  if (args.size() != block.getNumArguments())
    return error("needs ", block.getNumArguments(), " inputs, got ", args.size());
  for (auto [t, v] : llvm::zip(args, block.getArguments())) {
    if (!t || t.element() != getElementTypeOrSelf(v.getType()) ||
        failed(verifyCompatibleShape(t.type(), v.getType())))
      return error("an input has type ", t.type(), ", not ", v.getType());
    values[v] = t;
  }
  for (Operation &op : block.without_terminator()) {
    FailureOr<Tensors> inputs = operands(&op);
    if (failed(inputs)) return failure();
    FailureOr<Tensors> results = run(&op, *inputs);
    if (failed(results)) {
      message = (op.getName().getStringRef() + ": " + message).str();
      return failure();
    }
    for (auto [v, t] : llvm::zip(op.getResults(), *results)) {
      if (options.observe) options.observe(v, t);
      if (!v.use_empty()) values[v] = std::move(t);
    }
    for (Value v : dying(&op)) values.erase(v);
  }
  return operands(block.getTerminator());
}

/// Runs `f` with a machine, and hands its message on.
template <typename F>
static FailureOr<Tensors> withMachine(std::string *message, const Options &options, F f) {
  Machine machine(options);
  FailureOr<Tensors> results = f(machine);
  if (failed(results) && message) *message = machine.message;
  return results;
}

FailureOr<Tensors> evaluate(Operation *op, ArrayRef<Tensor> inputs, std::string *message,
                            const Options &options) {
  return withMachine(message, options, [&](Machine &m) { return m.run(op, inputs); });
}

FailureOr<Tensors> evaluateFunction(func::FuncOp function, ArrayRef<Tensor> inputs,
                                    std::string *message, const Options &options) {
  return withMachine(message, options, [&](Machine &m) -> FailureOr<Tensors> {
    if (!function.getBody().hasOneBlock())
      return m.error("the function ", function.getName(), " has no single block");
    return m.run(function.getBody(), inputs);
  });
}

FailureOr<Tensors> runModule(ModuleOp module, ArrayRef<Tensor> inputs, std::string *message,
                             const Options &options) {
  auto entry = module.lookupSymbol<func::FuncOp>("main");
  if (!entry) {
    SmallVector<func::FuncOp> candidates;
    for (func::FuncOp f : module.getOps<func::FuncOp>())
      if (f.isPublic() && !f.isDeclaration()) candidates.push_back(f);
    if (candidates.size() == 1) entry = candidates.front();
  }
  if (entry) return evaluateFunction(entry, inputs, message, options);
  if (message) *message = "the module has no function 'main' and not exactly one public function";
  return failure();
}

}  // namespace adze::reference
