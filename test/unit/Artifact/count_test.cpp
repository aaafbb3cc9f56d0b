#include "lib/Artifact/Artifact.h"
#include "lib/Artifact/Count.h"

#include "catch2/catch.hpp"

using namespace adze::artifact;

namespace {
/// The count's value, -1 where it has none, -2 where the text is none.
int64_t value(std::string_view text, std::vector<int64_t> extents = {}) {
  auto count = Count::parse(text, static_cast<uint32_t>(extents.size()));
  return count ? count->at(extents).value_or(-1) : -2;
}
}  // namespace

TEST_CASE("a count is postfix over extents", "[Artifact]") {
  CHECK(value("42") == 42);
  CHECK(value("e0 e1 * 2304 *", {3, 5}) == 34560);
  CHECK(value("e0 -1 + 2 / 1 +", {9}) == 5);
  CHECK(value("e0 7 - 2 / 10 +", {4}) == 8);  // rounds down: -3 / 2 = -2
  CHECK(value("e0 e1 min e1 max", {9, 4}) == 4);
  CHECK(value("e0 e1 broadcast", {1, 4}) == 4);
  CHECK(value("e0 e1 broadcast", {5, 1}) == 5);
}

TEST_CASE("a count without a value has none", "[Artifact]") {
  CHECK(value("e0 e0 *", {int64_t(1) << 32}) == -1);
  CHECK(value("e0 1 +", {INT64_MAX}) == -1);
  CHECK(value("1 e0 -", {INT64_MIN}) == -1);
  CHECK(value("7 e0 /", {0}) == -1);
  CHECK(value("e0 1 -", {0}) == -1);
  CHECK_FALSE(Count::parse("e1", 2)->at(std::vector<int64_t>{1}));
}

TEST_CASE("what is no count is refused", "[Artifact]") {
  for (const char *text : {"", " ", "e0", "e", "e-1", "+", "1 2", "1 2 + +", "1  2 +", "1 2 + ", "x",
                           "1.5", "0x10", "9223372036854775808", "+1", "1 2 ^"})
    CHECK(value(text) == -2);
  std::string deep, lengthy = "1";
  for (int i = 0; i < 65; ++i) deep += "1 ";
  for (int i = 0; i < 65; ++i) deep += "+ ";
  CHECK(value(deep.substr(0, deep.size() - 1)) == -2);
  for (int i = 0; i < 3000; ++i) lengthy += " 1 +";
  CHECK(value(lengthy) == -2);
}

TEST_CASE("an artifact's counts are checked", "[Artifact]") {
  Contents c;
  c.kernels = {{"k", "conv", {}, "e0 2 *", "", "", 1}};
  CHECK(validate(c) == "");
  c.kernels[0].extents = 0;
  CHECK(validate(c) == "kernel 'k' has a malformed count of its work");
  c.kernels[0].flops = "";
  CHECK(validate(c) == "");
  c.kernels[0].bytesWritten = "2 *";
  CHECK(validate(c) == "kernel 'k' has a malformed count of its work");
}
