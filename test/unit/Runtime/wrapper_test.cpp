#include "adze/adze_rt.hpp"

#include "catch2/catch.hpp"

TEST_CASE("the C++ wrapper owns, runs and throws", "[Runtime]") {
  adze::rt::Model model(ADZE_FIXTURE, 1);
  CHECK(model.inputs()[1].symbols[0] == "batch");
  CHECK(model.outputs().size() == 4);
  CHECK(model.metadata()[0].second == "fixture");
  adze::rt::Request request(model);
  std::vector<float> x = {1, 2}, y = {3, 4};
  int32_t mode = 0;
  request.setInput("x", x.data(), {1, 2});
  request.setInput("y", y.data(), {1, 2});
  request.setInput("mode", &mode, {});
  request.run();
  auto sum = request.output<float>("sum");
  CHECK(sum.shape == std::vector<int64_t>{1, 2});
  CHECK(std::vector<float>(sum.data, sum.data + sum.size) == std::vector<float>{4, 6});
  CHECK_THROWS_AS(request.output<double>("sum"), adze::rt::Error);
  CHECK_THROWS_AS(request.setInput("w", x.data(), {2}), adze::rt::Error);
  try {
    request.setInput("x", x.data(), {2});
    FAIL("not refused");
  } catch (const adze::rt::Error &e) {
    CHECK(e.id() == "ADZ0704");
    CHECK(e.code() == ADZE_INVALID);
  }
}
