"""Runs one artifact on .npy files in a process of its own: ARTIFACT THREADS TARGET.npz INPUT.npy..."""

import sys
import time

import numpy as np

import torsh


def main():
    artifact, threads, target = sys.argv[1:4]
    arrays = [np.load(path) for path in sys.argv[4:]]
    module = torsh.load(artifact, threads=int(threads))
    first = [np.array(o) for o in module(*arrays)]
    started = time.perf_counter()
    second = module(*arrays)
    seconds = time.perf_counter() - started
    for a, b in zip(first, second):
        if not np.array_equal(a, b, equal_nan=a.dtype.kind == "f"):
            sys.exit("error: the second run gave other numbers than the first")
    np.savez(target, seconds=seconds, **{f"output{i}": o for i, o in enumerate(first)})


if __name__ == "__main__":
    main()
