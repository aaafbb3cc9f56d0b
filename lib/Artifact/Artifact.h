// The .adze container: what is in one, how it is written, how it is read and
// checked. docs/runtime.md draws the layout. No MLIR, no LLVM.
#pragma once
#include "lib/Support/Diagnostics.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace adze::artifact {

/// Version of the file layout. A reader takes exactly its own version.
inline constexpr uint32_t kFormatVersion = 1;
/// Sections start at multiples of this, so that they can be mapped.
inline constexpr uint64_t kPageBytes = 4096;

/// Element types; the numbers are those of onnx.TensorProto.DataType.
enum class DType : uint8_t {
  Undefined = 0,
  Float32 = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Float64 = 11,
  UInt32 = 12,
  UInt64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  BFloat16 = 16,
  Float8E4M3FN = 17,
  Float8E4M3FNUZ = 18,
  Float8E5M2 = 19,
  Float8E5M2FNUZ = 20,
  UInt4 = 21,
  Int4 = 22,
  Float4E2M1 = 23,
  Float8E8M0 = 24,
  UInt2 = 25,
  Int2 = 26,
};
inline constexpr uint8_t kMaxDType = 26;

/// "float32", "int4", ...; "undefined" for anything else.
const char *dtypeName(DType t);
/// Bits of one element; 0 for string and undefined.
int dtypeBits(DType t);
/// Bytes of one element at the runtime's edge; 0 when a tensor of this type
/// cannot be an input or output (string, and types narrower than a byte).
int64_t dtypeBytes(DType t);

/// One dimension: a number, a symbol (equal symbols are equal extents), or
/// unknown (value -1, no symbol). One that is no number may be bounded.
struct Dim {
  int64_t value = -1;
  std::string symbol;
  int64_t least = 0, most = -1;  ///< -1: no bound

  bool takes(int64_t extent) const {
    return value >= 0 ? extent == value : extent >= least && (most < 0 || extent <= most);
  }
};

struct TensorInfo {
  std::string name;
  DType dtype = DType::Undefined;
  std::vector<Dim> dims;
};

struct Kernel {
  std::string name;
  std::string kind;                ///< "matmul", "conv", "elementwise", ...
  std::vector<std::string> nodes;  ///< ONNX nodes computed by this kernel
  /// What one launch does, as counts over its extents (Count.h); empty: unknown.
  /// Bytes are those of its arguments, each counted once.
  std::string flops, bytesRead, bytesWritten;
  uint32_t extents = 0;  ///< dynamic extents of its arguments
};

struct PlannedBuffer {
  int32_t kernel = -1;  ///< the producing kernel; -1: none
  int32_t first = 0;    ///< lifetime, inclusive, in program order
  int32_t last = 0;
  int64_t offset = 0;  ///< bytes
  int64_t size = 0;    ///< bytes
};

struct MemoryPlan {
  int64_t arenaBytes = 0;
  int64_t peakLiveBytes = 0;
  std::vector<PlannedBuffer> buffers;
};

struct NodeMapping {
  std::string node;
  int32_t kernel = -1;  ///< -1: folded away
};

struct KeyValue {
  std::string key, value;
};

struct Provenance {
  uint64_t modelHash = 0;  ///< xxh3 of the model file
  std::string flags;       ///< the compile's options, canonical form
};

enum class SectionKind : uint16_t {
  HostCode = 1,  ///< one ELF shared object (lib/Runtime/HostAbi.h)
  Weights = 2,
  Ptx = 3,
  Cubin = 4,
  Data = 5,  ///< anything a tool wants to keep beside the code
};

/// Bytes at an offset inside a section; gaps between pieces are zero.
struct Piece {
  uint64_t offset = 0;
  std::span<const std::byte> bytes;
};

/// The bytes are borrowed: the writer streams them, the reader points into
/// the file.
struct Section {
  SectionKind kind = SectionKind::Data;
  std::string name;
  std::vector<Piece> pieces;  ///< ascending, not overlapping
  uint64_t size = 0;          ///< at least the end of the last piece

  /// A section of one piece.
  static Section of(SectionKind kind, std::string name, std::span<const std::byte> bytes);
  /// The section's bytes; only for sections of one piece, such as a reader's.
  std::span<const std::byte> bytes() const;
  // Filled by the reader, ignored by the writer.
  uint64_t fileOffset = 0;
  uint64_t xxh3 = 0;
};

/// A kernel of a device's module, as the host code launches it by its number.
struct DeviceKernel {
  std::string name;                      ///< of its entry in the PTX and the cubin
  std::vector<uint32_t> parameterBytes;  ///< of each parameter, in order
  uint32_t threads = 0;                  ///< most threads of a block
  /// In the cubin: registers of a thread, bytes that it spills, bytes of shared memory that a
  /// block has of its own. Without a cubin 0.
  uint32_t registers = 0, spillBytes = 0, sharedBytes = 0;
};

/// What runs on one kind of device. Its sections bear the device's name: host
/// code that launches the kernels, PTX, and a cubin where there is one.
struct Variant {
  std::string device;  ///< "sm_80"
  std::vector<DeviceKernel> kernels;
  std::string assembler;  ///< that made the cubin: "ptxas 12.9.86"; empty without one
};

/// All that an artifact says.
struct Contents {
  uint32_t formatVersion = kFormatVersion;
  std::string compilerVersion;  ///< empty: the writer's own
  std::string target = "host";
  std::string triple;                    ///< "x86_64-unknown-linux-gnu"
  std::string cpu;                       ///< LLVM's CPU name
  std::vector<std::string> cpuFeatures;  ///< LLVM's names, without '+'
  uint32_t hostAbi = 0;                  ///< ADZE_HOST_ABI_VERSION; 0: no host code
  std::vector<TensorInfo> inputs, outputs;
  std::vector<Kernel> kernels;
  MemoryPlan memory;
  std::vector<NodeMapping> nodeMapping;
  std::vector<KeyValue> metadata;
  Provenance provenance;
  std::vector<Section> sections;
  std::vector<Variant> variants;  ///< none: the host runs everything

  /// The first section of this kind (and name, when given); null if none.
  const Section *find(SectionKind kind, std::string_view name = {}) const;
};

/// xxh3 (64 bits, seed 0): the checksum used throughout the file.
uint64_t hashBytes(std::span<const std::byte> bytes);

/// The version this library writes into artifacts, "0.1.0".
const char *compilerVersion();

/// Writes `contents` to `path` whole or not at all. Section bytes are streamed,
/// never copied. The same contents give the same bytes. On failure returns
/// false and fills `error` (contents that a reader would refuse: ADZ0620,
/// internal; a file that cannot be written: ADZ0621, resource).
bool write(const std::string &path, const Contents &contents, Diagnostic &error);
/// The same bytes into memory.
std::optional<std::vector<std::byte>> serialize(const Contents &contents, Diagnostic &error);

/// Checks what writer and reader both insist on: known dtypes, indices in
/// range, unique names. Empty when all is well, else the first fault.
std::string validate(const Contents &contents);

/// An artifact that passed every check: prelude, header checksum, FlatBuffers
/// verification with depth and table limits, section bounds, order, padding
/// and checksums. Immutable; sections point into its bytes.
class Artifact {
 public:
  /// Null and `error` on failure (ADZ0600 unreadable, ADZ0601 no artifact,
  /// ADZ0602 other format version, ADZ0603 damaged).
  static std::shared_ptr<const Artifact> open(const std::string &path, Diagnostic &error);
  /// `bytes` must outlive the artifact unless `owner` keeps them.
  static std::shared_ptr<const Artifact> fromBytes(std::span<const std::byte> bytes,
                                                   Diagnostic &error,
                                                   std::shared_ptr<const void> owner = {});

  const Contents &contents() const { return contents_; }
  /// The whole file.
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  Artifact() = default;
  Contents contents_;
  std::span<const std::byte> bytes_;
  std::shared_ptr<const void> owner_;
};

}  // namespace adze::artifact
