"""The table of microsoft.py: one row a case of an operator of com.microsoft.

A row names its op, how its inputs are drawn for given sizes, and the sizes. Dims that differ between the sizes are the
symbolic ones. Inputs whose name starts with "_" feed only what `derived` computes from them.
"""

from dataclasses import dataclass, field
from functools import partial

import numpy as np
from onnx import TensorProto, helper

F32, F16, I8, U8 = np.float32, np.float16, np.int8, np.uint8


@dataclass
class Case:
    name: str
    op: str
    feed: object  # feed(rng, **sizes) -> {input: array or None}, in the op's order
    sizes: list
    attrs: dict = field(default_factory=dict)
    outputs: tuple = ("y",)  # "" for one that is not asked for
    weights: tuple = ()  # initializers in the constant form
    fixed: tuple = ()  # initializers in every form
    domain: str = "com.microsoft"
    derived: dict = field(default_factory=dict)  # {input: (other input, axis)}: a size as int32
    standard: object = None  # standard(case, inputs, outputs) -> nodes of the default domain, where there is no kernel
    bound: float = 1e-5  # of the largest number of an output
    forms: tuple = ("static", "symbolic", "constant")


CASES = []


def add(name, op, feed, sizes, **more):
    CASES.append(Case(name, op, feed, sizes, **more))


def real(rng, *shape, dtype=F32, scale=1.0):
    return (rng.standard_normal(shape) * scale).astype(dtype)


def integers(rng, *shape, dtype=U8):
    info = np.iinfo(dtype)
    return np.asarray(rng.integers(info.min, info.max + 1, shape), dtype)


def weight(rng, *shape, dtype=U8):
    """Signed weights have 7 bits: without VNNI, ONNX Runtime's sums of two products with u8 saturate in 16 bits."""
    return integers(rng, *shape, dtype=dtype) if dtype == U8 else np.asarray(rng.integers(-64, 64, shape), dtype)


def scalar(value, dtype=F32):
    return np.array(value, dtype)


def zero_point(rng, dtype, *shape):
    middle = 0 if np.iinfo(dtype).min < 0 else 128
    return np.asarray(middle + rng.integers(-9, 10, shape), dtype)


# --- Quantised elements -----------------------------------------------------------------------------------------------

SHAPES = [dict(n=1, h=5), dict(n=3, h=7), dict(n=2, h=64)]


def binary(rng, n, h, dtype, scale, other=None):
    """Zero points are always given: without them ONNX Runtime's own type inference refuses the node."""
    shape = {None: (n, 4, h), "row": (h,), "column": (n, 4, 1), "scalar": ()}[other]
    point = partial(zero_point, rng, dtype)
    return {"a": integers(rng, n, 4, h, dtype=dtype), "a_scale": scalar(0.03), "a_zero": point(),
            "b": integers(rng, *shape, dtype=dtype), "b_scale": scalar(0.05), "b_zero": point(),
            "c_scale": scalar(scale), "c_zero": point()}


for dtype in (U8, I8):
    kind = np.dtype(dtype).name
    for op, out in (("QLinearAdd", 0.07), ("QLinearMul", 0.11)):
        for other in (None, "row", "column", "scalar"):
            add(f"{op}-{kind}-{other or 'same'}", op, partial(binary, dtype=dtype, scale=out, other=other), SHAPES,
                weights=("b", "a_scale", "a_zero", "b_scale", "b_zero", "c_scale", "c_zero"))

    def unary(rng, n, h, dtype, scale, zero=True):
        point = partial(zero_point, rng, dtype) if zero else lambda: None
        return {"x": integers(rng, n, 4, h, dtype=dtype), "x_scale": scalar(0.04), "x_zero": point(),
                "y_scale": scalar(scale), "y_zero": point()}

    parameters = ("x_scale", "x_zero", "y_scale", "y_zero")
    add(f"QLinearSigmoid-{kind}", "QLinearSigmoid", partial(unary, dtype=dtype, scale=1 / 256), SHAPES,
        weights=parameters)
    add(f"QLinearSigmoid-{kind}-nozero", "QLinearSigmoid", partial(unary, dtype=dtype, scale=1 / 120, zero=False), SHAPES)
    add(f"QLinearLeakyRelu-{kind}", "QLinearLeakyRelu", partial(unary, dtype=dtype, scale=0.05), SHAPES,
        weights=parameters)
    add(f"QLinearLeakyRelu-{kind}-alpha", "QLinearLeakyRelu", partial(unary, dtype=dtype, scale=0.05), SHAPES,
        attrs=dict(alpha=0.3))
    for axis, opset in ((-1, 13), (1, 13), (1, 12), (2, 11)):
        add(f"QLinearSoftmax-{kind}-{axis}-{opset}", "QLinearSoftmax", partial(unary, dtype=dtype, scale=1 / 256),
            SHAPES, attrs=dict(axis=axis, opset=opset), weights=parameters)

    def where(rng, n, h, dtype):
        return {"condition": rng.integers(0, 2, (n, 1, h)).astype(bool),
                "x": integers(rng, n, 4, h, dtype=dtype), "x_scale": scalar(0.03), "x_zero": zero_point(rng, dtype),
                "y": integers(rng, 4, 1, dtype=dtype), "y_scale": scalar(0.05), "y_zero": zero_point(rng, dtype),
                "z_scale": scalar(0.06), "z_zero": zero_point(rng, dtype)}

    add(f"QLinearWhere-{kind}", "QLinearWhere", partial(where, dtype=dtype), SHAPES,
        weights=("y", "x_scale", "x_zero", "y_scale", "y_zero", "z_scale", "z_zero"))

    def concat(rng, n, h, dtype, count=3):
        feed = {"y_scale": scalar(0.05), "y_zero": zero_point(rng, dtype)}
        for i in range(count):
            feed |= {f"x{i}": integers(rng, n, 3 + i, h, dtype=dtype), f"scale{i}": scalar(0.02 * (i + 1)),
                     f"zero{i}": zero_point(rng, dtype)}
        return feed

    add(f"QLinearConcat-{kind}", "QLinearConcat", partial(concat, dtype=dtype), SHAPES, attrs=dict(axis=1),
        weights=("y_scale", "y_zero", "scale0", "zero0", "scale1", "zero1", "scale2", "zero2"))
    add(f"QLinearConcat-{kind}-one", "QLinearConcat", partial(concat, dtype=dtype, count=1), SHAPES, attrs=dict(axis=-2))

    def average(rng, n, h, dtype, last=False, zero=True):
        feed = unary(rng, n, h, dtype, 0.023, zero)
        feed["x"] = integers(rng, *((n, h, 9, 3) if last else (n, 3, h, 9)), dtype=dtype)
        return feed

    POOLS = [dict(n=1, h=8), dict(n=2, h=11), dict(n=3, h=6)]
    for label, attrs in (("2x2", dict(kernel_shape=[2, 2], strides=[2, 2])),
                         ("3x3-pads", dict(kernel_shape=[3, 3], strides=[2, 1], pads=[1, 1, 1, 0])),
                         ("count", dict(kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)),
                         ("ceil", dict(kernel_shape=[3, 2], strides=[2, 2], ceil_mode=1)),
                         ("same", dict(kernel_shape=[3, 3], auto_pad="SAME_UPPER"))):
        add(f"QLinearAveragePool-{kind}-{label}", "QLinearAveragePool", partial(average, dtype=dtype), POOLS,
            attrs=attrs, weights=parameters)
    add(f"QLinearAveragePool-{kind}-last", "QLinearAveragePool", partial(average, dtype=dtype, last=True), POOLS,
        attrs=dict(kernel_shape=[2, 2], strides=[1, 2], channels_last=1), weights=parameters)
    for last in (0, 1):
        add(f"QLinearGlobalAveragePool-{kind}-{last}", "QLinearGlobalAveragePool",
            partial(average, dtype=dtype, last=bool(last)), POOLS, attrs=dict(channels_last=last), weights=parameters)
    add(f"NhwcMaxPool-{kind}", "NhwcMaxPool",
        lambda rng, n, h, dtype=dtype: {"x": integers(rng, n, h, 9, 3, dtype=dtype)}, POOLS,
        attrs=dict(kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1]))


def reduced_mean(case, inputs, outputs):
    """DequantizeLinear, ReduceMean, QuantizeLinear, which the operator's documentation says it is."""
    x, scale, zero, y_scale, y_zero = inputs
    wide, mean = outputs[0] + "_wide", outputs[0] + "_mean"
    return [helper.make_node("DequantizeLinear", [x, scale, zero], [wide]),
            helper.make_node("ReduceMean", [wide], [mean], axes=case.attrs["axes"], keepdims=case.attrs["keepdims"]),
            helper.make_node("QuantizeLinear", [mean, y_scale, y_zero], outputs)]


for dtype in (U8, I8):
    for axes, keep in (([2], 1), ([1, 2], 0), ([-1, 0], 1)):
        add(f"QLinearReduceMean-{np.dtype(dtype).name}-{'_'.join(map(str, axes))}", "QLinearReduceMean",
            partial(unary, dtype=dtype, scale=0.02), SHAPES, attrs=dict(axes=axes, keepdims=keep),
            weights=parameters, standard=reduced_mean)

# --- Quantised products -----------------------------------------------------------------------------------------------

PRODUCTS = [dict(m=1, b=1), dict(m=5, b=2), dict(m=12, b=3)]


def column_scale(rng, n, per_column):
    return (rng.uniform(0.005, 0.02, n) if per_column else np.array(0.01)).astype(F32)


def dynamic(rng, m, b, dtype, per_column=False, zero=True, bias=True, rank=3):
    k, n = 32, 24
    return {"a": real(rng, *((b, m, k) if rank == 3 else (m, k))), "b": weight(rng, k, n, dtype=dtype),
            "b_scale": column_scale(rng, n, per_column),
            "b_zero": zero_point(rng, dtype, *((n,) if per_column else ())) if zero else None,
            "bias": real(rng, n) if bias else None}


def to_float(rng, m, b, left, right, per_column=False, zero=True, bias=True):
    feed = dynamic(rng, m, b, right, per_column, zero, bias)
    return {"a": integers(rng, b, m, 32, dtype=left), "b": feed["b"], "a_scale": scalar(0.02), "b_scale": feed["b_scale"],
            "a_zero": zero_point(rng, left) if zero else None, "b_zero": feed["b_zero"], "bias": feed["bias"]}


for dtype in (U8, I8):
    kind = np.dtype(dtype).name
    for column in (False, True):
        add(f"DynamicQuantizeMatMul-{kind}-{'column' if column else 'tensor'}", "DynamicQuantizeMatMul",
            partial(dynamic, dtype=dtype, per_column=column), PRODUCTS, weights=("b", "b_scale", "b_zero", "bias"))
    add(f"DynamicQuantizeMatMul-{kind}-bare", "DynamicQuantizeMatMul",
        partial(dynamic, dtype=dtype, zero=False, bias=False, rank=2), PRODUCTS, weights=("b", "b_scale"))
for left, right in ((U8, U8), (U8, I8), (I8, I8)):
    kind = f"{np.dtype(left).name}-{np.dtype(right).name}"
    for column in (False, True):
        add(f"MatMulIntegerToFloat-{kind}-{'column' if column else 'tensor'}", "MatMulIntegerToFloat",
            partial(to_float, left=left, right=right, per_column=column), PRODUCTS,
            weights=("b", "b_scale", "b_zero", "bias"))
    add(f"MatMulIntegerToFloat-{kind}-bare", "MatMulIntegerToFloat",
        partial(to_float, left=left, right=right, zero=False, bias=False), PRODUCTS, weights=("b", "b_scale"))

    def gemm(rng, m, b, left, right, trans=(0, 0), per_column=False, c=True, out=True):
        k, n = 32, 24
        return {"a": integers(rng, *((k, m) if trans[0] else (m, k)), dtype=left), "a_scale": scalar(0.02),
                "a_zero": zero_point(rng, left), "b": weight(rng, *((n, k) if trans[1] else (k, n)), dtype=right),
                "b_scale": column_scale(rng, n, per_column), "b_zero": zero_point(rng, right, *((n,) if per_column else ())),
                "c": rng.integers(-5000, 5000, (n,)).astype(np.int32) if c else None,
                "y_scale": scalar(0.7) if out else None, "y_zero": zero_point(rng, left) if out else None}

    parameters = ("b", "a_scale", "a_zero", "b_scale", "b_zero", "c", "y_scale", "y_zero")
    add(f"QGemm-{kind}", "QGemm", partial(gemm, left=left, right=right), PRODUCTS, weights=parameters)
    add(f"QGemm-{kind}-column", "QGemm", partial(gemm, left=left, right=right, per_column=True, trans=(0, 1)), PRODUCTS,
        attrs=dict(transB=1, alpha=1.5), weights=parameters)
    add(f"QGemm-{kind}-float", "QGemm", partial(gemm, left=left, right=right, c=False, out=False, trans=(1, 0)), PRODUCTS,
        attrs=dict(transA=1), weights=parameters[:5])

    def qconv(rng, n, h, left, right, last=True, group=1):
        c, o = 4, 6
        return {"x": integers(rng, *((n, h, 7, c) if last else (n, c, h, 7)), dtype=left), "x_scale": scalar(0.02),
                "x_zero": zero_point(rng, left), "w": weight(rng, o, c // group, 3, 3, dtype=right),
                "w_scale": rng.uniform(0.005, 0.02, o).astype(F32) if right == I8 else scalar(0.01),
                "w_zero": np.zeros(o, I8) if right == I8 else zero_point(rng, U8), "y_scale": scalar(0.6),
                "y_zero": zero_point(rng, left), "b": rng.integers(-900, 900, o).astype(np.int32)}

    for last in (0, 1):
        for group in (1, 2):
            add(f"QLinearConv-{kind}-{last}-{group}", "QLinearConv",
                partial(qconv, left=left, right=right, last=bool(last), group=group),
                [dict(n=1, h=6), dict(n=2, h=9), dict(n=1, h=12)],
                attrs=dict(channels_last=last, group=group, pads=[1, 0, 1, 1], strides=[2, 1]),
                weights=("w", "x_scale", "x_zero", "w_scale", "w_zero", "y_scale", "y_zero", "b"),
                fixed=("w", "x_scale", "x_zero", "w_scale", "w_zero", "y_scale", "y_zero", "b"))

add("MatMulInteger16", "MatMulInteger16",
    lambda rng, m, b: {"a": integers(rng, b, m, 8, dtype=np.int16) // 64, "b": integers(rng, 8, 5, dtype=np.int16)},
    PRODUCTS, weights=("b",))


def quantize(rng, m, b, dtype, axis):
    size = (8,) if axis is not None else ()
    feed = {"x": real(rng, b, 8, m), "scale": rng.uniform(0.01, 0.03, size).astype(F32),
            "zero": rng.integers(0, 9, size).astype(dtype)}
    return feed


def dequantize(rng, m, b, dtype, axis):
    size = (8,) if axis is not None else ()
    zero = rng.integers(0, 9, size).astype(dtype) if dtype != np.int32 else np.zeros(size, dtype)
    return {"x": integers(rng, b, 8, m, dtype=dtype), "scale": rng.uniform(0.01, 0.03, size).astype(F32), "zero": zero}


for dtype in (U8, I8, np.uint16, np.int16, np.int32):
    for axis in (None, 1):
        attrs = {} if axis is None else dict(axis=axis)
        name = f"{np.dtype(dtype).name}-{'tensor' if axis is None else 'axis'}"
        if dtype != np.int32:
            add(f"QuantizeLinear-{name}", "QuantizeLinear", partial(quantize, dtype=dtype, axis=axis), PRODUCTS,
                attrs=attrs, weights=("scale", "zero"))
        add(f"DequantizeLinear-{name}", "DequantizeLinear", partial(dequantize, dtype=dtype, axis=axis), PRODUCTS,
            attrs=attrs, weights=("scale", "zero"))

# --- Weights in blocks ------------------------------------------------------------------------------------------------


def blocks(rng, m, b, bits, k, n, block, zeros="none", bias=False, dtype=F32, group=False, prescale=0.05):
    count = -(-k // block)
    packed = -(-count * bits // 8)
    if zeros == "packed":
        point = integers(rng, n, packed)
    elif zeros == "float":
        point = rng.uniform(0, 2**bits - 1, (n, count)).astype(dtype)
    else:
        point = None
    return {"a": real(rng, b, m, k, dtype=dtype), "b": integers(rng, n, count, block * bits // 8),
            "scales": (rng.uniform(0.2, 1, (n, count)) * prescale).astype(dtype), "zeros": point,
            "g_idx": rng.permutation(np.arange(k) // block).astype(np.int32) if group else None,
            "bias": real(rng, n, dtype=dtype) if bias else None}


for dtype in (F32, F16):
    kind = np.dtype(dtype).name
    for bits in (4, 8):
        for block in (16, 32, 128):
            for zeros in ("none", "packed"):
                k, n = {16: (64, 24), 32: (80, 17), 128: (256, 40)}[block]
                name = f"MatMulNBits-{kind}-{bits}-{block}-{zeros}"
                add(name, "MatMulNBits",
                    partial(blocks, bits=bits, k=k, n=n, block=block, zeros=zeros, bias=block == 32, dtype=dtype,
                            prescale=0.05 if bits == 4 else 0.004),
                    PRODUCTS, attrs=dict(bits=bits, K=k, N=n, block_size=block), weights=("b", "scales", "zeros", "bias"),
                    bound=1e-5 if dtype == F32 else 2**-9,
                    forms=("static", "symbolic", "constant") if block == 32 else ("symbolic", "constant"))
add("MatMulNBits-floatzeros", "MatMulNBits", partial(blocks, bits=4, k=64, n=24, block=32, zeros="float"), PRODUCTS,
    attrs=dict(bits=4, K=64, N=24, block_size=32), weights=("b", "scales", "zeros"))
# With zero points as well ONNX Runtime's kernel gives other numbers even for the usual order of groups.
add("MatMulNBits-g_idx", "MatMulNBits", partial(blocks, bits=4, k=64, n=24, block=16, group=True),
    PRODUCTS, attrs=dict(bits=4, K=64, N=24, block_size=16), weights=("b", "scales", "zeros", "g_idx"))
add("MatMulNBits-large", "MatMulNBits", partial(blocks, bits=4, k=768, n=192, block=32, zeros="packed", bias=True),
    PRODUCTS, attrs=dict(bits=4, K=768, N=192, block_size=32), weights=("b", "scales", "zeros", "bias"),
    forms=("constant",))


def rows(rng, m, b, bits, dtype, zero):
    width, block = 64, 16
    count = width // block
    return {"data": integers(rng, 40, width * bits // 8), "indices": rng.integers(0, 40, (b, m)).astype(np.int64),
            "scales": rng.uniform(0.2, 1, (40, count)).astype(dtype),
            "zeros": integers(rng, 40, -(-count * bits // 8)) if zero else None}


for bits in (4, 8):
    for dtype in (F32, F16):
        for zero in (False, True):
            add(f"GatherBlockQuantized-{bits}-{np.dtype(dtype).name}-{zero}", "GatherBlockQuantized",
                partial(rows, bits=bits, dtype=dtype, zero=zero), PRODUCTS,
                attrs=dict(bits=bits, block_size=16, gather_axis=0, quantize_axis=1),
                weights=("data", "scales", "zeros"), fixed=("data", "scales", "zeros"), bound=1e-5 if dtype == F32 else 2**-9)

# --- Fused ops --------------------------------------------------------------------------------------------------------


def matrices(rng, m, b, a, w, dtype=F32):
    pick = dict(m=m, b=b, k=16, n=10, h=3)
    return {"a": real(rng, *[pick[c] for c in a], dtype=dtype), "b": real(rng, *[pick[c] for c in w], dtype=dtype)}


for name, a, w, attrs in (
        ("plain", "bmk", "kn", {}), ("alpha", "bmk", "bkn", dict(alpha=0.25)), ("transA", "bkm", "bkn", dict(transA=1)),
        ("transB", "bhmk", "bhnk", dict(transB=1, alpha=0.5)), ("both", "km", "nk", dict(transA=1, transB=1)),
        ("batchA", "mbk", "bkn", dict(transBatchA=1)), ("batchB", "bmk", "nbk", dict(transBatchB=1, transB=1)),
        ("batch4", "mbhk", "bhkn", dict(transBatchA=1)), ("vector", "k", "kn", dict(alpha=2.0))):
    add(f"FusedMatMul-{name}", "FusedMatMul", partial(matrices, a=a, w=w), PRODUCTS, attrs=attrs, weights=("b",))
add("FusedMatMul-double", "FusedMatMul", partial(matrices, a="bmk", w="kn", dtype=np.float64), PRODUCTS,
    attrs=dict(alpha=0.3), bound=1e-12)
add("TransposeMatMul", "TransposeMatMul", partial(matrices, a="bmk", w="bnk"), PRODUCTS, attrs=dict(transB=1, alpha=0.5))

ACTIVATIONS = (("Relu", {}), ("Tanh", {}), ("Sigmoid", {}), ("LeakyRelu", dict(alpha=0.2)), ("Elu", dict(alpha=0.7)),
               ("HardSigmoid", dict(alpha=0.3, beta=0.4)), ("Softplus", {}), ("Softsign", {}),
               ("ThresholdedRelu", dict(alpha=0.6)))


def gemm_feed(rng, m, b, trans, bias):
    return {"a": real(rng, *((16, m) if trans else (m, 16))), "b": real(rng, 16, 10),
            "c": {"row": real(rng, 10), "column": real(rng, m, 1), "none": None}[bias]}


for index, (activation, numbers) in enumerate(ACTIVATIONS):
    bias = ("row", "column", "none")[index % 3]
    add(f"FusedGemm-{activation}", "FusedGemm", partial(gemm_feed, trans=index % 2, bias=bias), PRODUCTS,
        attrs=dict(activation=activation, transA=index % 2, alpha=0.8, beta=1.5,
                   **{f"activation_{k}": v for k, v in numbers.items()}), weights=("b", "c"))


def conv_feed(rng, n, h, bias=True, z=False, group=1, last=False):
    x = (n, h, 7, 4) if last else (n, 4, h, 7)
    w = (6, 3, 3, 4 // group) if last else (6, 4 // group, 3, 3)
    feed = {"x": real(rng, *x), "w": real(rng, *w, scale=0.3), "b": real(rng, 6) if bias else None}
    if z:
        feed["z"] = real(rng, n, 6, h, 7)
    return feed


CONVS = [dict(n=1, h=6), dict(n=2, h=9), dict(n=1, h=12)]
for activation, params in (("Relu", None), ("Tanh", None), ("Sigmoid", None), ("LeakyRelu", [0.2]), ("Clip", [0.0, 1.5]),
                           ("HardSigmoid", [0.3, 0.4]), ("HardSwish", None)):
    attrs = dict(activation=activation, pads=[1, 1, 1, 1], strides=[1, 2])
    if params:
        attrs["activation_params"] = params
    add(f"FusedConv-{activation}", "FusedConv", partial(conv_feed, bias=activation != "Tanh"), CONVS, attrs=attrs,
        weights=("w", "b"))
add("FusedConv-z", "FusedConv", partial(conv_feed, z=True), CONVS, attrs=dict(activation="Relu", pads=[1, 1, 1, 1]),
    weights=("w", "b"))
add("FusedConv-group", "FusedConv", partial(conv_feed, group=2), CONVS, attrs=dict(activation="Relu", group=2),
    weights=("w", "b"))


def conv_with_transposes(case, inputs, outputs):
    x, w, *bias = inputs
    name = outputs[0]
    return [helper.make_node("Transpose", [x], [name + "_x"], perm=[0, 3, 1, 2]),
            helper.make_node("Transpose", [w], [name + "_w"], perm=[0, 3, 1, 2]),
            helper.make_node("Conv", [name + "_x", name + "_w", *bias], [name + "_y"], **case.attrs),
            helper.make_node("Transpose", [name + "_y"], outputs, perm=[0, 2, 3, 1])]


for group in (1, 2):
    add(f"NhwcConv-{group}", "NhwcConv", partial(conv_feed, last=True, group=group, bias=group == 1), CONVS,
        attrs=dict(group=group, pads=[1, 0, 1, 1], strides=[2, 1]), weights=("w", "b"), standard=conv_with_transposes)

# --- Activations ------------------------------------------------------------------------------------------------------


def activation_feed(rng, n, h, bias=None, dtype=F32):
    feed = {"x": real(rng, n, h, 24, dtype=dtype, scale=2)}
    if bias:
        feed["bias"] = real(rng, 24, dtype=dtype)
    return feed


add("Gelu", "Gelu", activation_feed, SHAPES)
add("FastGelu", "FastGelu", activation_feed, SHAPES)
add("FastGelu-bias", "FastGelu", partial(activation_feed, bias=True), SHAPES, weights=("bias",))
add("BiasGelu", "BiasGelu", partial(activation_feed, bias=True), SHAPES, weights=("bias",))
add("QuickGelu", "QuickGelu", activation_feed, SHAPES)
add("QuickGelu-alpha", "QuickGelu", activation_feed, SHAPES, attrs=dict(alpha=1.0))
for dtype in (F32, F16):
    add(f"ScaledSiLU-{np.dtype(dtype).name}", "ScaledSiLU", partial(activation_feed, dtype=dtype), SHAPES,
        attrs=dict(alpha=0.7), bound=1e-5 if dtype == F32 else 2**-9)

# --- Norms ------------------------------------------------------------------------------------------------------------


def skip_feed(rng, n, h, simplified, beta=True, bias=False, skip=None, dtype=F32):
    width = 24
    shape = {None: (n, h, width), "one": (1, h, width), "matrix": (h, width)}[skip]
    feed = {"x": real(rng, n, h, width, dtype=dtype), "skip": real(rng, *shape, dtype=dtype),
            "gamma": real(rng, width, dtype=dtype)}
    if not simplified:
        feed["beta"] = real(rng, width, dtype=dtype) if beta else None
    feed["bias"] = real(rng, width, dtype=dtype) if bias else None
    return feed


for op, simplified in (("SkipLayerNormalization", False), ("SkipSimplifiedLayerNormalization", True)):
    for dtype in (F32, F16):
        kind, bound = np.dtype(dtype).name, 1e-5 if dtype == F32 else 2**-9
        feed = partial(skip_feed, simplified=simplified, dtype=dtype)
        parameters = ("gamma", "beta", "bias")
        add(f"{op}-{kind}", op, feed, SHAPES, attrs=dict(epsilon=1e-5), weights=parameters, bound=bound)
        add(f"{op}-{kind}-bias", op, partial(feed, bias=True), SHAPES, weights=parameters, bound=bound,
            attrs=dict(epsilon=1e-5), outputs=("y", "", "", "sum"))
        add(f"{op}-{kind}-broadcast", op, partial(feed, beta=False, skip="one"), SHAPES, weights=parameters, bound=bound,
            attrs=dict(epsilon=1e-5))
    add(f"{op}-matrix", op, partial(skip_feed, simplified=simplified, skip="matrix"), SHAPES, attrs=dict(epsilon=1e-5),
        weights=("gamma",))


def norm_feed(rng, n, h, dtype=F32):
    return {"x": real(rng, n, h, 24, dtype=dtype), "scale": real(rng, 24, dtype=dtype)}


for dtype in (F32, F16):
    for outputs in (("y",), ("y", "inv_std")):
        add(f"SimplifiedLayerNormalization-{np.dtype(dtype).name}-{len(outputs)}", "SimplifiedLayerNormalization",
            partial(norm_feed, dtype=dtype), SHAPES, attrs=dict(epsilon=1e-5, axis=-1), weights=("scale",), domain="",
            outputs=outputs, bound=1e-5 if dtype == F32 else 2**-9)


def gated_feed(rng, n, h, dtype):
    return {"x": real(rng, n, h, 24, dtype=dtype), "scale": real(rng, 8, dtype=dtype),
            "gate": real(rng, n, h, 24, dtype=dtype)}


for dtype in (F32, F16):
    for activation in ("silu", "sigmoid"):
        add(f"GatedRMSNorm-{np.dtype(dtype).name}-{activation}", "GatedRMSNorm", partial(gated_feed, dtype=dtype), SHAPES,
            attrs=dict(activation=activation), weights=("scale",), bound=1e-5 if dtype == F32 else 2**-9)


def embed_feed(rng, n, h, segments=True, mask=False, positions=False):
    width = 24
    ids = rng.integers(0, 50, (n, h)).astype(np.int32)
    feed = {"ids": ids, "segment_ids": rng.integers(0, 2, (n, h)).astype(np.int32) if segments else None,
            "words": real(rng, 50, width), "positions": real(rng, 70, width),
            "segments": real(rng, 2, width) if segments else None, "gamma": real(rng, width), "beta": real(rng, width),
            "mask": (np.arange(h)[None] < rng.integers(1, h + 1, (n, 1))).astype(np.int32) if mask else None}
    if positions:
        feed["position_ids"] = rng.integers(0, 70, (n, h)).astype(np.int32)
    return feed


tables = ("words", "positions", "segments", "gamma", "beta")
add("EmbedLayerNormalization", "EmbedLayerNormalization", embed_feed, SHAPES, outputs=("y", "mask_index"), weights=tables)
add("EmbedLayerNormalization-mask", "EmbedLayerNormalization", partial(embed_feed, mask=True), SHAPES,
    attrs=dict(epsilon=1e-5), outputs=("y", "mask_index", "sum"), weights=tables)
add("EmbedLayerNormalization-positions", "EmbedLayerNormalization", partial(embed_feed, segments=False, positions=True),
    SHAPES, outputs=("y", "mask_index"), weights=tables)


def quantized_embed(rng, n, h, dtype):
    feed = embed_feed(rng, n, h, mask=True)
    names = ("words", "positions", "segments", "gamma", "beta")
    for name in names:
        feed[name] = integers(rng, *feed[name].shape, dtype=dtype)
    feed |= {f"{name}_scale": scalar(0.02) for name in names}
    return feed | {f"{name}_zero": zero_point(rng, dtype) for name in names}


for dtype in (U8, I8):
    add(f"QEmbedLayerNormalization-{np.dtype(dtype).name}", "QEmbedLayerNormalization",
        partial(quantized_embed, dtype=dtype), SHAPES, attrs=dict(epsilon=1e-5), outputs=("y", "mask_index"),
        weights=tables, fixed=tuple(f"{t}_{p}" for t in tables for p in ("scale", "zero")))


def group_norm(case, inputs, outputs):
    x, gamma, beta = inputs[:3]
    name = outputs[0]
    nodes = [helper.make_node("Transpose", [x], [name + "_x"], perm=[0, 3, 1, 2]),
             helper.make_node("GroupNormalization", [name + "_x", gamma, beta], [name + "_n"],
                              num_groups=case.attrs["groups"], epsilon=case.attrs["epsilon"]),
             helper.make_node("Transpose", [name + "_n"], [name + "_t"], perm=[0, 2, 3, 1])]
    if not case.attrs["activation"]:
        return nodes + [helper.make_node("Identity", [name + "_t"], outputs)]
    return nodes + [helper.make_node("Sigmoid", [name + "_t"], [name + "_s"]),
                    helper.make_node("Mul", [name + "_t", name + "_s"], outputs)]


for activation in (0, 1):
    add(f"GroupNorm-{activation}", "GroupNorm",
        lambda rng, n, h: {"x": real(rng, n, h, 5, 8), "gamma": real(rng, 8), "beta": real(rng, 8)}, SHAPES,
        attrs=dict(groups=4, activation=activation, epsilon=1e-5, channels_last=1), weights=("gamma", "beta"),
        standard=group_norm)

# --- Attention --------------------------------------------------------------------------------------------------------

SEQUENCES = [dict(b=1, s=4, p=3), dict(b=2, s=7, p=5), dict(b=3, s=13, p=2)]
HEADS, SIZE = 4, 8


def key_mask(rng, b, s, t, kind):
    lengths = rng.integers(1, t + 1, b)
    if kind == "lengths":
        return lengths.astype(np.int32)
    if kind == "ends":
        ends = rng.integers(t // 2 + 1, t + 1, b)
        return np.concatenate([ends, rng.integers(0, t // 2 + 1, b)]).astype(np.int32)
    if kind == "raw":
        return (np.arange(t)[None] < lengths[:, None]).astype(np.int32)
    if kind == "matrix":
        mask = rng.integers(0, 2, (b, s, t))
        mask[:, :, 0] = 1
        return mask.astype(np.int32)
    return None


def attention_feed(rng, b, s, p, mask=None, past=False, bias=True, scores=None, v_size=SIZE):
    hidden, wide = HEADS * SIZE, HEADS * v_size
    t = s + (p if past else 0)
    return {"x": real(rng, b, s, 24), "w": real(rng, 24, 2 * hidden + wide, scale=0.3),
            "bias": real(rng, 2 * hidden + wide) if bias else None, "mask": key_mask(rng, b, s, t, mask),
            "past": real(rng, 2, b, HEADS, p, SIZE) if past else None,
            "scores": real(rng, *{"all": (b, HEADS, s, t), "batch": (1, HEADS, s, t), "heads": (b, 1, s, t)}[scores])
            if scores else None}


def attention(name, feed_more=None, outputs=("y",), sizes=SEQUENCES, more=None, **attrs):
    add(f"Attention-{name}", "Attention", partial(attention_feed, **(feed_more or {})), sizes,
        attrs=dict(num_heads=HEADS, **attrs), outputs=outputs, weights=("w", "bias"), **(more or {}))


def zero_bias(case, inputs, outputs):
    """ONNX Runtime 1.31 ends with a segmentation fault without a bias."""
    name = outputs[0] + "_bias"
    bias = helper.make_tensor(name, TensorProto.FLOAT, [3 * HEADS * SIZE], np.zeros(3 * HEADS * SIZE, F32))
    return [helper.make_node("Constant", [], [name], value=bias),
            helper.make_node("Attention", [*inputs[:2], name], outputs, domain="com.microsoft", **case.attrs)]


attention("plain")
attention("nobias", dict(bias=False), more=dict(standard=zero_bias), scale=0.2)
attention("causal", unidirectional=1)
for mask in ("lengths", "ends", "raw", "matrix"):
    # Two entries a batch cannot be told from one a batch while their number is a symbol of its own.
    more = dict(forms=("static", "constant")) if mask == "ends" else {}
    attention(f"mask-{mask}", dict(mask=mask), more=more)
    attention(f"mask-{mask}-causal", dict(mask=mask), more=more, unidirectional=1, mask_filter_value=-500.0)
attention("past", dict(past=True), ("y", "present"))
attention("past-causal", dict(past=True), ("y", "present"), unidirectional=1)
attention("past-mask", dict(past=True, mask="raw"), ("y", "present"), unidirectional=1)
attention("present-only", {}, ("y", "present"))
for scores in ("all", "batch", "heads"):
    attention(f"scores-{scores}", dict(scores=scores), unidirectional=int(scores == "all"))
attention("scores-mask", dict(scores="all", mask="raw"))
attention("v-size", dict(v_size=6), qkv_hidden_sizes=[HEADS * SIZE, HEADS * SIZE, HEADS * 6])
attention("long", dict(mask="raw"), sizes=[dict(b=1, s=33, p=0), dict(b=2, s=48, p=0)])


def quantized_attention(rng, b, s, p, right, per_column=False, mask=None, past=False, zero=True):
    hidden = HEADS * SIZE
    t = s + (p if past else 0)
    columns = 3 * hidden
    return {"x": integers(rng, b, s, 24), "w": weight(rng, 24, columns, dtype=right), "bias": real(rng, columns),
            "x_scale": scalar(0.02), "w_scale": column_scale(rng, columns, per_column), "mask": key_mask(rng, b, s, t, mask),
            "x_zero": zero_point(rng, U8) if zero else None,
            "w_zero": zero_point(rng, right, *((columns,) if per_column else ())) if zero else None,
            "past": real(rng, 2, b, HEADS, p, SIZE) if past else None}


for right in (U8, I8):
    for name, more, outputs, attrs in (
            ("plain", dict(), ("y",), {}), ("column", dict(per_column=True), ("y",), dict(unidirectional=1)),
            ("mask", dict(mask="lengths"), ("y",), {}), ("raw", dict(mask="raw"), ("y",), {}),
            ("past", dict(past=True), ("y", "present"), dict(unidirectional=1))):
        add(f"QAttention-{np.dtype(right).name}-{name}", "QAttention", partial(quantized_attention, right=right, **more),
            SEQUENCES, attrs=dict(num_heads=HEADS, **attrs), outputs=outputs,
            weights=("w", "bias", "x_scale", "w_scale", "x_zero", "w_zero"))


def multi_head(rng, b, s, p, kv=None, bias=False, mask=None, scores=None, past=False, v_size=SIZE, form=3):
    hidden, wide = HEADS * SIZE, HEADS * v_size
    length = kv + s if kv else s
    t = length + (p if past else 0)
    if form == 4:
        key, value = real(rng, b, HEADS, length, SIZE), real(rng, b, HEADS, length, v_size)
    else:
        key, value = real(rng, b, length, hidden), real(rng, b, length, wide)
    return {"query": real(rng, b, s, hidden), "key": key, "value": value,
            "bias": real(rng, 2 * hidden + wide) if bias else None, "mask": key_mask(rng, b, s, t, mask),
            "scores": real(rng, *{"all": (b, HEADS, s, t), "one": (1, 1, s, t)}[scores]) if scores else None,
            "past_key": real(rng, b, HEADS, p, SIZE) if past else None,
            "past_value": real(rng, b, HEADS, p, v_size) if past else None}


def multi(name, more=None, outputs=("y",), sizes=SEQUENCES, **attrs):
    add(f"MultiHeadAttention-{name}", "MultiHeadAttention", partial(multi_head, **(more or {})), sizes,
        attrs=dict(num_heads=HEADS, **attrs), outputs=outputs, weights=("bias",))


multi("plain")
multi("bias", dict(bias=True), scale=0.3)
multi("cross", dict(kv=5, bias=True))
multi("causal", unidirectional=1)
multi("cross-state", dict(kv=3, form=4))
for mask in ("lengths", "raw", "matrix"):
    multi(f"mask-{mask}", dict(mask=mask, kv=2), mask_filter_value=-300.0)
multi("scores", dict(scores="all", bias=True))
multi("scores-one", dict(scores="one", mask="raw"), unidirectional=1)
multi("past", dict(past=True, bias=True), ("y", "present_key", "present_value"))
multi("past-causal", dict(past=True), ("y", "present_key", "present_value"), unidirectional=1)
multi("present-only", {}, ("y", "present_key", "present_value"))
multi("v-size", dict(v_size=6, kv=2))
multi("long", dict(mask="raw"), sizes=[dict(b=1, s=33, p=0), dict(b=2, s=48, p=0)])
multi("qk", dict(scores="all"), ("y", "present_key", "present_value", "qk"))


def packed_heads(case, inputs, outputs):
    """MultiHeadAttention of the parts; ONNX Runtime's CPU kernel has no packed form."""
    name, width = outputs[0], HEADS * SIZE
    nodes = [helper.make_node("Constant", [], [name + "_shape"], value=helper.make_tensor(
        name + "_s", TensorProto.INT64, [3], [0, 0, width]))]
    names = []
    for source in inputs:
        parts = 3 if len(inputs) == 1 else 2
        if len(inputs) == 2 and source == inputs[0]:
            names.append(source)
            continue
        pieces = [f"{name}_{source}_{i}" for i in range(parts)]
        nodes.append(helper.make_node("Split", [source], pieces, axis=3, num_outputs=parts))
        for piece in pieces:
            nodes.append(helper.make_node("Reshape", [piece, name + "_shape"], [piece + "_r"]))
            names.append(piece + "_r")
    return nodes + [helper.make_node("MultiHeadAttention", names, outputs, domain="com.microsoft", **case.attrs)]


add("MultiHeadAttention-packed", "MultiHeadAttention", lambda rng, b, s, p: {"query": real(rng, b, s, HEADS, 3, SIZE)},
    SEQUENCES, attrs=dict(num_heads=HEADS), standard=packed_heads)
add("MultiHeadAttention-packed-kv", "MultiHeadAttention",
    lambda rng, b, s, p: {"query": real(rng, b, s, HEADS * SIZE), "key": real(rng, b, s + 2, HEADS, 2, SIZE)},
    SEQUENCES, attrs=dict(num_heads=HEADS), standard=packed_heads)


def rotary_caches(rng, rows, half, dtype):
    angle = np.arange(rows)[:, None] * (10000.0 ** (-np.arange(half) / half))[None]
    return {"cos": np.cos(angle).astype(dtype), "sin": np.sin(angle).astype(dtype)}


def rotary_feed(rng, b, s, p, dtype=F32, rank=3, positions="all", rotary=SIZE):
    x = real(rng, b, s, HEADS * SIZE, dtype=dtype) if rank == 3 else real(rng, b, HEADS, s, SIZE, dtype=dtype)
    ids = rng.integers(0, 40, (b, s)) if positions == "all" else np.array([p])
    return {"x": x, "ids": ids.astype(np.int64)} | rotary_caches(rng, 64, rotary // 2, dtype)


for dtype in (F32, F16):
    for rank in (3, 4):
        for interleaved in (0, 1):
            add(f"RotaryEmbedding-{np.dtype(dtype).name}-{rank}-{interleaved}", "RotaryEmbedding",
                partial(rotary_feed, dtype=dtype, rank=rank), SEQUENCES, attrs=dict(interleaved=interleaved),
                weights=("cos", "sin"), bound=1e-5 if dtype == F32 else 2**-9)
add("RotaryEmbedding-offset", "RotaryEmbedding", partial(rotary_feed, positions="one"), SEQUENCES, weights=("cos", "sin"))
add("RotaryEmbedding-partial", "RotaryEmbedding", partial(rotary_feed, rotary=4), SEQUENCES, weights=("cos", "sin"),
    attrs=dict(rotary_embedding_dim=4, num_heads=HEADS))


def group_query(rng, b, s, p, dtype=F32, own=2, past="none", packed=False, rotary=False, ids=False, bias=None, sink=False,
                ragged=False, room=0, size=16):
    """past: "none" (a first prompt), "exact" (as many keys as there were) or "room" (a buffer with free rows)."""
    before = p if past != "none" else 0
    total = before + s
    feed = {"query": real(rng, b, s, (HEADS + 2 * own if packed else HEADS) * size, dtype=dtype),
            "key": None if packed else real(rng, b, s, own * size, dtype=dtype),
            "value": None if packed else real(rng, b, s, own * size, dtype=dtype)}
    rows = {"none": 0, "exact": p, "room": total + room}[past]
    for name in ("past_key", "past_value"):
        feed[name] = real(rng, b, own, rows, size, dtype=dtype) if past != "none" else None
    lengths = np.full(b, total - 1)
    if ragged:
        lengths[1:] -= rng.integers(0, min(2, total - s + 1), b - 1) if past != "none" else rng.integers(0, 3, b - 1)
    feed |= {"seqlens_k": lengths.astype(np.int32), "total_sequence_length": None,
             "cos": None, "sin": None, "ids": None, "bias": None, "sink": None}
    if rotary:
        feed |= rotary_caches(rng, 96, size // 2, dtype)
    if ids:
        feed["ids"] = (before + np.tile(np.arange(s), (b, 1))).astype(np.int64)
    if bias:
        feed["bias"] = real(rng, *{"all": (b, HEADS, s, total), "one": (1, 1, s, total)}[bias], dtype=dtype)
    if sink:
        feed["sink"] = real(rng, HEADS, dtype=dtype)
    return feed | {"_tokens": np.ones((b, total), np.int64)}


GROUPS = [dict(b=1, s=5, p=4), dict(b=2, s=9, p=3), dict(b=3, s=14, p=6)]
ONE = [dict(b=1, s=3, p=4), dict(b=1, s=5, p=9), dict(b=1, s=16, p=20)]
TOKEN = [dict(b=1, s=1, p=4), dict(b=2, s=1, p=9), dict(b=3, s=1, p=20)]


def grouped(name, more, sizes, outputs=("y", "present_key", "present_value"), dtypes=(F32,), **attrs):
    for dtype in dtypes:
        more = dict(more, dtype=dtype)
        add(f"GroupQueryAttention-{name}" + ("" if dtype == F32 else "-float16"), "GroupQueryAttention",
            partial(group_query, **more), sizes,
            attrs=dict(num_heads=HEADS, kv_num_heads=more.get("own", 2), **attrs), outputs=outputs,
            weights=("cos", "sin", "sink"), derived={"total_sequence_length": ("_tokens", 1)},
            bound=1e-5 if dtype == F32 else 2**-8)


BOTH = (F32, F16)
grouped("prompt", {}, GROUPS, dtypes=BOTH)
grouped("prompt-packed", dict(packed=True), GROUPS)
grouped("prompt-rotary", dict(rotary=True), GROUPS, do_rotary=1)
grouped("prompt-rotary-interleaved", dict(rotary=True, packed=True), GROUPS, do_rotary=1, rotary_interleaved=1)
grouped("prompt-all-heads", dict(own=4), GROUPS, scale=0.3)
grouped("prompt-one-head", dict(own=1), GROUPS)
grouped("prompt-window", {}, GROUPS, local_window_size=3)
grouped("prompt-softcap", {}, GROUPS, softcap=5.0)
grouped("prompt-bias", dict(bias="all"), GROUPS)
grouped("prompt-bias-one", dict(bias="one"), GROUPS)
grouped("prompt-sink", dict(sink=True), GROUPS)
grouped("prompt-smooth", {}, GROUPS, smooth_softmax=1)
grouped("prompt-buffer", dict(past="room", room=3), [dict(b=1, s=5, p=0), dict(b=2, s=9, p=0), dict(b=3, s=14, p=0)])
grouped("token", dict(past="exact"), TOKEN, dtypes=BOTH)
grouped("token-rotary", dict(past="exact", rotary=True, packed=True), TOKEN, do_rotary=1, dtypes=BOTH)
grouped("token-ids", dict(past="exact", rotary=True, ids=True), TOKEN, do_rotary=1)
grouped("token-buffer", dict(past="room", room=4, rotary=True), TOKEN, do_rotary=1)
grouped("token-ragged", dict(past="room", room=2, ragged=True), TOKEN)
grouped("token-window", dict(past="exact"), TOKEN, local_window_size=5)
grouped("token-softcap", dict(past="exact"), TOKEN, softcap=8.0)
grouped("token-bias", dict(past="exact", bias="all"), TOKEN)
grouped("token-sink", dict(past="exact", sink=True), TOKEN)
grouped("chunk", dict(past="exact"), ONE, dtypes=BOTH)
grouped("chunk-rotary", dict(past="exact", rotary=True), ONE, do_rotary=1)
grouped("chunk-window", dict(past="exact"), ONE, local_window_size=6)
grouped("chunk-buffer", dict(past="room", room=5, rotary=True), ONE, do_rotary=1)

# --- Recurrent --------------------------------------------------------------------------------------------------------


def lstm_feed(rng, t, b, dtype, directions=1, lengths=False, bias=True, states=False, peepholes=False, per_column=False):
    size, hidden = 6, 8
    scale = (directions, 4 * hidden) if per_column else (directions,)
    # Scales for each column go with zero points of 0.
    zero = (lambda *shape: np.zeros(shape, dtype)) if per_column else partial(zero_point, rng, dtype)
    return {"x": real(rng, t, b, size), "w": weight(rng, directions, size, 4 * hidden, dtype=dtype),
            "r": weight(rng, directions, hidden, 4 * hidden, dtype=dtype),
            "bias": real(rng, directions, 8 * hidden, scale=0.3) if bias else None,
            "lengths": rng.integers(1, t + 1, b).astype(np.int32) if lengths else None,
            "h": real(rng, directions, b, hidden, scale=0.3) if states else None,
            "c": real(rng, directions, b, hidden, scale=0.3) if states else None,
            "p": real(rng, directions, 3 * hidden, scale=0.3) if peepholes else None,
            "w_scale": rng.uniform(0.003, 0.006, scale).astype(F32), "w_zero": zero(*scale),
            "r_scale": rng.uniform(0.003, 0.006, scale).astype(F32), "r_zero": zero(*scale)}


LSTMS = [dict(t=5, b=1), dict(t=9, b=1), dict(t=3, b=1)]
for dtype in (U8, I8):
    for name, more, attrs in (("forward", {}, {}), ("reverse", dict(bias=False), dict(direction="reverse")),
                              ("both", dict(directions=2, states=True), dict(direction="bidirectional")),
                              ("lengths", dict(lengths=True), {}), ("peepholes", dict(peepholes=True), {}),
                              *((("column", dict(per_column=True), {}),) if dtype == I8 else ())):
        weights = ("w", "r", "bias", "p", "w_scale", "w_zero", "r_scale", "r_zero")
        add(f"DynamicQuantizeLSTM-{np.dtype(dtype).name}-{name}", "DynamicQuantizeLSTM",
            partial(lstm_feed, dtype=dtype, **more), LSTMS, attrs=dict(hidden_size=8, **attrs),
            outputs=("y", "y_h", "y_c"), weights=weights, fixed=("w", "r", "w_scale", "w_zero", "r_scale", "r_zero"))
