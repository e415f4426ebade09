#!/usr/bin/env python3
"""20 steps of Adam by compiled train steps against PyTorch: every loss and every parameter.

    agreement.py [--references build/training-steps] [--torshc build/bin/torshc] [--threads N] [NAME...]

The bound is on |difference| where PyTorch's own f32 differs from its f64 by far less. A second run from the saved state
of step 10 must end where the first one did, bit by bit; and a wrong learning rate must not pass.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BOUND = {32: 1e-4, 64: 1e-9}


class Check:
    """Counts and prints."""

    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, name, holds, text):
        self.passed += holds
        self.failed += not holds
        print(f"{'ok  ' if holds else 'FAIL'} {name}: {text}")


def steps(step, case, bits, first=0, last=None, scale=1.0):
    """Runs the batches from `first` on; returns the losses."""
    losses = []
    for x, labels in list(zip(case["x"], case["labels"]))[first:last]:
        x = x.astype(f"f{bits // 8}") if x.dtype.kind == "f" else x
        losses.append(step(x, labels, lr=float(case["rate"]) * scale))
    return np.array(losses, dtype=np.float64)


def worst(step, case, bits):
    """The largest difference of any parameter, and its name. ONNX may hold a weight transposed."""
    result = (0.0, "")
    for key in case.files:
        if not key.startswith(f"param{bits}/"):
            continue
        name = key.split("/", 1)[1]
        ours, theirs = step.parameters().get(name), case[key]
        if ours is None:
            return np.inf, f"{name} is no parameter of the step"
        result = max(result, (float(np.abs(ours - theirs).max()), name))
    return result


def check(torsh, torshc, folder, bits, threads, say, work):
    case = np.load(folder / "case.npz")
    artifact = Path(work) / f"{folder.name}{bits}.so"
    model = folder / ("model.onnx" if bits == 32 else "model64.onnx")
    done = subprocess.run([torshc, model, "--train-step", "--loss", "cross-entropy", "--optimizer", "adam",
                           "--target-cpu", "host", "-o", artifact], capture_output=True, text=True)
    title = f"{folder.name} f{bits}"
    if done.returncode:
        say(title, False, done.stderr.strip()[:600])
        return
    step = torsh.TrainStep(artifact, threads=threads)
    losses = steps(step, case, bits, 0, 10)
    saved = step.state_dict()
    losses = np.concatenate([losses, steps(step, case, bits, 10)])
    difference = float(np.abs(losses - case[f"losses{bits}"]).max())
    say(f"{title} losses", difference <= BOUND[bits], f"largest difference {difference:.1e} (bound {BOUND[bits]:g})")
    difference, name = worst(step, case, bits)
    say(f"{title} parameters", difference <= BOUND[bits], f"largest difference {difference:.1e} in {name}")
    ended = step.state_dict()
    step.load_state_dict(saved)
    again = steps(step, case, bits, 10)
    same = np.array_equal(again, losses[10:]) and all(np.array_equal(ended[k], v) for k, v in step.state_dict().items())
    say(f"{title} resumed", same, "a run from the state of step 10 ends the same" if same else "it ends elsewhere")
    step.reset()
    steps(step, case, bits, scale=1.5)
    difference, _ = worst(step, case, bits)
    say(f"{title} sees a wrong rate", difference > BOUND[bits], f"difference {difference:.1e} at 1.5 times the rate")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--references", type=Path, default=ROOT / "build/training-steps")
    parser.add_argument("--torshc", default=str(ROOT / "build/bin/torshc"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    sys.path.insert(0, os.environ.get("PYTHONPATH") or str(ROOT / "build/python"))
    import torsh

    say = Check()
    names = arguments.names or sorted(p.parent.name for p in arguments.references.glob("*/case.npz"))
    with tempfile.TemporaryDirectory(prefix="torsh-training-") as work:
        for name in names:
            for bits in (32, 64):
                check(torsh, arguments.torshc, arguments.references / name, bits, arguments.threads, say, work)
    print(f"{say.passed} passed, {say.failed} failed")
    return 1 if say.failed or not say.passed else 0


if __name__ == "__main__":
    sys.exit(main())
