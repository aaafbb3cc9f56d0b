#include "test/unit/Cuda/Kernels.h"

#include <catch2/catch.hpp>

#include <sstream>

using namespace mlir;

namespace adze::cuda::test {

Session::Session()
    : context([] {
        DialectRegistry registry;
        registerPtxDialects(registry);
        return registry;
      }(), MLIRContext::Threading::DISABLED),
      kit(UnknownLoc::get(&context), &context) {
  context.loadAllAvailableDialects();
  module = ModuleOp::create(kit.getLoc());
  kit.setInsertionPointToStart(module->getBody());
  kernels = kit.create<gpu::GPUModuleOp>("kernels");
  kit.setInsertionPointToStart(kernels.getBody());
}

Type Session::type(const std::string &name) {
  if (name == "f32") return kit.getF32Type();
  if (name == "f16") return kit.getF16Type();
  if (name == "bf16") return kit.getBF16Type();
  return kit.getIntegerType(name == "i8" ? 8 : 32);
}

template <typename T>
static void put(std::vector<uint8_t> &bytes, T x) {
  const auto *p = reinterpret_cast<const uint8_t *>(&x);
  bytes.insert(bytes.end(), p, p + sizeof x);
}

Buffer makeBuffer(Type type, size_t count, std::mt19937 &rng, bool positive) {
  Buffer b;
  std::normal_distribution<float> normal;
  std::uniform_int_distribution<int> integer(-128, 127);
  for (size_t i = 0; i < count; ++i) {
    if (type.isInteger(8)) {
      put(b.bytes, static_cast<int8_t>(integer(rng)));
      continue;
    }
    float x = normal(rng);
    if (positive) x = std::abs(x);
    if (type.isF32()) put(b.bytes, x);
    else if (type.isF16()) put(b.bytes, static_cast<_Float16>(x));
    else put(b.bytes, toBf16(x));
  }
  b.values = readBuffer(type, b.bytes);
  return b;
}

std::vector<double> readBuffer(Type type, const std::vector<uint8_t> &bytes) {
  size_t size = bytesOf(type);
  std::vector<double> out;
  for (size_t at = 0; at + size <= bytes.size(); at += size) {
    auto as = [&](auto x) {
      std::memcpy(&x, &bytes[at], sizeof x);
      return x;
    };
    if (type.isInteger(8)) out.push_back(as(int8_t{}));
    else if (type.isInteger(32)) out.push_back(as(int32_t{}));
    else if (type.isF32()) out.push_back(as(float{}));
    else if (type.isF16()) out.push_back(static_cast<double>(as(_Float16{})));
    else out.push_back(fromBf16(as(uint16_t{})));
  }
  return out;
}

/// Of one tensor sum of `k` products: each term is cut to a multiple of 2^-25 of
/// the largest, the sum to a float.
static double cutOf(int k) { return (k + 1) * std::exp2(-25) + std::exp2(-23); }

/// The result's rounding, with a bias and its own.
static double resultError(const MatmulSpec &spec) {
  return std::exp2(-24) + (spec.c.isF16() ? std::exp2(-11) : spec.c.isBF16() ? std::exp2(-8) : 0);
}

double errorBound(const HopperKernel &kernel, const MatmulSpec &spec) {
  if (kernel.multiply == Multiply::S8) return 0;
  // f32 factors are cut, not rounded.
  double factors = kernel.multiply == Multiply::TF32 ? 2 * std::exp2(-10) : 0;
  int k = static_cast<int>(32 / bytesOf(kernel.multiply));
  return factors * 1.01 + std::ceil(double(spec.k) / kernel.blockK()) * 4 * cutOf(k) + resultError(spec);
}

double errorBound(const MatmulKernel &kernel, const MatmulSpec &spec) {
  if (kernel.multiply == Multiply::S8) return 0;
  // A rounding to nearest for each product, and for each part that warps or blocks added.
  if (kernel.multiply == Multiply::F32)
    return (spec.k + kernel.sliceK + kernel.splitK) * std::exp2(-24) * 1.01 + resultError(spec);
  double factors = 0;
  auto isWide = [](Type t) { return t.isF32(); };
  double wide = isWide(spec.a) + isWide(spec.b);
  // Small parts are at most 2^-11: their product is left out, and they are cut to 11 bits.
  if (kernel.multiply == Multiply::TF32x3) factors = 5 * std::exp2(-22);
  else factors = wide * std::exp2(kernel.multiply == Multiply::BF16 ? -8 : -11) * 1.01;
  const MatrixInstruction &i = *findInstruction(kernel.multiply, kernel.chip);
  double products = kernel.multiply == Multiply::TF32x3 ? 3 : 1;
  double cut = cutOf(i.k);
  double tiles = std::ceil(double(spec.k) / kernel.blockK);
  double instructions = products * kernel.blockK / i.k;
  double sums = kernel.roundSums ? instructions * cut + tiles * std::exp2(-24) : tiles * instructions * cut;
  // Of a tile at most so many parts are added, which begin and end within a step.
  double parts = kernel.streamBlocks ? std::min<double>(kernel.streamBlocks, tiles) : kernel.splitK;
  sums += (parts - 1) * std::exp2(-24);
  return (factors + sums) * 1.01 + resultError(spec);
}

/// Index of element (batch, row, k) in a factor's buffer; -1: padding.
static int64_t indexOf(const FactorSpec &f, int64_t rows, int64_t depth, int64_t batch, int64_t row,
                       int64_t k) {
  int64_t start = batch * rows * depth;
  if (f.layout == FactorLayout::AlongK) return start + row * depth + k;
  if (f.layout == FactorLayout::AlongRows) return start + k * rows + row;
  if (f.layout == FactorLayout::Panels) return start + (row / f.panel * depth + k) * f.panel + row % f.panel;
  const ConvolutionShape &s = f.convolution;
  int64_t channels = s.channels.constant, group = s.groupChannels.constant;
  int64_t x = row % s.outWidth.constant, line = row / s.outWidth.constant;
  int64_t y = line % s.outHeight.constant, image = line / s.outHeight.constant;
  int64_t tap = k / group;
  int64_t iy = y * s.strideY - s.padTop.constant + tap / s.kernelWidth * s.dilationY;
  int64_t ix = x * s.strideX - s.padLeft.constant + tap % s.kernelWidth * s.dilationX;
  if (iy < 0 || ix < 0 || iy >= s.height.constant || ix >= s.width.constant) return -1;
  return ((image * s.height.constant + iy) * s.width.constant + ix) * channels + batch * group + k % group;
}

static size_t countOf(const FactorSpec &f, int64_t batch, int64_t rows, int64_t depth) {
  if (f.layout == FactorLayout::Panels) return batch * ((rows + f.panel - 1) / f.panel) * f.panel * depth;
  if (f.layout != FactorLayout::Convolution) return batch * rows * depth;
  const ConvolutionShape &s = f.convolution;
  return rows / (s.outHeight.constant * s.outWidth.constant) * s.height.constant * s.width.constant *
         s.channels.constant;
}

static void add(ptx::SiteCounters &to, const ptx::SiteCounters &c) {
  to.executions += c.executions, to.requests += c.requests, to.sectors += c.sectors, to.bytes += c.bytes;
  to.accesses += c.accesses, to.wavefronts += c.wavefronts, to.flops += c.flops;
}

static void sortCounters(Run &run, const ptx::Report &report) {
  std::vector<std::string> lines;
  std::istringstream text(run.ptx);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  run.total = report.total;
  for (const auto &[number, counters] : report.lines) {
    const std::string &line = lines.at(number - 1);
    auto has = [&](const char *word) { return line.find(word) != std::string::npos; };
    if (has("cp.async") || has("ld.global")) add(run.copies, counters);
    if (has("cp.async") || has("ldmatrix") || has(".shared.")) add(run.shared, counters);
    if (has("st.global")) add(run.stores, counters);
  }
}

static std::unique_ptr<ptx::Module> compileKernel(Run &run, Session &session, const std::string &chip) {
  auto text = emitPtx(session.kernels, {chip, ptxFeatures(chip)}, run.error);
  if (!text) return nullptr;
  run.ptx = *text;
  ptx::SourceError where;
  auto module = ptx::Module::load(run.ptx, where);
  run.error = where.message;
  return module;
}

/// False when anything was found.
static bool launchKernel(Run &run, ptx::Module &module, ptx::Memory &memory, const ptx::LaunchConfig &config,
                         const std::vector<uint8_t> &parameters) {
  ptx::SourceError where;
  auto report = ptx::launch(module, "product", config, parameters, memory, where);
  run.error += where.message;
  if (!report) return false;
  for (const ptx::Finding &f : report->findings)
    run.error += std::string(ptx::findingInfo(f.kind).name) + ": " + f.message + " at " + f.instruction + "\n";
  if (!report->completed) run.error += "not completed\n";
  if (config.seed == 0) sortCounters(run, *report);
  return run.error.empty();
}

namespace {

/// A product in the emulator: buffers in, findings and the result out.
struct Trial {
  Run run;
  Session session;
  MatmulSpec spec;
  Buffer a, b, bias;
  std::vector<uint8_t> out;
  std::mt19937 rng{7};

  Trial(const MatmulSpec &wanted, const std::string &types, bool positive) : spec(wanted) {
    std::istringstream names(types);
    std::string na, nb, nc;
    names >> na >> nb >> nc;
    spec.a = session.type(na), spec.b = session.type(nb), spec.c = session.type(nc);
    a = makeBuffer(spec.a, countOf(spec.aFactor, spec.batch, spec.m, spec.k), rng, positive);
    b = makeBuffer(spec.b, countOf(spec.bFactor, spec.batch, spec.n, spec.k), rng, positive);
    bias = makeBuffer(session.type("f32"), spec.n, rng);
    out.resize(spec.splits * spec.batch * spec.m * spec.n * bytesOf(spec.c));
  }

  std::unique_ptr<ptx::Module> compile(const std::string &chip) { return compileKernel(run, session, chip); }

  bool launch(ptx::Module &module, ptx::Memory &memory, const ptx::LaunchConfig &config,
              const std::vector<uint8_t> &parameters) {
    return launchKernel(run, module, memory, config, parameters);
  }

  /// f32 results that the kernel left in parts.
  void addSplits() {
    auto *sums = reinterpret_cast<float *>(out.data());
    for (int64_t b = 0, one = spec.m * spec.n; b < spec.batch; ++b)
      for (int64_t i = 0; i < one; ++i) {
        float sum = 0;
        for (int64_t s = 0; s < spec.splits; ++s) sum += sums[(b * spec.splits + s) * one + i];
        sums[b * one + i] = sum;
      }
  }

  void compare(double bound, double leastError);
};

void Trial::compare(double bound, double leastError) {
  std::vector<double> got = readBuffer(spec.c, out);
  for (int64_t g = 0; g < spec.batch; ++g)
    for (int64_t i = 0; i < spec.m; ++i)
      for (int64_t j = 0; j < spec.n; ++j) {
        double sum = 0, size = 0, ends = 0;
        for (int64_t k = 0; k < spec.k; ++k) {
          int64_t ia = indexOf(spec.aFactor, spec.m, spec.k, g, i, k), ib = indexOf(spec.bFactor, spec.n, spec.k, g, j, k);
          double x = ia < 0 ? 0 : a.values[ia], y = b.values[ib];
          sum += x * y, size += std::abs(x * y), ends += std::abs(x) + std::abs(y);
        }
        if (spec.bias) sum += bias.values[j], size += std::abs(bias.values[j]);
        if (spec.relu) sum = std::max(sum, 0.0);
        double error = std::abs(got[(g * spec.m + i) * spec.n + j] - sum);
        if (error == 0) continue;
        double most = bound * size + leastError * ends;
        // Halves below 2^-14 err by 2^-25, whatever they are.
        if (spec.c.isF16()) most += std::exp2(-25);
        if (!(error / most <= run.worst)) run.worst = error / most;
        if (size > 0) run.largest = std::max(run.largest, error / size);
      }
}

}  // namespace

/// A product whose factors the kernel addresses.
static void launchProduct(Trial &t, gpu::GPUFuncOp function, const std::string &chip, int64_t blocks, int64_t threads,
                          int64_t splitBytes, uint64_t seeds) {
  auto module = t.compile(chip);
  const MatmulSpec &spec = t.spec;
  std::vector<uint32_t> counters(spec.batch * spec.m * spec.n + blocks);
  std::vector<uint8_t> partial(std::max<int64_t>(splitBytes, 4)), first;
  ptx::LaunchConfig config;
  config.grid.x = blocks, config.block.x = threads;
  config.dynamicShared = function->getAttrOfType<IntegerAttr>("adze.shared_bytes").getInt();
  for (uint64_t seed = 0; module && seed < seeds; ++seed) {
    ptx::Memory memory;
    uint64_t p[6] = {memory.map(t.a.bytes.data(), t.a.bytes.size(), "a", true, false),
                     memory.map(t.b.bytes.data(), t.b.bytes.size(), "b", true, false),
                     memory.map(t.out.data(), t.out.size(), "c", false),
                     memory.map(t.bias.bytes.data(), t.bias.bytes.size(), "bias", true, false),
                     memory.map(partial.data(), partial.size(), "partial", false),
                     memory.map(counters.data(), counters.size() * 4, "counters", true)};
    std::vector<uint8_t> parameters;
    for (uint64_t address : p) put(parameters, address);
    for (int64_t n : {spec.m, spec.n, spec.k}) put(parameters, static_cast<int32_t>(n));
    config.seed = seed;
    if (!t.launch(*module, memory, config, parameters)) return;
    for (uint32_t count : counters)
      if (count) t.run.error += "a counter is left\n";
    if (seed > 0 && t.out != first) t.run.error += "another order of warps gives other bits\n";
    first = t.out;
  }
}

Run runMatmul(const MatmulKernel &kernel, const MatmulSpec &wanted, const std::string &types, uint64_t seeds,
              bool positive) {
  Trial t(wanted, types, positive);
  auto function = buildMatmulFunction(t.session.kit, "product", kernel, t.spec, t.run.error);
  if (!function) return t.run;
  launchProduct(t, function, "sm_" + std::to_string(kernel.chip), blockCount(kernel, t.spec.batch, t.spec.m, t.spec.n),
                threads(kernel), splitBytes(kernel, t.spec.batch, t.spec.m, t.spec.n), seeds);
  if (t.run.error.empty())
    t.compare(errorBound(kernel, t.spec), kernel.multiply == Multiply::F16 ? std::exp2(-25) : 0);
  return t.run;
}

Run runMatmul(const HopperSplitKernel &kernel, const MatmulSpec &wanted, uint64_t seeds, bool positive) {
  MatmulSpec spec = wanted;
  spec.splits = kernel.splitK;
  Trial t(spec, "f32 f32 f32", positive);
  auto function = buildMatmulFunction(t.session.kit, "product", kernel, t.spec, t.run.error);
  if (!function) return t.run;
  int64_t threads = function.getKnownBlockSizeAttr()[0];
  launchProduct(t, function, "sm_90a", blockCount(kernel, t.spec.batch, t.spec.m, t.spec.n), threads, 0, seeds);
  t.addSplits();
  MatmulKernel bound;
  bound.multiply = Multiply::TF32x3, bound.roundSums = true, bound.splitK = kernel.splitK;
  if (t.run.error.empty()) t.compare(errorBound(bound, t.spec), 0);
  return t.run;
}

/// A dense tensor's map, as the host makes it; outermost dimension first.
static void putMap(std::vector<uint8_t> &parameters, uint64_t address, int64_t elementBytes,
                   std::vector<int64_t> extents, std::vector<int64_t> box, std::string &error) {
  ptx::TensorMap map;
  map.address = address, map.swizzle = 128;
  map.rank = static_cast<uint8_t>(extents.size()), map.elementBytes = static_cast<uint8_t>(elementBytes);
  uint64_t stride = elementBytes;
  for (size_t i = 0, last = extents.size() - 1; i <= last; ++i) {
    map.extents[i] = extents[last - i], map.box[i] = box[last - i], map.strides[i] = stride;
    stride *= map.extents[i];
  }
  auto bytes = ptx::encodeTensorMap(map, error);
  // Parameters of a kernel are aligned as their types are.
  parameters.resize((parameters.size() + 63) / 64 * 64);
  if (bytes) parameters.insert(parameters.end(), bytes->begin(), bytes->end());
}

static void putMap(std::vector<uint8_t> &parameters, const HopperKernel &kernel, bool isA, bool alongK,
                   const MatmulSpec &spec, uint64_t address, std::string &error) {
  TensorMapShape shape = tensorMap(kernel, isA, alongK, spec.batch, isA ? spec.m : spec.n, spec.k);
  putMap(parameters, address, bytesOf(isA ? spec.a : spec.b), {shape.extents.begin(), shape.extents.end()},
         {shape.box.begin(), shape.box.end()}, error);
}

Run runMatmul(const HopperKernel &kernel, const MatmulSpec &wanted, const std::string &types, uint32_t blocks,
              uint64_t seeds) {
  Trial t(wanted, types, false);
  const MatmulSpec &spec = t.spec;
  auto function = buildMatmulFunction(t.session.kit, "product", kernel, spec, t.run.error);
  if (!function) return t.run;
  auto module = t.compile("sm_90a");
  ptx::LaunchConfig config;
  config.grid.x = blocks;
  config.block.x = threads(kernel);
  config.dynamicShared = function->getAttrOfType<IntegerAttr>("adze.shared_bytes").getInt();
  for (uint64_t seed = 0; module && seed < seeds; ++seed) {
    ptx::Memory memory;
    uint64_t a = memory.map(t.a.bytes.data(), t.a.bytes.size(), "a", true, false);
    uint64_t b = memory.map(t.b.bytes.data(), t.b.bytes.size(), "b", true, false);
    std::vector<uint8_t> parameters;
    if (kernel.maps == 1) put(parameters, a);
    else putMap(parameters, kernel, true, spec.aFactor.layout == FactorLayout::AlongK, spec, a, t.run.error);
    putMap(parameters, kernel, false, spec.bFactor.layout == FactorLayout::AlongK, spec, b, t.run.error);
    put(parameters, memory.map(t.out.data(), t.out.size(), "c", false));
    put(parameters, memory.map(t.bias.bytes.data(), t.bias.bytes.size(), "bias", true, false));
    for (int64_t n : {spec.m, spec.n, spec.k}) put(parameters, static_cast<int32_t>(n));
    config.seed = seed;
    if (!t.run.error.empty() || !t.launch(*module, memory, config, parameters)) return t.run;
  }
  if (t.run.error.empty()) t.compare(errorBound(kernel, spec), 0);
  return t.run;
}

namespace {

/// Random weights in groups, packed as kernels read them.
struct Int4Weights {
  std::vector<uint8_t> packed, zeros;
  std::vector<int> numbers, zeroNumbers;
  int64_t groups;

  Int4Weights(const Int4Spec &s, std::mt19937 &rng)
      : numbers(s.n * s.k), groups((s.k + s.group - 1) / s.group) {
    std::uniform_int_distribution<int> any(0, 15);
    auto number = [&](int bits) { return s.isSigned && bits > 7 ? bits - 16 : bits; };
    packed.resize(s.n * s.k / 2), zeros.resize(s.n * ((groups + 1) / 2));
    zeroNumbers.resize(s.n * groups, s.isSigned ? 0 : 8);
    auto put = [&](std::vector<uint8_t> &to, int64_t rowBytes, int64_t row, int64_t i) {
      int bits = any(rng);
      to[row * rowBytes + i / 2] |= bits << (i % 2 * 4);
      return number(bits);
    };
    for (int64_t n = 0; n < s.n; ++n) {
      for (int64_t k = 0; k < s.k; ++k) numbers[n * s.k + k] = put(packed, s.k / 2, n, k);
      for (int64_t g = 0; s.zeroPoints && g < groups; ++g)
        zeroNumbers[n * groups + g] = put(zeros, (groups + 1) / 2, n, g);
    }
  }
};

}  // namespace

/// Relative to sum |x||w|. The integers are exact factors, but f32 is two tf32, of which the
/// second is cut; sums of a run of 32 are scaled and added in f32, those of warps one by one.
static double errorBound(const Int4Kernel &kernel, const Int4Spec &spec) {
  bool isWide = spec.x.isF32();
  double instructions = isWide ? 2 * 32 / 8 : 32 / 16;
  double runs = std::ceil(double(spec.k) / 32 / 4 / kernel.warps) * 4;
  MatmulSpec result;
  result.c = spec.c;
  return (isWide ? std::exp2(-21) : 0) + instructions * cutOf(isWide ? 8 : 16) * 1.01 +
         (runs + kernel.warps) * std::exp2(-24) + resultError(result);
}

Run runMatmul(const Int4Kernel &kernel, const Int4Spec &wanted, const std::string &types, uint64_t seeds) {
  Run run;
  Session session;
  Int4Spec spec = wanted;
  std::istringstream names(types);
  std::string nx, nc;
  names >> nx >> nc;
  spec.x = session.type(nx), spec.c = session.type(nc);
  auto function = buildMatmulFunction(session.kit, "product", kernel, spec, run.error);
  if (!function) return run;
  std::mt19937 rng(7);
  Int4Weights w(spec, rng);
  Buffer x = makeBuffer(spec.x, spec.m * spec.k, rng), scales = makeBuffer(spec.x, spec.n * w.groups, rng);
  Buffer bias = makeBuffer(session.type("f32"), spec.n, rng);
  std::vector<uint8_t> out(spec.m * spec.n * bytesOf(spec.c));
  auto module = compileKernel(run, session, "sm_" + std::to_string(kernel.chip));
  ptx::LaunchConfig config;
  config.grid.x = blockCount(kernel, spec.m, spec.n), config.block.x = threads(kernel);
  config.dynamicShared = sharedBytes(kernel);
  for (uint64_t seed = 0; module && seed < seeds; ++seed) {
    ptx::Memory memory;
    std::vector<uint8_t> parameters;
    auto input = [&](std::vector<uint8_t> &bytes, const char *name) {
      put(parameters, memory.map(bytes.data(), bytes.size(), name, true, false));
    };
    input(x.bytes, "x"), input(w.packed, "weights"), input(scales.bytes, "scales"), input(w.zeros, "zeros");
    put(parameters, memory.map(out.data(), out.size(), "c", false));
    input(bias.bytes, "bias");
    put(parameters, static_cast<int32_t>(spec.m));
    config.seed = seed;
    if (!launchKernel(run, *module, memory, config, parameters)) return run;
  }
  std::vector<double> got = readBuffer(spec.c, out);
  for (int64_t i = 0; i < spec.m; ++i)
    for (int64_t j = 0; j < spec.n; ++j) {
      double sum = 0, size = 0;
      for (int64_t k = 0; k < spec.k; ++k) {
        int64_t g = j * w.groups + k / spec.group;
        double term = x.values[i * spec.k + k] * scales.values[g] * (w.numbers[j * spec.k + k] - w.zeroNumbers[g]);
        sum += term, size += std::abs(term);
      }
      if (spec.bias) sum += bias.values[j], size += std::abs(bias.values[j]);
      if (spec.relu) sum = std::max(sum, 0.0);
      double error = std::abs(got[i * spec.n + j] - sum), most = errorBound(kernel, spec) * size;
      if (spec.c.isF16()) most += std::exp2(-25);
      if (error > 0 && !(error / most <= run.worst)) run.worst = error / most;
    }
  return run;
}

/// Of the sum of p |v| / sum p of an element, by stages: scores, powers, their rounding as factors,
/// the sums over keys.
static double attentionError(const AttentionKernel &kernel, const AttentionSpec &spec, double scoreSize,
                             double mostScore) {
  MatmulKernel product;
  product.multiply = kernel.multiply, product.blockK = kernel.blockN;
  MatmulSpec s;
  s.a = s.b = spec.type, s.c = Float32Type::get(spec.type.getContext());
  s.k = (spec.depth + 31) / 32 * 32;
  double scores = errorBound(product, s) * scoreSize;
  // ex2.approx is right to two ulp; its argument is rounded twice, near the score's size.
  double powers = scores + mostScore * std::exp2(-22) + std::exp2(-22);
  double rounding = kernel.multiply == Multiply::F16 ? std::exp2(-11) : kernel.multiply == Multiply::BF16 ? std::exp2(-8) : 0;
  s.k = spec.keys;
  double tiles = std::ceil(double(spec.keys) / kernel.blockN);
  double result = spec.out.isF16() ? std::exp2(-11) : spec.out.isBF16() ? std::exp2(-8) : 0;
  // Numerator and denominator both have the powers' errors; each tile's factor is one more power.
  return 2 * powers * 1.01 + rounding + errorBound(product, s) + 4 * tiles * (std::exp2(-22) + mostScore * std::exp2(-22)) +
         spec.keys * std::exp2(-24) + result + std::exp2(-22);
}

namespace {

/// Attention in the emulator.
struct AttentionTrial {
  Run run;
  Session session;
  AttentionSpec spec;
  int64_t offset;
  Buffer q, k, v, mask;
  std::vector<uint8_t> out;

  AttentionTrial(const AttentionSpec &wanted, const std::string &type, int64_t offset) : spec(wanted), offset(offset) {
    spec.type = spec.out = session.type(type);
    std::mt19937 rng(11);
    int64_t heads = spec.batch * spec.heads, keyHeads = spec.batch * spec.keyHeads;
    q = makeBuffer(spec.type, heads * spec.queries * spec.depth, rng);
    k = makeBuffer(spec.type, keyHeads * spec.keys * spec.depth, rng);
    v = makeBuffer(spec.type, keyHeads * spec.keys * spec.valueDepth, rng);
    mask = makeBuffer(session.type("f32"), spec.queries * spec.keys, rng);
    out.resize(heads * spec.queries * spec.valueDepth * bytesOf(spec.out));
  }

  template <typename Factors>
  bool launch(const std::string &chip, gpu::GPUFuncOp function, int64_t blocks, int64_t threads, uint64_t seeds,
              Factors putFactors) {
    auto module = compileKernel(run, session, chip);
    ptx::LaunchConfig config;
    config.grid.x = blocks, config.block.x = threads;
    config.dynamicShared = function->getAttrOfType<IntegerAttr>("adze.shared_bytes").getInt();
    for (uint64_t seed = 0; module && seed < seeds; ++seed) {
      ptx::Memory memory;
      std::vector<uint8_t> parameters;
      putFactors(memory, parameters);
      put(parameters, memory.map(out.data(), out.size(), "out", false));
      put(parameters, memory.map(mask.bytes.data(), mask.bytes.size(), "mask", true, false));
      for (int64_t n : {spec.queries, spec.keys, offset}) put(parameters, static_cast<int32_t>(n));
      config.seed = seed;
      if (!run.error.empty() || !launchKernel(run, *module, memory, config, parameters)) return false;
    }
    return run.error.empty();
  }

  void compare(const AttentionKernel &kernel);
};

void AttentionTrial::compare(const AttentionKernel &kernel) {
  std::vector<double> got = readBuffer(spec.out, out);
  int64_t heads = spec.batch * spec.heads;
  double scale = 1 / std::sqrt(double(spec.depth));
  for (int64_t h = 0; h < heads; ++h)
    for (int64_t i = 0; i < spec.queries; ++i) {
      int64_t kh = h / (spec.heads / spec.keyHeads);
      std::vector<double> s(spec.keys);
      double most = -INFINITY, size = 0, total = 0;
      for (int64_t j = 0; j < spec.keys; ++j) {
        double sum = 0, parts = 0;
        for (int64_t d = 0; d < spec.depth; ++d) {
          double x = q.values[(h * spec.queries + i) * spec.depth + d] * k.values[(kh * spec.keys + j) * spec.depth + d];
          sum += x, parts += std::abs(x);
        }
        s[j] = sum * scale + (spec.mask ? mask.values[i * spec.keys + j] : 0);
        size = std::max(size, parts * scale + (spec.mask ? std::abs(s[j]) : 0));
        if (spec.causal && j > i + offset) s[j] = -INFINITY;
        most = std::max(most, s[j]);
      }
      for (double &x : s) x = std::exp(x - most), total += x;
      double bound = attentionError(kernel, spec, size, size);
      for (int64_t c = 0; c < spec.valueDepth; ++c) {
        double sum = 0, parts = 0, all = 0;
        for (int64_t j = 0; j < spec.keys; ++j) {
          double x = v.values[(kh * spec.keys + j) * spec.valueDepth + c];
          sum += s[j] * x, parts += s[j] * std::abs(x), all += std::abs(x);
        }
        double value = got[(h * spec.queries + i) * spec.valueDepth + c];
        if (spec.keys == 0 || (spec.clears && i % 3 == 0)) {
          if (value != 0) run.error += "not 0\n";
          continue;
        }
        if (most == -INFINITY) {
          if (!std::isnan(value)) run.error += "not NaN\n";
          continue;
        }
        double error = std::abs(value - sum / total);
        // Powers below 2^-14 as halves.
        double least = spec.type.isF16() ? std::exp2(-25) * all / total : 0;
        double ratio = error / (bound * parts / total + least);
        if (!(ratio <= run.worst)) run.worst = ratio;
        run.largest = std::max(run.largest, error);
      }
    }
}

}  // namespace

Run runAttention(const AttentionKernel &kernel, const AttentionSpec &wanted, const std::string &type, int64_t offset,
                 uint64_t seeds) {
  AttentionTrial t(wanted, type, offset);
  auto function = buildAttentionFunction(t.session.kit, "product", kernel, t.spec, t.run.error);
  if (!function) return t.run;
  auto putFactors = [&](ptx::Memory &memory, std::vector<uint8_t> &parameters) {
    for (auto [buffer, name] : {std::pair{&t.q, "q"}, {&t.k, "k"}, {&t.v, "v"}})
      put(parameters, memory.map(buffer->bytes.data(), buffer->bytes.size(), name, true, false));
  };
  if (t.launch("sm_" + std::to_string(kernel.chip), function, blockCount(kernel, t.spec.batch * t.spec.heads, t.spec.queries),
               threads(kernel), seeds, putFactors))
    t.compare(kernel);
  return t.run;
}

Run runAttention(const HopperAttentionKernel &kernel, const AttentionSpec &wanted, const std::string &type, int64_t offset,
                 uint64_t seeds) {
  AttentionTrial t(wanted, type, offset);
  auto function = buildAttentionFunction(t.session.kit, "product", kernel, t.spec, t.run.error);
  if (!function) return t.run;
  HopperAttentionBoxes boxes = tensorBoxes(kernel);
  auto putFactors = [&](ptx::Memory &memory, std::vector<uint8_t> &parameters) {
    auto add = [&](Buffer &b, const char *name, int64_t heads, int64_t rows, int64_t depth, const std::array<int64_t, 4> &box) {
      putMap(parameters, memory.map(b.bytes.data(), b.bytes.size(), name, true, false), 2,
             {t.spec.batch, heads, rows, depth}, {box.begin(), box.end()}, t.run.error);
    };
    add(t.q, "q", t.spec.heads, t.spec.queries, t.spec.depth, boxes.q);
    add(t.k, "k", t.spec.keyHeads, t.spec.keys, t.spec.depth, boxes.k);
    add(t.v, "v", t.spec.keyHeads, t.spec.keys, t.spec.valueDepth, boxes.v);
  };
  AttentionKernel bound;
  bound.multiply = kernel.multiply, bound.blockN = kernel.blockN;
  if (t.launch("sm_90a", function, blockCount(kernel, t.spec.batch * t.spec.heads, t.spec.queries), threads(kernel), seeds,
               putFactors))
    t.compare(bound);
  return t.run;
}

void checkResult(const Run &run) {
  INFO(run.ptx);
  CHECK(run.error == "");
  CHECK(run.worst <= 1);
}

void checkRun(const Run &run) {
  checkResult(run);
  CHECK(run.shared.wavefronts == run.shared.accesses);
}

}  // namespace adze::cuda::test
