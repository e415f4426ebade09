"""What the dtype check feeds to each op: shapes, ranges and attributes; the types come from the op's schema.

An input is a `fed` tensor whose type the schema leaves open, or a `fixed` array. `low` and `high` bound what is drawn;
unsigned types and booleans cut the range to theirs.
"""

from dataclasses import dataclass, field

import numpy as np


@dataclass
class Input:
    shape: tuple  # None: the input is left out
    low: float = -4
    high: float = 4
    value: object = None  # an array: fixed, and of its own type
    constant: bool = False
    step: float = 0.25  # floats are multiples of this, so that narrow types hold them


@dataclass
class Row:
    op: str
    inputs: list
    attributes: dict = field(default_factory=dict)
    outputs: int = 1
    loose: float = 1.0  # times the tolerance of the type
    domain: str = ""
    note: str = ""
    exclude: dict = field(default_factory=dict)  # type parameter -> types that the row is not for


def fed(*shape, low=-4, high=4, step=0.25, constant=False):
    return Input(shape, low, high, constant=constant, step=step)


def fixed(values, dtype=np.int64, constant=True):
    array = np.array(values, dtype)
    return Input(array.shape, value=array, constant=constant)


def weights(*shape):
    return fed(*shape, constant=True)


ABSENT = Input(None)
X = fed(2, 3, 5)
IMAGE = fed(1, 4, 6, 6)
UNARY = ("Abs Neg Sign Ceil Floor Round Exp Sin Cos Tan Atan Sinh Cosh Asinh Tanh Erf Sigmoid Softplus Softsign Relu "
         "LeakyRelu Elu Selu Celu HardSigmoid HardSwish Mish Gelu Swish ThresholdedRelu Shrink IsNaN IsInf Not BitwiseNot "
         "Identity Softmax LogSoftmax Hardmax Flatten LpNormalization Size Shape").split()
BINARY = ("Add Sub Mul Max Min Sum Mean And Or Xor BitwiseAnd BitwiseOr BitwiseXor Equal Less LessOrEqual Greater "
          "GreaterOrEqual PRelu").split()
REDUCTIONS = "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceSumSquare".split()

ROWS = [
    *(Row(op, [X]) for op in UNARY),
    *(Row(op, [fed(2, 3, 5, low=0.25, high=4)]) for op in ("Log", "Sqrt", "Reciprocal")),
    *(Row(op, [fed(2, 3, 5, low=-0.75, high=0.75)]) for op in ("Asin", "Acos", "Atanh")),
    Row("Acosh", [fed(2, 3, 5, low=1, high=4)]),
    *(Row(op, [X, fed(3, 1)]) for op in BINARY),
    Row("Div", [fed(2, 3, low=0, high=100), fed(3, low=1, high=7)]),
    Row("Mod", [fed(2, 3, 5, low=0, high=100), fed(5, low=1, high=7)],
        exclude={"T": ("float", "double", "float16", "bfloat16")}),
    Row("Mod", [fed(2, 3, 5, low=-100, high=100), fed(5, low=1, high=7)], {"fmod": 1}),
    Row("Pow", [fed(2, 3, low=0, high=3), fed(3, low=0, high=3, step=1)]),
    Row("BitShift", [fed(2, 9, low=0, high=100), fed(9, low=0, high=7)], {"direction": "LEFT"}),
    Row("BitShift", [fed(2, 9, low=0, high=100), fed(9, low=0, high=7)], {"direction": "RIGHT"}),
    Row("Clip", [X, fed(low=-1, high=0), fed(low=1, high=2)]),
    Row("Where", [fixed([[True], [False]], bool, False), fed(2, 3), fed(3)]),
    # Moves
    Row("Reshape", [X, fixed([5, -1])]),
    Row("Transpose", [X], {"perm": [2, 0, 1]}),
    Row("Squeeze", [fed(2, 1, 5), fixed([1])]),
    Row("Unsqueeze", [X, fixed([1])]),
    Row("Concat", [X, fed(2, 3, 2), X], {"axis": 2}),
    Row("Slice", [X, fixed([0, 4]), fixed([2, 0]), fixed([1, 2]), fixed([1, -2])]),
    Row("Split", [X, fixed([2, 3])], {"axis": 2}, outputs=2),
    Row("Expand", [fed(3, 1), fixed([2, 3, 4])]),
    Row("Tile", [fed(2, 3), fixed([2, 3])]),
    Row("Pad", [fed(2, 3), fixed([1, 0, 0, 2]), fed(low=1, high=2)]),
    *(Row("Pad", [fed(3, 4), fixed([1, 0, 0, 2])], {"mode": mode}) for mode in ("edge", "reflect", "wrap")),
    Row("Gather", [fed(4, 3), fixed([[0, -1], [2, 3]], np.int64, False)]),
    Row("GatherElements", [fed(3, 3), fixed([[0, 1, 2], [2, 1, -3]], np.int64, False)]),
    Row("GatherND", [fed(2, 3, 2), fixed([[0, 2], [1, -1]], np.int64, False)]),
    Row("ScatterElements", [fed(3, 3), fixed([[2, 0, 1]], np.int64, False), fed(1, 3)]),
    Row("ScatterND", [fed(4, 3), fixed([[3], [1]], np.int64, False), fed(2, 3)]),
    *(Row("ScatterND", [fed(4, 3), fixed([[3], [1]], np.int64, False), fed(2, 3)], {"reduction": how})
      for how in ("add", "max")),
    Row("DepthToSpace", [fed(1, 8, 2, 3)], {"blocksize": 2}),
    Row("SpaceToDepth", [fed(1, 2, 4, 6)], {"blocksize": 2}),
    Row("ReverseSequence", [fed(4, 3), fixed([2, 4, 1], np.int64, False)], {"time_axis": 0, "batch_axis": 1}),
    Row("Trilu", [fed(4, 5)]),
    Row("OneHot", [fed(4, low=0, high=5, step=1), fixed(5), fed(2)],
        exclude={"T1": ("float", "double", "float16", "bfloat16")}),
    Row("EyeLike", [fed(3, 4)]),
    Row("CumSum", [X, fixed(1)]),
    Row("TopK", [fed(3, 7), fixed([4])], outputs=2),
    Row("ArgMax", [fed(3, 7)], {"axis": 1}),
    Row("ArgMin", [fed(3, 7)], {"axis": 0}),
    Row("CenterCropPad", [fed(4, 5), fixed([6, 3])]),
    Row("Dropout", [X]),
    # Sums
    Row("MeanVarianceNormalization", [IMAGE], loose=4),
    *(Row(op, [fed(2, 3, 5, low=-2, high=2), fixed([1])], loose=2) for op in REDUCTIONS),
    *(Row(op, [fed(2, 3, 5, low=1, high=3), fixed([2])], loose=2) for op in ("ReduceLogSum", "ReduceLogSumExp")),
    Row("MatMul", [fed(2, 3, 7), fed(7, 5)], loose=4),
    Row("MatMul", [fed(6, 33), weights(33, 18)], loose=8),
    Row("Gemm", [fed(3, 7), fed(7, 5), fed(5)], loose=4),
    Row("Gemm", [fed(7, 3), weights(5, 7), fed(5)], {"transA": 1, "transB": 1}, loose=4),
    Row("Einsum", [fed(2, 3), fed(3, 4)], {"equation": "ij,jk->ik"}, loose=4),
    Row("Conv", [IMAGE, weights(8, 4, 3, 3), weights(8)], {"pads": [1, 1, 1, 1]}, loose=8),
    Row("Conv", [IMAGE, weights(4, 1, 3, 3)], {"group": 4}, loose=8),
    Row("ConvTranspose", [IMAGE, weights(4, 3, 3, 3)], {"strides": [2, 2]}, loose=8),
    *(Row(op, [IMAGE], {"kernel_shape": [3, 3], "strides": [2, 2]}, loose=2) for op in ("MaxPool", "AveragePool", "LpPool")),
    Row("MaxPool", [IMAGE], {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}),
    *(Row(op, [IMAGE], loose=2) for op in ("GlobalMaxPool", "GlobalAveragePool")),
    Row("Resize", [IMAGE, ABSENT, fixed([1, 1, 2, 2], np.float32)], {"mode": "nearest"}),
    Row("Resize", [fed(1, 2, 4, 4, low=0, high=60), ABSENT, fixed([1, 1, 2, 2], np.float32)], {"mode": "linear"},
        exclude={"T1": ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool")}, loose=2),
    Row("GridSample", [fed(1, 2, 4, 4), fed(1, 3, 3, 2, low=-1, high=1)], loose=4,
        exclude={"T1": ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "bool")}),
    Row("BatchNormalization", [fed(2, 3, 5), weights(3), weights(3), weights(3), fed(3, low=1, high=2, constant=True)],
        loose=4),
    Row("InstanceNormalization", [fed(2, 3, 5), fed(3), fed(3)], loose=4),
    Row("LayerNormalization", [fed(2, 3, 8), fed(8), fed(8)], loose=4),
    Row("RMSNormalization", [fed(2, 3, 8), fed(8)], loose=4),
    Row("GroupNormalization", [fed(2, 4, 5), fed(4), fed(4)], {"num_groups": 2}, loose=4),
    Row("LRN", [IMAGE], {"size": 3}, loose=4),
    Row("Range", [fed(low=0, high=0, constant=True), fed(low=9, high=9, constant=True), fed(low=2, high=2, constant=True)]),
    Row("CumProd", [fed(2, 5, low=1, high=2), fixed(1)]),
    Row("Det", [fed(2, 3, 3)], loose=8),
    Row("RotaryEmbedding", [fed(1, 2, 3, 8), fed(1, 3, 4), fed(1, 3, 4)], loose=2),
    Row("Attention", [fed(1, 2, 3, 8), fed(1, 2, 5, 8), fed(1, 2, 5, 8)], loose=4),
    *(Row(op, [fed(3, 2, 4, low=-1, high=1), fed(1, gates * 5, 4, low=-1, high=1, constant=True),
               fed(1, gates * 5, 5, low=-1, high=1, constant=True)], {"hidden_size": 5}, outputs=2, loose=8)
      for op, gates in (("LSTM", 4), ("GRU", 3), ("RNN", 1))),
    # Quantisation
    Row("MatMulInteger", [fed(3, 7, low=-50, high=50), fed(7, 5, low=-50, high=50), fed(low=0, high=5),
                          fed(low=0, high=5)]),
    Row("ConvInteger", [fed(1, 2, 5, 5, low=-50, high=50), fed(3, 2, 3, 3, low=-50, high=50), fed(low=0, high=5)]),
    Row("DynamicQuantizeLinear", [fed(4, 9)], outputs=3),
    Row("QuantizeLinear", [fed(4, 9, low=-9, high=9), fed(low=0.5, high=0.5), fed(low=0, high=0)],
        exclude={"T1": ("int32",), "T2": ("int32", "float8e8m0")}),
    # With a zero point, which ONNX's evaluator leaves out for floats of 8 bits.
    Row("QuantizeLinear", [fed(4, 9, low=-9, high=9), fed(4, low=0.5, high=2), fed(4, low=0, high=1, step=1)], {"axis": 0},
        exclude={"T1": ("int32",), "T2": ("int32", "float8e8m0"),
                 "T3": ("float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz")}),
    Row("DequantizeLinear", [fed(4, 9, low=-100, high=100), fed(low=0.5, high=0.5), fed(low=0, high=0)],
        exclude={"T1": ("int32",), "T2": ("float8e8m0",)}),
    Row("DequantizeLinear", [fed(4, 9, low=-100, high=100), fed(4, low=0.25, high=2)], {"axis": 0},
        exclude={"T2": ("float8e8m0",)}),
]
