#!/usr/bin/env python3
"""Builds, runs every test of the project stage by stage, and sums up: the last line is `N passed, N failed`.

test.sh calls it after installing what it needs. A stage counts its tests from what the tool itself reports (ctest's
and lit's result files, the summary lines of the others); a stage that fails without a failed test, that runs no test at
all, or that hangs counts as one failed test. A stage whose folder does not exist is no stage; nothing else is left out
silently: skipped tests are named.
"""

import argparse
import glob
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

from dataclasses import dataclass, field

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
LIT = "/usr/lib/llvm-22/bin/lit"
PYTHON = "build/venv/bin/python"
HARNESS = [PYTHON, "test/models/harness.py"]
SUMMARY = re.compile(r"^(\d+) passed, (\d+) failed\b(?:, (\d+) skipped)?", re.M)


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: list = field(default_factory=list)
    failures: list = field(default_factory=list)


# --- Counting: from a tool's own report to numbers --------------------------------------------------------------------


def count_summary(log, _report):
    """The last `N passed, N failed` of a log; our own scripts end with it."""
    found = SUMMARY.findall(log)
    if not found:
        return Count()
    passed, failed, skipped = found[-1]
    return Count(int(passed), int(failed), [f"{skipped} named in its log"] if int(skipped or 0) else [],
                 re.findall(r"^FAIL (.*)$", log, re.M))


def count_unittest(log, _report):
    ran = re.findall(r"^Ran (\d+) tests? in", log, re.M)
    if not ran:
        return Count()
    total = sum(int(n) for n in ran)
    ends = "\n".join(re.findall(r"^(?:OK|FAILED) \(.*", log, re.M))
    numbers = {key: sum(int(n) for n in re.findall(rf"\b{key}=(\d+)", ends))
               for key in ("failures", "errors", "skipped", "unexpected successes")}
    # Subtests that fail are counted one by one, and may be more than the tests.
    failed = numbers["failures"] + numbers["errors"] + numbers["unexpected successes"]
    skips = re.findall(r"^(\S+ .*) \.\.\. skipped '(.*)'", log, re.M)
    return Count(max(total - failed - numbers["skipped"], 0), failed,
                 [f"{name}: {why}" for name, why in skips] or [f"{numbers['skipped']} tests"] * bool(numbers["skipped"]),
                 re.findall(r"^(?:FAIL|ERROR): (.*)$", log, re.M))


def count_ctest(_log, report):
    """ctest's JUnit file. A test that did not run because its program is missing failed."""
    count = Count()
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        status, name = case.get("status"), case.get("name")
        if status == "run":
            count.passed += 1
        elif status == "fail":
            count.failed += 1
            count.failures.append(name)
        else:
            skipped = case.find("skipped")
            why = (skipped.get("message") or "") if skipped is not None else ""
            if status == "disabled" or "SKIP" in why:
                count.skipped.append(f"{name}: {why or status}")
            else:
                count.failed += 1
                count.failures.append(f"{name}: not run. {why}")
    return count


def count_lit(_log, report):
    count = Count()
    with open(report, encoding="utf-8") as f:
        tests = json.load(f)["tests"]
    for test in tests:
        code = test["code"]
        if code in ("PASS", "XFAIL", "FLAKYPASS"):
            count.passed += 1
        elif code in ("UNSUPPORTED", "EXCLUDED", "SKIPPED"):
            count.skipped.append(f"{test['name']}: {code.lower()}")
        else:
            count.failed += 1
            count.failures.append(f"{test['name']}: {code}")
    return count


def count_one(_log, _report):
    """The command is one test; its exit status tells."""
    return None


# --- Stages -----------------------------------------------------------------------------------------------------------


@dataclass
class Stage:
    name: str
    command: list
    count: object
    minutes: float
    report: str = ""
    environment: dict = field(default_factory=dict)
    needs: str = ""  # the build stage whose failure makes this stage pointless


def exists(*paths):
    return any(glob.glob(os.path.join(ROOT, p)) for p in paths)


def ctest_stage(name, build, minutes, environment, needs, only=""):
    report = f"{ROOT}/{build}/results/{name}.xml"
    return Stage(name, ["ctest", "--test-dir", build, "--output-on-failure", "--no-tests=error", "--timeout", "900",
                        "-j", str(len(os.sched_getaffinity(0))), "--output-junit", report,
                        *(["-R", only] if only else [])],
                 count_ctest, minutes, report, environment, needs)


def python_stages(needs, build):
    """Every folder that holds Python unit tests, with the package that this build made. Those of bindings/ and of the
    runtime are entries of ctest."""
    environment = {"PYTHONPATH": f"{ROOT}/{build}/python", "TORSH_BUILD": f"{ROOT}/{build}"}
    stages = []
    for folder in ("test/artifact", "test/models", "examples", "benchmarks"):
        if exists(f"{folder}/test_*.py"):
            stages.append(Stage("python-" + folder.replace("/", "-"),
                                [PYTHON, "-m", "unittest", "discover", "-v", "-s", folder, "-p", "test_*.py"],
                                count_unittest, 15, "", environment, needs))
    return stages


def default_stages(quick):
    stages = [
        Stage("house", ["python3", "scripts/check_house.py"], count_summary, 5),
        Stage("scripts", ["python3", "-m", "unittest", "discover", "-v", "-s", "scripts", "-p", "test_*.py"],
              count_unittest, 5),
        Stage("build", ["scripts/build.sh", "release"], count_one, 40),
        ctest_stage("ctest", "build", 15, {}, "build"),
    ]
    if exists("test/lit"):
        report = f"{ROOT}/build/results/lit.json"
        stages.append(Stage("lit", [LIT, "-v", "-o", report, "build/test/lit"], count_lit, 10, report, {}, "build"))
    stages += python_stages("build", "build")
    # Each op in each element type that its schema allows, by compiled code.
    if exists("test/conformance/dtypes.py"):
        stages.append(Stage("conformance-dtypes", [PYTHON, "test/conformance/dtypes.py"], count_summary, 30, "", {}, "build"))
    # PyTorch's steps exist where test/training/generate.py has run.
    if exists("build/training/manifest.json"):
        stages.append(Stage("training", [PYTHON, "test/training/check.py"], count_summary, 10, "", {}, "build"))
    # The same by compiled steps, where benchmarks/training/references.py has run.
    if exists("build/training-steps/*/case.npz"):
        stages.append(Stage("training-compiled", [PYTHON, "benchmarks/training/agreement.py"], count_summary, 15, "",
                            {"PYTHONPATH": f"{ROOT}/build/python"}, "build"))
    # The whole suite of the onnx package as given, by compiled code; suite.py has the other two modes, too.
    stages.append(Stage("conformance", [PYTHON, "test/conformance/suite.py", "--modes", "given"], count_summary, 30, "", {}, "build"))
    stages.append(Stage("conformance-microsoft", [PYTHON, "test/conformance/microsoft.py"], count_summary, 20, "", {},
                        "build"))
    # Classic models against ONNX Runtime, where requirements/trees.txt is installed (test/ml/README.md).
    if exists("build/trees/bin/python"):
        stages.append(Stage("ml", ["build/trees/bin/python", "test/ml/run.py"], count_summary, 30, "", {}, "build"))
    else:
        print("stage ml skipped: build/trees does not exist (requirements/trees.txt)")
    if exists("test/models"):
        # The comparison must see faults, before its agreement means anything.
        stages.append(Stage("models-proof", [*HARNESS, "--prove", "--quick"], count_summary, 15, "", {}, "build"))
        generated = exists("build/models/manifest.json")
        stages.append(Stage("models-quick", [*HARNESS, "--quick", "--report", "build/results/models-quick"],
                            count_summary, 20, "", {}, "build"))
        stages.append(Stage("onnx-versions", [PYTHON, "test/models/onnx_versions.py"], count_summary, 15, "", {}, "build"))
        # Products of bf16 on any CPU; the bound is wide, because untrained networks blow rounding up.
        stages.append(Stage("models-bf16", [*HARNESS, "--quick", "--bound", "0.1", "--flag=--precision=bf16",
                                            "--flag=--emulate-bf16-dot", "--report", "build/results/models-bf16-quick"],
                            count_summary, 20, "", {}, "build"))
        # TorchScript and .pt2, which have to equal PyTorch itself.
        if exists("build/models-torchscript/manifest.json"):
            stages.append(Stage("models-torchscript",
                                [*HARNESS, "--models", "build/models-torchscript", "--only-manifest", "--bound", "1e-5",
                                 *(["--quick"] if quick else []), "--report", "build/results/models-torchscript"],
                                count_summary, 60, "", {}, "build"))
        if generated and not quick:
            stages.append(Stage("models", [*HARNESS, "--report", "build/results/models"],
                                count_summary, 60, "", {}, "build"))
    return stages


# The targets of the part under address and undefined sanitizers, and the entries of ctest that need no others.
SANITIZED = ["runtime_tests", "minimal_host", "test_onnx_reader", "onnx_reader_fuzz", "test_torch_reader",
             "torch_archive_fuzz", "torch_pickle_fuzz", "torch_source_fuzz", "torch_program_fuzz", "test_dialect", "reference_test",
             "kernel_check", "torshc"]
SANITIZED_TESTS = (r"^(runtime\.[A-Za-z0-9]+|onnx_reader|fuzz_onnx_reader|torch_reader|fuzz_torch_[a-z]+|dialect|"
                   r"reference|kernels)$")


def sanitizer_stages():
    options = {
        "ASAN_OPTIONS": "abort_on_error=0:detect_stack_use_after_return=1:strict_string_checks=1:"
                        "allocator_may_return_null=1:allow_user_poisoning=0:detect_container_overflow=0",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
        "LSAN_OPTIONS": f"suppressions={ROOT}/scripts/lsan.supp:print_suppressions=0",
        "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
        "TORSH_BUILD": f"{ROOT}/build-asan",
    }
    # What reads foreign bytes or computes, as far as it builds in the time of a CI run: not all of the compiler once more.
    stages = [Stage("build-asan", ["scripts/build.sh", "asan", *SANITIZED], count_one, 40),
              ctest_stage("ctest-asan", "build-asan", 20, options, "build-asan", SANITIZED_TESTS)]
    # The trained models and bad models, from the file to the numbers, under the address sanitizer.
    compiler = "build-asan/bin/torshc"
    stages += [Stage("models-asan", [*HARNESS, "--quick", "--torshc", compiler, "--via", "cli"], count_summary, 15, "",
                     options, "build-asan"),
               Stage("bad-inputs-asan", [PYTHON, "test/models/bad_inputs.py", "--torshc", compiler], count_summary, 15, "",
                     options, "build-asan")]
    stages += [Stage("build-tsan", ["scripts/build.sh", "tsan"], count_one, 20),
               ctest_stage("ctest-tsan", "build-tsan", 15, options, "build-tsan")]
    return stages


# --- Running ----------------------------------------------------------------------------------------------------------


def run(stage):
    """Runs a stage's command, shows and keeps what it prints, and returns its Count."""
    folder = os.path.join(ROOT, "build/results/logs")
    os.makedirs(folder, exist_ok=True)
    if stage.report:
        os.makedirs(os.path.dirname(stage.report), exist_ok=True)
        if os.path.exists(stage.report):
            os.remove(stage.report)
    path = os.path.join(folder, stage.name + ".log")
    with open(path, "wb") as log:
        try:
            process = subprocess.Popen(stage.command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, env={**os.environ, **stage.environment},
                                       start_new_session=True)
        except OSError as error:
            return Count(0, 1, [], [f"cannot start {stage.command[0]}: {error.strerror}"])
        RUNNING[:] = [process]
        late = Watch(process, stage.minutes * 60)
        for line in process.stdout:
            log.write(line)
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
        status = process.wait()
        late.cancel()
    with open(path, encoding="utf-8", errors="replace") as log:
        text = log.read()
    return judge(stage, status, text, late.fired)


def judge(stage, status, text, late):
    """The count of a finished stage. A tool that fails must not look like success."""
    try:
        count = stage.count(text, stage.report)
    except (OSError, ValueError, KeyError, xml.etree.ElementTree.ParseError) as error:
        count = Count(0, 1, [], [f"its report cannot be read: {error}"])
    if count is None:
        count = Count(1, 0) if status == 0 else Count(0, 1, [], [f"exit status {status}"])
    if late:
        count.failed += 1
        count.failures.append(f"stopped after {stage.minutes:g} minutes")
    elif status != 0 and count.failed == 0:
        count.failed += 1
        count.failures.append(f"exit status {status} without a failed test")
    elif count.passed + count.failed == 0:
        count.failed += 1
        count.failures.append("it ran no test")
    return count


RUNNING = []  # the process of the stage at work


def end_group(processes):
    """Ends each process and its children."""
    for process in processes:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Watch:
    """Ends a process and its children after some seconds."""

    def __init__(self, process, seconds):
        self.process, self.fired = process, False
        self.timer = threading.Timer(seconds, self.fire)
        self.timer.daemon = True
        self.timer.start()

    def fire(self):
        self.fired = True
        end_group([self.process])

    def cancel(self):
        self.timer.cancel()


def main():
    parser = argparse.ArgumentParser(description=__doc__, prog="test.sh",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="leave out the generated models")
    parser.add_argument("--sanitize", action="store_true",
                        help="the sanitizer part instead: ASan+UBSan in build-asan, TSan of the runtime in build-tsan")
    parser.add_argument("--stage", action="append", metavar="NAME", help="only this stage (and no build)")
    parser.add_argument("--list", action="store_true", help="print the stages and end")
    options = parser.parse_args()
    stages = sanitizer_stages() if options.sanitize else default_stages(options.quick)
    if options.list:
        print("\n".join(f"{s.name:<20}{' '.join(s.command)[:100]}" for s in stages))
        return 0
    if options.stage:
        unknown = set(options.stage) - {s.name for s in stages}
        if unknown:
            parser.error(f"no such stage: {', '.join(sorted(unknown))}; --list names them")
        stages = [s for s in stages if s.name in options.stage]
        for stage in stages:
            stage.needs = ""
    return run_all(stages, "sanitize" if options.sanitize else "tests")


def run_all(stages, title):
    rows, broken, ended = [], set(), []
    signal.signal(signal.SIGTERM, lambda *_: (ended.append(1), end_group(RUNNING)))
    for stage in stages:
        print(f"\n== {stage.name}", flush=True)
        start = time.monotonic()
        if ended or stage.needs in broken:
            why = "the run was ended from outside" if ended else f"{stage.needs} failed"
            count = Count(0, 1, [], [f"not run, because {why}"])
        else:
            count = run(stage)
        if count.failed and stage.name.startswith("build"):
            broken.add(stage.name)
        rows.append((stage.name, count, time.monotonic() - start))
    print(f"\n{'stage':<24}{'passed':>8}{'failed':>8}{'skipped':>8}{'seconds':>9}")
    for name, count, seconds in rows:
        print(f"{name:<24}{count.passed:>8}{count.failed:>8}{len(count.skipped):>8}{seconds:>9.1f}")
    for name, count, _ in rows:
        for skip in count.skipped:
            print(f"skipped in {name}: {skip}")
    for name, count, _ in rows:
        for failure in count.failures[:50]:
            print(f"failed in {name}: {failure}")
    passed = sum(count.passed for _, count, _ in rows)
    failed = sum(count.failed for _, count, _ in rows)
    with open(os.path.join(ROOT, f"build/results/{title}.json"), "w", encoding="utf-8") as f:
        json.dump({"passed": passed, "failed": failed,
                   "stages": [{"name": n, "passed": c.passed, "failed": c.failed, "skipped": c.skipped,
                               "failures": c.failures, "seconds": round(s, 1)} for n, c, s in rows]}, f, indent=1)
    print(f"{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
