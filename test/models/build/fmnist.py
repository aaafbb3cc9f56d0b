"""A small MobileNetV2 (Sandler et al. 2018, arXiv:1801.04381) for Fashion-MNIST, trained
here with numpy on the data of Debian's package, then written as an ONNX graph with
batch normalisations of their own. Some minutes on one core."""

import gzip
import pathlib

import numpy as np

from .graph import FLOAT, GraphWriter

_EPOCHS, _BATCH, _RATE, _MOMENTUM, _DECAY, _EPSILON = 1, 128, 0.3, 0.9, 1e-4, 1e-5
_STEM, _BLOCKS, _WIDER = 16, [(16, 16, 1), (16, 24, 2), (24, 24, 1), (24, 40, 2), (40, 40, 1)], 4


class _Layer:
    """A layer keeps in `run` what `back` needs; parameters have gradients of the same name."""

    def __init__(self):
        self.values, self.gradients, self.speeds = {}, {}, {}

    def step(self, rate):
        for name, value in self.values.items():
            gradient = self.gradients[name] + (_DECAY * value if value.ndim > 1 else 0)
            self.speeds[name] = _MOMENTUM * self.speeds.get(name, 0) + gradient
            value -= (rate * self.speeds[name]).astype(np.float32)


class _Pointwise(_Layer):
    def __init__(self, random, inputs, outputs):
        super().__init__()
        self.values["w"] = random.normal(0, np.sqrt(2 / outputs), (inputs, outputs)).astype(np.float32)

    def run(self, x):
        self.x = x
        return x @ self.values["w"]

    def back(self, g):
        flat = lambda a: a.reshape(-1, a.shape[-1])
        self.gradients["w"] = flat(self.x).T @ flat(g)
        return g @ self.values["w"].T


class _Depthwise(_Layer):
    """3x3, padded by one; of one input channel, each output has its own kernel over it."""

    def __init__(self, random, channels, stride):
        super().__init__()
        self.stride = stride
        self.values["w"] = random.normal(0, np.sqrt(2 / 9), (3, 3, channels)).astype(np.float32)

    def taps(self, shape):
        height, width = (-(-d // self.stride) for d in shape[1:3])
        for i in range(3):
            for j in range(3):
                at = np.s_[:, i:i + self.stride * height:self.stride, j:j + self.stride * width:self.stride]
                yield (i, j), at[:3]

    def run(self, x):
        self.x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
        self.shape = x.shape
        return sum(self.x[at] * self.values["w"][tap] for tap, at in self.taps(x.shape))

    def back(self, g):
        grown = np.zeros(self.x.shape[:3] + g.shape[3:], np.float32)
        self.gradients["w"] = np.empty_like(self.values["w"])
        for tap, at in self.taps(self.shape):
            self.gradients["w"][tap] = (self.x[at] * g).sum((0, 1, 2))
            grown[at] += g * self.values["w"][tap]
        return grown[:, 1:-1, 1:-1]


class _Norm(_Layer):
    def __init__(self, channels):
        super().__init__()
        self.values = {"scale": np.ones(channels, np.float32), "shift": np.zeros(channels, np.float32)}
        self.mean, self.variance = np.zeros(channels, np.float32), np.ones(channels, np.float32)

    def run(self, x):
        mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
        self.mean += 0.1 * (mean - self.mean)
        self.variance += 0.1 * (variance - self.variance)
        self.root = 1 / np.sqrt(variance + _EPSILON)
        self.x = (x - mean) * self.root
        return self.x * self.values["scale"] + self.values["shift"]

    def back(self, g):
        self.gradients = {"scale": (g * self.x).sum((0, 1, 2)), "shift": g.sum((0, 1, 2))}
        count = g.size / g.shape[-1]
        centred = g - (self.gradients["shift"] + self.x * self.gradients["scale"]) / count
        return centred * (self.values["scale"] * self.root)


class _Relu6(_Layer):
    def run(self, x):
        self.open = (x > 0) & (x < 6)
        return np.clip(x, 0, 6)

    def back(self, g):
        return g * self.open


class _Chain(_Layer):
    """Layers one after the other, around which a residual may lead."""

    def __init__(self, layers, residual=False):
        super().__init__()
        self.layers, self.residual = layers, residual

    def run(self, x):
        y = x
        for layer in self.layers:
            y = layer.run(y)
        return x + y if self.residual else y

    def back(self, g):
        inner = g
        for layer in reversed(self.layers):
            inner = layer.back(inner)
        return g + inner if self.residual else inner

    def step(self, rate):
        for layer in self.layers:
            layer.step(rate)


class _Head(_Layer):
    """Mean over the image, and ten logits."""

    def __init__(self, random, channels):
        super().__init__()
        self.values = {"w": random.normal(0, 0.1, (channels, 10)).astype(np.float32),
                       "b": np.zeros(10, np.float32)}

    def run(self, x):
        self.shape, self.x = x.shape, x.mean((1, 2))
        return self.x @ self.values["w"] + self.values["b"]

    def back(self, g):
        self.gradients = {"w": self.x.T @ g, "b": g.sum(0)}
        _, height, width, _ = self.shape
        spread = (g @ self.values["w"].T)[:, None, None] / (height * width)
        return np.broadcast_to(spread, self.shape)


def _block(random, inputs, outputs, stride):
    wide = inputs * _WIDER
    return _Chain([_Pointwise(random, inputs, wide), _Norm(wide), _Relu6(),
                   _Depthwise(random, wide, stride), _Norm(wide), _Relu6(),
                   _Pointwise(random, wide, outputs), _Norm(outputs)],
                  residual=stride == 1 and inputs == outputs)


def _network(random):
    blocks = [_block(random, *sizes) for sizes in _BLOCKS]
    return _Chain([_Depthwise(random, _STEM, 2), _Norm(_STEM), _Relu6(), *blocks,
                   _Head(random, _BLOCKS[-1][1])])


def _train(net, images, labels, random):
    steps = _EPOCHS * (len(images) // _BATCH)
    for step in range(steps):
        if step % (steps // _EPOCHS) == 0:
            order = random.permutation(len(images))
        at = step % (steps // _EPOCHS) * _BATCH
        chosen = order[at:at + _BATCH]
        logits = net.run(images[chosen])
        shares = np.exp(logits - logits.max(1, keepdims=True))
        shares /= shares.sum(1, keepdims=True)
        shares[np.arange(_BATCH), labels[chosen]] -= 1
        net.back(shares.astype(np.float32) / _BATCH)
        # Up for a third of the way, then down to nothing.
        net.step(_RATE * min(3 * (step + 1) / steps, 1.5 * (1 - step / steps)))


def _write(layers, net, x):
    for layer in layers:
        if isinstance(layer, _Chain):
            y = _write(layer.layers, net, x)
            x = net.op("Add", x, y) if layer.residual else y
        elif isinstance(layer, _Pointwise):
            x = net.op("Conv", x, net.constant(layer.values["w"].T[:, :, None, None]))
        elif isinstance(layer, _Depthwise):
            w = layer.values["w"]
            groups = 1 if len(net.nodes) == 0 else w.shape[2]
            x = net.op("Conv", x, net.constant(w.transpose(2, 0, 1)[:, None]), pads=[1, 1, 1, 1],
                       strides=[layer.stride] * 2, group=groups)
        elif isinstance(layer, _Norm):
            parts = [layer.values["scale"], layer.values["shift"], layer.mean, layer.variance]
            x = net.op("BatchNormalization", x, *map(net.constant, parts), epsilon=_EPSILON)
        elif isinstance(layer, _Relu6):
            x = net.op("Clip", x, net.constant(np.float32(0), "zero"), net.constant(np.float32(6), "six"))
        else:
            pooled = net.op("Flatten", net.op("GlobalAveragePool", x))
            net.op("Gemm", pooled, net.constant(layer.values["w"]), net.constant(layer.values["b"]),
                   output="logits")
    return x


def read_images(path):
    """Images of an IDX file, NHWC, in [-0.5, 0.5]."""
    raw = np.frombuffer(gzip.open(path).read(), np.uint8, offset=16)
    return (raw.reshape(-1, 28, 28, 1) / np.float32(255) - np.float32(0.5)).astype(np.float32)


def read_labels(path):
    return np.frombuffer(gzip.open(path).read(), np.uint8, offset=8).astype(np.int64)


def build(source, target):
    """source: the folder of the four files."""
    random = np.random.default_rng(0)
    folder = pathlib.Path(source)
    net = _network(random)
    _train(net, read_images(folder / "train-images-idx3-ubyte.gz"),
           read_labels(folder / "train-labels-idx1-ubyte.gz"), random)
    graph = GraphWriter("fmnist_mbv2")
    _write(net.layers, graph, "x")
    graph.save(target, [("x", FLOAT, ["N", 1, 28, 28])], [("logits", FLOAT, ["N", 10])], 13)
