"""SmolLM2-135M-Instruct, a language model of the Llama kind: the published 4-bit
weights, expanded to float32, as an ONNX graph with free batch and sequence and
its weights in a file of their own."""

import numpy as np

from .gguf import Gguf
from .graph import FLOAT, INT64, GraphWriter

_POSITIONS = 2048


class _Decoder(GraphWriter):
    def __init__(self, source):
        super().__init__("smollm2_135m")
        self.file = Gguf(source)
        setting = lambda name: self.file.metadata[f"llama.{name}"]
        self.layers = setting("block_count")
        self.heads, self.groups = setting("attention.head_count"), setting("attention.head_count_kv")
        self.width = setting("embedding_length")
        self.head_size = self.width // self.heads
        self.epsilon = setting("attention.layer_norm_rms_epsilon")
        self.base = setting("rope.freq_base")

    def ints(self, *values):
        return self.constant(np.array(values, np.int64), "i_" + "_".join(map(str, values)))

    def number(self, value):
        return self.constant(np.float32(value), f"f_{value:.9g}")

    def linear(self, x, name, order=None):
        weight = self.file.tensor(f"{name}.weight")
        if order is not None:
            weight = weight[order]
        return self.op("MatMul", x, self.constant(weight.T, f"{name}.weight"))

    def norm(self, x, name):
        mean = self.op("ReduceMean", self.op("Mul", x, x), self.ints(-1), keepdims=1)
        root = self.op("Sqrt", self.op("Add", mean, self.number(self.epsilon)))
        weight = self.constant(self.file.tensor(f"{name}.weight"), f"{name}.weight")
        return self.op("Mul", self.op("Div", x, root), weight)

    def rotation(self, length):
        """Cosines and sines of every position's angles, cut to the sequence."""
        rates = self.base ** (-np.arange(0, self.head_size, 2) / self.head_size)
        angles = np.outer(np.arange(_POSITIONS), np.concatenate([rates, rates]))
        cut = lambda f, name: self.op("Slice", self.constant(f(angles).astype(np.float32), name),
                                      self.ints(0), length, self.ints(0))
        return cut(np.cos, "cosines"), cut(np.sin, "sines")

    def rotate(self, x, rotation):
        half = self.head_size // 2
        low = self.op("Slice", x, self.ints(0), self.ints(half), self.ints(-1))
        high = self.op("Slice", x, self.ints(half), self.ints(self.head_size), self.ints(-1))
        turned = self.op("Concat", self.op("Neg", high), low, axis=-1)
        return self.op("Add", self.op("Mul", x, rotation[0]), self.op("Mul", turned, rotation[1]))

    def split(self, x, heads):
        x = self.op("Reshape", x, self.ints(0, 0, heads, self.head_size))
        return self.op("Transpose", x, perm=[0, 2, 1, 3])

    def halves_first(self, heads):
        """GGUF keeps the two halves of a head's rotation interleaved."""
        rows = np.arange(heads * self.head_size).reshape(heads, self.head_size // 2, 2)
        return rows.swapaxes(1, 2).reshape(-1)

    def shared(self, x, sizes):
        """Each group's keys or values for all its heads."""
        x = self.op("Expand", self.op("Unsqueeze", x, self.ints(2)), sizes)
        return self.op("Reshape", x, self.ints(0, self.heads, -1, self.head_size))

    def attention(self, x, prefix, rotation, mask, sizes):
        part = lambda name, heads, order=None: self.split(
            self.linear(x, f"{prefix}.attn_{name}", order), heads)
        query = self.rotate(part("q", self.heads, self.halves_first(self.heads)), rotation)
        key = self.rotate(part("k", self.groups, self.halves_first(self.groups)), rotation)
        key, value = self.shared(key, sizes), self.shared(part("v", self.groups), sizes)
        scores = self.op("MatMul", query, self.op("Transpose", key, perm=[0, 1, 3, 2]))
        scores = self.op("Add", self.op("Mul", scores, self.number(self.head_size**-0.5)), mask)
        mixed = self.op("MatMul", self.op("Softmax", scores, axis=-1), value)
        mixed = self.op("Reshape", self.op("Transpose", mixed, perm=[0, 2, 1, 3]),
                        self.ints(0, 0, self.width))
        return self.linear(mixed, f"{prefix}.attn_output")

    def feed_forward(self, x, prefix):
        gate = self.linear(x, f"{prefix}.ffn_gate")
        gate = self.op("Mul", gate, self.op("Sigmoid", gate))
        return self.linear(self.op("Mul", gate, self.linear(x, f"{prefix}.ffn_up")), f"{prefix}.ffn_down")

    def extent(self, axis):
        shape = self.op("Shape", "input_ids")
        return self.op("Slice", shape, self.ints(axis), self.ints(axis + 1), self.ints(0))

    def decode(self):
        batch, length = self.extent(0), self.extent(1)
        rotation = self.rotation(length)
        square = self.op("Concat", length, length, axis=0)
        ones = self.op("Expand", self.number(-1e9), square)
        mask = self.op("Trilu", ones, self.constant(np.array(1, np.int64), "one"), upper=1)
        sizes = self.op("Concat", batch, self.ints(self.groups, self.heads // self.groups), length,
                        self.ints(self.head_size), axis=0)
        table = self.constant(self.file.tensor("token_embd.weight"), "token_embd.weight")
        x = self.op("Gather", table, "input_ids")
        for layer in range(self.layers):
            name = f"blk.{layer}"
            attended = self.attention(self.norm(x, f"{name}.attn_norm"), name, rotation, mask, sizes)
            x = self.op("Add", x, attended)
            x = self.op("Add", x, self.feed_forward(self.norm(x, f"{name}.ffn_norm"), name))
        # The embedding's rows are the output's columns as well.
        self.op("MatMul", self.norm(x, "output_norm"), self.op("Transpose", table, perm=[1, 0]),
                output="logits")
        return len(self.file.metadata["tokenizer.ggml.tokens"])


def build(source, target):
    net = _Decoder(source)
    words = net.decode()
    net.save(target, [("input_ids", INT64, ["batch", "seq"])],
             [("logits", FLOAT, ["batch", "seq", words])], 18, data=target.with_suffix(".data"))
