#!/usr/bin/env python3
"""What share of the time of models runs through `torsh-schedule-affine`, and what share could.

Profiles each artifact or model with `torshc bench --profile` and sums the time of its kernels by the strategy that built
them (the word behind the number in a kernel's name). Kernels that are loop nests over arrays and no contractions (pool,
resize, scan) could be affine functions; kernels built that way are of the strategy `affine`.

usage: benchmarks/polyhedral/model_share.py [--seconds 1] MODEL...
"""

import argparse
import collections
import json
import os
import subprocess
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
COULD = ("pool", "resize", "scan")


def profile(torshc, model, seconds):
    """Milliseconds by strategy."""
    done = subprocess.run([torshc, "bench", "--threads", "1", "--seconds", str(seconds), "--profile", "--json", model],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"error: {model} cannot be measured:\n{done.stderr.strip()}")
    times = collections.Counter()
    for launch in json.loads(done.stdout)["launches"]:
        times[launch["kernel"].split("_")[1]] += launch["ms"]
    return times


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--torshc", default=f"{ROOT}/build/bin/torshc")
    options = parser.parse_args()
    print(f"{'model':<28}{'affine':>9}{'could be':>10}  other strategies")
    for model in options.models:
        times = profile(options.torshc, model, options.seconds)
        total = sum(times.values()) or 1
        share = {name: 100 * ms / total for name, ms in times.items()}
        others = ", ".join(f"{name} {value:.1f} %" for name, value in sorted(share.items(), key=lambda s: -s[1])
                           if name not in COULD)
        could = sum(share.get(name, 0) for name in COULD)
        print(f"{os.path.basename(model):<28}{share.get('affine', 0):>7.1f} %{could:>8.1f} %  {others[:80]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
