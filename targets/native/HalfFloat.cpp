#include "targets/native/HalfFloat.h"

#include "llvm/Object/ObjectFile.h"

namespace adze::native {

// float16: 2^-24 is its smallest number, 65520 the first that rounds to infinity.
// Other conversions to 16 bits are integer arithmetic by then (ExpandHalves).
static constexpr const char *kFunctions = R"(
define hidden float @__extendhfsf2(half %h) {
  %i = bitcast half %h to i16
  %b = zext i16 %i to i32
  %s = and i32 %b, 32768
  %sign = shl i32 %s, 16
  %mag = and i32 %b, 32767
  %wide = shl i32 %mag, 13
  %normal = add i32 %wide, 939524096
  %special = add i32 %wide, 1879048192
  %f = uitofp i32 %mag to float
  %tiny = fmul float %f, 0x3E70000000000000
  %tinybits = bitcast float %tiny to i32
  %istiny = icmp ult i32 %mag, 1024
  %isspecial = icmp uge i32 %mag, 31744
  %r0 = select i1 %isspecial, i32 %special, i32 %normal
  %r1 = select i1 %istiny, i32 %tinybits, i32 %r0
  %r2 = or i32 %r1, %sign
  %r = bitcast i32 %r2 to float
  ret float %r
}
define hidden half @__truncsfhf2(float %x) {
  %b = bitcast float %x to i32
  %s = lshr i32 %b, 16
  %sign = and i32 %s, 32768
  %a = and i32 %b, 2147483647
  %q = lshr i32 %a, 13
  %payload = and i32 %q, 511
  %nan = or i32 %payload, 32256
  %re = sub i32 %a, 939524096
  %odd = and i32 %q, 1
  %up = add i32 %odd, 4095
  %sum = add i32 %re, %up
  %normal = lshr i32 %sum, 13
  %f = bitcast i32 %a to float
  %shifted = fadd float %f, 0.5
  %shiftedbits = bitcast float %shifted to i32
  %tiny = sub i32 %shiftedbits, 1056964608
  %isnan = icmp ugt i32 %a, 2139095040
  %isinf = icmp uge i32 %a, 1199570944
  %istiny = icmp ult i32 %a, 947912704
  %r0 = select i1 %istiny, i32 %tiny, i32 %normal
  %r1 = select i1 %isinf, i32 31744, i32 %r0
  %r2 = select i1 %isnan, i32 %nan, i32 %r1
  %r3 = or i32 %r2, %sign
  %r4 = trunc i32 %r3 to i16
  %r = bitcast i16 %r4 to half
  ret half %r
}
)";

llvm::StringRef halfFloatFunctions() { return kFunctions; }

bool needsHalfFloatFunctions(llvm::StringRef object) {
  auto file = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(object, "part"));
  if (!file) return llvm::consumeError(file.takeError()), false;
  for (const llvm::object::SymbolRef &symbol : (*file)->symbols()) {
    llvm::Expected<llvm::StringRef> name = symbol.getName();
    if (!name) {
      llvm::consumeError(name.takeError());
      continue;
    }
    if (*name == "__extendhfsf2" || *name == "__truncsfhf2") return true;
  }
  return false;
}

}  // namespace adze::native
