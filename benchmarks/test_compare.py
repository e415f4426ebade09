#!/usr/bin/env python3
"""The whole comparison on a tiny model: figures come out, a wrong answer is rejected, a missing peer is named."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save_model

HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("TORSH_BUILD", HERE.parent / "build"))
ABSENT = "a peer that is not there"


def make_models(folder, wrong=False):
    """A dense layer under the name of a known model, static and symbolic, with its cases; `wrong` spoils a reference."""
    rng = np.random.default_rng(3)
    weights = rng.standard_normal((16, 8)).astype(np.float32)
    entries = []
    for suffix, batch in (("", 1), ("-sym", "batch")):
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["x", "w"], ["m"]), helper.make_node("Relu", ["m"], ["y"])], "g",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, 16])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [batch, 8])],
            [numpy_helper.from_array(weights, "w")])
        save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
                   str(folder / f"mlp{suffix}.onnx"))
        cases = []
        for rows in (1, 2) if suffix else (1,):
            x = rng.standard_normal((rows, 16)).astype(np.float32)
            y = np.maximum(x.astype(np.float64) @ weights, 0) + (0.01 if wrong else 0.0)
            files = {kind: f"{rows}{suffix}.{kind}.npy" for kind in ("inputs", "reference", "reference64")}
            for kind, array in (("inputs", x), ("reference", y.astype(np.float32)), ("reference64", y)):
                np.save(folder / files[kind], array)
            cases.append({"name": f"b{rows}", "inputs": {"x": files["inputs"]}, "reference": {"y": files["reference"]},
                          "reference64": {"y": files["reference64"]}, "ort_error": {"y": [1e-7]}})
        entries.append({"name": f"mlp{suffix}", "architecture": "mlp", "file": f"mlp{suffix}.onnx", "quick": True,
                        "symbolic": bool(suffix), "inputs": ["x"], "cases": cases,
                        "outputs": [{"name": "y", "slice_axis": None, "argmax": False}]})
    (folder / "manifest.json").write_text(json.dumps({"format": 1, "entries": entries}))


@unittest.skipUnless((BUILD / "bin/torshc").exists(), f"{BUILD} holds no torshc")
class Compare(unittest.TestCase):
    def compare(self, *words, wrong=False, again=False):
        if not again:
            folder = tempfile.TemporaryDirectory()
            self.addCleanup(folder.cleanup)
            self.place = Path(folder.name)
            make_models(self.place, wrong)
        place = self.place
        command = [sys.executable, HERE / "compare.py", "--build", BUILD, "--models", place, "--work", place / "work",
                   "--report", place / "report", "--history", place / "history", "--threads", "1", "--rounds", "3",
                   "--seconds", "0.005", "--sweep", "1", "--starts", "1", *words]
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300)
        report = place / "report.json"
        return done, json.loads(report.read_text()) if report.exists() else None

    def test_figures_and_files(self):
        done, report = self.compare("--peers", "onnxruntime")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual([(r["batch"], r["threads"]) for r in report["rows"]], [(1, 1), (8, 1)])
        for row in report["rows"]:
            ratio = row["ratios"]["onnxruntime"]
            self.assertTrue(0 < ratio["low"] <= ratio["ratio"] <= ratio["high"])
            self.assertEqual(len(ratio["rounds"]), 3)
            for side in row["sides"].values():
                self.assertEqual(side["host"], "c")
                for figure in ("ms", "session_ms", "first_ms", "run_mib", "peak_mib", "shipped_bytes"):
                    self.assertGreater(side[figure], 0, figure)
                self.assertLess(side["error"], 1e-5)
        self.assertTrue(report["kernels"])
        for end in (".md", "-details.md", ".html"):
            self.assertIn("mlp", (self.place / f"report{end}").read_text())
        self.assertEqual(len(list((self.place / "history").iterdir())), 1)

    def test_an_ended_run_goes_on(self):
        _, first = self.compare("--peers", "onnxruntime", "--batch", "1")
        done, both = self.compare("--peers", "onnxruntime", "--continue", again=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual([r["batch"] for r in both["rows"]], [1, 8])
        self.assertEqual(both["rows"][0], first["rows"][0])
        report = self.place / "report.json"
        report.write_text(json.dumps({**both, "machine": {"cpu": "another"}}))
        done, _ = self.compare("--peers", "onnxruntime", "--continue", again=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("another machine", done.stderr)

    def test_a_wrong_answer_gets_no_ratio(self):
        done, report = self.compare("--peers", "onnxruntime", "--batch", "1", wrong=True)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(report["rows"], [])
        self.assertEqual({n["peer"] for n in report["not_counted"]}, {"torsh", "onnxruntime"})
        for item in report["not_counted"]:
            self.assertIn("wrong or low-precision", item["why"])

    def test_a_missing_peer_is_named(self):
        done, report = self.compare("--peers", "onnxruntime", "--peers", "torch_eager", "--batch", "1", "--torch-python",
                                    self_made_python(self))
        self.assertIn(ABSENT, report["absent"]["torch_eager"])
        self.assertIn(f"torch_eager is not measured: {ABSENT}", done.stdout)
        self.assertEqual(list(report["rows"][0]["ratios"]), ["onnxruntime"])

    def test_a_floor_fails_the_run(self):
        done, _ = self.compare("--peers", "onnxruntime", "--batch", "1", "--floor-each", "1000000")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Below the floor: mlp at batch 1 with 1 threads", done.stdout)


def self_made_python(test):
    """A program that fails as a Python without the runtime does."""
    folder = tempfile.TemporaryDirectory()
    test.addCleanup(folder.cleanup)
    program = Path(folder.name) / "python"
    program.write_text(f"#!/bin/sh\necho 'refused: {ABSENT}' >&2\nexit 1\n")
    program.chmod(0o755)
    return program


if __name__ == "__main__":
    unittest.main()
