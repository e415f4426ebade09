#!/usr/bin/env python3
"""What it could bring at most to leave out the barriers between kernels that split alike, and writes a table.

usage: barriers.py [--models DIR] [--build DIR] [--output FILE.md] [NAME...]

Counts the neighbouring kernels of a run that two threads shared, all of them: which pairs may go on without a barrier is a
further question. Each is taken for the whole cost of sharing (fork_join.c). Counts are medians of many runs,
times the shortest of them.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
MODELS = ["bert_base", "mobilenet_v2", "lenet", "lstm_bidirectional", "small_transformer"]


def command(arguments):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{arguments[0]} failed: {done.stderr.strip()}")
    return done.stdout


def cost_of_sharing(build, folder):
    """Nanoseconds, the median for two pieces of about two microseconds, and those of a word there and back."""
    program = Path(folder) / "fork_join"
    command(["cc", "-O2", f"-I{ROOT}", f"-I{ROOT / 'include'}", HERE / "fork_join.c", build / "lib/libtorsh_rt.a",
             "-ldl", "-lpthread", "-o", program])
    text = command([program])
    medians = {name.strip(): [] for name in ("the pool", "libgomp", "a word to the other core and back")}
    for line in text.splitlines():
        found = re.match(r"\s+(.*?)\s+p10\s+\S+\s+median\s+(\S+)", line)
        if found:
            medians[found[1]].append(float(found[2]))
    return medians["the pool"][2], medians["libgomp"][2:3], medians["a word to the other core and back"][0]


def measure(model, build, folder):
    trace = Path(folder) / "trace.json"
    command([build / "bin/torshc", "bench", model, "--threads", 2, "--seconds", 3, "--trace", trace])
    runs, kernels = {}, {}
    for event in json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]:
        if event["ph"] == "X":
            number = event["args"]["run"]
            if event["cat"] == "run":
                runs[number] = event["dur"]
            else:
                kernels.setdefault(number, []).append(event["args"]["threads"] > 1)
    whole = [n for n in runs if n in kernels]
    shared = statistics.median(sum(kernels[n]) for n in whole)
    pairs = statistics.median(sum(a and b for a, b in zip(kernels[n], kernels[n][1:])) for n in whole)
    return len(kernels[whole[-1]]), shared, pairs, min(runs[n] for n in whole)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", default=MODELS)
    parser.add_argument("--models", type=Path, default=ROOT / "build/models")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--output", type=Path, help="the table; default: standard output")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        cost, openmp, floor = cost_of_sharing(options.build, folder)
        lines = [f"Sharing a kernel costs {cost:.0f} ns here"
                 + (f" ({openmp[0]:.0f} ns with OpenMP)" if openmp else "")
                 + f"; a word to the other core and back takes {floor:.0f} ns.", "",
                 "| model | kernels | shared | pairs of shared neighbours | run, us | at most to win |",
                 "|---|---|---|---|---|---|"]
        for name in options.names:
            kernels, shared, pairs, time = measure(options.models / (name + ".onnx"), options.build, folder)
            lines.append(f"| {name} | {kernels} | {shared:g} | {pairs:g} | {time:.1f} | "
                         f"{pairs * cost * 1e-3 / time * 100:.2f} % |")
    text = "\n".join(lines) + "\n"
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
