// An entry in the form that is run: instructions with their operands resolved
// to rows of a warp's registers.
#pragma once
#include "lib/PtxEmulator/Ast.h"
#include "lib/PtxEmulator/LaneOps.h"

#include <deque>
#include <map>
#include <memory>
#include <string_view>

namespace adze::ptx {

struct Inst;
struct Step;

/// What becomes of the path that executed an instruction.
enum class Flow : uint8_t {
  Next,     ///< goes on with the next instruction
  Jumped,   ///< the handler set the path's position
  Blocked,  ///< waits; the instruction is executed again, or was completed by the waker
  Ended,    ///< the path is no more (exit, or split in two)
};
using Handler = Flow (*)(Step &step);

/// Where a block's shared memory begins: Hopper keeps the first KiB, so no
/// kernel may take its variables to lie at 0.
inline constexpr uint32_t kReservedShared = 1024;

/// Byte offset of a row; bit 0 is set for rows of the program's constants.
using Slot = uint32_t;
inline constexpr Slot kNoSlot = ~0u;

/// An operand of an instruction that is no lane instruction.
struct Argument {
  std::vector<Slot> rows;        ///< registers, constants; an address's coordinates
  std::vector<uint8_t> bits;     ///< width of each row's register
  Slot base = kNoSlot;           ///< of an address; kNoSlot: only the offset
  uint8_t baseBits = 64;
  int64_t offset = 0;            ///< of an address; or the value of an immediate
  bool present = false;
};

enum class Space : uint8_t { Generic, Global, Shared, Local, Param, Const };

struct Detail {
  std::vector<Argument> args;
  std::vector<std::string_view> words;  ///< the modifiers, in the pattern's order
  Space space = Space::Generic;
  uint8_t elementBytes = 4;
  char kind = 'b';
  uint32_t values[8] = {};              ///< what the op's `prepare` worked out
  std::shared_ptr<const void> plan;     ///< and what does not fit there
};

struct Inst {
  LaneFunction lane = nullptr;  ///< else `handler`
  Handler handler = nullptr;
  Slot result = kNoSlot, a = 0, b = 0, c = 0, d = 0;
  Slot guard = kNoSlot;
  bool guardNegated = false;
  RowKind resultKind = RowKind::None;
  Pipe pipe = Pipe::Alu;
  bool synthetic = false;       ///< a part of the instruction before it
  uint32_t target = 0;          ///< of a branch
  uint32_t reconverge = kNoSlot;  ///< its immediate post-dominator; kNoSlot: none
  const Detail *detail = nullptr;
  uint32_t statement = 0;       ///< index into the entry's body
};

enum class SpecialRegister : uint8_t {
  TidX, TidY, TidZ, NtidX, NtidY, NtidZ, CtaidX, CtaidY, CtaidZ, NctaidX, NctaidY, NctaidZ,
  LaneId, WarpId, NWarpId, SmId, NSmId, GridId, LaneMaskEq, LaneMaskLe, LaneMaskLt, LaneMaskGe,
  LaneMaskGt, DynamicShared, TotalShared, ClusterZero, ClusterOne, Clock, Clock64,
};

struct Program {
  const Entry *entry = nullptr;
  std::vector<Inst> code;
  std::deque<Detail> details;
  std::vector<uint8_t> constants;  ///< rows
  uint32_t registerBytes = 0;      ///< of a warp
  std::vector<std::pair<Slot, SpecialRegister>> special;
  uint32_t sharedBytes = kReservedShared;  ///< where dynamic shared memory begins
  uint32_t dynamicAlignment = 16;
  bool usesDynamicShared = false;
  uint32_t localBytes = 0;         ///< of a thread
  uint32_t localStride() const { return (localBytes + 15) / 16 * 16; }
};

/// Addresses of the module's .global and .const variables, by name.
using SymbolTable = std::map<std::string, uint64_t, std::less<>>;

/// Null and `error` for an instruction, register or operand that is not known.
std::unique_ptr<Program> decode(const Entry &entry, const SourceModule &module,
                                const SymbolTable &symbols, SourceError &error);

/// Fills Inst::reconverge of every branch that can split a warp.
void findReconvergence(std::vector<Inst> &code);

}  // namespace adze::ptx
