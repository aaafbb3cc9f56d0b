#include "passes/Schedule/Stride.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace adze::schedule {

Stride Stride::constant(int64_t value) {
  Stride result;
  if (value != 0)
    result.terms.push_back({value, {}});
  return result;
}

Stride Stride::symbol(unsigned index) {
  Stride result;
  result.terms.push_back({1, {index}});
  return result;
}

std::optional<int64_t> Stride::asConstant() const {
  if (terms.empty())
    return 0;
  if (terms.size() == 1 && terms.front().symbols.empty())
    return terms.front().coefficient;
  return std::nullopt;
}

int64_t Stride::constantPart() const {
  return !terms.empty() && terms.front().symbols.empty() ? terms.front().coefficient : 0;
}

Stride Stride::withoutConstant() const {
  Stride result = *this;
  if (!terms.empty() && terms.front().symbols.empty())
    result.terms.erase(result.terms.begin());
  return result;
}

static bool symbolsLess(const Term &a, const Term &b) {
  return std::lexicographical_compare(a.symbols.begin(), a.symbols.end(), b.symbols.begin(),
                                      b.symbols.end());
}

bool Stride::operator<(const Stride &other) const {
  return std::lexicographical_compare(
      terms.begin(), terms.end(), other.terms.begin(), other.terms.end(),
      [](const Term &a, const Term &b) {
        if (a.symbols != b.symbols)
          return symbolsLess(a, b);
        return a.coefficient < b.coefficient;
      });
}

Stride Stride::operator+(const Stride &other) const {
  Stride result = *this;
  for (const Term &term : other.terms) {
    auto *at = llvm::lower_bound(result.terms, term, symbolsLess);
    if (at == result.terms.end() || at->symbols != term.symbols)
      result.terms.insert(at, term);
    else if ((at->coefficient += term.coefficient) == 0)
      result.terms.erase(at);
  }
  return result;
}

Stride Stride::operator*(const Stride &other) const {
  Stride result;
  for (const Term &a : terms)
    for (const Term &b : other.terms) {
      Stride product;
      product.terms.push_back({a.coefficient * b.coefficient, a.symbols});
      llvm::append_range(product.terms.front().symbols, b.symbols);
      llvm::sort(product.terms.front().symbols);
      result = result + product;
    }
  return result;
}

Stride Symbols::lookup(Value memref, unsigned dim, bool isStride) {
  for (auto [index, entry] : llvm::enumerate(entries))
    if (entry.memref == memref && entry.dim == dim && entry.isStride == isStride)
      return Stride::symbol(index);
  entries.push_back({memref, dim, isStride, Value()});
  return Stride::symbol(entries.size() - 1);
}

Stride Symbols::sizeOf(Value memref, unsigned dim) {
  auto type = cast<MemRefType>(memref.getType());
  auto known = sizes.find({memref.getAsOpaquePointer(), dim});
  if (known != sizes.end())
    return known->second;
  if (!type.isDynamicDim(dim))
    return Stride::constant(type.getDimSize(dim));
  return lookup(memref, dim, /*isStride=*/false);
}

void Symbols::setSize(Value memref, unsigned dim, Stride size) {
  sizes.try_emplace({memref.getAsOpaquePointer(), dim}, std::move(size));
}

Stride Symbols::strideOf(Value memref, unsigned dim) {
  auto type = cast<MemRefType>(memref.getType());
  if (type.getLayout().isIdentity()) {
    Stride stride = Stride::constant(1);
    for (unsigned inner = dim + 1, rank = type.getRank(); inner < rank; ++inner)
      stride = stride * sizeOf(memref, inner);
    return stride;
  }
  int64_t offset;
  SmallVector<int64_t> strides;
  if (succeeded(type.getStridesAndOffset(strides, offset)) && !ShapedType::isDynamic(strides[dim]))
    return Stride::constant(strides[dim]);
  return lookup(memref, dim, /*isStride=*/true);
}

Value Symbols::materializeSymbol(OpBuilder &builder, Location loc, unsigned index) {
  Entry &entry = entries[index];
  if (entry.value)
    return entry.value;
  if (entry.isStride) {
    auto metadata = memref::ExtractStridedMetadataOp::create(builder, loc, entry.memref);
    entry.value = metadata.getStrides()[entry.dim];
  } else {
    entry.value = memref::DimOp::create(builder, loc, entry.memref, entry.dim);
  }
  return entry.value;
}

Value Symbols::materialize(OpBuilder &builder, Location loc, const Stride &stride) {
  Value &value = values[stride];
  if (value)
    return value;
  Value sum;
  for (const Term &term : stride.getTerms()) {
    Value product;
    for (unsigned symbol : term.symbols) {
      Value factor = materializeSymbol(builder, loc, symbol);
      product = product ? arith::MulIOp::create(builder, loc, product, factor) : factor;
    }
    if (!product || term.coefficient != 1) {
      Value factor = arith::ConstantIndexOp::create(builder, loc, term.coefficient);
      product = product ? arith::MulIOp::create(builder, loc, product, factor) : factor;
    }
    sum = sum ? arith::AddIOp::create(builder, loc, sum, product) : product;
  }
  if (!sum)
    sum = arith::ConstantIndexOp::create(builder, loc, 0);
  return value = sum;
}

}  // namespace adze::schedule
