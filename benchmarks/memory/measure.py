#!/usr/bin/env python3
"""Measures the memory of runs in a plain C host, and writes a table.

usage: measure.py [--models DIR] [--build DIR] [--threads N] [--output FILE.md] [NAME...]

A run may take its weights, its arena, its inputs and outputs, and 10 MiB. Exit status 1 when one takes more.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
ALLOWED = 10 << 20


def command(arguments, what):
    done = subprocess.run([str(a) for a in arguments], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{what}: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'failed'}")
    return done.stdout


def measure(model, build, host, folder, threads):
    artifact = Path(folder) / (model.stem + ".so")
    command([build / "bin/torshc", "compile", model, "--target-cpu=host", "-o", artifact], model.stem)
    try:
        result = json.loads(command([host, artifact, threads], model.stem))
        metadata = json.loads(command([build / "bin/torshc", "inspect", artifact, "--json"], model.stem))
    finally:
        artifact.unlink()
    result["bound"] = metadata.get("arena_lower_bound")
    result["over"] = result["peak"] - sum(result[part] for part in ("weights", "arena", "inputs", "outputs"))
    return result


def mib(number):
    return "" if number is None else f"{number / (1 << 20):.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="models; default: all with fixed sizes")
    parser.add_argument("--models", type=Path, default=ROOT / "build/models", help="folder of .onnx files")
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, help="the table; default: standard output")
    options = parser.parse_args()
    models = [options.models / (name + ".onnx") for name in options.names]
    if not models:
        models = [m for m in sorted(options.models.glob("*.onnx"))
                  if not m.stem.endswith(("-sym", "-dynamo", "-external"))]
    if not models:
        sys.exit(f"There are no models in {options.models}; test/models/generate.py makes them.")
    rows, failures = [], []
    with tempfile.TemporaryDirectory() as folder:
        host = Path(folder) / "memory_host"
        command(["cc", "-O2", f"-I{ROOT / 'include'}", HERE / "memory_host.c", options.build / "lib/libtorsh_rt.a",
                 "-ldl", "-lpthread", "-o", host], "memory_host.c")
        for model in models:
            try:
                rows.append((model.stem, measure(model, options.build, host, folder, options.threads)))
                print(f"{model.stem}: {mib(rows[-1][1]['peak'])} MiB", file=sys.stderr)
            except RuntimeError as error:
                failures.append(str(error))
    lines = ["| model | weights | arena | least arena | inputs and outputs | peak of the process | beyond all these |",
             "|---|---|---|---|---|---|---|"]
    for name, row in rows:
        lines.append(f"| {name} | {mib(row['weights'])} | {mib(row['arena'])} | {mib(row['bound'])} | "
                     f"{mib(row['inputs'] + row['outputs'])} | {mib(row['peak'])} | {mib(row['over'])} |")
        if row["over"] > ALLOWED:
            failures.append(f"{name}: {mib(row['over'])} MiB more than its weights, arena, inputs and outputs")
    text = (f"MiB, {options.threads} threads, a C host that runs each model twice on zeros; the least arena is the most "
            "that is alive at one step.\n\n" + "\n".join(lines) + "\n")
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")
    for failure in failures:
        print("error: " + failure, file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
