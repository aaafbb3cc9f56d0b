// MLIR text in, numbers out.
#pragma once
#include "lib/Reference/Evaluate.h"

#include "catch2/catch.hpp"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

namespace adze::reference {

using Values = std::vector<double>;

mlir::MLIRContext &context();

/// A parsed module; the test fails when the text is not valid.
mlir::OwningOpRef<mlir::ModuleOp> parse(const std::string &text);

/// A tensor of the type "2x3xf32", filled with `values`.
Tensor tensor(const std::string &type, const Values &values);

/// Evaluates `op`, the text of an op on inputs %0, %1, ... without types; its
/// result has type `result` ("?x?xf32").
mlir::FailureOr<Tensors> evaluateText(const std::string &op, const std::vector<Tensor> &inputs,
                                      const std::string &result, std::string *message = nullptr);
/// The values of the result; the test fails when evaluation does.
Values valuesOf(const std::string &op, const std::vector<Tensor> &inputs,
                const std::string &result);
/// The message of an evaluation that must fail.
std::string messageOf(const std::string &op, const std::vector<Tensor> &inputs,
                      const std::string &result);

}  // namespace adze::reference
