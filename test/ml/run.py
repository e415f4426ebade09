#!/usr/bin/env python3
"""Compares compiled models of ai.onnx.ml with ONNX Runtime; see README.md.

usage: build/trees/bin/python test/ml/run.py [--ops | --models] [--filter REGEX] [-v]

Each case is compiled once, with the number of rows unknown, and run on all of its rows, on the first one and on none.
Labels must be equal; a score may differ by 1e-5 of the largest one (more for the models and the transform named below).
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "build/python"))

try:
    import lightgbm  # noqa: F401
    import numpy as np
    import onnxruntime
    import skl2onnx  # noqa: F401
except ImportError as missing:
    sys.exit(f"skipped: {missing}; install requirements/trees.txt into build/trees")

import torsh  # noqa: E402

TOLERANCE = 1e-5
# Differences of logarithms near the middle, in f32 on both sides.
PROBIT_TOLERANCE = 1e-3
# Determinants of covariances, kernels of raw features: both sides lose digits. Of the Gaussian process's results ONNX
# Runtime's own differ by 5e-4 from those of scikit-learn in f64.
LOOSE = {"quadratic discriminant 2": 1e-4, "quadratic discriminant 3": 1e-4, "mixture": 1e-4, "k means": 1e-4,
         "gaussian nb 2": 1e-4, "gaussian nb 3": 1e-4, "gaussian process regressor": 2e-3}


def difference(ours, theirs, tolerance):
    """What differs between two results, or an empty text."""
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return f"{ours.dtype}{list(ours.shape)} for {theirs.dtype}{list(theirs.shape)}"
    if ours.size == 0:
        return ""
    if ours.dtype.kind != "f":
        wrong = int((ours != theirs).sum())
        return f"{wrong} of {ours.size} labels differ" if wrong else ""
    finite = np.isfinite(theirs)
    if not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True):
        return "other infinities or NaN"
    scale = max(1e-30, float(np.abs(theirs[finite]).max(initial=0)))
    error = float(np.abs(ours[finite].astype(np.float64) - theirs[finite]).max(initial=0)) / scale
    return "" if error <= tolerance else f"an error of {error:.2g} of the largest value"


def examine(name, model, inputs, folder):
    """Why the case fails, or an empty text."""
    path, artifact = folder / "model.onnx", folder / "model.so"
    path.write_bytes(model.SerializeToString())
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    done = subprocess.run([str(ROOT / "build/bin/torshc"), str(path), "-o", str(artifact)], capture_output=True, text=True)
    if done.returncode:
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        return "does not compile: " + " ".join(lines[:3])[:400]
    module = torsh.load(str(artifact), threads=2)
    names = [i.name for i in session.get_inputs()]
    dynamic = [isinstance(i.shape[0], str) or i.shape[0] is None for i in session.get_inputs()]
    tolerance = LOOSE.get(name, PROBIT_TOLERANCE if "PROBIT" in name else TOLERANCE)
    for rows in (None, 1, 0):
        if rows is not None and not all(dynamic):
            break
        arrays = [x if rows is None else np.ascontiguousarray(x[:rows]) for x in inputs]
        if rows != 0:
            expected = session.run(None, dict(zip(names, arrays)))
        else:
            # ONNX Runtime ends the process on some ops of no rows.
            expected = [np.zeros((0, *e.shape[1:]), e.dtype) for e in expected]
        results = module(*arrays)
        results = list(results) if isinstance(results, (tuple, list)) else [results]
        for index, (ours, theirs) in enumerate(zip(results, expected)):
            if text := difference(np.asarray(ours), theirs, tolerance):
                return f"output {index} for {'all' if rows is None else rows} rows: {text}"
    return ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ops", action="store_true", help="single ops only")
    parser.add_argument("--models", action="store_true", help="trained models only")
    parser.add_argument("--filter", default="", help="cases whose name matches")
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    import op_cases
    import sklearn_cases

    passed = failed = 0
    for kind, cases in (("op", op_cases), ("model", sklearn_cases)):
        if (options.ops and kind == "model") or (options.models and kind == "op"):
            continue
        for name, model, inputs in cases.all_cases():
            if not re.search(options.filter, name):
                continue
            with tempfile.TemporaryDirectory() as folder:
                reason = examine(name, model, inputs, Path(folder))
            passed += not reason
            failed += bool(reason)
            if reason or options.verbose:
                print(f"{kind} {name}: {reason or 'passed'}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
