"""What a service relies on, checked on the artifact of a trained model."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path

import magika
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TORSH_BUILD", ROOT / "build"))
MODEL = next(Path(magika.__file__).parent.glob("models/*/model.onnx"))
NEWEST_GLIBC = (2, 28)
LOAD_MS = 10


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)


def program(name, *packages):
    found = shutil.which(name)
    if not found:
        raise unittest.SkipTest(f"{name} is missing (package {', '.join(packages)})")
    return found


class Artifact(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="torsh-artifact-")
        cls.artifact = Path(cls.folder.name) / "magika.so"
        done = run(BUILD / "bin/torshc", MODEL, "-o", cls.artifact)
        if done.returncode:
            raise AssertionError(done.stderr)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def python(self, code, *arguments, **options):
        """Runs code in a fresh interpreter; its last line of output is JSON."""
        done = run(sys.executable, "-c", textwrap.dedent(code), self.artifact, *arguments, timeout=300, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout.strip().splitlines()[-1])

    def test_needs_only_an_old_libc(self):
        for library in (self.artifact, BUILD / "python/torsh/libtorsh_rt.so"):
            text = run(program("objdump", "binutils"), "-T", "-p", library).stdout
            needed = set(re.findall(r"^\s*NEEDED\s+(\S+)", text, re.M))
            self.assertLessEqual(needed, {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2"}, library)
            versions = {tuple(map(int, v.split("."))) for v in re.findall(r"GLIBC_([0-9.]+)", text)}
            self.assertLessEqual({v for v in versions if v > NEWEST_GLIBC}, set(), library)

    def test_functions_of_libm_carry_no_version(self):
        import torsh
        from onnx import TensorProto, helper
        names = ["Exp", "Log", "Sinh", "Tan"]
        nodes = [helper.make_node(op, [f"v{i}"], [f"v{i + 1}"]) for i, op in enumerate(names)]
        ports = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [7]) for name in ("v0", f"v{len(names)}")]
        model = helper.make_model(helper.make_graph(nodes, "g", ports[:1], ports[1:]),
                                  opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        module = torsh.compile(model.SerializeToString())
        path = Path(self.folder.name) / "libm.so"
        module.save(path)
        text = run(program("objdump", "binutils"), "-T", "-p", path).stdout
        self.assertIn("libm.so.6", text)
        self.assertNotIn("GLIBC", text)
        x = np.linspace(0.1, 1, 7)
        np.testing.assert_allclose(module(x)[0], np.tan(np.sinh(np.log(np.exp(x)))), rtol=1e-13)

    def test_a_symbol_for_each_kernel_and_one_export(self):
        text = run(program("objdump", "binutils"), "-t", "-T", "-h", self.artifact).stdout
        self.assertIn(".eh_frame", text)
        exported = {line.split()[-1] for line in text.splitlines() if " g " in line and "*UND*" not in line
                    and ".text" in line}
        self.assertEqual(exported, {"torsh_query"})
        kernels = json.loads(run(BUILD / "bin/torshc", "inspect", "--json", self.artifact).stdout)["kernels"]
        symbols = set(re.findall(r"\S+$", text, re.M))
        self.assertGreater(len(kernels), 3)
        for kernel in kernels:
            name = kernel["name"] if isinstance(kernel, dict) else kernel
            self.assertTrue(any(s.startswith(name) for s in symbols), name)

    def test_no_kernel_is_scalar(self):
        done = run(BUILD / "bin/torshc", MODEL, "-o", Path(self.folder.name) / "report.so", "--report")
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [l for l in (done.stdout + done.stderr).splitlines() if re.search(r"\bk\d+_", l)]
        self.assertGreater(len(lines), 3)
        for line in lines:
            self.assertRegex(line, r"\b(8|16) lanes")

    def test_other_cpus_get_other_code_or_a_status(self):
        qemu = program("qemu-x86_64", "qemu-user")
        labels = Path(self.folder.name) / "labels.txt"
        self.assertEqual(run(sys.executable, ROOT / "examples/magika_labels.py", labels).returncode, 0)
        command = [qemu, "-cpu", "Haswell", BUILD / "bin/magika_host", self.artifact, labels, ROOT / "README.md"]
        done = run(*command)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("markdown", done.stdout)
        command[2] = "Nehalem"
        done = run(*command)
        self.assertGreater(done.returncode, 0, "ended by a signal")
        self.assertIn("TSH-8006", done.stderr)

    def test_load_is_quick(self):
        best = self.python("""
            import json, sys, time, torsh
            times = []
            for _ in range(20):
                start = time.perf_counter(); torsh.load(sys.argv[1], threads=1)
                times.append(time.perf_counter() - start)
            print(json.dumps(min(times) * 1e3))""")
        self.assertLess(best, LOAD_MS)

    def test_a_thousand_loads_leave_memory_flat(self):
        before, after, maps, files = self.python("""
            import gc, json, os, sys, numpy as np, torsh
            def held():
                pages = int(open("/proc/self/statm").read().split()[1])
                return pages * os.sysconf("SC_PAGE_SIZE"), len(open("/proc/self/maps").readlines())
            def once():
                module = torsh.load(sys.argv[1], threads=2)
                x = np.zeros([d if isinstance(d, int) else 1 for d in module.inputs[0].dims], module.inputs[0].dtype)
                module(x)
            for _ in range(100): once()
            gc.collect(); before, maps = held(); files = len(os.listdir("/proc/self/fd"))
            for _ in range(1000): once()
            gc.collect(); after, maps_after = held()
            print(json.dumps([before, after, maps_after - maps, len(os.listdir("/proc/self/fd")) - files]))""")
        self.assertLess(after - before, 2 << 20)
        self.assertLessEqual(maps, 4)
        self.assertEqual(files, 0)

    def test_runs_allocate_nothing_after_the_first(self):
        first, second = self.python("""
            import json, sys, numpy as np, torsh
            module = torsh.load(sys.argv[1], threads=2)
            x = np.zeros([d if isinstance(d, int) else 3 for d in module.inputs[0].dims], module.inputs[0].dtype)
            module(x); first = module.stats()["allocations"]
            for _ in range(50): module(x)
            print(json.dumps([first, module.stats()["allocations"]]))""")
        self.assertEqual(first, second)

    def test_one_artifact_serves_every_batch(self):
        import torsh
        module = torsh.load(self.artifact)
        rng = np.random.default_rng(0)
        dims = module.inputs[0].dims
        x = rng.integers(0, 257, [5 if isinstance(d, str) else d for d in dims]).astype(module.inputs[0].dtype)
        together = module(x)[0]
        for i in range(5):
            np.testing.assert_allclose(module(x[i:i + 1])[0][0], together[i], rtol=2e-5, atol=1e-6)

    def test_in_one_process_with_torch(self):
        """PyTorch's wheels carry an LLVM and an OpenMP of their own."""
        python = os.environ.get("TORSH_TORCH_PYTHON", sys.executable)
        if run(python, "-c", "import torch").returncode:
            raise unittest.SkipTest("torch is not installed; TORSH_TORCH_PYTHON names an interpreter that has it")
        code = """
            import json, sys
            {}
            def torches():
                a = torch.nn.Linear(64, 64)(torch.ones(4, 64)); a.sum().backward(); return float(a.sum())
            module = torsh.load(sys.argv[1])
            x = np.zeros([d if isinstance(d, int) else 2 for d in module.inputs[0].dims], module.inputs[0].dtype)
            first = module(x)[0]
            for _ in range(20):
                torches()
                assert np.array_equal(module(x)[0], first)
            compiled = torsh.compile(sys.argv[2])
            torches()
            assert np.allclose(compiled(x)[0], first, rtol=1e-5, atol=1e-6)
            print(json.dumps(True))"""
        for order in ("import numpy as np, torch, torsh", "import numpy as np, torsh, torch"):
            done = run(python, "-c", textwrap.dedent(code.format(order)), self.artifact, MODEL,
                       env=dict(os.environ, PYTHONPATH=str(BUILD / "python")), timeout=300)
            self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
