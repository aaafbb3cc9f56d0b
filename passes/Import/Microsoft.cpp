#include "passes/Import/NodeBuilder.h"
namespace adze::convert {
void populateMicrosoft(OpTable &) {}
}  // namespace adze::convert
