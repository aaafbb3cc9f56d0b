#include "lib/Support/Diagnostics.h"

#include "catch2/catch.hpp"

using namespace adze;

TEST_CASE("printable escapes what moves a terminal", "[Support]") {
  CHECK(printable("conv_1/名前") == "conv_1/名前");
  CHECK(printable(std::string("a\0b\x1b[m\n", 7)) == "a\\x00b\\x1b[m\\x0a");
  CHECK(printable("a\xe2\x80\xae" "b") == "a\\xe2\\x80\\xae" "b");  // right-to-left override
  CHECK(printable("\xc2\x9b") == "\\xc2\\x9b");                     // C1 control
}

TEST_CASE("printable escapes bytes that are no UTF-8", "[Support]") {
  CHECK(printable("\xff") == "\\xff");
  CHECK(printable("\xc0\x80") == "\\xc0\\x80");          // overlong
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // surrogate
  CHECK(printable("\xe2\x80") == "\\xe2\\x80");          // cut off
}

TEST_CASE("printable clips", "[Support]") {
  CHECK(printable(std::string(1000, 'a'), 10) == "aaaaaaaaaa...");
}
