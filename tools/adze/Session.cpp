#include "tools/adze/Session.h"

#include "lib/Compiler/Compiler.h"

#include <algorithm>

namespace adze::cli {

bool succeeded(adze_status *status, Cli &cli) {
  if (!status) return true;
  cli.fail(static_cast<ExitCode>(adze_status_code(status)), adze_status_id(status),
           adze_status_message(status), adze_status_hint(status));
  adze_status_destroy(status);
  return false;
}

static bool describe(size_t count,
                     adze_status *(*get)(const adze_model *, size_t, adze_tensor_info *),
                     const adze_model *model, std::vector<Session::Info> &all, Cli &cli) {
  for (size_t i = 0; i < count; ++i) {
    adze_tensor_info t = ADZE_INIT(adze_tensor_info);
    if (!succeeded(get(model, i, &t), cli)) return false;
    all.push_back({t.name, t.dtype, {t.dims, t.dims + t.rank}, {t.symbols, t.symbols + t.rank}});
  }
  return true;
}

std::unique_ptr<Session> Session::open(const std::string &path, int threads, Cli &cli,
                                       const std::string &device) {
  cli.diags.setFile(path);
  auto session = std::make_unique<Session>();
  adze_model_options options = ADZE_INIT(adze_model_options);
  options.threads = threads;
  options.device = device.c_str();
  adze_model *m = nullptr;
  adze_request *r = nullptr;
  if (!succeeded(adze_model_load_file(path.c_str(), &options, &m), cli)) return nullptr;
  session->model_.reset(m);
  if (!describe(adze_model_input_count(m), adze_model_input, m, session->inputs_, cli) ||
      !describe(adze_model_output_count(m), adze_model_output, m, session->outputs_, cli) ||
      !succeeded(adze_request_create(m, nullptr, &r), cli))
    return nullptr;
  session->request_.reset(r);
  return session;
}

int threadsOf(int asked) {
  return asked ? asked : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

bool Session::prepare(const std::vector<std::string> &files, const std::vector<std::string> &shapes,
                      uint64_t seed, Cli &cli) {
  std::map<std::string, std::vector<int64_t>> sizes;
  std::vector<HostTensor> given;
  if (!parseShapes(shapes, sizes, cli) || !loadInputs(files, *this, given, cli)) return false;
  auto inputs = completeInputs(std::move(given), sizes, seed, cli);
  return inputs && setInputs(std::move(*inputs), cli);
}

bool Session::setInputs(std::vector<HostTensor> inputs, Cli &cli) {
  held_ = std::move(inputs);
  return setInputs(request_.get(), cli);
}

bool Session::setInputs(adze_request *request, Cli &cli) const {
  for (const HostTensor &held : held_) {
    int64_t index = adze_model_find_input(model_.get(), held.name.c_str());
    if (index < 0) {
      cli.usage("the model has no input '" + printable(held.name) + "'",
                "`adze inspect` lists the inputs");
      return false;
    }
    adze_tensor t = ADZE_INIT(adze_tensor);
    t.dtype = held.dtype;
    t.rank = static_cast<int32_t>(held.shape.size());
    t.shape = held.shape.data();
    t.data = const_cast<std::byte *>(held.data.data());
    t.bytes = held.data.size();
    if (!succeeded(adze_request_set_input(request, index, &t), cli)) return false;
  }
  return true;
}

bool Session::run(Cli &cli) { return succeeded(adze_request_run(request_.get()), cli); }

Session::RequestHandle Session::another(Cli &cli) const {
  adze_request *r = nullptr;
  if (!succeeded(adze_request_create(model_.get(), nullptr, &r), cli)) return nullptr;
  RequestHandle request(r);
  return setInputs(r, cli) ? std::move(request) : nullptr;
}

Json Session::memory() const {
  adze_request_info info = ADZE_INIT(adze_request_info);
  adze_status_destroy(adze_request_get_info(request_.get(), &info));
  return {{"arena_bytes", info.plan_bytes}, {"peak_live_bytes", info.plan_peak_bytes}};
}

std::optional<std::vector<HostTensor>> Session::results(Cli &cli) {
  std::vector<HostTensor> all;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    adze_tensor t = ADZE_INIT(adze_tensor);
    if (!succeeded(adze_request_output(request_.get(), i, &t), cli)) return std::nullopt;
    HostTensor out{outputs_[i].name, t.dtype, {t.shape, t.shape + t.rank}, {}};
    auto bytes = static_cast<const std::byte *>(t.data);
    out.data.assign(bytes, bytes + out.count() * adze_dtype_bytes(t.dtype));
    all.push_back(std::move(out));
  }
  return all;
}

std::optional<std::vector<HostTensor>> Session::completeInputs(
    std::vector<HostTensor> given, const std::map<std::string, std::vector<int64_t>> &shapes,
    uint64_t seed, Cli &cli) const {
  std::map<std::string, int64_t> extents;  // of symbols
  auto learn = [&](const Info &info, const std::vector<int64_t> &shape) {
    for (size_t d = 0; d < shape.size() && d < info.dims.size(); ++d)
      if (!info.symbols[d].empty()) extents.emplace(info.symbols[d], shape[d]);
  };
  auto find = [&](const std::string &name) {
    return std::find_if(given.begin(), given.end(), [&](auto &t) { return t.name == name; });
  };
  for (const Info &info : inputs_) {
    if (auto t = find(info.name); t != given.end()) learn(info, t->shape);
    if (auto s = shapes.find(info.name); s != shapes.end()) learn(info, s->second);
  }
  for (const auto &[name, shape] : shapes)
    if (std::none_of(inputs_.begin(), inputs_.end(), [&](auto &i) { return i.name == name; })) {
      cli.usage("--shape names '" + printable(name) + "', which is no input",
                "`adze inspect` lists the inputs");
      return std::nullopt;
    }
  for (const Info &info : inputs_) {
    if (find(info.name) != given.end()) continue;
    std::vector<int64_t> shape = info.dims;
    auto s = shapes.find(info.name);
    if (s != shapes.end()) shape = s->second;
    for (size_t d = 0; d < shape.size(); ++d)
      if (shape[d] < 0) {
        auto known = extents.find(info.symbols[d]);
        shape[d] = known == extents.end() ? 1 : known->second;
      }
    auto t = makeTensor(info.name, info.dtype, shape);
    if (!t) {
      cli.fail(ExitCode::Unsupported, "ADZ0802",
               "no random values can be made for input '" + printable(info.name) + "'",
               "give it with --input");
      return std::nullopt;
    }
    fillRandom(*t, seed);
    given.push_back(std::move(*t));
  }
  return given;
}

void addDevice(CLI::App &verb, std::string &device) {
  verb.add_option("--device", device,
                  "What runs it: host, cuda, cuda:N (the GPU of that number), cuda:N/50% (on half"
                  " of it), cuda:N/unified (in unified memory), ptx-emulator, ptx-emulator:sm_80; by"
                  " default what the artifact was compiled for");
}

void InputOptions::addTo(CLI::App &verb) {
  verb.add_option("-i,--input", inputs, "NAME=FILE.npy; inputs not given are random")
      ->allow_extra_args(false);
  verb.add_option("--shape", shapes, "Size of a random input: NAME=1x3x224x224; free extents are else 1")
      ->allow_extra_args(false);
  verb.add_option("--seed", seed, "Of the random inputs, and of the order of warps on the PTX emulator")->capture_default_str();
}

bool parseShapes(const std::vector<std::string> &texts,
                 std::map<std::string, std::vector<int64_t>> &shapes, Cli &cli) {
  for (const std::string &text : texts) {
    auto shape = parseShape(text);
    bool fixed = shape.has_value();
    if (shape)
      for (const ExtentRange &r : shape->dims) {
        fixed &= r.min == r.max;
        shapes[shape->input].push_back(r.min);
      }
    if (!fixed) {
      cli.usage("'" + printable(text) + "' is no shape", "write it as --shape x=1x3x224x224");
      return false;
    }
  }
  return true;
}

bool loadInputs(const std::vector<std::string> &texts, const Session &session,
                std::vector<HostTensor> &tensors, Cli &cli) {
  for (const std::string &text : texts) {
    const Session::Info *match = nullptr;
    for (const Session::Info &info : session.inputs())
      if (text.rfind(info.name + "=", 0) == 0 &&
          (!match || info.name.size() > match->name.size()))
        match = &info;
    if (!match) {
      std::string names;
      for (const Session::Info &info : session.inputs()) names += " " + printable(info.name, 60);
      cli.usage("'" + printable(text) + "' is not NAME=FILE.npy with an input's name",
                "the inputs are:" + names);
      return false;
    }
    std::string error;
    auto t = loadNpy(text.substr(match->name.size() + 1), match->name, match->dtype, error);
    if (!t) {
      cli.fail(ExitCode::InvalidModel, "ADZ0801", error);
      return false;
    }
    tensors.push_back(std::move(*t));
  }
  return true;
}

}  // namespace adze::cli
