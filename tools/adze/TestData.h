// ONNX's test data: folders with input_N.pb and output_N.pb.
#pragma once
#include "tools/adze/Tensor.h"

namespace adze::cli {

struct TestData {
  std::vector<HostTensor> inputs, outputs;  ///< in the order of N; named as in the files
};

/// Reads the folder. Nullopt and `error` on failure; `unsupported` is set when
/// the values are sequences, strings or packed types, which the runtime does
/// not take.
std::optional<TestData> readTestData(const std::string &folder, std::string &error,
                                     bool &unsupported);

/// DIR itself when it holds input or output files, else its test_data_set_*
/// folders, sorted.
std::vector<std::string> testDataSets(const std::string &folder);

}  // namespace adze::cli
