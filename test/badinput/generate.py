#!/usr/bin/env python3
"""Writes models that are broken, hostile or extreme, and manifest.json.

    generate.py FOLDER

A case is a folder with model.onnx (or what stands for it) and a row in the
manifest: the exit codes that are right, words one of which the message must
hold, and the seconds it may take. A row with inputs is a good model that is
run on them; the exit codes are then those of the run. Everything is made here
from fixed seeds.
"""
import json
import os
import random
import shutil
import sys

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h

OK, INVALID, USAGE, UNSUPPORTED, LIMIT = 0, 1, 2, 3, 7
CASES = []


def case(name, exits, words=(), seconds=5, model="model.onnx"):
    """Registers a builder: called with the case's folder, it returns the
    model's bytes, a ModelProto, or None when it wrote the folder itself."""
    def register(build):
        CASES.append((name, exits, list(words), seconds, model, build))
        return build
    return register


RUNS = {}


def at_run(name, m, inputs, exits=(INVALID,), words=("ADZ07",)):
    """A model that compiles, with inputs that its run must refuse or survive."""
    RUNS["R_" + name] = {k: np.asarray(v) for k, v in inputs.items()}
    case("R_" + name, list(exits), words)(lambda folder: m())


def add(name, exits, words, build, **kw):
    case(name, exits, words, **kw)(lambda folder: build())


def value(name, dims, dtype=T.FLOAT):
    return h.make_tensor_value_info(name, dtype, dims)


def model(nodes, inputs, outputs, inits=(), opset=21, ir=10, domains=(), **kw):
    g = h.make_graph(list(nodes), "g", list(inputs), list(outputs), list(inits))
    opsets = [h.make_opsetid("", opset)] + [h.make_opsetid(d, 1) for d in domains]
    return h.make_model(g, opset_imports=opsets, ir_version=ir, **kw)


def node(op, inputs, outputs=("y",), name="bad_node", **attrs):
    return h.make_node(op, list(inputs), list(outputs), name=name, **attrs)


def one(op, shapes, name="bad_node", consts=(), outputs=("y",), opset=21, domain="", **attrs):
    """A model of one node; `shapes`: input name -> dims or (dims, dtype)."""
    inputs, order = [], []
    constants = {c.name: c for c in consts}
    for n, s in shapes.items():
        order.append(n)
        if n and n not in constants:
            dims, dtype = s if isinstance(s, tuple) else (s, T.FLOAT)
            inputs.append(value(n, dims, dtype))
    nd = node(op, order, outputs, name, **attrs)
    nd.domain = domain
    return model([nd], inputs, [value(o, None) for o in outputs if o], consts, opset,
                 domains=[domain] if domain else [])


def const(name, array):
    return onnx.numpy_helper.from_array(np.asarray(array), name)


def good():
    return model([node("Add", ["x", "w"], ["t"], "add"), node("Relu", ["t"], ["y"], "relu")],
                 [value("x", [2, 3])], [value("y", [2, 3])],
                 [const("w", np.arange(6, dtype=np.float32).reshape(2, 3))])


GOOD = good().SerializeToString()

# ---- A: containers -------------------------------------------------------
add("A_good_model", [OK], [], good)
add("A_empty", [INVALID], ["empty"], lambda: b"")
add("A_one_byte", [INVALID], ["ONNX"], lambda: b"\x08")
for i in range(0, len(GOOD), max(1, len(GOOD) // 24)):
    add(f"A_truncated_{i:04d}", [OK, INVALID], [], lambda i=i: GOOD[:i])
for i in range(24):
    def flipped(i=i):
        rng = random.Random(i)
        data = bytearray(GOOD)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        return bytes(data)
    add(f"A_bit_flip_{i:02d}", [OK, INVALID, UNSUPPORTED, LIMIT], [], flipped)
for i in range(8):
    add(f"A_random_{i}", [INVALID], ["ONNX"], lambda i=i: random.Random(i).randbytes(4096))
add("A_zeros", [INVALID], ["zeros"], lambda: bytes(4096))
add("A_png", [INVALID], ["PNG"], lambda: b"\x89PNG\r\n\x1a\n" + bytes(100))
add("A_jpeg", [INVALID], ["JPEG"], lambda: b"\xff\xd8\xff\xe0" + bytes(100))
add("A_zip_pt", [INVALID], ["zip"], lambda: b"PK\x03\x04" + bytes(100))
add("A_gguf", [INVALID], ["GGUF"], lambda: b"GGUF\x03\0\0\0" + bytes(100))
add("A_hdf5", [INVALID], ["HDF5"], lambda: b"\x89HDF\r\n\x1a\n" + bytes(100))
add("A_pickle", [INVALID], ["pickle"], lambda: b"\x80\x02ctorch\n" + bytes(100))
add("A_text", [INVALID], ["text"], lambda: b"This is not a model.\n")
add("A_html", [INVALID], ["HTML"], lambda: b"<!DOCTYPE html><html></html>")
add("A_lfs_pointer", [INVALID], ["LFS"], lambda: b"version https://git-lfs.github.com/spec/v1\n")
add("A_tflite", [INVALID], ["TensorFlow Lite"], lambda: b"\x20\0\0\0TFL3" + bytes(100))


@case("A_directory", [INVALID], ["directory"])
def _(folder):
    os.mkdir(os.path.join(folder, "model.onnx"))


@case("A_fifo", [INVALID], ["regular file"])
def _(folder):
    os.mkfifo(os.path.join(folder, "model.onnx"))


case("A_device", [INVALID], ["regular file"], model="/dev/zero")(lambda folder: None)
case("A_missing", [INVALID], ["cannot open"], model="nowhere.onnx")(lambda folder: None)
add("A_varint_2_63", [INVALID], ["ONNX"], lambda: b"\x08\x08\x3a" + b"\xff" * 8 + b"\x7f")
add("A_unknown_fields_10MB", [OK, INVALID], [],
    lambda: GOOD + b"\xfa\x3f" + b"\x80\x80\x80\x05" + bytes(10 << 20))


def dims_bomb():
    body = b"\x0a\x80\xc2\xd7\x2f" + bytes(100_000_000)  # dims: 10^8 packed entries
    def field(number, data):
        n, length = len(data), b""
        while n >= 128:
            length += bytes([n & 127 | 128])
            n >>= 7
        return bytes([number << 3 | 2]) + length + bytes([n]) + data
    return b"\x08\x08" + field(7, field(5, body))


add("A_dims_bomb", [INVALID, LIMIT], ["dimension"], dims_bomb)


def nested_ifs(depth):
    def body(i):
        if i == depth:
            return h.make_graph([node("Identity", ["c"], [f"o{i}"], "leaf")], f"g{i}", [],
                                [value(f"o{i}", None, T.BOOL)])
        leaf = h.make_graph([node("Identity", ["c"], [f"e{i}"], "leaf")], f"e{i}", [],
                            [value(f"e{i}", None, T.BOOL)])
        n = node("If", ["c"], [f"o{i}"], f"if{i}", then_branch=body(i + 1), else_branch=leaf)
        return h.make_graph([n], f"g{i}", [], [value(f"o{i}", None, T.BOOL)])
    g = body(0)
    g.input.append(value("c", [], T.BOOL))
    return h.make_model(g, opset_imports=[h.make_opsetid("", 21)], ir_version=10)


def raw_nested(depth):
    """Graphs in graphs by hand: Python's protobuf stops at 100 messages."""
    def field(number, data):
        n, length = len(data), b""
        while n >= 128:
            length += bytes([n & 127 | 128])
            n >>= 7
        return bytes([number << 3 | 2]) + length + bytes([n]) + data
    data = b""
    for _ in range(depth):
        data = field(1, field(5, field(1, b"then_branch") + field(6, data)))
    return b"\x08\x08" + field(7, data)


add("A_if_nested_25", [OK, UNSUPPORTED], [], lambda: nested_ifs(25))
add("A_nested_100", [INVALID, LIMIT, UNSUPPORTED], [], lambda: raw_nested(100))
add("A_nested_5000", [INVALID, LIMIT], ["nested"], lambda: raw_nested(5000))

# ---- B: tensors ----------------------------------------------------------


def tensor_model(edit, dims=(2, 3), dtype=T.FLOAT):
    m = good()
    t = m.graph.initializer[0]
    t.Clear()
    t.name, t.data_type = "w", dtype
    t.dims.extend(dims)
    edit(t)
    return m


def raw(n):
    def edit(t):
        t.raw_data = bytes(n)
    return edit


def both(t):
    t.raw_data = bytes(24)
    t.float_data.extend([0.0] * 6)


add("B_dims_overflow", [INVALID], ["'w'"], lambda: tensor_model(raw(24), [1 << 62] * 8))
add("B_dims_negative", [INVALID], ["'w'"], lambda: tensor_model(raw(24), [-2, 3]))
add("B_zero_size", [OK, INVALID], [], lambda: tensor_model(raw(0), [0, 3]))
add("B_raw_short", [INVALID], ["'w'"], lambda: tensor_model(raw(23)))
add("B_raw_long", [INVALID], ["'w'"], lambda: tensor_model(raw(25)))
add("B_raw_and_typed", [INVALID], ["two places"], lambda: tensor_model(both))
add("B_no_data", [INVALID], ["'w'"], lambda: tensor_model(lambda t: None))
add("B_dtype_99", [INVALID], ["99"], lambda: tensor_model(raw(24), dtype=99))
add("B_wrong_field", [INVALID], ["'w'"], lambda: tensor_model(lambda t: t.int64_data.extend([1] * 6)))
add("B_int4_odd", [INVALID], ["'w'"], lambda: tensor_model(raw(2), [5], T.INT4))
add("B_10_12_elements", [INVALID, LIMIT], ["'w'"], lambda: tensor_model(raw(24), [10 ** 6, 10 ** 6]))
add("B_string_tensor", [OK, INVALID, UNSUPPORTED], [], lambda: tensor_model(
    lambda t: t.string_data.extend([b"a"] * 6), dtype=T.STRING))


def sparse(indices, dims):
    m = good()
    del m.graph.initializer[:]
    s = m.graph.sparse_initializer.add()
    s.dims.extend(dims)
    s.values.CopyFrom(const("w", np.ones(len(indices), np.float32)))
    s.indices.CopyFrom(const("", np.array(indices, np.int64)))
    return m


add("B_sparse_good", [OK, UNSUPPORTED], [], lambda: sparse([1, 4], [2, 3]))
add("B_sparse_out_of_range", [INVALID], ["out of range"], lambda: sparse([10 ** 12], [2, 3]))
add("B_sparse_unsorted", [INVALID], ["order"], lambda: sparse([4, 1], [2, 3]))
add("B_sparse_10_12", [LIMIT, INVALID], ["dense"], lambda: sparse([1], [10 ** 6, 10 ** 6]))

# ---- C: external data ----------------------------------------------------


def external(name, exits, words, entries, prepare=None, again=None):
    @case("C_" + name, exits, words)
    def build(folder):
        with open(os.path.join(folder, "data.bin"), "wb") as f:
            f.write(bytes(64))
        os.makedirs(os.path.join(folder, "outside"), exist_ok=True)
        secret = os.path.join(os.path.dirname(folder), "secret.bin")
        if not os.path.exists(secret):
            with open(secret, "wb") as f:
                f.write(bytes(64))
        if prepare:
            prepare(folder)

        def edit(t):
            t.data_location = T.EXTERNAL
            for k, v in entries:
                t.external_data.add(key=k, value=v)
        m = tensor_model(edit)
        if again:
            other = m.graph.initializer.add()
            other.CopyFrom(m.graph.initializer[0])
            other.name = "v"
            del other.external_data[:]
            for k, v in again:
                other.external_data.add(key=k, value=v)
            m.graph.node.append(node("Add", ["y", "v"], ["z"], "last"))
            m.graph.output[0].name = "z"
        return m


LOC = ("location", "data.bin")
external("good", [OK], [], [LOC, ("offset", "0"), ("length", "24")])
external("overlap", [OK], [], [LOC, ("offset", "8"), ("length", "24")], again=[LOC, ("offset", "16"), ("length", "24")])
external("unaligned", [OK], [], [LOC, ("offset", "3"), ("length", "24")])
external("parent", [INVALID], ["'w'"], [("location", "../secret.bin")])
external("nested_parent", [INVALID], ["'w'"], [("location", "outside/../../secret.bin")])
external("absolute", [INVALID], ["'w'"], [("location", "/etc/passwd")])
external("windows_path", [INVALID], ["'w'"], [("location", "..\\secret.bin")])
external("drive", [INVALID], ["'w'"], [("location", "C:/secret.bin")])
external("nul", [INVALID], ["'w'"], [("location", "data.bin\0.txt")])
external("empty_location", [INVALID], ["'w'"], [("location", "")])
external("no_location", [INVALID], ["'w'"], [])
external("missing", [INVALID], ["does not exist"], [("location", "gone.bin")])
external("directory", [INVALID], ["'w'"], [("location", "outside")])
external("proc", [INVALID], ["'w'"], [("location", "../../../../../proc/self/mem")])
external("symlink", [INVALID], ["link"], [("location", "l.bin")],
         lambda d: os.symlink("../secret.bin", os.path.join(d, "l.bin")))
external("symlink_inside", [INVALID], ["link"], [("location", "l.bin")],
         lambda d: os.symlink("data.bin", os.path.join(d, "l.bin")))
external("symlink_parent", [INVALID], ["link"], [("location", "up/secret.bin")],
         lambda d: os.symlink("..", os.path.join(d, "up")))
external("hardlink", [INVALID], ["link"], [("location", "h.bin")],
         lambda d: os.link(os.path.join(os.path.dirname(d), "secret.bin"), os.path.join(d, "h.bin")))
external("fifo", [INVALID], ["regular file"], [("location", "f.bin")],
         lambda d: os.mkfifo(os.path.join(d, "f.bin")))
external("device", [INVALID], ["'w'"], [("location", "/dev/zero")])
external("offset_negative", [INVALID], ["'w'"], [LOC, ("offset", "-8")])
external("offset_2_62", [INVALID], ["beyond"], [LOC, ("offset", str(1 << 62))])
external("offset_2_64", [INVALID], ["'w'"], [LOC, ("offset", str(1 << 64))])
external("offset_text", [INVALID], ["'w'"], [LOC, ("offset", "8x")])
external("length_short", [INVALID], ["'w'"], [LOC, ("length", "20")])
external("length_negative", [INVALID], ["'w'"], [LOC, ("length", "-1")])
external("past_end", [INVALID], ["beyond"], [LOC, ("offset", "48")])


@case("C_unused_1GiB", [OK])
def _(folder):
    with open(os.path.join(folder, "data.bin"), "wb") as f:
        f.truncate(1 << 30)
    m = good()
    t = m.graph.initializer.add(name="unused", data_type=T.UINT8, data_location=T.EXTERNAL)
    t.dims.append(1 << 30)
    t.external_data.add(key="location", value="data.bin")
    return m


# ---- D: graphs -----------------------------------------------------------
X = [value("x", [2, 3])]
Y = [value("y", None)]
add("D_cycle", [INVALID], ["cycle"], lambda: model(
    [node("Add", ["x", "z"], ["y"], "a"), node("Relu", ["y"], ["z"], "bad_node")], X, Y))
add("D_self_loop", [INVALID], ["cycle"], lambda: model([node("Add", ["x", "y"])], X, Y))
add("D_unsorted", [INVALID], ["later node"], lambda: model(
    [node("Relu", ["t"]), node("Relu", ["x"], ["t"], "a")], X, Y))
add("D_undefined_input", [INVALID], ["'q'"], lambda: model([node("Add", ["x", "q"])], X, Y))
add("D_undefined_output", [INVALID], ["'q'"], lambda: model(
    [node("Relu", ["x"])], X, Y + [value("q", None)]))
add("D_duplicate_value", [INVALID], ["in use"], lambda: model(
    [node("Relu", ["x"], ["y"], "a"), node("Abs", ["x"])], X, Y))
add("D_duplicate_input", [INVALID], ["in use"], lambda: model([node("Relu", ["x"])], X + X, Y))
add("D_duplicate_initializer", [INVALID], ["twice"], lambda: model(
    [node("Relu", ["x"])], X, Y, [const("w", np.float32(1)), const("w", np.float32(2))]))
add("D_duplicate_node_names", [OK], [], lambda: model(
    [node("Relu", ["x"], ["t"], "n"), node("Abs", ["t"], ["y"], "n")], X, Y))
add("D_no_nodes", [OK, INVALID, UNSUPPORTED], [], lambda: model([], X, [value("x", [2, 3])]))
add("D_no_outputs", [OK, INVALID, UNSUPPORTED], [], lambda: model([node("Relu", ["x"])], X, []))
add("D_no_graph", [INVALID], ["no graph"], lambda: b"\x08\x08\x42\x04\x0a\x00\x10\x0d")
add("D_input_without_type", [INVALID, UNSUPPORTED], ["'x'"], lambda: model(
    [node("Relu", ["x"])], [onnx.ValueInfoProto(name="x")], Y))
add("D_empty_operator", [INVALID], ["operator"], lambda: model([node("", ["x"])], X, Y))
add("D_missing_inputs", [INVALID], ["bad_node"], lambda: model([node("Gemm", [])], X, Y))
add("D_too_many_inputs", [INVALID], ["bad_node"], lambda: model([node("Relu", ["x", "x"])], X, Y))


def shadowing():
    def branch(name):
        return h.make_graph([node("Relu", ["t"], ["u"], name + "r"), node("Abs", ["u"], ["t"], name + "a")],
                            name, [], [value("t", [2, 3])])
    return model([node("Neg", ["x"], ["t"], "neg"),
                  node("If", ["c"], ["y"], "if", then_branch=branch("t"), else_branch=branch("e"))],
                 X + [value("c", [], T.BOOL)], Y)


add("D_shadowing", [OK, INVALID, UNSUPPORTED], [], shadowing)


def chain(n, opset=21):
    return model([node("Relu", [f"x{i}"], [f"x{i + 1}"], f"n{i}") for i in range(n)],
                 [value("x0", [2, 3])], [value(f"x{n}", None)], opset=opset)


def wide(n):
    consts = [const(f"c{i}", np.full(3, i, np.float32)) for i in range(500)]
    return model([node("Add", ["x", f"c{i}"], [f"t{i}"], f"n{i}") for i in range(500)] +
                 [node("Concat", [f"t{i % 500}" for i in range(n)], axis=0)], X, Y, consts)


def many_outputs(n):
    return model([node("Relu" if i % 2 else "Neg", [f"t{i}"], [f"t{i + 1}"], f"n{i}") for i in range(n)],
                 [value("t0", [2, 3])], [value(f"t{i + 1}", None) for i in range(n)])


def many_inputs(n):
    return model([node("Sum", [f"x{i}" for i in range(n)])], [value(f"x{i}", [2, 3]) for i in range(n)], Y)


add("D_chain_100000", [OK], [], lambda: chain(100_000), seconds=20)
add("D_chain_100000_opset_13", [OK], [], lambda: chain(100_000, 13), seconds=20)
add("D_fan_in_100000", [OK], [], lambda: wide(100_000), seconds=20)
add("D_outputs_1000", [OK], [], lambda: many_outputs(1000))
add("D_outputs_20000", [LIMIT], ["20000 outputs"], lambda: many_outputs(20_000))
add("D_inputs_5000", [OK], [], lambda: many_inputs(5000), seconds=20)


def functions(count, double, recursive=False):
    fs = []
    for i in range(count):
        last = i == count - 1 and not recursive
        op, domain = ("Relu", "") if last else (f"f{(i + 1) % count}", "local")
        body = [node(op, ["a"], ["b"], "n0", domain=domain)]
        if double:
            body.append(node(op, ["b"], ["c"], "n1", domain=domain))
        fs.append(h.make_function("local", f"f{i}", ["a"], ["c" if double else "b"], body,
                                  [h.make_opsetid("", 21), h.make_opsetid("local", 1)]))
    m = model([node("f0", ["x"], ["y"], "call", domain="local")], X, Y, domains=["local"], functions=fs)
    return m


add("D_function_good", [OK], [], lambda: functions(3, True))
add("D_function_bomb_25", [LIMIT], ["'f0'"], lambda: functions(25, True))
add("D_function_bomb_100", [LIMIT], ["'f0'"], lambda: functions(100, True))
add("D_function_chain_5000", [LIMIT], ["function"], lambda: functions(5000, False))
add("D_function_recursive", [INVALID], ["recursive"], lambda: functions(1, True, True))
add("D_functions_mutual", [INVALID], ["recursive"], lambda: functions(3, False, True))

# ---- E: operators --------------------------------------------------------
IMG = {"x": [1, 4, 8, 8], "w": [4, 4, 3, 3]}


def bad(name, build, exits=(INVALID,), words=("bad_node",), **kw):
    add("E_" + name, list(exits), list(words), build, **kw)


I64 = np.int64
bad("softmax_axis_7", lambda: one("Softmax", {"x": [2, 3]}, axis=7))
bad("concat_axis_9", lambda: one("Concat", {"x": [2, 3], "z": [2, 3]}, axis=9))
bad("transpose_perm_length", lambda: one("Transpose", {"x": [2, 3]}, perm=[0, 1, 2]))
bad("transpose_perm_twice", lambda: one("Transpose", {"x": [2, 3]}, perm=[0, 0]))
bad("transpose_perm_range", lambda: one("Transpose", {"x": [2, 3]}, perm=[0, 5]))
bad("conv_group_0", lambda: one("Conv", IMG, group=0))
bad("conv_group_negative", lambda: one("Conv", IMG, group=-2))
bad("conv_group_3", lambda: one("Conv", IMG, group=3))
bad("conv_stride_0", lambda: one("Conv", IMG, strides=[0, 0]))
bad("conv_stride_negative", lambda: one("Conv", IMG, strides=[-1, 1]))
bad("conv_dilation_0", lambda: one("Conv", IMG, dilations=[0, 1]))
bad("conv_pads_negative", lambda: one("Conv", IMG, pads=[-9, 0, 0, 0]))
bad("conv_pads_huge", lambda: one("Conv", IMG, pads=[1 << 40, 0, 0, 0]),
    [OK, INVALID, UNSUPPORTED, LIMIT], ())
bad("conv_kernel_mismatch", lambda: one("Conv", IMG, kernel_shape=[5, 5]))
bad("conv_channels", lambda: one("Conv", {"x": [1, 3, 8, 8], "w": [4, 4, 3, 3]}))
bad("conv_kernel_too_large", lambda: one("Conv", {"x": [1, 4, 2, 2], "w": [4, 4, 3, 3]}))
bad("conv_rank", lambda: one("Conv", {"x": [1, 4], "w": [4, 4]}))
bad("pool_kernel_2_31", lambda: one("MaxPool", {"x": [1, 4, 8, 8]}, kernel_shape=[1 << 31, 1 << 31],
                                    pads=[1 << 30] * 4), [INVALID, UNSUPPORTED, LIMIT])
bad("pool_kernel_0", lambda: one("MaxPool", {"x": [1, 4, 8, 8]}, kernel_shape=[0, 2]))
bad("pool_kernel_negative", lambda: one("AveragePool", {"x": [1, 4, 8, 8]}, kernel_shape=[-2, 2]))
bad("pool_stride_0", lambda: one("AveragePool", {"x": [1, 4, 8, 8]}, kernel_shape=[2, 2], strides=[0, 1]))
bad("reshape_two_minus_one", lambda: one("Reshape", {"x": [2, 3], "s": None}, consts=[const("s", I64([-1, -1]))]))
bad("reshape_minus_two", lambda: one("Reshape", {"x": [2, 3], "s": None}, consts=[const("s", I64([-2, -1]))]))
bad("reshape_mismatch", lambda: one("Reshape", {"x": [2, 3], "s": None}, consts=[const("s", I64([4, 4]))]))
bad("reshape_overflow", lambda: one("Reshape", {"x": [2, 3], "s": None},
                                    consts=[const("s", I64([1 << 40, 1 << 40]))]))
bad("reshape_copy_missing", lambda: one("Reshape", {"x": [2], "s": None}, consts=[const("s", I64([2, 0]))]))
bad("expand_mismatch", lambda: one("Expand", {"x": [2, 3], "s": None}, consts=[const("s", I64([4, 4]))]))
bad("expand_10_12", lambda: one("Expand", {"x": [1, 1], "s": None}, consts=[const("s", I64([10 ** 6, 10 ** 6]))]),
    [OK, INVALID, UNSUPPORTED, LIMIT], ())
bad("constant_of_shape_10_12", lambda: one("ConstantOfShape", {"s": None},
                                           consts=[const("s", I64([10 ** 6, 10 ** 6]))]),
    [OK, INVALID, UNSUPPORTED, LIMIT], ())
bad("constant_of_shape_negative", lambda: one("ConstantOfShape", {"s": None}, consts=[const("s", I64([-2]))]))
bad("tile_10_12", lambda: one("Tile", {"x": [1, 1], "r": None}, consts=[const("r", I64([10 ** 6, 10 ** 6]))]),
    [OK, INVALID, UNSUPPORTED, LIMIT], ())
bad("input_10_12", lambda: one("Relu", {"x": [10 ** 6, 10 ** 6]}), [OK, INVALID, UNSUPPORTED, LIMIT], ())
bad("input_2_62", lambda: one("Relu", {"x": [1 << 62, 1 << 62]}), [INVALID, UNSUPPORTED, LIMIT], ())
bad("input_negative_dim", lambda: one("Relu", {"x": [-5, 2]}), [OK, INVALID], ())
bad("range_huge", lambda: one("Range", {"a": None, "b": None, "c": None},
                              consts=[const("a", I64(0)), const("b", I64(10 ** 12)), const("c", I64(1))]),
    [OK, INVALID, UNSUPPORTED, LIMIT], ())
bad("range_step_0", lambda: one("Range", {"a": None, "b": None, "c": None},
                                consts=[const("a", I64(0)), const("b", I64(4)), const("c", I64(0))]))
bad("gather_constant_range", lambda: one("Gather", {"x": [2, 3], "i": None}, consts=[const("i", I64([10 ** 6]))]))
bad("gather_axis", lambda: one("Gather", {"x": [2, 3], "i": ([1], T.INT64)}, axis=4))
bad("gather_dynamic", lambda: one("Gather", {"x": [2, 3], "i": ([1], T.INT64)}), [OK], ())
bad("split_sum", lambda: one("Split", {"x": [6, 3], "s": None}, consts=[const("s", I64([4, 4]))],
                             outputs=("y", "z")))
bad("split_negative", lambda: one("Split", {"x": [6, 3], "s": None}, consts=[const("s", I64([-2, 8]))],
                                  outputs=("y", "z")))
bad("slice_step_0", lambda: one("Slice", {"x": [6, 3], "s": None, "e": None, "a": None, "t": None},
                                consts=[const("s", I64([0])), const("e", I64([4])), const("a", I64([0])),
                                        const("t", I64([0]))]))
bad("slice_axis", lambda: one("Slice", {"x": [6, 3], "s": None, "e": None, "a": None},
                              consts=[const("s", I64([0])), const("e", I64([4])), const("a", I64([5]))]))
bad("slice_int_min", lambda: one("Slice", {"x": [6, 3], "s": None, "e": None, "a": None, "t": None},
                                 consts=[const("s", I64([-1])), const("e", I64([-(1 << 63)])),
                                         const("a", I64([0])), const("t", I64([-(1 << 63)]))]),
    [OK, INVALID], ())
bad("squeeze_not_one", lambda: one("Squeeze", {"x": [2, 3], "a": None}, consts=[const("a", I64([0]))]))
bad("unsqueeze_twice", lambda: one("Unsqueeze", {"x": [2, 3], "a": None}, consts=[const("a", I64([0, 0]))]))
bad("pad_length", lambda: one("Pad", {"x": [2, 3], "p": None}, consts=[const("p", I64([1, 1, 1]))]))
bad("pad_negative_too_far", lambda: one("Pad", {"x": [2, 3], "p": None}, consts=[const("p", I64([-9, 0, 0, 0]))]))
bad("topk_k_large", lambda: one("TopK", {"x": [2, 3], "k": None}, consts=[const("k", I64([9]))],
                                outputs=("y", "z")))
bad("topk_k_negative", lambda: one("TopK", {"x": [2, 3], "k": None}, consts=[const("k", I64([-1]))],
                                   outputs=("y", "z")))
F32 = np.float32
for tag, scales in (("zero", [1, 1, 0, 1]), ("nan", [1, 1, float("nan"), 1]), ("negative", [1, 1, -2, 1]),
                    ("too_many", [1, 1, 2, 2, 2]), ("infinite", [1, 1, float("inf"), 1]),
                    ("huge", [1, 1, 1e30, 1])):
    bad("resize_scale_" + tag, lambda scales=scales: one(
        "Resize", {"x": [1, 4, 8, 8], "": None, "s": None}, consts=[const("s", F32(scales))]),
        [INVALID, UNSUPPORTED, LIMIT])
bad("resize_size_negative", lambda: one("Resize", {"x": [1, 4, 8, 8], "r": None, "s": None, "z": None},
                                        consts=[const("r", F32([])), const("s", F32([])),
                                                const("z", I64([1, 4, -8, 8]))]), [INVALID, UNSUPPORTED])
for tag, scale in (("zero", 0.0), ("negative", -1.0), ("nan", float("nan"))):
    bad("quantize_scale_" + tag, lambda scale=scale: one(
        "QuantizeLinear", {"x": [2, 3], "s": None}, consts=[const("s", F32(scale))]), [OK, INVALID], ())
# ONNX lets the last block be short: two scales may stand for blocks of 3 to 5 in 6.
for size, exits in ((4, [OK]), (2, [INVALID]), (7, [INVALID]), (-4, [INVALID])):
    bad(f"quantize_block_size_{size}", lambda size=size: one(
        "QuantizeLinear", {"x": [6, 3], "s": None}, axis=0, block_size=size,
        consts=[const("s", np.ones((2, 3), F32))]), exits)
bad("quantize_scale_shape", lambda: one("QuantizeLinear", {"x": [6, 3], "s": None}, axis=0,
                                        consts=[const("s", np.ones(4, F32))]))
bad("matmul_mismatch", lambda: one("MatMul", {"x": [2, 3], "z": [4, 5]}))
bad("gemm_rank", lambda: one("Gemm", {"x": [2, 3, 4], "z": [4, 5]}))
bad("add_broadcast", lambda: one("Add", {"x": [2, 3], "z": [4, 5]}))
bad("add_dtypes", lambda: one("Add", {"x": [2, 3], "z": ([2, 3], T.INT64)}))
bad("einsum_syntax", lambda: one("Einsum", {"x": [2, 3]}, equation="ij->->k"), [INVALID, UNSUPPORTED])
bad("einsum_rank", lambda: one("Einsum", {"x": [2, 3]}, equation="ijk->ij"), [INVALID, UNSUPPORTED])
bad("batchnorm_shapes", lambda: one("BatchNormalization", {"x": [1, 4, 8, 8], "a": [3], "b": [3], "c": [3],
                                                           "d": [3]}))
bad("layernorm_axis", lambda: one("LayerNormalization", {"x": [2, 3], "s": [3]}, axis=5))
bad("lstm_hidden", lambda: one("LSTM", {"x": [5, 1, 4], "w": [1, 16, 4], "r": [1, 16, 3]}, hidden_size=4),
    [INVALID, UNSUPPORTED])
bad("lstm_hidden_0", lambda: one("LSTM", {"x": [5, 1, 4], "w": [1, 0, 4], "r": [1, 0, 0]}, hidden_size=0),
    [INVALID, UNSUPPORTED])
bad("depth_to_space_0", lambda: one("DepthToSpace", {"x": [1, 4, 8, 8]}, blocksize=0))
bad("cast_to_99", lambda: one("Cast", {"x": [2, 3]}, to=99))
bad("onehot_depth_negative", lambda: one("OneHot", {"i": ([2], T.INT64), "d": None, "v": None},
                                         consts=[const("d", I64(-4)), const("v", F32([0, 1]))]),
    [INVALID, UNSUPPORTED])
bad("matmulnbits_bytes", lambda: one("MatMulNBits", {"x": [2, 32], "b": ([4, 1, 7], T.UINT8), "s": [4]},
                                     domain="com.microsoft", K=32, N=4, bits=4, block_size=32),
    [INVALID, UNSUPPORTED])
bad("attention_heads", lambda: one("Attention", {"q": [1, 4, 10], "k": [1, 4, 10], "v": [1, 4, 10]}, opset=23,
                                   q_num_heads=3, kv_num_heads=3), [INVALID, UNSUPPORTED])


def mismatched_if():
    def branch(name, shape, dtype):
        return h.make_graph([node("Constant", [], [name], "c" + name, value=h.make_tensor("t", dtype, [1], [1]))],
                            name, [], [value(name, shape, dtype)])
    return model([node("If", ["c"], then_branch=branch("a", [1], T.FLOAT), else_branch=branch("b", [1], T.INT64))],
                 [value("c", [], T.BOOL)], Y)


bad("if_types", mismatched_if, [INVALID, UNSUPPORTED])


def long_loop():
    body = h.make_graph([node("Identity", ["c"], ["co"], "i"), node("Add", ["s", "s"], ["so"], "a")], "body",
                        [value("i", [], T.INT64), value("c", [], T.BOOL), value("s", [1])],
                        [value("co", [], T.BOOL), value("so", [1])])
    return model([node("Loop", ["n", "", "x"], body=body)], [value("x", [1])], Y,
                 [const("n", I64((1 << 63) - 1))])


bad("loop_2_63", long_loop, [OK, UNSUPPORTED], ())


def loop_body_inputs():
    body = h.make_graph([node("Identity", ["i"], ["o"], "i")], "body", [value("i", [], T.INT64)],
                        [value("o", [], T.INT64)])
    return model([node("Loop", ["n", "", "x"], body=body)], [value("x", [1])], Y, [const("n", I64(3))])


bad("loop_body_inputs", loop_body_inputs, [INVALID, UNSUPPORTED])

# ---- F: names ------------------------------------------------------------


def named(name, broken=False):
    last = node("Relu", ["t"], ["out"], name) if not broken else node("Softmax", ["t"], ["out"], name, axis=9)
    return model([node("Neg", [name], ["t"], "first"), last], [value(name, [2, 3])], [value("out", None)])


NAMES = {"newline": "a\nerror: b", "escape": "a\x1b[31mred\x1b]0;title\x07", "nul": "a\0b", "rtl": "a\u202eb",
         "quote": "a\"b'c`d\\e", "slashes": "../../etc/passwd", "c_injection": "a */ system(\"x\"); /*",
         "format": "%s%n%d{0}", "million": "n" * 1_000_000, "space": " ", "unicode": "名前🙂"}
for tag, text in NAMES.items():
    # Programs name inputs by C strings: a zero byte is refused.
    add(f"F_{tag}", [INVALID] if tag == "nul" else [OK], [], lambda text=text: named(text))
    add(f"F_{tag}_broken", [INVALID], ["axis", "zero byte"], lambda text=text: named(text, True))


def invalid_utf8():
    data = named("AAAAAAAA", True).SerializeToString()
    return data.replace(b"AAAAAAAA", b"\xff\xfe\xc0\x80\xf5\x90\x80\x80")


add("F_invalid_utf8", [INVALID], [], invalid_utf8)

# ---- G: versions ---------------------------------------------------------


def versions(opset=21, ir=10, edit=None):
    m = model([node("Relu", ["x"])], X, Y, opset=opset, ir=ir)
    if edit:
        edit(m)
    return m


add("G_opset_0", [INVALID], ["opset 0"], lambda: versions(opset=0))
add("G_opset_999", [INVALID, UNSUPPORTED], ["opset 999"], lambda: versions(opset=999))
add("G_opset_negative", [INVALID], ["opset"], lambda: versions(opset=-3))
add("G_opset_none", [INVALID], ["operator set"], lambda: versions(edit=lambda m: m.ClearField("opset_import")))
add("G_opset_other_domain_only", [INVALID], ["not imported"],
    lambda: versions(edit=lambda m: setattr(m.opset_import[0], "domain", "my.ops")))
add("G_opset_twice", [INVALID], ["two opsets"],
    lambda: versions(edit=lambda m: m.opset_import.append(h.make_opsetid("", 13))))
add("G_ir_0", [INVALID], ["IR version"], lambda: versions(ir=0))
add("G_ir_999", [INVALID, UNSUPPORTED], ["IR version"], lambda: versions(ir=999))
add("G_ir_missing", [INVALID], ["IR version"], lambda: versions(edit=lambda m: m.ClearField("ir_version")))
add("G_unused_domain", [OK], [], lambda: versions(edit=lambda m: m.opset_import.append(h.make_opsetid("Paddle", 1))))
add("G_unknown_operator", [UNSUPPORTED], ["Magic"], lambda: model([node("Magic", ["x"])], X, Y))
add("G_unknown_domain_operator", [UNSUPPORTED], ["Magic"], lambda: model(
    [node("Magic", ["x"], domain="my.ops")], X, Y, domains=["my.ops"]))
add("G_domain_not_imported", [INVALID], ["not imported"], lambda: model([node("Magic", ["x"], domain="my.ops")], X, Y))
add("G_deprecated_operator", [INVALID, UNSUPPORTED], ["Upsample"], lambda: model(
    [node("Upsample", ["x", "s"])], X, Y, [const("s", F32([1, 2]))]))

# ---- R: inputs that a good model cannot take, found when it runs ---------
ANY = [OK, INVALID, LIMIT]  # no crash, no reading elsewhere


def run_one(name, op, arrays, exits=(INVALID,), consts=(), static=(), dims={}, opset=21, outputs=("y",), **attrs):
    """One node on `arrays`, whose extents the model does not know, but for
    inputs in `static` and `dims`; None is an absent input; constants come last."""
    inputs, order = [], []
    for i, a in enumerate(arrays):
        order.append("" if a is None else f"i{i}")
        if a is not None:
            own = dims.get(i, a.shape if i in static else [None] * a.ndim)
            inputs.append(value(f"i{i}", own, h.np_dtype_to_tensor_dtype(a.dtype)))
    nd = node(op, order + [c.name for c in consts], outputs, **attrs)
    at_run(name, lambda: model([nd], inputs, [value(o, None) for o in outputs if o], consts, opset),
           {f"i{i}": a for i, a in enumerate(arrays) if a is not None}, exits)


def f32(*shape):
    return np.linspace(-1, 1, int(np.prod(shape)), dtype=F32).reshape(shape)


def i64(*values):
    return np.array(values, I64)


run_one("matmul_inner", "MatMul", [f32(2, 3), f32(4, 5)])
run_one("matmul_inner_large", "MatMul", [f32(2, 3000), f32(4, 5)])
run_one("matmul_batch", "MatMul", [f32(2, 2, 3), f32(5, 3, 2)])
run_one("matmul_static", "MatMul", [f32(2, 3), f32(4, 5)], static=[1])
run_one("gemm_inner", "Gemm", [f32(2, 3), f32(4, 5)])
run_one("gemm_bias", "Gemm", [f32(2, 3), f32(3, 5), f32(4)])
run_one("einsum", "Einsum", [f32(2, 3), f32(4, 5)], equation="ij,jk->ik")
run_one("einsum_diagonal", "Einsum", [f32(2, 3)], exits=[INVALID, OK], equation="ii->i")
run_one("add_broadcast", "Add", [f32(3), f32(4)])
run_one("add_broadcast_ranks", "Add", [f32(2, 3), f32(4)])
run_one("add_broadcast_static", "Add", [f32(3), f32(4)], static=[0])
run_one("where_broadcast", "Where", [np.ones((3, 1), bool), f32(2, 4), f32(3, 4)])
run_one("sum_broadcast", "Sum", [f32(3), f32(1), f32(4)])
run_one("reshape_mismatch", "Reshape", [f32(2, 3)], consts=[const("s", i64(4, -1))])
run_one("reshape_fixed", "Reshape", [f32(2, 3)], consts=[const("s", i64(2, 4))])
for tag, shape in (("two_minus_one", (-1, -1)), ("minus_two", (-2, 3)), ("larger", (100, 100)),
                   ("overflow", (1 << 40, 1 << 40)), ("int_min", (-(1 << 63), 3))):
    run_one("reshape_" + tag, "Reshape", [f32(2, 3), i64(*shape)], static=[1])
run_one("reshape_by_zero", "Reshape", [f32(0, 3), i64(0, -1)], exits=ANY, static=[1], allowzero=1)
run_one("squeeze", "Squeeze", [f32(3, 2)], consts=[const("a", i64(0))])
run_one("flatten_concat", "Concat", [f32(2, 2), f32(2, 3)], axis=0)
run_one("concat_longer_first", "Concat", [f32(2, 300), f32(2, 3)], axis=0)
run_one("conv_channels_more", "Conv", [f32(1, 8, 8, 8), f32(4, 4, 3, 3)], static=[1])
run_one("conv_channels_fewer", "Conv", [f32(1, 2, 8, 8), f32(4, 4, 3, 3)], static=[1])
run_one("conv_groups", "Conv", [f32(1, 6, 8, 8), f32(4, 2, 3, 3)], static=[1], group=2)
run_one("conv_depthwise", "Conv", [f32(1, 3, 8, 8), f32(4, 1, 3, 3)], static=[1], group=4)
run_one("conv_bias", "Conv", [f32(1, 4, 8, 8), f32(4, 4, 3, 3), f32(2)], kernel_shape=[3, 3])
run_one("conv_small_input", "Conv", [f32(1, 4, 1, 1), f32(4, 4, 3, 3)], exits=[INVALID, OK], static=[1])
run_one("conv_transpose_channels", "ConvTranspose", [f32(1, 2, 8, 8), f32(4, 4, 3, 3)], static=[1])
run_one("pool_small_input", "MaxPool", [f32(1, 4, 1, 1)], exits=[INVALID, OK], kernel_shape=[3, 3])
run_one("average_pool_small_input", "AveragePool", [f32(1, 4, 1, 1)], exits=[INVALID, OK], kernel_shape=[3, 3])
run_one("batchnorm", "BatchNormalization", [f32(1, 4, 2), f32(3), f32(3), f32(3), f32(3)])
run_one("layernorm", "LayerNormalization", [f32(2, 4), f32(3), f32(4)])
run_one("instancenorm", "InstanceNormalization", [f32(1, 4, 3), f32(3), f32(3)])
run_one("groupnorm_groups", "GroupNormalization", [f32(1, 5, 3), f32(5), f32(5)], num_groups=2)
run_one("prelu", "PRelu", [f32(2, 4), f32(3)])
run_one("gather", "Gather", [f32(2, 3), i64(0, 5)])
run_one("gather_negative", "Gather", [f32(2, 3), i64(-3)])
run_one("gather_int_min", "Gather", [f32(2, 3), i64(-(1 << 63))])
run_one("gather_from_empty", "Gather", [f32(0, 3), i64(0)])
run_one("gather_elements_index", "GatherElements", [f32(2, 3), np.full((2, 3), 9, I64)])
run_one("gather_elements_extent", "GatherElements", [f32(2, 3), np.zeros((2, 300), I64)])
run_one("gather_nd", "GatherND", [f32(2, 3), np.full((4, 2), 7, I64)], static=[1])
run_one("gather_nd_batch", "GatherND", [f32(2, 3, 2), np.zeros((300, 1), I64)], dims={1: [None, 1]}, batch_dims=1)
run_one("scatter_elements_index", "ScatterElements", [f32(2, 3), np.full((2, 3), 9, I64), f32(2, 3)])
run_one("scatter_elements_extent", "ScatterElements", [f32(2, 3), np.zeros((2, 300), I64), f32(2, 300)])
run_one("scatter_elements_updates", "ScatterElements", [f32(2, 300), np.zeros((2, 300), I64), f32(2, 3)])
run_one("scatter_nd_index", "ScatterND", [f32(2, 3), np.full((4, 2), 7, I64), f32(4)], static=[1])
run_one("scatter_nd_updates", "ScatterND", [f32(2, 300), np.zeros((4, 1), I64), f32(4, 3)], static=[1])
for tag, shape in (("mismatch", (4,)), ("negative", (-4,)), ("overflow", (1 << 62, 1 << 62))):
    run_one("expand_" + tag, "Expand", [f32(3), i64(*shape)], static=[1])
run_one("tile_negative", "Tile", [f32(3), i64(-2)], exits=[INVALID, OK], static=[1])
run_one("tile_huge", "Tile", [f32(3), i64(1 << 61)], exits=[INVALID, LIMIT], static=[1])
run_one("tile_10_12", "Tile", [f32(3), i64(10 ** 12)], exits=[LIMIT], static=[1])
run_one("constant_of_shape_negative", "ConstantOfShape", [i64(-4, 3)], static=[0])
run_one("constant_of_shape_10_12", "ConstantOfShape", [i64(10 ** 6, 10 ** 6)], exits=[LIMIT], static=[0])
run_one("constant_of_shape_overflow", "ConstantOfShape", [i64(1 << 62, 1 << 62)], exits=[INVALID, LIMIT], static=[0])
run_one("constant_of_shape_signs", "ConstantOfShape", [i64(-4, -3)], static=[0])
run_one("range_step_0", "Range", [I64(0), I64(4), I64(0)], exits=[INVALID, OK])
run_one("range_huge", "Range", [I64(0), I64(1 << 62), I64(1)], exits=[INVALID, LIMIT])
run_one("range_nan", "Range", [F32(0), F32("nan"), F32(1)], exits=ANY)
run_one("range_infinite", "Range", [F32(0), F32("inf"), F32(1)], exits=ANY)
run_one("split_sum", "Split", [f32(6, 3), i64(4, 4)], ANY, static=[1], outputs=("y", "z"))
run_one("split_negative", "Split", [f32(6, 3), i64(-2, 8)], ANY, static=[1], outputs=("y", "z"))
run_one("slice_step_0", "Slice", [f32(6, 3), i64(0), i64(4), i64(0), i64(0)], exits=ANY, static=[1, 2, 3, 4])
run_one("slice_extremes", "Slice", [f32(6, 3), i64(-(1 << 63)), i64((1 << 63) - 1)], exits=[OK], static=[1, 2])
run_one("slice_step_int_min", "Slice", [f32(6, 3), i64(-1), i64(-(1 << 63)), i64(0), i64(-(1 << 63))], exits=ANY,
        static=[1, 2, 3, 4])
run_one("pad_negative", "Pad", [f32(2, 3), i64(-9, 0, 0, 0)], exits=[INVALID, OK], static=[1])
run_one("pad_negative_both", "Pad", [f32(2, 3), i64(-1, 0, -1, -9)], exits=[INVALID, OK], static=[1])
run_one("pad_huge", "Pad", [f32(2, 3), i64(1 << 62, 0, 1 << 62, 0)], exits=ANY, static=[1])
run_one("pad_reflect", "Pad", [f32(2, 3), i64(7, 7, 7, 7)], exits=ANY, static=[1], mode="reflect")
run_one("pad_reflect_empty", "Pad", [f32(0, 3), i64(7, 0, 0, 0)], exits=ANY, static=[1], mode="reflect")
run_one("topk_large", "TopK", [f32(2, 3), i64(9)], static=[1], outputs=("y", "z"))
run_one("topk_negative", "TopK", [f32(2, 3), i64(-1)], static=[1], outputs=("y", "z"))
run_one("onehot_depth_negative", "OneHot", [i64(1, 2), I64(-4), F32([0, 1])], exits=[INVALID, OK], static=[2])
run_one("onehot_depth_huge", "OneHot", [i64(1, 2), I64(1 << 62), F32([0, 1])], exits=[INVALID, LIMIT], static=[2])
run_one("resize_sizes_negative", "Resize", [f32(1, 1, 4, 4), None, None, i64(1, 1, -4, 4)], static=[3])
run_one("resize_sizes_huge", "Resize", [f32(1, 1, 4, 4), None, None, i64(1, 1, 1 << 40, 1 << 40)],
        exits=[INVALID, LIMIT], static=[3])
for tag, scale in (("zero", 0), ("nan", float("nan")), ("negative", -2), ("infinite", float("inf"))):
    run_one("resize_scale_" + tag, "Resize", [f32(1, 1, 4, 4), None, F32([1, 1, scale, 1])], exits=ANY, static=[2])
run_one("resize_from_empty", "Resize", [f32(1, 1, 0, 4), None, None, i64(1, 1, 4, 4)], exits=ANY, static=[3])
# Lists that are shorter than the rank they speak for.
run_one("tile_short", "Tile", [f32(2, 3, 4), i64(2)])
run_one("pad_short", "Pad", [f32(2, 3, 4), i64(1)])
run_one("resize_scales_short", "Resize", [f32(1, 1, 4, 4), None, F32([2])])
run_one("center_crop_short", "CenterCropPad", [f32(2, 3, 4), i64(1)])
run_one("onehot_values_short", "OneHot", [i64(1, 2), I64(4), F32([1])])
run_one("topk_none", "TopK", [f32(2, 3), i64()], outputs=("y", "z"))
run_one("cumsum_axis", "CumSum", [f32(2, 3), np.int32(7)], exits=ANY)
run_one("trilu_extreme", "Trilu", [f32(2, 3), I64(-(1 << 63))], exits=[OK])
run_one("compress_longer", "Compress", [f32(2, 3), np.ones(9, bool)], exits=ANY, axis=0)
run_one("reverse_sequence", "ReverseSequence", [f32(4, 2), i64(9, -3)], exits=ANY)
run_one("reverse_sequence_batch", "ReverseSequence", [f32(4, 2), i64(1, 1, 1, 1, 1)])
run_one("lstm_input", "LSTM", [f32(5, 1, 3), f32(1, 16, 4), f32(1, 16, 4)], static=[1, 2], hidden_size=4)
run_one("lstm_weights", "LSTM", [f32(5, 1, 4), f32(1, 12, 4), f32(1, 16, 4)], hidden_size=4)
run_one("lstm_bias", "LSTM", [f32(5, 1, 4), f32(1, 16, 4), f32(1, 16, 4), f32(1, 8)], hidden_size=4)
run_one("lstm_state", "LSTM", [f32(5, 3, 4), f32(1, 16, 4), f32(1, 16, 4), None, None, f32(1, 1, 4)], hidden_size=4)
run_one("lstm_lengths", "LSTM", [f32(5, 1, 4), f32(1, 16, 4), f32(1, 16, 4), None, np.array([99], np.int32)],
        exits=ANY, hidden_size=4)
run_one("lstm_lengths_count", "LSTM", [f32(5, 4, 4), f32(1, 16, 4), f32(1, 16, 4), None, np.array([5], np.int32)],
        hidden_size=4)
run_one("gru_state", "GRU", [f32(5, 3, 4), f32(1, 12, 4), f32(1, 12, 4), None, None, f32(1, 1, 4)], hidden_size=4)
run_one("quantize_scales", "QuantizeLinear", [f32(2, 4), np.ones(3, F32)], axis=1)
run_one("dequantize_scales", "DequantizeLinear", [np.ones((2, 4), np.uint8), np.ones(3, F32)], axis=1)
run_one("dequantize_blocks", "DequantizeLinear", [np.ones((2, 4), np.uint8), np.ones((2, 1), F32)], axis=1, block_size=2)
run_one("max_unpool", "MaxUnpool", [f32(1, 1, 2, 2), np.full((1, 1, 2, 2), 999, I64)], kernel_shape=[2, 2],
        strides=[2, 2])
run_one("max_unpool_count", "MaxUnpool", [f32(1, 1, 20, 20), np.zeros((1, 1, 2, 2), I64)], kernel_shape=[2, 2],
        strides=[2, 2])
run_one("grid_sample_batch", "GridSample", [f32(1, 1, 4, 4), np.zeros((3, 2, 2, 2), F32)])
for tag, v in (("nan", np.nan), ("infinite", np.inf), ("huge", 1e30)):
    run_one("grid_sample_" + tag, "GridSample", [f32(1, 1, 4, 4), np.full((1, 2, 2, 2), v, F32)], exits=ANY)
run_one("nms_counts", "NonMaxSuppression", [np.zeros((1, 3, 4), F32), np.ones((1, 1, 9), F32), i64(5)], static=[2])
run_one("nms_batches", "NonMaxSuppression", [np.zeros((1, 3, 4), F32), np.ones((4, 1, 3), F32), i64(5)], static=[2])
run_one("depth_to_space", "DepthToSpace", [f32(1, 5, 2, 2)], blocksize=2)
run_one("space_to_depth", "SpaceToDepth", [f32(1, 1, 3, 2)], blocksize=2)
run_one("nll_labels", "NegativeLogLikelihoodLoss", [f32(2, 3), i64(0, 99)])
run_one("sce_labels", "SoftmaxCrossEntropyLoss", [f32(2, 3), i64(0, 99)])
run_one("center_crop", "CenterCropPad", [f32(2, 3), i64(-1, 3)], exits=ANY, static=[1])
run_one("eye_from_empty", "EyeLike", [f32(0, 3)], exits=[OK])
run_one("argmax_empty", "ArgMax", [f32(0, 3)], exits=ANY, axis=0)
run_one("reduce_max_empty", "ReduceMax", [f32(0, 3)], exits=ANY)
for tag, a, b in (("zero", [1], [0]), ("int_min", [-(1 << 63)], [-1])):
    run_one("div_" + tag, "Div", [i64(*a), i64(*b)], exits=ANY)
    run_one("mod_" + tag, "Mod", [i64(*a), i64(*b)], exits=ANY)
run_one("shift", "BitShift", [np.array([1], np.uint32), np.array([99], np.uint32)], exits=[OK], direction="LEFT")
run_one("cast_nan", "Cast", [F32([np.nan, np.inf, -1e30])], exits=[OK], to=T.INT32)
run_one("attention_lengths", "Attention", [f32(1, 2, 8), f32(1, 3, 8), f32(1, 4, 8)], opset=23, q_num_heads=2,
        kv_num_heads=2)
run_one("attention_heads", "Attention", [f32(1, 2, 9), f32(1, 3, 9), f32(1, 3, 9)], opset=23, q_num_heads=2,
        kv_num_heads=2)
run_one("attention_mask", "Attention", [f32(1, 2, 8), f32(1, 3, 8), f32(1, 3, 8), f32(5, 7)], opset=23,
        q_num_heads=2, kv_num_heads=2)


def run_loop(trips):
    body = h.make_graph([node("Identity", ["c"], ["co"], "i"), node("Concat", ["s", "s"], ["so"], "a", axis=0)], "body",
                        [value("i", [], T.INT64), value("c", [], T.BOOL), value("s", [None])],
                        [value("co", [], T.BOOL), value("so", [None])])
    return model([node("Loop", ["n", "", "x"], body=body)], [value("n", [], T.INT64), value("x", [None])],
                 [value("y", [None])])


at_run("loop_doubling", lambda: run_loop(64), {"n": I64(64), "x": f32(4)}, [LIMIT, INVALID])


def scan_grows():
    body = h.make_graph([node("Identity", ["c"], ["co"], "i"), node("Range", ["zero", "i", "one"], ["o"], "r")], "body",
                        [value("i", [], T.INT64), value("c", [], T.BOOL)],
                        [value("co", [], T.BOOL), value("o", [None], T.INT64)])
    return model([node("Loop", ["n", ""], body=body)], [value("n", [], T.INT64)], [value("y", [None, None], T.INT64)],
                 [const("zero", I64(0)), const("one", I64(1))])


at_run("scan_grows", scan_grows, {"n": I64(500)})


def one_symbol():
    return model([node("Add", ["x", "z"])], [value("x", ["n"]), value("z", ["n"])], Y)


at_run("one_symbol_two_extents", one_symbol, {"x": f32(3), "z": f32(4)})
at_run("wrong_rank", one_symbol, {"x": f32(3, 1), "z": f32(3)})
at_run("wrong_dtype", one_symbol, {"x": i64(1, 2, 3), "z": f32(3)}, words=("ADZ",))


# ---- I: a compile that is long enough to interrupt; see run.py ------------


def weighty(layers=12, width=1024):
    rng = np.random.default_rng(0)
    consts = [const(f"w{i}", rng.standard_normal((width, width), F32)) for i in range(layers)]
    return model([node("MatMul", [f"x{i}", f"w{i}"], [f"x{i + 1}"], f"n{i}") for i in range(layers)],
                 [value("x0", ["n", width])], [value(f"x{layers}", None)], consts)


add("I_interrupted", [OK], [], weighty, seconds=20)


def main():
    folder = sys.argv[1]
    rows = []
    for name, exits, words, seconds, path, build in CASES:
        here = os.path.join(folder, name)
        shutil.rmtree(here, ignore_errors=True)
        os.makedirs(here)
        data = build(here)
        if isinstance(data, onnx.ModelProto):
            data = data.SerializeToString()
        if data is not None:
            with open(os.path.join(here, path), "wb") as f:
                f.write(data)
        row = {"name": name, "model": path, "exits": exits, "words": words, "seconds": seconds}
        for input_name, array in RUNS.get(name, {}).items():
            np.save(os.path.join(here, input_name + ".npy"), array)
            row.setdefault("inputs", {})[input_name] = input_name + ".npy"
        rows.append(row)
    with open(os.path.join(folder, "manifest.json"), "w") as f:
        json.dump(rows, f, indent=1)
    print(f"{len(rows)} cases in {folder}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
