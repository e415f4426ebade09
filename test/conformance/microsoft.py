"""Compares the operators of com.microsoft with ONNX Runtime, case by case of microsoft_cases.py, in three forms.

static    all inputs are fed, all dims are numbers; with --every-size one model for each size, else for the second
symbolic  dims that differ between the sizes are symbols; all sizes run on one artifact
constant  weights, scales and the like are initializers

Many cases share one model, because starting the compiler costs more than compiling one of them; a model that fails is
taken apart to see which case it is. The last line is `N passed, N failed`, where a case counts once for each form.
"""

import argparse
import re
import sys
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "build/python"))

import torsh  # noqa: E402
from microsoft_cases import CASES  # noqa: E402

FORMS = ("static", "symbolic", "constant")
# Of the elements of a quantised result so many may be off by one, where the sum lies between two integers.
OFF_BY_ONE = 0.1


class Piece:
    """A case in one form, as part of a larger model: names begin with its prefix."""

    def __init__(self, case, form, sizes, prefix):
        self.case, self.form, self.prefix = case, form, prefix
        self.name = f"{case.name}/{form}"
        seed = zlib.crc32(case.name.encode())
        # The numbers that stay the same for all sizes are drawn first, so that constants are the same too.
        self.values = [case.feed(np.random.default_rng(seed), **size) for size in sizes]
        first = self.values[0]
        constant = set(case.fixed) | (set(case.weights) if form == "constant" else set())
        for name in constant & set(first):
            for later in self.values[1:]:
                later[name] = first[name]
        self.constants = {k: v for k, v in first.items() if k in constant and v is not None}
        self.fed = [k for k, v in first.items() if v is not None and k not in constant]
        self.outputs = [prefix + "out_" + name for name in case.outputs if name]

    def dims(self, name):
        """The dims of an input: numbers, or symbols where sizes differ. Equal sizes have equal names."""
        shapes = [value[name].shape for value in self.values]
        return [axis[0] if len(set(axis)) == 1 else self.prefix + "_".join(map(str, axis)) for axis in zip(*shapes)]

    def inputs(self):
        return [helper.make_tensor_value_info(self.prefix + name, helper.np_dtype_to_tensor_dtype(self.values[0][name].dtype),
                                              self.dims(name)) for name in self.fed]

    def output_infos(self):
        # One type that ONNX Runtime cannot infer.
        typed = {self.prefix + "out_qk": onnx.TensorProto.FLOAT}
        return [helper.make_tensor_value_info(name, typed[name], None) if name in typed
                else helper.make_empty_tensor_value_info(name) for name in self.outputs]

    def initializers(self):
        return [numpy_helper.from_array(value, self.prefix + name)
                for name, value in self.constants.items()]

    def nodes(self, oracle):
        case, prefix, nodes, names = self.case, self.prefix, [], []
        for name, value in self.values[0].items():
            if name.startswith("_"):
                continue
            if name in case.derived:
                source, axis = case.derived[name]
                steps = [prefix + name + suffix for suffix in ("_shape", "_size")]
                index = helper.make_tensor(prefix + name + "_axis", onnx.TensorProto.INT64, [], [axis])
                nodes += [helper.make_node("Constant", [], [prefix + name + "_axis"], value=index),
                          helper.make_node("Shape", [prefix + source], [steps[0]]),
                          helper.make_node("Gather", [steps[0], prefix + name + "_axis"], [steps[1]], axis=0),
                          helper.make_node("Cast", [steps[1]], [prefix + name], to=onnx.TensorProto.INT32)]
                names.append(prefix + name)
            else:
                names.append("" if value is None else prefix + name)
        outputs = [prefix + "out_" + name if name else "" for name in case.outputs]
        if oracle and case.standard:
            return nodes + case.standard(case, names, outputs)
        return nodes + [helper.make_node(case.op, names, outputs, name=prefix + case.op, domain=case.domain, **case.attrs)]

    def feeds(self, i):
        return {self.prefix + name: self.values[i][name] for name in self.fed}


def model_of(pieces, oracle):
    graph = helper.make_graph([node for piece in pieces for node in piece.nodes(oracle)], "g",
                              [info for piece in pieces for info in piece.inputs()],
                              [info for piece in pieces for info in piece.output_infos()],
                              [tensor for piece in pieces for tensor in piece.initializers()])
    # ReduceMean's axes are an attribute up to 17.
    opset = 17 if any(piece.case.op == "QLinearReduceMean" for piece in pieces) else 21
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10).SerializeToString()


def expected_of(pieces, run):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model_of(pieces, True), options, providers=["CPUExecutionProvider"])
    names = [name for piece in pieces for name in piece.outputs]
    return dict(zip(names, session.run(names, {k: v for piece in pieces for k, v in piece.feeds(run).items()})))


def difference(actual, expected, bound):
    """Empty when the arrays agree."""
    if actual.dtype != expected.dtype or actual.shape != expected.shape:
        return f"got {actual.dtype}{list(actual.shape)}, expected {expected.dtype}{list(expected.shape)}"
    if actual.size == 0:
        return ""
    wide = np.float64 if expected.dtype.kind == "f" else np.int64
    off = np.abs(actual.astype(wide) - expected.astype(wide))
    if expected.dtype.kind == "f":
        # Values that are infinite or not a number have to be the same ones.
        same = (actual == expected) | (np.isnan(actual) & np.isnan(expected))
        finite = np.where(np.isfinite(expected), np.abs(expected.astype(wide)), 0)
        wrong = ~same & ~(off <= bound * max(finite.max(), 1e-30))
    elif expected.dtype.itemsize == 1:
        wrong = (off > 1) | ((off > 0) if (off > 0).mean() > OFF_BY_ONE and off.size > 20 else False)
    else:
        wrong = off > 0
    if not wrong.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return (f"{int(wrong.sum())} of {wrong.size} elements differ, by up to {off.max():.3g}, first at {list(at)}: "
            f"got {actual[at]}, expected {expected[at]}")


def judge(pieces, runs):
    """Runs pieces as one model and returns {name: what is wrong}; raises what the compiler or ONNX Runtime says."""
    module = torsh.compile(model_of(pieces, False), threads=1)
    order = [port.name for port in module.outputs]
    wrong = {}
    for run in range(runs):
        expected = expected_of(pieces, run)
        feeds = {k: v for piece in pieces for k, v in piece.feeds(run).items()}
        actual = dict(zip(order, module(*[feeds[port.name] for port in module.inputs])))
        for piece in pieces:
            for name in piece.outputs:
                what = difference(actual[name], expected[name], piece.case.bound)
                if what:
                    wrong.setdefault(piece.name, f"run {run}, {name[len(piece.prefix) + 4:]}: {what}")
    return wrong


def first_sentence(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if "TSH-" in line or "rror" in line), lines[0] if lines else repr(error))[:300]


def examine(pieces, runs):
    try:
        return judge(pieces, runs)
    except Exception as error:
        if len(pieces) == 1:
            return {pieces[0].name: first_sentence(error)}
        half = len(pieces) // 2
        return examine(pieces[:half], runs) | examine(pieces[half:], runs)


def groups(cases, forms, together, every_size):
    """Lists of pieces that share a model, each with the number of runs."""
    lists = {}
    for number, case in enumerate(cases):
        for form in forms:
            if form not in case.forms:
                continue
            prefix = f"c{number}_"
            kind = case.op == "QLinearReduceMean"  # its oracle is of an older opset
            if form == "static":
                for i, size in enumerate(case.sizes if every_size else case.sizes[1:2]):
                    lists.setdefault((kind, form, i, 1), []).append(Piece(case, form, [size], prefix))
            elif form == "symbolic":
                lists.setdefault((kind, form, 0, len(case.sizes)), []).append(Piece(case, form, case.sizes, prefix))
            else:
                lists.setdefault((kind, form, 0, 1), []).append(Piece(case, form, case.sizes[-1:], prefix))
    for (_, _, _, runs), pieces in lists.items():
        for i in range(0, len(pieces), together):
            yield pieces[i:i + together], runs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filter", default="", help="a regular expression over the names of cases")
    parser.add_argument("--forms", nargs="+", default=FORMS, choices=FORMS)
    parser.add_argument("--every-size", action="store_true", help="all sizes in the static form")
    parser.add_argument("--together", type=int, default=24, help="how many cases share a model")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("-v", "--verbose", action="store_true", help="print the cases that pass too")
    options = parser.parse_args()
    cases = [case for case in CASES if re.search(options.filter, case.name)]
    work = list(groups(cases, options.forms, options.together, options.every_size))
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda group: examine(*group), work))
    wrong = {name: what for result in results for name, what in result.items()}
    names = sorted({piece.name for pieces, _ in work for piece in pieces})
    for name in names:
        if name in wrong:
            print(f"FAIL {name}: {wrong[name]}")
        elif options.verbose:
            print(f"     {name}")
    ops = {case.op for case in cases}
    print(f"{len(cases)} cases of {len(ops)} operators")
    print(f"{len(names) - len(wrong)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
