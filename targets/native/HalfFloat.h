// Conversions to and from half precision for CPUs that have no instruction for
// them: LLVM then calls functions of its own runtime library, which neither
// libc nor libm has.
#pragma once
#include "llvm/ADT/StringRef.h"

namespace adze::native {

/// LLVM IR that defines these functions, hidden.
llvm::StringRef halfFloatFunctions();

/// `object` calls one of them.
bool needsHalfFloatFunctions(llvm::StringRef object);

}  // namespace adze::native
