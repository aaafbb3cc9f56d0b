"""Models and their runs."""

import collections
import ctypes
import os
import threading
import weakref
from ctypes import POINTER, byref, c_char_p, c_int64, c_size_t, c_void_p
from typing import Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union

import numpy as np

from . import _library as lib
from . import device_array as device
from .errors import InvalidInput, UnsupportedError, UsageError


class TensorInfo(NamedTuple):
    """One input or output. A dimension is a number, a name (equal names are
    equal extents), or None where nothing is known."""

    name: str
    dtype: str
    shape: Tuple[Union[int, str, None], ...]


class Kernel(NamedTuple):
    """One kernel, and the ONNX nodes that it computes."""

    name: str
    kind: str
    nodes: Tuple[str, ...]


# ONNX number: (name, numpy's name, or the type to read the bytes as where only
# the package ml_dtypes has the real one).
_DTYPES = {
    1: ("float32", "float32"),
    2: ("uint8", "uint8"),
    3: ("int8", "int8"),
    4: ("uint16", "uint16"),
    5: ("int16", "int16"),
    6: ("int32", "int32"),
    7: ("int64", "int64"),
    9: ("bool", "bool"),
    10: ("float16", "float16"),
    11: ("float64", "float64"),
    12: ("uint32", "uint32"),
    13: ("uint64", "uint64"),
    14: ("complex64", "complex64"),
    15: ("complex128", "complex128"),
    16: ("bfloat16", "uint16"),
    17: ("float8_e4m3fn", "uint8"),
    18: ("float8_e4m3fnuz", "uint8"),
    19: ("float8_e5m2", "uint8"),
    20: ("float8_e5m2fnuz", "uint8"),
    24: ("float8_e8m0fnu", "uint8"),
}


def _numpy_dtype(number):
    if number not in _DTYPES:
        raise UnsupportedError(f"element type {number} has no numpy type", "ADZ0714")
    name, stored = _DTYPES[number]
    if name == stored:
        return np.dtype(stored)
    try:
        import ml_dtypes

        return np.dtype(getattr(ml_dtypes, name))
    except (ImportError, AttributeError):
        return np.dtype(stored)


_NUMBERS = {np.dtype(stored): n for n, (name, stored) in _DTYPES.items() if name == stored}


class _Held:
    """A result's memory, for numpy to refer to: released with the last array
    that uses it."""

    def __init__(self, managed, dtype):
        self._managed = managed
        t = managed.contents
        self.__array_interface__ = {
            "version": 3,
            "shape": tuple(t.shape[i] for i in range(t.ndim)),
            "typestr": dtype.str,
            "data": (t.data, False),
        }

    def __del__(self):
        self._managed.contents.deleter(self._managed)


class _Request:
    """Owns an adze_request."""

    def __init__(self, model, options=None):
        self._rt = lib.runtime()
        handle = c_void_p()
        self._rt.adze_request_create(model, options and byref(options), byref(handle))
        self.handle = handle
        self.on_device = False  # where its outputs are placed

    def __del__(self):
        if getattr(self, "handle", None):
            self._rt.adze_request_destroy(self.handle)
            self.handle = None


class Pool:
    """Threads that models share. Parallel loops of models on one pool take
    turns, so that together they use no more CPUs than it has threads."""

    _shared = weakref.WeakValueDictionary()
    _lock = threading.Lock()

    def __init__(self, threads: int = 0):
        """threads: 0 means every CPU that the process may use. They start with
        the first parallel loop."""
        self._rt = lib.runtime()
        self.handle = None
        handle = c_void_p()
        self._rt.adze_pool_create(threads, byref(handle))
        self.handle = handle

    def __del__(self):
        if getattr(self, "handle", None):
            self._rt.adze_pool_destroy(self.handle)
            self.handle = None

    @classmethod
    def shared(cls, threads: int) -> "Pool":
        """The process's pool of this many threads."""
        with cls._lock:
            pool = cls._shared.get(threads)
            if pool is None:
                pool = cls._shared[threads] = cls(threads)
            return pool


class Model:
    """A compiled model. Threads may share it: each run takes a request of its
    own, and requests are kept for later runs."""

    def __init__(
        self,
        source: Union[str, os.PathLike, bytes],
        threads: int = 0,
        pool: Optional[Pool] = None,
        device: str = "",
    ):
        """source: path of an .adze file, or its bytes. threads: 0 means every
        CPU that the process may use; models with the same number share their
        threads, unless they are given a pool. device: "host", "cuda", "cuda:1",
        "ptx-emulator"; by default what the artifact was compiled for."""
        self._handle = None
        self._rt = lib.runtime()
        handle = c_void_p()
        self._pool = pool or Pool.shared(threads)
        options = lib.ModelOptions(pool=self._pool.handle, device=device.encode())
        if isinstance(source, (bytes, bytearray, memoryview)):
            self._bytes = bytes(source)  # the runtime reads weights from here
            self._rt.adze_model_load_memory(
                self._bytes, len(self._bytes), byref(options), byref(handle)
            )
        else:
            self._rt.adze_model_load_file(os.fsencode(source), byref(options), byref(handle))
        self._handle = handle
        self._idle = collections.deque()
        self._inputs = self._signature(
            self._rt.adze_model_input_count(handle), self._rt.adze_model_input
        )
        self._outputs = self._signature(
            self._rt.adze_model_output_count(handle), self._rt.adze_model_output
        )
        self._dtypes = [_numpy_dtype(n) for n, _ in self._inputs]
        self._output_dtypes = [_numpy_dtype(n) for n, _ in self._outputs]

    def __del__(self):
        if getattr(self, "_handle", None):
            self._idle.clear()
            self._rt.adze_model_destroy(self._handle)
            self._handle = None

    def _signature(self, count, get):
        tensors = []
        for i in range(count):
            info = lib.TensorInfoC()
            get(self._handle, i, byref(info))
            shape = tuple(
                info.dims[d] if info.dims[d] >= 0 else (lib._text(info.symbols[d]) or None)
                for d in range(info.rank)
            )
            dtype = _DTYPES.get(info.dtype, ("?",))[0]
            tensors.append((info.dtype, TensorInfo(lib._text(info.name), dtype, shape)))
        return tensors

    @property
    def inputs(self) -> List[TensorInfo]:
        """The inputs, in order."""
        return [t for _, t in self._inputs]

    @property
    def outputs(self) -> List[TensorInfo]:
        """The outputs, in order."""
        return [t for _, t in self._outputs]

    @property
    def metadata(self) -> Dict[str, str]:
        """The ONNX model's metadata_props."""
        result = {}
        for i in range(self._rt.adze_model_metadata_count(self._handle)):
            key, value, size = c_char_p(), c_void_p(), c_size_t()
            self._rt.adze_model_metadata(self._handle, i, byref(key), byref(value), byref(size))
            result[lib._text(key.value)] = lib._text(ctypes.string_at(value, size.value))
        return result

    @property
    def kernels(self) -> List[Kernel]:
        """The kernels, in program order."""
        result = []
        for i in range(self._rt.adze_model_kernel_count(self._handle)):
            k = lib.KernelInfo()
            self._rt.adze_model_kernel(self._handle, i, byref(k))
            nodes = tuple(lib._text(k.nodes[n]) for n in range(k.node_count))
            result.append(Kernel(lib._text(k.name), lib._text(k.kind), nodes))
        return result

    @property
    def info(self) -> Dict[str, Union[str, int]]:
        """Target, compiler, sizes: the fields of adze_model_info."""
        info = lib.ModelInfo()
        self._rt.adze_model_get_info(self._handle, byref(info))
        fields = [name for name, _ in info._fields_ if name != "struct_size"]
        values = {name: getattr(info, name) for name in fields}
        return {k: lib._text(v) if isinstance(v, bytes) else v for k, v in values.items()}

    def run(
        self,
        inputs: Mapping[str, np.ndarray],
        outputs: Optional[Iterable[str]] = None,
        timeout: Optional[float] = None,
        on_device: bool = False,
        stream: Optional[int] = None,
    ) -> Dict[str, Union[np.ndarray, device.DeviceArray]]:
        """Runs the model. inputs: an array for every input name; arrays must
        have the model's dtype, other sequences are converted to it. What is in
        the GPU's memory and speaks DLPack (a torch or cupy array) is used there.
        outputs: the names wanted (default: all). timeout in seconds. on_device:
        results stay in the GPU's memory, as DeviceArray. stream: the address of
        the CUDA stream to run on, such as torch's current_stream().cuda_stream;
        by default the legacy stream where anything is on the GPU. With a stream,
        nothing is waited for where all inputs and results are on the GPU.
        Other Python threads run meanwhile."""
        wanted = self._wanted(outputs)
        request = self._take(timeout)
        self._place(request, on_device)
        keep, used = self._set_inputs(request, inputs, stream)
        resident = on_device and stream is not None and all(k is None for k in keep)
        self._rt.adze_request_start(request.handle)
        if not resident:
            self._rt.adze_request_wait(request.handle)
        results = {
            name: self._device_result(request, i, used if resident else None)
            if on_device
            else self._result(request, i)
            for i, name in wanted
        }
        del keep
        if timeout is None:
            self._idle.append(request)
        return results

    def map(
        self, batches: Iterable[Mapping[str, np.ndarray]], ahead: int = 2
    ) -> Iterator[Dict[str, np.ndarray]]:
        """Runs the model on every one of `batches` (each as run's inputs) and yields
        the results in their order. On a GPU, `ahead` runs are in flight at a time, so
        that copies of one overlap kernels of another."""
        if ahead < 1:
            raise UsageError("`ahead` is less than 1", "ADZ0701")
        flight = collections.deque()
        try:
            for inputs in batches:
                if len(flight) >= ahead:
                    yield self._land(flight)
                request = self._take(None)
                self._place(request, False)
                keep, _ = self._set_inputs(request, inputs)
                self._rt.adze_request_start(request.handle)
                flight.append((request, keep))
            while flight:
                yield self._land(flight)
        finally:
            for request, _ in flight:
                self._rt.adze_request_wait(request.handle)

    def _land(self, flight):
        request, _ = flight[0]
        try:
            self._rt.adze_request_wait(request.handle)
        finally:
            flight.popleft()
        results = {name: self._result(request, i) for i, name in self._wanted(None)}
        self._idle.append(request)
        return results

    def profile(self, inputs: Mapping[str, np.ndarray]) -> List[Tuple[Kernel, float]]:
        """Runs the model once and returns the seconds spent in each kernel
        call, in the order of the calls."""
        kernels, times = self.kernels, []

        @lib.ProfileFn
        def record(_, kernel, begin, end):
            times.append((kernels[kernel], (end - begin) * 1e-9))

        request = _Request(self._handle)
        keep, _ = self._set_inputs(request, inputs)
        self._rt.adze_request_set_profile(request.handle, record, None)
        self._rt.adze_request_run(request.handle)
        del keep
        return times

    def _take(self, timeout):
        if timeout is not None:
            ms = max(1, int(timeout * 1000))
            return _Request(self._handle, lib.RequestOptions(timeout_ms=ms))
        try:
            return self._idle.pop()
        except IndexError:
            return _Request(self._handle)

    def _wanted(self, outputs):
        names = [t.name for _, t in self._outputs]
        if outputs is None:
            return list(enumerate(names))
        for name in outputs:
            if name not in names:
                raise InvalidInput(
                    f"the model has no output '{name}'", "ADZ0702", f"outputs: {', '.join(names)}"
                )
        return [(names.index(name), name) for name in outputs]

    def _set_inputs(self, request, inputs, stream=None):
        """Hands every input over; returns what must live until the run ends, and the
        stream it is to run on."""
        names = [t.name for _, t in self._inputs]
        for name in inputs:
            if name not in names:
                raise InvalidInput(
                    f"the model has no input '{name}'", "ADZ0702", f"inputs: {', '.join(names)}"
                )
        on_device = request.on_device or any(map(device.is_on_device, inputs.values()))
        if on_device or stream is not None:
            stream = stream or device.LEGACY_STREAM  # torch calls it 0
        self._rt.adze_request_set_stream(request.handle, stream)
        keep = []
        for i, name in enumerate(names):
            if name not in inputs:
                raise InvalidInput(
                    f"input '{name}' is missing", "ADZ0709", f"inputs: {', '.join(names)}"
                )
            keep.append(self._set_input(request, i, inputs[name], stream))
        return keep, stream

    def _set_input(self, request, index, value, stream):
        """The array to be kept; None for what the request keeps by itself."""
        if device.is_on_device(value):
            device.hand_over(
                value,
                stream,
                lambda t: self._rt.adze_request_set_input_dlpack(request.handle, index, t),
            )
            return None
        number, info = self._inputs[index]
        array = value if isinstance(value, np.ndarray) else np.asarray(value, self._dtypes[index])
        if array.dtype != self._dtypes[index]:
            # The runtime says it best, where it knows the type.
            number = _NUMBERS.get(array.dtype, 0)
            if number == 0:
                raise InvalidInput(
                    f"input '{info.name}' must be {info.dtype}, not {array.dtype}", "ADZ0703"
                )
        if any(s % array.itemsize for s in array.strides):
            array = np.ascontiguousarray(array)
        rank = array.ndim
        shape = (c_int64 * rank)(*array.shape)
        strides = (c_int64 * rank)(*(s // array.itemsize for s in array.strides))
        tensor = lib.Tensor(dtype=number, rank=rank, shape=shape, strides=strides)
        tensor.data = array.__array_interface__["data"][0]
        self._rt.adze_request_set_input(request.handle, index, byref(tensor))
        return array

    def _place(self, request, on_device):
        if request.on_device == on_device:
            return
        for i in range(len(self._outputs)):
            self._rt.adze_request_place_output(request.handle, i, int(on_device), None, 0)
        request.on_device = on_device

    def _managed(self, request, index):
        managed = POINTER(lib.DLManagedTensor)()
        self._rt.adze_request_output_dlpack(request.handle, index, byref(managed))
        return managed

    def _device_result(self, request, index, stream):
        return device.DeviceArray(
            self._managed(request, index), self._outputs[index][1].dtype, stream, self.synchronize
        )

    def synchronize(self):
        """Waits for all that anybody has enqueued on the model's GPU."""
        self._rt.adze_model_synchronize(self._handle)

    def _result(self, request, index):
        dtype = self._output_dtypes[index]
        stored = np.dtype(_DTYPES[self._outputs[index][0]][1])
        managed = self._managed(request, index)
        array = np.asarray(_Held(managed, stored))
        return array if dtype == stored else array.view(dtype)

    def __repr__(self):
        def side(tensors):
            return ", ".join(
                f"{t.name}: {t.dtype}[{','.join('?' if d is None else str(d) for d in t.shape)}]"
                for t in tensors
            )

        return f"adze.Model(({side(self.inputs)}) -> ({side(self.outputs)}))"
