#!/usr/bin/env python3
"""Writes the measured figures into README.md, between `<!-- figures -->` and `<!-- /figures -->`.

Reads every build/results/*.json that has a "table": {"title": ..., "note": ..., "columns": [...], "rows": [[...]]}; the
benchmarks and the model harness write such files. Without one, README.md says so rather than showing old figures.
usage: scripts/update_readme.py [--check]      --check: change nothing, fail if README.md differs
"""

import glob
import json
import os
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
BEGIN, END = "<!-- figures -->", "<!-- /figures -->"


def cell(value):
    if isinstance(value, float):
        return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
    return str(value).replace("|", "\\|").replace("\n", " ")


def as_markdown(table):
    """One table of a result file. Numbers are right-aligned."""
    rows, columns = table["rows"], table["columns"]
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"'{table['title']}' has a row of {len(row)} cells and {len(columns)} columns")
    numeric = [all(isinstance(r[i], (int, float)) for r in rows) for i in range(len(columns))]
    lines = [f"**{table['title']}**", ""]
    lines.append("| " + " | ".join(cell(c) for c in columns) + " |")
    lines.append("|" + "|".join("---:" if n else "---" for n in numeric) + "|")
    lines += ["| " + " | ".join(cell(v) for v in row) + " |" for row in rows]
    if table.get("note"):
        lines += ["", table["note"]]
    return "\n".join(lines)


def figures(folder):
    parts = []
    for path in sorted(glob.glob(os.path.join(folder, "*.json"))):
        with open(path, encoding="utf-8") as f:
            result = json.load(f)
        if isinstance(result, dict) and result.get("table", {}).get("rows"):
            parts.append(as_markdown(result["table"]))
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
