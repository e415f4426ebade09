"""Gradients from Python, against those by hand."""

import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnx

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "build/python"), str(ROOT / "test/lit/torshc/Inputs")]

import torsh  # noqa: E402
from write_energy import energy_and_gradients, energy_model  # noqa: E402


class Gradient(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        random = np.random.default_rng(11)
        cls.w = random.standard_normal((5, 33)).astype(np.float32)
        cls.folder = tempfile.TemporaryDirectory(prefix="torsh-gradient-")
        cls.model = Path(cls.folder.name) / "energy.onnx"
        onnx.save(energy_model(cls.w), cls.model)
        cls.x = random.standard_normal((9, 5)).astype(np.float32)
        cls.s = np.float32(1.5)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def assertClose(self, ours, theirs):
        self.assertEqual(np.shape(ours), np.shape(theirs))
        self.assertLess(np.abs(ours - theirs).max(), 1e-5 * np.abs(theirs).max())

    def test_value_and_gradients(self):
        found = torsh.value_and_grad(self.model)(self.x, self.s)
        for ours, theirs in zip(found, energy_and_gradients(self.x, self.s, self.w), strict=True):
            self.assertClose(ours, theirs)

    def test_one_gradient_of_any_batch(self):
        gradient = torsh.grad(self.model, wrt=["x"])
        for rows in (1, 4, 9):
            self.assertClose(gradient(self.x[:rows], self.s), energy_and_gradients(self.x[:rows], self.s, self.w)[1])

    def test_refusals(self):
        with self.assertRaisesRegex(torsh.Error, "TSH-0536: the model has no input 'y'"):
            torsh.grad(self.model, wrt=["y"])


if __name__ == "__main__":
    unittest.main()
