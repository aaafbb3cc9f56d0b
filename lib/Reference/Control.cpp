// Regions: if, loop, fusion, yield.
#include "lib/Reference/Call.h"

#include <cstring>

using namespace mlir;

namespace adze::reference {

ADZE_EVALUATE(YieldOp) { return call.error("adze.yield is evaluated by the op around it"); }

/// Takes the values that a region gave as the op's results.
static LogicalResult takeResults(FailureOr<Tensors> values, Call &call) {
  if (failed(values)) return failure();
  if (values->size() != call.results.size())
    return call.error("the region yields ", values->size(), " values, not ", call.results.size());
  call.results = std::move(*values);
  return success();
}

ADZE_EVALUATE(IfOp) {
  if (call.in(0).size() != 1) return call.error("the condition has no single element");
  bool condition = toInts(call.in(0))[0];
  return takeResults(call.machine.run(condition ? op.getThenRegion() : op.getElseRegion(), {}),
                     call);
}

ADZE_EVALUATE(FusionOp) { return takeResults(call.machine.run(op.getBody(), call.inputs), call); }

static Tensor scalar(MLIRContext *ctx, unsigned width, int64_t value) {
  auto t = Tensor::zeros(RankedTensorType::get({}, IntegerType::get(ctx, width)));
  if (t) storeInts(*t, value);
  return t.value_or(Tensor());
}

/// Joins what a scan output yielded, one element an iteration, along axis 0.
static LogicalResult stack(ArrayRef<Tensor> parts, unsigned result, Call &call) {
  auto declared = cast<RankedTensorType>(call.op->getResult(result).getType());
  SmallVector<int64_t> shape(declared.getShape());
  if (!parts.empty()) llvm::copy(parts[0].shape(), shape.begin() + 1);
  // Without an iteration unknown extents are taken as 0.
  for (int64_t &d : shape)
    if (ShapedType::isDynamic(d)) d = 0;
  shape[0] = parts.size();
  if (failed(call.make(result, shape))) return failure();
  char *to = call.out(result).mutableBytes();
  for (const Tensor &part : parts) {
    if (part.type() != parts[0].type())
      return call.error("a scan output changes its shape between iterations");
    std::memcpy(to, part.bytes(), part.byteSize());
    to += part.byteSize();
  }
  return success();
}

ADZE_EVALUATE(LoopOp) {
  if (call.in(0).size() != 1 || call.in(1).size() != 1)
    return call.error("trip count and condition must have one element");
  MLIRContext *ctx = op.getContext();
  int64_t trips = toInts(call.in(0))[0];
  bool condition = toInts(call.in(1))[0];
  unsigned carried = op.getNumCarried();
  Tensors state(call.inputs.drop_front(2));
  SmallVector<Tensors> scans(op.getNumScans());
  for (int64_t i = 0; i < trips && condition; ++i) {
    if (i >= call.machine.options.maxIterations)
      return call.error("the loop runs more than ", i, " times");
    Tensors args{scalar(ctx, 64, i), scalar(ctx, 1, condition)};
    llvm::append_range(args, state);
    FailureOr<Tensors> yields = call.machine.run(op.getBody(), args);
    if (failed(yields)) return failure();
    if (yields->size() != 1 + call.results.size() || yields->front().size() != 1)
      return call.error("the body yields the wrong number of values");
    condition = toInts(yields->front())[0];
    state.assign(yields->begin() + 1, yields->begin() + 1 + carried);
    for (auto [k, scan] : llvm::enumerate(scans)) scan.push_back((*yields)[1 + carried + k]);
  }
  for (auto [i, t] : llvm::enumerate(state)) call.out(i) = t;
  for (auto [k, scan] : llvm::enumerate(scans))
    if (failed(stack(scan, carried + k, call))) return failure();
  return success();
}

}  // namespace adze::reference
