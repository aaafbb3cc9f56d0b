#include <adze/adze_rt.hpp>

#include <cstdio>

// Runs the runtime's test model.
int main(int argc, char **argv) try {
  adze::rt::Model model(argc > 1 ? argv[1] : "");
  adze::rt::Request request(model);
  float x[] = {1, 2}, y[] = {3, 4};
  int32_t mode = 0;
  request.setInput("x", x, {1, 2});
  request.setInput("y", y, {1, 2});
  request.setInput("mode", &mode, {});
  request.run();
  auto sum = request.output<float>("sum");
  std::printf("%g %g\n", sum.data[0], sum.data[1]);
  return sum.size == 2 && sum.data[1] == 6 ? 0 : 1;
} catch (const adze::rt::Error &e) {
  std::fprintf(stderr, "%s\n", e.what());
  return e.code();
}
