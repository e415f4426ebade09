#!/usr/bin/env python3
"""The counts of run_tests.py, and that a tool which fails, hangs or runs nothing never looks like success."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

import run_tests
from run_tests import Count, Stage


def stage_of(code, count, minutes=1.0, **more):
    return Stage("self-test", [sys.executable, "-c", textwrap.dedent(code)], count, minutes, **more)


class Quiet(unittest.TestCase):
    """Stages write below a folder of the test, and their output is not shown."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        root, run_tests.ROOT = run_tests.ROOT, folder.name
        self.addCleanup(setattr, run_tests, "ROOT", root)
        self.folder = folder.name

    def run_stage(self, stage):
        stdout = sys.stdout
        sys.stdout = io.TextIOWrapper(io.BytesIO())
        try:
            return run_tests.run(stage)
        finally:
            sys.stdout = stdout


class Counting(Quiet):
    def write(self, text):
        path = os.path.join(self.folder, "report")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def test_summary_takes_the_last_line(self):
        log = "3 passed, 1 failed\nFAIL a: b\n10 passed, 2 failed\n"
        count = run_tests.count_summary(log, "")
        self.assertEqual((count.passed, count.failed, count.failures), (10, 2, ["a: b"]))

    def test_unittest(self):
        log = "x ... ok\ny (m.C.y) ... skipped 'no tool'\nFAIL: z (m)\nRan 7 tests in 0.1s\n\n" \
              "FAILED (failures=1, errors=2, skipped=1)\n"
        count = run_tests.count_unittest(log, "")
        self.assertEqual((count.passed, count.failed), (3, 3))
        self.assertEqual(count.skipped, ["y (m.C.y): no tool"])
        self.assertEqual(run_tests.count_unittest("Ran 4 tests in 1s\n\nOK\n", "").passed, 4)

    def test_ctest(self):
        rows = [("ok", "run", ""), ("bad", "fail", "<failure/>"),
                ("skip", "notrun", '<skipped message="SKIP_RETURN_CODE=77"/>'),
                ("gone", "notrun", '<skipped message="Unable to find executable"/>'), ("off", "disabled", "")]
        cases = "".join(f'<testcase name="{n}" status="{s}">{body}</testcase>' for n, s, body in rows)
        count = run_tests.count_ctest("", self.write(f"<testsuite>{cases}</testsuite>"))
        self.assertEqual((count.passed, count.failed, len(count.skipped)), (1, 2, 2))
        self.assertIn("gone: not run. Unable to find executable", count.failures)

    def test_lit(self):
        codes = ["PASS", "XFAIL", "FAIL", "XPASS", "UNRESOLVED", "TIMEOUT", "UNSUPPORTED"]
        report = self.write(json.dumps({"tests": [{"name": c, "code": c} for c in codes]}))
        count = run_tests.count_lit("", report)
        self.assertEqual((count.passed, count.failed, count.skipped), (2, 4, ["UNSUPPORTED: unsupported"]))


class Judging(Quiet):
    def test_good(self):
        count = self.run_stage(stage_of("print('5 passed, 0 failed')", run_tests.count_summary))
        self.assertEqual((count.passed, count.failed), (5, 0))

    def test_failing_status_counts(self):
        count = self.run_stage(stage_of("print('5 passed, 0 failed'); exit(3)", run_tests.count_summary))
        self.assertEqual((count.passed, count.failed), (5, 1))

    def test_running_nothing_is_a_failure(self):
        for code in ("", "print('0 passed, 0 failed')"):
            self.assertEqual(self.run_stage(stage_of(code, run_tests.count_summary)).failed, 1)

    def test_a_missing_report_is_a_failure(self):
        stage = stage_of("", run_tests.count_lit, report=os.path.join(self.folder, "none.json"))
        self.assertEqual(self.run_stage(stage).failed, 1)

    def test_an_old_report_is_not_read(self):
        path = os.path.join(self.folder, "old.json")
        with open(path, "w", encoding="utf-8") as f:
            f.write('{"tests": [{"name": "a", "code": "PASS"}]}')
        self.assertEqual(self.run_stage(stage_of("", run_tests.count_lit, report=path)).passed, 0)

    def test_a_missing_program_is_a_failure(self):
        stage = Stage("self-test", [os.path.join(self.folder, "none")], run_tests.count_one, 1)
        self.assertEqual(self.run_stage(stage).failed, 1)

    def test_a_hanging_stage_is_ended_with_its_children(self):
        code = "import subprocess; print('5 passed, 0 failed', flush=True); subprocess.run(['sleep', '60'])"
        start = time.monotonic()
        count = self.run_stage(stage_of(code, run_tests.count_summary, minutes=0.02))
        self.assertLess(time.monotonic() - start, 20)
        self.assertEqual((count.passed, count.failed), (5, 1))

    def test_standard_input_is_closed(self):
        count = self.run_stage(stage_of("import sys; exit(len(sys.stdin.read()))", run_tests.count_one))
        self.assertEqual((count.passed, count.failed), (1, 0))


class RunningAll(Quiet):
    def run_all(self, stages):
        output = io.TextIOWrapper(io.BytesIO(), write_through=True)
        old = signal.getsignal(signal.SIGTERM)
        with contextlib.redirect_stdout(output):
            status = run_tests.run_all(stages, "self-test")
        signal.signal(signal.SIGTERM, old)
        return status, output.buffer.getvalue().decode().rstrip("\n").split("\n")[-1]

    def test_the_sum(self):
        good = stage_of("print('5 passed, 0 failed')", run_tests.count_summary)
        self.assertEqual(self.run_all([good, good]), (0, "10 passed, 0 failed"))
        bad = stage_of("print('1 passed, 2 failed'); exit(1)", run_tests.count_summary)
        self.assertEqual(self.run_all([good, bad]), (1, "6 passed, 2 failed"))

    def test_what_needs_a_broken_build_fails_unrun(self):
        build = stage_of("exit(1)", run_tests.count_one)
        build.name = "build"
        after = stage_of("print('5 passed, 0 failed')", run_tests.count_summary, needs="build")
        self.assertEqual(self.run_all([build, after]), (1, "0 passed, 2 failed"))

    def test_the_last_line_survives_the_end_from_outside(self):
        code = f"""
            import sys; sys.path.insert(0, {os.path.dirname(os.path.abspath(run_tests.__file__))!r})
            import run_tests; run_tests.ROOT = {self.folder!r}
            sleep = run_tests.Stage("sleep", ["sleep", "60"], run_tests.count_one, 2)
            sys.exit(run_tests.run_all([sleep, sleep], "self-test"))"""
        process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
        time.sleep(1.5)
        process.terminate()
        output, _ = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 1)
        self.assertTrue(re.search(r"^0 passed, 2 failed$", output.strip().split("\n")[-1]), output)


class Stages(unittest.TestCase):
    def test_names_differ(self):
        for stages in (run_tests.default_stages(False), run_tests.sanitizer_stages()):
            names = [s.name for s in stages]
            self.assertEqual(len(names), len(set(names)))

    def test_counts_start_at_nothing(self):
        self.assertEqual((Count().passed, Count().failed), (0, 0))


if __name__ == "__main__":
    unittest.main()
