"""Shows that the comparison sees faults: damaged outputs and slightly changed layers have to fail."""

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from agreement import judge

ROWS = 0.01
CHANGE = 0.01


def zero_rows(value, share=ROWS):
    """A copy with `share` of its rows (along the last axis) set to zero, at least one."""
    damaged = np.array(value)
    rows = damaged.reshape(-1, damaged.shape[-1]) if damaged.ndim > 1 else damaged.reshape(-1, 1)
    count = max(1, round(len(rows) * share))
    rows[np.linspace(0, len(rows) - 1, count).astype(int)] = 0
    return damaged


def change_weights(array):
    """A copy with each element 1 % larger or smaller: a common factor would vanish in a norm behind the layer."""
    signs = np.random.default_rng(1).choice(np.float32([1 - CHANGE, 1 + CHANGE]), array.shape)
    return array * signs


def _judge_all(entry, case, values, load):
    """Whether all outputs of a case agree with the reference."""
    for output, value in zip(entry["outputs"], values):
        name = output["name"]
        reference = load(case.get("reference64", case["reference"])[name])
        ort = case.get("ort_error", {}).get(name)
        if not judge(value, reference, ort, output["slice_axis"], output["argmax"]).agrees:
            return False
    return True


def _layers(model):
    """Weight matrices, kernels and tables that a node multiplies with or gathers from."""
    weighing = {"Conv", "ConvTranspose", "Gemm", "MatMul", "LSTM", "GRU", "Gather", "Mul"}
    used = {name for node in model.graph.node if node.op_type in weighing for name in node.input}
    used |= {name for node in model.graph.node if node.op_type == "Transpose" for name in node.input}
    return [i for i in model.graph.initializer
            if i.name in used and i.data_type == onnx.TensorProto.FLOAT and len(i.dims) > 1]


def _spread(items, count):
    if count is None or len(items) <= count:
        return items
    return [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)] if count > 1 else items[:1]


def prove(entry, path, load, layers=None):
    """Yields (what was damaged, whether the comparison noticed) for one model.

    The undamaged outputs have to agree, every output with zeroed rows and every changed layer must not.
    """
    names = [o["name"] for o in entry["outputs"]]
    cases = [(c, {key: load(file) for key, file in c["inputs"].items()}) for c in entry["cases"]]
    first = cases[0][0]
    model = onnx.load(str(path), load_external_data=True)

    def run(chosen, replacements=()):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 3
        held = [(name, onnxruntime.OrtValue.ortvalue_from_numpy(array)) for name, array in replacements]
        for name, value in held:
            options.add_initializer(name, value)
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for case, feeds in chosen:
            yield case, session.run(names, feeds)

    right = next(run(cases[:1]))[1]
    yield "nothing", _judge_all(entry, first, right, load)
    for index, name in enumerate(names):
        values = list(right)
        values[index] = zero_rows(values[index])
        yield f"1 % of the rows of output {name}", not _judge_all(entry, first, values, load)
    for layer in _spread(_layers(model), layers):
        replacement = (layer.name, change_weights(numpy_helper.to_array(layer)))
        agree = (_judge_all(entry, case, values, load) for case, values in run(cases, [replacement]))
        yield f"layer {layer.name} changed by 1 %", not all(agree)
