"""Other forms of a case: every dim symbolic, and one input at a time a constant."""

from dataclasses import replace

import numpy as np
import onnx
from onnx import numpy_helper

from cases import fed_inputs

# Operands whose length says how many dims something has, by op; their own length stays.
STEERING = {
    **{op: (1,) for op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
                           "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare", "Reshape", "Expand", "Tile", "Squeeze",
                           "Unsqueeze", "TopK", "Split", "SplitToSequence", "OneHot", "CumSum", "CumProd", "Upsample",
                           "CenterCropPad", "Trilu", "AffineGrid")},
    "Resize": (1, 2, 3), "Slice": (1, 2, 3, 4), "Pad": (1, 3), "ConstantOfShape": (0,), "Range": (0, 1, 2),
    "NonMaxSuppression": (2, 3, 4), "DFT": (1, 2), "STFT": (1, 3), "Col2Im": (1, 2), "MaxUnpool": (2,),
    "RandomNormalLike": (), "Constant": (),
}


def _nodes(graph):
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield from _nodes(attribute.g)


def _steering_names(model):
    return {node.input[i] for node in [*_nodes(model.graph), *(n for f in model.functions for n in f.node)]
            for i in STEERING.get(node.op_type, ()) if i < len(node.input)}


def symbolic(case):
    """The case with a symbol of its own for every dim of every tensor input; None when no input has a dim."""
    model = onnx.load_from_string(case.model)
    kept = _steering_names(model)
    changed = False
    for index, info in enumerate(fed_inputs(model.graph)):
        if not info.type.HasField("tensor_type"):
            continue
        tensor = info.type.tensor_type
        integers = tensor.elem_type in (onnx.TensorProto.INT64, onnx.TensorProto.INT32)
        if integers and len(tensor.shape.dim) == 1 and info.name in kept:
            continue
        for axis, dim in enumerate(tensor.shape.dim):
            dim.dim_param = f"d{index}_{axis}"
            changed = True
    # What was said of sizes inside is true of the given sizes only.
    del model.graph.value_info[:]
    for info in model.graph.output:
        if info.type.HasField("tensor_type"):
            for axis, dim in enumerate(info.type.tensor_type.shape.dim):
                dim.dim_param = f"o_{info.name}_{axis}"
    return replace(case, model=model.SerializeToString()) if changed else None


def constants(case):
    """For each tensor input a pair of its name and the case with it as an initializer."""
    model = onnx.load_from_string(case.model)
    fed = fed_inputs(model.graph)
    for index, (info, value) in enumerate(zip(fed, case.inputs)):
        if not isinstance(value, np.ndarray) or not info.type.HasField("tensor_type"):
            continue
        form = onnx.ModelProto()
        form.CopyFrom(model)
        form.graph.initializer.append(numpy_helper.from_array(value, info.name))
        if form.graph.initializer[-1].data_type != info.type.tensor_type.elem_type:
            continue
        remaining = [other for other in form.graph.input if other.name != info.name]
        del form.graph.input[:]
        form.graph.input.extend(remaining)
        yield info.name, replace(case, model=form.SerializeToString(),
                                 inputs=case.inputs[:index] + case.inputs[index + 1:])


def other_sizes(symbols):
    """Values for an artifact's symbols that differ from the given ones, to be tried in turn."""
    yield {name: size + 1 for name, size in symbols.items()}
    yield {name: 2 * size for name, size in symbols.items()}
    for name in symbols:
        yield {**symbols, name: symbols[name] + 1}
        yield {**symbols, name: 2 * symbols[name]}


def resized(value, shape):
    """The array's elements, repeated to another shape along each axis."""
    for axis, size in enumerate(shape):
        if value.shape[axis] == 0:
            return np.zeros(shape, value.dtype)
        value = np.take(value, np.arange(size) % value.shape[axis], axis)
    return value
