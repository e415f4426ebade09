"""The cases of the onnx package: models with inputs, expected outputs and tolerances."""

import pickle
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")


@dataclass
class Case:
    name: str  # KIND/NAME
    model: bytes
    inputs: list  # arrays, lists of them for sequences, None for an absent optional
    outputs: list
    rtol: float
    atol: float


def _value(given):
    """A tensor, sequence or optional as numpy sees it."""
    if isinstance(given, onnx.TensorProto):
        return numpy_helper.to_array(given)
    if isinstance(given, onnx.SequenceProto):
        return [_value(item) for item in numpy_helper.to_list(given)]
    if isinstance(given, onnx.OptionalProto):
        value = numpy_helper.to_optional(given)
        return None if value is None else _value(value)
    if isinstance(given, (list, tuple)):
        return [_value(item) for item in given]
    if given is None or isinstance(given, dict):
        return given
    return np.asarray(given)


def _read(path, type_proto):
    kinds = {"tensor_type": onnx.TensorProto, "sequence_type": onnx.SequenceProto, "optional_type": onnx.OptionalProto}
    proto = kinds[type_proto.WhichOneof("value")]()
    proto.ParseFromString(path.read_bytes())
    return _value(proto)


def fed_inputs(graph):
    """The graph's inputs without those that an initializer gives."""
    initialized = {tensor.name for tensor in graph.initializer}
    return [info for info in graph.input if info.name not in initialized]


def _on_disk(case, kind):
    folder = Path(case.model_dir)
    model = onnx.load(folder / "model.onnx")
    data = sorted(folder.glob("test_data_set_*"))[0]
    inputs = [_read(data / f"input_{i}.pb", info.type) for i, info in enumerate(fed_inputs(model.graph))
              if (data / f"input_{i}.pb").exists()]
    outputs = [_read(data / f"output_{i}.pb", info.type) for i, info in enumerate(model.graph.output)]
    return Case(f"{kind}/{case.name}", model.SerializeToString(), inputs, outputs, case.rtol, case.atol)


def _collect():
    from onnx.backend.test.loader import load_model_tests
    warnings.filterwarnings("ignore")
    np.random.seed(0)  # the inputs of many node cases are drawn when they are collected
    cases = []
    for kind in KINDS:
        for case in load_model_tests(kind=kind):
            if kind != "node":
                cases.append(_on_disk(case, kind))
                continue
            inputs, outputs = case.data_sets[0]
            cases.append(Case(f"{kind}/{case.name}", case.model.SerializeToString(), [_value(x) for x in inputs],
                              [_value(x) for x in outputs], case.rtol, case.atol))
    return cases


def load(folder):
    """All cases; collected once for each version of onnx into `folder`."""
    path = Path(folder) / f"cases-{onnx.__version__}.pickle"
    if path.exists():
        return pickle.loads(path.read_bytes())
    cases = _collect()
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(pickle.dumps(cases))
    partial.rename(path)
    return cases
