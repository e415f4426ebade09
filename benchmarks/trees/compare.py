#!/usr/bin/env python3
"""Tree ensembles compiled by torshc against ONNX Runtime and lleaves; see README.md.

usage: build/trees/bin/python benchmarks/trees/compare.py [--rounds 5] [--seconds 0.5] [--filter REGEX] [--write]

--write puts the table into benchmarks/trees/compare.md.
"""

import argparse
import datetime
import json
import math
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BATCHES, THREADS, FEATURES = (1, 100, 10000), (1, 2), 32


def train(kind):
    """(model of scikit-learn or LightGBM, rows to predict)."""
    import lightgbm
    from sklearn import datasets, ensemble

    x, y = datasets.make_regression(20000, FEATURES, n_informative=20, noise=20.0, random_state=0)
    x = x.astype(np.float32)
    if kind == "forest":
        # 500 trees of depth 8.
        fitted = ensemble.RandomForestRegressor(500, max_depth=8, n_jobs=2, random_state=0).fit(x[:6000], y[:6000])
    elif kind == "classes":
        fitted = ensemble.RandomForestClassifier(200, max_depth=8, n_jobs=2, random_state=0)
        fitted.fit(x[:6000], np.digitize(y[:6000], np.quantile(y, [0.2, 0.4, 0.6, 0.8])))
    else:
        leaves = int(kind.split()[-1])
        fitted = lightgbm.LGBMRegressor(n_estimators=500, num_leaves=leaves, verbose=-1, n_jobs=2).fit(x, y)
    return fitted, x[np.random.default_rng(1).permutation(len(x))]


def convert(kind, fitted, folder):
    """Files of the model for each side."""
    path = folder / "model.onnx"
    sides = {"onnxruntime": str(path), "torsh": str(folder / "model.so")}
    if kind.startswith("lightgbm"):
        import onnxmltools
        from onnxmltools.convert.common.data_types import FloatTensorType

        model = onnxmltools.convert_lightgbm(fitted, initial_types=[("x", FloatTensorType([None, FEATURES]))],
                                             target_opset=15)
        fitted.booster_.save_model(str(folder / "model.txt"))
        sides["lleaves"] = str(folder / "model.txt")
    else:
        from skl2onnx import to_onnx

        options = {id(fitted): {"zipmap": False}} if hasattr(fitted, "classes_") else None
        model = to_onnx(fitted, np.zeros((1, FEATURES), np.float32), options=options,
                        target_opset={"": 18, "ai.onnx.ml": 3})
    path.write_bytes(model.SerializeToString())
    started = time.perf_counter()
    subprocess.run([ROOT / "build/bin/torshc", path, "-o", sides["torsh"]], check=True)
    return sides, time.perf_counter() - started


def measure(side, model, rows, batch, threads, seconds):
    command = [sys.executable, HERE / "worker.py", side, model, rows, batch, threads, seconds]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: {side} failed: {done.stderr.strip()[-400:]}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(kind, sides, rows, options):
    """A line of the table for each batch and number of threads."""
    lines = []
    for batch in BATCHES:
        for threads in THREADS:
            taken = {side: [] for side in sides}
            for _ in range(options.rounds):
                for side, model in sides.items():
                    found = measure(side, model, rows, batch, threads, options.seconds)
                    taken[side].append(found["seconds"])
                    if not math.isclose(found["sum"], taken.setdefault("sum", found["sum"]), rel_tol=1e-4, abs_tol=1e-2):
                        sys.exit(f"error: {side} gives other results for {kind}")
            ours = taken["torsh"]
            ratios = {side: statistics.median(t / o for t, o in zip(taken[side], ours)) for side in sides
                      if side != "torsh"}
            lines.append((kind, batch, threads, statistics.median(ours), ratios))
            print(*lines[-1], flush=True)
    return lines


def table(lines, seconds):
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    yield "# Tree ensembles"
    yield ""
    yield (f"Written by benchmarks/trees/compare.py on {datetime.date.today()}, {processor[1] if processor else platform.machine()}. "
           "A ratio is the other side's time over ours: the median over rounds of fresh processes.")
    yield ""
    yield "| model | rows | threads | ours, microseconds | ONNX Runtime | lleaves |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for kind, batch, threads, ours, ratios in lines:
        cells = [f"{ratios[side]:.2f}" if side in ratios else "" for side in ("onnxruntime", "lleaves")]
        yield f"| {kind} | {batch} | {threads} | {ours * 1e6:.1f} | {cells[0]} | {cells[1]} |"
    yield ""
    yield "Time to compile: " + ", ".join(f"{kind} {value:.1f} s" for kind, value in seconds.items()) + "."


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--filter", default="", help="models whose name matches")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    lines, compiled = [], {}
    for kind in ("forest", "classes", "lightgbm 31", "lightgbm 255"):
        if not re.search(options.filter, kind):
            continue
        with tempfile.TemporaryDirectory() as folder:
            fitted, rows = train(kind)
            np.save(f"{folder}/rows.npy", rows)
            sides, compiled[kind] = convert(kind, fitted, Path(folder))
            lines += compare(kind, sides, f"{folder}/rows.npy", options)
    text = "\n".join(table(lines, compiled)) + "\n"
    print(text)
    if options.write:
        (HERE / "compare.md").write_text(text)


if __name__ == "__main__":
    main()
