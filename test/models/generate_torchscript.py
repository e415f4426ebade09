#!/usr/bin/env python3
"""Generates TorchScript tests: the architectures of generate.py, traced and scripted, with PyTorch's outputs.

Runs in the environment of requirements/generate.txt. What it makes is read by `harness.py --models FOLDER` without
PyTorch. A module that torch.jit.script does not take is traced only.

  generate_torchscript.py [--out build/models-torchscript] [--only NAME]... [--quick] [--list]
"""

import argparse
import json
import sys
import warnings
from pathlib import Path

TYPES = {"float32": "f32", "float64": "f64", "int64": "i64", "int32": "i32", "bool": "bool", "uint8": "u8"}


def type_text(array, dims=None):
    """f32[batch,3,224,224]"""
    sizes = [str((dims or {}).get(axis, size)) for axis, size in enumerate(array.shape)]
    return f"{TYPES[str(array.dtype)]}[{','.join(sizes)}]"


def output_names(count, single):
    return ["output"] if single else [f"output_{i}" for i in range(count)]


def save_scripted(module, arrays, path):
    """The names of the scripted module's inputs; None when it cannot be scripted."""
    import torch
    try:
        scripted = torch.jit.script(module)
        scripted.save(str(path))
    except Exception as reason:  # the compiler of TorchScript raises many kinds
        print(f"  cannot be scripted: {str(reason).strip().splitlines()[0][:100]}", flush=True)
        return None
    return [a.name for a in scripted.forward.schema.arguments][1:1 + len(arrays)]


def save_traced(module, arrays, path):
    import torch
    with torch.no_grad():
        traced = torch.jit.trace(module, tuple(torch.from_numpy(a) for a in arrays), check_trace=False)
    traced.save(str(path))
    return [a.name for a in traced.forward.schema.arguments][1:1 + len(arrays)]


def make(architecture, root):
    """Writes the files of one architecture and yields its manifest entries."""
    import torch
    from exporting import _as_tuple, _write_references
    module = architecture.build()
    cases = _write_references(architecture, module, root / "cases" / architecture.name)
    first = dict(architecture.cases())[cases[0]["name"]]
    with torch.no_grad():
        single = not isinstance(module(*(torch.from_numpy(a) for a in first)), (tuple, list))
        count = len(_as_tuple(module(*(torch.from_numpy(a) for a in first))))
    for kind, save in (("trace", save_traced), ("script", save_scripted)):
        path = root / f"{architecture.name}-{kind}.pt"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            names = save(module, first, path)
        if names is None:
            continue
        # A trace holds for the sizes that it was made with; a script for all.
        symbolic = kind == "script" and bool(architecture.dims)
        types = [f"{name}=" + type_text(array, architecture.dims.get(key) if symbolic else None)
                 for name, key, array in zip(names, architecture.inputs, first)]
        usable = [c for c in cases if symbolic or c["shapes"] == cases[0]["shapes"]]
        renamed = dict(zip((o.name for o in architecture.outputs), output_names(count, single)))
        yield {
            "name": path.stem, "architecture": architecture.name, "file": path.name, "quick": architecture.quick,
            "types": types,
            "outputs": [{"name": renamed[o.name], "slice_axis": o.slice_axis, "argmax": o.argmax}
                        for o in architecture.outputs],
            "cases": [{"name": c["name"],
                       "inputs": dict(zip(names, c["inputs"].values())),
                       **{k: {renamed[o]: f for o, f in c[k].items()} for k in ("reference", "reference64")}}
                      for c in usable],
        }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/models-torchscript"), help="where the files go")
    parser.add_argument("--only", action="append", metavar="NAME", help="an architecture (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="the small models alone")
    parser.add_argument("--list", action="store_true", help="name the architectures and end")
    arguments = parser.parse_args()
    from architectures import load_all
    chosen = [a for _, a in load_all()
              if (not arguments.only or a.name in arguments.only) and (not arguments.quick or a.quick)]
    if arguments.list:
        print("\n".join(a.name for a in chosen))
        return 0
    unknown = set(arguments.only or ()) - {a.name for a in chosen}
    if unknown:
        sys.exit(f"No architecture is called {', '.join(sorted(unknown))}; --list names those that exist.")
    arguments.out.mkdir(parents=True, exist_ok=True)
    manifest = arguments.out / "manifest.json"
    entries = {e["name"]: e for e in json.loads(manifest.read_text())["entries"]} if manifest.exists() else {}
    for architecture in chosen:
        print(f"{architecture.name}: ...", flush=True)
        try:
            made = list(make(architecture, arguments.out))
        except Exception as reason:  # one model that cannot be traced must not stop the others
            print(f"  cannot be traced: {str(reason).strip().splitlines()[0][:100]}", flush=True)
            continue
        for entry in made:
            entries[entry["name"]] = entry
            print(f"  {entry['name']}: {' '.join(entry['types'])}, {len(entry['cases'])} cases", flush=True)
        manifest.write_text(json.dumps({"format": 1, "entries": list(entries.values())}, indent=1))
    print(f"{len(entries)} models in {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
