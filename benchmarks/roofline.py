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


def share_of_roof(kernel):
    """How much of the time is what the machine's peak and bandwidth would need at least."""
    bound = max(kernel["flops"] / kernel["peak_flops"], kernel["bytes"] / kernel["peak_bandwidth"])
    return bound / (kernel["ms"] * 1e-3)


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
