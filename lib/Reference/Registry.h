// From op name to evaluator.
#pragma once
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/LogicalResult.h"

namespace adze::reference {
struct Call;
using Evaluator = llvm::LogicalResult (*)(Call &);

/// The evaluator of ops named `opName`; null when there is none.
Evaluator findEvaluator(llvm::StringRef opName);

}  // namespace adze::reference
