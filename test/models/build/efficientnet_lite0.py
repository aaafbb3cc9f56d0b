"""EfficientNet-Lite0 (https://github.com/tensorflow/tpu, efficientnet/lite):
the published PyTorch weights as an ONNX graph with a free batch."""

import re

import numpy as np

from .graph import FLOAT, GraphWriter
from .state_dict import load_torch

# Per stage: blocks, stride of the first; the paper's table. Kernel sizes and
# widths are those of the weights.
_STAGES = [(1, 1), (2, 2), (2, 2), (3, 2), (3, 1), (4, 2), (1, 1)]


class _Network(GraphWriter):
    def __init__(self, weights):
        super().__init__("efficientnet_lite0")
        self.weights = weights

    def weight(self, name):
        return self.constant(self.weights[name], name)

    def convolution(self, x, name, norm, stride=1, activate=True):
        shape = self.weights[f"{name}.weight"].shape
        kernel, groups = shape[2], shape[0] if shape[1] == 1 else 1
        # TensorFlow's SAME for even sizes: the odd element goes to the end.
        padding = max(kernel - stride, 0)
        before, after = padding // 2, padding - padding // 2
        x = self.op("Conv", x, self.weight(f"{name}.weight"), kernel_shape=[kernel, kernel],
                    strides=[stride, stride], pads=[before, before, after, after], group=groups)
        parts = [self.weight(f"{norm}.{p}") for p in ("weight", "bias", "running_mean", "running_var")]
        x = self.op("BatchNormalization", x, *parts, epsilon=1e-3)
        if not activate:
            return x
        low, high = self.constant(np.float32(0), "zero"), self.constant(np.float32(6), "six")
        return self.op("Clip", x, low, high)

    def block(self, x, prefix, stride):
        y, norms = x, iter((f"{prefix}._bn0", f"{prefix}._bn1", f"{prefix}._bn2"))
        expand = f"{prefix}._expand_conv"
        if f"{expand}.weight" in self.weights:
            y = self.convolution(y, expand, next(norms))
        else:
            next(norms)
        depthwise = self.weights[f"{prefix}._depthwise_conv.weight"].shape[0]
        y = self.convolution(y, f"{prefix}._depthwise_conv", next(norms), stride)
        y = self.convolution(y, f"{prefix}._project_conv", next(norms), activate=False)
        width = self.weights.get(f"{expand}.weight", np.empty((0, depthwise))).shape[1]
        same = width == self.weights[f"{prefix}._project_conv.weight"].shape[0]
        return self.op("Add", y, x) if stride == 1 and same else y


def build(source, target):
    net = _Network(load_torch(source))
    strides = [s if i == 0 else 1 for count, s in _STAGES for i in range(count)]
    blocks = {int(m[1]) for k in net.weights if (m := re.match(r"_blocks\.(\d+)\.", k))}
    assert blocks == set(range(len(strides)))
    x = net.convolution("input", "_conv_stem", "_bn0", 2)
    for index, stride in enumerate(strides):
        x = net.block(x, f"_blocks.{index}", stride)
    x = net.convolution(x, "_conv_head", "_bn1")
    x = net.op("Flatten", net.op("GlobalAveragePool", x))
    net.op("Gemm", x, net.weight("_fc.weight"), net.weight("_fc.bias"), transB=1, output="logits")
    net.save(target, [("input", FLOAT, ["N", 3, 224, 224])], [("logits", FLOAT, ["N", 1000])], 17)
