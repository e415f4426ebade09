"""Requests under load: two workers of one thread each, Poisson arrivals at 70 % of the runtime's own capacity."""

import json
import os
import subprocess
import sys
from pathlib import Path

from pairing import WorkerFailed

HERE = Path(__file__).resolve().parent
WORKERS = 2
SHARE = 0.7


class Serving:
    """Measures the prepared sides of a case by load.py: those with a C host."""

    def __init__(self, work, seconds, rows):
        self.work, self.seconds, self.rows = work, seconds, rows

    def measure(self, case, prepared):
        for side, job in prepared.items():
            if not side.host:
                continue
            try:
                row = self._measure(side, job)
            except WorkerFailed as failure:
                print(f"{case.name}, {side.name} under load: {failure}", flush=True)
                row = {"why": str(failure)}
            self.rows.append({"model": case.name, "peer": side.name, **row})
            if "p99_ms" in row:
                print(f"{case.name}, {side.name} under load: {row['rate']:.1f} requests/s, p99 {row['p99_ms']:.2f} ms",
                      flush=True)

    def _measure(self, side, prepared):
        # A runtime that pins its threads would put both workers on one processor, so each worker gets its own.
        cores = sorted(os.sched_getaffinity(0))
        spec = self.work / "load.json"
        commands = [side.command(prepared, 1, False, 0) for _ in range(WORKERS)]
        spec.write_text(json.dumps({
            "commands": commands, "environment": side.environment(), "seconds": self.seconds, "share": SHARE,
            "cores": [cores[i % len(cores)] for i in range(WORKERS)], "logs": str(self.work)}))
        limit = 600 + 10 * self.seconds
        try:
            done = subprocess.run([sys.executable, str(HERE / "load.py"), str(spec)], capture_output=True, text=True,
                                  timeout=limit)
        except subprocess.TimeoutExpired:
            raise WorkerFailed(f"did not end within {limit:g} s") from None
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            raise WorkerFailed((lines or [f"load.py ended with code {done.returncode}"])[-1][:300])
        return json.loads(done.stdout.splitlines()[-1])
