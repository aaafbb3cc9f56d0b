#include "lib/PtxEmulator/OpTable.h"

#include <catch2/catch.hpp>

using namespace adze::ptx;

TEST_CASE("patterns take what they name, optional words and choices", "[PtxEmulator]") {
  CHECK(findOp("add.f32").lane);
  CHECK(findOp("add.rn.f32").lane);
  CHECK(findOp("add.rn.ftz.sat.f32").lane);
  CHECK_FALSE(findOp("add.ftz.rn.f32").lane);
  CHECK_FALSE(findOp("add").lane);
  CHECK_FALSE(findOp("").lane);
  CHECK_FALSE(findOp("....").special);
  CHECK(findOp("ld.global.nc.L1::no_allocate.v4.f32").special);
  CHECK(findOp("ld.relaxed.gpu.global.u32").special);
  CHECK_FALSE(findOp("ld.global.v3.f32").special);
  CHECK(findOp("bar.sync").special != findOp("bar.warp.sync").special);
}

TEST_CASE("every row of the table is found by its own first form", "[PtxEmulator]") {
  auto firstForm = [](std::string_view pattern) {
    std::string form;
    for (size_t at = 0; at < pattern.size();) {
      char c = pattern[at];
      if (c == '{') {
        size_t end = pattern.find('}', at);
        form += pattern.substr(at + 1, std::min(pattern.find('|', at), end) - at - 1);
        at = end + 1;
      } else if (c == '[') {
        at = pattern.find(']', at) + 1;
        if (at < pattern.size()) ++at;  // its dot
        else if (!form.empty()) form.pop_back();
      } else {
        form += pattern[at++];
      }
    }
    return form;
  };
  for (size_t i = 0; i < laneOps().size(); ++i) {
    OpMatch m = findOp(firstForm(laneOps()[i].pattern));
    INFO(laneOps()[i].pattern);
    REQUIRE(m.lane);
    // A more frequent row may stand before; then it is the same instruction.
    CHECK(laneOps()[m.laneIndex].result == laneOps()[i].result);
  }
  for (const SpecialOp &op : specialOps()) {
    std::string form = firstForm(op.pattern);
    if (size_t star = form.find('*'); star != std::string::npos) form.replace(star, 1, "m64n8k16");
    INFO(op.pattern);
    CHECK(findOp(form).special == &op);
  }
}
