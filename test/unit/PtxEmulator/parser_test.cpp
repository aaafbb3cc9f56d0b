#include "test/unit/PtxEmulator/Ptx.h"

#include <catch2/catch.hpp>

using namespace adze::ptx;

namespace {
SourceError refused(const std::string &text) {
  SourceError error;
  auto module = parse(text, error);
  CHECK_FALSE(module);
  return error;
}
}  // namespace

TEST_CASE("a module's entries keep their parameters' offsets and limits", "[PtxEmulator]") {
  SourceError error;
  auto m = parse(R"(.version 8.0
.target sm_80
.address_size 64
.file 1 "model.mlir"
.global .align 4 .b8 table[8] = {1, 2, 3};
.visible .entry first(.param .u32 a, .param .u64 .ptr .global .align 16 b,
    .param .align 64 .b8 c[128])
.maxntid 128, 1, 1
.minnctapersm 1
{
  .loc 1 17 3
  //#node conv1
  ret;
}
.entry second() { exit; }
)", error);
  REQUIRE(m);
  REQUIRE(m->entries.size() == 2);
  const Entry &e = *m->entries[0];
  CHECK(e.name == "first");
  REQUIRE(e.parameters.size() == 3);
  CHECK(e.parameters[1].offset == 8);
  CHECK(e.parameters[2].offset == 64);
  CHECK(e.parameterBytes == 192);
  CHECK(e.maxThreads[0] == 128);
  REQUIRE(e.body.size() == 1);
  CHECK(m->files[e.body[0].source.file] == "model.mlir");
  CHECK(e.body[0].source.line == 17);
  CHECK(m->nodes[e.body[0].node] == "conv1");
  CHECK(m->variables[0].initial == std::vector<uint8_t>{1, 2, 3});
}

TEST_CASE("operands of every form", "[PtxEmulator]") {
  SourceError error;
  auto m = parse(kernelText(R"(
{
  .reg .pred P; LAB: @!P bra LAB;
}
mov.b64 {%r1, _}, %rd1;
setp.lt.and.s32 %p1|%p2, %r1, -5, !%p3;
cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%r1+-8], [%rd1, {%r2, 0x10}], [%r3];
mov.f32 %f1, 0f3F800000; mov.f32 %f2, -1.5; mov.u32 %r2, %tid.x; mov.u32 %r3, 0b101; mov.u32 %r4, 017;)"),
                 error);
  INFO(error.message);
  REQUIRE(m);
  const auto &body = m->entries[0]->body;
  const Statement &tensor = body[6];
  REQUIRE(tensor.operands.size() == 3);
  CHECK(static_cast<int64_t>(tensor.operands[0].bits) == -8);
  REQUIRE(tensor.operands[1].items.size() == 1);
  CHECK(tensor.operands[1].items[0].items[1].bits == 16);
  CHECK(body[5].operands[0].second == "%p2");
  CHECK(body[5].operands[3].negated);
  CHECK(body[5].operands[1].name == "%r1");
  CHECK(body[9].operands[1].name == "%tid.x");
  CHECK(body[10].operands[1].bits == 5);
  CHECK(body[11].operands[1].bits == 15);
}

TEST_CASE("what is no PTX is refused with its line", "[PtxEmulator]") {
  struct {
    const char *text, *says;
    uint32_t line;
  } cases[] = {
      {"\n\n`", "a character that PTX does not have", 3},
      {"\n/* ", "a comment does not end", 2},
      {".file 1 \"x", "a string does not end", 1},
      {".version 8.0\nnonsense", "at the top of a module", 2},
      {".address_size 32", "only 64-bit addresses", 1},
      {".entry k()\n{ ret", "expected an operand", 2},
      {".entry k() { ret;", "the text ends inside an entry", 1},
      {".entry k() { .reg .b32 %r<99999999999999999999>; }", "more than 64 bits", 1},
      {".entry k() { .reg .q32 %r; }", "registers of type .q32", 1},
      {".entry k() { mov.u32 %r1, 0f12; }", "hexadecimal float of a wrong length", 1},
      {".global .b8 x[9999999999];", "too large", 1},
      {".global .b8 x[4][4294967296];", "too large", 1},
      {".global .b8 x[2] = {1, 2, 3};", "more initial values", 1},
      {".global .align 3 .b8 x;", "alignment", 1},
      {".entry k(.param .b8 x[99999]) { }", "more than 4096 bytes", 1},
      {".entry k() { } .entry k() { }", "a second entry", 1},
      {".entry k() .maxntid 0 { }", "block extent", 1},
      {".entry k() .reqnctapercluster 2 { }", "clusters of several blocks", 1},
  };
  for (const auto &c : cases) {
    SourceError error = refused(c.text);
    INFO(c.text << " -> " << error.message);
    CHECK(error.message.find(c.says) != std::string::npos);
    CHECK(error.line == c.line);
  }
  std::string deep = ".entry k() " + std::string(100000, '{');
  CHECK(refused(deep).message == "blocks nested too deeply");
  std::string vectors = ".entry k() { mov.u32 " + std::string(100000, '{');
  CHECK(refused(vectors).message == "operands nested too deeply");
}

TEST_CASE("what cannot be decoded is refused with its line", "[PtxEmulator]") {
  struct {
    const char *body, *says;
  } cases[] = {
      {"frobnicate.u32 %r1, %r2;", "the instruction frobnicate.u32 is not known"},
      {"add.rn.u32 %r1, %r2, %r3;", "the instruction add.rn.u32 is not known"},
      {"add.u32 %r1, %r2, %r99;", "'%r99' is not declared"},
      {"add.u32 %r1, %r2;", "takes 3 operands"},
      {"add.u32 %rd1, %r2, %r3;", "wrong size"},
      {"add.u64 %rd1, %rd2, %r3;", "wrong size"},
      {"bra NOWHERE;", "no label 'NOWHERE'"},
      {"A: A: ret;", "a second label"},
      {"@%r1 ret;", "is no predicate"},
      {"ld.global.v4.u32 {%r1, %r2}, [%rd1];", "wrong number of elements"},
      {"ld.global.u64 %r1, [%rd1];", "too small"},
      {"mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f0,%f1,%f2,%f3}, {%r0,%r1,%r2}, {%r4,%r5}, {%f0,%f1,%f2,%f3};", "wrong number of registers"},
      {"mma.sync.aligned.m16n8k16.row.row.f32.f16.f16.f32 {%f0,%f1,%f2,%f3}, {%r0,%r1,%r2,%r3}, {%r4,%r5}, {%f0,%f1,%f2,%f3};", "not a form of mma"},
      {"cp.async.ca.shared.global [%r1], [%rd1], 5;", "a copy of 5 bytes"},
      {"mov.b64 {%r1, %r2, %r3}, %rd1;", "its source does not fill"},
      {"st.global.u32 %r1, [%rd1];", "not in brackets"},
      {"add.cc.u64 %r1, %rd1, %rd2;", "a register of the wrong size"},
      {"mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%r0,%r1}, {%rd0}, {%rd1}, {%rd2,%rd3};", "not a form of mma"},
      {"wgmma.mma_async.sync.aligned.m64n12k16.f32.f16.f16 {%f0}, %rd0, %rd1, 1, 1, 1, 0, 0;", "not a form of wgmma"},
  };
  for (const auto &c : cases) {
    Outcome o = runBody(c.body);
    INFO(c.body << " -> " << o.error.message);
    CHECK_FALSE(o.report);
    CHECK(o.error.message.find(c.says) != std::string::npos);
    CHECK(o.error.line == 8);
  }
  CHECK(runBody(".local .b8 big[600000];").error.message == "more than 512 KiB of local memory");
}
