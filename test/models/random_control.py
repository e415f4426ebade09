#!/usr/bin/env python3
"""Random ONNX programs of If, Loop and Scan, nested and over data: what torshc makes of them against ONNX Runtime.

Every seed gives one program over a few vectors. It is compiled at -O3 and -O0 and run by the reference evaluator
(--naive), and each must agree with ONNX Runtime on inputs that take different ways. A failing model is kept:

    random_control.py --torshc build/bin/torshc --seed 17 --count 1 --keep /tmp/failed
"""

import sys

try:
    import numpy as np
    import random_models
    from onnx import TensorProto, helper, numpy_helper
except ImportError as problem:
    print(f"skipped: {problem}; install the packages of requirements/")
    sys.exit(77)

UNARY = ["Tanh", "Sigmoid", "Neg", "Abs", "Sin", "Relu"]
BINARY = ["Add", "Sub", "Mul"]


class Scope:
    """The nodes of one graph, and the vectors that can be read in it."""

    def __init__(self, outer, vectors):
        self.outer, self.vectors, self.nodes = outer, list(vectors), []


class Program:
    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.count, self.constants = 0, []
        # A symbolic size in half of the programs.
        self.size = "n" if self.rng.random() < 0.5 else 5

    def name(self, stem):
        self.count += 1
        return f"{stem}{self.count}"

    def pick(self, items):
        return items[int(self.rng.integers(len(items)))]

    def constant(self, value, dtype=np.float32):
        name = self.name("c")
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def node(self, scope, op, inputs, **attributes):
        out = self.name(op.lower())
        scope.nodes.append(helper.make_node(op, inputs, [out], name=out, **attributes))
        return out

    def vector(self, name):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, [self.size])

    def condition(self, scope):
        """The mean of a vector against a number: far from it for almost every input."""
        mean = self.node(scope, "ReduceMean", [self.pick(scope.vectors)], keepdims=0)
        compare = self.pick(["Greater", "Less"])
        return self.node(scope, compare, [mean, self.constant(self.rng.normal() * 0.3)])

    def straight(self, scope):
        if self.rng.random() < 0.5:
            return self.node(scope, self.pick(UNARY), [self.pick(scope.vectors)])
        other = self.constant(self.rng.normal()) if self.rng.random() < 0.3 else self.pick(scope.vectors)
        mixed = self.node(scope, self.pick(BINARY), [self.pick(scope.vectors), other])
        return self.node(scope, "Tanh", [mixed])

    def branch(self, scope, depth):
        condition = self.condition(scope)
        arms = {}
        count = int(self.rng.integers(1, 3))
        for arm in ("then_branch", "else_branch"):
            inner = self.body(scope, depth - 1)
            outputs = [self.node(inner, "Identity", [self.pick(inner.vectors)]) for _ in range(count)]
            arms[arm] = helper.make_graph(inner.nodes, arm, [], [self.vector(o) for o in outputs])
        outputs = [self.name("if") for _ in range(count)]
        scope.nodes.append(helper.make_node("If", [condition], outputs, name=outputs[0], **arms))
        return outputs

    def loop(self, scope, depth):
        carried = [self.pick(scope.vectors) for _ in range(int(self.rng.integers(1, 3)))]
        counts = self.rng.random() < 0.7
        watches = not counts or self.rng.random() < 0.5
        stacks = counts and not watches and self.rng.random() < 0.5
        # Of a stack of nothing ONNX Runtime forgets the symbolic sizes.
        trips = self.constant(int(self.rng.integers(1 if stacks else 0, 6)), np.int64) if counts else ""
        first = self.condition(scope) if watches else ""
        arguments = [self.name("i"), self.name("go")] + [self.name("v") for _ in carried]
        inner = self.body(scope, depth - 1, arguments[2:], arguments[0])
        yields = [self.node(inner, "Tanh", [self.pick(inner.vectors)]) for _ in carried]
        if watches and not counts:
            # Ends for sure: the iteration is a part of the condition.
            small = self.node(inner, "Less", [arguments[0], self.constant(int(self.rng.integers(1, 8)), np.int64)])
            goes_on = self.node(inner, "And", [small, self.condition(inner)])
        else:
            goes_on = self.condition(inner) if watches else self.node(inner, "Identity", [arguments[1]])
        results = [goes_on, *yields]
        if stacks:
            results.append(self.node(inner, "Identity", [self.pick(inner.vectors)]))
        scalar = [helper.make_tensor_value_info(arguments[0], TensorProto.INT64, []),
                  helper.make_tensor_value_info(arguments[1], TensorProto.BOOL, [])]
        graph = helper.make_graph(
            inner.nodes, "body", scalar + [self.vector(a) for a in arguments[2:]],
            [helper.make_tensor_value_info(goes_on, TensorProto.BOOL, [])] + [self.vector(r) for r in results[1:]])
        outputs = [self.name("loop") for _ in results[1:]]
        scope.nodes.append(helper.make_node("Loop", [trips, first, *carried], outputs, name=outputs[0], body=graph))
        if stacks:
            outputs[-1] = self.node(scope, "ReduceSum", [outputs[-1], self.constant([0], np.int64)], keepdims=0)
        return outputs

    def body(self, scope, depth, arguments=(), iteration=None):
        inner = Scope(scope, [*scope.vectors, *arguments])
        if iteration and self.rng.random() < 0.7:
            number = self.node(inner, "Cast", [iteration], to=TensorProto.FLOAT)
            inner.vectors.append(self.node(inner, "Add", [self.pick(inner.vectors), number]))
        self.statements(inner, depth, int(self.rng.integers(1, 4)))
        return inner

    def statements(self, scope, depth, count):
        for _ in range(count):
            kind = self.rng.random()
            if depth > 0 and kind < 0.25:
                scope.vectors += self.branch(scope, depth)
            elif depth > 0 and kind < 0.5:
                scope.vectors += self.loop(scope, depth)
            else:
                scope.vectors.append(self.straight(scope))

    def model(self):
        scope = Scope(None, ["x0", "x1"])
        self.statements(scope, 2, 2)
        scope.vectors += self.pick([self.branch, self.loop])(scope, 2)
        self.statements(scope, 1, 2)
        last = scope.vectors[-3:]
        outputs = [self.node(scope, "Identity", [v]) for v in last]
        graph = helper.make_graph(scope.nodes, "program", [self.vector("x0"), self.vector("x1")],
                                  [self.vector(o) for o in outputs], self.constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        return model


def check(torshc, seed, keep):
    program = Program(seed)

    def inputs():
        for number in range(4):
            rng = np.random.default_rng([seed, number])
            size = 5 if program.size == 5 else 1 + number
            yield f"inputs {number}", {name: (rng.standard_normal(size) + rng.normal()).astype(np.float32)
                                       for name in ("x0", "x1")}

    return random_models.compare(torshc, program.model(), ["-O3", "-O0"], inputs(), seed, keep)


if __name__ == "__main__":
    sys.exit(random_models.main(__doc__, 50, check))
