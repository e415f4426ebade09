#!/usr/bin/env python3
"""Runs a host that knows nothing of traces with TORSH_PROFILE, and reads what it leaves.

usage: check_profile.py HOST ARTIFACT FOLDER
"""

import json
import os
import subprocess
import sys
import unittest

HOST, ARTIFACT, FOLDER = sys.argv[1:4]


def run(profile):
    environment = {k: v for k, v in os.environ.items() if k != "TORSH_PROFILE"}
    if profile is not None:
        environment["TORSH_PROFILE"] = profile
    return subprocess.run([HOST, ARTIFACT, "3"], env=environment, capture_output=True, text=True, timeout=60)


class Profile(unittest.TestCase):
    def test_trace(self):
        path = os.path.join(FOLDER, "host.trace.json")
        result = run(path)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        with open(path, encoding="utf-8") as f:
            trace = json.load(f)
        name, *events = trace["traceEvents"]
        self.assertEqual(name["args"]["model"], 'by "hand"')
        self.assertEqual(name["args"]["events"], len(events))
        self.assertEqual(name["args"]["events_left_out"], 0)
        self.assertEqual(trace["otherData"]["most_events_of_a_context"], 65536)
        kernels = [e for e in events if e["cat"] == "kernel"]
        runs = [e for e in events if e["cat"] == "run"]
        self.assertEqual(len(kernels), 3 * len(runs))
        self.assertEqual([e["args"]["kernel"] for e in kernels[:3]], ["scale", "add", "level"])
        scale = kernels[0]
        self.assertEqual(scale["name"], '/scale "a"')
        self.assertEqual(scale["args"]["nodes"], ['/scale "a"', "b]"])
        self.assertEqual(scale["args"]["code"], "plain [scale]")
        self.assertEqual((scale["args"]["flops"], scale["args"]["bytes"]), (24, 288))
        self.assertEqual(scale["args"]["threads"], 1)
        for run_, first in zip(runs, kernels[::3]):
            self.assertLessEqual(run_["ts"], first["ts"])
            self.assertGreaterEqual(run_["ts"] + run_["dur"], first["ts"] + first["dur"])

    def test_unwritable_path(self):
        expected = run(None)
        result = run(os.path.join(FOLDER, "nowhere", "trace.json"))
        self.assertEqual((result.returncode, result.stdout), (expected.returncode, expected.stdout))
        self.assertIn("TORSH_PROFILE: TSH-8002: the trace '", result.stderr)
        self.assertIn("No such file or directory", result.stderr)
        self.assertEqual(result.stderr.count("\n"), 1)

    def test_folder_as_path(self):
        result = run(FOLDER)
        self.assertEqual(result.returncode, 0)
        self.assertIn("Is a directory", result.stderr)

    def test_empty_variable(self):
        result = run("")
        self.assertEqual((result.returncode, result.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
