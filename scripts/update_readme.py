#!/usr/bin/env python3
"""Writes the measured figures into README.md, between `<!-- figures -->` and `<!-- /figures -->`.

The tables are those that the model harness and the benchmarks wrote:

    build/venv/bin/python test/models/harness.py --report build/results/models
    build/venv/bin/python test/models/harness.py --report build/results/models-bf16 --bound 0.1 --flag=--precision=bf16
        --flag=--emulate-bf16-dot
    build/benchmark-venv/bin/python benchmarks/compare.py     (requirements/benchmark.txt)

A table that was not made is not there, and without any README.md says so rather than showing old figures.
usage: scripts/update_readme.py [--check]      --check: change nothing, fail if README.md differs
"""

import os
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"
TABLES = [("models.md", "Right answers: each model against PyTorch or ONNX Runtime on the same inputs"),
          ("models-bf16.md", "The same with `--precision=bf16 --emulate-bf16-dot`: what products of bf16 cost in accuracy "
           "(times are the emulation's)"),
          ("benchmark.md", "Speed: against other runtimes on the same machine")]


def figures(folder):
    parts = []
    for name, title in TABLES:
        path = os.path.join(folder, name)
        if not os.path.exists(path):
            continue
        with open(path, encoding="utf-8") as f:
            text = f.read().strip()
        if not any(line.startswith("|") for line in text.split("\n")):
            raise ValueError(f"{path} holds no table: make it again, as this script's head says")
        parts.append(f"**{title}**\n\n{text}")
    return "\n\n".join(parts) or "No figures have been measured with this version yet."


def with_figures(text, body):
    begin, end = text.find(BEGIN), text.find(END)
    if begin < 0 or end < begin:
        raise ValueError(f"README.md needs the lines {BEGIN} and {END}, in this order")
    return text[:begin + len(BEGIN)] + "\n" + body + "\n" + text[end:]


def main():
    path = os.path.join(ROOT, "README.md")
    with open(path, encoding="utf-8") as f:
        old = f.read()
    try:
        new = with_figures(old, figures(os.path.join(ROOT, "build/results")))
    except ValueError as error:
        sys.exit(f"error: {error}")
    if "--check" in sys.argv[1:]:
        sys.exit(0 if new == old else "error: README.md has other figures than build/results; run this without --check")
    with open(path, "w", encoding="utf-8") as f:
        f.write(new)


if __name__ == "__main__":
    main()
