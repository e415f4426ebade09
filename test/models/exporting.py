"""Makes the files of one architecture: inputs, references in two precisions, and the .onnx exports."""

import hashlib
import json
import time
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch

from agreement import slice_errors

HERE = Path(__file__).parent


def recipe_hash(topic):
    """A digest of everything that the files of one topic depend on."""
    digest = hashlib.sha256()
    parts = [HERE / "architectures" / f"{name}.py" for name in (topic, "entry", "liven")]
    for part in parts + [HERE / "exporting.py"]:
        digest.update(part.read_bytes())
    for line in (HERE / "../../requirements/generate.txt").read_text().splitlines():
        if not line.startswith("#"):
            digest.update(line.encode())
    return digest.hexdigest()


def _as_tuple(outputs):
    return tuple(outputs) if isinstance(outputs, (tuple, list)) else (outputs,)


def _run(module, arrays, dtype):
    tensors = [torch.from_numpy(a) for a in arrays]
    tensors = [t.to(dtype) if t.is_floating_point() else t for t in tensors]
    with torch.no_grad():
        return [t.contiguous().numpy() for t in _as_tuple(module(*tensors))]


def _write_references(architecture, module, folder):
    """Runs every case in f32 and f64; returns the manifest's list of cases."""
    cases = []
    for name, arrays in architecture.cases():
        case = {"name": name, "inputs": {}, "reference": {}, "reference64": {}}
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)

        def save(kind, key, array):
            path = place / f"{key}.{kind}.npy"
            np.save(path, array)
            case[kind][key] = str(path.relative_to(folder.parent.parent))

        for key, array in zip(architecture.inputs, arrays, strict=True):
            save("inputs", key, array)
        case["shapes"] = {key: list(a.shape) for key, a in zip(architecture.inputs, arrays)}
        single = _run(module, arrays, torch.float32)
        double = _run(module.double(), arrays, torch.float64)
        module.float()
        for output, a, b in zip(architecture.outputs, single, double, strict=True):
            if not np.isfinite(a).all() or not 1e-6 < np.abs(a).max() < 1e4:
                raise SystemExit(f"{architecture.name}/{name}: output {output.name} has lost its magnitude "
                                 f"({np.abs(a).max()}); the weights need another scale")
            save("reference", output.name, a)
            save("reference64", output.name, b)
        cases.append(case)
    return cases


def _export(architecture, export, module, arrays, path):
    tensors = tuple(torch.from_numpy(a) for a in arrays)
    names = dict(input_names=list(architecture.inputs), output_names=[o.name for o in architecture.outputs])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if export.exporter == "dynamo":
            shapes = None
            if export.symbolic:
                dims = {name for dims in (architecture.dims[i] for i in architecture.inputs) for name in dims.values()}
                table = {name: torch.export.Dim(name, min=1, max=4096) for name in dims}
                shapes = tuple({axis: table[name] for axis, name in architecture.dims[i].items()}
                               for i in architecture.inputs)
                # A size of 1 would be taken for a constant.
                tensors = tuple(torch.cat([t, t]) for t in tensors)
            program = torch.onnx.export(module, tensors, dynamo=True, opset_version=export.opset,
                                        dynamic_shapes=shapes, verbose=False, **names)
            program.save(str(path), external_data=False)
        else:
            training = torch.onnx.TrainingMode.PRESERVE if export.keep_batch_norm else torch.onnx.TrainingMode.EVAL
            torch.onnx.export(module, tensors, str(path), dynamo=False, opset_version=export.opset,
                              do_constant_folding=True, training=training,
                              dynamic_axes=architecture.dims if export.symbolic else None, **names)
    if export.external_data:
        model = onnx.load(str(path))
        onnx.save_model(model, str(path), save_as_external_data=True, all_tensors_to_one_file=True,
                        location=path.name + ".data", size_threshold=1024)


def _ort_errors(path, architecture, cases, root):
    """ONNX Runtime's own error against the f64 run, per case and output."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    table = {}
    for case in cases:
        feeds = {key: np.load(root / file) for key, file in case["inputs"].items()}
        values = session.run([o.name for o in architecture.outputs], feeds)
        table[case["name"]] = {
            o.name: [float(f"{e:.3g}") for e in
                     slice_errors(v, np.load(root / case["reference64"][o.name]), o.slice_axis)]
            for o, v in zip(architecture.outputs, values)}
    return table


def _describe(path):
    model = onnx.load(str(path), load_external_data=False)
    counts = {}
    for node in model.graph.node:
        key = f"{node.domain}::{node.op_type}" if node.domain else node.op_type
        counts[key] = counts.get(key, 0) + 1
    opsets = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    return opsets, dict(sorted(counts.items())), [f.name for f in model.functions]


def make(topic, architecture, root, only=None):
    """Generates all files of one architecture under `root` and yields its manifest entries."""
    started = time.time()
    module = architecture.build()
    cases = _write_references(architecture, module, root / "cases" / architecture.name)
    built = time.time() - started
    arrays = [np.load(root / file) for file in cases[0]["inputs"].values()]
    for export in architecture.exports:
        name = architecture.name + export.suffix
        if only and name not in only and architecture.name not in only:
            continue
        path = root / f"{name}.onnx"
        started = time.time()
        _export(architecture, export, module, arrays, path)
        usable = [c for c in cases if export.symbolic or c["shapes"] == cases[0]["shapes"]]
        errors = _ort_errors(path, architecture, usable, root)
        opsets, ops, functions = _describe(path)
        entry = {
            "name": name, "architecture": architecture.name, "file": path.name, "quick": architecture.quick,
            "exporter": export.exporter, "symbolic": export.symbolic, "recipe": recipe_hash(topic),
            "opsets": opsets, "ops": ops, "functions": functions,
            "inputs": list(architecture.inputs),
            "outputs": [{"name": o.name, "slice_axis": o.slice_axis, "argmax": o.argmax}
                        for o in architecture.outputs],
            "cases": [{**c, "ort_error": errors[c["name"]]} for c in usable],
            "seconds": round(time.time() - started + built, 1),
        }
        (root / f"{name}.json").write_text(json.dumps(entry, indent=1))
        yield entry
