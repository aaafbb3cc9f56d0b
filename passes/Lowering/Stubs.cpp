#include "passes/Lowering/Patterns.h"
namespace adze::lowering {
#define S(N) void populate##N##Patterns(const mlir::TypeConverter &, LoweringState &, mlir::RewritePatternSet &) {}
S(Scatter) S(Sort) S(Recurrent)
}
