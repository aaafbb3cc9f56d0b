// What ops are to a kernel: the words of FusibleOpInterface.
#pragma once

namespace adze::graph {

enum class FusionRole {
  None,         ///< as it stands it shares a kernel with nothing
  Elementwise,  ///< an element of the result comes from one of each operand
  Move,         ///< an element of the result is read from operand 0 at another index
  Anchor,       ///< a loop nest of its own, which takes elementwise ops
  Join          ///< writes what others compute side by side; nothing follows it
};

}  // namespace adze::graph
