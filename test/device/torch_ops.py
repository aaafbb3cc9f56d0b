"""The ONNX operators that torch_peer.py writes as torch functions: each a function that
gives the Python text of its results. Shapes, and what no input decides, are numbers there."""

import numpy as np


class NotWritten(Exception):
    """What no function here does."""


class Node:
    """One node, its operands as text, numbers or shapes."""

    def __init__(self, writer, node):
        self.writer, self.op = writer, node["op"]
        self.inputs, self.outputs, self.attributes = node["inputs"], node["outputs"], node["attributes"]

    def has(self, i):
        return i < len(self.inputs) and self.inputs[i] != ""

    def text(self, i):
        """The operand; None where there is none."""
        return self.writer.name(self.inputs[i]) if self.has(i) else "None"

    def shape(self, i=0):
        return self.writer.shape(self.inputs[i])

    def rank(self, i=0):
        return len(self.shape(i))

    def result_shape(self, i=0):
        return self.writer.shape(self.outputs[i])

    def is_float(self, i=0):
        return self.writer.type(self.inputs[i]).startswith("float")

    def get(self, name, default=None):
        return self.attributes.get(name, default)

    def fixed(self, i):
        """The operand's numbers."""
        value = self.writer.weights.get(self.inputs[i])
        if value is None:
            raise NotWritten(f"{self.op} with a computed operand {i}")
        return value

    def numbers(self, name, i, default=None):
        """A list that is an attribute in old versions and an operand in new ones."""
        if name in self.attributes:
            value = self.attributes[name]
            return value if isinstance(value, list) else [value]
        return [int(v) for v in np.ravel(self.fixed(i))] if self.has(i) else default

    def number(self, name, i, default=None):
        if name in self.attributes:
            return self.attributes[name]
        return float(np.ravel(self.fixed(i))[0]) if self.has(i) else default

    def axis(self, default):
        axis = self.get("axis", default)
        return axis + self.rank() if axis < 0 else axis

    def scalar(self, i):
        """The operand, as a number where that gives the same."""
        value = self.writer.weights.get(self.inputs[i])
        if value is not None and value.size == 1 and value.ndim <= len(self.result_shape()) and value.dtype == np.float32:
            return literal(float(value.reshape(())))
        return self.text(i)


def require(node, condition, what):
    if not condition:
        raise NotWritten(f"{node.op} {what}")


def literal(value):
    return f"float('{value}')" if value is not None and np.isinf(value) else repr(value)


OPS = {}
TUPLES = ("Split", "LSTM", "GRU")  # the text gives all results; of others the first alone is written


def op(*names):
    def add(function):
        OPS.update({name: function for name in names})
        return function
    return add


# ---- element by element

FUNCTIONS = {"Relu": "torch.relu", "Sigmoid": "torch.sigmoid", "Tanh": "torch.tanh", "Erf": "torch.erf", "Sqrt": "torch.sqrt",
             "Neg": "torch.neg", "Exp": "torch.exp", "Log": "torch.log", "Abs": "torch.abs", "HardSwish": "F.hardswish",
             "IsNaN": "torch.isnan", "Not": "torch.logical_not", "And": "torch.logical_and", "Or": "torch.logical_or",
             "Where": "torch.where", "Equal": "torch.eq", "GreaterOrEqual": "torch.ge"}
OPERATORS = {"Add": "+", "Sub": "-", "Mul": "*"}


@op(*FUNCTIONS)
def function(n):
    return f"{FUNCTIONS[n.op]}({', '.join(n.text(i) for i in range(len(n.inputs)))})"


@op(*OPERATORS)
def operator(n):
    return f"{n.scalar(0)} {OPERATORS[n.op]} {n.scalar(1)}"


@op("Div")
def div(n):
    if n.is_float():
        return f"{n.scalar(0)} / {n.scalar(1)}"
    return f"torch.div({n.text(0)}, {n.text(1)}, rounding_mode='trunc')"


@op("Pow")
def power(n):
    return f"torch.pow({n.text(0)}, {n.scalar(1)})"


@op("Sum")
def total(n):
    return " + ".join(n.text(i) for i in range(len(n.inputs)))


@op("Max")
def most(n):
    text = n.text(0)
    for i in range(1, len(n.inputs)):
        text = f"torch.maximum({text}, {n.text(i)})"
    return text


@op("Identity", "Dropout")
def same(n):
    return n.text(0)


@op("Cast")
def cast(n):
    kinds = {1: "float32", 6: "int32", 7: "int64", 9: "bool", 10: "float16", 11: "float64"}
    require(n, n.get("to") in kinds, f"to type {n.get('to')}")
    return f"{n.text(0)}.to(torch.{kinds[n.get('to')]})"


@op("Clip")
def clip(n):
    return f"torch.clamp({n.text(0)}, {literal(n.number('min', 1))}, {literal(n.number('max', 2))})"


@op("HardSigmoid")
def hard_sigmoid(n):
    alpha, beta = n.get("alpha", 0.2), n.get("beta", 0.5)
    if abs(alpha - 1 / 6) < 1e-6 and beta == 0.5:
        return f"F.hardsigmoid({n.text(0)})"
    return f"torch.clamp({n.text(0)} * {alpha} + {beta}, 0.0, 1.0)"


# ---- products

def padding(n, rank, i=0):
    """(begins, ends), also where the attribute only says how."""
    how = n.get("auto_pad", "NOTSET")
    if how == "VALID":
        return [0] * rank, [0] * rank
    if how == "NOTSET":
        pads = n.get("pads", [0] * 2 * rank)
        return pads[:rank], pads[rank:]
    kernel = n.get("kernel_shape") or n.shape(1)[2:]
    strides, dilations = n.get("strides", [1] * rank), n.get("dilations", [1] * rank)
    sums = [max(0, (-(-size // s) - 1) * s + (k - 1) * d + 1 - size)
            for size, k, s, d in zip(n.shape(i)[2:], kernel, strides, dilations)]
    small = [s // 2 for s in sums]
    large = [s - b for s, b in zip(sums, small)]
    return (small, large) if how == "SAME_UPPER" else (large, small)


def padded(text, begins, ends, mode="constant", value=0.0):
    """F.pad takes the last dimension first."""
    pads = [p for b, e in zip(reversed(begins), reversed(ends)) for p in (b, e)]
    while pads[-2:] == [0, 0]:
        pads = pads[:-2]
    if not pads:
        return text
    return f"F.pad({text}, {pads}, mode='{mode}'{f', value={literal(value)}' if mode == 'constant' else ''})"


@op("Conv")
def conv(n):
    rank = n.rank() - 2
    require(n, rank in (1, 2, 3), f"of {rank} dimensions")
    begins, ends = padding(n, rank)
    x = n.text(0)
    if begins != ends:
        x, begins = padded(x, begins, ends), [0] * rank
    return (f"F.conv{rank}d({x}, {n.text(1)}, {n.text(2)}, {n.get('strides', [1] * rank)}, {begins}, "
            f"{n.get('dilations', [1] * rank)}, {n.get('group', 1)})")


@op("ConvTranspose")
def conv_transpose(n):
    rank = n.rank() - 2
    begins, ends = padding(n, rank)
    require(n, begins == ends and "output_shape" not in n.attributes, "with uneven padding")
    return (f"F.conv_transpose{rank}d({n.text(0)}, {n.text(1)}, {n.text(2)}, {n.get('strides', [1] * rank)}, {begins}, "
            f"{n.get('output_padding', [0] * rank)}, {n.get('group', 1)}, {n.get('dilations', [1] * rank)})")


@op("MatMul")
def matmul(n):
    return f"torch.matmul({n.text(0)}, {n.text(1)})"


@op("Gemm")
def gemm(n):
    a, b = (n.text(i) + (".t()" if n.get(name, 0) else "") for i, name in enumerate(("transA", "transB")))
    alpha, beta = n.get("alpha", 1.0), n.get("beta", 1.0)
    product = f"torch.matmul({a}, {b})" + (f" * {alpha}" if alpha != 1 else "")
    if not n.has(2):
        return product
    if alpha == beta == 1:
        return f"torch.addmm({n.text(2)}, {a}, {b})"
    return f"{product} + {n.text(2)} * {beta}"


@op("Einsum")
def einsum(n):
    return f"torch.einsum('{n.get('equation')}', {', '.join(n.text(i) for i in range(len(n.inputs)))})"


# ---- normalisation, reduction, pooling

@op("BatchNormalization")
def batch_normalization(n):
    x, scale, bias, mean, variance = (n.text(i) for i in range(5))
    return f"F.batch_norm({x}, {mean}, {variance}, {scale}, {bias}, False, 0.0, {n.get('epsilon', 1e-5)})"


@op("LayerNormalization")
def layer_normalization(n):
    return f"F.layer_norm({n.text(0)}, {n.shape()[n.axis(-1):]}, {n.text(1)}, {n.text(2)}, {n.get('epsilon', 1e-5)})"


@op("LRN")
def local_response(n):
    return f"F.local_response_norm({n.text(0)}, {n.get('size')}, {n.get('alpha', 1e-4)}, {n.get('beta', 0.75)}, {n.get('bias', 1.0)})"


@op("Softmax")
def softmax(n):
    if n.writer.opset >= 13:
        return f"torch.softmax({n.text(0)}, {n.axis(-1)})"
    axis = n.axis(1)  # and all after it
    if axis == n.rank() - 1:
        return f"torch.softmax({n.text(0)}, {axis})"
    return f"torch.softmax({n.text(0)}.flatten({axis}), {axis}).reshape({n.shape()})"


@op("ReduceMean", "ReduceSum", "ReduceMax", "ReduceL2")
def reduce(n):
    axes = n.numbers("axes", 1, list(range(n.rank())))
    keep = bool(n.get("keepdims", 1))
    name = {"ReduceMean": "torch.mean", "ReduceSum": "torch.sum", "ReduceMax": "torch.amax"}.get(n.op)
    if name:
        return f"{name}({n.text(0)}, {axes}, keepdim={keep})"
    return f"torch.linalg.vector_norm({n.text(0)}, 2, {axes}, keepdim={keep})"


@op("GlobalAveragePool")
def global_average(n):
    return f"torch.mean({n.text(0)}, {list(range(2, n.rank()))}, keepdim=True)"


@op("MaxPool", "AveragePool")
def pool(n):
    rank = n.rank() - 2
    require(n, len([o for o in n.outputs if o]) == 1, "with places")
    begins, ends = padding(n, rank)
    x, strides = n.text(0), n.get("strides", [1] * rank)
    tail = bool(n.get("ceil_mode", 0))
    if n.op == "MaxPool":
        if begins != ends:
            x, begins = padded(x, begins, ends, value=float("-inf")), [0] * rank
        return f"F.max_pool{rank}d({x}, {n.get('kernel_shape')}, {strides}, {begins}, {n.get('dilations', [1] * rank)}, {tail})"
    require(n, begins == ends and n.get("dilations", [1] * rank) == [1] * rank, "with uneven padding")
    return f"F.avg_pool{rank}d({x}, {n.get('kernel_shape')}, {strides}, {begins}, {tail}, {bool(n.get('count_include_pad', 0))})"


@op("Resize")
def resize(n):
    old, new = n.shape(), n.result_shape()
    require(n, old[:2] == new[:2], "of other than spatial dimensions")
    how, place = n.get("mode", "nearest"), n.get("coordinate_transformation_mode", "half_pixel")
    if how == "nearest":
        for a, b in zip(old[2:], new[2:]):
            require(n, nearest(n, place, a, b) == [i * a // b for i in range(b)], f"by {place}, {n.get('nearest_mode')}")
        return f"F.interpolate({n.text(0)}, size={new[2:]}, mode='nearest')"
    require(n, how == "linear" and place in ("half_pixel", "pytorch_half_pixel", "align_corners"), f"{how}, {place}")
    kind = {1: "linear", 2: "bilinear"}.get(len(old) - 2)
    require(n, kind, f"of {len(old) - 2} dimensions")
    return f"F.interpolate({n.text(0)}, size={new[2:]}, mode='{kind}', align_corners={place == 'align_corners'})"


def nearest(n, place, old, new):
    """Which elements ONNX takes."""
    i = np.arange(new)
    x = {"asymmetric": i * old / new, "align_corners": i * (old - 1) / max(new - 1, 1)}.get(place, (i + 0.5) * old / new - 0.5)
    rounded = {"floor": np.floor, "ceil": np.ceil, "round_prefer_ceil": lambda v: np.floor(v + 0.5)}.get(
        n.get("nearest_mode", "round_prefer_floor"), lambda v: np.ceil(v - 0.5))(x)
    return [int(v) for v in np.clip(rounded, 0, old - 1)]


# ---- shapes and places

@op("Reshape", "Squeeze", "Unsqueeze", "Flatten")
def reshape(n):
    return f"{n.text(0)}.reshape({n.result_shape()})"


@op("Expand")
def expand(n):
    # One of the operands may be larger in each dimension.
    return f"{n.text(0)}.expand({n.result_shape()})"


@op("Transpose")
def transpose(n):
    return f"{n.text(0)}.permute({n.get('perm', list(reversed(range(n.rank()))))})"


@op("Concat")
def concat(n):
    return f"torch.cat([{', '.join(n.text(i) for i in range(len(n.inputs)))}], {n.axis(0)})"


@op("Split")
def split(n):
    axis = n.axis(0)
    return f"torch.split({n.text(0)}, {[n.result_shape(i)[axis] for i in range(len(n.outputs))]}, {axis})"


@op("Slice")
def cut(n):
    starts, ends = n.numbers("starts", 1), n.numbers("ends", 2)
    axes, steps = n.numbers("axes", 3, list(range(len(starts)))), n.numbers("steps", 4, [1] * len(starts))
    parts = [":"] * n.rank()
    for start, end, axis, step in zip(starts, ends, axes, steps):
        require(n, step > 0, "backwards")
        size = n.shape()[axis]
        start, end = (min(max(v + size if v < 0 else v, 0), size) for v in (start, end))
        parts[axis] = f"{start}:{end}" + (f":{step}" if step != 1 else "")
    return f"{n.text(0)}[{', '.join(parts)}]"


@op("Gather")
def gather(n):
    axis, indices = n.axis(0), n.writer.weights.get(n.inputs[1])
    if indices is not None and indices.ndim == 0:
        return f"torch.select({n.text(0)}, {axis}, {int(indices)})"
    if axis == 0 and n.inputs[0] in n.writer.weights and n.rank() == 2:
        return f"F.embedding({n.text(1)}, {n.text(0)})"
    return f"torch.index_select({n.text(0)}, {axis}, {n.text(1)}.reshape(-1)).reshape({n.result_shape()})"


@op("Pad")
def pad(n):
    pads, rank = n.numbers("pads", 1), n.rank()
    mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}.get(n.get("mode", "constant"))
    require(n, mode and not n.has(3), f"{n.get('mode')} of some axes")
    if min(pads) < 0:
        require(n, mode == "constant", "by less than nothing")
    return padded(n.text(0), pads[:rank], pads[rank:], mode, float(n.number("value", 2, 0.0)))


# ---- recurrence

@op("LSTM", "GRU")
def recurrence(n):
    """ONNX's gates i, o, f, c are torch's i, f, c, o; z, r, h are r, z, h."""
    gates = [0, 2, 3, 1] if n.op == "LSTM" else [1, 0, 2]
    hidden, both = n.get("hidden_size"), n.get("direction", "forward") == "bidirectional"
    require(n, not n.has(4) and "activations" not in n.attributes and n.get("direction", "forward") != "reverse", "with lengths, activations or backwards")
    require(n, not n.get("layout", 0) and (n.op == "LSTM" or n.get("linear_before_reset", 0)), "of this form")

    def ordered(x):
        return np.concatenate([x[g * hidden:(g + 1) * hidden] for g in gates])

    w, r = n.fixed(1), n.fixed(2)
    b = n.fixed(3) if n.has(3) else np.zeros((w.shape[0], 2 * len(gates) * hidden), w.dtype)
    weights = []
    for d in range(w.shape[0]):
        half = b.shape[1] // 2
        weights += [n.writer.constant(ordered(x)) for x in (w[d], r[d], b[d][:half], b[d][half:])]
    steps, batch = n.shape()[:2]
    zeros = n.writer.constant(np.zeros((w.shape[0], batch, hidden), w.dtype))
    states = [n.text(i) if n.has(i) else zeros for i in ((5, 6) if n.op == "LSTM" else (5,))]
    state = f"({', '.join(states)})" if n.op == "LSTM" else states[0]
    call = f"torch.{n.op.lower()}({n.text(0)}, {state}, [{', '.join(weights)}], True, 1, 0.0, False, {both}, False)"
    results = [n.writer.fresh() for _ in range(3 if n.op == "LSTM" else 2)]
    n.writer.line(f"{', '.join(results)} = {call}")
    all_steps = f"{results[0]}.reshape({[steps, batch, w.shape[0], hidden]}).permute(0, 2, 1, 3)"
    return f"({', '.join([all_steps, *results[1:]][:len(n.outputs)])},)"
