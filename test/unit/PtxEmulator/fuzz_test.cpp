// Hostile text: every change of a kernel that uses most of the grammar is
// parsed, decoded and run, or refused; nothing crashes.
#include "test/unit/PtxEmulator/Ptx.h"

#include <catch2/catch.hpp>

#include <random>

using namespace adze::ptx;

static const char *const kBody = R"(
.shared .align 16 .b8 s[512]; .local .align 8 .b8 l[16]; .shared .align 8 .b64 bar;
mov.u32 %r1, %tid.x; mov.u32 %r2, s; mad.lo.u32 %r3, %r1, 16, %r2; mov.u32 %r9, bar;
setp.lt.and.s32 %p1|%p2, %r1, 7, !%p3; @%p1 bra A; add.cc.u32 %r4, %r1, 5; addc.u32 %r5, %r1, 0;
A: st.shared.v4.u32 [%r3], {%r1, %r2, %r3, %r4}; bar.sync 0;
ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%r6, %r7}, [%r3];
shfl.sync.bfly.b32 %r8|%p4, %r6, 1, 31, 0xffffffff; atom.shared.add.u32 %r10, [%r3], 1;
mov.b64 %rd1, {%r1, %r2}; mov.b32 {%h1, %h2}, %r1; cvt.rn.f32.u32 %f1, %r1; fma.rn.ftz.f32 %f2, %f1, 0f3F000000, %f1;
mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%f0,%f1,%f2,%f3}, {%r0,%r1}, {%r2}, {%f0,%f1,%f2,%f3};
cp.async.ca.shared.global [%r3], [%out], 16; cp.async.commit_group; cp.async.wait_group 0;
mbarrier.init.shared.b64 [%r9], 1; mbarrier.arrive.shared.b64 %rd2, [%r9]; mbarrier.test_wait.shared.b64 %p5, [%r9], %rd2;
mad.wide.u32 %rd3, %r1, 4, %out; st.global.u32 [%rd3], %r8; bar.warp.sync 0xffffffff;)";

static void tryText(const std::string &text) {
  LaunchConfig config;
  config.maxInstructions = 20000;
  Outcome o = runText(text, config);
  if (!o.report) CHECK_FALSE(o.error.message.empty());
}

TEST_CASE("text cut off anywhere is refused or runs", "[PtxEmulator]") {
  std::string text = kernelText(kBody);
  for (size_t n = 0; n < text.size(); n += 3) tryText(text.substr(0, n));
}

TEST_CASE("text with bytes and words changed is refused or runs", "[PtxEmulator]") {
  std::string text = kernelText(kBody);
  std::mt19937 random(7);
  const char kBytes[] = "{}[]();,.:@!|+-0x9f%$_ \n\"/*<>~";
  for (int round = 0; round < 4000; ++round) {
    std::string changed = text;
    for (int k = 0, n = 1 + static_cast<int>(random() % 3); k < n; ++k) {
      size_t at = random() % changed.size(), length = random() % 12;
      switch (random() % 4) {
        case 0: changed[at] = kBytes[random() % (sizeof kBytes - 1)]; break;
        case 1: changed.erase(at, length); break;
        case 2: changed.insert(at, changed.substr(random() % changed.size(), length)); break;
        default: changed[at] = static_cast<char>(random()); break;
      }
    }
    tryText(changed);
  }
}
