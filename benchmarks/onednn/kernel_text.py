"""Reads what `torshc MODEL --emit=kernels` prints: the kernels with their ops, and the calls of a run in their order."""

import math
import re
from dataclasses import dataclass, field

SSA = r"%[\w]+(?:#\d+)?"
OP = re.compile(r"\s*(?:(%\w+)(?::\d+)?(?:, %\w+(?::\d+)?)* = )?torsh\.(\w+)(.*)$")
KERNEL = re.compile(r'\s*torsh\.kernel @(\S+) "(\w+)"')
TENSOR = re.compile(r"tensor<([^<>]*?)(f16|f32|f64|bf16|i1|i8|i16|i32|i64|ui8|f8\w+)>")
BYTES = {"f16": 2, "bf16": 2, "f32": 4, "f64": 8, "i1": 1, "i8": 1, "ui8": 1, "i16": 2, "i32": 4, "i64": 8}


@dataclass(frozen=True)
class Tensor:
    """A type: dims that are known, or None where one is not."""

    dims: tuple
    element: str

    @property
    def count(self):
        return math.prod(self.dims)

    @property
    def bytes(self):
        return self.count * BYTES[self.element]


@dataclass
class Op:
    """One op of a kernel's body, or a call. `text`: everything between its name and its types."""

    name: str
    operands: list
    text: str
    types: list     # of the operands, as far as the text has them
    results: list   # Tensors


@dataclass
class Kernel:
    name: str
    strategy: str
    arguments: dict = field(default_factory=dict)  # name to Tensor, in order
    ops: dict = field(default_factory=dict)        # the first result's name to Op, in order
    yielded: list = field(default_factory=list)


@dataclass
class Model:
    kernels: dict
    launches: list   # of (name of the results, Op); the text of the op is the kernel's name
    constants: set
    aliases: dict    # a value that is another one in another shape


def tensors(text):
    result = []
    for dims, element in TENSOR.findall(text):
        parts = [p for p in dims.split("x") if p]
        result.append(Tensor(tuple(int(p) for p in parts) if all(p.isdigit() for p in parts) else None, element))
    return result


def integers(op, key):
    """The numbers of `key = [1, 2]` or `key = <[1, 2]>`."""
    match = re.search(rf"\b{key} = <?\[([^\]]*)\]", op.text)
    return [int(n) for n in match.group(1).split(",") if n.strip()] if match else None


def number(op):
    """The one number that a constant consists of, or None."""
    match = re.match(r"\s*dense<([-+\w.]+)>", op.text)
    if not match:
        return None
    try:
        return float(match.group(1))
    except ValueError:
        return None


def split_types(rest):
    """(what stands before the types, the operands' types, the results' types). A single type is both."""
    place = rest.rfind(" : ")
    text, types = (rest[:place], rest[place + 3:]) if place >= 0 else (rest, "")
    before, arrow, after = types.rpartition("->")
    if arrow:
        return text, tensors(before), tensors(after)
    both = tensors(types)
    return text, both, both


def read_op(match):
    text, operands, results = split_types(match.group(3))
    if match.group(2) == "constant":
        # The type of the value stands before the arrow's.
        text = match.group(3)
    return Op(match.group(2), re.findall(SSA, text), text, operands, results)


def read(text):
    """The Model of a printed module."""
    model = Model({}, [], set(), {})
    kernel, inside = None, False
    for line in text.splitlines():
        started = KERNEL.match(line)
        if started:
            kernel, inside = Kernel(*started.groups()), True
            model.kernels[kernel.name] = kernel
            continue
        if inside and line.strip().startswith("^bb0("):
            for name, dims in re.findall(r"(%\w+): (tensor<[^>]*>)", line):
                kernel.arguments[name] = tensors(dims)[0]
            continue
        if inside and line.rstrip() == "  }":
            inside = False
            continue
        match = OP.match(line)
        if not match:
            continue
        if inside:
            op = read_op(match)
            if op.name == "yield":
                kernel.yielded = op.operands
            else:
                kernel.ops[match.group(1)] = op
        elif match.group(2) == "launch":
            op = read_op(match)
            called = re.match(r"\s*@(\S+?)\(([^)]*)\)", op.text)
            op.text, op.operands = called.group(1), re.findall(SSA, called.group(2))
            model.launches.append((match.group(1), op))
        elif match.group(2) == "constant":
            model.constants.add(match.group(1))
        elif match.group(2) == "reshape":
            model.aliases[match.group(1)] = re.findall(SSA, match.group(3))[0]
    return model
