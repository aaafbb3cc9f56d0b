// adze emulate
#include "lib/PtxEmulator/Emulator.h"
#include "lib/Support/Checked.h"
#include "lib/Support/File.h"
#include "lib/Support/Npy.h"
#include "tools/adze/Findings.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>
#include <iostream>

namespace adze::cli {

namespace {

constexpr const char *kFooter = R"(An argument (--arg, in the entry's order) is one of
  FILE.npy                a buffer with the file's bytes
  FILE.npy=RESULT.npy     the same, written back to RESULT.npy afterwards
  out:RESULT.npy:DTYPE:SHAPE   a buffer that nothing has written (f16, bf16, f32, f64, s8 … u64)
  map:N:box=RxC:swizzle=B      a tensor map of the buffer of argument N (from 0; sizes outermost
                          first; swizzle 0, 32, 64 or 128 bytes); a buffer is a tensor too where
                          no parameter takes it: mark it by "tensor:" before FILE.npy
  u32:7  s64:-1  f32:0.5  a number
Examples:
  adze emulate k.ptx --grid 4,2 --block 128 --arg a.npy --arg b.npy --arg out:c.npy:f32:64x64
  adze emulate k.ptx --entry gemm --block 384 --shared 131072 --arg tensor:a.npy --arg map:0:box=128x64:swizzle=128
  adze emulate k.ptx --block 32 --seeds 20 --arg a.npy     20 orders of the warps)";

struct Options {
  std::string file;
  std::vector<std::string> entries, arguments;
  std::string grid = "1", block = "1";
  uint32_t shared = 0;
  uint64_t seed = 0, seeds = 1, maxInstructions = uint64_t{1} << 32;
  bool noCheck = false, counters = false;
};

/// One --arg: a buffer, the bytes of a parameter, or both.
struct Argument {
  NpyArray array;
  std::string result;
  uint64_t address = 0;
  bool isParameter = true, written = true;
  std::string map;
  std::vector<uint8_t> parameter;
};

struct Dtype {
  std::string_view name;
  char kind;
  int bytes;
};
constexpr Dtype kDtypes[] = {{"f16", 'f', 2}, {"bf16", 'V', 2}, {"f32", 'f', 4}, {"f64", 'f', 8},
                             {"s8", 'i', 1},  {"u8", 'u', 1},   {"s16", 'i', 2}, {"u16", 'u', 2},
                             {"s32", 'i', 4}, {"u32", 'u', 4},  {"s64", 'i', 8}, {"u64", 'u', 8}};

std::vector<std::string> split(const std::string &text, char at) {
  std::vector<std::string> parts(1);
  for (char c : text)
    if (c == at) parts.emplace_back();
    else parts.back() += c;
  return parts;
}

std::optional<std::vector<int64_t>> numbers(const std::string &text, char between) {
  std::vector<int64_t> all;
  for (const std::string &part : split(text, between)) {
    int64_t n = 0;
    auto [end, bad] = std::from_chars(part.data(), part.data() + part.size(), n);
    if (bad != std::errc() || end != part.data() + part.size()) return std::nullopt;
    all.push_back(n);
  }
  return all;
}

std::optional<ptx::Extent> extent(const std::string &text) {
  auto n = numbers(text, ',');
  if (!n || n->size() > 3) return std::nullopt;
  n->resize(3, 1);
  for (int64_t v : *n)
    if (v < 1 || v > INT32_MAX) return std::nullopt;
  return ptx::Extent{static_cast<uint32_t>((*n)[0]), static_cast<uint32_t>((*n)[1]), static_cast<uint32_t>((*n)[2])};
}

bool parseNumber(const Dtype &type, const std::string &text, Argument &a) {
  const char *end = text.data() + text.size();
  auto keep = [&](auto value) {
    auto [at, bad] = std::from_chars(text.data(), end, value);
    if (bad != std::errc() || at != end) return false;
    a.parameter.resize(static_cast<size_t>(type.bytes));
    std::memcpy(a.parameter.data(), &value, a.parameter.size());
    return true;
  };
  if (type.kind == 'f') return type.bytes == 4 ? keep(float{}) : type.bytes == 8 && keep(double{});
  return type.kind == 'u' ? keep(uint64_t{}) : type.kind == 'i' && keep(int64_t{});
}

bool parseOut(const std::vector<std::string> &parts, Argument &a) {
  if (parts.size() != 4) return false;
  auto shape = numbers(parts[3], 'x');
  auto count = shape ? checkedNumElements(*shape) : std::nullopt;
  for (const Dtype &t : kDtypes) {
    auto bytes = t.name == parts[2] && count ? checkedMul(*count, t.bytes) : std::nullopt;
    if (!bytes || *bytes > int64_t{1} << 32) continue;
    a.array = {t.kind, t.bytes, *shape, {}};
    a.array.data.resize(static_cast<size_t>(*bytes));
    a.result = parts[1], a.written = false;
    return true;
  }
  return false;
}

/// False with a reason.
bool parseArgument(const std::string &text, Argument &a, std::string &error) {
  auto parts = split(text, ':');
  error = "'" + printable(text, 80) + "' is no argument";
  if (parts[0] == "out") return parseOut(parts, a);
  if (parts[0] == "map") {
    a.map = text;
    return parts.size() >= 3;
  }
  for (const Dtype &t : kDtypes)
    if (parts.size() == 2 && t.name == parts[0]) return parseNumber(t, parts[1], a);
  std::string file = text;
  if (parts[0] == "tensor") file = text.substr(7), a.isParameter = false;
  if (size_t at = file.find('='); at != std::string::npos) a.result = file.substr(at + 1), file.resize(at);
  auto array = readNpy(file, error);
  if (!array) return false;
  a.array = std::move(*array);
  return true;
}

/// "map:0:box=128x64:swizzle=128"
bool encodeMap(const std::vector<Argument> &all, Argument &a, std::string &error) {
  error = "'" + printable(a.map, 80) + "' is no tensor map";
  auto parts = split(a.map, ':');
  auto index = numbers(parts[1], ',');
  if (!index || (*index)[0] < 0 || (*index)[0] >= static_cast<int64_t>(all.size())) return false;
  const Argument &of = all[static_cast<size_t>((*index)[0])];
  size_t rank = of.array.shape.size();
  if (!of.address || rank < 1 || rank > 5) return false;
  ptx::TensorMap map;
  map.address = of.address, map.rank = static_cast<uint8_t>(rank), map.elementBytes = static_cast<uint8_t>(of.array.itemBytes);
  uint64_t stride = static_cast<uint64_t>(of.array.itemBytes);
  for (size_t i = 0; i < rank; ++i) {
    map.extents[i] = static_cast<uint64_t>(of.array.shape[rank - 1 - i]);
    map.strides[i] = stride, stride *= map.extents[i];
  }
  for (size_t p = 2; p < parts.size(); ++p) {
    auto keyed = split(parts[p], '=');
    auto values = keyed.size() == 2 ? numbers(keyed[1], 'x') : std::nullopt;
    if (!values) return false;
    if (keyed[0] == "swizzle" && values->size() == 1) map.swizzle = static_cast<uint8_t>(std::clamp<int64_t>((*values)[0], 0, 255));
    else if (keyed[0] == "box" && values->size() == rank)
      for (size_t i = 0; i < rank; ++i) map.box[i] = static_cast<uint32_t>(std::clamp<int64_t>((*values)[rank - 1 - i], 0, 1 << 20));
    else return false;
  }
  auto bytes = ptx::encodeTensorMap(map, error);
  if (bytes) a.parameter.assign(bytes->begin(), bytes->end());
  return bytes.has_value();
}

bool placeArguments(std::vector<Argument> &all, ptx::Memory &memory, std::string &error) {
  for (size_t i = 0; i < all.size(); ++i) {
    Argument &a = all[i];
    if (!a.map.empty() || !a.parameter.empty()) continue;
    a.address = memory.map(a.array.data.data(), a.array.data.size(), "argument " + std::to_string(i), a.written);
    a.parameter.resize(8);
    std::memcpy(a.parameter.data(), &a.address, 8);
  }
  for (Argument &a : all)
    if (!a.map.empty() && !encodeMap(all, a, error)) return false;
  return true;
}

bool packParameters(const ptx::Entry &entry, const std::vector<Argument> &all, std::vector<uint8_t> &bytes,
                    std::string &error) {
  bytes.assign(entry.parameterBytes, 0);
  size_t next = 0;
  for (const Argument &a : all) {
    if (!a.isParameter) continue;
    if (next == entry.parameters.size()) return error = "more arguments than the entry has parameters", false;
    const ptx::Parameter &p = entry.parameters[next++];
    if (a.parameter.size() < p.bytes)
      return error = "parameter '" + printable(p.name, 60) + "' has " + std::to_string(p.bytes) + " bytes, its argument " + std::to_string(a.parameter.size()), false;
    std::memcpy(&bytes[p.offset], a.parameter.data(), p.bytes);
  }
  if (next != entry.parameters.size())
    return error = "the entry has " + std::to_string(entry.parameters.size()) + " parameters, " + std::to_string(next) + " are given", false;
  return true;
}

// ---- reports

FindingText textOf(const ptx::Finding &f) {
  const ptx::FindingInfo &info = ptx::findingInfo(f.kind);
  std::vector<std::string> nodes;
  if (!f.node.empty()) nodes.push_back(f.node);
  return {f.kernel, info.name, f.message, f.instruction, f.source, nodes, f.line,
          static_cast<int64_t>(f.count), info.advice, {}};
}

Json toJson(const ptx::SiteCounters &c) {
  return {{"executions", c.executions}, {"requests", c.requests}, {"sectors", c.sectors}, {"bytes", c.bytes},
          {"shared_accesses", c.accesses}, {"wavefronts", c.wavefronts}, {"worst_bank_conflict", c.worstDegree},
          {"tensor_flops", c.flops}};
}

Json toJson(const std::string &entry, const ptx::Report &r) {
  Json j{{"entry", entry}, {"completed", r.completed}, {"blocks", r.blocks}, {"findings", Json::array()}};
  for (const ptx::Finding &f : r.findings) j["findings"].push_back(toJson(textOf(f)));
  for (int p = 0; p < ptx::kPipes; ++p)
    if (r.instructions[static_cast<size_t>(p)])
      j["instructions"][ptx::pipeName(static_cast<ptx::Pipe>(p))] = r.instructions[static_cast<size_t>(p)];
  j["total"] = toJson(r.total);
  for (const auto &[line, c] : r.lines) {
    Json l = toJson(c);
    l["line"] = line;
    j["lines"].push_back(std::move(l));
  }
  return j;
}

void print(const std::string &entry, const ptx::Report &r, const Options &o) {
  for (const ptx::Finding &f : r.findings) printFinding(o.file, textOf(f));
  std::vector<std::vector<std::string>> rows{{"line", "executions", "sectors", "bytes", "wavefronts", "conflict", "tensor flops"}};
  if (o.counters)
    for (const auto &[line, c] : r.lines)
      rows.push_back({std::to_string(line), std::to_string(c.executions), std::to_string(c.sectors), std::to_string(c.bytes),
                      std::to_string(c.wavefronts), std::to_string(c.worstDegree), std::to_string(c.flops)});
  if (o.counters) std::cout << formatTable(rows);
  uint64_t all = 0;
  for (uint64_t n : r.instructions) all += n;
  std::cout << printable(entry, 60) << ": " << r.blocks << " blocks, " << all << " warp instructions, "
            << formatBytes(static_cast<int64_t>(r.total.bytes)) << " in " << r.total.sectors << " sectors, "
            << r.total.flops << " tensor flops, " << r.findings.size() << " findings"
            << (r.completed ? "" : ", not completed") << "\n";
}

// ---- the verb

/// One entry once. Findings are kept for the last seed, or where there are errors.
ExitCode runEntry(ptx::Module &module, const std::string &name, uint64_t seed, const Options &o,
                  const std::vector<Argument> &arguments, ptx::Memory &memory, std::vector<ptx::Report> &reports, Cli &cli) {
  const ptx::Entry *entry = module.entry(name);
  std::string error;
  ptx::SourceError where;
  if (!entry) return cli.usage("there is no entry '" + printable(name, 60) + "'");
  if (!module.program(*entry, where))
    return cli.fail(ExitCode::Unsupported, "ADZ0511", printable(o.file, 80) + ":" + std::to_string(where.line) + ": " + where.message);
  std::vector<uint8_t> parameters;
  if (!packParameters(*entry, arguments, parameters, error)) return cli.usage(error);
  ptx::LaunchConfig config;
  config.grid = *extent(o.grid), config.block = *extent(o.block), config.dynamicShared = o.shared;
  config.check = !o.noCheck, config.maxInstructions = o.maxInstructions, config.seed = seed;
  auto report = ptx::launch(module, name, config, parameters, memory, where);
  if (!report) return cli.usage("cannot launch '" + printable(name, 60) + "': " + where.message);
  reports.push_back(std::move(*report));
  return reports.back().hasErrors() ? ExitCode::OutOfTolerance : ExitCode::Ok;
}

/// All entries on memory of their own, with the arguments as they were given.
ExitCode runSeed(ptx::Module &module, const std::vector<std::string> &entries, uint64_t seed, const Options &o,
                 std::vector<Argument> &arguments, std::vector<ptx::Report> &reports, Cli &cli) {
  ptx::Memory memory;
  std::string error;
  if (!placeArguments(arguments, memory, error)) return cli.usage(error);
  ExitCode code = ExitCode::Ok;
  for (const std::string &name : entries) {
    ExitCode one = runEntry(module, name, seed, o, arguments, memory, reports, cli);
    if (one != ExitCode::Ok) code = one;
    if (one != ExitCode::Ok && one != ExitCode::OutOfTolerance) break;
  }
  return code;
}

ExitCode finish(ExitCode code, const std::vector<std::string> &entries, const std::vector<ptx::Report> &reports,
                const std::vector<Argument> &arguments, const Options &o, Cli &cli) {
  Json all = Json::array();
  for (size_t i = 0; i < reports.size(); ++i)
    if (cli.json) all.push_back(toJson(entries[i], reports[i]));
    else print(entries[i], reports[i], o);
  if (cli.json) std::cout << Json{{"launches", all}}.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
  if (code == ExitCode::OutOfTolerance) {
    size_t count = 0;
    for (const ptx::Report &r : reports) count += r.findings.size();
    cli.fail(code, "ADZ0512", std::to_string(count) + " findings in '" + printable(o.file, 80) + "'");
  }
  std::string error;
  for (const Argument &a : arguments)
    if (!a.result.empty() && !writeNpy(a.result, a.array, error)) return cli.fail(ExitCode::ResourceLimit, "ADZ0803", error);
  return code;
}

ExitCode runEmulate(const Options &o, Cli &cli) {
  if (!extent(o.grid) || !extent(o.block)) return cli.usage("--grid and --block are up to three numbers, X,Y,Z");
  std::string error;
  auto file = MappedFile::open(o.file, error);
  if (!file) return cli.fail(ExitCode::InvalidModel, "ADZ0801", error);
  ptx::SourceError where;
  auto module = ptx::Module::load(std::string(reinterpret_cast<const char *>(file->bytes().data()), file->bytes().size()), where);
  if (!module)
    return cli.fail(ExitCode::InvalidModel, "ADZ0510", printable(o.file, 80) + ":" + std::to_string(where.line) + ": " + where.message);
  std::vector<Argument> given(o.arguments.size()), arguments;
  for (size_t i = 0; i < given.size(); ++i)
    if (!parseArgument(o.arguments[i], given[i], error)) return cli.usage("--arg " + std::to_string(i) + ": " + error);
  std::vector<std::string> entries = o.entries;
  if (entries.empty())
    for (const auto &e : module->source().entries) entries.push_back(e->name);
  if (o.entries.empty() && entries.size() != 1) return cli.usage("--entry says which of " + std::to_string(entries.size()) + " entries to run");
  std::vector<ptx::Report> reports;
  ExitCode code = ExitCode::Ok;
  for (uint64_t s = 0; s < o.seeds && code == ExitCode::Ok; ++s) {
    reports.clear(), arguments = given;
    code = runSeed(*module, entries, o.seed + s, o, arguments, reports, cli);
  }
  if (code != ExitCode::Ok && code != ExitCode::OutOfTolerance) return code;
  return finish(code, entries, reports, arguments, o, cli);
}

}  // namespace

void addEmulate(CLI::App &app, Cli &cli) {
  auto *verb = app.add_subcommand("emulate", "Run a PTX kernel on the CPU and check it");
  auto o = std::make_shared<Options>();
  verb->add_option("file", o->file, "The PTX text")->required();
  verb->add_option("--entry", o->entries, "Kernel to run; several run one after the other")->allow_extra_args(false);
  verb->add_option("--grid", o->grid, "Blocks: X,Y,Z")->capture_default_str();
  verb->add_option("--block", o->block, "Threads of a block: X,Y,Z")->capture_default_str();
  verb->add_option("--shared", o->shared, "Bytes of dynamic shared memory");
  verb->add_option("--arg", o->arguments, "A parameter's value, see below")->allow_extra_args(false);
  verb->add_option("--seed", o->seed, "Of the order in which warps run")->capture_default_str();
  verb->add_option("--seeds", o->seeds, "Run with this many seeds, up to the first with findings")
      ->check(CLI::Range(1, 1000000))->capture_default_str();
  verb->add_flag("--no-check", o->noCheck, "Leave out the checks of races and of initialisation");
  verb->add_flag("--counters", o->counters, "What each line cost");
  verb->add_option("--max-instructions", o->maxInstructions, "Warp instructions before it is given up")->capture_default_str();
  addCommon(*verb, cli);
  verb->footer(kFooter);
  verb->callback([o, &cli] { cli.action = [o, &cli] { return runEmulate(*o, cli); }; });
}

}  // namespace adze::cli
