#!/usr/bin/env python3
"""Generates the model tests: .onnx files of real architectures, inputs, and reference outputs from PyTorch.

Runs in an environment of its own (requirements/generate.txt), since PyTorch is large; what it makes is
read by harness.py without PyTorch. A model is made again only when what it depends on has changed.

  generate.py [--out build/models] [--only NAME]... [--quick] [--force] [--list]
"""

import argparse
import json
import sys
from pathlib import Path


def _kept(root, architecture, digest, force):
    """The manifest entries of files that need no new run, or None."""
    entries = []
    for export in architecture.exports:
        record = root / f"{architecture.name}{export.suffix}.json"
        if force or not record.exists():
            return None
        entry = json.loads(record.read_text())
        files = [entry["file"]] + [f for c in entry["cases"] for k in ("inputs", "reference", "reference64")
                                   for f in c[k].values()]
        if entry["recipe"] != digest or not all((root / f).exists() for f in files):
            return None
        entries.append(entry)
    return entries


def write_manifest(root):
    """manifest.json over all the entries that lie in `root`, and ops.txt, the op types of each model."""
    entries = [json.loads(p.read_text()) for p in sorted(root.glob("*.json")) if p.name != "manifest.json"]
    (root / "manifest.json").write_text(json.dumps({"format": 1, "entries": entries}, indent=1))
    total, lines = {}, []
    for entry in entries:
        opsets = ", ".join(f"{d} {v}" for d, v in entry["opsets"].items())
        lines.append(f"{entry['name']} (opset {opsets}{', functions' if entry['functions'] else ''}): "
                     + " ".join(f"{op}:{n}" for op, n in entry["ops"].items()))
        for op in entry["ops"]:
            total.setdefault(op, []).append(entry["name"])
    lines.append("")
    lines += [f"{op}: {len(names)} models" + (f" ({', '.join(names)})" if len(names) <= 4 else "")
              for op, names in sorted(total.items())]
    (root / "ops.txt").write_text("\n".join(lines) + "\n")
    return entries


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/models"), help="cache folder")
    parser.add_argument("--only", action="append", metavar="NAME", help="an architecture (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="the small models alone")
    parser.add_argument("--force", action="store_true", help="make models again that are up to date")
    parser.add_argument("--list", action="store_true", help="name the architectures and end")
    arguments = parser.parse_args()

    from architectures import load_all
    from exporting import make, recipe_hash

    chosen = [(t, a) for t, a in load_all()
              if (not arguments.only or a.name in arguments.only) and (not arguments.quick or a.quick)]
    if arguments.list:
        print("\n".join(a.name for _, a in chosen))
        return 0
    unknown = set(arguments.only or ()) - {a.name for _, a in chosen}
    if unknown:
        sys.exit(f"No architecture is called {', '.join(sorted(unknown))}; --list names those that exist.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    for topic, architecture in chosen:
        if _kept(arguments.out, architecture, recipe_hash(topic), arguments.force) is not None:
            print(f"{architecture.name}: up to date", flush=True)
            continue
        print(f"{architecture.name}: ...", flush=True)
        for entry in make(topic, architecture, arguments.out):
            worst = max((e for c in entry["cases"] for errors in c["ort_error"].values() for e in errors), default=0)
            print(f"{entry['name']}: {len(entry['cases'])} cases, ONNX Runtime's error {worst:.1e}, "
                  f"{entry['seconds']} s", flush=True)
        write_manifest(arguments.out)
    entries = write_manifest(arguments.out)
    print(f"{len(entries)} models in {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
