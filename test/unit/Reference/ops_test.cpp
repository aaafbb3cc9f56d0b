// One small case an op, with numbers that can be checked by hand. The wide net
// is ONNX's node suite.
#include "Evaluate.h"

#include <cmath>

namespace adze::reference {

static Tensor x23() { return tensor("2x3xf32", {1, 2, 3, 4, 5, 6}); }

TEST_CASE("elementwise broadcasts, wraps and truncates", "[Reference]") {
  CHECK(valuesOf("adze.elementwise add(%0, %1)", {x23(), tensor("2x1xf32", {10, 20})}, "?x?xf32") ==
        Values{11, 12, 13, 24, 25, 26});
  CHECK(valuesOf("adze.elementwise add(%0, %1)", {tensor("2xi8", {127, 1}), tensor("1xi8", {1})},
                 "?xi8") == Values{-128, 2});
  CHECK(valuesOf("adze.elementwise div(%0, %1)", {tensor("3xi32", {7, -7, 1}), tensor("3xi32", {2, 2, -1})},
                 "3xi32") == Values{3, -3, -1});
  CHECK(valuesOf("adze.elementwise mod(%0, %1)", {tensor("2xi32", {-7, 7}), tensor("2xi32", {3, -3})},
                 "2xi32") == Values{2, -2});
  CHECK(valuesOf("adze.elementwise fmod(%0, %1)", {tensor("2xi32", {-7, 7}), tensor("2xi32", {3, -3})},
                 "2xi32") == Values{-1, 1});
  CHECK(valuesOf("adze.elementwise round_even(%0)", {tensor("4xf32", {0.5, 1.5, 2.5, -0.5})}, "4xf32") ==
        Values{0, 2, 2, 0});
  CHECK(valuesOf("adze.elementwise less(%0, %1)", {tensor("2xui64", {1, -1.0}), tensor("2xui64", {2, 1})},
                 "2xi1") == Values{1, 0});
  CHECK(valuesOf("adze.elementwise shift_right(%0, %1)", {tensor("2xui8", {128, 1}), tensor("2xui8", {7, 9})},
                 "2xui8") == Values{1, 0});
  CHECK(valuesOf("adze.elementwise pow(%0, %1)", {tensor("3xi32", {2, 3, 4}), tensor("3xf32", {3, 2, 0.5})},
                 "3xi32") == Values{8, 9, 2});
  CHECK(valuesOf("adze.elementwise select(%0, %1, %2)",
                 {tensor("2xi1", {1, 0}), tensor("2xf32", {1, 2}), tensor("1xf32", {9})}, "2xf32") ==
        Values{1, 9});
  CHECK(messageOf("adze.elementwise div(%0, %1)", {tensor("1xi32", {1}), tensor("1xi32", {0})}, "1xi32") ==
        "adze.elementwise: an integer is divided by zero");
  CHECK(messageOf("adze.elementwise add(%0, %1)", {x23(), tensor("2x2xf32", {1, 2, 3, 4})}, "?x?xf32")
            .find("shapes do not broadcast") != std::string::npos);
}

TEST_CASE("cast rounds once and saturates", "[Reference]") {
  auto cast = [](const std::string &to, const Tensor &x, const std::string &type) {
    return valuesOf("adze.cast %0 {to = " + to + "}", {x}, type);
  };
  CHECK(cast("i32", tensor("4xf32", {1.9, -1.9, 1e20, NAN}), "4xi32") ==
        Values{1, -1, 2147483647, 0});
  CHECK(cast("ui8", tensor("2xf32", {-5, 300}), "2xui8") == Values{0, 255});
  CHECK(cast("i8", tensor("1xi32", {300}), "1xi8") == Values{44});
  CHECK(cast("bf16", tensor("3xf64", {1.00390625, 1.01171875, 1.0039062500001}), "3xbf16") ==
        Values{1, 1.015625, 1.0078125});
  CHECK(cast("f16", tensor("2xf64", {65519.9, 65520}), "2xf16") == Values{65504, INFINITY});
  CHECK(cast("f8E4M3FN", tensor("3xf32", {1000, -INFINITY, 17}), "3xf8E4M3FN") == Values{448, -448, 16});
  CHECK(cast("i1", tensor("3xf32", {0, 0.25, NAN}), "3xi1") == Values{0, 1, 1});
  CHECK(cast("i4", tensor("2xf32", {-9, 8}), "2xi4") == Values{7, -8});
  CHECK(cast("f8E8M0FNU", tensor("3xf32", {0.5, 0.75, 3}), "3xf8E8M0FNU") == Values{0.5, 1, 4});
  CHECK(cast("i4", tensor("2xi32", {7, 8}), "2xi4") == Values{7, -8});
}

TEST_CASE("another layout holds the same elements", "[Reference]") {
  auto module = parse("func.func @main(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {\n"
                      "  %p = adze.relayout %x {layout = #adze.panels<16>} : (tensor<2x3xf32>) "
                      "-> tensor<2x3xf32, #adze.panels<16>>\n"
                      "  %r = adze.relayout %p : (tensor<2x3xf32, #adze.panels<16>>) -> tensor<2x3xf32>\n"
                      "  return %r : tensor<2x3xf32>\n}");
  std::string message;
  auto results = runModule(*module, {x23()}, &message);
  INFO(message);
  REQUIRE(succeeded(results));
  CHECK(toDoubles(results->front()) == Values{1, 2, 3, 4, 5, 6});
}

TEST_CASE("data moves", "[Reference]") {
  CHECK(valuesOf("adze.transpose %0 {perm = array<i64: 1, 0>}", {x23()}, "?x?xf32") ==
        Values{1, 4, 2, 5, 3, 6});
  CHECK(valuesOf("adze.reshape %0, %1", {x23(), tensor("2xi64", {3, -1})}, "?x?xf32") ==
        Values{1, 2, 3, 4, 5, 6});
  CHECK(valuesOf("adze.expand %0, %1", {tensor("2x1xf32", {1, 2}), tensor("3xi64", {2, 2, 2})}, "?x?x?xf32") ==
        Values{1, 1, 2, 2, 1, 1, 2, 2});
  CHECK(valuesOf("adze.concat %0, %1 {axis = 1 : i64}", {x23(), tensor("2x1xf32", {7, 8})}, "?x?xf32") ==
        Values{1, 2, 3, 7, 4, 5, 6, 8});
  CHECK(valuesOf("adze.slice %0, %1, %2, %3",
                 {x23(), tensor("2xi64", {0, -1}), tensor("2xi64", {1, -100}), tensor("2xi64", {1, -2})},
                 "?x?xf32") == Values{3, 1});
  CHECK(valuesOf("adze.tile %0, %1", {x23(), tensor("2xi64", {1, 2})}, "?x?xf32") ==
        Values{1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6});
  auto pad = [](const std::string &mode, const Values &pads) {
    return valuesOf("adze.pad %0, %1, %2 {mode = #adze<pad_mode " + mode + ">}",
                    {tensor("3xf32", {1, 2, 3}), tensor("2xi64", pads), tensor("f32", {9})}, "?xf32");
  };
  CHECK(pad("constant", {1, -1}) == Values{9, 1, 2});
  CHECK(pad("reflect", {3, 1}) == Values{2, 3, 2, 1, 2, 3, 2});
  CHECK(pad("edge", {1, 1}) == Values{1, 1, 2, 3, 3});
  CHECK(pad("wrap", {1, 1}) == Values{3, 1, 2, 3, 1});
  CHECK(valuesOf("adze.trilu %0, %1 {upper = true}", {x23(), tensor("i64", {1})}, "?x?xf32") ==
        Values{0, 2, 3, 0, 0, 6});
  CHECK(valuesOf("adze.range %0, %1, %2", {tensor("i64", {10}), tensor("i64", {4}), tensor("i64", {-2})},
                 "?xi64") == Values{10, 8, 6});
  CHECK(messageOf("adze.reshape %0, %1", {x23(), tensor("2xi64", {4, -1})}, "?x?xf32") ==
        "adze.reshape: cannot reshape [2, 3] to [4, -1]");
}

TEST_CASE("gather and scatter", "[Reference]") {
  CHECK(valuesOf("adze.gather %0, %1 {axis = 1 : i64}", {x23(), tensor("2xi64", {-1, 0})}, "?x?xf32") ==
        Values{3, 1, 6, 4});
  CHECK(messageOf("adze.gather %0, %1 {axis = 0 : i64}", {x23(), tensor("1xi64", {2})}, "?x?xf32") ==
        "adze.gather: index 2 is out of range for an axis of 2 elements");
  CHECK(valuesOf("adze.gather_elements %0, %1 {axis = 1 : i64}", {x23(), tensor("2x1xi64", {2, 0})},
                 "?x?xf32") == Values{3, 4});
  CHECK(valuesOf("adze.gather_nd %0, %1 {batch_dims = 1 : i64}", {x23(), tensor("2x1xi64", {2, 0})}, "?xf32") ==
        Values{3, 4});
  CHECK(valuesOf("adze.scatter_elements %0, %1, %2 {axis = 1 : i64, reduction = #adze<scatter_reduction add>}",
                 {x23(), tensor("1x2xi64", {0, 0}), tensor("1x2xf32", {10, 20})}, "?x?xf32") ==
        Values{31, 2, 3, 4, 5, 6});
  CHECK(valuesOf("adze.scatter_nd %0, %1, %2", {x23(), tensor("1x1xi64", {1}), tensor("1x3xf32", {7, 8, 9})},
                 "?x?xf32") == Values{1, 2, 3, 7, 8, 9});
  CHECK(valuesOf("adze.reverse_sequence %0, %1 {batch_axis = 0 : i64, time_axis = 1 : i64}",
                 {x23(), tensor("2xi64", {2, 3})}, "?x?xf32") == Values{2, 1, 3, 6, 5, 4});
  CHECK(valuesOf("adze.one_hot %0, %1, %2 {axis = 0 : i64}",
                 {tensor("2xi64", {1, -1}), tensor("i64", {2}), tensor("2xf32", {0, 5})}, "?x?xf32") ==
        Values{0, 0, 5, 5});
}

TEST_CASE("reductions", "[Reference]") {
  auto reduce = [](const std::string &kind, const std::string &axes, const Tensor &x, const std::string &t) {
    return valuesOf("adze.reduce %0 {kind = #adze<reduce_kind " + kind + ">, axes = array<i64: " + axes +
                        ">, keepdims = false}", {x}, t);
  };
  CHECK(reduce("sum", "0", x23(), "?xf32") == Values{5, 7, 9});
  CHECK(reduce("mean", "1", x23(), "?xf32") == Values{2, 5});
  CHECK(reduce("max", "0, 1", tensor("2x2xi8", {-5, 3, 2, 1}), "i8") == Values{3});
  CHECK(reduce("min", "0", tensor("0x1xf32", {}), "?xf32") == Values{INFINITY});
  CHECK(valuesOf("adze.arg_reduce %0 {kind = #adze<arg_kind max>, axis = 1 : i64, keepdims = false, select_last = true}",
                 {tensor("1x3xf32", {4, 4, 1})}, "?xi64") == Values{1});
  CHECK(valuesOf("adze.cumulative %0 {kind = #adze<reduce_kind sum>, axis = 1 : i64, exclusive = true, reverse = true}",
                 {x23()}, "?x?xf32") == Values{5, 3, 0, 11, 6, 0});
  CHECK(valuesOf("adze.softmax %0 {axis = 1 : i64}", {tensor("1x2xf32", {1000, 1000})}, "?x?xf32") ==
        Values{0.5, 0.5});
  CHECK(valuesOf("adze.normalize %0 {axes = array<i64: 1>, epsilon = 0.0 : f32, center = true, operandSegmentSizes = array<i32: 1, 0, 0>}",
                 {tensor("1x2xf32", {1, 3})}, "?x?xf32") == Values{-1, 1});
}

TEST_CASE("sorting and selection", "[Reference]") {
  auto topk = "func.func @main(%0: tensor<?x?xf32>, %1: tensor<i64>) -> (tensor<?x?xf32>, tensor<?x?xi64>) {\n"
              "  %v, %i = adze.topk %0, %1 {axis = 1 : i64, largest = true} : (tensor<?x?xf32>, tensor<i64>) "
              "-> (tensor<?x?xf32>, tensor<?x?xi64>)\n  return %v, %i : tensor<?x?xf32>, tensor<?x?xi64>\n}";
  auto results = runModule(*parse(topk), {tensor("1x4xf32", {1, 5, 5, 2}), tensor("i64", {3})});
  REQUIRE(succeeded(results));
  CHECK(toDoubles((*results)[0]) == Values{5, 5, 2});
  CHECK(toDoubles((*results)[1]) == Values{1, 2, 3});
  CHECK(valuesOf("adze.nonzero %0", {tensor("2x2xf32", {0, 1, 2, 0})}, "?x?xi64") == Values{0, 1, 1, 0});
  CHECK(valuesOf("adze.nms %0, %1, %2, %3, %4",
                 {tensor("1x2x4xf32", {0, 0, 1, 1, 0, 0, 1, 0.9}), tensor("1x1x2xf32", {0.5, 0.9}),
                  tensor("i64", {9}), tensor("f32", {0.5}), tensor("f32", {0})}, "?x3xi64") ==
        Values{0, 0, 1});
  auto unique = "func.func @main(%0: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xi64>, tensor<?xi64>, tensor<?xi64>) {\n"
                "  %v:4 = adze.unique %0 {sorted = false} : (tensor<?xf32>) "
                "-> (tensor<?xf32>, tensor<?xi64>, tensor<?xi64>, tensor<?xi64>)\n"
                "  return %v#0, %v#1, %v#2, %v#3 : tensor<?xf32>, tensor<?xi64>, tensor<?xi64>, tensor<?xi64>\n}";
  results = runModule(*parse(unique), {tensor("4xf32", {2, 1, 2, 3})});
  REQUIRE(succeeded(results));
  CHECK(toDoubles((*results)[0]) == Values{2, 1, 3});
  CHECK(toDoubles((*results)[1]) == Values{0, 1, 3});
  CHECK(toDoubles((*results)[2]) == Values{0, 1, 0, 2});
  CHECK(toDoubles((*results)[3]) == Values{2, 1, 1});
}

TEST_CASE("matmul", "[Reference]") {
  Tensor y = tensor("3x2xf32", {1, 0, 0, 1, 1, 1});
  CHECK(valuesOf("adze.matmul %0, %1", {x23(), y}, "?x?xf32") == Values{4, 5, 10, 11});
  CHECK(valuesOf("adze.matmul %0, %1 {transpose_b = true}", {x23(), x23()}, "?x?xf32") ==
        Values{14, 32, 32, 77});
  CHECK(valuesOf("adze.matmul %0, %1 {accumulator = i32}",
                 {tensor("1x2xui8", {200, 200}), tensor("2x1xi8", {-100, -100})}, "1x1xi32") ==
        Values{-40000});
  CHECK(messageOf("adze.matmul %0, %1", {x23(), x23()}, "?x?xf32") ==
        "adze.matmul: the extents to multiply over differ: 3 and 2");
}

static const std::string kOnes = "strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>";

TEST_CASE("windowed ops", "[Reference]") {
  Tensor x = tensor("1x1x3x3xf32", {1, 2, 3, 4, 5, 6, 7, 8, 9}), w = tensor("1x1x2x2xf32", {1, 1, 1, 1});
  CHECK(valuesOf("adze.conv %0, %1 {pads = array<i64: 0, 0, 0, 0>, " + kOnes + "}", {x, w},
                 "?x?x?x?xf32") == Values{12, 16, 24, 28});
  CHECK(valuesOf("adze.conv %0, %1, %2 {pads = array<i64: 1, 1, 0, 0>, strides = array<i64: 2, 2>, "
                 "dilations = array<i64: 1, 1>}", {x, w, tensor("1xf32", {100})}, "?x?x?x?xf32") ==
        Values{101, 105, 111, 128});
  // The same in NHWC, with two groups.
  CHECK(valuesOf("adze.conv %0, %1 {pads = array<i64: 0, 0, 0, 0>, groups = 2 : i64, layout = #adze<layout nhwc>, " +
                     kOnes + "}",
                 {tensor("1x1x2x2xf32", {1, 10, 2, 20}), tensor("1x2x1x2xf32", {1, 2, 3, 4})},
                 "?x?x?x?xf32") == Values{7, 100});
  CHECK(valuesOf("adze.conv_transpose %0, %1 {pads = array<i64: 0, 0, 0, 0>, output_padding = array<i64: 0, 0>, "
                 "strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>}",
                 {tensor("1x1x1x2xf32", {1, 2}), w}, "?x?x?x?xf32") == Values{1, 1, 2, 2, 1, 1, 2, 2});
  auto pool = [&](const std::string &kind, const std::string &more) {
    return valuesOf("adze.pool %0 {kind = #adze<pool_kind " + kind + ">, kernel = array<i64: 2, 2>, "
                    "strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, " + more + "}", {x},
                    "?x?x?x?xf32");
  };
  CHECK(pool("max", "pads = array<i64: 0, 0, 0, 0>") == Values{5});
  CHECK(pool("max", "pads = array<i64: 0, 0, 0, 0>, ceil_mode = true") == Values{5, 6, 8, 9});
  CHECK(pool("average", "pads = array<i64: 1, 1, 0, 0>") == Values{1, 2.5, 5.5, 7});
  CHECK(pool("average", "pads = array<i64: 1, 1, 0, 0>, count_include_pad = true") ==
        Values{0.25, 1.25, 2.75, 7});
}

TEST_CASE("quantization rounds half to even, then clamps", "[Reference]") {
  CHECK(valuesOf("adze.quantize %0, %1, %2",
                 {tensor("5xf32", {1, 3, 5, -1000, 1000}), tensor("f32", {2}), tensor("ui8", {10})}, "5xui8") ==
        Values{10, 12, 12, 0, 255});
  CHECK(valuesOf("adze.quantize %0, %1, %2 {axis = 1 : i64}",
                 {tensor("1x2xf32", {4, 4}), tensor("2xf32", {1, 2}), tensor("2xi8", {0, 1})}, "?x?xi8") ==
        Values{4, 3});
  CHECK(valuesOf("adze.dequantize %0, %1, %2 {axis = 1 : i64, block_size = 2 : i64}",
                 {tensor("1x4xi8", {1, 2, 3, 4}), tensor("1x2xf32", {1, 10}), tensor("1x2xi8", {0, 1})},
                 "?x?xf32") == Values{1, 2, 20, 30});
}

TEST_CASE("resize", "[Reference]") {
  auto resize = [](const std::string &attributes, double size, double scale, const Values &x) {
    return valuesOf("adze.resize %0, %1, %2 {" + attributes + "}",
                    {tensor(std::to_string(x.size()) + "xf32", x), tensor("1xi64", {size}),
                     tensor("1xf32", {scale})}, "?xf32");
  };
  CHECK(resize("mode = \"nearest\", coordinate_mode = \"asymmetric\", nearest_mode = \"floor\"", 4, 2, {1, 2}) ==
        Values{1, 1, 2, 2});
  // A third, rounded to f32, still lands on whole positions.
  CHECK(resize("mode = \"nearest\", coordinate_mode = \"asymmetric\", nearest_mode = \"floor\"", 3, 1.0 / 3,
               {0, 1, 2, 3, 4, 5, 6, 7, 8}) == Values{0, 3, 6});
  CHECK(resize("mode = \"linear\", coordinate_mode = \"half_pixel\"", 4, 2, {1, 2}) ==
        Values{1, 1.25, 1.75, 2});
  CHECK(resize("mode = \"linear\", coordinate_mode = \"align_corners\"", 3, 1.5, {1, 2}) == Values{1, 1.5, 2});
  // 8.5 * 7 / 17 - 0.5 is 3, and no more.
  CHECK(resize("mode = \"nearest\", coordinate_mode = \"half_pixel\", nearest_mode = \"ceil\"", 17, 17.0 / 7,
               {0, 1, 2, 3, 4, 5, 6})[8] == 3);
  // The length is 3.5, not 3: ONNX's scale times the extent.
  CHECK(resize("mode = \"linear\", coordinate_mode = \"align_corners\"", 3, 0.5, {0, 5, 10, 15, 20, 25, 30}) ==
        Values{0, 12, 24});
  CHECK(resize("mode = \"linear\", coordinate_mode = \"align_corners\"", 1, 1.0 / 49, Values(49, 2)) == Values{2});
  CHECK(resize("mode = \"nearest\", coordinate_mode = \"tf_half_pixel_for_nn\", nearest_mode = \"floor\"", 2, 0.5,
               {1, 2, 3, 4}) == Values{2, 4});
  CHECK(resize("mode = \"cubic\", coordinate_mode = \"half_pixel\"", 2, 1, {1, 2}) == Values{1, 2});
}

}  // namespace adze::reference
