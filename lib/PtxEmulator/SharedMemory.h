// A block's shared memory with a shadow that orders accesses.
//
// Time counts synchronisations. Every agent (a warp; a warpgroup's tensor
// reads; the copies that one mbarrier counts) knows up to which time it has
// seen each other agent's accesses; a later access to the same bytes by
// somebody it has not synchronised with is a race. A word remembers its last
// write and, for each reader, the time of its last read.
#pragma once
#include <cstdint>
#include <cstddef>
#include <vector>

namespace adze::ptx {

enum class Hazard : uint8_t {
  None, Uninitialised, Pending, WriteThenRead, WriteThenWrite, ReadThenWrite, Lanes, Mbarrier,
  Unfenced,
};
const char *hazardText(Hazard hazard);

class SharedMemory {
 public:
  static constexpr uint8_t kMbarrierAgent = 255;
  static constexpr uint8_t kManyLanes = 32;   ///< written or read by a warp together
  static constexpr uint8_t kStrong = 64;      ///< added to a lane: an atomic or volatile access

  /// `readers` agents have a column of reads.
  SharedMemory(uint32_t bytes, uint32_t readers);

  uint32_t size() const { return size_; }
  uint8_t *data() { return bytes_.data(); }

  struct Access {
    uint32_t agent;
    const uint32_t *known;   ///< by agent
    uint32_t lastSync;       ///< of the agent's lanes with each other
    uint8_t lane;            ///< or kManyLanes; with kStrong added
    /// By async proxy: writes of warps must have been fenced by then; by warp.
    const uint32_t *fences = nullptr;
    uint32_t warps = 0;
  };
  /// The range lies inside. What is found first is returned; state is updated.
  Hazard read(uint32_t address, uint32_t bytes, const Access &access);
  Hazard write(uint32_t address, uint32_t bytes, const Access &access);

  /// A read that was checked before, once more at this time.
  void noteRead(uint32_t address, uint32_t bytes, const Access &access);

  /// An asynchronous write may land from now on: poisons the bytes.
  Hazard beginWrite(uint32_t address, uint32_t bytes, const Access &access);
  /// It has landed.
  void endWrite(uint32_t address, uint32_t bytes, uint32_t agent);
  /// Whether anything was written to the bytes since `time`.
  bool writtenSince(uint32_t address, uint32_t bytes, uint32_t time) const;

  void markMbarrier(uint32_t address, bool is);

  uint32_t now() const { return now_; }
  uint32_t tick() { return ++now_; }
  /// A new block: nothing is initialised, everything is ordered.
  void restart();

 private:
  struct Word {
    uint32_t time = 0;
    uint8_t agent = 0, lane = 0;
    uint8_t bytes = 0;                      ///< of the last write
    uint8_t initialised : 4 = 0, pending : 4 = 0;
  };
  template <class F>
  Hazard eachWord(uint32_t address, uint32_t bytes, F f);
  Hazard checkWriters(const Word &word, uint8_t bytes, const Access &access, Hazard kind) const;
  static Hazard checkLanes(uint8_t before, uint32_t time, const Access &access);
  Hazard checkReaders(std::size_t word, uint8_t bytes, const Access &access) const;

  uint32_t size_, readers_, now_ = 2, start_ = 1;
  std::vector<uint8_t> bytes_;
  std::vector<Word> words_;
  std::vector<uint32_t> reads_;  ///< [word][reader]: time << 4 | bytes
  std::vector<uint8_t> readLanes_;
};

}  // namespace adze::ptx
