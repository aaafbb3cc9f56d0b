"""Reads GGUF files (https://github.com/ggml-org/ggml, docs/gguf.md): metadata, and
tensors as float32. Block formats as ggml-quants.c decodes them."""

import math
import struct

import numpy as np

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def scalar(self, code):
        value = struct.unpack_from("<" + code, self.data, self.at)[0]
        self.at += struct.calcsize("<" + code)
        return value

    def string(self):
        length = self.scalar("Q")
        self.at += length
        return bytes(self.data[self.at - length:self.at]).decode("utf-8", "replace")

    def value(self, kind):
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            element, count = self.scalar("I"), self.scalar("Q")
            return [self.value(element) for _ in range(count)]
        return self.scalar(_SCALARS[kind])


def _halves(rows):
    return np.ascontiguousarray(rows).view("<f2").astype(np.float32)


def _q4_1(rows):  # scale, minimum, 16 bytes of two numbers each: low halves come first
    scale, least = _halves(rows[:, :4]).T[..., None]
    packed = rows[:, 4:]
    return np.concatenate([packed & 15, packed >> 4], 1) * scale + least


def _q8_0(rows):  # scale, 32 signed bytes
    return _halves(rows[:, :2]) * np.ascontiguousarray(rows[:, 2:]).view(np.int8)


def _q6_k(rows):  # low 4 bits, high 2 bits, 16 scales of 16 numbers each, their scale
    low, high = rows[:, :128].reshape(-1, 2, 2, 32), rows[:, 128:192].reshape(-1, 2, 1, 32)
    nibbles = np.stack([low & 15, low >> 4], 2).reshape(-1, 2, 4, 32)
    shifts = np.array([0, 2, 4, 6], np.uint8)[:, None]
    numbers = (nibbles | (high >> shifts & 3) << 4).astype(np.int8) - 32
    scales = np.ascontiguousarray(rows[:, 192:208]).view(np.int8).repeat(16, 1)
    return numbers.reshape(-1, 256) * scales * _halves(rows[:, 208:])


_PLAIN = {0: "<f4", 1: "<f2"}
_BLOCKS = {3: (32, 20, _q4_1), 8: (32, 34, _q8_0), 14: (256, 210, _q6_k)}  # numbers, bytes, decoder


class Gguf:
    """metadata: {key: value}; tensor(name): float32, the slowest dimension first."""

    def __init__(self, path):
        data = np.memmap(path, np.uint8, "r")
        reader = _Reader(memoryview(data))
        if bytes(data[:4]) != b"GGUF":
            raise ValueError(f"{path}: no GGUF file")
        reader.at = 8
        tensors, entries = reader.scalar("Q"), reader.scalar("Q")
        self.metadata = {reader.string(): reader.value(reader.scalar("I")) for _ in range(entries)}
        self._places = {}
        for _ in range(tensors):
            name = reader.string()
            shape = [reader.scalar("Q") for _ in range(reader.scalar("I"))][::-1]
            self._places[name] = shape, reader.scalar("I"), reader.scalar("Q")
        alignment = self.metadata.get("general.alignment", 32)
        self._data = data[math.ceil(reader.at / alignment) * alignment:]

    def __contains__(self, name):
        return name in self._places

    def tensor(self, name):
        shape, kind, offset = self._places[name]
        count = math.prod(shape)
        if kind in _PLAIN:
            dtype = np.dtype(_PLAIN[kind])
            raw = self._data[offset:offset + count * dtype.itemsize]
            return raw.view(dtype).astype(np.float32).reshape(shape)
        numbers, size, decode = _BLOCKS[kind]
        rows = self._data[offset:offset + count // numbers * size].reshape(-1, size)
        return decode(rows).astype(np.float32).reshape(shape)
