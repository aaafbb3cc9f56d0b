#include "test/unit/PtxEmulator/Ptx.h"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

using namespace adze::ptx;

TEST_CASE("branches split a warp and join it again", "[PtxEmulator]") {
  // A loop of as many turns as the lane's number, with a branch inside.
  const char *body = R"(
mov.u32 %r1, %laneid; mov.u32 %r2, 0; mov.u32 %r3, %r1;
LOOP: setp.eq.u32 %p1, %r3, 0; @%p1 bra DONE;
and.b32 %r4, %r3, 1; setp.ne.u32 %p2, %r4, 0; @%p2 bra ODD;
add.u32 %r2, %r2, 100; bra NEXT;
ODD: add.u32 %r2, %r2, 1;
NEXT: sub.u32 %r3, %r3, 1; bra LOOP;
DONE: vote.sync.ballot.b32 %r5, %p1, 0xffffffff;
mad.wide.u32 %rd1, %r1, 4, %out; st.global.u32 [%rd1], %r2; st.global.u32 [%rd1+128], %r5;)";
  for (uint64_t seed = 0; seed < 20; ++seed) {
    LaunchConfig config;
    config.seed = seed;
    Outcome o = runBody(body, config);
    REQUIRE(o.report);
    CHECK(o.report->findings.empty());
    for (uint32_t l = 0; l < 32; ++l) {
      CHECK(o.out[l] == l / 2 * 100 + (l + 1) / 2);
      CHECK(o.out[32 + l] == 0xffffffff);
    }
  }
}

TEST_CASE("lanes of one warp may wait for each other's progress", "[PtxEmulator]") {
  // Lane 0 writes a flag in one branch that the others spin on in another.
  Outcome o = runBody(R"(
.shared .align 4 .b8 flag[4];
mov.u32 %r1, %laneid; mov.u32 %r2, flag; setp.eq.u32 %p1, %r1, 0;
@!%p1 bra WAIT0;
st.volatile.shared.u32 [%r2], 0;
WAIT0: bar.warp.sync 0xffffffff;
@%p1 bra SET;
SPIN: ld.volatile.shared.u32 %r3, [%r2]; setp.eq.u32 %p2, %r3, 0; @%p2 bra SPIN;
bra OUT;
SET: st.volatile.shared.u32 [%r2], 7; mov.u32 %r3, 7;
OUT: mad.wide.u32 %rd1, %r1, 4, %out; st.global.u32 [%rd1], %r3;)");
  REQUIRE(o.report);
  CHECK(o.report->completed);
  CHECK(o.report->findings.empty());
  CHECK(o.out[0] == 7);
  CHECK(o.out[31] == 7);
}

TEST_CASE("pairs are compared half by half", "[PtxEmulator]") {
  // Low halves: 1 < 2, high halves: NaN with 1; so too as bf16 (0x7fc0 is NaN in both).
  struct Row {
    const char *opcode;
    uint32_t low, high;
  };
  for (Row row : {Row{"lt", 1, 0}, Row{"ge", 0, 0}, Row{"ltu", 1, 1}, Row{"nan", 0, 1}, Row{"num", 1, 0}})
    for (const char *type : {"f16x2", "bf16x2"}) {
      CAPTURE(row.opcode, type);
      std::string body = std::string("mov.u32 %r1, 0x7fc03c00; mov.u32 %r2, 0x3c004000; setp.") + row.opcode + "." + type +
                         " %p1|%p2, %r1, %r2; selp.u32 %r3, 1, 0, %p1; selp.u32 %r4, 1, 0, %p2;"
                         "st.global.u32 [%out], %r3; st.global.u32 [%out+4], %r4;";
      Outcome o = runBody(body);
      REQUIRE(o.report);
      CHECK(o.out[0] == row.low);
      CHECK(o.out[1] == row.high);
    }
  Outcome both = runBody("mov.u32 %r1, 0x3c004000; setp.ge.u32 %p3, %r1, 0; setp.eq.and.f16x2 %p1|%p3, %r1, %r1, %p3;"
                         "selp.u32 %r3, 1, 0, %p3; st.global.u32 [%out], %r3;");
  REQUIRE(both.report);
  CHECK(both.out[0] == 1);
  CHECK(runBody("setp.eq.f16x2 %p1, %r1, %r1;").error.message == "setp of pairs without a second result");
}

TEST_CASE("launches that cannot be are refused", "[PtxEmulator]") {
  auto refused = [](LaunchConfig config, const std::string &text = kernelText("")) {
    Outcome o = runText(text, config);
    CHECK_FALSE(o.report);
    return o.error.message;
  };
  LaunchConfig c;
  c.block.x = 1025;
  CHECK(refused(c) == "a block has 1 to 1024 threads");
  c = {}, c.grid.y = 65536;
  CHECK(refused(c).find("a grid has") == 0);
  c = {}, c.dynamicShared = 300 << 10;
  CHECK(refused(c) == "more than 227 KiB of shared memory");
  c = {}, c.block = {64, 1, 1};
  std::string limited = kernelText("");
  limited.replace(limited.find(" {"), 2, " .maxntid 32 {");
  CHECK(refused(c, limited) == "the block has more threads than .maxntid");
  SourceError error;
  auto module = Module::load(kernelText(""), error);
  Memory memory;
  CHECK_FALSE(launch(*module, "k", {}, {}, memory, error));
  CHECK(error.message == "the parameters have 0 of 8 bytes");
  CHECK_FALSE(launch(*module, "other", {}, {}, memory, error));
}

TEST_CASE("a finding says where: kernel, line, source, node", "[PtxEmulator]") {
  std::string text = kernelText(".loc 1 42 7\n//#node attention/softmax\nst.global.u32 [%out+4096], %r1;");
  text.insert(text.find(".visible"), ".file 1 \"net.mlir\"\n");
  Outcome o = runText(text);
  REQUIRE(o.report);
  REQUIRE(o.report->findings.size() == 1);
  const Finding &f = o.report->findings[0];
  CHECK(f.kind == FindingKind::OutOfBounds);
  CHECK(f.kernel == "k");
  CHECK(f.line == 11);
  CHECK(f.source == "net.mlir:42");
  CHECK(f.node == "attention/softmax");
  CHECK(f.instruction == "st.global.u32");
  CHECK(f.count == 32);
  CHECK(f.message.find("3072 bytes after 'out' of 1024 bytes") != std::string::npos);
}

TEST_CASE("the same seed gives the same report", "[PtxEmulator]") {
  const char *body = ".shared .align 4 .b8 s[4]; mov.u32 %r1, s; mov.u32 %r2, %tid.x; st.shared.u32 [%r1], %r2;"
                     "bar.sync 0; ld.shared.u32 %r3, [%r1]; st.global.u32 [%out], %r3;";
  LaunchConfig config;
  config.block.x = 256, config.seed = 5;
  Outcome a = runBody(body, config), b = runBody(body, config);
  CHECK(a.found(FindingKind::Race));
  REQUIRE(a.report->findings.size() == b.report->findings.size());
  for (size_t i = 0; i < a.report->findings.size(); ++i) CHECK(a.report->findings[i].message == b.report->findings[i].message);
  CHECK(a.out[0] == b.out[0]);
}

TEST_CASE("checks can be left out", "[PtxEmulator]") {
  LaunchConfig config;
  config.check = false, config.block.x = 64;
  Outcome o = runBody(".shared .align 4 .b8 s[4]; mov.u32 %r1, s; st.shared.u32 [%r1], %r1; ld.shared.u32 %r2, [%r1];", config);
  CHECK(o.report->findings.empty());
}

TEST_CASE("no more instructions run than are allowed", "[PtxEmulator]") {
  LaunchConfig config;
  config.maxInstructions = 1000;
  Outcome o = runBody("FOREVER: bra FOREVER;", config);
  REQUIRE(o.report);
  CHECK_FALSE(o.report->completed);
  CHECK(o.found(FindingKind::Livelock));
}

/// Threads made for one launch; the last comes first.
static void onThreads(size_t count, const std::function<void(size_t)> &f) {
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (size_t i; (i = next++) < count;) f(count - 1 - i);
    });
  for (std::thread &t : threads) t.join();
}

static std::string summaryOf(const Report &r) {
  std::string text = std::to_string(r.blocks) + (r.completed ? " blocks" : " blocks, stopped");
  for (const Finding &f : r.findings)
    text += "\n" + std::to_string(f.line) + " " + findingInfo(f.kind).name + " " + std::to_string(f.count) + " " + f.message;
  for (const auto &[line, c] : r.lines)
    text += "\n" + std::to_string(line) + " " + std::to_string(c.executions) + " " + std::to_string(c.bytes);
  return text;
}

TEST_CASE("a grid on several threads reports what it does on one", "[PtxEmulator]") {
  // Each block writes its word, warp order and clock included; block 37 may go wrong.
  const char *head = "mov.u32 %r1, %ctaid.x; mov.u32 %r2, %tid.x; mad.wide.u32 %rd1, %r1, 4, %out; mov.u32 %r3, %clock;";
  struct Case {
    const char *name, *body;
    bool stops;
  } cases[] = {
      {"right", "setp.eq.u32 %p1, %r2, 0; add.u32 %r4, %r1, %r3; @%p1 st.global.u32 [%rd1], %r4;", false},
      {"errors", "ld.global.u32 %r5, [%rd1+4096]; st.global.u32 [%rd1+1], %r5;", false},
      {"stops", "setp.ne.u32 %p1, %r1, 37; @%p1 bra END; trap; END: st.global.u32 [%rd1], %r1;", true},
      {"atomics", "atom.global.add.u32 %r6, [%out], 1; setp.eq.u32 %p1, %r2, 0; @%p1 st.global.u32 [%rd1+4], %r6;", false},
  };
  for (const Case &c : cases) {
    INFO(c.name);
    LaunchConfig config;
    config.grid.x = 200, config.block.x = 64, config.seed = 5;
    std::string body = std::string(head) + c.body;
    Outcome one = runBody(body, config);
    REQUIRE(one.report);
    config.parallel = onThreads, config.threads = 4;
    Outcome many = runBody(body, config);
    REQUIRE(many.report);
    CHECK(summaryOf(*many.report) == summaryOf(*one.report));
    CHECK(one.report->completed == !c.stops);
    CHECK(one.report->blocks == (c.stops ? 38u : 200u));
    if (!c.stops) CHECK(many.out == one.out);
  }
}
