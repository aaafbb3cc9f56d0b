// Writes one tile kernel as MLIR or PTX, for tests and measurements. The first
// line of the PTX, a comment, is JSON that says how to launch it.
#include "targets/cuda/Ptx.h"
#include "targets/cuda/tile/Standalone.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/JSON.h"

using namespace mlir;
using namespace adze::cuda;
namespace cl = llvm::cl;

namespace {

cl::opt<std::string> emit("emit", cl::desc("mlir or ptx"), cl::init("ptx"));
cl::opt<Multiply> multiply(
    "multiply", cl::desc("how products are formed"), cl::init(Multiply::TF32x3),
    cl::values(clEnumValN(Multiply::F16, "f16", ""), clEnumValN(Multiply::BF16, "bf16", ""),
               clEnumValN(Multiply::TF32, "tf32", ""), clEnumValN(Multiply::TF32x3, "tf32x3", ""),
               clEnumValN(Multiply::S8, "s8", ""), clEnumValN(Multiply::F32, "f32", "")));
cl::opt<std::string> chip("chip", cl::desc("sm_70, sm_75, sm_80, sm_90a …"), cl::init("sm_80"));
cl::list<int64_t> shape("shape", cl::desc("m,n,k"), cl::CommaSeparated);
cl::list<int64_t> convolution(
    "conv",
    cl::desc("A is a convolution's input: images,height,width,channels,kernel,stride,pad; of "
             "--shape only n counts"),
    cl::CommaSeparated);
cl::opt<int64_t> batch("batch", cl::init(1));
cl::list<int64_t> attention("attention", cl::desc("batch,heads,key heads,queries,keys,depth"),
                            cl::CommaSeparated);
cl::opt<bool> causal("causal");
cl::opt<bool> turns("turns", cl::desc("warpgroups take turns at products"), cl::init(true));
cl::opt<bool> mask("mask", cl::desc("add one to scores"));
cl::list<int64_t> block("block", cl::desc("tile of a block: m,n,k; queries,keys"),
                        cl::CommaSeparated);
cl::list<int64_t> warp("warp", cl::desc("tile of a warp: m,n"), cl::CommaSeparated);
cl::opt<int64_t> stages("stages", cl::init(3));
cl::opt<int64_t> split("split", cl::desc("blocks that share k"), cl::init(1));
cl::opt<int64_t> stream("stream", cl::desc("blocks that share all tiles' steps"), cl::init(0));
cl::list<int64_t> int4("int4", cl::desc("m,n,k,group: 4-bit weights; of a block rows,warps"),
                       cl::CommaSeparated);
cl::opt<bool> zeroPoints("zero-points", cl::desc("of 4-bit weights, one a group"));
cl::opt<bool> isSigned("signed", cl::desc("4-bit weights are -8 to 7"));
cl::opt<int64_t> slices("slices", cl::desc("warps that share k"), cl::init(1));
cl::opt<int64_t> raster("raster", cl::desc("rows of tiles taken together"), cl::init(8));
cl::opt<bool> hopper("wgmma", cl::desc("the kernel for sm_90a that loads through tensor maps"));
cl::opt<int64_t> maps("maps", cl::desc("its factors that have maps: 2, or 1, B"), cl::init(2));
cl::opt<bool> roundSums("round-sums", cl::desc("round partial sums to nearest"));
cl::opt<bool> dynamic("dynamic", cl::desc("m, n, k are arguments"));
cl::opt<int64_t> divisor("divisor", cl::desc("of m, n, k where dynamic"), cl::init(1));
cl::list<std::string> types("types", cl::desc("of A, B, C: f32, f16, bf16, i8, i32"),
                            cl::CommaSeparated);
cl::opt<std::string> aLayout("a", cl::desc("along-k (m rows of k) or along-m"),
                             cl::init("along-k"));
cl::opt<std::string> bLayout("b", cl::desc("along-k, along-n or panels of N"), cl::init("along-n"));
cl::opt<bool> addBias("bias", cl::desc("add a vector of n"));
cl::opt<bool> clamp("relu", cl::desc("clamp at zero"));

Type typeOf(Builder &b, StringRef name) {
  if (name == "f16") return b.getF16Type();
  if (name == "bf16") return b.getBF16Type();
  if (name == "i8") return b.getIntegerType(8);
  return name == "i32" ? b.getI32Type() : Type(b.getF32Type());
}

FactorSpec factorOf(StringRef name) {
  FactorSpec f;
  f.layout = name == "along-k" ? FactorLayout::AlongK : FactorLayout::AlongRows;
  if (name.consume_front("panels") && !name.ltrim(':').getAsInteger(10, f.panel))
    f.layout = FactorLayout::Panels;
  return f;
}

/// How to make a factor's tensor map, outermost dimension first.
llvm::json::Object mapOf(const HopperKernel &k, const MatmulSpec &s, bool isA) {
  const FactorSpec &f = isA ? s.aFactor : s.bFactor;
  TensorMapShape m =
      tensorMap(k, isA, f.layout == FactorLayout::AlongK, s.batch, isA ? s.m : s.n, s.k);
  return llvm::json::Object{{"extents", llvm::json::Array(m.extents)},
                            {"box", llvm::json::Array(m.box)},
                            {"swizzle", 128}};
}

int fail(const llvm::Twine &text) {
  llvm::errs() << "adze-tile: " << text << '\n';
  return 1;
}

/// What is built: a function and how to launch it.
struct Built {
  gpu::GPUFuncOp function;
  llvm::json::Object launch;
};

int chipNumber() {
  int n = 0;
  return StringRef(chip).drop_front(3).take_while(llvm::isDigit).getAsInteger(10, n) ? 0 : n;
}

void setConvolution(MatmulSpec &s) {
  int64_t images = convolution[0], height = convolution[1], width = convolution[2];
  int64_t channels = convolution[3], kernel = convolution[4], stride = convolution[5],
          pad = convolution[6];
  auto out = [&](int64_t n) { return (n + 2 * pad - kernel) / stride + 1; };
  ConvolutionShape &c = s.aFactor.convolution;
  s.aFactor.layout = FactorLayout::Convolution;
  c.height = Extent::of(height), c.width = Extent::of(width);
  c.outHeight = Extent::of(out(height)), c.outWidth = Extent::of(out(width));
  c.channels = c.groupChannels = Extent::of(channels);
  c.kernelWidth = kernel, c.strideY = c.strideX = stride, c.padTop = c.padLeft = Extent::of(pad);
  s.m = images * out(height) * out(width), s.k = kernel * kernel * channels;
}

MatmulSpec matmulSpec(Kit &kit) {
  MatmulSpec s;
  s.batch = batch, s.m = shape[0], s.n = shape[1], s.k = shape[2];
  s.isDynamic = dynamic, s.divisor = divisor, s.bias = addBias, s.relu = clamp;
  s.a = typeOf(kit, types[0]), s.b = typeOf(kit, types[1]), s.c = typeOf(kit, types[2]);
  s.aFactor = factorOf(aLayout), s.bFactor = factorOf(bLayout);
  if (convolution.size() == 7) setConvolution(s);
  return s;
}

Built buildHopper(Kit &kit, const MatmulSpec &s, std::string &error) {
  HopperKernel k;
  k.multiply = multiply, k.stages = stages, k.rasterGroup = raster, k.maps = maps;
  if (block.size() >= 2) k.blockM = block[0], k.blockN = block[1];
  llvm::json::Array made;
  if (maps == 2) made.push_back(mapOf(k, s, true));
  made.push_back(mapOf(k, s, false));
  return {buildMatmulFunction(kit, "product", k, s, error),
          llvm::json::Object{{"threads", threads(k)},
                             {"tiles", tileCount(k, s.batch, s.m, s.n)},
                             {"maps", std::move(made)}}};
}

Built buildProduct(Kit &kit, const MatmulSpec &s, std::string &error) {
  MatmulKernel k;
  k.multiply = multiply, k.chip = chipNumber(), k.stages = stages, k.splitK = split;
  k.sliceK = slices, k.rasterGroup = raster, k.roundSums = roundSums, k.streamBlocks = stream;
  if (block.size() == 3) k.blockM = block[0], k.blockN = block[1], k.blockK = block[2];
  if (warp.size() == 2) k.warpM = warp[0], k.warpN = warp[1];
  return {buildMatmulFunction(kit, "product", k, s, error),
          llvm::json::Object{{"threads", threads(k)},
                             {"blocks", blockCount(k, s.batch, s.m, s.n)},
                             {"split_bytes", splitBytes(k, s.batch, s.m, s.n)}}};
}

Built buildSplit(Kit &kit, MatmulSpec &s, std::string &error) {
  HopperSplitKernel k;
  k.stages = stages, k.splitK = s.splits = split, k.rasterGroup = raster;
  if (block.size() >= 2) k.blockM = block[0], k.blockN = block[1];
  Built b{buildMatmulFunction(kit, "product", k, s, error),
          llvm::json::Object{{"blocks", blockCount(k, s.batch, s.m, s.n)},
                             {"split_bytes", 0},
                             {"splits", split.getValue()}}};
  if (b.function) b.launch["threads"] = b.function.getKnownBlockSizeAttr()[0];
  return b;
}

Built buildMatmul(Kit &kit, std::string &error) {
  MatmulSpec s = matmulSpec(kit);
  bool isSplit = hopper && multiply == Multiply::TF32x3;
  Built b = isSplit  ? buildSplit(kit, s, error)
            : hopper ? buildHopper(kit, s, error)
                     : buildProduct(kit, s, error);
  b.launch["batch"] = s.batch, b.launch["m"] = s.m, b.launch["n"] = s.n, b.launch["k"] = s.k;
  b.launch["types"] = llvm::json::Array{types[0], types[1], types[2]};
  b.launch["a"] = aLayout.getValue(), b.launch["b"] = bLayout.getValue();
  b.launch["multiply"] = nameOf(multiply);
  if (!convolution.empty()) b.launch["conv"] = llvm::json::Array(convolution);
  return b;
}

/// Dense maps of queries, keys and values.
llvm::json::Array mapsOf(const HopperAttentionKernel &k, const AttentionSpec &s) {
  HopperAttentionBoxes boxes = tensorBoxes(k);
  auto map = [&](int64_t heads, int64_t rows, int64_t depth, llvm::ArrayRef<int64_t> box) {
    return llvm::json::Object{{"extents", llvm::json::Array{s.batch, heads, rows, depth}},
                              {"box", llvm::json::Array(box)},
                              {"swizzle", 128}};
  };
  return llvm::json::Array{map(s.heads, s.queries, s.depth, boxes.q),
                           map(s.keyHeads, s.keys, s.depth, boxes.k),
                           map(s.keyHeads, s.keys, s.valueDepth, boxes.v)};
}

AttentionSpec attentionSpec(Kit &kit) {
  AttentionSpec s;
  s.batch = attention[0], s.heads = attention[1], s.keyHeads = attention[2];
  s.queries = attention[3], s.keys = attention[4], s.depth = s.valueDepth = attention[5];
  s.type = typeOf(kit, types[0]), s.out = typeOf(kit, types[2]);
  s.isDynamic = dynamic, s.causal = causal, s.mask = mask;
  return s;
}

Built buildHopperAttention(Kit &kit, const AttentionSpec &s, std::string &error) {
  HopperAttentionKernel k;
  k.multiply = multiply, k.stages = stages, k.takeTurns = turns;
  if (block.size() == 2) k.groups = block[0] / 64, k.blockN = block[1];
  return {buildAttentionFunction(kit, "attention", k, s, error),
          llvm::json::Object{{"threads", threads(k)},
                             {"blocks", blockCount(k, s.batch * s.heads, s.queries)},
                             {"maps", mapsOf(k, s)}}};
}

Built buildWarpAttention(Kit &kit, const AttentionSpec &s, std::string &error) {
  AttentionKernel k;
  k.multiply = multiply, k.chip = chipNumber();
  if (block.size() == 2) k.blockN = block[1];
  if (warp.size() == 2) k.warps = block[0] / warp[0], k.warpM = warp[0];
  return {buildAttentionFunction(kit, "attention", k, s, error),
          llvm::json::Object{{"threads", threads(k)},
                             {"blocks", blockCount(k, s.batch * s.heads, s.queries)}}};
}

Built buildAttention(Kit &kit, std::string &error) {
  AttentionSpec s = attentionSpec(kit);
  Built b = hopper ? buildHopperAttention(kit, s, error) : buildWarpAttention(kit, s, error);
  b.launch["attention"] = llvm::json::Array(attention);
  b.launch["causal"] = s.causal;
  b.launch["types"] = llvm::json::Array{types[0], types[1], types[2]};
  b.launch["multiply"] = nameOf(multiply);
  return b;
}

Built buildInt4(Kit &kit, std::string &error) {
  Int4Kernel k;
  k.chip = chipNumber();
  if (block.size() == 2) k.rows = block[0], k.warps = block[1];
  Int4Spec s;
  s.m = int4[0], s.n = int4[1], s.k = int4[2], s.group = int4[3];
  s.x = typeOf(kit, types[0]), s.c = typeOf(kit, types[2]);
  s.isDynamic = dynamic, s.bias = addBias, s.relu = clamp;
  s.zeroPoints = zeroPoints, s.isSigned = isSigned;
  return {buildMatmulFunction(kit, "product", k, s, error),
          llvm::json::Object{{"threads", threads(k)},
                             {"blocks", blockCount(k, s.m, s.n)},
                             {"int4", llvm::json::Array(int4)},
                             {"types", llvm::json::Array{types[0], types[1], types[2]}}}};
}

}  // namespace

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "writes one tile kernel as MLIR or PTX\n");
  if ((shape.size() == 3) + (attention.size() == 6) + (int4.size() == 4) != 1 || types.size() != 3)
    return fail("--types and one of --shape, --attention and --int4 are needed");
  DialectRegistry registry;
  registerPtxDialects(registry);
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  context.loadAllAvailableDialects();
  Kit kit(UnknownLoc::get(&context), &context);
  OwningOpRef<ModuleOp> module = ModuleOp::create(kit.getLoc());
  kit.setInsertionPointToStart(module->getBody());
  auto kernels = kit.create<gpu::GPUModuleOp>("kernels");
  kit.setInsertionPointToStart(kernels.getBody());
  std::string error;
  Built built = !int4.empty()       ? buildInt4(kit, error)
                : attention.empty() ? buildMatmul(kit, error)
                                    : buildAttention(kit, error);
  if (!built.function) return fail(error);
  if (emit == "mlir") {
    module->print(llvm::outs());
    return 0;
  }
  built.launch["entry"] = built.function.getName();
  built.launch["shared"] = built.function->getAttrOfType<IntegerAttr>("adze.shared_bytes").getInt();
  auto text = emitPtx(kernels, {chip, ptxFeatures(chip)}, error);
  if (!text) return fail(error);
  llvm::outs() << "// " << llvm::json::Value(std::move(built.launch)) << '\n' << *text;
  return 0;
}
