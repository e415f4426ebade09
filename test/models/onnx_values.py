#!/usr/bin/env python3
"""Models whose values are no plain tensors, through the Python package: sequences, optionals, strings, and tensors whose
sizes change inside of loops and conditions.

The cases are those of the onnx package with such values, compared with its expected outputs, and own models of growing
values, compared with onnx's reference evaluator.

    PYTHONPATH=build/python onnx_values.py [--filter REGEX] [-v]
"""

import argparse
import re
import sys
import warnings

try:
    import numpy as np
    import onnx
    import torsh
    from onnx import TensorProto, helper, numpy_helper
    from onnx.backend.test.loader import load_model_tests
    from onnx.reference import ReferenceEvaluator
except ImportError as problem:
    print(f"skipped: {problem}; install the packages of requirements/ and build torsh_python")
    sys.exit(77)

OPS = {"SequenceConstruct", "SequenceEmpty", "SequenceInsert", "SequenceErase", "SequenceAt", "SequenceLength",
       "ConcatFromSequence", "SplitToSequence", "SequenceMap", "Optional", "OptionalHasElement", "OptionalGetElement",
       "StringConcat", "StringSplit", "StringNormalizer", "RegexFullMatch", "TfIdfVectorizer"}
# What fails, with the reason that its message must give.
EXPECTED = {
    "node/test_regex_full_match_basic": "operator is not supported",
    "node/test_regex_full_match_email_domain": "operator is not supported",
    "node/test_regex_full_match_empty": "operator is not supported",
    # An empty sequence says nothing of its items, so neither does what a loop makes of it.
    "growing/long_list": "the rank of the tensor inside is not known",
}


def has_other_values(model):
    def other(info):
        return not info.type.HasField("tensor_type") or info.type.tensor_type.elem_type == TensorProto.STRING
    ports = list(model.graph.input) + list(model.graph.output)
    return any(map(other, ports)) or any(node.op_type in OPS for node in model.graph.node)


def plain(value):
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    if isinstance(value, onnx.SequenceProto):
        return [plain(item) for item in numpy_helper.to_list(value)]
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def suite(pattern):
    np.random.seed(0)
    for kind in ("node", "simple"):
        for case in load_model_tests(kind=kind):
            name = f"{kind}/{case.name}"
            if pattern and not re.search(pattern, name):
                continue
            if kind == "node":
                if has_other_values(case.model):
                    inputs, outputs = case.data_sets[0]
                    yield name, case.model, list(map(plain, inputs)), list(map(plain, outputs))
                continue
            model = onnx.load(f"{case.model_dir}/model.onnx")
            if not has_other_values(model):
                continue

            def read(stem, infos):
                values = []
                for i, _ in enumerate(infos):
                    tensor = onnx.TensorProto()
                    with open(f"{case.model_dir}/test_data_set_0/{stem}_{i}.pb", "rb") as file:
                        tensor.ParseFromString(file.read())
                    values.append(numpy_helper.to_array(tensor))
                return values

            initialized = {tensor.name for tensor in model.graph.initializer}
            fed = [info for info in model.graph.input if info.name not in initialized]
            yield name, model, read("input", fed), read("output", model.graph.output)


# --- Growing values --------------------------------------------------------------------------------------------------


def info(name, dtype, shape):
    return helper.make_tensor_value_info(name, dtype, shape)


def model_of(nodes, inputs, outputs, initializers=()):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


F, I, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL


def growing_loop(stacked):
    """A carried vector that grows by x each time; with `stacked` also all its sums or the vectors x themselves."""
    body_nodes = [helper.make_node("Concat", ["v", "x"], ["longer"], axis=0),
                  helper.make_node("Identity", ["go"], ["still"]),
                  helper.make_node("ReduceSum", ["longer"], ["sum"], keepdims=1)]
    outputs = [info("still", B, []), info("longer", F, [None])] + ([info("sum", F, [None])] if stacked else [])
    body = helper.make_graph(body_nodes, "body", [info("i", I, []), info("go", B, []), info("v", F, [None])], outputs)
    names = ["last"] + (["sums"] if stacked else [])
    loop = helper.make_node("Loop", ["count", "start", "x"], names, body=body)
    ports = [info("last", F, [None])] + ([info("sums", F, [None, 1])] if stacked else [])
    return model_of([loop], [info("count", I, []), info("start", B, []), info("x", F, ["n"])], ports)


def unequal_arms():
    """If with arms of different lengths."""
    then = helper.make_graph([helper.make_node("Concat", ["x", "x"], ["twice"], axis=0)], "t", [], [info("twice", F, [None])])
    other = helper.make_graph([helper.make_node("Neg", ["x"], ["negative"])], "e", [], [info("negative", F, [None])])
    nodes = [helper.make_node("If", ["c"], ["y"], then_branch=then, else_branch=other),
             helper.make_node("Exp", ["y"], ["z"])]
    return model_of(nodes, [info("c", B, []), info("x", F, ["n"])], [info("z", F, [None])])


def stacked_until():
    """Values stacked until a condition ends the loop."""
    nodes = [helper.make_node("Mul", ["v", "two"], ["next"]),
             helper.make_node("ReduceMax", ["next"], ["top"], keepdims=0),
             helper.make_node("Less", ["top", "limit"], ["still"]),
             helper.make_node("Identity", ["next"], ["out"])]
    body = helper.make_graph(nodes, "body", [info("i", I, []), info("go", B, []), info("v", F, ["n"])],
                             [info("still", B, []), info("next", F, ["n"]), info("out", F, ["n"])])
    loop = helper.make_node("Loop", ["", "start", "x"], ["last", "all"], body=body)
    return model_of([loop], [info("start", B, []), info("x", F, ["n"]), info("limit", F, [])],
                    [info("last", F, ["n"]), info("all", F, [None, "n"])],
                    [numpy_helper.from_array(np.float32(2), "two")])


def long_list():
    """A sequence of many items, made in a loop and joined behind it."""
    nodes = [helper.make_node("Cast", ["i"], ["f"], to=F), helper.make_node("Add", ["x", "f"], ["item"]),
             helper.make_node("SequenceInsert", ["s", "item"], ["grown"]), helper.make_node("Identity", ["go"], ["still"])]
    sequence = helper.make_tensor_sequence_value_info
    body = helper.make_graph(nodes, "body", [info("i", I, []), info("go", B, []), sequence("s", F, ["n"])],
                             [info("still", B, []), sequence("grown", F, ["n"])])
    return model_of([helper.make_node("SequenceEmpty", [], ["empty"], dtype=F),
                     helper.make_node("Loop", ["count", "start", "empty"], ["list"], body=body),
                     helper.make_node("ConcatFromSequence", ["list"], ["y"], axis=0)],
                    [info("count", I, []), info("start", B, []), info("x", F, ["n"])], [info("y", F, [None])])


def own(pattern):
    x = np.arange(3, dtype=np.float32) / 4
    yes, no = np.array(True), np.array(False)
    models = [("loop", growing_loop(False), [[np.int64(k), yes, x[:n]] for k in (0, 1, 5) for n in (3, 1)] + [[np.int64(4), no, x]]),
              ("loop_stacked", growing_loop(True), [[np.int64(k), yes, x] for k in (1, 2, 5)]),
              ("arms", unequal_arms(), [[yes, x], [no, x], [yes, x[:1]]]),
              ("stacked_until", stacked_until(), [[yes, x + 1, np.float32(100)], [yes, x[:2] + 1, np.float32(3)]]),
              ("long_list", long_list(), [[np.int64(k), yes, x] for k in (1, 1000)])]
    for name, model, feeds in models:
        if pattern and not re.search(pattern, "growing/" + name):
            continue
        names = [port.name for port in model.graph.input]
        wanted = [ReferenceEvaluator(model).run(None, dict(zip(names, map(np.asarray, feed)))) for feed in feeds]
        yield "growing/" + name, model, feeds, wanted


# --- Comparing -------------------------------------------------------------------------------------------------------


def differ(got, want):
    """What differs, or None."""
    if want is None or got is None:
        return None if want is got else f"{got!r} instead of {want!r}"
    if isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            return f"{type(got).__name__} of {len(got)} items instead of {len(want)}"
        return next((problem for a, b in zip(got, want) if (problem := differ(a, b))), None)
    want = np.asarray(want)
    if got.shape != want.shape:
        return f"shape {got.shape} instead of {want.shape}"
    if want.dtype.kind in "OUST":
        return None if got.astype(str).tolist() == want.astype(str).tolist() else f"{got} instead of {want}"
    if got.dtype != want.dtype:
        return f"dtype {got.dtype} instead of {want.dtype}"
    equal = np.allclose(got, want, rtol=1e-4, atol=1e-6) if want.dtype.kind == "f" else np.array_equal(got, want)
    return None if equal else f"{got} instead of {want}"


def run(model, feeds, wanted):
    module = torsh.compile(model.SerializeToString(), threads=1)
    for inputs, outputs in zip(feeds, wanted):
        for problem in map(differ, module(*inputs), outputs):
            if problem:
                return problem
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--filter", help="only cases whose name has a match of this expression")
    parser.add_argument("-v", action="store_true", help="names what passes, too")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    passed, bad = 0, []
    cases = [(n, m, [i], [o]) for n, m, i, o in suite(options.filter)] + list(own(options.filter))
    for name, model, feeds, wanted in cases:
        try:
            problem = run(model, feeds, wanted)
        except torsh.Error as error:
            problem = str(error)
        expected = EXPECTED.get(name)
        if expected and problem and expected in problem:
            continue
        if problem or expected:
            bad.append(name)
            print(f"FAIL {name}: {problem or 'passes, although a failure is expected'}")
        else:
            passed += 1
            if options.v:
                print(f"PASS {name}")
    print(f"{passed} passed, {len(EXPECTED)} are known to fail, {len(bad)} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
