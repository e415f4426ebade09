"""Runs the whole test suite of the onnx package through compiled code in three modes.

  given      the model as it is
  symbolic   every dim of every input a symbol of its own; the artifact runs the given sizes, then others
  constant   one input at a time an initializer; a case counts when all these forms pass

What is known to fail stands in expected/MODE.txt as `NAME STAGE REASON`. A case listed there that passes, or fails at
another stage, fails this test, and so does one that fails and is not listed.
"""

import argparse
import json
import os
import pickle
import re
import select
import subprocess
import sys
import threading
import time
from pathlib import Path

import cases as suite_cases

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
MODES = ("given", "symbolic", "constant")
SECONDS = 180


class Worker:
    """A process that answers jobs; it is started anew after a crash or when an answer takes too long."""

    def __init__(self, environment):
        self.environment = environment
        self.process = None

    def ask(self, job):
        if self.process is None:
            self.process = subprocess.Popen([sys.executable, HERE / "worker.py"], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=self.environment)
        process = self.process
        try:
            pickle.dump(job, process.stdin)
            process.stdin.flush()
            if select.select([process.stdout], [], [], SECONDS)[0]:
                return pickle.load(process.stdout)
            process.kill()
            answer = ("timeout", f"more than {SECONDS} s")
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            answer = ("crash", "")
        code = process.wait()
        self.process = None
        return (answer[0], answer[1] or f"the process that ran it ended with {code}")

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait()


def run_all(jobs, torshc, workers, package, progress):
    """(mode, name) -> (stage, note)."""
    answers, lock, queue = {}, threading.Lock(), list(reversed(jobs))

    def serve():
        worker = Worker(dict(os.environ, PYTHONPATH=f"{package}:{HERE}", OMP_NUM_THREADS="1"))
        while True:
            with lock:
                if not queue:
                    break
                mode, case = queue.pop()
            answer = worker.ask((str(torshc), mode, case))
            with lock:
                answers[mode, case.name] = answer
                if progress:
                    print(f"{mode:9} {case.name:70} {answer[0]:12} {answer[1]}", flush=True)
        worker.stop()

    threads = [threading.Thread(target=serve) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def read_expected(mode):
    path, expected = HERE / "expected" / f"{mode}.txt", {}
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(maxsplit=2)
        if len(words) < 3:
            sys.exit(f"{path}:{number}: NAME STAGE REASON is needed")
        expected[words[0]] = (words[1], words[2])
    return expected


def write_expected(mode, answers):
    """Lines for all that fails; reasons that stand there already are kept where the stage is the same."""
    known = read_expected(mode)
    lines = [f"# Cases of the onnx suite known to fail in the mode '{mode}': NAME STAGE REASON (suite.py).\n"]
    for name, (stage, note) in sorted(answers.items()):
        if stage != "passed":
            reason = known[name][1] if name in known and known[name][0] == stage else note
            lines.append(f"{name} {stage} {reason or '-'}\n")
    (HERE / "expected" / f"{mode}.txt").write_text("".join(lines))


def judge(mode, answers, whole):
    """What is not as expected.txt says."""
    expected, surprises = read_expected(mode), []
    for name, (stage, note) in answers.items():
        known = expected.get(name)
        if stage == "passed" and known:
            surprises.append(f"{mode}: {name} passes, but is listed as failing ({known[1]})")
        elif stage != "passed" and (not known or known[0] != stage):
            listed = f" (listed as {known[0]})" if known else ""
            surprises.append(f"{mode}: {name} fails{listed}: {stage}: {note}")
    if whole:
        surprises += [f"{mode}: {name} is listed as failing, but there is no such case"
                      for name in expected if name not in answers]
    return surprises


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torshc", type=Path, default=ROOT / "build/bin/torshc")
    parser.add_argument("--package", type=Path, default=ROOT / "build/python", help="the folder of the Python package")
    parser.add_argument("--modes", nargs="+", default=MODES, choices=MODES)
    parser.add_argument("--filter", help="a regular expression over KIND/NAME")
    parser.add_argument("--folder", type=Path, default=ROOT / "build/conformance", help="where cases and results go")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--update", action="store_true", help="write the lists of what is known to fail")
    parser.add_argument("-v", "--verbose", action="store_true", help="print each case")
    options = parser.parse_args()
    if not options.torshc.exists():
        sys.exit(f"{options.torshc} does not exist; build the target torshc first")
    started = time.time()
    cases = [case for case in suite_cases.load(options.folder) if re.search(options.filter or "", case.name)]
    jobs = [(mode, case) for mode in options.modes for case in cases]
    answers = run_all(jobs, options.torshc, options.jobs, options.package, options.verbose)

    surprises, passed = [], 0
    print(f"{'':11}" + "".join(f"{kind:>24}" for kind in suite_cases.KINDS) + f"{'all':>14}")
    table = {}
    for mode in options.modes:
        own = {name: answer for (m, name), answer in answers.items() if m == mode}
        cells = []
        for kind in (*suite_cases.KINDS, ""):
            of_kind = [answer for name, answer in own.items() if name.startswith(kind)]
            cells.append((sum(answer[0] == "passed" for answer in of_kind), len(of_kind)))
        table[mode] = dict(zip((*suite_cases.KINDS, "all"), cells))
        print(f"{mode:11}" + "".join(f"{f'{good} of {count}':>24}" for good, count in cells[:-1])
              + f"{f'{cells[-1][0]} of {cells[-1][1]}':>14}")
        passed += cells[-1][0]
        if options.update and not options.filter:
            write_expected(mode, own)
        surprises += judge(mode, own, not options.filter)
    two = sum(answer == ("passed", "two sizes") for (mode, _), answer in answers.items() if mode == "symbolic")
    if "symbolic" in options.modes:
        print(f"symbolic: {two} of the passed ran two sizes on one artifact")
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "results.json").write_text(json.dumps(
        {"table": table, "answers": [[mode, name, *answer] for (mode, name), answer in sorted(answers.items())]}, indent=1))
    for surprise in surprises:
        print(surprise)
    print(f"{time.time() - started:.0f} s")
    print(f"{passed} passed, {len(surprises)} failed")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
