#include "test/unit/Cuda/Kernels.h"

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

double errorBound(const MatmulKernel &kernel, const MatmulSpec &spec) {
  if (kernel.multiply == Multiply::S8) return 0;
  double factors = 0;
  auto isWide = [](Type t) { return t.isF32(); };
  double wide = isWide(spec.a) + isWide(spec.b);
  if (kernel.multiply == Multiply::TF32x3) factors = 3 * std::exp2(-22);  // small parts' product and rounding
  else factors = wide * std::exp2(kernel.multiply == Multiply::BF16 ? -8 : -11) * 1.01;
  const MatrixInstruction &i = *findInstruction(kernel.multiply, kernel.chip);
  double products = kernel.multiply == Multiply::TF32x3 ? 3 : 1;
  double cut = (i.k + 1) * std::exp2(-25) + std::exp2(-23);
  double tiles = std::ceil(double(spec.k) / kernel.blockK);
  double instructions = products * kernel.blockK / i.k;
  double sums = kernel.roundSums ? instructions * cut + tiles * std::exp2(-24) : tiles * instructions * cut;
  sums += (kernel.splitK - 1) * std::exp2(-24);
  // The result is rounded, with a bias and its own rounding.
  double result = std::exp2(-24) + (spec.c.isF16() ? std::exp2(-11) : spec.c.isBF16() ? std::exp2(-8) : 0);
  return (factors + sums) * 1.01 + result;
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

Run runMatmul(const MatmulKernel &kernel, MatmulSpec spec, const std::string &types, uint64_t seeds,
              bool positive) {
  Run run;
  Session session;
  std::istringstream names(types);
  std::string a, b, c;
  names >> a >> b >> c;
  spec.a = session.type(a), spec.b = session.type(b), spec.c = session.type(c);
  auto function = buildMatmulFunction(session.kit, "product", kernel, spec, run.error);
  if (!function) return run;
  std::string chip = "sm_" + std::to_string(kernel.chip);
  auto text = emitPtx(session.kernels, {chip, ptxFeatures(chip)}, run.error);
  if (!text) return run;
  run.ptx = *text;

  std::mt19937 rng(7);
  Buffer ba = makeBuffer(spec.a, countOf(spec.aFactor, spec.batch, spec.m, spec.k), rng, positive);
  Buffer bb = makeBuffer(spec.b, countOf(spec.bFactor, spec.batch, spec.n, spec.k), rng, positive);
  Buffer bias = makeBuffer(session.type("f32"), spec.n, rng);
  size_t results = spec.batch * spec.m * spec.n;
  std::vector<uint8_t> out(results * bytesOf(spec.c));
  std::vector<uint32_t> counters(spec.batch * spec.m * spec.n + 1);
  std::vector<uint8_t> partial(std::max<int64_t>(splitBytes(kernel, spec.batch, spec.m, spec.n), 4));
  ptx::SourceError where;
  auto module = ptx::Module::load(run.ptx, where);
  for (uint64_t seed = 0; module && seed < seeds; ++seed) {
    ptx::Memory memory;
    uint64_t p[6] = {memory.map(ba.bytes.data(), ba.bytes.size(), "a", true, false),
                     memory.map(bb.bytes.data(), bb.bytes.size(), "b", true, false),
                     memory.map(out.data(), out.size(), "c", false),
                     memory.map(bias.bytes.data(), bias.bytes.size(), "bias", true, false),
                     memory.map(partial.data(), partial.size(), "partial", false),
                     memory.map(counters.data(), counters.size() * 4, "counters", true)};
    std::vector<uint8_t> parameters;
    for (uint64_t address : p) put(parameters, address);
    for (int64_t n : {spec.m, spec.n, spec.k}) put(parameters, static_cast<int32_t>(n));
    ptx::LaunchConfig config;
    config.grid.x = blockCount(kernel, spec.batch, spec.m, spec.n);
    config.block.x = threads(kernel);
    config.dynamicShared = function->getAttrOfType<IntegerAttr>("adze.shared_bytes").getInt();
    config.seed = seed;
    auto report = ptx::launch(*module, "product", config, parameters, memory, where);
    if (!report) break;
    for (const ptx::Finding &f : report->findings)
      run.error += std::string(ptx::findingInfo(f.kind).name) + ": " + f.message + " at " + f.instruction + "\n";
    if (!report->completed) run.error += "not completed\n";
    for (uint32_t count : counters)
      if (count) run.error += "a counter is left\n";
    if (!run.error.empty()) return run;
    if (seed == 0) sortCounters(run, *report);
  }
  run.error += where.message;
  if (!run.error.empty()) return run;

  std::vector<double> got = readBuffer(spec.c, out);
  double bound = errorBound(kernel, spec);
  for (int64_t g = 0; g < spec.batch; ++g)
    for (int64_t i = 0; i < spec.m; ++i)
      for (int64_t j = 0; j < spec.n; ++j) {
        double sum = 0, size = 0, ends = 0;
        for (int64_t k = 0; k < spec.k; ++k) {
          int64_t ia = indexOf(spec.aFactor, spec.m, spec.k, g, i, k), ib = indexOf(spec.bFactor, spec.n, spec.k, g, j, k);
          double x = ia < 0 ? 0 : ba.values[ia], y = bb.values[ib];
          sum += x * y, size += std::abs(x * y), ends += std::abs(x) + std::abs(y);
        }
        if (spec.bias) sum += bias.values[j], size += std::abs(bias.values[j]);
        if (spec.relu) sum = std::max(sum, 0.0);
        double error = std::abs(got[(g * spec.m + i) * spec.n + j] - sum);
        // Halves below 2^-14 err by 2^-25, whatever they are.
        double least = kernel.multiply == Multiply::F16 ? ends * std::exp2(-25) : 0;
        if (spec.c.isF16()) least += std::exp2(-25);
        if (error == 0) continue;
        if (!(error / (bound * size + least) <= run.worst)) run.worst = error / (bound * size + least);
        if (size > 0) run.largest = std::max(run.largest, error / size);
      }
  return run;
}

}  // namespace adze::cuda::test
