#include "passes/Import/NodeBuilder.h"
namespace adze::convert {
void populateEinsum(OpTable &) {}
}  // namespace adze::convert
