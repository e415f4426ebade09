#!/usr/bin/env python3
"""Ten kinds of bad input to torshc: each gets one error with a code, the documented exit code, and no crash.

    bad_inputs.py --torshc build/bin/torshc

Works with a sanitized torshc too; a report of a sanitizer counts as a crash.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

try:
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError as problem:
    print(f"skipped: {problem}; install the packages of requirements/")
    sys.exit(77)

MALFORMED, FAILURE, USAGE, DIFFERENT = 3, 1, 2, 5


@dataclass
class Case:
    """A command that must fail. `codes` are the diagnostics of which one must be given."""

    name: str
    arguments: list
    exit_code: int
    codes: tuple
    mentions: str = ""


def graph_model(nodes, initializers=(), inputs=(("x", TensorProto.FLOAT, ["n", 4]),)):
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info(*i) for i in inputs],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)], list(initializers))
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def node(op, inputs, output, name):
    return helper.make_node(op, inputs, [output], name=name)


def external_weight(location):
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4])
    weight.data_location = TensorProto.EXTERNAL
    entry = weight.external_data.add()
    entry.key, entry.value = "location", location
    return weight


def weight_of(dims):
    """A weight with four bytes of data that claims other dims."""
    return TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims, raw_data=b"\0\0\0\0")


def size_bomb(rounds):
    """Each round squares the number of elements plus one: the expression of the size doubles its terms."""
    numbers = {"column": [-1, 1], "row": [1, -1], "flat": [-1], "one": [0, 1]}
    nodes, value = [node("Reshape", ["x", "flat"], "v0", "start")], "v0"
    for i in range(rounds):
        nodes += [node("Pad", [value, "one"], f"p{i}", f"pad{i}"),
                  node("Reshape", [f"p{i}", "column"], f"c{i}", f"column{i}"),
                  node("Reshape", [f"p{i}", "row"], f"r{i}", f"row{i}"),
                  node("MatMul", [f"c{i}", f"r{i}"], f"m{i}", f"square{i}"),
                  node("Reshape", [f"m{i}", "flat"], f"v{i + 1}", f"flat{i}")]
        value = f"v{i + 1}"
    nodes.append(node("ReduceSum", [value], "y", "end"))
    return graph_model(nodes, [numpy_helper.from_array(np.array(v, np.int64), k) for k, v in numbers.items()])


def make_cases(folder):
    add = node("Add", ["x", "w"], "y", "add_node")
    good = graph_model([add], [numpy_helper.from_array(np.ones(4, np.float32), "w")])
    outside = folder / "outside.bin"
    outside.write_bytes(bytes(16))
    inside = folder / "models"
    inside.mkdir()
    (inside / "link.bin").symlink_to(outside)
    sound = inside / "sound.onnx"
    onnx.save(good, sound)

    def compiled(name, content, codes, mentions="", exit_code=MALFORMED):
        path = inside / f"{name.replace(' ', '_')}.onnx"
        path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
        return Case(name, [path, "-o", folder / "out.so"], exit_code, codes, mentions)

    def run(name, array, codes, mentions="", exit_code=FAILURE):
        file = folder / f"{name.replace(' ', '_')}.npy"
        if isinstance(array, bytes):
            file.write_bytes(array)
        else:
            np.save(file, array)
        return Case(name, ["run", folder / "sound.so", "--input", f"x={file}"], exit_code, codes, mentions)

    yield compiled("not a protobuf", b"These are lines of text.\nNo model is in them.\n", ("0102", "0103", "0108"))
    yield compiled("truncated", good.SerializeToString()[:-40], ("0103",))
    yield compiled("cyclic graph", graph_model([node("Add", ["x", "b"], "a", "first_node"),
                                                node("Relu", ["a"], "b", "second_node"),
                                                node("Relu", ["b"], "y", "third")]), ("0143",), "first_node")
    yield compiled("missing initializer", graph_model([add]), ("0141",), "'w'")
    yield compiled("external data outside the folder", graph_model([add], [external_weight("../outside.bin")]),
                   ("0122",), "outside.bin")
    yield compiled("symlink", graph_model([add], [external_weight("link.bin")]), ("0123",), "link.bin")
    yield compiled("wrong dtype of an input", graph_model([add], [weight_of([1])], [("x", 77, ["n", 4])]), ("0111",))
    yield compiled("wrong dtype of an operand",
                   graph_model([add], [numpy_helper.from_array(np.ones(4, np.int64), "w")]), ("",), "add_node",
                   (MALFORMED, 4))
    yield compiled("negative dim", graph_model([add], [weight_of([-1])]), ("0110",), "w")
    yield compiled("tensor of 2^40 elements", graph_model([add], [weight_of([1 << 40])]), ("0112",), "w")
    yield compiled("input of 2^40 elements",
                   graph_model([node("Relu", ["x"], "y", "r")], (), [("x", 1, [1 << 20, 1 << 20])]), ("0112",))

    yield compiled("sizes squared forty times", size_bomb(40), ("0300",), "more than 1024 terms", 4)
    yield compiled("more parts than memory holds",
                   graph_model([helper.make_node("Split", ["x"], ["y"], name="split_node", num_outputs=1 << 60)]),
                   ("0201",), "split_node")

    yield Case("(a sound model)", [sound, "-o", folder / "sound.so"], 0, ())
    yield run("(a sound run)", np.zeros((2, 4), np.float32), (), "", 0)
    yield run("wrong dtype at run", np.zeros((2, 4), np.float64), ("8008",), '"x"')
    yield run("wrong rank at run", np.zeros((2, 2, 4), np.float32), ("8009",), '"x"')
    yield run("wrong dim at run", np.zeros((2, 5), np.float32), ("8010",), '"x"')
    yield run("array that is no npy", b"hello", ("0710",), "npy")
    yield run("array that is cut short", b"\x93NUMPY\x01\x00\xff\xff{'descr': '<f4'", ("0710",))
    huge = b"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 1099511627776), }\n"
    yield run("array of 2^80 elements", b"\x93NUMPY\x01\x00" + bytes([len(huge), 0]) + huge, ("0710",))
    yield run("array of strings", np.array(["a"]), ("0712",))
    yield Case("input of another name", ["run", folder / "sound.so", "--input", "nobody=x.npy"], USAGE, ("0721",))
    yield Case("no input", ["run", folder / "sound.so"], USAGE, ("0727",), "'x'")
    yield Case("artifact that is not there", ["run", folder / "nothing.so"], FAILURE, ("8002",))
    damaged = folder / "damaged.so"

    def damage():
        data = bytearray((folder / "sound.so").read_bytes())
        data[1000] ^= 0xFF  # within the code
        damaged.write_bytes(data)

    damage_case = Case("damaged artifact", ["verify", damaged], FAILURE, ("8005",))
    damage_case.prepare = damage
    yield damage_case
    wrong = folder / "wrong.npy"
    np.save(wrong, np.full((2, 4), 7, np.float32))
    zeros = folder / "zeros.npy"
    np.save(zeros, np.zeros((2, 4), np.float32))
    for flags in ([], ["--naive"]):
        yield Case(f"other output than expected {' '.join(flags)}".strip(),
                   ["run", sound, "--input", f"x={zeros}", "--expect", f"y={wrong}", *flags], DIFFERENT, ("0726",),
                   "[0, 0]")


def problems(case, done):
    """What is wrong with how a command ended."""
    wanted = case.exit_code if isinstance(case.exit_code, tuple) else (case.exit_code,)
    if done.returncode < 0:
        yield f"it ended by signal {-done.returncode}"
    elif done.returncode not in wanted:
        yield f"exit code {done.returncode} instead of {' or '.join(map(str, wanted))}"
    if re.search(r"Sanitizer|runtime error:|PLEASE submit a bug|Stack dump", done.stderr):
        yield "it crashed"
    errors = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    if case.codes:
        if len(errors) != 1:
            yield f"{len(errors)} errors instead of one"
        elif not re.search(f"TSH-({'|'.join(code or '[0-9]{4}' for code in case.codes)})", errors[0]):
            yield f"no TSH-{' or '.join(case.codes)}"
        if case.mentions not in done.stderr:
            yield f"it does not mention {case.mentions}"
    elif errors:
        yield "an error for something sound"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torshc", required=True)
    parser.add_argument("-v", "--verbose", action="store_true", help="print what each command said")
    options = parser.parse_args()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for case in make_cases(Path(folder)):
            getattr(case, "prepare", lambda: None)()
            command = [options.torshc, *map(str, case.arguments)]
            try:
                done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=120,
                                      env=dict(os.environ, ASAN_OPTIONS="exitcode=99:detect_leaks=0:allow_user_poisoning=0:"
                                      "detect_container_overflow=0"))
                found = list(problems(case, done))
            except subprocess.TimeoutExpired:
                done, found = None, ["it took more than 120 s"]
            if options.verbose or found:
                print(f"{'FAILED' if found else 'ok'}: {case.name}: {'; '.join(found)}")
                print("   ", (done.stderr if done else "").strip().replace(folder, "...")[:600])
            passed, failed = passed + (not found), failed + bool(found)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
