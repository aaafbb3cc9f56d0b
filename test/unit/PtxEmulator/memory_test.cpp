#include "test/unit/PtxEmulator/Ptx.h"

#include <catch2/catch.hpp>

using namespace adze::ptx;

TEST_CASE("allocations lie apart and are found by any of their addresses", "[PtxEmulator]") {
  Memory m(1000);
  uint64_t a = m.allocate(100, "a", true), b = m.allocate(200, "b", false);
  REQUIRE((a && b));
  CHECK(a % 256 == 0);
  CHECK(m.find(a + 99)->name == "a");
  CHECK_FALSE(m.find(a + 100));
  CHECK_FALSE(m.find(b - 1));
  CHECK(m.nearest(a + 100)->name == "a");
  CHECK(m.nearest(b - 1)->name == "b");
  CHECK(m.allocate(701, "too much", true) == 0);
  m.free(a);
  CHECK_FALSE(m.find(a));
  CHECK(m.allocate(701, "fits now", true));
}

TEST_CASE("tensor maps keep the hardware's rules", "[PtxEmulator]") {
  TensorMap m;
  m.address = 1 << 20, m.rank = 2, m.elementBytes = 2, m.swizzle = 128;
  m.extents[0] = 96, m.extents[1] = 40, m.strides[1] = 192, m.box[0] = 64, m.box[1] = 32;
  std::string error;
  auto bytes = encodeTensorMap(m, error);
  REQUIRE(bytes);
  auto back = decodeTensorMap(bytes->data());
  REQUIRE(back);
  CHECK(back->strides[1] == 192);
  CHECK(back->box[1] == 32);
  std::pair<const char *, std::function<void(TensorMap &)>> faults[] = {
      {"rank 1 to 5", [](TensorMap &x) { x.rank = 6; }},
      {"no multiple of 16", [](TensorMap &x) { x.address += 8; }},
      {"stride", [](TensorMap &x) { x.strides[1] = 194; }},
      {"box extent", [](TensorMap &x) { x.box[1] = 257; }},
      {"wider than the swizzle", [](TensorMap &x) { x.swizzle = 64; }},
      {"no multiple of 16 bytes", [](TensorMap &x) { x.box[0] = 4; }},
      {"32, 64 or 128", [](TensorMap &x) { x.swizzle = 16; }},
      {"outside 1 to 2^32", [](TensorMap &x) { x.extents[0] = 0; }},
  };
  for (auto &[says, breakIt] : faults) {
    TensorMap wrong = m;
    breakIt(wrong);
    CHECK_FALSE(encodeTensorMap(wrong, error));
    CHECK(error.find(says) != std::string::npos);
  }
  std::array<uint8_t, 128> zeros{};
  CHECK_FALSE(decodeTensorMap(zeros.data()));
}

TEST_CASE("local, constant and generic addresses", "[PtxEmulator]") {
  Outcome o = runText(kernelText(R"(
.local .align 8 .b8 frame[16];
.shared .align 4 .b8 here[128];
mov.u64 %rd1, frame; cvta.local.u64 %rd2, %rd1;
mov.u32 %r1, %tid.x; st.u32 [%rd2+8], %r1; ld.local.u32 %r2, [%rd1+8];
mov.u64 %rd3, table; ld.const.u32 %r3, [%rd3+4];
mov.u64 %rd4, here; mad.wide.u32 %rd4, %r1, 4, %rd4; cvta.shared.u64 %rd5, %rd4; st.u32 [%rd5], %r1; ld.shared.u32 %r4, [%rd4];
isspacep.shared %p1, %rd5; selp.u32 %r5, 100, 0, %p1;
add.u32 %r2, %r2, %r3; add.u32 %r2, %r2, %r4; add.u32 %r2, %r2, %r5;
mad.wide.u32 %rd6, %r1, 4, %out; st.global.u32 [%rd6], %r2;)",
                                 ".const .align 4 .b32 table[2] = {5, 1000};"));
  REQUIRE(o.report);
  CHECK(o.report->findings.empty());
  for (uint32_t l = 0; l < 32; ++l) CHECK(o.out[l] == 2 * l + 1100);
}

TEST_CASE("bytes that nobody wrote are told from those somebody did", "[PtxEmulator]") {
  Outcome o = runBody("st.global.u16 [%out], %h0; ld.global.u32 %r1, [%out];");
  CHECK(o.found(FindingKind::Uninitialised));
  o = runBody("st.global.u16 [%out], %h0; st.global.u16 [%out+2], %h0; ld.global.u32 %r1, [%out];");
  CHECK(o.report->findings.empty());
  o = runBody(".local .align 4 .b8 frame[8]; mov.u64 %rd1, frame; ld.local.u32 %r1, [%rd1+4];");
  CHECK(o.found(FindingKind::Uninitialised));
  o = runBody(".local .align 4 .b8 frame[8]; mov.u64 %rd1, frame; ld.local.u32 %r1, [%rd1+8];");
  CHECK(o.found(FindingKind::OutOfBounds));
  o = runBody(".shared .align 4 .b8 s[128]; mov.u32 %r1, s; ld.shared.u32 %r2, [%r1];");
  CHECK(o.found(FindingKind::Uninitialised));
  o = runBody("ld.param.u64 %rd1, [p+8];");
  CHECK(o.found(FindingKind::OutOfBounds));
  o = runBody("mov.u64 %rd1, 0; ld.global.u32 %r1, [%rd1];");
  CHECK(o.found(FindingKind::OutOfBounds));
}

TEST_CASE("sectors and bank conflicts are counted", "[PtxEmulator]") {
  auto counters = [](const char *stride, const char *space) {
    Outcome o = runBody(std::string(".shared .align 16 .b8 s[8192]; mov.u32 %r1, %laneid; mov.u32 %r2, s; cvt.u64.u32 %rd2, %r2;") +
                        "mad.wide.u32 %rd1, %r1, " + stride + ", " + (space[0] == 's' ? "%rd2" : "%out") + "; st." + space + ".u32 [%rd1], %r1;");
    return o.report->total;
  };
  CHECK(counters("4", "global").sectors == 4);
  CHECK(counters("32", "global").sectors == 32);
  CHECK(counters("0", "global").sectors == 1);
  CHECK(counters("4", "shared").worstDegree == 1);
  CHECK(counters("8", "shared").worstDegree == 2);
  CHECK(counters("128", "shared").worstDegree == 32);
  CHECK(counters("132", "shared").worstDegree == 1);
  CHECK(counters("0", "shared").worstDegree == 1);
}
