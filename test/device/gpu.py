"""A GPU through the driver's library alone: modules from PTX text, buffers,
launches, tensor maps. No toolkit is needed."""

import ctypes as c

import numpy as np


class NoGpu(Exception):
    pass


class Device:
    def __init__(self):
        try:
            self.cu = c.CDLL("libcuda.so.1")
        except OSError:
            raise NoGpu("there is no libcuda.so.1")
        if self.cu.cuInit(0) != 0:
            raise NoGpu("the driver finds no GPU")
        device, context = c.c_int(), c.c_void_p()
        if self.cu.cuDeviceGet(c.byref(device), 0) != 0:
            raise NoGpu("there is no GPU")
        self.device = device
        self.check(self.cu.cuDevicePrimaryCtxRetain(c.byref(context), device))
        self.check(self.cu.cuCtxSetCurrent(context))
        name, version = c.create_string_buffer(100), c.c_int()
        self.cu.cuDeviceGetName(name, 100, device)
        self.cu.cuDriverGetVersion(c.byref(version))
        self.name, self.driver = name.value.decode(), f"{version.value // 1000}.{version.value % 1000 // 10}"

    def error(self, code):
        text = c.c_char_p()
        self.cu.cuGetErrorString(code, c.byref(text))
        return f"{code} {text.value.decode() if text.value else ''}"

    def check(self, code):
        if code:
            raise RuntimeError(self.error(code))

    def upload(self, array):
        pointer = c.c_uint64()
        self.check(self.cu.cuMemAlloc_v2(c.byref(pointer), c.c_size_t(array.nbytes)))
        self.check(self.cu.cuMemcpyHtoD_v2(pointer, array.ctypes.data_as(c.c_void_p), c.c_size_t(array.nbytes)))
        return pointer

    def download(self, pointer, like):
        array = np.empty_like(like)
        self.check(self.cu.cuMemcpyDtoH_v2(array.ctypes.data_as(c.c_void_p), pointer, c.c_size_t(array.nbytes)))
        return array

    def load(self, text):
        module, log = c.c_void_p(), c.create_string_buffer(16384)
        options, values = (c.c_int * 2)(5, 6), (c.c_void_p * 2)(c.addressof(log), 16384)  # error log and its size
        code = self.cu.cuModuleLoadDataEx(c.byref(module), text.encode() + b"\0", 2, options, values)
        if code:
            raise RuntimeError(f"{self.error(code)}: {log.value.decode()}")
        return module

    def launch(self, module, entry, grid, block, shared, arguments):
        """Runs and waits; None, or what went wrong. Arguments are ctypes values."""
        function = c.c_void_p()
        code = self.cu.cuModuleGetFunction(c.byref(function), module, entry.encode())
        if code == 0 and shared:
            code = self.cu.cuFuncSetAttribute(function, 8, shared)
        if code == 0:
            pointers = (c.c_void_p * len(arguments))(*[c.addressof(a) for a in arguments])
            code = self.cu.cuLaunchKernel(function, *grid, *block, shared, None, pointers, None)
        if code == 0:
            code = self.cu.cuCtxSynchronize()
        return self.error(code) if code else None

    def multiprocessors(self):
        count = c.c_int()
        self.check(self.cu.cuDeviceGetAttribute(c.byref(count), 16, self.device))
        return count.value

    def free(self, pointer):
        self.check(self.cu.cuMemFree_v2(pointer))

    def time(self, module, entry, grid, block, shared, arguments, runs):
        """Seconds of one launch, the mean of `runs` after three."""
        function, begin, end = c.c_void_p(), c.c_void_p(), c.c_void_p()
        self.check(self.cu.cuModuleGetFunction(c.byref(function), module, entry.encode()))
        pointers = (c.c_void_p * len(arguments))(*[c.addressof(a) for a in arguments])
        for event in (begin, end):
            self.check(self.cu.cuEventCreate(c.byref(event), 0))
        for i in range(runs + 3):
            if i == 3:
                self.check(self.cu.cuEventRecord(begin, None))
            self.check(self.cu.cuLaunchKernel(function, *grid, *block, shared, None, pointers, None))
        self.check(self.cu.cuEventRecord(end, None))
        self.check(self.cu.cuEventSynchronize(end))
        milliseconds = c.c_float()
        self.check(self.cu.cuEventElapsedTime(c.byref(milliseconds), begin, end))
        return milliseconds.value / 1e3 / runs

    def tensor_map(self, pointer, dtype, shape, box, swizzle):
        """`shape` and `box` outermost first; 128 bytes to pass by value."""
        kinds = {np.dtype(np.uint8): 0, np.dtype(np.uint16): 1, np.dtype(np.int8): 0, np.dtype(np.float16): 6, np.dtype(np.float32): 7}
        rank, size = len(shape), np.dtype(dtype).itemsize
        storage = (c.c_uint8 * 256)()
        begin = (-c.addressof(storage)) % 64
        result = (c.c_uint8 * 128).from_buffer(storage, begin)
        inner = list(reversed(shape))
        strides = [size * int(np.prod(inner[:i])) for i in range(1, rank)]
        code = self.cu.cuTensorMapEncodeTiled(
            c.byref(result), kinds[np.dtype(dtype)], rank, pointer, (c.c_uint64 * rank)(*inner), (c.c_uint64 * max(rank - 1, 1))(*strides or [0]),
            (c.c_uint32 * rank)(*reversed(box)), (c.c_uint32 * rank)(*[1] * rank), 0, {0: 0, 32: 1, 64: 2, 128: 3}[swizzle], 0, 0)
        self.check(code)
        return result
