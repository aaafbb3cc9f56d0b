// Handlers of the instructions that are no lane instructions, and what
// prepares their operands. OpTable.cpp says which opcode is whose.
#pragma once
#include "lib/PtxEmulator/Machine.h"

namespace adze::ptx {

// ExecControl.cpp
Flow execNothing(Step &step);
Flow execClock(Step &step);
Flow execBranch(Step &step);
Flow execReturn(Step &step);
Flow execTrap(Step &step);

// ExecMemory.cpp
Flow execLoad(Step &step);
Flow execStore(Step &step);
Flow execLoadParam(Step &step);
bool prepareAccess(Detail &detail, std::string &message);

// ExecAtomic.cpp
Flow execAtomic(Step &step);
Flow execReduce(Step &step);
bool prepareAtomic(Detail &detail, std::string &message);

// ExecSync.cpp
Flow execBarrier(Step &step);
Flow execWarpBarrier(Step &step);
Flow execFence(Step &step);
bool prepareBarrier(Detail &detail, std::string &message);
bool prepareFence(Detail &detail, std::string &message);

// ExecLanes.cpp
Flow execShuffle(Step &step);
Flow execVote(Step &step);
Flow execActiveMask(Step &step);
Flow execMatch(Step &step);
Flow execRedux(Step &step);
Flow execElect(Step &step);
Flow execCarry(Step &step);
bool prepareShuffle(Detail &detail, std::string &message);
bool prepareVote(Detail &detail, std::string &message);
bool prepareMatch(Detail &detail, std::string &message);
bool prepareRedux(Detail &detail, std::string &message);
bool prepareCarry(Detail &detail, std::string &message);

// ExecMatrix.cpp, ExecWmma.cpp
Flow execLdmatrix(Step &step);
Flow execStmatrix(Step &step);
Flow execMovmatrix(Step &step);
Flow execMma(Step &step);
Flow execWmmaLoad(Step &step);
Flow execWmmaStore(Step &step);
Flow execWmmaMma(Step &step);
bool prepareMatrix(Detail &detail, std::string &message);
bool prepareMma(Detail &detail, std::string &message);
bool prepareWmmaLoad(Detail &detail, std::string &message);
bool prepareWmmaStore(Detail &detail, std::string &message);
bool prepareWmmaMma(Detail &detail, std::string &message);

// ExecAsync.cpp: cp.async
Flow execCopyAsync(Step &step);
Flow execCopyCommit(Step &step);
Flow execCopyWait(Step &step);
Flow execCopyArrive(Step &step);
bool prepareCopyAsync(Detail &detail, std::string &message);

// ExecMbarrier.cpp
Flow execMbarrierInit(Step &step);
Flow execMbarrierInvalidate(Step &step);
Flow execMbarrierArrive(Step &step);
Flow execMbarrierExpect(Step &step);
Flow execMbarrierTest(Step &step);
bool prepareMbarrierArrive(Detail &detail, std::string &message);
bool prepareMbarrierTest(Detail &detail, std::string &message);

// ExecBulk.cpp: cp.async.bulk
Flow execBulkLoad(Step &step);
Flow execTensorLoad(Step &step);
Flow execBulkStore(Step &step);
Flow execTensorStore(Step &step);
Flow execBulkCommit(Step &step);
Flow execBulkWait(Step &step);
bool prepareTensor(Detail &detail, std::string &message);

// ExecWgmma.cpp
Flow execWgmma(Step &step);
Flow execWgmmaFence(Step &step);
Flow execWgmmaCommit(Step &step);
Flow execWgmmaWait(Step &step);
Flow execSetMaxRegisters(Step &step);
bool prepareWgmma(Detail &detail, std::string &message);

/// All 32 lanes execute it; else a finding.
bool wholeWarp(const Step &step);
/// A lane's address as an offset in shared memory; all ones beyond 32 bits.
uint32_t sharedOffset(const Step &step, const Argument &arg, int lane);

/// For instructions that name the lanes that take part: true when all of them
/// are here. Else the path waits for the others; return `flow`.
bool haveMembers(Step &step, uint32_t members, Flow &flow);

}  // namespace adze::ptx
