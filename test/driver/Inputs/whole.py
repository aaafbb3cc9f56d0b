"""whole.py MODEL.adze WHAT [TWICE.adze]: a model on the device "cuda" and on the PTX
emulator. TWICE doubles its input."""

import ctypes
import gc
import sys
import threading

import numpy as np

import adze

path, what, twice = (sys.argv[1:] + [None])[:3]


def inputs(n):
    return {"x": np.random.default_rng(n).standard_normal((n, 3, 16, 16)).astype(np.float32)}


def same(results, wanted):
    for name in wanted:
        np.testing.assert_array_equal(results[name], wanted[name], name)


def expected(sizes):
    emulator = adze.Model(path, device="ptx-emulator")
    return {n: {k: v.copy() for k, v in emulator.run(inputs(n)).items()} for n in sizes}


def sizes():
    """Runs that repeat become graphs; sizes take turns."""
    wanted = expected((1, 2, 5))
    model = adze.Model(path, device="cuda")
    for n in [1, 1, 1, 2, 2, 1, 5, 2, 2, 1, 1]:
        same(model.run(inputs(n)), wanted[n])


def threads():
    wanted = expected((1, 2))
    model = adze.Model(path, device="cuda")
    failures = []

    def work(n):
        try:
            for _ in range(4):
                same(model.run(inputs(n)), wanted[n])
        except BaseException as e:  # the main thread tells of it
            failures.append(e)

    workers = [threading.Thread(target=work, args=(n,)) for n in (1, 2)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert not failures, failures[0]


def ahead():
    """Several runs in flight, in one thread."""
    given = [1, 2, 2, 5, 1, 1, 1, 2]
    wanted = expected((1, 2, 5))
    model = adze.Model(path, device="cuda")
    for many in (1, 2, 3):
        results = list(model.map((inputs(n) for n in given), ahead=many))
        assert len(results) == len(given)
        for n, got in zip(given, results):
            same(got, wanted[n])
    model.map(map(inputs, given)).close()
    begun = model.map(map(inputs, given), ahead=3)
    same(next(begun), wanted[1])
    begun.close()


def device():
    """Inputs and results in the GPU's memory, which models hand to each other."""
    driver = ctypes.CDLL("libcuda.so.1")
    emulator = adze.Model(path, device="ptx-emulator")
    wanted = {n: emulator.run({"x": 2 * inputs(n)["x"]}) for n in (1, 2)}
    first, second = adze.Model(twice, device="cuda"), adze.Model(path, device="cuda")
    for stream in (None, 0, 2):
        for n in (1, 2, 1, 1):
            doubled = first.run(inputs(n), on_device=True, stream=stream)["y"]
            assert doubled.shape == (n, 3, 16, 16) and doubled.dtype == "float32"
            assert doubled.__dlpack_device__() == (2, 0)
            same(second.run({"x": doubled}), wanted[n])
            # On another stream, and where nothing but the last run waits.
            for other in (stream, 1, 2):
                kept = second.run({"x": doubled}, on_device=True, stream=other)
                same(second.run({"x": doubled}, stream=other), wanted[n])
    # Capsules that nobody takes from, memory that outlives its model, another's stream.
    doubled.__dlpack__(stream=1)
    try:
        doubled.__dlpack__(copy=True)
        raise AssertionError("copied")
    except BufferError:
        pass
    same(next(second.map([{"x": doubled}])), wanted[1])
    del first
    gc.collect()
    same(second.run({"x": doubled}), wanted[1])
    second.synchronize()
    try:
        emulator.run({"x": doubled})
        raise AssertionError("taken")
    except adze.UnsupportedError as e:
        assert e.id == "ADZ0714", e
    try:
        emulator.run(inputs(1), on_device=True)
        raise AssertionError("placed")
    except adze.UnsupportedError as e:
        assert e.id == "ADZ0714", e
    del doubled, kept, second
    gc.collect()
    assert driver.fake_live() == 0, driver.fake_live()


def profile():
    model = adze.Model(path, device="cuda")
    times = model.profile(inputs(1))
    print("kernels", len(times), "of", len(model.kernels))


def attempt(wanted):
    """Loads and runs; what the failure says, "" without one."""
    try:
        model = adze.Model(path, device="cuda")
        for _ in range(3):
            same(model.run(inputs(1)), wanted)
        return ""
    except adze.AdzeError as e:
        return f"{type(e).__name__} {e}"


def errors():
    """Each call of the driver fails, one at a time."""
    driver = ctypes.CDLL("libcuda.so.1")
    wanted = expected((1,))[1]
    calls = {
        "CtxPushCurrent": 0, "DeviceGet": 0, "DeviceGetAttribute": 1, "DevicePrimaryCtxRetain": 0,
        "ModuleGetFunction": 5, "MemAlloc": 0, "MemcpyHtoDAsync": 1, "MemcpyDtoHAsync": 3,
        "LaunchKernel": 9, "StreamCreate": 1, "StreamSynchronize": 3,
        "GraphLaunch": 0,
    }
    for name, after in calls.items():
        driver.fake_reset(9, 0, 1)
        driver.fake_fail(name.encode(), 719, after)
        said = attempt(wanted).splitlines()[0]
        print(f"{name}: {said}")
        gc.collect()
        assert driver.fake_live() == 0, driver.fake_live()
    driver.fake_reset(9, 0, 1)
    assert attempt(wanted) == ""


def memory():
    """As much memory as there is: a result, or an error that says so."""
    driver = ctypes.CDLL("libcuda.so.1")
    wanted = expected((1,))[1]
    said = []
    for kilobytes in (1, 50, 60, 2000, 2100, 2200, 4000):
        driver.fake_reset(9, 0, 1)
        driver.fake_memory(ctypes.c_uint64(kilobytes << 10))
        said.append(attempt(wanted).split(" (")[0])
        gc.collect()
        assert driver.fake_live() == 0, driver.fake_live()
    print("\n".join(said))
    assert said[0] and not said[-1]


globals()[what]()
print(what, "ok")
