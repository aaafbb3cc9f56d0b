// The fixed start of a file; private to the writer and the reader.
#pragma once
#include "lib/Artifact/Artifact.h"

namespace adze::artifact {

// Like PNG's: a high bit, a carriage return and a line feed show a transfer
// that rewrote text.
inline constexpr unsigned char kMagic[8] = {0x89, 'A', 'D', 'Z', 'E', '\r', '\n', 0x1a};

/// Little-endian on disk; adze builds for little-endian machines only.
struct Prelude {
  unsigned char magic[8];
  uint32_t formatVersion;
  uint32_t reserved;  ///< zero
  uint64_t headerBytes;
  uint64_t headerHash;
};
static_assert(sizeof(Prelude) == 32);
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

/// The next multiple of a page; callers have bounded `n` far below overflow.
inline uint64_t pageAlign(uint64_t n) { return (n + kPageBytes - 1) / kPageBytes * kPageBytes; }

/// No file of ours is larger; keeps every sum of sizes inside 64 bits.
inline constexpr uint64_t kMaxFileBytes = uint64_t(1) << 46;

/// FlatBuffers offsets have 31 bits.
inline constexpr uint64_t kMaxHeaderBytes = uint64_t(1) << 30;

}  // namespace adze::artifact
