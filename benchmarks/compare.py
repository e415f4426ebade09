#!/usr/bin/env python3
"""Compares artifacts with ONNX Runtime: f32, batch 1, static shapes, one thread and two.

Each side runs in a fresh process of its own with preallocated outputs. Rounds are paired and interleaved;
the figure of a model is the median over rounds of (ONNX Runtime's time / our time) with a 95 % bootstrap
interval. A round with two threads counts only if a calibration kernel scales well before and after it.
Above 1 we are faster.

  compare.py [--quick] [--only NAME]... [--threads 1 --threads 2] [--floor-mean 0.8 --floor-each 0.5]
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from pairing import Calibration, Worker, WorkerFailed, interval, paired_rounds

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SMALL_SECONDS = 1e-3
AGREEMENT = 1e-3


def build_host(arguments):
    """Compiles bench_host.c against the runtime."""
    runtime = arguments.runtime
    if runtime is None:
        found = sorted(arguments.build.rglob("libtorsh_rt.a"))
        if not found:
            sys.exit(f"There is no libtorsh_rt.a under {arguments.build}: build the project first, or give --runtime.")
        runtime = found[0]
    host = arguments.work / "bench_host"
    command = [os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-I", ROOT / "include",
               HERE / "bench_host.c", runtime, "-ldl", "-lpthread", "-lm", "-o", host]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"Cannot compile bench_host.c:\n{done.stderr}")
    return host


def compile_model(arguments, entry):
    """Returns (artifact, seconds); raises WorkerFailed with the compiler's words."""
    artifact = arguments.work / f"{entry['name']}.so"
    started = time.perf_counter()
    done = subprocess.run([str(arguments.torshc), str(entry["path"]), "-o", str(artifact)],
                          capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise WorkerFailed(f"does not compile: {lines[0] if lines else f'code {done.returncode}'}")
    return artifact, time.perf_counter() - started


def our_worker(arguments, entry, host, artifact, threads, python):
    target = arguments.work / ("ours.npy" if python else "ours.bin")
    if python:
        environment = dict(os.environ, PYTHONPATH=str(arguments.package))
        return Worker([sys.executable, HERE / "worker.py", "torsh", artifact, threads, arguments.sweep, target,
                       *entry["files"]], environment)
    raw = []
    for index, file in enumerate(entry["files"]):
        array = np.load(file)
        path = arguments.work / f"input{index}.bin"
        path.write_bytes(np.ascontiguousarray(array).tobytes())
        raw.append(f"{path}:{','.join(map(str, array.shape))}")
    return Worker([host, artifact, threads, arguments.sweep, target, *raw])


def check_agreement(arguments, ours, theirs, python):
    """A fast wrong answer is no answer: the first outputs have to be roughly equal."""
    theirs.dump()
    ours.dump()
    right = np.load(arguments.work / "theirs.npy")
    if python:
        value = np.load(arguments.work / "ours.npy")
    else:
        value = np.fromfile(arguments.work / "ours.bin", dtype=right.dtype)
    if value.size != right.size:
        raise WorkerFailed(f"gives {value.size} numbers instead of {right.size}")
    error = float(np.abs(value.reshape(right.shape).astype(np.float64) - right).max() / (np.abs(right).max() or 1))
    if not error <= AGREEMENT:
        raise WorkerFailed(f"gives other numbers than ONNX Runtime (error {error:.1e})")


def measure(arguments, entry, host, artifact, threads, calibration):
    theirs = Worker([sys.executable, HERE / "worker.py", "ort", entry["path"], threads, arguments.sweep,
                     arguments.work / "theirs.npy", *entry["files"]])
    ours = None
    try:
        # Where Python's own cost would show, both sides are driven from Python.
        python = arguments.host == "python" or (
            arguments.host == "auto" and statistics.median(theirs.run(9)[2:]) < SMALL_SECONDS)
        ours = our_worker(arguments, entry, host, artifact, threads, python)
        ours.run(1)
        theirs.run(1)
        check_agreement(arguments, ours, theirs, python)
        rounds, discarded = paired_rounds(ours, theirs, arguments.rounds, arguments.seconds,
                                          calibration if threads > 1 else None, arguments.least_scale)
    finally:
        for worker in (ours, theirs):
            if worker:
                worker.close()
    if len(rounds) < arguments.rounds:
        raise WorkerFailed(f"only {len(rounds)} of {arguments.rounds} rounds were undisturbed "
                           f"(calibration below {arguments.least_scale})")
    ratios = [theirs_time / ours_time for ours_time, theirs_time, _ in rounds]
    low, high = interval(ratios)
    return {"model": entry["name"], "threads": threads, "ratio": statistics.median(ratios), "low": low, "high": high,
            "ours_ms": 1e3 * statistics.median(r[0] for r in rounds),
            "ort_ms": 1e3 * statistics.median(r[1] for r in rounds),
            "rounds": len(rounds), "discarded": discarded, "host": "python" if python else "c",
            "scale": min(r[2] for r in rounds), "ratios": [round(r, 4) for r in ratios]}


def collect(arguments):
    manifest = arguments.models / "manifest.json"
    if not manifest.exists():
        sys.exit(f"{manifest} does not exist: run test/models/generate.py first.")
    entries = []
    for entry in json.loads(manifest.read_text())["entries"]:
        plain = not entry["symbolic"] and entry["name"] == entry["architecture"]
        wanted = entry["name"] in arguments.only if arguments.only else plain and (
            entry["quick"] or not arguments.quick)
        if wanted:
            entry["path"] = arguments.models / entry["file"]
            entry["files"] = [arguments.models / entry["cases"][0]["inputs"][name] for name in entry["inputs"]]
            entries.append(entry)
    missing = set(arguments.only or ()) - {e["name"] for e in entries}
    if missing or not entries:
        sys.exit(f"No such model in {manifest}: {', '.join(sorted(missing)) or 'none'}.")
    return entries


def geometric_mean(values):
    return math.exp(statistics.mean(math.log(v) for v in values))


def cpu_name():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


def markdown(report):
    lines = [f"{report['cpu']}; ONNX Runtime {report['onnxruntime']}; f32, batch 1; ratio = ONNX Runtime's time / ours, "
             f"median of {report['rounds']} paired rounds with its 95 % interval.", "",
             "| model | threads | ours ms | ONNX Runtime ms | ratio | interval | compile s |", "|---|---|---|---|---|---|---|"]
    for row in report["rows"]:
        lines.append(f"| {row['model']} | {row['threads']} | {row['ours_ms']:.3f} | {row['ort_ms']:.3f} "
                     f"| {row['ratio']:.2f} | {row['low']:.2f} to {row['high']:.2f} | {row['compile_s']:.1f} |")
    lines.append("")
    for threads, mean in report["geometric_mean"].items():
        lines.append(f"Geometric mean with {threads} thread{'s' if int(threads) > 1 else ''}: {mean:.2f}")
    lines += [f"Not measured: {f['model']}, {f['threads']} threads: {f['why']}" for f in report["failures"]]
    return "\n".join(lines) + "\n"


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--models", type=Path, help="what test/models/generate.py made (default BUILD/models)")
    parser.add_argument("--torshc", type=Path, help="default BUILD/bin/torshc")
    parser.add_argument("--package", type=Path, help="the Python package's folder (default BUILD/python)")
    parser.add_argument("--runtime", type=Path, help="libtorsh_rt.a (default: found under BUILD)")
    parser.add_argument("--work", type=Path, help="where artifacts go (default BUILD/benchmark)")
    parser.add_argument("--report", type=Path, help="written as .json and .md (default BUILD/benchmark/report)")
    parser.add_argument("--only", action="append", metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="the small models, short rounds")
    parser.add_argument("--threads", action="append", type=int, help="may be repeated (default 1 and 2)")
    parser.add_argument("--rounds", type=int, default=9, help="valid rounds wanted")
    parser.add_argument("--seconds", type=float, help="length of one side of a round (default 0.4)")
    parser.add_argument("--least-scale", type=float, default=1.9, help="calibration that a two-thread round needs")
    parser.add_argument("--sweep", type=int, default=32, help="MiB of other memory written before each run")
    parser.add_argument("--host", choices=("auto", "c", "python"), default="auto",
                        help="what drives our side; auto: Python below 1 ms, as for ONNX Runtime, else C")
    parser.add_argument("--keep", action="store_true", help="use artifacts of an earlier call, and keep them")
    parser.add_argument("--floor-mean", type=float, help="fail when a geometric mean is below this")
    parser.add_argument("--floor-each", type=float, help="fail when a model's ratio is below this")
    arguments = parser.parse_args()
    arguments.models = (arguments.models or arguments.build / "models").resolve()
    arguments.torshc = arguments.torshc or arguments.build / "bin/torshc"
    arguments.package = arguments.package or arguments.build / "python"
    arguments.work = (arguments.work or arguments.build / "benchmark").resolve()
    arguments.report = arguments.report or arguments.work / "report"
    arguments.seconds = arguments.seconds or (0.1 if arguments.quick else 0.4)
    arguments.threads = arguments.threads or [1, 2]
    return arguments


def main():
    arguments = parse()
    import onnxruntime

    entries = collect(arguments)
    arguments.work.mkdir(parents=True, exist_ok=True)
    host = build_host(arguments) if arguments.host != "python" else None
    calibration = Calibration() if max(arguments.threads) > 1 else None
    rows, failures = [], []
    for entry in entries:
        artifact = arguments.work / f"{entry['name']}.so"
        seconds = 0.0
        for threads in arguments.threads:
            try:
                if threads == arguments.threads[0] and not (arguments.keep and artifact.exists()):
                    artifact, seconds = compile_model(arguments, entry)
                row = measure(arguments, entry, host, artifact, threads, calibration)
                row["compile_s"] = seconds
                rows.append(row)
                print(f"{row['model']}, {threads} threads: {row['ratio']:.2f} ({row['low']:.2f} to {row['high']:.2f}), "
                      f"ours {row['ours_ms']:.3f} ms, ONNX Runtime {row['ort_ms']:.3f} ms", flush=True)
            except WorkerFailed as failure:
                failures.append({"model": entry["name"], "threads": threads, "why": str(failure)})
                print(f"{entry['name']}, {threads} threads: {failure}", flush=True)
                if not artifact.exists():
                    break
        if not arguments.keep:
            artifact.unlink(missing_ok=True)
    if calibration:
        calibration.close()
    means = {str(t): geometric_mean([r["ratio"] for r in rows if r["threads"] == t])
             for t in arguments.threads if any(r["threads"] == t for r in rows)}
    report = {"cpu": cpu_name(), "onnxruntime": onnxruntime.__version__, "rounds": arguments.rounds,
              "sweep_mib": arguments.sweep, "least_scale": arguments.least_scale, "rows": rows,
              "geometric_mean": means, "failures": failures}
    arguments.report.parent.mkdir(parents=True, exist_ok=True)
    arguments.report.with_suffix(".json").write_text(json.dumps(report, indent=1))
    arguments.report.with_suffix(".md").write_text(markdown(report))
    print("\n" + markdown(report))
    low = [f"geometric mean {m:.2f} with {t} threads" for t, m in means.items()
           if arguments.floor_mean and m < arguments.floor_mean]
    low += [f"{r['model']} with {r['threads']} threads: {r['ratio']:.2f}" for r in rows
            if arguments.floor_each and r["ratio"] < arguments.floor_each]
    if low:
        print("Below the floor: " + "; ".join(low))
    return 1 if failures or low or not rows else 0


if __name__ == "__main__":
    sys.exit(main())
