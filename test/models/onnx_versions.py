"""Single nodes whose meaning depends on the opset, or that the suite of the onnx package does not have.

Each row is one node at one opset with its operands. The oracle is ONNX Runtime where it implements that version of the op,
else a line of NumPy. Every row runs through compiled code as it stands, with every dim of every operand symbolic, and with
each operand but the first made a constant, one at a time.
"""

import argparse
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnx_nodes
import onnxruntime
from onnx import TensorProto, helper

rng = np.random.default_rng(7)


def f(*shape, dtype=np.float32):
    return rng.standard_normal(shape).astype(dtype)


def ints(*values, dtype=np.int64):
    return np.array(values, dtype)


def softmax2d(x, axis):
    flat = x.reshape(int(np.prod(x.shape[:axis])), -1)
    e = np.exp(flat - flat.max(1, keepdims=True))
    return (e / e.sum(1, keepdims=True)).reshape(x.shape)


def batch_norm(x, scale, bias, mean, variance, epsilon=1e-5):
    shape = (1, -1) + (1,) * (x.ndim - 2)
    scale, bias, mean, variance = (v.reshape(shape) for v in (scale, bias, mean, variance))
    return (x - mean) / np.sqrt(variance + epsilon) * scale + bias


X = f(2, 3, 4, 5)
CHANNELS = (f(3), f(3), f(3), np.abs(f(3)) + 0.5)
BOXES = np.array([[0, 0, 7, 7], [1.5, 2.25, 6, 3], [-3, 2, 30, 9], [5, 5, 5, 5]], np.float32)
IMAGES = ints(0, 1, 1, 0)
MAPS = f(2, 19, 8, 9)
SIZES = {"Resize": (3,), "Upsample": (), "Slice": (1, 2, 3, 4), "Pad": (1,), "Tile": (1,), "Split": (1,), "TopK": (1,),
         "Squeeze": (1,), "Unsqueeze": (1,), "ReduceSum": (1,), "CenterCropPad": (1,), "Col2Im": (1, 2), "AffineGrid": (1,)}


class Row:
    """`keep` names operands that are initializers in every form: those that the compiler has to know."""

    def __init__(self, op, opset, inputs, expected=None, outputs=1, keep=(), tolerance=1e-4, symbolic=True, **attributes):
        self.op, self.opset, self.inputs, self.expected, self.outputs = op, opset, inputs, expected, outputs
        self.keep = set(keep) | set(SIZES.get(op, ()))
        self.tolerance, self.symbolic, self.attributes = tolerance, symbolic, attributes
        details = ",".join(f"{k}={v}" for k, v in attributes.items())
        self.name = f"{op}-{opset}({details})" + "x".join(f"[{','.join(map(str, x.shape))}]" for x in inputs if x is not None)


ROWS = [
    # Broadcasting was an attribute before opset 7.
    Row("Add", 6, [X, f(3)], lambda x, y: x + y.reshape(3, 1, 1), broadcast=1, axis=1),
    Row("Sub", 6, [X, f(4, 5)], lambda x, y: x - y, broadcast=1),
    Row("Mul", 6, [X, f(2)], lambda x, y: x * y.reshape(2, 1, 1, 1), broadcast=1, axis=0),
    Row("Pow", 6, [np.abs(X), f(5)], lambda x, y: x ** y, broadcast=1, axis=-1),
    Row("Greater", 6, [X, f(3, 4)], lambda x, y: x > y[..., None], broadcast=1, axis=1),
    Row("Add", 7, [X, f(4, 1)]),
    Row("PRelu", 6, [X, f(3)], lambda x, y: np.where(x < 0, x * y.reshape(3, 1, 1), x)),
    Row("PRelu", 9, [X, f(3, 1, 1)]),
    # The first dims were flattened before opset 13.
    Row("Softmax", 6, [X], lambda x: softmax2d(x, 2), axis=2),
    Row("Softmax", 11, [X], axis=1),
    Row("Softmax", 13, [X], axis=1),
    Row("LogSoftmax", 11, [X], axis=2),
    Row("LogSoftmax", 13, [X], axis=2),
    Row("Hardmax", 11, [X], axis=2),
    Row("Hardmax", 13, [X], axis=2),
    Row("Gemm", 6, [f(3, 4), f(4, 5), f(5)], lambda a, b, c: 2 * a @ b + 0.5 * c, alpha=2.0, beta=0.5, broadcast=1),
    Row("Gemm", 7, [f(4, 3), f(4, 5), f(3, 1)], transA=1),
    Row("Gemm", 11, [f(3, 4), f(5, 4)], transB=1),
    Row("BatchNormalization", 6, [X, *CHANNELS], batch_norm, is_test=1),
    Row("BatchNormalization", 6, [X, *CHANNELS],
        lambda x, s, b, m, v: batch_norm(x, s, b, x.mean((0, 2, 3)), x.var((0, 2, 3)))),
    Row("BatchNormalization", 7, [X, *CHANNELS]),
    Row("BatchNormalization", 7, [X, f(3, 4, 5), f(3, 4, 5), f(3, 4, 5), np.abs(f(3, 4, 5)) + 0.5],
        lambda x, s, b, m, v: (x - m) / np.sqrt(v + 1e-5) * s + b, spatial=0),
    Row("BatchNormalization", 9, [X, *CHANNELS], epsilon=1e-3),
    Row("BatchNormalization", 14, [X, *CHANNELS], outputs=3, training_mode=1, momentum=0.7),
    Row("Dropout", 6, [X], lambda x: x, is_test=1, ratio=0.4),
    Row("Dropout", 7, [X], lambda x: (x, np.ones_like(x)), outputs=2),
    Row("Dropout", 10, [X], lambda x: (x, np.ones(x.shape, bool)), outputs=2),
    Row("Dropout", 12, [X], outputs=2),
    Row("Pad", 7, [X], mode="reflect", pads=[0, 0, 1, 2, 0, 0, 3, 1]),
    Row("Pad", 10, [X], pads=[0, 1, 0, -1, 0, 0, 2, 0], value=1.5),
    Row("Pad", 11, [X, ints(0, 1, 0, -1, 0, 0, 2, 0), np.float32(2)]),
    Row("Pad", 19, [X, ints(0, 0, 3, 1, 0, 0, 2, 4)], mode="wrap"),
    Row("Slice", 7, [X], starts=[1, -3], ends=[1000, -1], axes=[1, 3]),
    Row("Slice", 9, [X], starts=[0, 0, 1], ends=[1, 2, 3]),
    Row("Slice", 10, [X, ints(3, -1), ints(0, -100), ints(2, 3), ints(-2, -1)]),
    Row("Clip", 6, [X], lambda x: np.clip(x, -0.5, 0.25), min=-0.5, max=0.25),
    Row("Clip", 7, [X], max=0.25),
    Row("Clip", 11, [X, np.float32(-0.25)]),
    Row("Clip", 12, [ints(1, 2, 3, 9, dtype=np.int32), None, np.int32(3)]),
    Row("TopK", 7, [X], outputs=2, k=2, axis=1),
    Row("TopK", 10, [X, ints(3)], outputs=2),
    Row("TopK", 11, [X, ints(2)], outputs=2, axis=2, largest=0),
    Row("ArgMax", 11, [np.round(X)], axis=3, keepdims=0),
    Row("ArgMax", 12, [np.round(X)], axis=3, select_last_index=1),
    Row("Split", 7, [X], outputs=2, axis=3, split=[2, 3]),
    Row("Split", 11, [X], outputs=2, axis=2, symbolic=False),
    Row("Split", 13, [X, ints(1, 4)], outputs=2, axis=3),
    Row("Split", 18, [X], outputs=2, axis=3, num_outputs=2),
    Row("Squeeze", 7, [f(1, 3, 1)], axes=[0]),
    Row("Squeeze", 13, [f(1, 3, 1), ints(2)]),
    Row("Unsqueeze", 7, [X], axes=[0, 3]),
    Row("Unsqueeze", 13, [X, ints(-1)]),
    Row("Flatten", 9, [X], axis=2),
    Row("Flatten", 11, [X], axis=-1),
    Row("ReduceSum", 11, [X], axes=[1, 2], keepdims=0),
    Row("ReduceSum", 13, [X, ints(-1)]),
    Row("ReduceMax", 12, [X], axes=[0]),
    Row("Sum", 6, [X, X + 1, X * 2], lambda a, b, c: a + b + c),
    Row("Max", 8, [X, f(5), f(4, 1)]),
    Row("Mean", 8, [X, f(5)]),
    Row("Mod", 10, [ints(-7, 7, 5), ints(3, -3, 2)]),
    Row("Mod", 10, [f(4), np.abs(f(4)) + 0.5], fmod=1),
    Row("LRN", 7, [X], size=3),
    Row("LpPool", 7, [X], kernel_shape=[2, 2], p=1),
    Row("LpPool", 11, [X], kernel_shape=[2, 3], strides=[2, 1]),
    Row("GlobalLpPool", 7, [X], p=2),
    Row("AveragePool", 7, [X], kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1),
    Row("AveragePool", 10, [X], kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
    Row("AveragePool", 19, [f(1, 2, 9, 9)], kernel_shape=[2, 2], dilations=[2, 3]),
    Row("MaxPool", 8, [X], outputs=2, kernel_shape=[2, 2], strides=[2, 1]),
    Row("MaxPool", 8, [X], outputs=2, kernel_shape=[3, 2], pads=[1, 0, 1, 1], storage_order=1),
    Row("MaxPool", 10, [f(2, 3, 11, 9)], outputs=2, kernel_shape=[3, 2], dilations=[2, 3], pads=[2, 1, 1, 1]),
    Row("MaxPool", 12, [f(2, 3, 7)], outputs=2, kernel_shape=[3], strides=[2], ceil_mode=1),
    Row("MaxPool", 12, [rng.integers(-9, 9, (1, 2, 5, 4, 6)).astype(np.float32)], outputs=2, kernel_shape=[2, 3, 2],
        pads=[1, 1, 0, 0, 1, 1]),
    Row("Upsample", 6, [X], lambda x: x.repeat(2, 2).repeat(3, 3), height_scale=2.0, width_scale=3.0),
    Row("Upsample", 7, [X], scales=[1.0, 1.0, 2.0, 3.0]),
    Row("Upsample", 9, [X, np.array([1, 1, 2, 2], np.float32)], keep={1}, mode="linear"),
    Row("Resize", 10, [X, np.array([1, 1, 0.5, 2], np.float32)], keep={1}),
    Row("Resize", 10, [X, np.array([1, 1, 1.5, 0.5], np.float32)], keep={1}, mode="linear"),
    Row("Resize", 11, [X, np.array([], np.float32), np.array([], np.float32), ints(2, 3, 7, 3)], mode="cubic", keep={1, 2},
        coordinate_transformation_mode="pytorch_half_pixel"),
    Row("Resize", 18, [X, None, None, ints(3, 9)], keep={2, 3}, mode="linear", axes=[2, 3], antialias=1),
    Row("Resize", 18, [f(1, 2, 13, 17), None, None, ints(5, 6)], keep={2, 3}, mode="linear", axes=[2, 3], antialias=1),
    Row("Resize", 18, [f(1, 2, 13, 17), None, None, ints(5, 6)], keep={2, 3}, mode="cubic", axes=[2, 3], antialias=1),
    Row("Resize", 13, [f(1, 1, 9, 8), np.array([0, 0, 0.2, 0.1, 1, 1, 0.9, 1.2], np.float32), None, ints(1, 1, 5, 7)],
        mode="linear", coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=-3.0),
    Row("GridSample", 16, [f(2, 3, 5, 6), f(2, 4, 7, 2)], mode="bicubic", padding_mode="reflection"),
    Row("GridSample", 16, [f(2, 3, 5, 6), 1.5 * f(2, 4, 7, 2)], mode="bilinear", padding_mode="border", align_corners=1),
    Row("GridSample", 20, [f(2, 3, 5, 6, 4), f(2, 3, 4, 7, 3)], mode="linear", padding_mode="zeros"),
    Row("GridSample", 20, [f(2, 3, 5, 6), 2 * f(2, 4, 7, 2)], mode="nearest", padding_mode="reflection"),
    Row("GridSample", 16, [f(1, 1, 1, 6), 2 * f(1, 4, 7, 2)], mode="bilinear", padding_mode="reflection", align_corners=1),
    Row("RoiAlign", 10, [MAPS, BOXES, IMAGES], output_height=3, output_width=2, sampling_ratio=2, spatial_scale=0.5),
    Row("RoiAlign", 16, [MAPS, BOXES, IMAGES], output_height=2, output_width=3, spatial_scale=0.7),
    Row("RoiAlign", 16, [MAPS, BOXES, IMAGES], output_height=2, output_width=3, mode="max",
        coordinate_transformation_mode="output_half_pixel"),
    Row("MaxRoiPool", 7, [MAPS, np.concatenate([IMAGES[:, None], BOXES], 1).astype(np.float32)], pooled_shape=[2, 3],
        spatial_scale=0.5),
    Row("ConvTranspose", 7, [f(2, 4, 5, 6), f(4, 3, 3, 2), f(6)], group=2, strides=[2, 1], pads=[1, 0, 0, 1], keep={1},
        symbolic=False),
    Row("ConvTranspose", 11, [f(2, 4, 5, 6), f(4, 1, 4, 4)], group=4, strides=[2, 2], pads=[1, 1, 1, 1], symbolic=False),
    Row("ConvTranspose", 11, [f(2, 4, 5, 6), f(4, 3, 3, 2)], dilations=[2, 3], strides=[1, 2], output_padding=[0, 1],
        symbolic=False),
    Row("ConvTranspose", 11, [f(1, 4, 5), f(4, 2, 3)], dilations=[2], strides=[3], group=2, symbolic=False),
    Row("Conv", 11, [f(2, 6, 7, 7), f(6, 1, 3, 3)], group=6, pads=[1, 1, 1, 1], symbolic=False),
    Row("DeformConv", 19, [f(2, 4, 6, 5), f(6, 2, 3, 2), 0.7 * f(2, 24, 6, 6), f(6), f(2, 12, 6, 6)], group=2,
        offset_group=2, pads=[1, 1, 1, 1]),
    Row("RNN", 7, [f(4, 2, 3), f(1, 5, 3), f(1, 5, 5), f(1, 10)], outputs=2, hidden_size=5, activations=["Relu"], clip=0.9,
        keep={1, 2}),
    Row("LSTM", 7, [f(4, 2, 3), f(2, 20, 3), f(2, 20, 5), f(2, 40), ints(4, 2, dtype=np.int32), f(2, 2, 5), f(2, 2, 5),
                    f(2, 15)], outputs=3, hidden_size=5, direction="bidirectional", keep={1, 2},
        activations=["HardSigmoid", "Tanh", "Softsign", "Sigmoid", "Elu", "Tanh"], activation_alpha=[0.3, 0.7],
        activation_beta=[0.4]),
    Row("LSTM", 14, [f(4, 2, 3), f(1, 20, 3), f(1, 20, 5)], outputs=3, hidden_size=5, direction="reverse", input_forget=1,
        keep={1, 2}),
    Row("GRU", 7, [f(4, 2, 3), f(1, 15, 3), f(1, 15, 5), f(1, 30)], outputs=2, hidden_size=5, keep={1, 2},
        activations=["HardSigmoid", "LeakyRelu"]),
    Row("GRU", 14, [f(4, 2, 3), f(1, 15, 3), f(1, 15, 5), f(1, 30)], outputs=2, hidden_size=5, keep={1, 2},
        linear_before_reset=1, activations=["Sigmoid", "Relu"], direction="reverse"),
    Row("Det", 11, [f(2, 3, 5, 5)]),
    Row("Det", 11, [np.ones((3, 3), np.float32)], lambda x: np.float32(0)),
    Row("Col2Im", 18, [f(2, 12, 35), ints(5, 7), ints(2, 2)], pads=[0, 1, 1, 0], strides=[1, 1]),
    Row("CenterCropPad", 18, [X, ints(6, 3)], axes=[2, 3]),
    Row("MaxUnpool", 11, [f(1, 2, 2, 2), np.arange(8).reshape(1, 2, 2, 2) * 4], kernel_shape=[2, 2], strides=[2, 2]),
    Row("TfIdfVectorizer", 9, [ints(1, 1, 3, 3, 3, 7, 8, 6, 7, 5, 6, 8).reshape(2, 6)], mode="TFIDF", min_gram_length=1,
        max_gram_length=2, max_skip_count=3, ngram_counts=[0, 4], ngram_indexes=[6, 1, 2, 3, 4, 5, 0],
        pool_int64s=[2, 3, 5, 4, 5, 6, 7, 8, 6, 7], weights=[1.0, 2.0, 3.0, 0.5, 1.5, 2.5, 4.0], symbolic=False),
    Row("NegativeLogLikelihoodLoss", 12, [f(3, 5, 2), rng.integers(0, 5, (3, 2)), np.abs(f(5))], reduction="mean",
        ignore_index=2),
    Row("SoftmaxCrossEntropyLoss", 12, [f(3, 5, 2), rng.integers(0, 5, (3, 2)).astype(np.int32)], outputs=2, reduction="sum"),
]


def model_of(row, constant, symbolic):
    """The row as a model, with the operands in `constant` as initializers."""
    names = ["" if x is None else f"x{i}" for i, x in enumerate(row.inputs)]
    fed, held = [], []
    for i, (name, x) in enumerate(zip(names, row.inputs)):
        if x is None:
            continue
        if i in constant:
            held.append(onnx.numpy_helper.from_array(np.asarray(x), name))
            continue
        kind = helper.np_dtype_to_tensor_dtype(np.asarray(x).dtype)
        # A size of 1 that is broadcast stays known: symbols that meet are equal.
        shape = [f"x{i}_{d}" if symbolic and size != 1 else size for d, size in enumerate(np.shape(x))]
        fed.append(helper.make_tensor_value_info(name, kind, shape))
    outputs = [f"y{i}" for i in range(row.outputs)]
    node = helper.make_node(row.op, names, outputs, name="node", **row.attributes)
    results = [onnx.ValueInfoProto(name=name) for name in outputs]
    graph = helper.make_graph([node], "row", fed, results, held)
    opsets = [helper.make_opsetid("", row.opset)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def typed(model, outputs):
    """The model with the types of its outputs, which torshc does not need and the comparison reads by name."""
    for info, value in zip(model.graph.output, outputs):
        kind = helper.np_dtype_to_tensor_dtype(value.dtype)
        info.CopyFrom(helper.make_tensor_value_info(info.name, kind, value.shape))
    return model


def expected_of(row):
    if row.expected:
        values = row.expected(*[x for x in row.inputs if x is not None])
        return [np.asarray(v) for v in (values if isinstance(values, tuple) else (values,))]
    model = model_of(row, row.keep, False)
    # ONNX Runtime wants the outputs' types; they follow from shape inference, or are those of the first operand.
    inferred = onnx.shape_inference.infer_shapes(model)
    for info, own in zip(model.graph.output, inferred.graph.output):
        kind = own.type.tensor_type.elem_type or TensorProto.FLOAT
        info.CopyFrom(helper.make_tensor_value_info(info.name, kind, None))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    feeds = {f"x{i}": np.asarray(x) for i, x in enumerate(row.inputs) if x is not None and i not in row.keep}
    return session.run(None, feeds)


def run_row(row, options):
    """What went wrong, a line for each form of the row."""
    try:
        expected = expected_of(row)
    except Exception as error:  # noqa: BLE001 - an oracle that refuses is a finding, whatever it throws
        return [f"{row.name}: no oracle: {str(error)[:200]}"], 0
    forms = [("as given", set(row.keep), False)]
    if row.symbolic:
        forms.append(("symbolic", set(row.keep), True))
    given = [i for i, x in enumerate(row.inputs) if x is not None and i not in row.keep]
    if len(given) > 1:
        forms += [(f"operand {i} constant", row.keep | {i}, False) for i in given[1:]]
    problems = []
    for form, constant, symbolic in forms:
        fed = [x for i, x in enumerate(row.inputs) if x is not None and i not in constant]
        model = typed(model_of(row, constant, False), expected)
        if symbolic:
            for info, own in zip(model.graph.input, model_of(row, constant, True).graph.input):
                info.CopyFrom(own)
        case = onnx_nodes.Case(row.name, model, [np.asarray(x) for x in fed], expected, row.tolerance, 1e-5)
        result = onnx_nodes.attempt(case, options)
        if result.stage != "passed":
            problems.append(f"{row.name} {form}: {result.stage}: {result.note}")
    return problems, len(forms)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torshc", default=onnx_nodes.ROOT / "build/bin/torshc")
    parser.add_argument("--naive", dest="compiled", action="store_false", help="the reference evaluator")
    parser.add_argument("--filter", default="", help="part of a row's name")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    options = parser.parse_args()
    if not Path(options.torshc).exists():
        sys.exit(f"{options.torshc} does not exist; build the target torshc first")
    warnings.filterwarnings("ignore")
    rows = [row for row in ROWS if options.filter in row.name]
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda row: run_row(row, options), rows))
    problems = [problem for lines, _ in results for problem in lines]
    for problem in problems:
        print(problem)
    forms = sum(count for _, count in results)
    print(f"{forms - len(problems)} passed, {len(problems)} failed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
