"""The models of test/models as the comparison runs them: their class, their batch, their inputs and references."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "test/models"))
from agreement import judge  # noqa: E402  the rule of the model tests is the rule here

CLASSES = {
    "GEMM": ("vit_b_16", "bert_base", "distilbert", "gpt2_prefill"),
    "convolution": ("resnet50", "densenet121", "convnext_tiny", "unet_transposed", "unet_resize", "yolov8n_shape",
                    "dcgan_generator"),
    "mobile": ("mobilenet_v2", "mobilenet_v3_large", "efficientnet_b0"),
    "small and recurrent": ("mlp", "lenet", "lstm_bidirectional", "gru_bidirectional", "small_transformer"),
    "decode": ("gpt2_decode",),
}
# One model or two of each class, chosen for a short run.
QUICK = ("mlp", "lenet", "small_transformer", "lstm_bidirectional", "mobilenet_v2", "efficientnet_b0", "resnet50",
         "unet_transposed", "distilbert", "gpt2_decode")
# Sums of f32 in another order, or by Winograd's transforms, lose up to one more digit than the tests of models allow;
# half precision, bf16 and TF32 lose two to three, and are to be found out.
SLACK = 10.0


def class_of(architecture):
    return next((name for name, members in CLASSES.items() if architecture in members), "other")


class NoCase(Exception):
    """The model has no case of the wanted batch, and says why."""


@dataclass(frozen=True)
class Answer:
    """How right a side's outputs are. counts: right enough to be compared. strict: within the model tests' limit."""

    counts: bool
    strict: bool
    error: float
    limit: float
    reason: str = ""


@dataclass
class Case:
    """One model at one batch: the file with fixed sizes, and arrays for inputs and references (in double precision).

    source, dims: the file it was fixed from, and the sizes that were fixed. temporary: files to remove afterwards."""

    name: str
    group: str
    batch: int
    model: Path
    source: Path
    dims: dict
    inputs: dict
    references: dict
    dtypes: dict
    errors: dict
    rules: dict
    temporary: list = field(default_factory=list)

    def check(self, values):
        """The Answer of the output that is furthest from its limit."""
        worst = None
        for name, value in zip(self.references, values, strict=True):
            rule = self.rules[name]
            verdict = judge(value, self.references[name], self.errors.get(name), rule["slice_axis"], rule["argmax"])
            share = verdict.error / (verdict.limit or 1.0)
            # A verdict may be against values that are near: the winner is another one, or integers differ.
            counts = share <= SLACK and (verdict.agrees or verdict.error > verdict.limit)
            if worst is None or (counts, -share) < worst[0]:
                worst = (counts, -share), Answer(counts, verdict.agrees, verdict.error, verdict.limit,
                                                 f"output {name}: {verdict.reason}" if verdict.reason else "")
        return worst[1]


def read_manifest(folder):
    path = folder / "manifest.json"
    if not path.exists():
        sys.exit(f"{path} does not exist: run test/models/generate.py first, or name another folder by --models.")
    return {entry["name"]: entry for entry in json.loads(path.read_text())["entries"]}


def choose(manifest, only, quick):
    """The architectures to measure, in the order of the classes."""
    known = [name for members in CLASSES.values() for name in members if name in manifest]
    known += [n for n, e in manifest.items() if n == e["architecture"] and n not in known and not e["symbolic"]]
    if only:
        missing = set(only) - set(known)
        if missing:
            sys.exit(f"No such model: {', '.join(sorted(missing))}. There are: {', '.join(known)}.")
        return [n for n in known if n in only]
    chosen = [n for n in known if n in QUICK] if quick else known
    if not chosen:
        sys.exit("None of the models that the comparison knows has been generated.")
    return chosen


def _load(folder, case, kind):
    return {name: np.load(folder / file) for name, file in case[kind].items()}


def _first_case(folder, entry, model):
    case = entry["cases"][0]
    dtypes = {n: a.dtype for n, a in _load(folder, case, "reference").items()}
    return Case(entry["name"], class_of(entry["architecture"]), 1, model, model, {}, _load(folder, case, "inputs"),
                _load(folder, case, "reference64"), dtypes, case.get("ort_error", {}),
                {o["name"]: o for o in entry["outputs"]})


def named_dims(values):
    """Name to list of sizes or names, of an ONNX graph's inputs or outputs."""
    return {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in values}


def gather_batch(cases, axes, batch):
    """Rows of the cases whose other sizes equal the first case's, repeated until there are `batch`.

    cases: one dict of arrays each. axes: the batch's axis of each array."""
    first = cases[0]
    alike = [c for c in cases if all(
        np.delete(c[n].shape, axes[n]).tolist() == np.delete(first[n].shape, axes[n]).tolist() for n in axes)]
    rows = [(c, r) for c in alike for r in range(next(c[n].shape[axes[n]] for n in axes))]
    picked = [rows[i % len(rows)] for i in range(batch)]
    return {n: np.ascontiguousarray(np.concatenate([c[n].take([r], axis=axes[n]) for c, r in picked], axis=axes[n]))
            for n in axes}


def fix_sizes(model, sizes, outputs):
    """Writes the sizes into an ONNX model's inputs, and the known shapes into its outputs."""
    for value in model.graph.input:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param in sizes:
                dim.dim_value = sizes[dim.dim_param]
    for value in model.graph.output:
        shape = value.type.tensor_type.shape
        del shape.dim[:]
        for size in outputs[value.name]:
            shape.dim.add().dim_value = size
    del model.graph.value_info[:]


def make_case(folder, manifest, name, batch, work):
    """The case of a model at a batch. Above one, sizes are fixed in a copy of the symbolic export; its inputs and
    references are rows of the model's cases, since no network mixes rows."""
    if batch == 1:
        return _first_case(folder, manifest[name], folder / manifest[name]["file"])
    entry = manifest.get(f"{name}-sym")
    if entry is None:
        raise NoCase(f"{name} has no symbolic export, which a batch of {batch} needs")
    import onnx

    source = folder / entry["file"]
    model = onnx.load(str(source), load_external_data=False)
    dims = {**named_dims(model.graph.input), **named_dims(model.graph.output)}
    axes = {n: d.index("batch") for n, d in dims.items() if "batch" in d}
    if not axes or any(n not in axes for n in (*entry["inputs"], *(o["name"] for o in entry["outputs"]))):
        raise NoCase(f"{source.name} does not name the batch of every input and output")
    # The shapes of inputs and outputs together tell which cases are alike.
    double = gather_batch([{**_load(folder, c, "inputs"), **_load(folder, c, "reference64")} for c in entry["cases"]],
                          axes, batch)
    single = _load(folder, entry["cases"][0], "reference")
    inputs = {n: double[n] for n in entry["inputs"]}
    outputs = [o["name"] for o in entry["outputs"]]
    sizes = {d: int(s) for n in entry["inputs"] for d, s in zip(dims[n], inputs[n].shape) if isinstance(d, str)}
    fix_sizes(model, sizes, {n: double[n].shape for n in outputs})
    path = work / f"{name}-b{batch}.onnx"
    onnx.save_model(model, str(path))
    errors = {n: np.max([c["ort_error"][n] for c in entry["cases"]], axis=0).tolist() for n in outputs}
    return Case(name, class_of(name), batch, path, source, sizes, inputs, {n: double[n] for n in outputs},
                {n: single[n].dtype for n in outputs}, errors, {o["name"]: o for o in entry["outputs"]}, [path])
