#include "lib/Support/Npy.h"

#include <catch2/catch.hpp>

#include <cstdio>
#include <cstring>
#include <unistd.h>

using namespace adze;

namespace {

/// A version 1 file with this header text and data.
std::vector<std::byte> fileOf(const std::string &header, const std::string &data) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() & 255);
  text += static_cast<char>(header.size() >> 8);
  text += header + data;
  auto begin = reinterpret_cast<const std::byte *>(text.data());
  return {begin, begin + text.size()};
}

std::string headerOf(const std::string &descr, const std::string &order, const std::string &shape) {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }\n";
}

}  // namespace

TEST_CASE("npy files are read back as written", "[Support]") {
  NpyArray array;
  array.shape = {2, 3};
  array.data.resize(24, std::byte{7});
  std::string path = "/tmp/adze-npy-" + std::to_string(getpid()) + ".npy", error;
  REQUIRE(writeNpy(path, array, error));
  auto back = readNpy(path, error);
  std::remove(path.c_str());
  REQUIRE(back);
  CHECK(back->kind == 'f');
  CHECK(back->itemBytes == 4);
  CHECK(back->shape == array.shape);
  CHECK(back->data == array.data);
}

TEST_CASE("npy data begin at a multiple of 64 bytes", "[Support]") {
  std::string path = "/tmp/adze-npy-" + std::to_string(getpid()) + ".npy", error;
  NpyArray array;
  array.shape = {1};
  array.data.resize(4);
  REQUIRE(writeNpy(path, array, error));
  FILE *file = fopen(path.c_str(), "rb");
  fseek(file, 0, SEEK_END);
  CHECK(ftell(file) % 64 == 4);
  fclose(file);
  std::remove(path.c_str());
}

TEST_CASE("npy column-major and big-endian arrays are turned around", "[Support]") {
  std::string error;
  auto columns = parseNpy(fileOf(headerOf("|u1", "True", "(2, 3)"), "\1\4\2\5\3\6"), error);
  REQUIRE(columns);
  CHECK(std::memcmp(columns->data.data(), "\1\2\3\4\5\6", 6) == 0);
  auto big = parseNpy(fileOf(headerOf(">u2", "False", "(1,)"), "\1\2"), error);
  REQUIRE(big);
  CHECK(std::memcmp(big->data.data(), "\2\1", 2) == 0);
}

TEST_CASE("npy scalars and empty arrays", "[Support]") {
  std::string error;
  CHECK(parseNpy(fileOf(headerOf("|b1", "False", "()"), "\1"), error));
  auto empty = parseNpy(fileOf(headerOf("<f8", "False", "(0, 5)"), ""), error);
  REQUIRE(empty);
  CHECK(empty->data.empty());
}

TEST_CASE("hostile npy files are refused", "[Support]") {
  std::string error;
  std::vector<std::vector<std::byte>> files = {
      {},
      fileOf(headerOf("|O", "False", "(1,)"), "12345678"),
      fileOf(headerOf("<f4", "False", "(2,)"), "1234"),
      fileOf(headerOf("<f4", "False", "(4611686018427387904, 4)"), ""),
      fileOf(headerOf("<f4", "False", "(99999999999999999999,)"), ""),
      fileOf(headerOf("<f4", "False", "(-1,)"), "1234"),
      fileOf(headerOf("<f3", "False", "(1,)"), "123"),
      fileOf(headerOf("<f4", "Maybe", "(1,)"), "1234"),
      fileOf("{'descr': '<f4', 'shape': (1,), }", "1234"),
      fileOf("{'descr': '<f4', 'fortran_order': False, 'shape': (1,", "1234"),
      fileOf("{", ""),
  };
  for (const auto &file : files) CHECK_FALSE(parseNpy(file, error));
  auto whole = fileOf(headerOf("<f4", "False", "(1,)"), "1234");
  for (size_t n = 0; n < whole.size(); ++n)
    CHECK_FALSE(parseNpy({whole.data(), n}, error));
}
