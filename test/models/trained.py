"""Trained models that PyPI packages carry, on real files. Their reference is the same graph in double precision; how far
ONNX Runtime is from that says how far single precision may be."""

import importlib.util
import json
from pathlib import Path

import numpy as np

from agreement import slice_errors

HERE = Path(__file__).resolve().parent
SAMPLES = (HERE / "harness.py", HERE / "README.md", HERE / "../../CMakeLists.txt", HERE / "../../LICENSE")


def _magika_folder():
    spec = importlib.util.find_spec("magika")
    if spec is None or not spec.submodule_search_locations:
        return None
    folders = sorted(Path(spec.submodule_search_locations[0]).glob("models/*/model.onnx"))
    return folders[-1].parent if folders else None


def magika_features(data, config):
    """The features that Magika reads from a file: its stripped beginning and end, padded."""
    block, padding = config["block_size"], config["padding_token"]
    beginning = list(data[:block].lstrip()[: config["beg_size"]])
    ending = list(data[-block:].rstrip()[-config["end_size"]:])
    return (beginning + [padding] * (config["beg_size"] - len(beginning))
            + [padding] * (config["end_size"] - len(ending)) + ending)


def double_evaluator(path):
    """The model with double precision in place of single, as an evaluator of the onnx package."""
    import onnx
    from onnx import TensorProto, numpy_helper
    from onnx.reference import ReferenceEvaluator
    from onnx.reference.op_run import OpRun

    class GlobalMaxPool(OpRun):  # the package's own drops the spatial dims of three-dimensional inputs
        def _run(self, x):
            return (x.max(axis=tuple(range(2, x.ndim)), keepdims=True),)

    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float64), tensor.name))
    for node in model.graph.node:
        for attribute in node.attribute:
            if node.op_type == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.DOUBLE
    return ReferenceEvaluator(model, new_ops=[GlobalMaxPool])


def magika_entry(cache):
    """A manifest entry made now, from features of real files and random tokens."""
    folder = _magika_folder()
    if folder is None:
        return None
    import onnxruntime

    config = json.loads((folder / "config.min.json").read_text())
    real = [magika_features(p.read_bytes(), config) for p in SAMPLES if p.exists()]
    real.append(magika_features((folder / "model.onnx").read_bytes(), config))
    # A beginning and an ending of different files: the answer is unsure, so that its numbers say something
    # about the whole network. A confident answer saturates, and then 1 % in any layer changes nothing.
    half = len(real[0]) // 2
    mixed = [real[i][:half // 8] + [config["padding_token"]] * (2 * half - half // 4) + real[j][-(half // 8):]
             for i, j in ((0, 2), (1, 0), (2, 1))]
    noise = np.random.default_rng(4).integers(0, 257, (3, len(real[0])))
    batches = {"file_b1": real[:1], "files_b3": real[-3:], "mixed_b3": mixed, "random_b1": noise[:1],
               "random_b3": noise}
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    (source,), (target,) = session.get_inputs(), session.get_outputs()
    exact = double_evaluator(folder / "model.onnx")
    cases = []
    for name, rows in batches.items():
        place = cache / "cases" / "magika" / name
        place.mkdir(parents=True, exist_ok=True)
        array = np.asarray(rows, dtype=np.int32)
        np.save(place / "input.npy", array)
        single = session.run([target.name], {source.name: array})[0]
        double = exact.run([target.name], {source.name: array})[0]
        np.save(place / "output.npy", single)
        np.save(place / "output64.npy", double)
        cases.append({"name": name, "inputs": {source.name: str(place / "input.npy")},
                      "shapes": {source.name: list(array.shape)},
                      "reference": {target.name: str(place / "output.npy")},
                      "reference64": {target.name: str(place / "output64.npy")},
                      "ort_error": {target.name: slice_errors(single, double).tolist()}})
    return {
        "name": "magika", "architecture": "magika", "file": str(folder / "model.onnx"), "quick": True,
        "symbolic": True, "inputs": [source.name], "cases": cases, "trained": True,
        "outputs": [{"name": target.name, "slice_axis": None, "argmax": True}],
    }
