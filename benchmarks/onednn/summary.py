"""From the times of a contraction to ratios, shares of the peak, and a model's sum."""

import statistics
from dataclasses import asdict, dataclass

from pairing import interval

# Sums in another order, of up to some thousand terms.
TOLERANCE = 2e-4
# A contraction of so many operations is a large one.
LARGE = 5e7
LOSS = 0.95


@dataclass
class Row:
    """A contraction measured. ratio: oneDNN's time / ours, above 1 where ours is faster."""

    name: str
    shape: str
    algorithm: str
    epilogue: str
    note: str
    rival: str
    remark: str
    times: int
    flops: int
    peak: float
    error: float
    ours_ns: list
    onednn_ns: list
    steps_ns: list  # of ours, where they are several kernels

    @classmethod
    def make(cls, contraction, line, note):
        remark = []
        if contraction.extra:
            remark.append(f"ours also does: {contraction.extra}")
        if not line["posts"]:
            remark.append("oneDNN without its post-ops")
        return cls(contraction.name, contraction.shape(), contraction.algorithm, contraction.epilogue(), note,
                   line["rival"], "; ".join(remark), contraction.times, contraction.flops, line["peak"], line["error"],
                   line["ours_ns"], line["onednn_ns"], line.get("steps_ns", []))

    @property
    def ours(self):
        return statistics.median(self.ours_ns)

    @property
    def onednn(self):
        return statistics.median(self.onednn_ns)

    @property
    def ratios(self):
        return [b / a for a, b in zip(self.ours_ns, self.onednn_ns, strict=True)]

    @property
    def ratio(self):
        return statistics.median(self.ratios)

    @property
    def range(self):
        return interval(self.ratios)

    @property
    def agrees(self):
        """Whether both compute the same; None where it is not known."""
        return None if self.error == -1 else self.error <= TOLERANCE

    @property
    def speeds(self):
        """(ours, oneDNN's) in operations a second in the best round: the peak is the best of its attempts, too."""
        return tuple(self.flops / min(times) * 1e9 for times in (self.ours_ns, self.onednn_ns))

    @property
    def lost(self):
        """What all calls together take longer than oneDNN's, in nanoseconds."""
        return self.times * (self.ours - self.onednn)


def best_peak(rows):
    return max(row.peak for row in rows)


def model_sum(rows):
    """All calls of all contractions, summed round by round, as far as both computed the same."""
    rows = [row for row in rows if row.agrees is not False]
    rounds = [(sum(r.times * a for r, a in zip(rows, ours)), sum(r.times * b for r, b in zip(rows, its)))
              for ours, its in zip(zip(*(r.ours_ns for r in rows)), zip(*(r.onednn_ns for r in rows)))]
    ratios = [b / a for a, b in rounds]
    low, high = interval(ratios)
    return {"ours_ms": statistics.median(a for a, _ in rounds) / 1e6,
            "onednn_ms": statistics.median(b for _, b in rounds) / 1e6,
            "ratio": statistics.median(ratios), "low": low, "high": high}


def line_of(row, peak):
    low, high = row.range
    share = [f"{speed / 1e9:7.1f} {100 * speed / peak:4.0f} %" for speed in row.speeds]
    steps = "ours in steps: " + "+".join(f"{ns / 1e3:.1f}" for ns in row.steps_ns) if row.steps_ns else ""
    remark = "".join(f"  [{r}]" for r in (row.remark, steps, "" if row.agrees is not False else f"DIFFERS by {row.error:.1e}") if r)
    return (f"{row.times:>3} {row.shape:<42}{row.epilogue:<22}{row.algorithm:<10}{row.ours / 1e3:9.1f}{share[0]:>15}"
            f"{share[1]:>15}  {row.ratio:.2f} ({low:.2f} to {high:.2f})  {row.rival}{remark}")


def print_tables(model, version, rows, skipped):
    """A model's lines, what takes the most time against oneDNN first."""
    print(f"\n{model}, against oneDNN {version}")
    print(f"{'':>3} {'contraction':<42}{'epilogue':<22}{'ours by':<10}{'us':>9}{'GFLOP/s':>10}{'peak':>5}"
          f"{'oneDNN':>10}{'peak':>5}  oneDNN / ours")
    if rows:
        peak = best_peak(rows)
        for row in sorted(rows, key=lambda r: -r.lost):
            print(line_of(row, peak))
        total = model_sum(rows)
        print(f"sum: {total['ours_ms']:.3f} ms, oneDNN {total['onednn_ms']:.3f} ms, ratio {total['ratio']:.2f} "
              f"({total['low']:.2f} to {total['high']:.2f}); the peak is {peak / 1e9:.1f} GFLOP/s")
        large = [r for r in rows if r.flops >= LARGE and r.algorithm != "Winograd"]
        if large:
            good = sum(r.speeds[0] >= 0.92 * peak for r in large)
            print(f"{good} of {len(large)} large shapes reach 92 % of the peak in their best round; "
                  f"{sum(r.range[1] < LOSS for r in rows)} of {len(rows)} contractions are surely below {LOSS} of oneDNN")
    for name, (reason, times) in skipped.items():
        print(f"not compared: {name} ({times} times): {reason}")
    print(end="", flush=True)


def losses(results):
    """(model, Row) of what is below LOSS of oneDNN by its median, the most time first."""
    found = [(model, row) for model, rows in results.items() for row in rows if row.agrees is not False and row.ratio < LOSS]
    return sorted(found, key=lambda item: -item[1].lost)


def print_losses(results):
    """Over all models: what to mend first."""
    found = losses(results)
    rows = sum(map(len, results.values()))
    print(f"\n{len(found)} of {rows} contractions are below {LOSS} of oneDNN; the time that all calls lose:")
    for model, row in found:
        low, high = row.range
        print(f"{row.lost / 1e3:8.0f} us  {model:<20}{row.times:>3} x {row.shape:<42}{row.epilogue:<18}"
              f"{row.ratio:.2f} ({low:.2f} to {high:.2f})")
    sums = {model: model_sum(rows)["ratio"] for model, rows in results.items() if rows}
    if sums:
        lowest = min(sums, key=sums.get)
        print(f"geometric mean of the models' sums {statistics.geometric_mean(sums.values()):.2f}, lowest {sums[lowest]:.2f} in {lowest}")


def to_json(results):
    return {model: {"sum": model_sum(rows) if rows else None,
                    "contractions": [{**asdict(r), "ratio": r.ratio, "interval": r.range} for r in rows]}
            for model, rows in results.items()}
