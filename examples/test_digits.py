"""The C host trains a network on scikit-learn's digits, with nothing but the runtime."""

import os
import re
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.environ.get("TORSH_BUILD", os.path.join(HERE, "..", "build"))


class Digits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="torsh-digits-")
        folder = cls.folder.name
        subprocess.run([sys.executable, os.path.join(HERE, "digits_data.py"), folder], check=True)
        cls.data, cls.step = os.path.join(folder, "digits.bin"), os.path.join(folder, "step.so")
        subprocess.run([os.path.join(BUILD, "bin/torshc"), os.path.join(folder, "digits.onnx"), "--train-step",
                        "--loss", "cross-entropy", "--optimizer", "adam", "--target-cpu", "host", "-o", cls.step],
                       check=True)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def train(self, *arguments):
        return subprocess.run([os.path.join(BUILD, "bin/digits_host"), self.step, *arguments], capture_output=True,
                              text=True)

    def accuracy(self, epochs, rate):
        done = self.train(self.data, str(epochs), str(rate))
        self.assertEqual(done.returncode, 0, done.stderr)
        return float(re.search(r": ([0-9.]+) %", done.stdout).group(1))

    def test_recognises_97_percent(self):
        self.assertGreaterEqual(self.accuracy(40, 2e-3), 97.0)

    def test_learns_nothing_at_rate_zero(self):
        self.assertLess(self.accuracy(3, 0), 50.0)

    def test_needs_no_framework(self):
        listed = subprocess.run(["ldd", os.path.join(BUILD, "bin/digits_host"), self.step], capture_output=True,
                                text=True).stdout
        libraries = {os.path.basename(name) for name in re.findall(r"^\s+(\S+\.so\S*)", listed, re.M)}
        self.assertLessEqual({name.split(".")[0] for name in libraries},
                             {"linux-vdso", "libc", "libm", "libpthread", "libdl", "ld-linux-x86-64"})

    def test_refuses_a_file_that_is_no_data(self):
        done = self.train(self.step)
        self.assertEqual(done.returncode, 1)
        self.assertIn("digits_data.py", done.stderr)


if __name__ == "__main__":
    unittest.main()
