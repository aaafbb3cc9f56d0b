"""The Python package over the model of test/unit/Runtime/fixture.c, whose path
is in ADZE_FIXTURE."""

import gc
import os
import threading
import unittest

import numpy as np

import adze

FIXTURE = os.environ["ADZE_FIXTURE"]
NORMAL, FAIL, SPIN, RETURN_42 = 0, 2, 5, 6
OVERRUN = 1  # of device_fixture.c


def inputs(batch=2, n=3, mode=NORMAL):
    x = np.arange(batch * n, dtype=np.float32).reshape(batch, n)
    return {"x": x, "y": np.full_like(x, 10), "mode": mode}


class RuntimeTest(unittest.TestCase):
    def setUp(self):
        self.model = adze.Model(FIXTURE, threads=2)

    def check(self, results, given):
        total = given["x"] + given["y"]
        np.testing.assert_array_equal(results["sum"], total)
        np.testing.assert_array_equal(results["scaled"], total * 3)
        np.testing.assert_array_equal(results["same"], given["x"])
        np.testing.assert_array_equal(results["turned"], total.T)

    def test_signature(self):
        self.assertEqual(
            self.model.inputs[0], adze.TensorInfo("x", "float32", ("batch", "n"))
        )
        self.assertEqual(self.model.inputs[2].shape, ())
        self.assertEqual([t.name for t in self.model.outputs], ["sum", "scaled", "same", "turned"])
        self.assertEqual(self.model.metadata["alphabet"], "abc\n\u00e9")
        self.assertEqual(self.model.kernels[1].nodes, ("Mul_1",))
        self.assertEqual(self.model.info["target"], "host")
        self.assertIn("x: float32[batch,n]", repr(self.model))
        self.assertRegex(adze.runtime_version(), r"^\d+\.\d+\.\d+$")

    def test_run(self):
        for batch, n in [(2, 3), (1, 1), (7, 1000), (0, 3), (2, 3)]:
            given = inputs(batch, n)
            self.check(self.model.run(given), given)

    def test_map(self):
        given = [inputs(batch, n) for batch, n in [(2, 3), (1, 1), (0, 3), (7, 100)]]
        for results, one in zip(self.model.map(given, ahead=3), given, strict=True):
            self.check(results, one)
        with self.assertRaises(adze.UsageError):
            next(self.model.map(given, ahead=0))
        with self.assertRaises(adze.InvalidInput):
            list(self.model.map([given[0], inputs(mode=FAIL)]))
        self.check(self.model.run(given[0]), given[0])

    def test_on_device(self):
        with self.assertRaises(adze.UnsupportedError) as caught:
            self.model.run(inputs(), on_device=True)
        self.assertEqual(caught.exception.id, "ADZ0714")
        with self.assertRaises(adze.UnsupportedError):
            self.model.run(inputs(), stream=1)
        self.model.synchronize()
        self.check(self.model.run(inputs()), inputs())

    def test_devices(self):
        model = adze.Model(os.environ["ADZE_DEVICE_FIXTURE"], device="ptx-emulator")
        x = np.arange(50, dtype=np.float32)
        results = model.run({"x": x, "mode": NORMAL})
        np.testing.assert_array_equal(results["y"], 3 * x)
        np.testing.assert_array_equal(results["even"], 3 * x[::2])
        with self.assertRaises(adze.CheckError) as caught:
            model.run({"x": x, "mode": OVERRUN})
        self.assertEqual(caught.exception.id, "ADZ0746")
        with self.assertRaises(adze.UsageError):
            adze.Model(FIXTURE, device="toaster")

    def test_results_outlive_everything(self):
        first = self.model.run(inputs())["sum"]
        for _ in range(5):
            self.model.run(inputs(2, 3))
        del self.model
        gc.collect()
        np.testing.assert_array_equal(first, [[10, 11, 12], [13, 14, 15]])
        first += 1  # ours, and writable

    def test_views_and_sequences(self):
        given = inputs(4, 6)
        given["x"] = given["x"][::2, ::-1]
        given["y"] = np.broadcast_to(np.float32(1), (2, 6))
        self.check(self.model.run(given), given)
        lists = {"x": [[1, 2]], "y": [[3, 4]], "mode": 0}
        self.assertEqual(self.model.run(lists, outputs=["sum"])["sum"].tolist(), [[4, 6]])

    def test_selected_outputs(self):
        self.assertEqual(list(self.model.run(inputs(), outputs=["scaled"])), ["scaled"])
        with self.assertRaises(adze.InvalidInput):
            self.model.run(inputs(), outputs=["nothing"])

    def test_wrong_inputs(self):
        def refused(change, id):
            given = inputs()
            given.update(change)
            with self.assertRaises(adze.InvalidInput) as e:
                self.model.run(given)
            self.assertEqual(e.exception.id, id)

        refused({"x": inputs()["x"].astype(np.float64)}, "ADZ0703")
        refused({"x": np.array([["a"]])}, "ADZ0703")
        refused({"x": inputs()["x"].ravel()}, "ADZ0704")
        refused({"y": inputs(2, 4)["y"]}, "ADZ0706")
        refused({"z": inputs()["x"]}, "ADZ0702")
        with self.assertRaisesRegex(adze.InvalidInput, "input 'y' is missing"):
            self.model.run({"x": inputs()["x"], "mode": 0})
        self.assertTrue(issubclass(adze.InvalidInput, ValueError))

    def test_failures_of_the_model(self):
        with self.assertRaisesRegex(adze.InvalidInput, "index out of range"):
            self.model.run(inputs(mode=FAIL))
        with self.assertRaises(adze.InternalError):
            self.model.run(inputs(mode=RETURN_42))
        with self.assertRaises(adze.Cancelled):
            self.model.run(inputs(mode=SPIN), timeout=0.02)
        self.model.run(inputs())

    def test_bad_files(self):
        with self.assertRaises(adze.InvalidInput):
            adze.Model("/nonexistent.adze")
        with open(FIXTURE, "rb") as f:
            data = bytearray(f.read())
        given = inputs()
        self.check(adze.Model(bytes(data)).run(given), given)
        data[len(data) // 2] ^= 1
        with self.assertRaises(adze.ArtifactError) as e:
            adze.Model(bytes(data))
        self.assertEqual(e.exception.code, 6)
        self.assertTrue(e.exception.hint)

    def test_threads(self):
        failures = []

        def work(k):
            try:
                for i in range(30):
                    given = inputs(1 + k, 5 + i)
                    self.check(self.model.run(given), given)
            except Exception as e:  # the main thread reports it
                failures.append(e)

        threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        self.assertEqual(failures, [])

    def test_pools(self):
        given = inputs(10, 1000)
        pool = adze.Pool(2)
        a, b = adze.Model(FIXTURE, pool=pool), adze.Model(FIXTURE, pool=pool)
        del pool
        self.check(a.run(given), given)
        self.check(b.run(given), given)
        self.assertIs(adze.Pool.shared(2), self.model._pool)
        with self.assertRaises(adze.UsageError):
            adze.Model(FIXTURE, threads=-1)

    def test_profile(self):
        times = self.model.profile(inputs())
        self.assertEqual([k.name for k, _ in times], ["add_0", "mul_1"])
        self.assertTrue(all(t >= 0 for _, t in times))


if __name__ == "__main__":
    unittest.main()
