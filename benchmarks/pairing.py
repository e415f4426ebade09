"""Measures programs beside each other in interleaved rounds, so that what disturbs one disturbs all."""

import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
LEAST_SCALE = 1.9


class WorkerFailed(Exception):
    """A worker ended, hung, or said something else than was asked of it."""


class Worker:
    """A fresh process that runs one model on demand; hosts/host.c tells the protocol. `cold` is what it said of its
    start. `core`: the one processor it may use."""

    def __init__(self, command, environment=None, core=None, patience=900.0):
        self.patience = patience
        self.buffer = b""
        self.said = tempfile.TemporaryFile()
        command = [str(c) for c in command]
        if core is not None:
            command = ["taskset", "-c", str(core), *command]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said,
                                        env=environment)
        try:
            self.cold = json.loads(self._line())
        except ValueError as error:
            self.close()
            raise WorkerFailed(f"began with something else than JSON: {error}") from None
        except WorkerFailed:
            self.close()
            raise

    def _reason(self):
        self.said.seek(0)
        lines = [line.strip() for line in self.said.read().decode(errors="replace").splitlines() if line.strip()]
        told = [line for line in lines if line.startswith(("refused: ", "error: "))]
        return (told or lines[-1:] or [f"ended with code {self.process.returncode}"])[-1][:400]

    def _line(self):
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.process.stdout], [], [], self.patience)
            if not ready:
                self.process.kill()
                raise WorkerFailed(f"did not answer within {self.patience:g} s")
            piece = os.read(self.process.stdout.fileno(), 1 << 16)
            if not piece:
                self.process.wait()
                raise WorkerFailed(self._reason())
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line.decode().strip()

    def _tell(self, text):
        try:
            self.process.stdin.write(text.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self._line()

    def start(self, count):
        self._tell(f"run {count}")

    def finish(self):
        """The times of the runs begun by start(), in seconds."""
        line = self._line()
        try:
            return [int(word) * 1e-9 for word in line.split()]
        except ValueError:
            raise WorkerFailed(f"said '{line[:80]}' instead of times") from None

    def run(self, count):
        self.start(count)
        return self.finish()

    def dump(self):
        self._tell("dump")
        line = self._line()
        if line != "ok":
            raise WorkerFailed(f"said '{line[:80]}' instead of 'ok'")

    def close(self):
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.said.close()


class Calibration:
    """How well two processes run beside each other right now: 2.0 when neither disturbs the other."""

    def __init__(self):
        cores = sorted(os.sched_getaffinity(0))
        pins = [str(c) for c in cores[:2]] if len(cores) > 1 else ["any", "any"]
        self.workers = [Worker([sys.executable, HERE / "worker.py", "calibrate", pin]) for pin in pins]
        for worker in self.workers:
            worker.run(5)

    def scale(self, count=5):
        # The best of the runs alone: a disturbed one would make any round look as if it scaled.
        alone = statistics.mean(min(w.run(count)) for w in self.workers)
        for worker in self.workers:
            worker.start(count)
        together = statistics.mean(statistics.median(w.finish()) for w in self.workers)
        return 2 * alone / together

    def close(self):
        for worker in self.workers:
            worker.close()


@dataclass
class Round:
    """One undisturbed round: each worker's median time in seconds, and how well processes scaled around it."""

    times: dict
    scale: float


def runs_per_round(worker, seconds, least=9, most=200):
    """Warms a worker up and returns how many runs take about `seconds`; fewer where the sweep between runs would make
    that more than three times as long."""
    first = worker.run(1)[0]
    if first > seconds:
        return 1
    warm = max(1, min(20, int(0.5 * seconds / max(first, 1e-6))))
    start = time.monotonic()
    best = min(worker.run(warm))
    wall = (time.monotonic() - start) / warm
    return max(1, min(most, round(seconds / max(best, 1e-6)), max(least, round(3 * seconds / max(wall, 1e-6)))))


def slice_time(worker, count):
    """The median of some runs. Of three or more the first does not count: it wakes the worker's threads."""
    times = worker.run(count)
    return statistics.median(times[1:] if len(times) > 2 else times)


def measure_rounds(workers, rounds, seconds, calibration=None, least_scale=LEAST_SCALE, tries=12):
    """Runs `rounds` valid rounds over all `workers` (name to Worker), and returns (rounds, number discarded).

    With a calibration, a round counts only if two processes scaled by `least_scale` before and after it. The order
    rotates and turns round. Gives up after `tries` times as many rounds and returns those that were valid. A worker
    that fails raises WorkerFailed whose `worker` names it.
    """
    def guarded(name, call, *arguments):
        try:
            return call(workers[name], *arguments)
        except WorkerFailed as failure:
            failure.worker = name
            raise

    names = list(workers)
    counts = {name: guarded(name, runs_per_round, seconds) for name in names}
    valid, discarded = [], 0
    before = calibration.scale() if calibration else 2.0
    for index in range(rounds * tries):
        turn = index % len(names)
        order = names[turn:] + names[:turn]
        if index % 2:
            order.reverse()
        times = {name: guarded(name, slice_time, counts[name]) for name in order}
        after = calibration.scale() if calibration else 2.0
        scale = min(before, after)
        before = after
        if scale >= least_scale or not calibration:
            valid.append(Round(times, scale))
        else:
            discarded += 1
        if len(valid) == rounds:
            break
    return valid, discarded


def interval(values, level=0.95, draws=5000):
    """A bootstrap interval of the median."""
    rng = np.random.default_rng(0)
    picks = np.median(rng.choice(np.asarray(values), (draws, len(values))), axis=1)
    tail = (1 - level) / 2 * 100
    return float(np.percentile(picks, tail)), float(np.percentile(picks, 100 - tail))
