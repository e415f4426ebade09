"""From a model's kernels to its contractions: what each computes, in the words of a oneDNN primitive."""

import math
from dataclasses import dataclass, field

from kernel_text import integers, number

ROOTS = ("conv", "dot_general", "winograd_output")


class NotComparable(Exception):
    """No primitive of oneDNN computes this kernel, and the text says why."""


@dataclass(frozen=True)
class View:
    """Where a tensor lies in a buffer: dims, and strides and an offset in elements."""

    buffer: str
    offset: int
    dims: tuple
    strides: tuple


@dataclass
class Contraction:
    name: str                  # of the kernel that has the root
    kind: str                  # "conv" or "matmul"
    algorithm: str             # ours: direct, depthwise, Winograd, product
    sizes: dict                # of the primitive
    launches: list             # (index, kernel, inputs, outputs): the calls that do this work, with buffer names
    source: View
    weights: object            # View, or None where ours are transformed
    packing: tuple             # (lead, panels, depth, lanes, columns) of the weights' buffer, or None
    result: View
    bias: str
    posts: list                # tuples: a name, then numbers or a View
    extra: str                 # what ours does besides, which the primitive cannot; "" where both do the same
    times: int = 1
    buffers: dict = field(default_factory=dict)  # name to (Tensor, is a constant)

    @property
    def flops(self):
        s = self.sizes
        if self.kind == "matmul":
            return 2 * s["batch"] * s["rows"] * s["depth"] * s["columns"]
        taps = [taps_inside(*(s[key + axis] for key in ("in_", "out_", "kernel_", "stride_", "dilation_", "low_")))
                for axis in "hw"]
        return 2 * s["batch"] * s["out_channels"] * s["in_channels"] // s["groups"] * taps[0] * taps[1]

    def shape(self):
        s = self.sizes
        if self.kind == "matmul":
            batch = f"{s['batch']}x " if s["batch"] > 1 else ""
            return f"{batch}{s['rows']}x{s['depth']}x{s['columns']}"
        words = [f"{s['in_h']}x{s['in_w']}x{s['in_channels']} to {s['out_channels']}", f"{s['kernel_h']}x{s['kernel_w']}"]
        if (s["stride_h"], s["stride_w"]) != (1, 1):
            words.append(f"stride {s['stride_h']}")
        if (s["dilation_h"], s["dilation_w"]) != (1, 1):
            words.append(f"dilation {s['dilation_h']}")
        if s["groups"] > 1:
            words.append("depthwise" if s["groups"] == s["in_channels"] else f"{s['groups']} groups")
        return " ".join(words)

    def epilogue(self):
        words = (["bias"] if self.bias else []) + [post[0] for post in self.posts]
        return "+".join(words) or "none"


def taps_inside(size, out, kernel, stride, dilation, low):
    """Pairs of an output place and a tap that read the input and no padding: the multiplications that are needed."""
    return sum(0 <= o * stride + k * dilation - low < size for o in range(out) for k in range(kernel))


def dense_strides(dims):
    return tuple(math.prod(dims[axis + 1:]) for axis in range(len(dims)))


def reshaped(view, dims):
    """The view in other dims, or None where its elements would have to move."""
    runs = []  # [elements, stride] of axes that lie as one
    for size, stride in zip(view.dims, view.strides):
        if size == 1:
            continue
        if runs and runs[-1][1] == size * stride:
            runs[-1] = [runs[-1][0] * size, stride]
        else:
            runs.append([size, stride])
    strides = []
    for size in reversed(dims):
        if size == 1:
            strides.append(1)
            continue
        if not runs or runs[-1][0] % size:
            return None
        strides.append(runs[-1][1])
        runs[-1] = [runs[-1][0] // size, runs[-1][1] * size]
        if runs[-1][0] == 1:
            runs.pop()
    return View(view.buffer, view.offset, tuple(dims), tuple(reversed(strides)))


class Shapes:
    """Follows a value of a kernel to the argument that it is a view of."""

    def __init__(self, kernel):
        self.kernel = kernel

    def view(self, value):
        """The View, or None when the value is computed."""
        if value in self.kernel.arguments:
            dims = self.kernel.arguments[value].dims
            return View(value, 0, dims, dense_strides(dims))
        op = self.kernel.ops[value]
        below = self.view(op.operands[0]) if op.name in ("reshape", "transpose", "slice") else None
        if below is None:
            return None
        if op.name == "reshape":
            return reshaped(below, op.results[0].dims)
        if op.name == "transpose":
            axes = integers(op, "perm")
            return View(below.buffer, below.offset, tuple(below.dims[a] for a in axes),
                        tuple(below.strides[a] for a in axes))
        starts, steps = integers(op, "starts"), integers(op, "steps")
        if min(steps) < 1:
            return None
        return View(below.buffer, below.offset + sum(a * s for a, s in zip(starts, below.strides)), op.results[0].dims,
                    tuple(step * s for step, s in zip(steps, below.strides)))


class Epilogue:
    """Reads what a kernel does with its root as post-ops."""

    def __init__(self, kernel, root, columns):
        self.kernel, self.root, self.columns = kernel, root, columns
        self.shapes = Shapes(kernel)
        self.bias = None
        self.reads = {root}
        for name, op in kernel.ops.items():
            if any(o in self.reads for o in op.operands):
                self.reads.add(name)

    def op(self, value, *names):
        op = self.kernel.ops.get(value)
        return op if op and op.name in names else None

    def constant(self, value):
        op = self.op(value, "constant")
        if op:
            return number(op)
        op = self.op(value, "broadcast")
        return self.constant(op.operands[0]) if op else None

    def sides(self, value, name):
        """(the operand that depends on the root, the other), in the order of dependence; None for another op."""
        op = self.op(value, name)
        if not op:
            return None
        a, b = op.operands
        return (a, b) if a in self.reads else (b, a)

    def scaled(self, value, name, wanted):
        """x of `x NAME wanted`, or None."""
        sides = self.sides(value, name)
        if sides and sides[1] not in self.reads:
            constant = self.constant(sides[1])
            if constant is not None and abs(constant - wanted) < 1e-6 * abs(wanted) + 1e-9:
                return sides[0]
        return None

    def clipped(self, value):
        """(x, low, high) of min(max(x, low), high)."""
        upper = self.sides(value, "minimum")
        lower = self.sides(upper[0], "maximum") if upper else None
        if not lower:
            return None
        low, high = self.constant(lower[1]), self.constant(upper[1])
        return None if low is None or high is None else (lower[0], low, high)

    def hard_sigmoid(self, value):
        """x of max(min(x / 6 + 0.5, 1), 0)."""
        clip = self.clipped(value)
        if not clip or clip[1:] != (0.0, 1.0):
            return None
        inner = self.scaled(clip[0], "add", 0.5)
        return self.scaled(inner, "mul", 1 / 6) if inner else None

    def gelu(self, value):
        """x of x * (erf(x / sqrt 2) + 1) * 0.5."""
        inner = self.scaled(value, "mul", 0.5)
        op = self.op(inner, "mul") if inner else None
        for x, other in ((op.operands, op.operands[::-1]) if op else ()):
            plus = self.scaled(other, "add", 1.0)
            erf = self.op(plus, "erf") if plus else None
            root = erf and (self.scaled(erf.operands[0], "div", math.sqrt(2.0)) or
                            self.scaled(erf.operands[0], "mul", math.sqrt(0.5)))
            if root and root == x:
                return x
        return None

    def channel(self, value):
        """The argument that has one number for each column, as `value` broadcasts it; or None."""
        op = self.op(value, "broadcast")
        dims = (op.results[0] if op else self.type(value)).dims
        if op:
            axes = integers(op, "axes")
            source = op.operands[0]
            if not axes or axes[-1] != len(dims) - 1:
                return None
        else:
            source = value
        view = self.shapes.view(source)
        if view is None or math.prod(view.dims) != self.columns or not view.dims or view.dims[-1] != self.columns:
            return None
        return view.buffer if view.offset == 0 else None

    def type(self, value):
        return self.kernel.arguments[value] if value in self.kernel.arguments else self.kernel.ops[value].results[0]

    def posts(self, value):
        """The post-ops from the root to `value`; raises NotComparable where there is no such post-op."""
        if value == self.root:
            return []
        simple = {"sigmoid": "logistic", "tanh": "tanh"}
        op = self.kernel.ops[value]
        if op.name == "reshape":
            return self.posts(op.operands[0])
        if op.name in simple:
            return [*self.posts(op.operands[0]), (simple[op.name],)]
        x = self.gelu(value)
        if x:
            return [*self.posts(x), ("gelu_erf",)]
        x = self.hard_sigmoid(value)
        if x:
            return [*self.posts(x), ("hardsigmoid", 1 / 6, 0.5)]
        clip = self.clipped(value)
        if clip:
            return [*self.posts(clip[0]), ("clip", *clip[1:])]
        if op.name == "mul":
            for x, other in (op.operands, op.operands[::-1]):
                if other in self.kernel.ops and x in self.reads:
                    if self.hard_sigmoid(other) == x:
                        return [*self.posts(x), ("hardswish", 1 / 6, 0.5)]
                    if self.op(other, "sigmoid") and self.kernel.ops[other].operands[0] == x:
                        return [*self.posts(x), ("swish", 1.0)]
        if op.name == "maximum":
            x, other = self.sides(value, "maximum")
            if self.constant(other) == 0.0:
                return [*self.posts(x), ("relu",)]
        if op.name in ("add", "mul"):
            return self.binary(value, op.name)
        raise NotComparable(op.name)

    def binary(self, value, name):
        x, other = self.sides(value, name)
        if other in self.reads:
            raise NotComparable(name)
        constant = self.constant(other)
        if constant is not None:
            return [*self.posts(x), ("linear", *((1.0, constant) if name == "add" else (constant, 0.0)))]
        channel = self.channel(other)
        if channel:
            before = self.posts(x)
            if name == "add" and not before and not self.bias:
                self.bias = channel
                return []
            return [*before, (f"{name}_channel", channel)]
        view = self.shapes.view(other)
        if name == "add" and view and view.dims == self.type(value).dims:
            return [*self.posts(x), ("sum", view)]
        raise NotComparable(f"{name} with another tensor")


def pick(dims, axes):
    return math.prod(dims[a] for a in axes)


class Finder:
    """The contractions of one model."""

    def __init__(self, model):
        self.model = model
        self.producers, self.readers = {}, {}
        for index, (name, op) in enumerate(model.launches):
            for r in range(len(op.results)):
                self.producers[name if len(op.results) == 1 else f"{name}#{r}"] = index
            for operand in op.operands:
                self.readers.setdefault(self.resolve(operand), []).append(index)
        self.skipped = {}

    def resolve(self, value):
        while value in self.model.aliases:
            value = self.model.aliases[value]
        return value

    def kernel_of(self, index):
        return self.model.kernels[self.model.launches[index][1].text]

    def results_of(self, index):
        name, op = self.model.launches[index]
        return [name] if len(op.results) == 1 else [f"{name}#{r}" for r in range(len(op.results))]

    def sole_reader(self, index):
        """The one launch that reads all that launch `index` computes, or None."""
        results = self.results_of(index)
        readers = self.readers.get(results[0], [])
        return readers[0] if len(results) == 1 and len(readers) == 1 else None

    def find(self):
        """Contractions by their kernels' names, equal ones counted; `skipped` tells of the others."""
        found = {}
        for index in range(len(self.model.launches)):
            kernel = self.kernel_of(index)
            roots = [value for value, op in kernel.ops.items() if op.name in ROOTS]
            if not roots:
                if any(op.name in ("lstm", "gru", "rnn") for op in kernel.ops.values()):
                    self.skip(kernel, "a recurrent layer")
                continue
            if kernel.ops[roots[0]].name == "dot_general" and self.is_inside_winograd(index):
                continue
            try:
                if len(roots) > 1:
                    raise NotComparable("two products in one kernel")
                contraction = self.describe(index, kernel, roots[0])
            except NotComparable as reason:
                self.skip(kernel, str(reason))
                continue
            key = tuple(step[1] for step in contraction.launches)
            if key in found:
                found[key].times += 1
            else:
                found[key] = contraction
        return list(found.values())

    def skip(self, kernel, reason):
        times = self.skipped.get(kernel.name, ("", 0))[1]
        self.skipped[kernel.name] = (reason, times + 1)

    def is_inside_winograd(self, index):
        reader = self.sole_reader(index)
        return reader is not None and any(op.name == "winograd_output" for op in self.kernel_of(reader).ops.values())

    def describe(self, index, kernel, root):
        op = kernel.ops[root]
        if any(t.dims is None for t in (*kernel.arguments.values(), *op.results)):
            raise NotComparable("sizes that are not known")
        if any(t.element != "f32" for t in (*op.results, *op.types)):
            raise NotComparable("another element type than f32")
        if len(kernel.yielded) != 1:
            raise NotComparable("more than one result")
        if op.name == "dot_general":
            made = self.product(kernel, op)
        elif op.name == "conv":
            made = self.convolution(kernel, op)
        else:
            made = None
        columns = op.results[0].dims[-1]
        epilogue = Epilogue(kernel, root, columns)
        extra = ""
        try:
            posts = epilogue.posts(kernel.yielded[0])
        except NotComparable as reason:
            posts, epilogue.bias, extra = [], None, str(reason)
        own_bias = self.bias_of(op)
        if own_bias and epilogue.bias:
            posts = [("add_channel", epilogue.bias), *posts]
        bias = own_bias or epilogue.bias
        steps = [index]
        names = self.argument_names(index, kernel)

        def place(view):
            return View(names[view.buffer], view.offset, view.dims, view.strides)

        result_dims = op.results[0].dims
        result = View(self.results_of(index)[0], 0, result_dims, dense_strides(result_dims))
        if made is None:
            kind, algorithm, sizes, source, weights, packing, steps = self.winograd(index, kernel, op)
        else:
            kind, algorithm, sizes, source, weights, packing = made
            source = place(source)
            weights = place(weights) if isinstance(weights, View) else weights
            if kind == "conv":
                steps, source = self.with_padding(index, sizes, source)
        posts = [tuple(place(p) if isinstance(p, View) else names.get(p, p) if isinstance(p, str) else p for p in post)
                 for post in posts]
        return self.assemble(Contraction(kernel.name, kind, algorithm, sizes, steps, source, weights, packing, result,
                                         names[bias] if bias else "", posts, extra))

    def bias_of(self, op):
        words = op.text.split()
        return words[words.index("bias") + 1] if "bias" in words else None

    def argument_names(self, index, kernel):
        operands = self.model.launches[index][1].operands
        return dict(zip(kernel.arguments, (self.resolve(o) for o in operands), strict=True))

    def assemble(self, contraction):
        """Adds the launches' buffers."""
        steps = []
        for index in contraction.launches:
            kernel = self.kernel_of(index)
            names = self.argument_names(index, kernel)
            for argument, name in names.items():
                contraction.buffers[name] = (kernel.arguments[argument], name in self.model.constants)
            results = self.results_of(index)
            for name, tensor in zip(results, self.model.launches[index][1].results, strict=True):
                contraction.buffers[name] = (tensor, False)
            steps.append((index, kernel.name, list(names.values()), results))
        contraction.launches = steps
        return contraction

    def operand(self, kernel, value):
        """(view, packing) of the second operand of a root."""
        op = kernel.ops.get(value)
        while op and op.name == "reshape" and op.operands[0] in kernel.ops:
            value, op = op.operands[0], kernel.ops[op.operands[0]]
        if op and op.name == "unpack":
            packed, plain = op.types[0].dims, op.results[0].dims
            if op.operands[0] not in kernel.arguments:
                raise NotComparable("weights that are computed")
            packing = (math.prod(packed[:-3]), *packed[-3:], plain[-1])
            return View(op.operands[0], 0, plain, dense_strides(plain)), packing
        view = Shapes(kernel).view(value)
        if view is None:
            raise NotComparable("an operand that is computed in the kernel")
        return view, None

    def product(self, kernel, op):
        left, right = (t.dims for t in op.types)
        batch = [integers(op, "batch"), [int(n) for n in self.second(op, "batch")]]
        depth = [integers(op, "contract"), [int(n) for n in self.second(op, "contract")]]
        rows = [a for a in range(len(left)) if a not in batch[0] + depth[0]]
        columns = [a for a in range(len(right)) if a not in batch[1] + depth[1]]
        view = Shapes(kernel).view(op.operands[0])
        if view is None:
            raise NotComparable("an operand that is computed in the kernel")
        weights, packing = self.operand(kernel, op.operands[1])
        right_view = View(weights.buffer, weights.offset, right, dense_strides(right) if packing else weights.strides)
        sizes = {"batch": pick(left, batch[0]), "rows": pick(left, rows), "depth": pick(left, depth[0]),
                 "columns": pick(right, columns)}
        source = self.collapse(view, (batch[0], rows, depth[0]))
        weights = self.collapse(right_view, (batch[1], depth[1], columns))
        return "matmul", "product", sizes, source, weights, packing

    @staticmethod
    def second(op, key):
        """The second list of `key = [..] x [..]`."""
        part = op.text.split(f"{key} = [", 1)[1].split("x [", 1)[1]
        return [n for n in part.split("]", 1)[0].split(",") if n.strip()]

    @staticmethod
    def collapse(view, groups):
        """The view with each group of axes as one axis."""
        dims, strides = [], []
        for group in groups:
            axes = [a for a in group if view.dims[a] != 1]
            for outer, inner in zip(axes, axes[1:]):
                if view.strides[outer] != view.dims[inner] * view.strides[inner]:
                    raise NotComparable("an operand whose rows lie apart")
            dims.append(math.prod(view.dims[a] for a in axes))
            strides.append(view.strides[axes[-1]] if axes else 1)
        return View(view.buffer, view.offset, tuple(dims), tuple(strides))

    def convolution(self, kernel, op):
        (batch, in_h, in_w, channels), (kernel_h, kernel_w, _, out_channels) = (t.dims for t in op.types[:2])
        out_h, out_w = op.results[0].dims[1:3]
        groups = int(op.text.split("groups = ")[1].split()[0])
        sizes = {"batch": batch, "groups": groups, "in_channels": channels, "in_h": in_h, "in_w": in_w,
                 "out_channels": out_channels, "out_h": out_h, "out_w": out_w, "kernel_h": kernel_h,
                 "kernel_w": kernel_w}
        for key, values in (("stride", integers(op, "strides")), ("dilation", integers(op, "dilations")),
                            ("low", integers(op, "low")), ("high", integers(op, "high"))):
            sizes[f"{key}_h"], sizes[f"{key}_w"] = values
        view = Shapes(kernel).view(op.operands[0])
        if view is None:
            raise NotComparable("an input that is computed in the kernel")
        weights, packing = self.operand(kernel, op.operands[1])
        weights = View(weights.buffer, weights.offset, op.types[1].dims, dense_strides(op.types[1].dims))
        return "conv", "depthwise" if groups == channels > 1 else "direct", sizes, view, weights, packing

    def with_padding(self, index, sizes, source):
        """Takes the kernel that pads the input for this convolution alone into the work, and its padding into `sizes`."""
        producer = self.producers.get(source.buffer)
        if producer is None or self.sole_reader(producer) != index or source.offset:
            return [index], source
        kernel = self.kernel_of(producer)
        ops = [op for op in kernel.ops.values() if op.name != "constant"]
        pad = ops[-1] if ops else None
        if not pad or pad.name != "pad" or any(op.name not in ("transpose", "reshape", "pad") for op in ops):
            return [index], source
        low, high = integers(pad, "low"), integers(pad, "high")
        view = Shapes(kernel).view(pad.operands[0])
        fill = number(kernel.ops[pad.operands[1]]) if pad.operands[1] in kernel.ops else None
        if view is None or fill != 0.0 or min(low + high) < 0 or low[0] or low[3] or high[0] or high[3]:
            return [index], source
        for axis, key in ((1, "h"), (2, "w")):
            sizes[f"low_{key}"] += low[axis]
            sizes[f"high_{key}"] += high[axis]
            sizes[f"in_{key}"] = view.dims[axis]
        names = self.argument_names(producer, kernel)
        return [producer, index], View(names[view.buffer], view.offset, view.dims, view.strides)

    def winograd(self, index, kernel, op):
        """The convolution that a chain of transform, products and transform computes."""
        names = self.argument_names(index, kernel)
        middle = self.producers.get(names.get(op.operands[0]))
        if middle is None:
            raise NotComparable("a Winograd form that is cut elsewhere")
        inputs = [self.producers.get(name) for name in self.argument_names(middle, self.kernel_of(middle)).values()]
        first = next((i for i in inputs if i is not None and any(
            o.name == "winograd_input" for o in self.kernel_of(i).ops.values())), None)
        # A transformed input that several convolutions read counts for each of them.
        if first is None or self.sole_reader(middle) != index:
            raise NotComparable("a Winograd form that is cut elsewhere")
        body = self.kernel_of(first)
        transform = next(o for o in body.ops.values() if o.name == "winograd_input")
        view = Shapes(body).view(transform.operands[0])
        if view is None:
            raise NotComparable("an input that is computed in the kernel")
        low, high = integers(transform, "low"), integers(transform, "high")
        batch, in_h, in_w, channels = view.dims
        out_h, out_w, out_channels = op.results[0].dims[1:]
        sizes = {"batch": batch, "groups": 1, "in_channels": channels, "in_h": in_h, "in_w": in_w,
                 "out_channels": out_channels, "out_h": out_h, "out_w": out_w, "kernel_h": 3, "kernel_w": 3}
        for key in "hw":
            sizes[f"stride_{key}"] = sizes[f"dilation_{key}"] = 1
        sizes["low_h"], sizes["low_w"] = low
        sizes["high_h"], sizes["high_w"] = high
        source = self.argument_names(first, body)[view.buffer]
        return ("conv", "Winograd", sizes, View(source, view.offset, view.dims, view.strides), None, None,
                [first, middle, index])


def find(model):
    """(contractions, skipped: kernel to (reason, times))."""
    finder = Finder(model)
    return finder.find(), finder.skipped
