#include "lib/Support/Checked.h"

#include "catch2/catch.hpp"

using namespace adze;

TEST_CASE("checkedNumElements refuses overflow and negative extents", "[Support]") {
  int64_t big[] = {int64_t(1) << 40, int64_t(1) << 40};
  CHECK_FALSE(checkedNumElements(big));
  int64_t zeroFirst[] = {0, int64_t(1) << 40, int64_t(1) << 40};
  CHECK(checkedNumElements(zeroFirst) == 0);
  int64_t negative[] = {2, -1};
  CHECK_FALSE(checkedNumElements(negative));
  CHECK(checkedNumElements({}) == 1);
}

TEST_CASE("rangeInside never wraps", "[Support]") {
  CHECK(rangeInside(0, 8, 8));
  CHECK_FALSE(rangeInside(1, 8, 8));
  CHECK_FALSE(rangeInside(INT64_MAX, INT64_MAX, 8));
  CHECK_FALSE(rangeInside(-1, 1, 8));
}
