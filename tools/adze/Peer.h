// Another engine (onnxruntime, OpenVINO, IREE) in a Python process of its own; needed
// only for comparisons. share/adze/peer.py is the other side.
#pragma once
#include "tools/adze/Tensor.h"

#include <memory>

namespace adze::cli {

class Peer {
 public:
  /// Starts `engine` ("ort", "openvino", "iree") on `model` with these inputs.
  /// Null after reporting (exit code 8 when Python or the engine is missing).
  /// `exposed`: the engine also returns every value inside the graph.
  /// `refusal`: where not null, what an engine says that is there but does not
  /// take the model goes there, and is not reported.
  static std::unique_ptr<Peer> start(const std::string &engine, const std::string &model,
                                     int threads, const std::vector<HostTensor> &inputs,
                                     bool exposed, Cli &cli, std::string *refusal = nullptr);
  ~Peer();

  const std::string &version() const { return version_; }
  /// A folder of its own, which goes when it does.
  const std::string &folder() const { return folder_; }
  /// Runs `count` times; nanoseconds of each. Empty after reporting.
  std::vector<double> run(int count, Cli &cli);
  /// The results of the last run. Nullopt after reporting.
  std::optional<std::vector<HostTensor>> results(Cli &cli);

 private:
  bool ask(const std::string &line, Json &answer, Cli &cli, std::string *refusal = nullptr);

  int pid_ = -1;
  FILE *to_ = nullptr, *from_ = nullptr;
  std::string folder_, version_, engine_;
};

/// The model to hold `artifact` against: `given`, or the file beside it, if that
/// is the one it was compiled from. `flag` is the option that names it. Empty
/// after reporting.
std::string modelOf(const std::string &artifact, const std::string &given, const char *flag,
                    uint64_t hash, Cli &cli);

}  // namespace adze::cli
