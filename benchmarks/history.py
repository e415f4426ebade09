"""Results by commit, and what got worse between two of them."""

import hashlib
import json
import platform
import re
import subprocess
import sys
from pathlib import Path

from peers import OURS
from ratios import PREVIOUS

# What does not vary between runs may grow by this much.
MEMORY_GROWTH, SIZE_GROWTH = 1.10, 1.05
MEMORY_SLACK_MIB = 2.0


def _git(root, *words):
    done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def commit_of(root):
    """The checked-out commit; with `-dirty` when tracked files differ from it."""
    commit = _git(root, "rev-parse", "HEAD") or "unknown"
    return commit + ("-dirty" if _git(root, "status", "--porcelain", "-uno") else "")


def same_code(root, old, new):
    """Whether what is measured did not change between two commits: only tests, documents and benchmarks did."""
    folders = ["artifact", "bindings", "cmake", "compiler", "dialects", "frontends", "include", "passes", "runtime", "tools"]
    old, new = (commit.removesuffix("-dirty") for commit in (old, new))
    return all(subprocess.run(["git", "-C", str(root), "diff", "--quiet", *span, "--", *folders],
                              stderr=subprocess.DEVNULL).returncode == 0 for span in ([old, new], ["HEAD"]))


def machine():
    """What identifies a machine: results of two machines are not compared."""
    info = {}
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        info.setdefault(key.strip(), value.strip())
    cpu = info.get("model name", platform.machine())
    features = " ".join(sorted(info.get("flags", "").split()))
    memory = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    cores = len([1 for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("processor")])
    identity = hashlib.sha256(f"{cpu}|{features}|{cores}".encode()).hexdigest()[:12]
    return {"cpu": cpu, "cores": cores, "memory_gib": round(int(memory.group(1)) / 2**20) if memory else 0,
            "kernel": platform.release(), "identity": identity}


def store(folder, report):
    """Keeps the cells of a report under its commit, beside those that an earlier run on this machine measured there.
    Short runs have a file of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{report['commit']}{'-quick' if report['settings']['quick'] else ''}.json"
    kept = dict(report)
    if path.exists():
        old = json.loads(path.read_text())
        if old["machine"]["identity"] == report["machine"]["identity"]:
            done = {_key(item) for kind in ("rows", "failures") for item in report[kind]}
            for kind in ("rows", "failures"):
                kept[kind] = [item for item in old[kind] if _key(item) not in done] + report[kind]
    path.write_text(json.dumps(kept))


def load(folder, revision, root):
    """The stored result of a revision; ends the program with a sentence when there is none."""
    commit = _git(root, "rev-parse", "--verify", "--quiet", revision + "^{commit}") or revision
    found = sorted(folder.glob(f"{commit}*.json"), key=lambda p: (len(p.name), p.name))
    if not found:
        sys.exit(f"There is no result of {revision} ({commit[:12]}) in {folder}: check that commit out, build it, and run "
                 "this comparison there with the same --history.")
    return json.loads(found[0].read_text())


def _key(row):
    return row["model"], row["batch"], row["threads"]


def _where(row):
    return f"{row['model']}, batch {row['batch']}, {row['threads']} thread{'s' if row['threads'] > 1 else ''}"


def regressions(old, new):
    """Sentences about each cell that got worse between two reports.

    Times of two runs are no pair, so each peer of the same version serves as the yardstick: a cell is slower when our
    ratio to every such peer fell, with intervals that do not overlap. Memory and size are compared as they are."""
    if old["machine"]["identity"] != new["machine"]["identity"]:
        sys.exit(f"The result of {old['commit'][:12]} is of another machine ({old['machine']['cpu']}, "
                 f"{old['machine']['cores']} cores): measure it again on this one.")
    steady = {name for name, peer in new["peers"].items()
              if name not in (OURS, PREVIOUS) and old["peers"].get(name, {}).get("version") == peer["version"]}
    before = {_key(row): row for row in old["rows"]}
    worse = []
    for row in new["rows"]:
        past = before.get(_key(row))
        if past is None:
            continue
        common = [n for n in row["ratios"] if n in steady and n in past["ratios"]]
        if common and all(row["ratios"][n]["high"] < past["ratios"][n]["low"] for n in common):
            told = ", ".join(f"{n} {past['ratios'][n]['ratio']:.2f} -> {row['ratios'][n]['ratio']:.2f}" for n in common)
            worse.append(f"{_where(row)}: slower against every peer ({told})")
        a, b = past["sides"][OURS], row["sides"][OURS]
        if b["run_mib"] > MEMORY_GROWTH * a["run_mib"] + MEMORY_SLACK_MIB:
            worse.append(f"{_where(row)}: memory of a run {a['run_mib']:.1f} -> {b['run_mib']:.1f} MiB")
        if b["shipped_bytes"] > SIZE_GROWTH * a["shipped_bytes"]:
            worse.append(f"{_where(row)}: artifact {a['shipped_bytes'] / 1e6:.1f} -> {b['shipped_bytes'] / 1e6:.1f} MB")
    now = {_key(row) for row in new["rows"]}
    failed = {(f["model"], f["batch"], f["threads"]) for f in new["failures"]}
    worse += [f"{_where(row)}: measured before, fails now" for key, row in before.items()
              if key not in now and key in failed]
    return worse


def slower_than_previous(rows):
    """Sentences about each cell in which the older build that ran in the same rounds was faster beyond noise."""
    return [f"{_where(row)}: the previous build takes {row['ratios'][PREVIOUS]['ratio']:.2f} of our time "
            f"({row['ratios'][PREVIOUS]['low']:.2f} to {row['ratios'][PREVIOUS]['high']:.2f})"
            for row in rows if PREVIOUS in row["ratios"] and row["ratios"][PREVIOUS]["high"] < 1.0]
