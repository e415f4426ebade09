#!/usr/bin/env python3
"""Loop nests compiled by `torshc affine` against clang -O3 -march=native -ffast-math, without and with Polly.

Builds every kernel of kernels.h in each way, runs polyhedral_host.c on one processor, and prints for each kernel the
median CPU time of each variant, the median over the rounds of (faster rival / ours), and the geometric mean. A variant
whose results differ from the unoptimised C does not count, and a kernel that was not scheduled fails the comparison.

usage: benchmarks/polyhedral/compare.py [--rounds 9] [--json FILE] [KERNEL...]
"""

import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.normpath(os.path.join(HERE, "..", ".."))
CLANG = "clang-22"
FAST = ["-O3", "-march=native", "-ffast-math"]
VARIANTS = {"plain": ["-O1"], "clang": FAST,
            "polly": [*FAST, "-mllvm", "-polly", "-mllvm", "-polly-vectorizer=stripmine"]}
# Sums in another order; far below what a wrong schedule does.
TOLERANCE = 2e-5
MEAN_AT_LEAST, EACH_AT_LEAST = 1.2, 0.85


def kernel_names():
    with open(f"{HERE}/kernels.h", encoding="utf-8") as f:
        return re.findall(r"^KERNEL\((\w+),", f.read(), re.M)


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"error: '{' '.join(command)}' failed:\n{done.stderr.strip()}")
    return done


def build(torshc, folder):
    """Compiles every variant of every kernel and links the host. Returns the host and a note for each kernel."""
    objects, notes = [], {}
    for name in kernel_names():
        for variant, flags in VARIANTS.items():
            objects.append(f"{folder}/{name}_{variant}.o")
            run([CLANG, *flags, f"-DKERNEL_NAME={name}_{variant}", "-c", f"{HERE}/kernels/{name}.c", "-o", objects[-1]])
        objects.append(f"{folder}/{name}_ours.o")
        done = run([torshc, "affine", f"{HERE}/kernels/{name}.mlir", "--report", "-o", objects[-1]])
        notes[name] = re.sub(r"^.*?function '\w+'(:| keeps)", r"\1", done.stderr.strip()).lstrip(": ")
    host = f"{folder}/host"
    run([CLANG, "-O2", "-std=c11", f"-I{HERE}", f"{HERE}/polyhedral_host.c", *objects, "-lm", "-o", host])
    return host, notes


def summarise(row, note):
    """One kernel: medians in milliseconds and the ratio of the faster rival to ours."""
    rivals = {v: statistics.median(row[v]["nanoseconds"]) for v in ("clang", "polly") if row[v]["error"] <= TOLERANCE}
    faster = min(rivals, key=rivals.get)
    ratios = [a / b for a, b in zip(row[faster]["nanoseconds"], row["ours"]["nanoseconds"])]
    return {"kernel": row["kernel"], "rival": faster, "ratio": statistics.median(ratios), "lowest": min(ratios),
            "highest": max(ratios), "error": row["ours"]["error"], "note": note,
            "milliseconds": {v: statistics.median(row[v]["nanoseconds"]) / 1e6 for v in ("clang", "polly", "ours")},
            "excluded": [v for v in ("clang", "polly") if v not in rivals],
            "valid": row["ours"]["error"] <= TOLERANCE and not note.startswith("keeps")}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", nargs="*", choices=[[], *kernel_names()], metavar="KERNEL")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--torshc", default=f"{ROOT}/build/bin/torshc")
    parser.add_argument("--json", help="also write the result there")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        host, notes = build(options.torshc, folder)
        cpu = max(os.sched_getaffinity(0))
        done = run(["taskset", "-c", str(cpu), host, str(options.rounds), *options.kernels])
    rows = [summarise(json.loads(line), notes[json.loads(line)["kernel"]]) for line in done.stdout.splitlines()]
    print(f"{'kernel':<15}{'clang ms':>10}{'Polly ms':>10}{'ours ms':>10}  {'faster rival / ours':<26}{'error':>9}  schedule")
    for row in rows:
        times = "".join(f"{row['milliseconds'][v]:>10.2f}" for v in ("clang", "polly", "ours"))
        spread = f"{row['ratio']:.2f} ({row['lowest']:.2f} to {row['highest']:.2f}) {row['rival']}"
        print(f"{row['kernel']:<15}{times}  {spread:<26}{row['error']:>9.1e}  {row['note']}")
        for variant in row["excluded"]:
            print(f"  {variant} is wrong here and does not count")
    mean = math.exp(statistics.fmean(math.log(row["ratio"]) for row in rows))
    lowest = min(rows, key=lambda row: row["ratio"])
    print(f"geometric mean {mean:.2f} (goal {MEAN_AT_LEAST}), lowest {lowest['ratio']:.2f} in {lowest['kernel']} "
          f"(goal {EACH_AT_LEAST})")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump({"geometric_mean": mean, "kernels": rows}, f, indent=1)
    wrong = [row["kernel"] for row in rows if not row["valid"]]
    if wrong:
        print(f"not scheduled or wrong: {', '.join(wrong)}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
