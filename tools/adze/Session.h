// A loaded artifact and one request: the runtime's C API with the tool's
// messages.
#pragma once
#include "tools/adze/Tensor.h"

#include <map>
#include <memory>

namespace adze::cli {

class Session {
  struct Destroy {
    void operator()(adze_model *m) const { adze_model_destroy(m); }
    void operator()(adze_request *r) const { adze_request_destroy(r); }
  };

 public:
  using RequestHandle = std::unique_ptr<adze_request, Destroy>;
  struct Info {
    std::string name;
    int32_t dtype;
    std::vector<int64_t> dims;         ///< -1: free
    std::vector<std::string> symbols;  ///< "" where there is none
  };

  /// Null after reporting to `cli`. threads: 0 is one for each CPU. device: as in
  /// adze_model_options.
  static std::unique_ptr<Session> open(const std::string &path, int threads, Cli &cli,
                                       const std::string &device = {});

  const std::vector<Info> &inputs() const { return inputs_; }
  const std::vector<Info> &outputs() const { return outputs_; }
  const adze_model *model() const { return model_.get(); }
  adze_request *request() const { return request_.get(); }

  /// Inputs from "NAME=FILE.npy", the others random, of "NAME=1x3x..." sizes.
  bool prepare(const std::vector<std::string> &files, const std::vector<std::string> &shapes,
               uint64_t seed, Cli &cli);
  /// The inputs that are set.
  const std::vector<HostTensor> &held() const { return held_; }
  /// The inputs stay with the session until they are set again.
  bool setInputs(std::vector<HostTensor> inputs, Cli &cli);
  bool run(Cli &cli);
  /// Another request with the same inputs; null after reporting.
  RequestHandle another(Cli &cli) const;
  /// The memory plan of the last run: {"arena_bytes", "peak_live_bytes"}.
  Json memory() const;
  /// Copies of the outputs of the last run; nullopt after reporting.
  std::optional<std::vector<HostTensor>> results(Cli &cli);

  /// Random tensors for inputs that `given` leaves out. Free extents come from
  /// `shapes` (by input name), else from a given tensor with the same symbol,
  /// else they are 1.
  std::optional<std::vector<HostTensor>> completeInputs(
      std::vector<HostTensor> given, const std::map<std::string, std::vector<int64_t>> &shapes,
      uint64_t seed, Cli &cli) const;

 private:
  bool setInputs(adze_request *request, Cli &cli) const;

  std::unique_ptr<adze_model, Destroy> model_;
  std::vector<HostTensor> held_;
  RequestHandle request_;
  std::vector<Info> inputs_, outputs_;
};

/// 0 is one for each CPU.
int threadsOf(int asked);

/// Reports what `status` says; true when it is success. Destroys it.
bool succeeded(adze_status *status, Cli &cli);

/// --device.
void addDevice(CLI::App &verb, std::string &device);

/// What a verb that runs a model asks about its inputs.
struct InputOptions {
  std::vector<std::string> inputs, shapes;
  uint64_t seed = 0;

  void addTo(CLI::App &verb);
};

/// "NAME=1x3x..." options as shapes; false after reporting.
bool parseShapes(const std::vector<std::string> &texts,
                 std::map<std::string, std::vector<int64_t>> &shapes, Cli &cli);

/// "NAME=FILE.npy" options: names may hold '=' themselves.
bool loadInputs(const std::vector<std::string> &texts, const Session &session,
                std::vector<HostTensor> &tensors, Cli &cli);

}  // namespace adze::cli
