#include "lib/Compiler/Signature.h"

#include "dialects/Graph/DimExprs.h"
#include "dialects/Graph/Graph.h"
#include "dialects/Onnx/Onnx.h"
#include "lib/Artifact/Count.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinAttributes.h"

#include <set>

using namespace mlir;

namespace adze {

using artifact::DType;

Operation *entryFunction(ModuleOp module) {
  for (auto f : module.getOps<func::FuncOp>())
    if (f.isPublic() && !f.empty()) return f;
  return nullptr;
}

DType dtypeOf(Type t) {
  if (t.isF32()) return DType::Float32;
  if (t.isF64()) return DType::Float64;
  if (t.isF16()) return DType::Float16;
  if (t.isBF16()) return DType::BFloat16;
  if (isa<Float8E4M3FNType>(t)) return DType::Float8E4M3FN;
  if (isa<Float8E4M3FNUZType>(t)) return DType::Float8E4M3FNUZ;
  if (isa<Float8E5M2Type>(t)) return DType::Float8E5M2;
  if (isa<Float8E5M2FNUZType>(t)) return DType::Float8E5M2FNUZ;
  auto i = dyn_cast<IntegerType>(t);
  if (!i) return DType::Undefined;
  bool u = i.isUnsigned();
  switch (i.getWidth()) {
    case 1: return DType::Bool;
    case 8: return u ? DType::UInt8 : DType::Int8;
    case 16: return u ? DType::UInt16 : DType::Int16;
    case 32: return u ? DType::UInt32 : DType::Int32;
    case 64: return u ? DType::UInt64 : DType::Int64;
    default: return DType::Undefined;
  }
}

/// The row of an input or output: its attributes, and its type as `type`.
static Attribute rowOf(Type type, DictionaryAttr attrs, const std::string &name) {
  NamedAttrList row(attrs ? attrs.getValue() : ArrayRef<NamedAttribute>());
  if (!row.get("onnx.name")) row.set("onnx.name", StringAttr::get(type.getContext(), name));
  row.set("type", TypeAttr::get(type));
  return row.getDictionary(type.getContext());
}

static std::string describeTensor(Attribute row, const char *what, artifact::TensorInfo &info) {
  auto attrs = dyn_cast<DictionaryAttr>(row);
  auto name = attrs ? attrs.getAs<StringAttr>("onnx.name") : StringAttr();
  auto type = attrs ? attrs.getAs<TypeAttr>("type") : TypeAttr();
  if (!name || !type) return "the module's record of its " + std::string(what) + "s is malformed";
  info.name = name.str();
  auto tensor = dyn_cast<RankedTensorType>(type.getValue());
  info.dtype = tensor ? dtypeOf(tensor.getElementType()) : DType::Undefined;
  if (info.dtype == DType::Undefined)
    return std::string(what) + " '" + printable(info.name) + "' has a type that cannot cross the "
           "artifact's edge";
  auto symbols = attrs.getAs<ArrayAttr>("onnx.dims");
  auto ranges = attrs.getAs<ArrayAttr>("onnx.ranges");
  for (int64_t i = 0; i < tensor.getRank(); ++i) {
    artifact::Dim dim;
    if (!tensor.isDynamicDim(i)) {
      dim.value = tensor.getDimSize(i);
    } else if (symbols && i < int64_t(symbols.size())) {
      auto s = dyn_cast<StringAttr>(symbols[i]);
      if (s && onnxir::namesExtent(s.getValue())) dim.symbol = s.str();
    }
    if (ranges && i < int64_t(ranges.size()) && dim.value < 0)
      if (auto range = dyn_cast<DenseI64ArrayAttr>(ranges[i]); range && range.size() == 2)
        dim.least = range[0], dim.most = range[1];
    info.dims.push_back(std::move(dim));
  }
  return {};
}

static std::string describeTensors(ModuleOp module, const char *key, const char *what,
                                   std::vector<artifact::TensorInfo> &tensors) {
  auto rows = module->getAttrOfType<ArrayAttr>(key);
  if (!rows) return "the module has no record of its " + std::string(what) + "s";
  for (Attribute row : rows)
    if (std::string error = describeTensor(row, what, tensors.emplace_back()); !error.empty())
      return error;
  return {};
}

std::string recordSignature(ModuleOp module) {
  auto entry = cast_or_null<func::FuncOp>(entryFunction(module));
  if (!entry) return "the module has no public function";
  SmallVector<Attribute> inputs, outputs;
  for (auto [i, type] : llvm::enumerate(entry.getArgumentTypes()))
    inputs.push_back(rowOf(type, entry.getArgAttrDict(i), "input" + std::to_string(i)));
  for (auto [i, type] : llvm::enumerate(entry.getResultTypes()))
    outputs.push_back(rowOf(type, entry.getResultAttrDict(i), "output" + std::to_string(i)));
  for (unsigned i = 0; i < entry.getNumArguments(); ++i) {
    Attribute extents = entry.getArgAttr(i, graph::DimExprs::kDimsAttr);
    entry.setArgAttrs(i, ArrayRef<NamedAttribute>());
    if (extents) entry.setArgAttr(i, graph::DimExprs::kDimsAttr, extents);
  }
  entry.removeResAttrsAttr();
  module->setAttr("adze.inputs", ArrayAttr::get(module.getContext(), inputs));
  module->setAttr("adze.outputs", ArrayAttr::get(module.getContext(), outputs));
  artifact::Contents checked;
  return describeSignature(module, checked);
}

std::string describeSignature(ModuleOp module, artifact::Contents &contents) {
  std::string error = describeTensors(module, "adze.inputs", "input", contents.inputs);
  if (error.empty()) error = describeTensors(module, "adze.outputs", "output", contents.outputs);
  if (!error.empty()) return error;
  if (auto pairs = module->getAttrOfType<ArrayAttr>("onnx.metadata"))
    for (Attribute pair : pairs)
      if (auto kv = dyn_cast<ArrayAttr>(pair); kv && kv.size() == 2)
        contents.metadata.push_back(
            {cast<StringAttr>(kv[0]).str(), cast<StringAttr>(kv[1]).str()});
  return {};
}

static void describePlan(ModuleOp module, artifact::Contents &contents) {
  auto plan = module->getAttrOfType<DictionaryAttr>("adze.memory_plan");
  if (!plan) return;
  auto number = [&](const char *key) {
    auto a = plan.getAs<IntegerAttr>(key);
    return a ? std::max<int64_t>(0, a.getInt()) : 0;
  };
  contents.memory.arenaBytes = number("bytes");
  contents.memory.peakLiveBytes = number("peak");
  auto rows = plan.getAs<DenseI64ArrayAttr>("buffers");
  if (!rows || contents.memory.arenaBytes == 0) return;
  ArrayRef<int64_t> r = rows.asArrayRef();
  for (size_t i = 0; i + 4 < r.size(); i += 5) {
    artifact::PlannedBuffer b;
    b.first = r[i];
    b.last = r[i + 1];
    b.offset = r[i + 2];
    b.size = r[i + 3];
    b.kernel = r[i + 4];
    contents.memory.buffers.push_back(b);
  }
}

/// What a launch of the kernel does, as adze-count-work wrote it. Empty on success.
static std::string describeWork(func::FuncOp function, artifact::Kernel &k) {
  auto work = function ? function->getAttrOfType<DictionaryAttr>("adze.work") : DictionaryAttr();
  if (!work) return {};
  for (Type type : function.getArgumentTypes())
    if (auto memref = dyn_cast<MemRefType>(type)) k.extents += memref.getNumDynamicDims();
  auto text = [&](StringRef key) {
    auto value = work.getAs<StringAttr>(key);
    return value ? value.str() : std::string();
  };
  k.flops = text("flops");
  k.bytesRead = text("read");
  k.bytesWritten = text("written");
  for (const std::string &count : {k.flops, k.bytesRead, k.bytesWritten})
    if (!count.empty() && !artifact::Count::parse(count, k.extents))
      return "adze.work of " + printable(function.getName()) + " has the malformed count '" +
             printable(count, 60) + "'";
  return {};
}

std::string describeKernels(ModuleOp module, const std::vector<std::string> &nodes,
                     artifact::Contents &contents) {
  std::map<std::string, int32_t> kernelOf;
  if (auto table = module->getAttrOfType<ArrayAttr>("adze.kernels")) {
    for (Attribute row : table) {
      auto d = cast<DictionaryAttr>(row);
      artifact::Kernel &k = contents.kernels.emplace_back();
      k.name = d.getAs<StringAttr>("function").str() + "." +
               std::to_string(contents.kernels.size() - 1);
      k.kind = d.getAs<StringAttr>("reason").str();
      auto function = module.lookupSymbol<func::FuncOp>(d.getAs<StringAttr>("function"));
      if (std::string error = describeWork(function, k); !error.empty()) return error;
      for (Attribute n : d.getAs<ArrayAttr>("nodes")) {
        k.nodes.push_back(cast<StringAttr>(n).str());
        kernelOf.try_emplace(k.nodes.back(), contents.kernels.size() - 1);
      }
    }
  }
  std::set<std::string> seen;
  for (const std::string &n : nodes) {
    if (!seen.insert(n).second) continue;
    auto it = kernelOf.find(n);
    contents.nodeMapping.push_back({n, it == kernelOf.end() ? -1 : it->second});
  }
  describePlan(module, contents);
  return {};
}

}  // namespace adze
