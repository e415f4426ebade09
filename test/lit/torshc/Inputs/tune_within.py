"""Runs a tuning command with a budget and says whether it ended in time: tune_within.py SECONDS COMMAND..."""

import subprocess
import sys
import time

seconds, command = float(sys.argv[1]), sys.argv[2:]
started = time.monotonic()
subprocess.run([*command, "--budget", f"{seconds}s"], check=True)
elapsed = time.monotonic() - started
assert elapsed <= 1.1 * seconds, f"it took {elapsed:.1f} s"
print("ended in time")
