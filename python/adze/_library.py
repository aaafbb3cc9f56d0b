"""libadze_rt by ctypes: where it is, what it declares (include/adze/adze_rt.h)."""

import ctypes
import os
import threading
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_int32,
    c_int64,
    c_size_t,
    c_uint8,
    c_uint16,
    c_uint64,
    c_void_p,
)
from pathlib import Path

from .errors import BY_CODE, AdzeError, DeviceError

_NAME = "libadze_rt.so"


class Versioned(Structure):
    """A struct that begins with struct_size."""

    def __init__(self, **fields):
        super().__init__(**fields)
        self.struct_size = ctypes.sizeof(type(self))


class Tensor(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("dtype", c_int32),
        ("rank", c_int32),
        ("shape", POINTER(c_int64)),
        ("strides", POINTER(c_int64)),
        ("data", c_void_p),
        ("bytes", c_size_t),
        ("memory", c_int32),
        ("reserved", c_int32),
    ]


class TensorInfoC(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("dtype", c_int32),
        ("rank", c_int32),
        ("dims", POINTER(c_int64)),
        ("symbols", POINTER(c_char_p)),
    ]


class ModelOptions(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("threads", c_int32),
        ("reserved", c_int32),
        ("pool", c_void_p),
        ("device", c_char_p),
    ]


class RequestOptions(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("memory_limit", c_int64),
        ("timeout_ms", c_int64),
    ]


class KernelInfo(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("name", c_char_p),
        ("kind", c_char_p),
        ("nodes", POINTER(c_char_p)),
        ("node_count", c_size_t),
        ("flops", c_char_p),
        ("bytes", c_int64),
    ]


class ModelInfo(Versioned):
    _fields_ = [
        ("struct_size", c_size_t),
        ("compiler_version", c_char_p),
        ("target", c_char_p),
        ("triple", c_char_p),
        ("cpu", c_char_p),
        ("flags", c_char_p),
        ("model_hash", c_uint64),
        ("weights_bytes", c_int64),
        ("code_bytes", c_int64),
        ("arena_bytes", c_int64),
        ("peak_live_bytes", c_int64),
        ("planned_buffer_count", c_size_t),
    ]


class DLManagedTensor(Structure):
    """DLPack's, as its ABI lays it out."""


DLDeleter = CFUNCTYPE(None, POINTER(DLManagedTensor))
DLManagedTensor._fields_ = [
    ("data", c_void_p),
    ("device_type", c_int32),
    ("device_id", c_int32),
    ("ndim", c_int32),
    ("code", c_uint8),
    ("bits", c_uint8),
    ("lanes", c_uint16),
    ("shape", POINTER(c_int64)),
    ("strides", POINTER(c_int64)),
    ("byte_offset", c_uint64),
    ("manager_ctx", c_void_p),
    ("deleter", DLDeleter),
]

ProfileFn = CFUNCTYPE(None, c_void_p, c_int64, c_int64, c_int64)

# name: (result, arguments). A result of _STATUS is checked and raised.
_STATUS = "status"
_FUNCTIONS = {
    "adze_rt_version": (c_char_p, []),
    "adze_status_code": (c_int32, [c_void_p]),
    "adze_status_id": (c_char_p, [c_void_p]),
    "adze_status_message": (c_char_p, [c_void_p]),
    "adze_status_hint": (c_char_p, [c_void_p]),
    "adze_status_destroy": (None, [c_void_p]),
    "adze_pool_create": (_STATUS, [c_int32, POINTER(c_void_p)]),
    "adze_pool_destroy": (None, [c_void_p]),
    "adze_model_load_file": (_STATUS, [c_char_p, POINTER(ModelOptions), POINTER(c_void_p)]),
    "adze_model_load_memory": (
        _STATUS,
        [c_void_p, c_size_t, POINTER(ModelOptions), POINTER(c_void_p)],
    ),
    "adze_model_destroy": (None, [c_void_p]),
    "adze_model_input_count": (c_size_t, [c_void_p]),
    "adze_model_output_count": (c_size_t, [c_void_p]),
    "adze_model_input": (_STATUS, [c_void_p, c_size_t, POINTER(TensorInfoC)]),
    "adze_model_output": (_STATUS, [c_void_p, c_size_t, POINTER(TensorInfoC)]),
    "adze_model_metadata_count": (c_size_t, [c_void_p]),
    "adze_model_metadata": (
        _STATUS,
        [c_void_p, c_size_t, POINTER(c_char_p), POINTER(c_void_p), POINTER(c_size_t)],
    ),
    "adze_model_kernel_count": (c_size_t, [c_void_p]),
    "adze_model_kernel": (_STATUS, [c_void_p, c_size_t, POINTER(KernelInfo)]),
    "adze_model_get_info": (_STATUS, [c_void_p, POINTER(ModelInfo)]),
    "adze_request_create": (_STATUS, [c_void_p, POINTER(RequestOptions), POINTER(c_void_p)]),
    "adze_request_destroy": (None, [c_void_p]),
    "adze_request_set_input": (_STATUS, [c_void_p, c_size_t, POINTER(Tensor)]),
    "adze_request_set_input_dlpack": (_STATUS, [c_void_p, c_size_t, POINTER(DLManagedTensor)]),
    "adze_request_place_output": (_STATUS, [c_void_p, c_size_t, c_int32, c_void_p, c_size_t]),
    "adze_request_set_stream": (_STATUS, [c_void_p, c_void_p]),
    "adze_model_synchronize": (_STATUS, [c_void_p]),
    "adze_request_run": (_STATUS, [c_void_p]),
    "adze_request_start": (_STATUS, [c_void_p]),
    "adze_request_wait": (_STATUS, [c_void_p]),
    "adze_request_output_dlpack": (
        _STATUS,
        [c_void_p, c_size_t, POINTER(POINTER(DLManagedTensor))],
    ),
    "adze_request_output": (_STATUS, [c_void_p, c_size_t, POINTER(Tensor)]),
    "adze_request_set_profile": (_STATUS, [c_void_p, ProfileFn, c_void_p]),
}


def _candidates():
    """Paths to try, in order: the environment, beside this package, the tree
    this package was installed to or built in, the loader's own search."""
    if os.environ.get("ADZE_RT_LIBRARY"):
        return [os.environ["ADZE_RT_LIBRARY"]]
    here = Path(__file__).resolve().parent
    folders = [here]
    for parent in list(here.parents)[:5]:
        folders += [parent / "lib", parent / "lib64", parent / "build" / "lib"]
        folders += sorted(parent.glob("lib/*-linux-gnu"))
    found = [str(f / _NAME) for f in folders if (f / _NAME).is_file()]
    return found + [_NAME + ".0", _NAME]


def _open():
    failures = []
    for path in _candidates():
        try:
            return ctypes.CDLL(path)
        except OSError as e:
            failures.append(str(e))
    raise DeviceError(
        f"cannot load {_NAME}: {failures[0] if failures else 'not found'}",
        "ADZ0742",
        "set ADZE_RT_LIBRARY to its path",
    )


def _text(value):
    return value.decode("utf-8", "surrogateescape") if value is not None else ""


class _Runtime:
    """The declared functions; those that return a status raise it."""

    def __init__(self, library):
        self._library = library
        for name, (result, arguments) in _FUNCTIONS.items():
            f = getattr(library, name)
            f.argtypes = arguments
            f.restype = c_void_p if result == _STATUS else result
            setattr(self, name, self._checked(f) if result == _STATUS else f)

    def _checked(self, function):
        def call(*arguments):
            status = function(*arguments)
            if status:
                self._raise(status)

        return call

    def _raise(self, status):
        kind = BY_CODE.get(self.adze_status_code(status), AdzeError)
        error = kind(
            _text(self.adze_status_message(status)),
            _text(self.adze_status_id(status)),
            _text(self.adze_status_hint(status)),
        )
        self.adze_status_destroy(status)
        raise error


_lock = threading.Lock()
_runtime = None


def runtime():
    """The library, loaded with the first call."""
    global _runtime
    with _lock:
        if _runtime is None:
            _runtime = _Runtime(_open())
        return _runtime


def runtime_version():
    """Version of libadze_rt, "0.1.0"."""
    return _text(runtime().adze_rt_version())
