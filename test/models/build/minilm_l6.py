"""all-MiniLM-L6-v2, a sentence encoder: the published weights as an ONNX graph
with free batch and sequence, as exporters write it."""

import numpy as np

from .graph import FLOAT, INT64, GraphWriter
from .state_dict import load_safetensors

_HEADS, _HEAD_SIZE, _LAYERS = 12, 32, 6


class _Encoder(GraphWriter):
    def __init__(self, weights):
        super().__init__("minilm_l6_v2")
        self.weights = weights

    def weight(self, name):
        return self.constant(self.weights[name], name)

    def ints(self, *values):
        return self.constant(np.array(values, np.int64), "i_" + "_".join(map(str, values)))

    def number(self, value):
        return self.constant(np.float32(value), f"f_{value:.9g}")

    def linear(self, x, name):
        kernel = self.constant(self.weights[f"{name}.weight"].T, f"{name}.weight")
        return self.op("Add", self.op("MatMul", x, kernel), self.weight(f"{name}.bias"))

    def norm(self, x, name):
        return self.op("LayerNormalization", x, self.weight(f"{name}.weight"),
                       self.weight(f"{name}.bias"), axis=-1, epsilon=1e-12)

    def embedding(self):
        table = "embeddings.{}_embeddings.weight".format
        length = self.op("Gather", self.op("Shape", "input_ids"),
                         self.constant(np.array(1, np.int64), "one"), axis=0)
        positions = self.op("Slice", self.weight(table("position")), self.ints(0),
                            self.op("Unsqueeze", length, self.ints(0)), self.ints(0))
        words = self.op("Gather", self.weight(table("word")), "input_ids")
        kinds = self.op("Gather", self.weight(table("token_type")), "token_type_ids")
        total = self.op("Add", self.op("Add", words, kinds), positions)
        return self.norm(total, "embeddings.LayerNorm")

    def heads(self, x, perm):
        split = self.op("Reshape", x, self.ints(0, 0, _HEADS, _HEAD_SIZE))
        return self.op("Transpose", split, perm=perm)

    def attention(self, x, prefix, mask):
        part = lambda name: self.linear(x, f"{prefix}.self.{name}")
        query = self.heads(part("query"), [0, 2, 1, 3])
        key = self.heads(part("key"), [0, 2, 3, 1])
        value = self.heads(part("value"), [0, 2, 1, 3])
        scores = self.op("Mul", self.op("MatMul", query, key), self.number(_HEAD_SIZE**-0.5))
        shares = self.op("Softmax", self.op("Add", scores, mask), axis=-1)
        mixed = self.op("Transpose", self.op("MatMul", shares, value), perm=[0, 2, 1, 3])
        mixed = self.op("Reshape", mixed, self.ints(0, 0, _HEADS * _HEAD_SIZE))
        summed = self.op("Add", self.linear(mixed, f"{prefix}.output.dense"), x)
        return self.norm(summed, f"{prefix}.output.LayerNorm")

    def gelu(self, x):
        erf = self.op("Erf", self.op("Mul", x, self.number(2**-0.5)))
        return self.op("Mul", self.op("Mul", x, self.op("Add", erf, self.number(1))), self.number(0.5))

    def layer(self, x, prefix, mask):
        x = self.attention(x, f"{prefix}.attention", mask)
        y = self.linear(self.gelu(self.linear(x, f"{prefix}.intermediate.dense")),
                        f"{prefix}.output.dense")
        return self.norm(self.op("Add", y, x), f"{prefix}.output.LayerNorm")

    def pool(self, x, mask):
        """Mean over the unmasked tokens, at unit length."""
        weights = self.op("Unsqueeze", mask, self.ints(-1))
        total = self.op("ReduceSum", self.op("Mul", x, weights), self.ints(1), keepdims=0)
        count = self.op("Clip", self.op("ReduceSum", weights, self.ints(1), keepdims=0),
                        self.number(1e-9))
        mean = self.op("Div", total, count)
        length = self.op("ReduceL2", mean, axes=[-1], keepdims=1)
        self.op("Div", mean, length, output="sentence_embedding")


def build(source, target):
    net = _Encoder(load_safetensors(source))
    mask = net.op("Cast", "attention_mask", to=FLOAT)
    inverse = net.op("Sub", net.number(1), net.op("Unsqueeze", mask, net.ints(1, 2)))
    bias = net.op("Mul", inverse, net.number(-10000))
    x = net.embedding()
    for index in range(_LAYERS):
        x = net.layer(x, f"encoder.layer.{index}", bias)
    net.pool(x, mask)
    net.op("Identity", x, output="last_hidden_state")
    tokens = ["batch", "seq"]
    inputs = [(n, INT64, tokens) for n in ("input_ids", "attention_mask", "token_type_ids")]
    outputs = [("last_hidden_state", FLOAT, [*tokens, 384]), ("sentence_embedding", FLOAT, ["batch", 384])]
    net.save(target, inputs, outputs, 17)
