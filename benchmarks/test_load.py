#!/usr/bin/env python3
"""Requests under load: the capacity is that of both workers, and the rate the wanted share of it."""

import importlib.util
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
SLEEPS = """
import sys, time
print("{}", flush=True)
for line in sys.stdin:
    count = int(line.split()[1])
    time.sleep(float(sys.argv[1]) * count)
    print(*[1] * count, flush=True)
"""


@unittest.skipUnless(importlib.util.find_spec("mlperf_loadgen"), "mlcommons-loadgen is not installed")
class Load(unittest.TestCase):
    def load(self, seconds):
        with tempfile.TemporaryDirectory() as folder:
            spec = Path(folder) / "spec.json"
            command = [sys.executable, "-c", SLEEPS, str(seconds)]
            spec.write_text(json.dumps({"commands": [command, command], "environment": None, "cores": [None, None],
                                        "seconds": 2.0, "share": 0.7, "logs": folder}))
            done = subprocess.run([sys.executable, str(HERE / "load.py"), str(spec)], capture_output=True, text=True,
                                  timeout=120)
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout.splitlines()[-1])

    def test_two_workers_of_twenty_milliseconds(self):
        figures = self.load(0.02)
        self.assertGreater(figures["capacity"], 50)
        self.assertLessEqual(figures["capacity"], 100)
        self.assertAlmostEqual(figures["rate"] / figures["capacity"], 0.7, delta=0.25)
        self.assertGreaterEqual(figures["p50_ms"], 20)
        # Some requests have to wait for others.
        self.assertGreater(figures["p99_ms"], figures["p50_ms"])

    def test_what_is_too_quick_to_be_driven_is_not_measured(self):
        self.assertIn("more than the load generator", self.load(0.0)["why"])


if __name__ == "__main__":
    unittest.main()
