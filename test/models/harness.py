#!/usr/bin/env python3
"""Compiles real models with torshc, runs them, and compares with PyTorch's or ONNX Runtime's numbers.

Reads what generate.py made (no PyTorch needed) and adds the trained models of PyPI packages. Each model
passes through four columns: import, compile, run, match. A model listed in expected_failures.txt has to
fail in just the column that is named there. The last line says how many passed.

  harness.py [--quick] [--models FOLDER [--only-manifest]] [--only NAME]... [--prove [--prove-layers N|all]] [--via package|cli] [--threads N]...
"""

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from agreement import ORT_FACTOR, Verdict, judge
from proof import prove
from runners import Toolchain
from trained import magika_entry

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
COLUMNS = ("import", "compile", "run", "match")


@dataclass
class Row:
    """One model's line of the table."""

    name: str
    columns: dict = field(default_factory=lambda: dict.fromkeys(COLUMNS, ""))
    error: float | None = None
    limit: float | None = None
    cases: int = 0
    compile_seconds: float | None = None
    run_ms: float | None = None
    size_mb: float | None = None
    note: str = ""
    verdict: str = ""

    def fail(self, column, note):
        self.columns[column] = "no"
        self.note = note

    def failed_column(self):
        return next((c for c in COLUMNS if self.columns[c] != "yes"), None)


def read_expected(path):
    """Lines `MODEL COLUMN reason`; # begins a comment."""
    expected = {}
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
        words = line.split("#")[0].split(None, 2)
        if not words:
            continue
        if len(words) < 3 or words[1] not in COLUMNS:
            sys.exit(f"{path}:{number}: a line is MODEL COLUMN REASON, with COLUMN one of {', '.join(COLUMNS)}.")
        expected[words[0]] = (words[1], words[2])
    return expected


def compare_case(entry, case, outputs, load, bound=None):
    """The verdict over all outputs of a case that comes nearest to failing. `bound` replaces the rule's limits."""
    worst = None
    for output, value in zip(entry["outputs"], outputs):
        name = output["name"]
        reference = load(case.get("reference64", case["reference"])[name])
        single = load(case["reference"][name])
        if value.dtype != single.dtype:
            return name, Verdict(False, float("inf"), 0.0, f"dtype {value.dtype} instead of {single.dtype}")
        known = bound / ORT_FACTOR if bound else case.get("ort_error", {}).get(name)
        verdict = judge(value, reference, known, output["slice_axis"], output["argmax"])
        if worst is None or (not verdict.agrees, verdict.error / (verdict.limit or 1)) > (
                not worst[1].agrees, worst[1].error / (worst[1].limit or 1)):
            worst = (name, verdict)
    return worst


def try_model(entry, cache, tools, artifacts, via, load, bound=None):
    row = Row(entry["name"])
    model = cache / entry["file"]
    artifact = artifacts / f"{entry['name']}.so"
    types = entry.get("types", ())
    step = tools.compile(model, artifact, types)
    if not step.passed:
        # Which of the first two columns failed: can the model be imported at all?
        checked = tools.check(model, types)
        if not checked.passed:
            row.fail("import", checked.note)
            return row
        row.columns["import"] = "yes"
        row.fail("compile", step.note)
        return row
    row.columns["import"] = row.columns["compile"] = "yes"
    row.compile_seconds = round(step.seconds, 2)
    row.size_mb = round(artifact.stat().st_size / 1e6, 1)
    run = tools.run_cli if via == "cli" else tools.run_package
    names = [o["name"] for o in entry["outputs"]]
    previous = []
    for case in entry["cases"]:
        files = {key: cache / file for key, file in case["inputs"].items()}
        # State: what the run before gave, as an input of this one.
        for key, output in case.get("chain", {}).items():
            files[key] = artifacts / f"{entry['name']}.state{names.index(output)}.npy"
            np.save(files[key], previous[names.index(output)])
        step = run(artifact, files, names)
        if not step.passed:
            row.fail("run", f"{case['name']}: {step.note}")
            return row
        row.columns["run"] = "yes"
        previous = step.outputs
        if row.run_ms is None:
            row.run_ms = round(step.seconds * 1e3, 3)
        name, verdict = compare_case(entry, case, step.outputs, load, bound)
        row.cases += 1
        if row.error is None or verdict.error / (verdict.limit or 1) > row.error / (row.limit or 1):
            row.error, row.limit = verdict.error, verdict.limit
        if not verdict.agrees:
            row.fail("match", f"{case['name']}, output {name}: {verdict.reason}")
            return row
    row.columns["match"] = "yes"
    return row


def settle(row, expected):
    """Decides whether a line counts as passed, in view of the expected failures."""
    failed = row.failed_column()
    if row.name in expected:
        column, reason = expected[row.name]
        if failed == column:
            row.verdict, row.note = "expected failure", f"{reason} ({row.note})"
        elif failed is None:
            row.verdict, row.note = "FAILED", f"passes although expected_failures.txt lists it: {reason}"
        else:
            row.verdict, row.note = "FAILED", f"expected to fail at {column}, failed at {failed}: {row.note}"
    else:
        row.verdict = "FAILED" if failed else "passed"
    return row


def number(value, form):
    return "" if value is None else format(value, form)


def table(rows):
    head = ("model", *COLUMNS, "cases", "error", "limit", "compile s", "run ms", "size MB", "note")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for row in rows:
        cells = (row.name, *(row.columns[c] or "-" for c in COLUMNS), str(row.cases), number(row.error, ".1e"),
                 number(row.limit, ".1e"), number(row.compile_seconds, ".1f"), number(row.run_ms, ".2f"),
                 number(row.size_mb, ".1f"), row.note.replace("|", "/"))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def run_proof(entries, cache, load, layers):
    passed = failed = 0
    for entry in entries:
        started = time.time()
        count = 0
        for what, right in prove(entry, cache / entry["file"], load, layers):
            count += 1
            if right:
                passed += 1
            else:
                failed += 1
                print(f"{entry['name']}: {what}: " + ("the outputs should agree" if what == "nothing"
                                                      else "the comparison did not notice"), flush=True)
        print(f"{entry['name']}: {count} checks in {time.time() - started:.1f} s", flush=True)
    return passed, failed


def run_models(entries, arguments, cache, load):
    expected = read_expected(arguments.expected)
    arguments.work.mkdir(parents=True, exist_ok=True)
    rows = []
    for threads in arguments.threads or [2]:
        tools = Toolchain(arguments.torshc, arguments.package, threads, arguments.flag or ())
        for entry in entries:
            row = settle(try_model(entry, cache, tools, arguments.work, arguments.via, load, arguments.bound),
                         expected)
            if len(arguments.threads or ()) > 1:
                row.name += f" ({threads} threads)"
            rows.append(row)
            print(f"{row.name}: {row.verdict}, " + " ".join(f"{c} {row.columns[c] or '-'}" for c in COLUMNS)
                  + (f", error {row.error:.1e}" if row.error is not None else "")
                  + (f", {row.note}" if row.note else ""), flush=True)
            if not arguments.keep:
                for left in arguments.work.glob(f"{entry['name']}.*"):
                    left.unlink()
    report = arguments.report
    report.parent.mkdir(parents=True, exist_ok=True)
    report.with_suffix(".json").write_text(json.dumps([asdict(r) for r in rows], indent=1))
    report.with_suffix(".md").write_text(table(rows) + "\n")
    print(f"\n{table(rows)}\n")
    failed = sum(r.verdict == "FAILED" for r in rows)
    return len(rows) - failed, failed


def collect(arguments, cache):
    entries = []
    manifest = cache / "manifest.json"
    if manifest.exists():
        entries = json.loads(manifest.read_text())["entries"]
    if not arguments.only_manifest:
        trained = magika_entry(cache)
        if trained is None:
            sys.exit("The magika package is missing: install requirements/run.txt.")
        entries.append(trained)
    if arguments.quick:
        entries = [e for e in entries if e["quick"]]
    if arguments.only:
        unknown = [n for n in arguments.only if not any(n in (e["name"], e["architecture"]) for e in entries)]
        if unknown:
            sys.exit(f"No model is called {', '.join(unknown)}. There are: {', '.join(e['name'] for e in entries)}."
                     + ("" if manifest.exists() else f" {manifest} does not exist: run generate.py first."))
        entries = [e for e in entries if e["name"] in arguments.only or e["architecture"] in arguments.only]
    return entries


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=Path, default=ROOT / "build/models", help="what generate.py made")
    parser.add_argument("--torshc", type=Path, default=ROOT / "build/bin/torshc")
    parser.add_argument("--package", type=Path, default=ROOT / "build/python", help="where the Python package lies")
    parser.add_argument("--work", type=Path, default=ROOT / "build/model-artifacts", help="where artifacts go")
    parser.add_argument("--report", type=Path, default=ROOT / "build/model-report", help="table, as .json and .md")
    parser.add_argument("--expected", type=Path, default=HERE / "expected_failures.txt")
    parser.add_argument("--quick", action="store_true", help="the small models and the trained ones")
    parser.add_argument("--only-manifest", action="store_true", help="leave out the trained models of packages")
    parser.add_argument("--only", action="append", metavar="NAME", help="a model or an architecture")
    parser.add_argument("--via", choices=("package", "cli"), default="package", help="how artifacts are run")
    parser.add_argument("--threads", action="append", type=int, help="threads of a run; may be repeated (default 2)")
    parser.add_argument("--flag", action="append", help="a further flag for torshc, for example --flag=-O0")
    parser.add_argument("--bound", type=float, metavar="ERROR",
                        help="what outputs may be off, in place of the rule's limits: for flags that round, like bf16")
    parser.add_argument("--keep", action="store_true", help="keep the artifacts")
    parser.add_argument("--prove", action="store_true", help="check the comparison itself, without torshc")
    parser.add_argument("--prove-layers", default="8", help="layers of a model to change: a number or 'all'")
    return parser.parse_args()


def main():
    arguments = parse()
    cache = arguments.models.resolve()

    def load(path):
        return np.load(cache / path)

    entries = collect(arguments, cache)
    if arguments.prove:
        layers = None if arguments.prove_layers == "all" else int(arguments.prove_layers)
        passed, failed = run_proof(entries, cache, load, layers)
    else:
        passed, failed = run_models(entries, arguments, cache, load)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
