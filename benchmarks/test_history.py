#!/usr/bin/env python3
"""Regressions are what is worse beyond noise, and nothing else."""

import copy
import subprocess
import tempfile
import unittest
from pathlib import Path

import history
from sample_report import report, row


class Regressions(unittest.TestCase):
    def setUp(self):
        self.old = report([row("resnet50", "convolution", {"onnxruntime": 1.2, "openvino": 1.1})])
        self.new = copy.deepcopy(self.old)

    def move(self, peer, factor):
        ratio = self.new["rows"][0]["ratios"][peer]
        for key in ("ratio", "low", "high"):
            ratio[key] *= factor

    def found(self):
        return history.regressions(self.old, self.new)

    def test_the_same_is_no_regression(self):
        self.assertEqual(self.found(), [])

    def test_noise_is_no_regression(self):
        self.move("onnxruntime", 0.99)
        self.move("openvino", 0.99)
        self.assertEqual(self.found(), [])

    def test_slower_against_every_peer_is_one(self):
        self.move("onnxruntime", 0.9)
        self.move("openvino", 0.9)
        self.assertRegex(self.found()[0], "resnet50, batch 1, 1 thread: slower against every peer.*1.20 -> 1.08")

    def test_slower_against_one_peer_alone_is_the_peers_noise(self):
        self.move("onnxruntime", 0.8)
        self.assertEqual(self.found(), [])

    def test_faster_is_no_regression(self):
        self.move("onnxruntime", 1.5)
        self.move("openvino", 1.5)
        self.assertEqual(self.found(), [])

    def test_a_peer_of_another_version_is_no_yardstick(self):
        self.move("onnxruntime", 0.9)
        self.move("openvino", 0.9)
        for peer in ("onnxruntime", "openvino"):
            self.new["peers"][peer]["version"] = "9"
        self.assertEqual(self.found(), [])

    def test_memory_and_size_may_not_grow(self):
        ours = self.new["rows"][0]["sides"]["torsh"]
        ours["run_mib"], ours["shipped_bytes"] = 60.0, 2 * 10**6
        self.assertEqual(len(self.found()), 2)

    def test_a_model_that_fails_now_is_named(self):
        self.new["rows"] = []
        self.assertEqual(self.found(), [])
        self.new["failures"] = [{"model": "resnet50", "batch": 1, "threads": 1, "why": "broken"}]
        self.assertIn("fails now", self.found()[0])

    def test_another_machine_is_refused(self):
        self.new["machine"]["identity"] = "there"
        with self.assertRaisesRegex(SystemExit, "another machine"):
            self.found()

    def test_a_faster_previous_build_in_the_same_rounds(self):
        rows = [row("a", "other", {"previous": 0.9}), row("b", "other", {"previous": 0.99}), row("c", "other", {})]
        self.assertEqual([s[:1] for s in history.slower_than_previous(rows)], ["a"])


class Store(unittest.TestCase):
    def test_a_second_run_replaces_its_own_cells_alone(self):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            history.store(place, report([row("a", "other", {"openvino": 1.0}), row("b", "other", {"openvino": 1.0})]))
            history.store(place, report([row("b", "other", {"openvino": 2.0})]))
            quick = report([row("b", "other", {"openvino": 9.0})])
            quick["settings"] = {**quick["settings"], "quick": True}
            history.store(place, quick)
            rows = history.load(place, "0123456789abcdef", place)["rows"]
            self.assertEqual({r["model"]: r["ratios"]["openvino"]["ratio"] for r in rows}, {"a": 1.0, "b": 2.0})

    def test_results_are_found_by_revision(self):
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)

            def git(*words):
                subprocess.run(["git", "-C", folder, "-c", "user.name=n", "-c", "user.email=e", *words], check=True,
                               capture_output=True)

            git("init", "-q")
            git("commit", "-q", "--allow-empty", "-m", "one")
            commit = history.commit_of(root)
            history.store(root / "results", report([], commit=commit))
            self.assertEqual(history.load(root / "results", "HEAD", root)["commit"], commit)
            self.assertEqual(history.load(root / "results", commit[:8], root)["commit"], commit)
            git("commit", "-q", "--allow-empty", "-m", "two")
            self.assertEqual(history.load(root / "results", "HEAD~1", root)["commit"], commit)
            with self.assertRaisesRegex(SystemExit, "There is no result of HEAD"):
                history.load(root / "results", "HEAD", root)


if __name__ == "__main__":
    unittest.main()
