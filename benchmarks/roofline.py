"""Profiles our kernels for the roofline plot, with the compiler's own `bench --profile`."""

import json
import subprocess

from peers import OURS

SECONDS = "0.5"
LIMIT = 300


def kernels_of(model, threads, profile):
    """The launches of a profile that took time, each with what the plot needs."""
    return [{"model": model, "threads": threads, "kernel": launch["kernel"], "ms": launch["ms"],
             "flops": launch["flops"], "bytes": launch["bytes"], "code": launch["code"],
             "peak_flops": launch["peak_flops"], "peak_bandwidth": launch["peak_bandwidth"],
             "nodes": launch["nodes"][:3]}
            for launch in profile["launches"] if launch["ms"] > 0 and launch["bytes"] > 0]


def least_ms(kernel):
    """The time that the machine's peak and bandwidth need at least, and no more than it took: caches may be quicker."""
    bound = max(kernel["flops"] / kernel["peak_flops"], kernel["bytes"] / kernel["peak_bandwidth"])
    return min(1e3 * bound, kernel["ms"])


def shares(kernels, worst=3):
    """For each model (name, ms of all kernels, share of it that the roof explains, the kernels that lose most)."""
    result = []
    for model in dict.fromkeys(k["model"] for k in kernels):
        members = [k for k in kernels if k["model"] == model]
        total = sum(k["ms"] for k in members)
        lost = {}  # a kernel of equal layers runs several times
        for k in members:
            lost[k["kernel"]] = lost.get(k["kernel"], 0.0) + k["ms"] - least_ms(k)
        result.append((model, total, sum(map(least_ms, members)) / total,
                       sorted(lost.items(), key=lambda item: -item[1])[:worst]))
    return result


def profile(arguments, case, prepared, kernels):
    """Appends our kernels of a case, at one thread. Says so on failure; the comparison goes on without them."""
    ours = next((p for side, p in prepared.items() if side.name == OURS), None)
    if ours is None:
        return
    command = [arguments.torshc, "bench", ours.job.artifact, "--profile", "--json", "--threads", "1", "--seconds", SECONDS]
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=LIMIT, check=True)
        kernels += kernels_of(case.name, 1, json.loads(done.stdout))
    except (subprocess.SubprocessError, ValueError) as error:
        print(f"{case.name}: no profile: {error}", flush=True)
