#!/usr/bin/env python3
"""A cell over fake runtimes: wrong answers and failing peers are left out by name, ours may not fail."""

import sys
import unittest
from pathlib import Path

import numpy as np

from cases import Case
from measure import OURS, PYTHON, Cell, Settings
from pairing import Worker, WorkerFailed
from sides import Prepared

FAKE = """
import json, sys
nanoseconds, lasts = int(sys.argv[1]), int(sys.argv[2])
print(json.dumps({"load_ns": 10**6, "first_ns": 3 * 10**6, "before_kib": 1024, "peak_kib": 4096, "run_kib": 3072,
                  "shipped": 7}), flush=True)
for line in sys.stdin:
    lasts -= int(line.split()[1])
    if lasts < 0:
        sys.exit("error: it broke")
    print(*[nanoseconds] * int(line.split()[1]), flush=True)
"""


class FakeSide:
    """A runtime whose runs take `ms`, whose answer is `error` off, and which ends after `lasts` runs."""

    def __init__(self, name, ms, error=0.0, lasts=10**9, host=True, python_ms=None):
        self.name, self.ms, self.error, self.lasts, self.host = name, ms, error, lasts, host
        self.python_ms = python_ms

    def start(self, _prepared, _threads, python=False, _sweep=0):
        ms = self.python_ms if python and self.python_ms else self.ms
        return Worker([sys.executable, "-c", FAKE, int(ms * 1e6), self.lasts])

    def outputs(self, _worker, case):
        return [a.astype(np.float32) * np.float32(1 + self.error) for a in case.references.values()]


class Cells(unittest.TestCase):
    def cell(self, *sides, **settings):
        reference = np.linspace(1.0, 2.0, 50)[None]
        case = Case("m", "other", 1, Path("m"), Path("m"), {}, {}, {"y": reference}, {"y": np.dtype("float32")}, {},
                    {"y": {"name": "y", "slice_axis": None, "argmax": False}})
        cell = Cell(case, 1, Settings(rounds=3, seconds=0.02, starts=2, **settings), None)
        return cell, {side: Prepared(None, {}, 1.5) for side in sides}

    def test_ratios_and_costs(self):
        cell, prepared = self.cell(FakeSide(OURS, 2.0), FakeSide("a", 3.0), FakeSide("b", 1.0))
        row = cell.run(prepared)
        self.assertAlmostEqual(row["ratios"]["a"]["ratio"], 1.5)
        self.assertAlmostEqual(row["ratios"]["b"]["ratio"], 0.5)
        ours = row["sides"][OURS]
        self.assertEqual((ours["compile_s"], ours["session_ms"], ours["first_ms"], ours["shipped_bytes"]),
                         (1.5, 1.0, 3.0, 7))
        self.assertEqual((ours["peak_mib"], ours["run_mib"]), (3.0, 2.0))

    def test_a_wrong_peer_gets_no_ratio_and_the_others_do(self):
        cell, prepared = self.cell(FakeSide(OURS, 2.0), FakeSide("wrong", 0.1, error=0.01), FakeSide("right", 3.0))
        row = cell.run(prepared)
        self.assertEqual(list(row["ratios"]), ["right"])
        self.assertIn("wrong or low-precision", row["failures"]["wrong"])

    def test_a_peer_that_breaks_in_the_rounds_is_left_out(self):
        cell, prepared = self.cell(FakeSide(OURS, 2.0), FakeSide("breaks", 2.0, lasts=30), FakeSide("holds", 3.0))
        row = cell.run(prepared)
        self.assertEqual(list(row["ratios"]), ["holds"])
        self.assertEqual(row["failures"]["breaks"], "error: it broke")

    def test_ours_may_be_neither_wrong_nor_broken(self):
        for ours, words in ((FakeSide(OURS, 1.0, error=0.01), "wrong"), (FakeSide(OURS, 2.0, lasts=30), "it broke")):
            cell, prepared = self.cell(ours, FakeSide("peer", 2.0))
            with self.assertRaisesRegex(WorkerFailed, words):
                cell.run(prepared)

    def test_without_a_peer_there_is_no_row(self):
        cell, prepared = self.cell(FakeSide(OURS, 1.0), FakeSide("wrong", 1.0, error=1.0))
        with self.assertRaisesRegex(WorkerFailed, "no peer"):
            cell.run(prepared)

    def test_small_models_meet_python_peers_from_python(self):
        cell, prepared = self.cell(FakeSide(OURS, 0.1, python_ms=0.2), FakeSide("p", 0.5, host=None), FakeSide("c", 0.3))
        row = cell.run(prepared)
        self.assertAlmostEqual(row["ratios"]["p"]["ratio"], 2.5)
        self.assertAlmostEqual(row["ratios"]["c"]["ratio"], 3.0)
        self.assertIn(OURS + PYTHON, row["sides"])


if __name__ == "__main__":
    unittest.main()
