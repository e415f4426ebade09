#!/usr/bin/env python3
"""Generates tests of PyTorch's own formats: the architectures of generate.py, ResNet-18 and the programs of programs.py,
traced, scripted (.pt) and exported (.pt2), with PyTorch's outputs.

Runs in the environment of requirements/generate.txt. What it makes is read by `harness.py --models FOLDER` without
PyTorch. A module that torch.jit.script or torch.export does not take is left out in that form. The trained model of the
package silero-vad is added where --silero names its file silero_vad.jit.

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


def save_exported(module, architecture, path):
    """The types are in the file; sizes that the architecture calls free stay so where torch.export can keep them."""
    import torch
    # The first case fixes the sizes; sizes of 1 can only be fixed, and the last case has others.
    tensors, others = (tuple(torch.from_numpy(a) for a in architecture.cases()[i][1]) for i in (0, -1))
    shapes = tuple({axis: torch.export.Dim(name, max=4096) for axis, name in architecture.dims.get(key, {}).items()}
                   for key in architecture.inputs)
    program = None
    if any(shapes):
        try:
            program = torch.export.export(module, others, dynamic_shapes=shapes)
        except Exception as reason:  # it raises many kinds
            print(f"  sizes are fixed at export: {str(reason).strip().splitlines()[0][:100]}", flush=True)
    symbolic = program is not None
    if program is None:
        try:
            program = torch.export.export(module, tensors)
        except Exception as reason:
            print(f"  cannot be exported: {str(reason).strip().splitlines()[0][:100]}", flush=True)
            return None, False
    torch.export.save(program, str(path))
    return list(program.graph_signature.user_inputs), symbolic


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
    for kind in architecture.kinds if hasattr(architecture, "kinds") else ("trace", "script", "export"):
        path = root / f"{architecture.name}-{kind}.{'pt2' if kind == 'export' else 'pt'}"
        # A trace holds for the sizes that it was made with; a script for all.
        symbolic = kind == "script" and bool(architecture.dims)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "export":
                names, symbolic = save_exported(module, architecture, path)
            else:
                names = (save_traced if kind == "trace" else save_scripted)(module, first, path)
        if names is None:
            continue
        types = [] if kind == "export" else [
            f"{name}=" + type_text(array, architecture.dims.get(key) if symbolic else None)
            for name, key, array in zip(names, architecture.inputs, first)]
        usable = [c for c in cases if symbolic or c["shapes"] == cases[0]["shapes"]]
        renamed = dict(zip((o.name for o in architecture.outputs), output_names(count, single)))
        yield {
            "name": path.stem, "architecture": architecture.name, "file": path.name, "quick": architecture.quick,
            "types": types, "trained": False,
            "outputs": [{"name": renamed[o.name], "slice_axis": o.slice_axis, "argmax": o.argmax}
                        for o in architecture.outputs],
            "cases": [{"name": c["name"],
                       "inputs": dict(zip(names, c["inputs"].values())),
                       **{k: {renamed[o]: f for o, f in c[k].items()} for k in ("reference", "reference64")}}
                      for c in usable],
        }


def make_silero(path, root):
    """The voice detector over consecutive chunks: what one run leaves in its state is an input of the next."""
    import numpy
    import torch
    model = torch.jit.load(str(path)).eval()
    model.reset_states()
    rng = numpy.random.default_rng(7)
    time = numpy.arange(5 * 512) / 16000
    # Something like speech: a tone with overtones that swells, and noise.
    sound = sum(numpy.sin(2 * numpy.pi * 140 * k * time) / k for k in range(1, 9)) * numpy.hanning(len(time))
    sound = (0.2 * sound + 0.01 * rng.standard_normal(len(time))).astype(numpy.float32)
    folder = root / "cases" / "silero_vad"
    folder.mkdir(parents=True, exist_ok=True)

    def save(name, array):
        numpy.save(folder / f"{name}.npy", array)
        return str((folder / f"{name}.npy").relative_to(root))

    state = {"self._state": numpy.zeros((2, 1, 128), numpy.float32), "self._context": numpy.zeros((1, 64), numpy.float32)}
    first = {name: save(name + "_0", array) for name, array in state.items()}
    cases = []
    for chunk in range(5):
        x = sound[512 * chunk:512 * (chunk + 1)][None]
        with torch.no_grad():
            y = model(torch.from_numpy(x), 16000).numpy()
        left = {"self._state": model._state.numpy(), "self._context": model._context.numpy()}
        reference = {"output": save(f"output_{chunk}", y), **{k: save(f"{k}_{chunk + 1}", v) for k, v in left.items()}}
        cases.append({"name": f"chunk{chunk}", "inputs": {**first, "x": save(f"x_{chunk}", x)}, "reference": reference,
                      "chain": {name: name for name in state} if chunk else {}, "shapes": {"x": [1, 512]}})
    Path(root / "silero_vad.jit").write_bytes(Path(path).read_bytes())
    return {
        "name": "silero_vad", "architecture": "silero_vad", "file": "silero_vad.jit", "quick": True, "trained": True,
        "types": ["x=f32[1,512]", "sr=16000", "self._state=f32[2,1,128]", "self._context=f32[1,64]",
                  "self._last_sr=16000", "self._last_batch_size=1"],
        "outputs": [{"name": name, "slice_axis": None, "argmax": False} for name in ("output", *state)],
        "cases": cases,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/models-torchscript"), help="where the files go")
    parser.add_argument("--only", action="append", metavar="NAME", help="an architecture (may be repeated)")
    parser.add_argument("--quick", action="store_true", help="the small models alone")
    parser.add_argument("--silero", type=Path, metavar="FILE", help="silero_vad.jit of the package silero-vad")
    parser.add_argument("--list", action="store_true", help="name the architectures and end")
    arguments = parser.parse_args()
    from architectures import load_all
    from programs import PROGRAMS
    chosen = [a for a in [a for _, a in load_all()] + PROGRAMS
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
    if arguments.silero:
        entries["silero_vad"] = make_silero(arguments.silero, arguments.out)
        manifest.write_text(json.dumps({"format": 1, "entries": list(entries.values())}, indent=1))
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
