"""Compiles a model with torshc and runs the artifact, through the Python package or the command line."""

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

COMPILE_SECONDS = 600
RUN_SECONDS = 300


@dataclass
class Step:
    """How one step went. `note` is the first line of what was said when it failed."""

    passed: bool
    seconds: float = 0.0
    note: str = ""
    outputs: list | None = None


def _first_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower() or "TSH-" in line]
    return (errors or lines[-1:] or ["it said nothing"])[0][:300]


def _call(command, seconds, environment=None):
    started = time.perf_counter()
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=seconds,
                              errors="replace", env=environment)
    except FileNotFoundError:
        return Step(False, 0.0, f"{command[0]} does not exist; build it first")
    except subprocess.TimeoutExpired:
        return Step(False, seconds, f"took more than {seconds} s")
    took = time.perf_counter() - started
    if done.returncode == 0:
        return Step(True, took)
    how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit code {done.returncode}"
    return Step(False, took, f"{how}: {_first_line(done.stderr or done.stdout)}")


def _type_flags(types):
    return [word for text in types for word in ("--input", text)]


class Toolchain:
    """The programs under test."""

    def __init__(self, torshc, package, threads, flags=()):
        self.torshc = Path(torshc)
        self.package = Path(package)
        self.threads = threads
        self.flags = list(flags)

    def check(self, model, types=()):
        """Whether the model can be imported, without generating code. `types` are those of a TorchScript model's inputs."""
        return _call([self.torshc, "check", model, *_type_flags(types)], COMPILE_SECONDS)

    def compile(self, model, artifact, types=()):
        return _call([self.torshc, model, "-o", artifact, *_type_flags(types), *self.flags], COMPILE_SECONDS)

    def run_cli(self, artifact, inputs, outputs):
        """Runs one case by `torshc run`."""
        with tempfile.TemporaryDirectory() as folder:
            command = [self.torshc, "run", artifact, "--output", folder]
            for name, file in inputs.items():
                command += ["--input", f"{name}={file}"]
            step = _call(command, RUN_SECONDS)
            if step.passed:
                missing = [o for o in outputs if not (Path(folder) / f"{o}.npy").exists()]
                if missing:
                    return Step(False, step.seconds, f"no file for the outputs {', '.join(missing)}")
                step.outputs = [np.load(Path(folder) / f"{o}.npy") for o in outputs]
            return step

    def run_package(self, artifact, inputs, outputs):
        """Runs one case by the Python package, in a process of its own: a crash is a result too."""
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "outputs.npz"
            environment = dict(os.environ, PYTHONPATH=f"{self.package}:{Path(__file__).parent}")
            command = [sys.executable, "-m", "run_artifact", artifact, self.threads, target, *inputs.values()]
            step = _call(command, RUN_SECONDS, environment)
            if step.passed:
                with np.load(target) as archive:
                    step.outputs = [archive[f"output{i}"] for i in range(len(archive.files) - 1)]
                    step.seconds = float(archive["seconds"])
                if len(step.outputs) != len(outputs):
                    return Step(False, step.seconds, f"{len(step.outputs)} outputs instead of {len(outputs)}")
            return step
