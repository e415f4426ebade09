"""Measures two programs against each other in paired, interleaved rounds."""

import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent


class WorkerFailed(Exception):
    """A worker ended or said something else than times."""


class Worker:
    """A fresh process that runs one model on demand."""

    def __init__(self, command, environment=None):
        self.process = subprocess.Popen([str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=environment)
        self._expect("ready")

    def _line(self):
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            said = self.process.stderr.read().strip().splitlines()
            raise WorkerFailed(said[-1] if said else f"ended with code {self.process.returncode}")
        return line.strip()

    def _expect(self, word):
        line = self._line()
        if line != word:
            raise WorkerFailed(f"said '{line[:80]}' instead of '{word}'")

    def _tell(self, text):
        try:
            self.process.stdin.write(text + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            self._line()

    def start(self, count):
        self._tell(f"run {count}")

    def finish(self):
        """The times of the runs begun by start(), in seconds."""
        return [int(word) * 1e-9 for word in self._line().split()]

    def run(self, count):
        self.start(count)
        return self.finish()

    def dump(self):
        self._tell("dump")
        self._expect("ok")

    def close(self):
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            pipe.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


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


def runs_per_round(worker, seconds, most=200):
    """Warms a worker up and returns how many runs take about `seconds`."""
    times = worker.run(3)
    warm = max(1, min(20, int(0.5 * seconds / max(min(times), 1e-6))))
    best = min(worker.run(warm))
    return max(1, min(most, round(seconds / max(best, 1e-6))))


def interval(ratios, level=0.95, draws=5000):
    """A bootstrap interval of the median."""
    rng = np.random.default_rng(0)
    picks = np.median(rng.choice(np.asarray(ratios), (draws, len(ratios))), axis=1)
    tail = (1 - level) / 2 * 100
    return float(np.percentile(picks, tail)), float(np.percentile(picks, 100 - tail))


def paired_rounds(ours, theirs, rounds, seconds, calibration=None, least_scale=1.9, tries=12):
    """Runs `rounds` valid rounds; each is (our time, their time, scale), the medians of its runs.

    With a calibration, a round counts only if two processes scaled by `least_scale` before and after it.
    Who begins alternates. Gives up after `tries` times as many rounds and returns those that were valid.
    """
    counts = {ours: runs_per_round(ours, seconds), theirs: runs_per_round(theirs, seconds)}
    valid, discarded = [], 0
    before = calibration.scale() if calibration else 2.0
    for index in range(rounds * tries):
        order = (ours, theirs) if index % 2 else (theirs, ours)
        times = {worker: statistics.median(worker.run(counts[worker])) for worker in order}
        after = calibration.scale() if calibration else 2.0
        scale = min(before, after)
        before = after
        if scale >= least_scale or not calibration:
            valid.append((times[ours], times[theirs], scale))
        else:
            discarded += 1
        if len(valid) == rounds:
            break
    return valid, discarded
