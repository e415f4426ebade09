"""Checks that a model gives the same numbers with and without a tuning database: same_numbers.py MODEL DATABASE."""

import os
import subprocess
import sys
import tempfile

import numpy

model, database = sys.argv[1:]
x = numpy.random.default_rng(3).standard_normal((37, 4)).astype(numpy.float32)
with tempfile.TemporaryDirectory() as folder:
    numpy.save(f"{folder}/x.npy", x)
    results = []
    for name in ("none", database):
        output = os.path.join(folder, "out")
        subprocess.run(["torshc", "run", model, "--tuning-db", name, "--input", f"x={folder}/x.npy",
                        "--output", output], check=True, stdout=subprocess.DEVNULL)
        results.append(numpy.load(f"{output}/y.npy"))
difference = numpy.abs(results[0] - results[1]).max()
assert difference <= 1e-6, f"the results differ by {difference}"
