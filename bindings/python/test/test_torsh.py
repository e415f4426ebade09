"""Tests of the Python package with hand-written artifacts; TORSH_FAKES names their folder."""

import concurrent.futures
import os
import shutil
import stat
import sys
import tempfile
import textwrap
import unittest

try:
    import numpy as np
except ImportError:
    print("numpy is missing: the Python package cannot be tested")
    os._exit(77)

import torsh
from torsh._dtypes import numpy_dtype, pack, unpack

FAKES = os.environ["TORSH_FAKES"]


def fake(name):
    return os.path.join(FAKES, name)


def affine(x, y):
    return x * np.arange(1, 9, dtype=np.float32) + y


class LoadAndRun(unittest.TestCase):
    def setUp(self):
        self.x = np.arange(40, dtype=np.float32).reshape(5, 8)
        self.y = np.full((5, 8), 100, np.float32)

    def test_signature(self):
        module = torsh.load(fake("affine.so"), threads=2)
        self.assertEqual([p.name for p in module.inputs], ["x", "y"])
        self.assertEqual(module.inputs[0].dims, ("batch", 8))
        self.assertEqual(module.inputs[0].dtype, np.dtype("float32"))
        self.assertEqual(module.outputs[1], ("level", np.dtype("int64"), ("batch",), "tensor"))
        self.assertEqual(module.threads, 2)
        self.assertIn("compiler", module.metadata)
        self.assertEqual(len(module.build_id), 64)
        self.assertIn("x: float32[batch, 8]", repr(module))
        self.assertTrue(torsh.runtime_build_id().startswith("torsh_rt "))

    def test_results_are_right_and_stay_valid(self):
        module = torsh.load(fake("affine.so"))
        self.assertEqual(module.threads, len(os.sched_getaffinity(0)))
        z, level = module(self.x, self.y)
        np.testing.assert_array_equal(z, affine(self.x, self.y))
        self.assertEqual(level.shape, (5,))
        before = z.copy()
        module(self.x + 1, self.y)
        np.testing.assert_array_equal(z, before)
        self.assertEqual(module.stats()["runs"], 2)

    def test_layouts(self):
        module = torsh.load(fake("affine.so"), threads=1)
        wide = np.zeros((5, 16), np.float32)
        wide[:, ::2] = self.x
        unaligned = np.frombuffer(b"\0" + self.y.tobytes(), np.uint8)[1:].view(np.float32).reshape(5, 8)
        z, _ = module(wide[:, ::2], unaligned)
        np.testing.assert_array_equal(z, affine(self.x, self.y))
        z, _ = module(self.x.tolist(), self.y)
        np.testing.assert_array_equal(z, affine(self.x, self.y))
        z, _ = module(np.zeros((0, 8), np.float32), np.zeros((0, 8), np.float32))
        self.assertEqual(z.shape, (0, 8))

    def test_errors_name_input_and_axis(self):
        module = torsh.load(fake("affine.so"), threads=1)
        with self.assertRaisesRegex(torsh.Error, "input 0 .'x'.: expected dtype float32, got float64"):
            module(self.x.astype(np.float64), self.y)
        with self.assertRaisesRegex(torsh.Error, "2 inputs"):
            module(self.x)
        with self.assertRaisesRegex(torsh.Error, "TSH-8010.*axis 1 must have size 8, got 7") as caught:
            module(self.x[:, :7], self.y)
        self.assertEqual((caught.exception.status, caught.exception.port, caught.exception.axis), (10, 0, 1))
        with self.assertRaisesRegex(torsh.Error, "TSH-8009"):
            module(self.x[0], self.y)
        module(self.x, self.y)  # still usable

    def test_bad_files(self):
        with self.assertRaisesRegex(torsh.Error, "TSH-8002"):
            torsh.load(fake("missing.so"))
        with self.assertRaisesRegex(torsh.Error, "TSH-8004"):
            torsh.load(fake("newer.so"))
        with self.assertRaisesRegex(torsh.Error, "TSH-8003"):
            torsh.load(__file__)
        with self.assertRaisesRegex(torsh.Error, "threads"):
            torsh.load(fake("affine.so"), threads=0)
        torsh.verify(fake("affine.so"))

    def test_threads_share_a_module(self):
        module = torsh.load(fake("affine.so"), threads=2)

        def call(i):
            z, _ = module(self.x + i, self.y)
            return np.array_equal(z, affine(self.x + i, self.y))

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.assertTrue(all(pool.map(call, range(400))))

    def test_runs_overlap(self):
        # With Python's lock held during a run, four runs of 0.1 s would take 0.4 s.
        import time
        module = torsh.load(fake("probe.so"), threads=1)
        spin = np.full(10, 10000, np.int32)
        module(spin)
        ticks = []
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            running = pool.submit(module, spin)
            while not running.done():
                ticks.append(time.monotonic())
                time.sleep(0.002)
        self.assertGreater(len(ticks), 5)

    def test_save(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("affine.so", "sidecar.so"):
                path = os.path.join(folder, "copy.so")
                torsh.load(fake(name)).save(path)
                again = torsh.load(path)
                np.testing.assert_array_equal(again(self.x, self.y)[0], torsh.load(fake(name))(self.x, self.y)[0])
                again.save(path)  # onto itself
            self.assertEqual(sorted(os.listdir(folder)), ["copy.so", "sidecar.weights"])

    def test_fork(self):
        module = torsh.load(fake("affine.so"), threads=2)
        module(self.x, self.y)
        child = os.fork()
        if child == 0:
            good = np.array_equal(module(self.x, self.y)[0], affine(self.x, self.y))
            os._exit(0 if good else 1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)


class DTypes(unittest.TestCase):
    def test_small_types(self):
        try:
            import ml_dtypes
        except ImportError:
            self.skipTest("ml_dtypes is missing")
        self.assertEqual(numpy_dtype(4, 16), np.dtype(ml_dtypes.bfloat16))
        self.assertEqual(numpy_dtype(10, 8), np.dtype(ml_dtypes.float8_e4m3fn))
        self.assertEqual(numpy_dtype(12, 8), np.dtype(ml_dtypes.float8_e5m2))
        values = np.array([[-8, 7, -1], [0, 3, -5]]).astype(ml_dtypes.int4)
        packed = pack(values, 4)
        self.assertEqual(packed.tolist(), [0x78, 0x0f, 0xb3])
        np.testing.assert_array_equal(unpack(packed, (2, 3), values.dtype, 4), values)
        odd = np.array([15, 1, 9]).astype(ml_dtypes.uint4)
        np.testing.assert_array_equal(unpack(pack(odd, 4), (3,), odd.dtype, 4), odd)
        pairs = np.array([-2, 1, -1, 0, 1]).astype(ml_dtypes.int2)
        self.assertEqual(pack(pairs, 2).tolist(), [0b00110110, 0b01])
        np.testing.assert_array_equal(unpack(pack(pairs, 2), (5,), pairs.dtype, 2), pairs)
        sixths = np.array([-7.5, 0.125, 1, 2, 3.5]).astype(ml_dtypes.float6_e2m3fn)
        self.assertEqual(pack(sixths, 6).tolist(), [0x7f, 0x80, 0x40, 0x16])
        np.testing.assert_array_equal(unpack(pack(sixths, 6), (5,), sixths.dtype, 6), sixths)
        for code, bits, name in ((11, 8, "float8_e4m3fnuz"), (13, 8, "float8_e5m2fnuz"), (14, 8, "float8_e8m0fnu"),
                                 (16, 6, "float6_e3m2fn"), (17, 4, "float4_e2m1fn"), (1, 2, "uint2")):
            self.assertEqual(numpy_dtype(code, bits), np.dtype(getattr(ml_dtypes, name)))
        with self.assertRaises(torsh.Error):
            numpy_dtype(9, 3)


class Compile(unittest.TestCase):
    """With a stand-in for torshc that records its command line."""

    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.folder)
        self.compiler = os.path.join(self.folder, "torshc")
        with open(self.compiler, "w") as file:
            file.write("#!%s\n" % sys.executable + textwrap.dedent("""\
                import shutil, sys
                if open(sys.argv[1], "rb").read() == b"bad":
                    sys.exit("TSH-1001: the model is bad.")
                with open(%r, "w") as log:
                    log.write("\\n".join(sys.argv[1:]))
                shutil.copy(%r, sys.argv[sys.argv.index("-o") + 1])
                """) % (os.path.join(self.folder, "log"), fake("affine.so")))
        os.chmod(self.compiler, os.stat(self.compiler).st_mode | stat.S_IXUSR)
        os.environ["TORSHC"] = self.compiler
        self.addCleanup(os.environ.pop, "TORSHC")

    def test_command_line(self):
        module = torsh.compile(b"good", dims={"batch": 2, "seq": 128}, opt_level=1, threads=1)
        with open(os.path.join(self.folder, "log")) as log:
            words = log.read().split("\n")
        self.assertTrue(words[0].endswith(".onnx"))
        self.assertEqual(words[1], "-o")
        self.assertEqual(words[3:], ["-O1", "--target-cpu", "host", "--dim", "batch=2", "--dim", "seq=128"])
        x = np.ones((2, 8), np.float32)
        np.testing.assert_array_equal(module(x, x)[0], affine(x, x))
        folder = os.path.dirname(words[2])
        self.assertTrue(os.path.isdir(folder))
        module.save(os.path.join(self.folder, "kept.so"))
        del module
        self.assertFalse(os.path.exists(folder))
        torsh.load(os.path.join(self.folder, "kept.so"))(x, x)

    def test_compiler_error(self):
        with self.assertRaisesRegex(torsh.Error, "^TSH-1001: the model is bad.$") as caught:
            torsh.compile(b"bad")
        self.assertEqual(caught.exception.status, -1)

    def test_missing_compiler(self):
        os.environ["TORSHC"] = os.path.join(self.folder, "nowhere")
        with self.assertRaisesRegex(torsh.Error, "cannot be run"):
            torsh.compile(b"good")


class Training(unittest.TestCase):
    X = np.array([1, 2, 3, 4], np.float32)

    def test_steps(self):
        step = torsh.TrainStep(fake("step.so"), threads=1)
        self.assertEqual([port.name for port in step.inputs], ["x"])
        self.assertEqual(step.roles, {"p": "parameter", "m": "optimizer", "step": "step"})
        self.assertEqual(step(self.X, lr=0.5), 10)
        self.assertEqual(step(self.X, lr=0.5), 5)
        self.assertEqual(step.steps, 2)
        np.testing.assert_array_equal(step.parameters()["p"], np.zeros(4))
        self.assertEqual(list(step.parameters()), ["p"])

    def test_state_goes_out_and_in(self):
        step = torsh.TrainStep(fake("step.so"), threads=1)
        step(self.X, lr=0.5)
        saved = step.state_dict()
        step(self.X, lr=0.5)
        self.assertEqual(saved["p"][3], 2)  # a copy
        step.load_state_dict(saved)
        self.assertEqual(step.steps, 1)
        self.assertEqual(step(self.X, lr=0.5), 5)
        step.reset()
        self.assertEqual((step.steps, step.parameters()["p"][0]), (0, 1))
        with self.assertRaisesRegex(torsh.Error, "missing m, unknown q"):
            step.load_state_dict({"p": saved["p"], "step": saved["step"], "q": 1})
        with self.assertRaisesRegex(torsh.Error, "'p' must be float32"):
            step.load_state_dict({**saved, "p": np.zeros(3, np.float32)})

    def test_refusals(self):
        with self.assertRaisesRegex(torsh.Error, "--train-step"):
            torsh.TrainStep(fake("affine.so"))
        step = torsh.TrainStep(fake("step.so"), threads=1)
        with self.assertRaisesRegex(torsh.Error, r"1 arrays \(x\) and lr, but 2"):
            step(self.X, self.X, lr=1)
        with self.assertRaisesRegex(torsh.Error, "TSH-8010"):
            step(self.X[:3], lr=1)
        self.assertEqual(step.steps, 0)


if __name__ == "__main__":
    unittest.main()
