"""One cell of the comparison: a model at one batch and one number of threads, over all runtimes."""

import statistics
import sys
from dataclasses import dataclass

from pairing import WorkerFailed, interval, measure_rounds
from peers import OURS

SMALL_SECONDS = 1e-3
PYTHON = " from Python"


@dataclass
class Settings:
    """How long and how often to measure."""

    rounds: int = 9
    seconds: float = 0.4
    starts: int = 3
    sweep: int = 32
    least_scale: float = 1.9
    host: str = "auto"
    tries: int = 12


def cold_figures(colds, seconds):
    """The medians over several starts of one runtime, in the units of the report."""
    def median(key, factor):
        return statistics.median(c[key] for c in colds) * factor

    before = statistics.median(c["before_kib"] for c in colds)
    return {"compile_s": seconds, "session_ms": median("load_ns", 1e-6), "first_ms": median("first_ns", 1e-6),
            "peak_mib": median("peak_kib", 2**-10) - before / 1024, "run_mib": median("run_kib", 2**-10) - before / 1024,
            "shipped_bytes": colds[0]["shipped"]}


class Cell:
    """Starts a worker for each runtime, rejects wrong answers, measures, and closes the workers."""

    def __init__(self, case, threads, settings, calibration):
        self.case, self.threads, self.settings = case, threads, settings
        self.calibration = calibration if threads > 1 else None
        self.workers, self.sides, self.failures = {}, {}, {}

    def reject(self, name, why):
        self.failures[name] = why
        worker = self.workers.pop(name, None)
        if worker:
            worker.close()
        self.sides.pop(name, None)

    def start(self, side, prepared, python=False):
        """Starts the runtime some times for its cold figures, keeps the last worker, and checks its answer."""
        name = side.name + (PYTHON if python and side.host else "")
        # What starts from Python may compile for minutes, and is compared by its speed rather than by its start.
        starts = self.settings.starts if side.host and not python and self.case.batch == 1 else 1
        colds = []
        try:
            for _ in range(starts):
                if name in self.workers:
                    self.workers.pop(name).close()
                self.workers[name] = side.start(prepared, self.threads, python, self.settings.sweep)
                colds.append(self.workers[name].cold)
            self.workers[name].run(1)
            answer = self.case.check(side.outputs(self.workers[name], self.case))
        except WorkerFailed as failure:
            self.reject(name, str(failure))
            return
        if not answer.counts:
            self.reject(name, f"a wrong or low-precision answer: {answer.reason}")
            return
        self.sides[name] = {"host": "python" if python or not side.host else "c", "error": answer.error,
                            "limit": answer.limit, "strict": answer.strict, **cold_figures(colds, prepared.seconds)}

    def rounds(self):
        """The valid rounds and the number discarded. A peer that fails on the way is left out."""
        while True:
            try:
                return measure_rounds(self.workers, self.settings.rounds, self.settings.seconds, self.calibration,
                                      self.settings.least_scale, self.settings.tries)
            except WorkerFailed as failure:
                self.reject(failure.worker, str(failure))
                if failure.worker in (OURS, OURS + PYTHON) or len(self.workers) < 2:
                    raise

    def run(self, prepared):
        """prepared: side to Prepared, ours first. Returns the row of the report."""
        try:
            return self._run(prepared)
        finally:
            for worker in self.workers.values():
                worker.close()

    def _run(self, prepared):
        python = self.settings.host == "python"
        for side, job in prepared.items():
            self.start(side, job, python)
        ours = next(side for side in prepared if side.name == OURS)
        if OURS not in self.sides:
            raise WorkerFailed(self.failures[OURS])
        # Where Python's own cost would show, a peer without a C host is compared with us from Python.
        if (self.settings.host == "auto" and statistics.median(self.workers[OURS].run(9)[2:]) < SMALL_SECONDS
                and any(s["host"] == "python" for s in self.sides.values())):
            self.start(ours, prepared[ours], True)
        if len(self.workers) < 2:
            raise WorkerFailed("no peer gives an answer that counts")
        rounds, discarded = self.rounds()
        if len(rounds) < self.settings.rounds:
            raise WorkerFailed(f"only {len(rounds)} of {self.settings.rounds} rounds were undisturbed "
                               f"(calibration below {self.settings.least_scale})")
        return make_row(self.case, self.threads, self.sides, rounds, discarded, self.failures)


def make_row(case, threads, sides, rounds, discarded, failures):
    """The figures of a cell: each runtime's time, and each peer's time over ours, round by round."""
    row = {"model": case.name, "class": case.group, "batch": case.batch, "threads": threads, "rounds": len(rounds),
           "discarded": discarded, "scale": min(r.scale for r in rounds), "failures": failures, "ratios": {},
           "sides": {name: {**side, "ms": 1e3 * statistics.median(r.times[name] for r in rounds)}
                     for name, side in sides.items()}}
    for name, side in sides.items():
        if name.removesuffix(PYTHON) == OURS:
            continue
        ours = OURS + PYTHON if side["host"] == "python" and OURS + PYTHON in sides else OURS
        ratios = [r.times[name] / r.times[ours] for r in rounds]
        low, high = interval(ratios)
        row["ratios"][name] = {"ratio": statistics.median(ratios), "low": low, "high": high,
                               "rounds": [round(r, 4) for r in ratios]}
    return row


def measure_case(case, sides, threads_list, settings, calibration, report, after=()):
    """All cells of one case; rows and failures go into `report`. `after`: what else is done with the prepared sides."""
    prepared, refused = {}, {}
    for side in sides:
        try:
            prepared[side] = side.prepare(case)
        except WorkerFailed as failure:
            refused[side.name] = str(failure)
    for threads in threads_list:
        cell = Cell(case, threads, settings, calibration)
        cell.failures.update(refused)
        try:
            if OURS in refused:
                raise WorkerFailed(refused[OURS])
            row = cell.run(prepared)
            report["rows"].append(row)
            print(describe(row), flush=True)
        except WorkerFailed as failure:
            report["failures"].append({"model": case.name, "batch": case.batch, "threads": threads,
                                       "why": str(failure)})
            print(f"{case.name}, batch {case.batch}, {threads} threads: {failure}", file=sys.stderr, flush=True)
        for name, why in cell.failures.items():
            report["not_counted"].append({"model": case.name, "batch": case.batch, "threads": threads, "peer": name,
                                          "why": why})
    for step in after:
        step(case, prepared)
    for side in sides:
        side.forget()
    for path in case.temporary:
        path.unlink(missing_ok=True)


def describe(row):
    parts = [f"{name} {r['ratio']:.2f} ({r['low']:.2f} to {r['high']:.2f})" for name, r in row["ratios"].items()]
    return (f"{row['model']}, batch {row['batch']}, {row['threads']} threads: ours {row['sides'][OURS]['ms']:.3f} ms; "
            f"{', '.join(parts)}" + (f"; not counted: {', '.join(row['failures'])}" if row["failures"] else ""))
