"""From cells to what is claimed: the best peer of each cell, and means with intervals over classes and all."""

import math
import statistics

import numpy as np

from cases import CLASSES
from peers import OURS

BEST = "best peer"
ALL = "all"
LOSS = 0.97
PREVIOUS = "previous"  # an older build of ours: beside the peers, but not one


def best_peer(row):
    """The peer that is fastest against us, or None."""
    peers = {name: r for name, r in row["ratios"].items() if name != PREVIOUS}
    return min(peers, key=lambda name: peers[name]["ratio"], default=None)


def ratio_of(row, peer):
    """The ratio to a peer, or to the best one; None where there is none."""
    return row["ratios"].get(best_peer(row) if peer == BEST else peer)


def geometric_mean(values):
    return math.exp(statistics.mean(math.log(v) for v in values))


def mean_of(rows, peer, draws=2000):
    """The geometric mean over models of the ratio to `peer`, with a 95 % interval: rounds drawn anew within each model.
    None without a row."""
    ratios = [r for r in (ratio_of(row, peer) for row in rows) if r]
    if not ratios:
        return None
    rng = np.random.default_rng(0)
    logs = np.zeros(draws)
    for ratio in ratios:
        rounds = np.asarray(ratio["rounds"])
        logs += np.log(np.median(rng.choice(rounds, (draws, len(rounds))), axis=1))
    low, high = np.percentile(np.exp(logs / len(ratios)), [2.5, 97.5])
    return {"mean": geometric_mean([r["ratio"] for r in ratios]), "low": float(low), "high": float(high),
            "models": len(ratios)}


def settings_of(rows):
    """The pairs (batch, threads) that were measured, in order."""
    return sorted({(row["batch"], row["threads"]) for row in rows})


def means(rows, peers):
    """A list of means: for each setting, class (and all together), and peer (and the best one)."""
    result = []
    for batch, threads in settings_of(rows):
        here = [row for row in rows if (row["batch"], row["threads"]) == (batch, threads)]
        groups = [g for g in (*CLASSES, "other") if any(row["class"] == g for row in here)]
        for group in (*groups, ALL):
            members = here if group == ALL else [row for row in here if row["class"] == group]
            for peer in (BEST, *peers):
                mean = mean_of(members, peer)
                if mean:
                    result.append({"batch": batch, "threads": threads, "class": group, "peer": peer, **mean})
    return result


def losses(rows):
    """The cells whose whole interval against the best peer lies below LOSS."""
    return [row for row in rows if best_peer(row) and row["ratios"][best_peer(row)]["high"] < LOSS]


def conclude(report):
    """Adds to a report what follows from its rows."""
    report["means"] = means(report["rows"], [name for name in report["peers"] if name != OURS])
    report["losses"] = [{key: row[key] for key in ("model", "batch", "threads")} for row in losses(report["rows"])]


def below_floor(report, floor_mean, floor_each):
    """Sentences about what is below the floors that were asked for."""
    low = []
    for mean in report["means"]:
        if floor_mean and mean["peer"] == BEST and mean["class"] == ALL and mean["mean"] < floor_mean:
            low.append(f"geometric mean {mean['mean']:.2f} at batch {mean['batch']} with {mean['threads']} threads")
    for row in report["rows"]:
        ratio = ratio_of(row, BEST)
        if floor_each and ratio and ratio["ratio"] < floor_each:
            low.append(f"{row['model']} at batch {row['batch']} with {row['threads']} threads: {ratio['ratio']:.2f}")
    return low
