"""Reads tensors from PyTorch's and safetensors' files with numpy alone, and
without running what a pickle asks to run."""

import collections
import json
import pickle
import struct

import numpy as np

_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES = {"FloatStorage": "<f4", "LongStorage": "<i8"}


class _Unpickler(pickle.Unpickler):
    """Knows an ordered dictionary and tensors of two types, nothing else."""

    def __init__(self, file):
        super().__init__(file)
        self.storages = {}

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda storage, offset, size, stride, *_: (storage, offset, size, stride)
        if module == "torch" and name in _DTYPES:
            return np.dtype(_DTYPES[name])
        raise pickle.UnpicklingError(f"{module}.{name} is not allowed in a weights file")

    def persistent_load(self, pid):
        kind, dtype, key, _location, count = pid[:5]
        if kind != "storage":
            raise pickle.UnpicklingError(f"unknown record {kind}")
        self.storages[key] = (dtype, count)
        return key


def load_torch(path):
    """{name: array} from torch.save's format of before 1.6."""
    with open(path, "rb") as file:
        if _Unpickler(file).load() != _MAGIC:
            raise ValueError(f"{path}: not the format that this reads")
        for _ in range(2):  # protocol version, system information
            _Unpickler(file).load()
        reader = _Unpickler(file)
        tensors = reader.load()
        data = {}
        for key in _Unpickler(file).load():
            dtype, count = reader.storages[key]
            if struct.unpack("<q", file.read(8))[0] != count:
                raise ValueError(f"{path}: storage {key} has another size than announced")
            data[key] = np.frombuffer(file.read(count * dtype.itemsize), dtype)
    result = {}
    for name, (key, offset, size, stride) in tensors.items():
        step = [s * data[key].itemsize for s in stride]
        result[name] = np.lib.stride_tricks.as_strided(data[key][offset:], size, step).copy()
    return result


def load_safetensors(path):
    """{name: array}; types F32 and I64."""
    with open(path, "rb") as file:
        raw = file.read()
    length = struct.unpack("<Q", raw[:8])[0]
    header = json.loads(raw[8 : 8 + length])
    body = memoryview(raw)[8 + length :]
    result = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            dtype = {"F32": "<f4", "I64": "<i8"}[entry["dtype"]]
            result[name] = np.frombuffer(body[begin:end], dtype).reshape(entry["shape"])
    return result
