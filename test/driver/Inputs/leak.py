"""Takes a context of the tests' driver and forgets it."""

import ctypes

driver = ctypes.CDLL("libcuda.so.1")


def function(name):
    address, found = ctypes.c_void_p(), ctypes.c_int()
    driver.cuGetProcAddress_v2(name, ctypes.byref(address), 12000, ctypes.c_uint64(0), ctypes.byref(found))
    return ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int)(address.value)


context = ctypes.c_void_p()
function(b"cuInit")(0, 0)
assert function(b"cuDevicePrimaryCtxRetain")(ctypes.addressof(context), 40) == 0
