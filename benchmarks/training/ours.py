#!/usr/bin/env python3
"""The other side of compare.py: a compiled train step. Reads `run COUNT` lines, answers with the nanoseconds of each step.

    ours.py STEP.so CASE.npz THREADS
"""

import os
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, os.environ.get("TORSH_PYTHON", str(Path(__file__).resolve().parents[2] / "build/python")))

import torsh  # noqa: E402


def main():
    case = np.load(sys.argv[2])
    step = torsh.TrainStep(sys.argv[1], threads=int(sys.argv[3]))
    given, rate = list(zip(case["x"], case["labels"])), float(case["rate"])
    print("ready", step.module.build_id[:12], flush=True)
    done = 0
    for line in sys.stdin:
        times = []
        for _ in range(int(line.split()[1])):
            x, labels = given[done % len(given)]
            start = time.perf_counter_ns()
            step(x, labels, lr=rate)
            times.append(time.perf_counter_ns() - start)
            done += 1
        print(*times, flush=True)


if __name__ == "__main__":
    main()
