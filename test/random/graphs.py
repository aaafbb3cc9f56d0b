"""Grows random ONNX graphs, node by node. onnxruntime evaluates each node as it
is added, so that a recipe knows shapes and magnitudes, and what onnxruntime does
not take is left out. The same seed gives the same graph."""

import dataclasses
import random

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

MOST_ELEMENTS = 20000
LARGEST = {"float16": 64.0, "float32": 1e4, "float64": 1e4}  # values stay where sums are safe
EXTENTS = [1, 1, 2, 3, 3, 4, 5, 7, 8, 9, 16, 17, 31, 33]
OPSETS = [13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]

# Results are as exact as the operands: elements are moved, or one is chosen.
EXACT = {"Abs", "Clip", "Concat", "DepthToSpace", "Expand", "EyeLike", "Flatten", "Gather",
         "GatherElements", "GatherND", "GlobalMaxPool", "Identity", "Max", "MaxPool", "Min", "Neg",
         "OneHot", "Pad", "ReduceMax", "ReduceMin", "Relu", "Reshape", "ReverseSequence",
         "ScatterElements", "ScatterND", "Slice", "SpaceToDepth", "Split", "Squeeze", "Tile", "TopK",
         "Transpose", "Trilu", "Unsqueeze", "Where", "CenterCropPad", "Compress"}


# What onnxruntime 1.32 computes otherwise than ONNX says.
WRONG = {("Shrink", "float64"): "computes in float32",
         ("HardSwish", "float64"): "takes 1/6 as a float32",
         ("GroupNormalization", "float64"): "computes means in float32",
         ("Gelu", "float64"): "is exact to float32 only"}

# Ops that models have most, and that meet fewest operands.
WEIGHTS = {"Conv": 6, "MatMul": 4, "Gemm": 4, "ConvTranspose": 2, "AveragePool": 2, "MaxPool": 2, "Add": 3,
           "Mul": 3, "Transpose": 3, "Reshape": 3, "Concat": 3, "Slice": 2, "Resize": 2, "Softmax": 2,
           "ReduceMean": 2, "MatMulInteger": 3, "DepthToSpace": 3, "SpaceToDepth": 3, "QuantizeLinear": 3}


class Refused(Exception):
    """onnxruntime does not take the node, or its results are of no use."""


@dataclasses.dataclass
class Value:
    name: str
    array: np.ndarray
    exact: bool = True  # every program has the same elements
    constant: bool = False  # follows from constants and extents alone

    shape = property(lambda self: self.array.shape)
    rank = property(lambda self: self.array.ndim)
    dtype = property(lambda self: self.array.dtype.name)
    is_float = property(lambda self: self.array.dtype.kind == "f")


def session(model):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                        providers=["CPUExecutionProvider"])


def type_of(array):
    return helper.np_dtype_to_tensor_dtype(array.dtype)


def info(value, shape="static"):
    """A graph's input or output: its shape, or one with names for extents, or none."""
    dims = value.shape if shape == "static" else shape
    return helper.make_tensor_value_info(value.name, type_of(value.array), dims)


def model_of(nodes, inputs, outputs, constants, opset):
    graph = helper.make_graph(nodes, "random", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


class Graph:
    """What has grown so far, and the choices that recipes make."""

    def __init__(self, seed, ops):
        """ops: {name: the first opset that has it}"""
        self.random = random.Random(seed)
        self.numbers = np.random.default_rng(seed)
        self.opset = self.pick(OPSETS)
        self.dtype = self.pick(["float32"] * 8 + ["float16", "float64"])
        self.nodes, self.values, self.inputs, self.constants = [], [], [], {}
        self.refused = {}  # op -> the last reason
        self.ops = [op for op in RECIPES if ops.get(op, 1000) <= self.opset
                    for _ in range(WEIGHTS.get(op, 1))]
        self.grow(self.random.randint(5, 40))

    # Choices.

    def pick(self, options):
        return options[self.random.randrange(len(options))]

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def extent(self):
        return self.pick(EXTENTS)

    def choose(self, fits=lambda v: True):
        """A value that fits, a recent one most of the time."""
        for values in ([self.values[-6:], self.values] if self.chance(75) else [self.values]):
            fitting = [v for v in values if fits(v)]
            if fitting:
                return self.pick(fitting)
        raise Refused("nothing fits")

    def real(self, least=0, most=5, exact=False):
        return self.choose(lambda v: v.is_float and least <= v.rank <= most
                           and (v.exact or not exact))

    def whole(self, least=0):
        return self.choose(lambda v: v.array.dtype.kind in "iu" and v.rank >= least)

    def axis(self, value):
        axis = self.random.randrange(value.rank)
        return axis - value.rank if self.chance(30) else axis

    def axes(self, value):
        count = self.random.randint(1, value.rank)
        return sorted(self.random.sample(range(value.rank), count))

    # Constants and inputs.

    def constant(self, array):
        name = f"c{len(self.constants)}"
        value = Value(name, np.asarray(array), constant=True)
        self.constants[name] = value
        return value

    def ints(self, *values):
        return self.constant(np.array(values, np.int64))

    def uniform(self, shape, dtype, low=-2.0, high=2.0):
        return self.numbers.uniform(low, high, shape).astype(dtype)

    def weights(self, shape, dtype, low=-0.5, high=0.5):
        return self.constant(self.uniform(shape, dtype, low, high))

    def add_input(self, shape, dtype=None):
        value = Value(f"x{len(self.inputs)}", self.uniform(shape, dtype or self.dtype))
        self.inputs.append(value)
        self.values.append(value)
        return value

    def partner(self, value):
        """An operand that broadcasts with the value: one there is, or a new one."""
        def fits(v):
            try:
                np.broadcast_shapes(v.shape, value.shape)
            except ValueError:
                return False
            return v.dtype == value.dtype
        if self.chance(60):
            return self.choose(fits)
        shape = [d if self.chance(60) else 1 for d in value.shape][self.random.randint(0, value.rank):]
        return self.constant(self.sample(shape, value))

    def sample(self, shape, like):
        if like.is_float:
            return self.uniform(shape, like.dtype)
        if like.dtype == "bool":
            return self.numbers.random(shape) < 0.5
        low = 0 if like.array.dtype.kind == "u" else -5
        return self.numbers.integers(low, 9, shape).astype(like.dtype)

    # Nodes.

    def add(self, op, *operands, outputs=1, **attributes):
        """Adds a node; its results. Operands are values, or None for one left out."""
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        while operands[-1] is None:
            operands = operands[:-1]
        node = helper.make_node(op, [o.name if o else "" for o in operands], names,
                                name=f"{op}_{len(self.nodes)}",
                                **{k: v for k, v in attributes.items() if v is not None})
        given = list({o.name: o for o in operands if o}.values())
        if reason := WRONG.get((op, given[0].dtype)):
            raise Refused(reason)
        results = self.evaluate(node, given)
        exact = op in EXACT and all(o.exact for o in given if o.is_float)
        constant = op in ("Shape", "Size", "EyeLike") or all(o.constant for o in given)
        made = [Value(n, a, exact or a.dtype.kind != "f", constant) for n, a in zip(names, results)]
        for value in made:
            self.check(value)
            if constant and not value.exact:  # a compiler rounds it as it likes
                raise Refused("a constant that is not exact")
        self.nodes.append(node)
        self.values.extend(made)
        return made[0] if outputs == 1 else made

    def evaluate(self, node, given):
        outputs = [helper.make_empty_tensor_value_info(n) for n in node.output]
        model = model_of([node], [info(v) for v in given], outputs, [], self.opset)
        try:
            return session(model).run(None, {v.name: v.array for v in given})
        except Exception as error:  # whatever type it throws, it says that it does not take it
            raise Refused(str(error).split(": ", 1)[-1]) from error

    def check(self, value):
        if value.array.size > MOST_ELEMENTS or value.array.size == 0:
            raise Refused("too many elements, or none")
        if value.is_float and not np.abs(value.array).max() <= LARGEST[value.dtype]:
            raise Refused("too large a number")

    def grow(self, count):
        self.start()
        for _ in range(4 * count):
            if len(self.nodes) >= count:
                break
            op = self.pick(self.ops)
            before = len(self.nodes), len(self.values), len(self.constants), len(self.inputs)
            try:
                RECIPES[op](self, op)
            except Refused as reason:
                self.refused[op] = str(reason)
                del self.nodes[before[0]:], self.values[before[1]:], self.inputs[before[3]:]
                for name in list(self.constants)[before[2]:]:
                    del self.constants[name]

    def start(self):
        rank = self.pick([1, 2, 2, 3, 3, 4, 4, 4, 4, 5])
        shape = [self.extent() for _ in range(rank)]
        while np.prod(shape) > MOST_ELEMENTS // 4:
            shape[self.random.randrange(rank)] = 1 + self.random.randrange(3)
        self.add_input(shape)
        if self.chance(50):
            self.add_input([d if self.chance(70) else 1 for d in shape])

    # The model.

    def free(self, value, shared):
        """The input's shape with a name for some extents; `shared`: one for those that are equal."""
        return [(f"n{d}" if shared else f"{value.name}_{axis}") if self.chance(60) else d
                for axis, d in enumerate(value.shape)]

    def model(self):
        """(model, inputs, names of outputs): every value that no node reads, and some others."""
        used = {name for node in self.nodes for name in node.input}
        made = [v for v in self.values if v not in self.inputs]
        outputs = [v for v in made if v.name not in used or self.chance(8)]
        dynamic, shared = self.chance(50), self.chance(50)
        shapes = [self.free(v, shared) if dynamic else "static" for v in self.inputs]
        inputs = [info(v, s) for v, s in zip(self.inputs, shapes)]
        constants = [numpy_helper.from_array(c.array, c.name) for c in self.constants.values()
                     if c.name in used]
        model = model_of(self.nodes, inputs, [info(v, None) for v in outputs], constants, self.opset)
        return model, {v.name: v.array for v in self.inputs}


RECIPES = {}


def grows(*ops):
    def register(recipe):
        RECIPES.update({op: recipe for op in ops})
        return recipe
    return register


def magnitude(value):
    return float(np.abs(value.array).max())


def away_from_zero(g, x):
    """|x| + 1/2."""
    return g.add("Add", g.add("Abs", x), g.constant(np.array(0.5, x.dtype)))


# Elementwise.

@grows("Abs", "Neg", "Relu", "Sigmoid", "Tanh", "Softplus", "Softsign", "HardSwish", "Mish", "Erf",
       "Sin", "Cos", "Atan", "Asinh", "Identity", "Selu")
def smooth(g, op):
    g.add(op, g.real())


@grows("Exp", "Sinh", "Cosh")
def steep(g, op):
    x = g.real()
    if magnitude(x) > 5:
        raise Refused("too large an operand")
    g.add(op, x)


@grows("LeakyRelu", "Elu", "Celu")
def with_alpha(g, op):
    g.add(op, g.real(), alpha=g.pick([None, 0.1, 0.5, 1.5]))


@grows("HardSigmoid")
def hard_sigmoid(g, op):
    g.add(op, g.real(), alpha=g.pick([None, 0.3]), beta=g.pick([None, 0.4]))


@grows("Gelu")
def gelu(g, op):
    g.add(op, g.real(), approximate=g.pick([None, "none", "tanh"]))


@grows("Sqrt", "Reciprocal", "Log")
def of_positive(g, op):
    g.add(op, away_from_zero(g, g.real()))


@grows("Acosh")
def acosh(g, op):
    x = g.real(exact=True)
    g.add(op, g.add("Max", x, g.constant(np.array(1, x.dtype))))


@grows("Asin", "Acos", "Atanh", "Tan")
def within_one(g, op):
    x, limit = g.real(exact=True), 0.9
    g.add(op, g.add("Clip", x, g.constant(np.array(-limit, x.dtype)), g.constant(np.array(limit, x.dtype))))


@grows("Ceil", "Floor", "Round", "Sign", "IsNaN", "IsInf")
def jumps(g, op):
    g.add(op, g.real(exact=True))


@grows("Shrink", "ThresholdedRelu")
def thresholds(g, op):
    if op == "Shrink":
        g.add(op, g.real(exact=True), lambd=0.5, bias=g.pick([0.0, 0.25]))
    else:
        g.add(op, g.real(exact=True), alpha=g.pick([None, 0.3]))


@grows("Clip")
def clip(g, op):
    x = g.real()
    low = g.constant(np.array(-0.5, x.dtype)) if g.chance(80) else None
    g.add(op, x, low, g.constant(np.array(1.5, x.dtype)) if g.chance(80) else None)


@grows("Add", "Sub", "Mul", "Min", "Max")
def binary(g, op):
    x = g.choose(lambda v: v.dtype != "bool")
    operands = [x, g.partner(x)]
    g.random.shuffle(operands)
    g.add(op, *operands)


@grows("Div")
def divide(g, op):
    if g.chance(25):
        x = g.whole()
        low = 1 if x.array.dtype.kind == "u" else g.pick([1, -4])
        by = g.numbers.integers(low, 5, x.shape[-1:]).astype(x.dtype)
        by[by == 0] = 3
        return g.add(op, x, g.constant(by))
    x = g.real()
    g.add(op, x, away_from_zero(g, g.partner(x)))


@grows("Mod")
def modulo(g, op):
    x = g.whole() if g.chance(60) else g.real(exact=True)
    by = g.numbers.integers(1, 7, x.shape[-1:]).astype(x.dtype)
    g.add(op, x, g.constant(by), fmod=1 if x.is_float else g.pick([None, 0, 1]))


@grows("Pow")
def power(g, op):
    x = g.real()
    if g.chance(50):
        return g.add(op, x, g.constant(np.array(g.pick([1, 2, 3]), x.dtype)))
    g.add(op, away_from_zero(g, x), g.constant(np.array(g.pick([0.5, -1, 1.5, -0.5, 2.5]), x.dtype)))


@grows("Sum", "Mean")
def several(g, op):
    x = g.real()
    g.add(op, x, *(g.partner(x) for _ in range(g.random.randint(0, 2))))


@grows("PRelu")
def prelu(g, op):
    x = g.real(least=1)
    shape = x.shape[1:2] + (1,) * (x.rank - 2) if x.rank > 2 and g.chance(60) else x.shape[-1:]
    g.add(op, x, g.weights(shape, x.dtype))


@grows("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")
def compare(g, op):
    x = g.choose(lambda v: v.exact and v.dtype != "bool")
    y = g.partner(x)
    if not y.exact:
        raise Refused("a comparison needs exact operands")
    g.add(op, x, y)


@grows("And", "Or", "Xor", "Not")
def logic(g, op):
    x = g.choose(lambda v: v.dtype == "bool")
    g.add(op, x, *([] if op == "Not" else [g.partner(x)]))


@grows("BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot")
def bits(g, op):
    x = g.whole()
    g.add(op, x, *([] if op == "BitwiseNot" else [g.partner(x)]))


@grows("BitShift")
def shift(g, op):
    x = g.choose(lambda v: v.array.dtype.kind == "u")
    g.add(op, x, g.constant(g.numbers.integers(0, 8, x.shape[-1:]).astype(x.dtype)),
          direction=g.pick(["LEFT", "RIGHT"]))


@grows("Where")
def where(g, op):
    x = g.choose()
    y = g.partner(x)
    shape = np.broadcast_shapes(x.shape, y.shape)
    fits = [v for v in g.values if v.dtype == "bool" and v.shape == shape]
    mask = g.pick(fits) if fits else g.constant(g.numbers.random(shape[-2:]) < 0.5)
    g.add(op, mask, x, y)


@grows("Cast")
def cast(g, op):
    x = g.choose()
    whole = ["int32", "int64", "uint8", "int8", "bool"] if x.exact else []
    to = g.pick(["float32", "float32", "float64", "float16", *whole])
    if to == "uint8" and x.is_float:
        x = g.add("Abs", x)
    if to in ("uint8", "int8") and magnitude(x) > 100:
        raise Refused("out of the type's range")
    g.add(op, x, to=helper.np_dtype_to_tensor_dtype(np.dtype(to)))


@grows("CastLike")
def cast_like(g, op):
    x = g.choose(lambda v: v.exact)
    like = g.choose(lambda v: v.is_float)
    g.add(op, x, like)


# Reductions and norms.

REDUCTIONS = ["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"]


@grows(*(f"Reduce{r}" for r in REDUCTIONS))
def reduce(g, op):
    x = g.real(least=1)
    if op == "ReduceLogSumExp" and magnitude(x) > 8:
        raise Refused("too large an operand")
    if op in ("ReduceLogSum", "ReduceL2"):  # roots and logarithms are steep at 0
        x = away_from_zero(g, x)
    axes, keep = g.axes(x), g.pick([None, 0, 1])
    if g.opset >= (13 if op == "ReduceSum" else 18):
        g.add(op, x, g.ints(*axes), keepdims=keep)
    else:
        g.add(op, x, axes=axes, keepdims=keep)


@grows("ArgMax", "ArgMin")
def arg_extreme(g, op):
    x = g.choose(lambda v: v.exact and v.rank > 0 and v.dtype != "bool")
    g.add(op, x, axis=g.axis(x), keepdims=g.pick([None, 0]), select_last_index=g.pick([None, 1]))


@grows("CumSum")
def cumulate(g, op):
    x = g.real(least=1)
    g.add(op, x, g.constant(np.array(g.axis(x), np.int64)), exclusive=g.pick([None, 1]),
          reverse=g.pick([None, 1]))


@grows("Softmax", "LogSoftmax")
def softmax(g, op):
    x = g.real(least=1)
    if magnitude(x) > 30:
        raise Refused("too large an operand")
    g.add(op, x, axis=g.axis(x))


@grows("Hardmax")
def hardmax(g, op):
    x = g.real(least=1, exact=True)
    g.add(op, x, axis=g.axis(x))


@grows("BatchNormalization")
def batch_norm(g, op):
    x = g.real(least=2)
    channels = (x.shape[1],)
    g.add(op, x, *(g.weights(channels, x.dtype) for _ in range(3)),
          g.weights(channels, x.dtype, 0.5, 2), epsilon=g.pick([None, 1e-3]))


@grows("InstanceNormalization")
def instance_norm(g, op):
    x = g.real(least=3)
    g.add(op, x, g.weights(x.shape[1:2], x.dtype), g.weights(x.shape[1:2], x.dtype),
          epsilon=g.pick([1e-1, 1e-2]))


@grows("LayerNormalization")
def layer_norm(g, op):
    x = g.real(least=1)
    axis = g.axis(x)
    shape = x.shape[axis:]
    bias = g.weights(shape, x.dtype) if g.chance(60) else None
    g.add(op, x, g.weights(shape, x.dtype), bias, axis=axis, epsilon=g.pick([1e-1, 1e-2]))


@grows("RMSNormalization")
def rms_norm(g, op):
    x = g.real(least=1)
    axis = g.axis(x)
    g.add(op, x, g.weights(x.shape[axis:], x.dtype), axis=axis, epsilon=g.pick([1e-1, 1e-2]))


@grows("GroupNormalization")
def group_norm(g, op):
    if g.opset < 21:
        raise Refused("deprecated in 18, where it came")
    x = g.real(least=3)
    groups = g.pick([n for n in range(1, x.shape[1] + 1) if x.shape[1] % n == 0])
    scales = x.shape[1:2]
    g.add(op, x, g.weights(scales, x.dtype), g.weights(scales, x.dtype), num_groups=groups,
          epsilon=g.pick([1e-1, 1e-2]))


@grows("LRN")
def local_norm(g, op):
    g.add(op, g.real(least=4, most=4), size=g.pick([1, 3, 5]), alpha=g.pick([None, 0.1]),
          beta=g.pick([None, 0.5]), bias=g.pick([None, 2.0]))


# Products.

def heads(g, batch, count, rows, columns):
    """[batch, count, rows, columns], stored so or with rows outermost, from an input."""
    if g.chance(40):
        return g.add_input([batch, count, rows, columns])
    return g.add("Transpose", g.add_input([batch, rows, count, columns]), perm=[0, 2, 1, 3])


def repeated(g, x, times):
    """Each head of x for `times` others (grouped heads)."""
    batch, count, *rest = x.shape
    if times == 1:
        return x
    x = g.add("Unsqueeze", x, g.ints(2))
    x = g.add("Expand", x, g.ints(batch, count, times, *rest))
    return g.add("Reshape", x, g.ints(batch, count * times, *rest))


def attention(g):
    batch, groups, times = g.pick([1, 1, 2]), g.pick([1, 2, 3, 4]), g.pick([1, 1, 2, 3])
    queries, keys = g.pick([1, 3, 8, 13, 33, 101]), g.pick([1, 2, 8, 17, 33, 64, 130])
    depth, columns = g.pick([1, 2, 8, 16, 17, 32]), g.pick([1, 4, 16, 19, 32])
    if batch * groups * times * queries * keys > MOST_ELEMENTS:
        raise Refused("too many scores")
    q = heads(g, batch, groups * times, queries, depth)
    k = repeated(g, heads(g, batch, groups, keys, depth), times)
    v = repeated(g, heads(g, batch, groups, keys, columns), times)
    scores = g.add("MatMul", q, g.add("Transpose", k, perm=[0, 1, 3, 2]))
    scores = g.add("Mul", scores, g.constant(np.array(depth ** -0.5, scores.dtype)))
    if g.chance(60):
        mask = [g.pick([1, batch]), g.pick([1, groups * times]), g.pick([1, queries]), keys]
        scores = g.add("Add", scores, g.weights(mask, scores.dtype, -8, 0))
    y = g.add("MatMul", g.add("Softmax", scores, axis=-1), v)
    if g.chance(70):
        y = g.add("Transpose", y, perm=[0, 2, 1, 3])
        g.add("Reshape", y, g.ints(batch, queries, -1))


@grows("MatMul")
def matmul(g, op):
    if g.chance(15) and g.opset >= 13 and len(g.inputs) < 6:
        return attention(g)
    x = g.real(least=1)
    y = None
    if g.chance(40):
        fits = [v for v in g.values if v.dtype == x.dtype and v.rank > 1 and v.shape[-2] == x.shape[-1]
                and (v.rank == 2 or v.shape[:-2] == x.shape[:-2])]
        y = g.pick(fits) if fits else None
    if y is None:
        batch = x.shape[:-2] if x.rank > 2 and g.chance(30) else ()
        y = g.weights((*batch, x.shape[-1], g.extent()), x.dtype)
    g.add(op, x, y)


@grows("Gemm")
def gemm(g, op):
    x = g.real(least=2, most=2)
    turned, flipped, columns = g.chance(30), g.chance(50), g.extent()
    rows, inner = x.shape[::-1] if turned else x.shape
    w = g.weights((columns, inner) if flipped else (inner, columns), x.dtype)
    c = g.weights(g.pick([(columns,), (rows, 1), (1, columns), (rows, columns)]), x.dtype)
    g.add(op, x, w, c if g.chance(70) else None, transA=int(turned), transB=int(flipped),
          alpha=g.pick([None, 0.5]), beta=g.pick([None, 0.5, 2.0]))


@grows("MatMulInteger")
def matmul_integer(g, op):
    x = g.choose(lambda v: v.dtype in ("uint8", "int8") and v.rank >= 2)
    w = g.constant(g.numbers.integers(-128, 128, (x.shape[-1], g.extent())).astype(np.int8))
    zero = g.constant(np.array(3, x.dtype)) if g.chance(50) else None
    g.add(op, x, w, zero)


@grows("Einsum")
def einsum(g, op):
    x = g.real(least=2, most=4)
    letters = "abcd"[:x.rank]
    kept = g.random.sample(letters, g.random.randint(1, x.rank))
    w = g.weights((x.shape[-1], g.extent()), x.dtype)
    g.add(op, x, w, equation=g.pick([
        f"{letters},{letters[-1]}z->{letters[:-1]}z",
        f"{letters},{letters[-1]}z->z{letters[:-1]}",
        f"{letters},{letters[-1]}z->{''.join(kept)}"]))


# Windows.

def windows(g, spatial):
    """(kernel, attributes that say where it goes)"""
    kernel = [g.pick([1, 2, 3, 3, 5]) for _ in spatial]
    dilations = [g.pick([1, 1, 1, 2]) for _ in spatial]
    kernel = [k if (k - 1) * d < n + 2 else 1 for k, d, n in zip(kernel, dilations, spatial)]
    attributes = {"kernel_shape": kernel, "strides": [g.pick([1, 1, 2, 3]) for _ in spatial]}
    if g.chance(50):
        attributes["dilations"] = dilations
    else:
        dilations = [1] * len(kernel)
    tight = any((k - 1) * d >= n for k, d, n in zip(kernel, dilations, spatial))
    if g.chance(20) and not tight:
        attributes["auto_pad"] = g.pick(["SAME_UPPER", "SAME_LOWER", "VALID"])
    elif g.chance(70) or tight:
        attributes["pads"] = [g.random.randint(int(tight), 1) if k > 1 else 0 for _ in range(2)
                              for k in kernel]
    return kernel, attributes


def groups_of(g, channels):
    divisors = [n for n in range(1, channels + 1) if channels % n == 0]
    return g.pick([1, 1, channels, g.pick(divisors)])


@grows("Conv")
def convolution(g, op):
    x = g.real(least=3, most=5)
    kernel, attributes = windows(g, x.shape[2:])
    groups = groups_of(g, x.shape[1])
    outputs = groups * g.pick([1, 1, 2, 3, 8]) if groups > 1 else g.extent()
    w = g.weights((outputs, x.shape[1] // groups, *kernel), x.dtype)
    b = g.weights((outputs,), x.dtype) if g.chance(60) else None
    y = g.add(op, x, w, b, group=groups, **attributes)
    if g.chance(40):  # what models put behind one
        follow = g.pick(["Relu", "Sigmoid", "HardSwish", "BatchNormalization", "Clip"])
        if follow == "BatchNormalization":
            g.add(follow, y, *(g.weights((outputs,), x.dtype) for _ in range(3)),
                  g.weights((outputs,), x.dtype, 0.5, 2))
        elif follow == "Clip":
            g.add(follow, y, g.constant(np.array(0, x.dtype)), g.constant(np.array(6, x.dtype)))
        elif follow != "HardSwish" or g.opset >= 14:
            g.add(follow, y)


@grows("ConvTranspose")
def transposed_convolution(g, op):
    x = g.real(least=3, most=4)
    kernel, attributes = windows(g, x.shape[2:])
    attributes.pop("auto_pad", None)
    groups = groups_of(g, x.shape[1])
    w = g.weights((x.shape[1], g.pick([1, 2, 3, 8]), *kernel), x.dtype)
    b = g.weights((w.shape[1] * groups,), x.dtype) if g.chance(50) else None
    extra = [g.random.randrange(s) for s in attributes["strides"]] if g.chance(30) else None
    g.add(op, x, w, b, group=groups, output_padding=extra, **attributes)


@grows("MaxPool", "AveragePool", "LpPool")
def pool(g, op):
    x = g.real(least=3, most=5)
    _, attributes = windows(g, x.shape[2:])
    if op == "LpPool" and g.opset < 18 or op == "AveragePool" and g.opset < 19:
        attributes.pop("dilations", None)
    if op == "LpPool":
        x = away_from_zero(g, x)
    if op == "AveragePool":
        attributes["count_include_pad"] = g.pick([None, 1])
    if op != "MaxPool" and attributes.get("auto_pad", "VALID") != "VALID":
        attributes.pop("dilations", None)  # onnxruntime pads as if there were none
    if op != "LpPool" and "auto_pad" not in attributes:
        attributes["ceil_mode"] = g.pick([None, None, 1])
    g.add(op, x, **attributes)


@grows("GlobalAveragePool", "GlobalMaxPool")
def global_pool(g, op):
    g.add(op, g.real(least=3))


# Movement.

@grows("Transpose")
def transpose(g, op):
    x = g.choose(lambda v: v.rank > 1)
    perm = list(range(x.rank))
    g.random.shuffle(perm)
    g.add(op, x, perm=perm)


@grows("Reshape")
def reshape(g, op):
    x = g.choose()
    shape, rest = [], x.array.size
    for _ in range(g.random.randint(0, 3)):
        shape.append(g.pick([n for n in range(1, rest + 1) if rest % n == 0][:8]))
        rest //= shape[-1]
    shape.insert(g.random.randint(0, len(shape)), -1 if g.chance(60) else rest)
    if x.rank and x.shape[0] == shape[0] and g.chance(50):
        shape[0] = 0
    g.add(op, x, g.ints(*shape))


@grows("Flatten")
def flatten(g, op):
    x = g.choose(lambda v: v.rank > 0)
    g.add(op, x, axis=g.axis(x))


@grows("Squeeze")
def squeeze(g, op):
    x = g.choose(lambda v: 1 in v.shape)
    g.add(op, x, g.ints(g.pick([i for i, d in enumerate(x.shape) if d == 1])))


@grows("Unsqueeze")
def unsqueeze(g, op):
    x = g.choose(lambda v: v.rank < 5)
    g.add(op, x, g.ints(g.random.randint(0, x.rank)))


@grows("Concat")
def concat(g, op):
    x = g.choose(lambda v: v.rank > 0)
    axis = g.axis(x)
    at = axis % x.rank
    def fits(v):
        return v.dtype == x.dtype and v.rank == x.rank and all(
            a == b for i, (a, b) in enumerate(zip(v.shape, x.shape)) if i != at)
    g.add(op, *(g.choose(fits) for _ in range(g.random.randint(1, 4))), axis=axis)


@grows("Split")
def split(g, op):
    x = g.choose(lambda v: v.rank > 0 and max(v.shape) > 1)
    axis = g.pick([i for i, d in enumerate(x.shape) if d > 1])
    first = g.random.randint(1, x.shape[axis] - 1)
    g.add(op, x, g.ints(first, x.shape[axis] - first), outputs=2, axis=axis)


@grows("Slice")
def take_slice(g, op):
    x = g.choose(lambda v: v.rank > 0)
    axes = g.axes(x)
    starts, ends, steps = [], [], []
    for axis in axes:
        n, step = x.shape[axis], g.pick([1, 1, 1, 2, 3, -1, -2])
        a, b = sorted((g.random.randint(0, n - 1), g.random.randint(1, n)))
        b = max(b, a + 1)
        if step < 0:
            a, b = b - 1, a - 1 if a else -n - 1
        elif g.chance(25):
            b = np.iinfo(np.int64).max
        starts.append(a), ends.append(b), steps.append(step)
    g.add(op, x, g.ints(*starts), g.ints(*ends), g.ints(*axes), g.ints(*steps))


@grows("Pad")
def pad(g, op):
    x = g.choose(lambda v: v.rank > 0 and v.dtype != "bool")
    mode = g.pick([None, "constant", "reflect", "edge"] + ["wrap"] * (g.opset >= 19))
    most = [min(d - 1, 3) if mode in ("reflect", "wrap") else 3 for d in x.shape]
    pads = [g.random.randint(-1 if mode is None and d > 2 else 0, max(m, 0)) if g.chance(50) else 0
            for _ in range(2) for m, d in zip(most, x.shape)]
    fill = g.constant(np.array(1, x.dtype)) if mode in (None, "constant") and g.chance(50) else None
    g.add(op, x, g.ints(*pads), fill, mode=mode)


@grows("Tile")
def tile(g, op):
    x = g.choose(lambda v: v.rank > 0)
    g.add(op, x, g.ints(*(g.pick([1, 1, 2, 3]) for _ in x.shape)))


@grows("Expand")
def expand(g, op):
    x = g.choose(lambda v: v.rank < 5)
    shape = [g.extent() if d == 1 else g.pick([d, 1]) for d in x.shape]
    g.add(op, x, g.ints(*([g.pick([1, 2, 3])] if g.chance(40) else []), *shape))


def indices(g, extent, shape):
    dtype = g.pick([np.int64, np.int64, np.int32])
    return g.constant(g.numbers.integers(-extent, extent, shape).astype(dtype))


@grows("Gather")
def gather(g, op):
    x = g.choose(lambda v: v.rank > 0)
    axis = g.axis(x)
    shape = [g.pick([1, 2, 3, 7]) for _ in range(g.random.randint(0, 2))]
    g.add(op, x, indices(g, x.shape[axis], shape), axis=axis)


@grows("GatherElements")
def gather_elements(g, op):
    x = g.choose(lambda v: v.rank > 0)
    axis = g.axis(x)
    shape = [g.random.randint(1, d) for d in x.shape]
    g.add(op, x, indices(g, x.shape[axis], shape), axis=axis)


@grows("GatherND")
def gather_nd(g, op):
    x = g.choose(lambda v: v.rank > 0)
    depth = g.random.randint(1, x.rank)
    rows = g.random.randint(1, 5)
    at = np.stack([g.numbers.integers(-d, d, rows) for d in x.shape[:depth]], -1)
    g.add(op, x, g.constant(at.astype(np.int64)))


@grows("ScatterElements")
def scatter_elements(g, op):
    x = g.choose(lambda v: v.rank > 0 and v.dtype != "bool")
    axis, reduction = g.axis(x), g.pick([None, "none", "add"]) if g.opset >= 16 else None
    shape = [g.random.randint(1, d) for d in x.shape]
    n = x.shape[axis]
    if reduction == "add":
        at = g.numbers.integers(-n, n, shape)
    else:  # of two updates of one element none is the last
        at = np.argsort(g.numbers.random((*shape[:axis % x.rank], n, *shape[axis % x.rank + 1:])), axis)
        at = np.take(at, range(shape[axis]), axis)
    g.add(op, x, g.constant(at.astype(np.int64)), g.constant(g.sample(shape, x)), axis=axis,
          reduction=reduction)


@grows("ScatterND")
def scatter_nd(g, op):
    x = g.choose(lambda v: v.rank > 0 and v.dtype != "bool")
    rows = g.random.sample(range(x.shape[0]), g.random.randint(1, x.shape[0]))
    reduction = g.pick([None, "add"]) if g.opset >= 16 else None
    g.add(op, x, g.constant(np.array(rows, np.int64)[:, None]),
          g.constant(g.sample((len(rows), *x.shape[1:]), x)), reduction=reduction)


@grows("TopK")
def top_k(g, op):
    x = g.choose(lambda v: v.exact and v.rank > 0 and v.dtype != "bool")
    axis = g.axis(x)
    g.add(op, x, g.ints(g.random.randint(1, x.shape[axis])), outputs=2, axis=axis,
          largest=g.pick([None, 0, 1]))


@grows("Trilu")
def triangle(g, op):
    x = g.choose(lambda v: v.rank >= 2)
    k = g.constant(np.array(g.random.randint(-2, 2), np.int64)) if g.chance(60) else None
    g.add(op, x, k, upper=g.pick([None, 0, 1]))


@grows("ReverseSequence")
def reverse_sequence(g, op):
    x = g.choose(lambda v: v.rank >= 2)
    lengths = g.numbers.integers(1, x.shape[0] + 1, x.shape[1]).astype(np.int64)
    g.add(op, x, g.constant(lengths), time_axis=0, batch_axis=1)


@grows("DepthToSpace", "SpaceToDepth")
def blocks(g, op):
    x = g.real(least=4, most=4)
    if op == "SpaceToDepth":
        return g.add(op, x, blocksize=g.pick([1, 2, 3]))
    g.add(op, x, blocksize=g.pick([1, 2, 3]), mode=g.pick([None, "DCR", "CRD"]))


@grows("Resize")
def resize(g, op):
    x = g.real(least=3, most=4)
    mode = g.pick(["nearest", "linear"] + ["cubic"] * (x.rank == 4))
    transform = g.pick(["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"])
    rounds = g.pick(["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
    attributes = {"mode": mode, "coordinate_transformation_mode": transform,
                  "nearest_mode": rounds if mode == "nearest" else None}
    # Scales that floats have, so that all agree on where the samples lie.
    scales = [1.0, 1.0, *(g.pick([0.5, 1.0, 1.5, 2.0, 3.0]) for _ in x.shape[2:])]
    if transform == "align_corners":  # onnxruntime rounds an extent before it divides by it
        scales = [s if d * s % 1 == 0 else 2.0 for d, s in zip(x.shape, scales)]
    if g.chance(60):
        return g.add(op, x, None, g.constant(np.array(scales, np.float32)), **attributes)
    sizes = [int(d * s) for d, s in zip(x.shape, scales)]
    g.add(op, x, None, None, g.ints(*sizes), **attributes)


@grows("OneHot")
def one_hot(g, op):
    x = g.choose(lambda v: v.dtype in ("int64", "int32") and v.rank < 4)
    values = g.constant(np.array([0, 1], g.dtype))
    g.add(op, x, g.constant(np.array(g.pick([3, 8]), np.int64)), values, axis=g.pick([-1, 0]))


@grows("Shape", "Size")
def extents(g, op):
    g.add(op, g.choose())


@grows("EyeLike")
def eye(g, op):
    g.add(op, g.real(least=2, most=2), k=g.pick([None, 1, -1]))


@grows("CenterCropPad")
def crop(g, op):
    x = g.choose(lambda v: v.rank > 0)
    g.add(op, x, g.ints(*(max(1, d + g.random.randint(-2, 2)) for d in x.shape)))


@grows("Compress")
def compress(g, op):
    x = g.choose(lambda v: v.rank > 0)
    axis = g.axis(x)
    kept = g.numbers.random(x.shape[axis]) < 0.6
    kept[0] = True
    g.add(op, x, g.constant(kept), axis=axis)


# Quantization.

@grows("QuantizeLinear")
def quantize(g, op):
    x = g.real(least=1, exact=True)
    to = g.pick([np.uint8, np.int8])
    per_axis = g.chance(30)
    axis = g.axis(x)
    shape = (x.shape[axis],) if per_axis else ()
    g.add(op, x, g.weights(shape, x.dtype, 0.01, 0.05), g.constant(np.full(shape, 5, to)),
          axis=axis if per_axis else None)


@grows("DequantizeLinear")
def dequantize(g, op):
    x = g.choose(lambda v: v.dtype in ("uint8", "int8"))
    g.add(op, x, g.constant(np.array(0.05, np.float32)), g.constant(np.array(3, x.dtype)))
