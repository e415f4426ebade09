#!/usr/bin/env python3
"""Random small ONNX graphs: what torshc makes of them against ONNX Runtime.

Every seed gives one graph. It is compiled at -O3 and -O0 and run by the reference evaluator (--naive), and each must
agree with ONNX Runtime, for several sizes where dims are symbolic. A failing model is kept with its inputs:

    random_graphs.py --torshc build/bin/torshc --seed 17 --count 1 --keep /tmp/failed
"""

import sys

try:
    import numpy as np
    import random_models
    from onnx import TensorProto, helper, numpy_helper
except ImportError as problem:
    print(f"skipped: {problem}; install the packages of requirements/")
    sys.exit(77)

LEVELS = ["-O3", "-O0", "-O3 --fusion=conservative", "-O3 --fusion=aggressive", "-O3 --batch-order=images"]
SIZES = [{"n": 3, "s": 6}, {"n": 2, "s": 9}]
UNARY = ["Relu", "Tanh", "Sigmoid", "Neg", "Abs", "Erf", "Sin", "Cos", "LeakyRelu", "HardSwish", "Softplus", "Elu",
         "Softsign", "Gelu", "HardSigmoid", "Mish", "Atan"]
EXACT_UNARY = ["Relu", "Neg", "Abs"]
REDUCTIONS = ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"]


class Value:
    """A tensor of the graph: dims are (label, size) pairs, label None where static. `exact` values were only moved, so
    that a discontinuous op on them has one right answer."""

    def __init__(self, name, dims, exact=False):
        self.name, self.dims, self.exact = name, list(dims), exact

    @property
    def rank(self):
        return len(self.dims)

    def static(self, axis):
        return self.dims[axis][0] is None


def fixed(size):
    return (None, int(size))


class Builder:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.nodes, self.weights, self.inputs, self.pool, self.used = [], [], [], [], set()
        self.symbolic = bool(self.rng.random() < 0.5)

    def chance(self, probability):
        return self.rng.random() < probability

    def pick(self, choices):
        choices = list(choices)
        return choices[int(self.rng.integers(len(choices)))] if choices else None

    def fresh(self):
        return f"v{len(self.nodes)}_{len(self.weights)}"

    def weight(self, array):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.array(array, order="C"), name))
        return name

    def random(self, *shape, scale=1.0):
        return self.weight((self.rng.standard_normal(shape) * scale).astype(np.float32))

    def ints(self, values):
        return self.weight(np.array(values, np.int64))

    def raw(self, op, inputs, outputs=1, **attributes):
        names = [f"t{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=f"n{len(self.nodes)}_{op}", **attributes))
        self.used.update(inputs)
        return names[0] if outputs == 1 else names

    def add(self, op, inputs, dims, exact=False, **attributes):
        names = [i.name if isinstance(i, Value) else i for i in inputs]
        value = Value(self.raw(op, names, **attributes), dims, exact)
        self.pool.append(value)
        return value

    def input(self, dims):
        value = Value(f"x{len(self.inputs)}", dims, exact=True)
        self.inputs.append(value)
        self.pool.append(value)

    def tamed(self, value):
        """The value in (-1, 1), so that sums and products of many ops stay small."""
        return Value(self.raw("Tanh", [value.name]), value.dims)

    # One method an op family; each returns without a node where its operand does not fit.

    def unary(self, value):
        exact = value.exact and self.chance(0.5)
        self.add(self.pick(EXACT_UNARY if exact else UNARY), [value], value.dims, exact)

    def rounding(self, value):
        if value.exact:
            op = self.pick(["Floor", "Ceil", "Round", "Sign"])
            self.add(op, [value], value.dims, True)

    def exponential(self, value):
        self.add(self.pick(["Exp", "Exp", "Sqrt"]), [Value(self.raw("Sigmoid", [value.name]), value.dims)], value.dims)

    def binary(self, value):
        other = self.pick(v for v in self.pool if self.broadcast(value, v) is not None)
        op = self.pick(["Add", "Sub", "Mul", "Max", "Min", "Div"])
        a, b = (value, other) if self.chance(0.5) else (other, value)
        if op == "Mul":
            a = self.tamed(a)
        if op == "Div":
            b = Value(self.raw("Add", [self.raw("Abs", [b.name]), self.weight(np.float32(1))]), b.dims)
        exact = op in ("Max", "Min") and a.exact and b.exact
        self.add(op, [a, b], self.broadcast(a, b), exact)

    def with_constant(self, value):
        shape = [size if label is None and self.chance(0.7) else 1 for label, size in value.dims]
        shape = shape[int(self.rng.integers(len(shape) + 1)):]
        self.add(self.pick(["Add", "Mul", "Sub"]), [value, self.random(*shape)], value.dims)

    def where(self, value):
        other = self.pick(v for v in self.pool if v.exact)
        if other and self.broadcast(value, other) is not None:
            test = self.raw(self.pick(["Greater", "LessOrEqual"]), [other.name, self.weight(np.float32(0.1))])
            dims = self.broadcast(value, other)
            self.add("Where", [test, value, other] if self.chance(0.5) else [test, other, value], dims)

    @staticmethod
    def broadcast(a, b):
        dims = []
        for i in range(max(a.rank, b.rank)):
            x = a.dims[-1 - i] if i < a.rank else fixed(1)
            y = b.dims[-1 - i] if i < b.rank else fixed(1)
            if x != y and fixed(1) not in (x, y):
                return None
            dims.insert(0, y if x == fixed(1) else x)
        return dims if len(dims) <= 5 else None

    def reduction(self, value):
        if not value.rank:
            return
        axes = sorted(self.rng.choice(value.rank, int(self.rng.integers(1, value.rank + 1)), replace=False).tolist())
        keep = int(self.rng.integers(2))
        dims = [d if i not in axes else fixed(1) for i, d in enumerate(value.dims) if keep or i not in axes]
        if self.chance(0.3):
            axes = [a - value.rank for a in axes]
        op = self.pick(REDUCTIONS)
        source = self.tamed(value) if op in ("ReduceSumSquare", "ReduceL2") else value
        self.add(op, [source, self.ints(axes)], dims, keepdims=keep)

    def arg_reduction(self, value):
        if value.rank and value.exact:
            axis, keep = int(self.rng.integers(value.rank)), int(self.rng.integers(2))
            dims = [d if i != axis else fixed(1) for i, d in enumerate(value.dims) if keep or i != axis]
            index = self.raw(self.pick(["ArgMax", "ArgMin"]), [value.name], axis=axis, keepdims=keep)
            self.add("Cast", [index], dims, True, to=TensorProto.FLOAT)

    def row_op(self, value):
        if not value.rank:
            return
        axis = int(self.rng.integers(value.rank)) if self.chance(0.5) else -1
        op = self.pick(["Softmax", "LogSoftmax", "CumSum"])
        if op == "CumSum":
            self.add(op, [value, self.ints(axis)], value.dims, exclusive=int(self.rng.integers(2)),
                     reverse=int(self.rng.integers(2)))
        else:
            self.add(op, [value], value.dims, axis=axis)

    def layer_norm(self, value):
        if value.rank > 1 and value.static(-1) and value.dims[-1][1] > 2:
            size = value.dims[-1][1]
            inputs = [value, self.random(size)] + ([self.random(size)] if self.chance(0.5) else [])
            self.add("LayerNormalization", inputs, value.dims, axis=-1, epsilon=1e-2)

    def matmul(self, value):
        if value.rank < 2 or not value.static(-1):
            return
        k, n = value.dims[-1][1], int(self.rng.integers(1, 40))
        if value.rank == 2 and self.chance(0.5):
            turned = int(self.rng.integers(2))
            shape = (n, k) if turned else (k, n)
            self.add("Gemm", [value, self.random(*shape, scale=k**-0.5), self.random(n)], [value.dims[0], fixed(n)],
                     transB=turned, alpha=0.5)
        else:
            self.add("MatMul", [value, self.random(k, n, scale=k**-0.5)], value.dims[:-1] + [fixed(n)])

    def self_attention(self, value):
        if value.rank >= 2:
            small = self.tamed(value)
            order = list(range(value.rank - 2)) + [value.rank - 1, value.rank - 2]
            turned = self.raw("Transpose", [small.name], perm=order)
            scores = self.add("MatMul", [small, turned], value.dims[:-1] + [value.dims[-2]])
            if self.chance(0.5):
                weights = self.raw("Softmax", [scores.name], axis=-1)
                self.add("MatMul", [weights, value], value.dims)

    def convolution(self, value):
        if value.rank not in (3, 4) or not value.static(1) or value.dims[1][1] > 48:
            return
        spatial, channels = value.rank - 2, value.dims[1][1]
        kernel = int(self.rng.integers(1, 4))
        dilation, stride = (int(self.rng.integers(1, 3)) for _ in range(2))
        pad = [int(self.rng.integers(0, 2)) for _ in range(2 * spatial)]
        reach = (kernel - 1) * dilation + 1
        sizes = [value.dims[2 + i][1] + pad[i] + pad[spatial + i] for i in range(spatial)]
        if min(sizes) < reach or any(label and size < 6 for label, size in value.dims[2:]):
            return
        group = self.pick(g for g in (1, 1, 2, channels) if channels % g == 0)
        filters = group * int(self.rng.integers(1, 9)) if group < channels else channels * self.pick([1, 2])
        shape = [filters, channels // group] + [kernel] * spatial
        weight = self.random(*shape, scale=(channels // group * kernel**spatial) ** -0.5)
        dims = [value.dims[0], fixed(filters)]
        for (label, _), size in zip(value.dims[2:], sizes):
            dims.append((label and f"c{len(self.nodes)}({label})", (size - reach) // stride + 1))
        inputs = [value, weight] + ([self.random(filters)] if self.chance(0.7) else [])
        result = self.add("Conv", inputs, dims, group=group, kernel_shape=[kernel] * spatial, pads=pad,
                          dilations=[dilation] * spatial, strides=[stride] * spatial)
        if self.chance(0.3):
            scale, bias, mean = (self.random(filters) for _ in range(3))
            variance = self.weight((self.rng.random(filters) + 0.5).astype(np.float32))
            self.add("BatchNormalization", [result, scale, bias, mean, variance], dims)

    def transposed_convolution(self, value):
        if value.rank == 4 and value.static(1) and value.dims[1][1] <= 16 and value.static(2) and value.static(3):
            channels, filters, kernel = value.dims[1][1], int(self.rng.integers(1, 6)), int(self.rng.integers(1, 4))
            stride = int(self.rng.integers(1, 3))
            dims = [value.dims[0], fixed(filters)] + [fixed((d[1] - 1) * stride + kernel) for d in value.dims[2:]]
            if dims[2][1] * dims[3][1] < 2000:
                self.add("ConvTranspose", [value, self.random(channels, filters, kernel, kernel, scale=0.3)], dims,
                         strides=[stride] * 2)

    def pooling(self, value):
        if value.rank == 4 and value.static(2) and value.static(3) and min(value.dims[2][1], value.dims[3][1]) >= 3:
            if self.chance(0.3):
                self.add("GlobalAveragePool", [value], value.dims[:2] + [fixed(1)] * 2)
                return
            op, stride = self.pick(["MaxPool", "AveragePool"]), int(self.rng.integers(1, 3))
            dims = value.dims[:2] + [fixed((d[1] + 2 - 3) // stride + 1) for d in value.dims[2:]]
            extra = {"count_include_pad": int(self.rng.integers(2))} if op == "AveragePool" else {}
            self.add(op, [value], dims, value.exact and op == "MaxPool", kernel_shape=[3, 3], pads=[1] * 4,
                     strides=[stride] * 2, **extra)

    def instance_norm(self, value):
        if value.rank >= 3 and value.static(1):
            channels = value.dims[1][1]
            self.add("InstanceNormalization", [value, self.random(channels), self.random(channels)], value.dims,
                     epsilon=1e-2)

    def transpose(self, value):
        order = self.rng.permutation(value.rank).tolist()
        if order:
            self.add("Transpose", [value], [value.dims[i] for i in order], value.exact, perm=order)

    def reshape(self, value):
        if value.rank < 2:
            return
        # Two neighbours become one; with 0 the others are kept, whatever their size is.
        axis = int(self.rng.integers(value.rank - 1))
        (a, m), (b, n) = value.dims[axis:axis + 2]
        merged = fixed(m * n) if a is None and b is None else (f"({a or m}*{b or n})", m * n)
        target = [0] * axis + [-1] + [d[1] if d[0] is None else None for d in value.dims[axis + 2:]]
        if None not in target:
            self.add("Reshape", [value, self.ints(target)], value.dims[:axis] + [merged] + value.dims[axis + 2:],
                     value.exact)

    def split_axis(self, value):
        axis = self.pick(i for i in range(value.rank) if value.static(i) and value.dims[i][1] % 2 == 0)
        if axis is not None and value.rank < 5 and all(value.static(i) for i in range(axis, value.rank)):
            half = [fixed(2), fixed(value.dims[axis][1] // 2)]
            target = [0] * axis + [-1, half[1][1]] + [d[1] for d in value.dims[axis + 1:]]
            self.add("Reshape", [value, self.ints(target)], value.dims[:axis] + half + value.dims[axis + 1:],
                     value.exact)

    def slice(self, value):
        axis = self.pick(i for i in range(value.rank) if value.dims[i][1] >= 2)
        if axis is None:
            return
        label, size = value.dims[axis]
        if label is None:
            start, step = int(self.rng.integers(0, size - 1)), self.pick([1, 1, 2, -1])
            end = int(self.rng.integers(start + 1, size + 1))
            count = len(range(start, end, abs(step)))
            if step < 0:
                start, end, step, count = size - 1, -size - 1, -1, size
            result = fixed(count)
        else:
            start, end, step = self.pick([(0, -1, 1), (1, 2**62, 1)])
            result = (f"({label})-1", size - 1)
            if size - 1 < 2:
                return
        self.add("Slice", [value, self.ints([start]), self.ints([end]), self.ints([axis]), self.ints([step])],
                 value.dims[:axis] + [result] + value.dims[axis + 1:], value.exact)

    def concat(self, value):
        if not value.rank:
            return
        axis = int(self.rng.integers(value.rank))
        fits = [v for v in self.pool if v.rank == value.rank and value.static(axis) and v.static(axis)
                and all(x == y for i, (x, y) in enumerate(zip(v.dims, value.dims)) if i != axis)]
        parts = [value] + [self.pick(fits) for _ in range(int(self.rng.integers(1, 3)))] if fits else []
        if parts and sum(p.dims[axis][1] for p in parts) <= 64:
            dims = value.dims[:axis] + [fixed(sum(p.dims[axis][1] for p in parts))] + value.dims[axis + 1:]
            self.add("Concat", parts, dims, all(p.exact for p in parts), axis=axis)

    def split(self, value):
        axis = self.pick(i for i in range(value.rank) if value.static(i) and value.dims[i][1] >= 2)
        if axis is not None:
            size = value.dims[axis][1]
            first = int(self.rng.integers(1, size))
            names = self.raw("Split", [value.name, self.ints([first, size - first])], outputs=2, axis=axis)
            for name, part in zip(names, (first, size - first)):
                dims = value.dims[:axis] + [fixed(part)] + value.dims[axis + 1:]
                self.pool.append(Value(name, dims, value.exact))

    def pad(self, value):
        axis = self.pick(i for i in range(value.rank) if value.dims[i][1] >= 3)
        if axis is not None:
            mode = self.pick(["constant", "constant", "reflect", "edge"])
            before, after = (int(self.rng.integers(0, 3)) for _ in range(2))
            pads = [0] * (2 * value.rank)
            pads[axis], pads[value.rank + axis] = before, after
            label, size = value.dims[axis]
            grown = (label and f"({label})+{before + after}", size + before + after)
            self.add("Pad", [value, self.ints(pads)], value.dims[:axis] + [grown] + value.dims[axis + 1:],
                     value.exact, mode=mode)

    def unsqueeze(self, value):
        if value.rank < 4:
            axis = int(self.rng.integers(value.rank + 1))
            self.add("Unsqueeze", [value, self.ints([axis])], value.dims[:axis] + [fixed(1)] + value.dims[axis:],
                     value.exact)

    def squeeze(self, value):
        axis = self.pick(i for i, d in enumerate(value.dims) if d == fixed(1))
        if axis is not None:
            self.add("Squeeze", [value, self.ints([axis])], value.dims[:axis] + value.dims[axis + 1:], value.exact)

    def gather(self, value):
        axis = self.pick(i for i in range(value.rank) if value.static(i) and value.dims[i][1])
        if axis is not None:
            count = int(self.rng.integers(1, 6))
            size = value.dims[axis][1]
            index = self.rng.integers(-size, size, count) if count > 1 else self.rng.integers(0, size)
            middle = [fixed(count)] if count > 1 else []
            self.add("Gather", [value, self.ints(index)], value.dims[:axis] + middle + value.dims[axis + 1:],
                     value.exact, axis=axis)

    def expand(self, value):
        axis = self.pick(i for i, d in enumerate(value.dims) if d == fixed(1))
        if axis is not None:
            target = [1] * value.rank
            target[axis] = int(self.rng.integers(2, 6))
            dims = value.dims[:axis] + [fixed(target[axis])] + value.dims[axis + 1:]
            self.add("Expand", [value, self.ints(target)], dims, value.exact)

    def tile(self, value):
        axis = self.pick(i for i in range(value.rank) if value.static(i) and value.dims[i][1] <= 16)
        if axis is not None:
            repeats = [1] * value.rank
            repeats[axis] = 2
            dims = value.dims[:axis] + [fixed(2 * value.dims[axis][1])] + value.dims[axis + 1:]
            self.add("Tile", [value, self.ints(repeats)], dims, value.exact)

    def resize(self, value):
        if value.rank == 4 and value.static(2) and value.static(3) and value.dims[2][1] * value.dims[3][1] < 300:
            scales = self.weight(np.array([1, 1, 2, 2], np.float32))
            dims = value.dims[:2] + [fixed(2 * d[1]) for d in value.dims[2:]]
            self.add("Resize", [value, "", scales], dims, mode=self.pick(["nearest", "linear"]),
                     coordinate_transformation_mode=self.pick(["asymmetric", "half_pixel"]))

    def shape_arithmetic(self, value):
        """A size read at run time flows back into the numbers and into a shape."""
        if value.rank >= 2:
            axis = int(self.rng.integers(value.rank))
            shape = self.raw("Shape", [value.name])
            size = self.raw("Gather", [shape, self.ints([axis])])
            divisor = self.raw("Cast", [size], to=TensorProto.FLOAT)
            self.add("Div", [value, divisor], value.dims)
            flat = self.raw("Reshape", [value.name, self.ints([-1])])
            self.add("Reshape", [flat, shape], value.dims, value.exact)

    def integer_mask(self, value):
        if value.exact:
            ints = self.raw("Cast", [self.raw("Mul", [value.name, self.weight(np.float32(4))])], to=TensorProto.INT32)
            odd = self.raw("Mod", [ints, self.weight(np.int32(3))])
            test = self.raw("Equal", [odd, self.weight(np.int32(1))])
            flags = self.raw("Or", [test, self.raw("Not", [test])]) if self.chance(0.2) else test
            self.add("Cast", [flags], value.dims, True, to=TensorProto.FLOAT)

    def top_k(self, value):
        axis = self.pick(i for i in range(value.rank) if value.static(i) and value.dims[i][1] >= 3)
        if axis is not None and value.exact:
            values, _ = self.raw("TopK", [value.name, self.ints([2])], outputs=2, axis=axis,
                                 largest=int(self.rng.integers(2)))
            self.pool.append(Value(values, value.dims[:axis] + [fixed(2)] + value.dims[axis + 1:], True))

    def build(self):
        families = [self.unary, self.unary, self.rounding, self.exponential, self.binary, self.binary, self.binary,
                    self.with_constant, self.where, self.reduction, self.reduction, self.arg_reduction, self.row_op,
                    self.layer_norm, self.matmul, self.matmul, self.self_attention, self.convolution,
                    self.convolution, self.transposed_convolution, self.pooling, self.instance_norm, self.transpose,
                    self.transpose, self.reshape, self.split_axis, self.slice, self.concat, self.split, self.pad,
                    self.unsqueeze, self.squeeze, self.gather, self.expand, self.tile, self.resize,
                    self.shape_arithmetic, self.integer_mask, self.top_k]
        batch = ("n", SIZES[0]["n"]) if self.symbolic else fixed(self.rng.integers(1, 4))
        length = ("s", SIZES[0]["s"]) if self.symbolic else fixed(self.rng.integers(2, 10))
        channels, width = fixed(self.rng.integers(1, 20)), fixed(self.rng.integers(3, 24))
        shapes = [[batch, channels, fixed(7), width], [batch, length, width], [length, width], [batch, width],
                  [batch, channels, length], [width], [batch, fixed(1), length, length]]
        for index in self.rng.permutation(len(shapes))[:int(self.rng.integers(1, 4))]:
            self.input(shapes[index])
        target = int(self.rng.integers(3, 13))
        for _ in range(200):
            if len(self.nodes) >= target:
                break
            # Later values are likelier, which makes chains that fuse.
            recent = self.pool[-4:] if self.chance(0.7) else self.pool
            value = self.pick(v for v in recent if np.prod([d[1] for d in v.dims]) < 20000)
            if value:
                self.pick(families)(value)
        made = [v for v in self.pool if v not in self.inputs]
        outputs = [v for v in made if v.name not in self.used] or made[-1:]
        outputs += [v for v in made if v not in outputs and self.chance(0.1)]
        return self.model(outputs)

    def model(self, outputs):
        def info(value, shaped):
            shape = [label or size for label, size in value.dims] if shaped else None
            return helper.make_tensor_value_info(value.name, TensorProto.FLOAT, shape)

        graph = helper.make_graph(self.nodes, "random", [info(v, True) for v in self.inputs],
                                  [info(v, False) for v in outputs], self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def check(torshc, seed, keep):
    builder = Builder(seed)
    model = builder.build()

    def inputs():
        for number, sizes in enumerate(SIZES if builder.symbolic else SIZES[:1]):
            rng = np.random.default_rng([seed, number])
            feeds = {value.name: rng.standard_normal([sizes[label] if label else size for label, size in value.dims])
                     .astype(np.float32) for value in builder.inputs}
            yield sizes if builder.symbolic else "static sizes", feeds

    return random_models.compare(torshc, model, LEVELS, inputs(), seed, keep)


if __name__ == "__main__":
    sys.exit(random_models.main(__doc__, 100, check))
