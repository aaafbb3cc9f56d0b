"""Tensors in a GPU's memory, taken from and given to other libraries by DLPack."""

import ctypes
from ctypes import POINTER, addressof, c_char_p, c_int, c_void_p, cast, py_object
from typing import Tuple

from . import _library as lib

_CUDA, _CUDA_MANAGED = 2, 13
_TENSOR, _USED_TENSOR = b"dltensor", b"used_dltensor"
LEGACY_STREAM, _NO_STREAM = 1, -1

_Destructor = ctypes.PYFUNCTYPE(None, c_void_p)


def _python(name, result, *arguments):
    return ctypes.PYFUNCTYPE(result, *arguments)((name, ctypes.pythonapi))


_new = _python("PyCapsule_New", py_object, c_void_p, c_char_p, _Destructor)
_rename = _python("PyCapsule_SetName", c_int, py_object, c_char_p)
_pointer = _python("PyCapsule_GetPointer", c_void_p, py_object, c_char_p)
# A capsule that goes has no references: it is passed as an address.
_is_valid = _python("PyCapsule_IsValid", c_int, c_void_p, c_char_p)
_pointer_at = _python("PyCapsule_GetPointer", c_void_p, c_void_p, c_char_p)


def is_on_device(value) -> bool:
    """Whether it is a tensor in a GPU's memory."""
    where = getattr(value, "__dlpack_device__", None)
    return where is not None and where()[0] in (_CUDA, _CUDA_MANAGED)


def hand_over(value, stream, accept):
    """accept(a pointer to the tensor); its owner is the callee once that returns. The
    tensor is ready for what is enqueued on `stream`."""
    capsule = value.__dlpack__(stream=stream)
    accept(cast(_pointer(capsule, _TENSOR), POINTER(lib.DLManagedTensor)))
    _rename(capsule, _USED_TENSOR)


# What others hold, by address: their struct, and the array behind it.
_exports = {}


@lib.DLDeleter
def _release(tensor):
    _exports.pop(addressof(tensor.contents), None)


@_Destructor
def _discard(capsule):
    """Of a capsule that nobody took the tensor from."""
    if _is_valid(capsule, _TENSOR):
        _exports.pop(_pointer_at(capsule, _TENSOR), None)


class DeviceArray:
    """A result in a GPU's memory: for from_dlpack of torch, cupy and others, and for
    models on the same GPU. The memory lives as long as anybody refers to it."""

    def __init__(self, managed, dtype, stream, synchronize):
        """managed: of libadze_rt, owned. stream: on which the result is ready; None: it
        is. synchronize: waits for all streams."""
        self._managed = managed
        self._stream = stream
        self._synchronize = synchronize
        self.dtype = dtype
        t = managed.contents
        self.shape: Tuple[int, ...] = tuple(t.shape[i] for i in range(t.ndim))

    def __del__(self):
        self._managed.contents.deleter(self._managed)

    def __dlpack_device__(self) -> Tuple[int, int]:
        return self._managed.contents.device_type, self._managed.contents.device_id

    def __dlpack__(self, *, stream=None, max_version=None, dl_device=None, copy=None):
        """stream: of the caller, which sees the result; None: CUDA's legacy default
        stream; -1: the caller waits by itself."""
        if copy or dl_device not in (None, self.__dlpack_device__()):
            raise BufferError("the array cannot be copied")
        ready = self._stream in (None, stream or LEGACY_STREAM)
        if not ready and stream != _NO_STREAM:
            self._synchronize()
        export = lib.DLManagedTensor()
        ctypes.pointer(export)[0] = self._managed.contents
        export.deleter = _release
        _exports[addressof(export)] = export, self
        return _new(addressof(export), _TENSOR, _discard)

    def __repr__(self):
        return f"adze.DeviceArray({self.dtype}{list(self.shape)})"
