#!/usr/bin/env python3
"""Repeats PyTorch's training steps (generate.py) with `torshc --train-step` in the reference evaluator, in f64.

  check.py [--data build/training] [--torshc build/bin/torshc] [--only NAME]... [--bound 1e-10]
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np


def _step(torshc, model, entry, folder, values):
    """One train step: the values of the inputs by name to those of the outputs."""
    inputs, outputs = folder / "in", folder / "out"
    inputs.mkdir(exist_ok=True)
    command = [str(torshc), "run", str(model), "--naive", "--train-step", f"--loss={entry['loss']}",
               f"--optimizer={entry['optimizer']}", *entry["flags"], "--output", str(outputs)]
    for index, (name, array) in enumerate(values.items()):
        path = inputs / f"{index}.npy"
        np.save(path, array)
        command += ["--input", f"{name}={path}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip() or f"exit status {done.returncode}")
    return {p.stem: np.load(p) for p in outputs.glob("*.npy")}


def _worst(actual, expected):
    if actual.shape != expected.shape:
        return float("inf")
    difference = np.max(np.abs(actual - expected)) / max(1, np.max(np.abs(expected)))
    return float("inf") if np.isnan(difference) else float(difference)


def _check(torshc, folder, entry):
    """The largest differences of losses and parameters after all steps."""
    arrays = dict(np.load(folder / "arrays.npz"))
    values = {name: arrays["initial." + name] for name in entry["parameters"]}
    for name in entry["parameters"]:
        values |= {f"{name}.{state}": np.zeros_like(values[name]) for state in entry["states"]}
    learned = list(values)
    values |= {"lr": np.float64(entry["lr"]), "x": arrays["x"], "labels": arrays["labels"]}
    losses = []
    with tempfile.TemporaryDirectory() as temporary:
        for step in range(1, entry["steps"] + 1):
            outputs = _step(torshc, folder / "model.onnx", entry, Path(temporary), values | {"step": np.int64(step)})
            losses.append(float(outputs.pop("loss")))
            if set(outputs) != set(learned):
                raise RuntimeError(f"the step updates {sorted(set(outputs) ^ set(learned))} or does not")
            values |= outputs
    return (_worst(np.array(losses), arrays["losses"]),
            max(_worst(values[name], arrays["final." + name]) for name in entry["parameters"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("build/training"))
    parser.add_argument("--torshc", type=Path, default=Path("build/bin/torshc"))
    parser.add_argument("--only", action="append", metavar="NAME")
    parser.add_argument("--bound", type=float, default=1e-10, help="of the largest value, or 1")
    arguments = parser.parse_args()
    entries = json.loads((arguments.data / "manifest.json").read_text())
    passed = failed = 0
    for name, entry in entries.items():
        if arguments.only and name not in arguments.only:
            continue
        try:
            loss, parameters = _check(arguments.torshc, arguments.data / name, entry)
            good = max(loss, parameters) <= arguments.bound
            line = f"{name}: {entry['steps']} steps of {entry['optimizer']}, losses differ by {loss:.1e}, " \
                   f"parameters by {parameters:.1e}"
        except RuntimeError as error:
            good, line = False, f"{name}: {error}"
        passed, failed = passed + good, failed + (not good)
        print(line if good else f"FAIL {line}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
