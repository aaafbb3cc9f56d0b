#include "targets/cuda/Devices.h"

#include "llvm/ADT/StringExtras.h"
#include "mlir/IR/Builders.h"

#include <algorithm>

using namespace mlir;

namespace adze::cuda {

// Data sheets and the tables of compute capabilities in NVIDIA's programming guide.
// s8 of sm_70 is dp4a, on the ordinary cores. mma.sync of fp8 on sm_90 is emulated
// by ptxas; its tensor cores take fp8 through wgmma. PTX ISA, release notes: 6.3 came with
// sm_75 and brought .sync forms to all, 7.0 with sm_80, 7.8 with sm_89, 8.0 with sm_90a, 8.6 with
// sm_100a, 8.7 with sm_120.
const std::vector<Device> &allDevices() {
  static const std::vector<Device> table = {
      // name     product      SMs warps shared L2  GB/s   f32   f16   bf16  tf32  int8  fp8
      {"sm_70", "V100 SXM2", 80, 64, 96, 6, 900, 15.7, 125, 0, 0, 0, 0, false, false, 64},
      {"sm_75", "T4", 40, 32, 64, 4, 320, 8.1, 65, 0, 0, 130, 0, false, false, 65},
      {"sm_80", "A100 SXM", 108, 64, 163, 40, 2039, 19.5, 312, 312, 156, 624, 0, true, false, 71},
      {"sm_86", "A10", 72, 48, 99, 6, 600, 31.2, 125, 125, 62.5, 250, 0, true, false, 71},
      {"sm_89", "L4", 58, 48, 99, 48, 300, 30.3, 121, 121, 60, 242, 242, true, false, 78},
      {"sm_90a", "H100 SXM", 132, 64, 227, 50, 3350, 66.9, 989, 989, 494, 1979, 1979, true, true,
       80},
      {"sm_100a", "B200", 148, 64, 227, 126, 8000, 80, 2250, 2250, 1100, 4500, 4500, true, false,
       86},
      {"sm_120", "RTX 5090", 170, 48, 99, 96, 1792, 104.8, 209.5, 209.5, 104.8, 838, 419, true,
       false, 87},
  };
  return table;
}

const Device *findDevice(std::string_view name) {
  for (const Device &device : allDevices())
    if (device.name == name) return &device;
  return nullptr;
}

int chipOf(const Device &device) {
  int chip = 0;
  StringRef(device.name.data(), device.name.size())
      .drop_front(3)
      .take_while(llvm::isDigit)
      .getAsInteger(10, chip);
  return chip;
}

schedule::MachineModel machineOf(const Device &device) {
  constexpr int64_t kWarp = 32;
  schedule::MachineModel m;
  m.vectorBits = 128;  // the widest load of a thread
  m.vectorRegisters = 32;
  m.maskBits = 0;
  m.packsWeights = 0;
  m.simtWidth = kWarp;
  // Half of the threads that fit hide the latency of memory.
  m.threads = int64_t(device.multiprocessors) * device.warpsPerMultiprocessor * kWarp / 2;
  m.l2Bytes = int64_t(device.l2Mib) << 20;
  // A launch is 2.5 us, of an H100.
  m.launchBytes = int64_t(device.memoryGBs) * 2500;
  m.scoreDepth = device.asyncCopies ? kMostAttentionDepth : 0;
  return m;
}

DictionaryAttr attributesOf(const Device &device, MLIRContext *context) {
  Builder b(context);
  SmallVector<NamedAttribute> list(machineOf(device).toAttr(context).getValue());
  auto number = [&](StringRef key, int64_t v) {
    list.push_back(b.getNamedAttr(key, b.getI64IntegerAttr(v)));
  };
  auto rate = [&](StringRef key, double v) {
    list.push_back(b.getNamedAttr(key, b.getF64FloatAttr(v)));
  };
  list.push_back(
      b.getNamedAttr("device", b.getStringAttr(StringRef(device.name.data(), device.name.size()))));
  number("multiprocessors", device.multiprocessors);
  number("shared_bytes", int64_t(device.sharedKib) << 10);
  number("memory_gb_s", device.memoryGBs);
  rate("f32_tflops", device.f32Tflops);
  rate("f16_tflops", device.f16Tflops);
  rate("bf16_tflops", device.bf16Tflops);
  rate("tf32_tflops", device.tf32Tflops);
  rate("int8_tops", device.int8Tops);
  rate("fp8_tflops", device.fp8Tflops);
  list.push_back(b.getNamedAttr("async_copies", b.getBoolAttr(device.asyncCopies)));
  list.push_back(b.getNamedAttr("wgmma", b.getBoolAttr(device.wgmma)));
  return b.getDictionaryAttr(list);
}

}  // namespace adze::cuda
