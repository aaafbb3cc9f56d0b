#include "targets/cuda/tile/Operand.h"

using namespace mlir;

namespace adze::cuda {

/// `pointer` + index elements, i64.
static Value elementAt(Kit &kit, Value pointer, Type element, Value index) {
  return kit.offset(pointer, kit.mul(index, kit.i64(bytesOf(element))));
}

Operand stridedOperand(Value pointer, Type element, bool alongK, Extent stride, Extent batchStride,
                       int64_t alignment) {
  Operand o{element, alongK, alignment, {}, {}};
  o.prepare = [=](Kit &kit, Value batch, Value row) -> SmallVector<Value> {
    Value start = elementAt(kit, pointer, element, kit.mulWide(batch, batchStride));
    Value index = alongK ? kit.mulWide(row, stride) : kit.wide(row);
    return {elementAt(kit, start, element, index)};
  };
  o.place = [=](Kit &kit, ValueRange prepared, Value k) -> Place {
    Value index = alongK ? kit.wide(k) : kit.mulWide(k, stride);
    return {elementAt(kit, prepared[0], element, index), {}};
  };
  return o;
}

Operand panelOperand(Value pointer, Type element, int64_t panel, Extent depth, Extent batchStride,
                     int64_t alignment) {
  Operand o{element, /*alongK=*/false, alignment, {}, {}};
  o.prepare = [=](Kit &kit, Value batch, Value row) -> SmallVector<Value> {
    Value start = elementAt(kit, pointer, element, kit.mulWide(batch, batchStride));
    Value index = kit.mul(kit.mulWide(kit.div(row, panel), depth), kit.i64(panel));
    return {elementAt(kit, start, element, kit.add(index, kit.wide(kit.rem(row, panel))))};
  };
  o.place = [=](Kit &kit, ValueRange prepared, Value k) -> Place {
    return {elementAt(kit, prepared[0], element, kit.mulWide(k, Extent::of(panel))), {}};
  };
  return o;
}

Operand sharedOperand(Operand operand, int64_t group) {
  auto prepare = operand.prepare;
  operand.prepare = [=](Kit &kit, Value batch, Value row) {
    return prepare(kit, kit.div(batch, group), row);
  };
  return operand;
}

Operand convolutionOperand(Value pointer, Type element, const ConvolutionShape &s,
                           int64_t alignment) {
  Operand o{element, /*alongK=*/true, alignment, {}, {}};
  // The image's first element of the group, and the window's top left corner, which may be
  // negative.
  o.prepare = [=](Kit &kit, Value batch, Value row) -> SmallVector<Value> {
    Value width = kit.value(s.outWidth), height = kit.value(s.outHeight);
    Value x = kit.rem(row, width), line = kit.div(row, width);
    Value y = kit.rem(line, height), image = kit.div(line, height);
    Value index = kit.mul(kit.mulWide(image, s.height), kit.wide(kit.value(s.width)));
    index = kit.mul(index, kit.wide(kit.value(s.channels)));
    index = kit.add(index, kit.mulWide(batch, s.groupChannels));
    return {elementAt(kit, pointer, element, index),
            kit.sub(kit.mul(y, s.strideY), kit.value(s.padTop)),
            kit.sub(kit.mul(x, s.strideX), kit.value(s.padLeft))};
  };
  o.place = [=](Kit &kit, ValueRange prepared, Value k) -> Place {
    Value channels = kit.value(s.groupChannels);
    Value tap = kit.div(k, channels), channel = kit.rem(k, channels);
    Value y = kit.add(prepared[1], kit.mul(kit.div(tap, s.kernelWidth), s.dilationY));
    Value x = kit.add(prepared[2], kit.mul(kit.rem(tap, s.kernelWidth), s.dilationX));
    // Unsigned: a negative coordinate is beyond any extent.
    Value inside = kit.bitAnd(kit.less(y, kit.value(s.height)), kit.less(x, kit.value(s.width)));
    Value index = kit.add(kit.mulWide(y, s.width), kit.wide(x));
    index = kit.add(kit.mul(index, kit.wide(kit.value(s.channels))), kit.wide(channel));
    return {elementAt(kit, prepared[0], element, index), inside};
  };
  return o;
}

}  // namespace adze::cuda
