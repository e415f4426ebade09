"""Runs the test cases of the onnx package (node, simple, pytorch-converted, pytorch-operator) through torshc.

Every case is one small model with inputs and expected outputs. Many node cases feed what real models keep constant
(axes, sizes, repeats) as a graph input; where such a case fails as it stands it is tried once more with these inputs
made initializers, and counted apart. Cases that are known to fail stand in onnx_nodes_expected.txt as
`NAME STAGE REASON`; one that passes all the same, or fails at another stage, is a failure of this test.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("node", "simple", "pytorch-converted", "pytorch-operator")
SECONDS = 60
# What torshc's exit codes say; any other one, or a signal, is a crash.
STAGES = {1: "run", 2: "usage", 3: "import", 4: "import", 5: "match"}
# A case's tolerance is made for f32; chains of ops in narrow types may end two units in the last place apart. Floats of
# at most 8 bits come from casts and quantisation alone, which are exact.
UNITS = {"bfloat16": 2.0**-6, "float16": 2.0**-9}
# Operands that the compiler needs to know, by op: those that decide shapes, axes and the like.
PARAMETERS = {
    **{op: (1,) for op in ("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
                           "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare", "Reshape", "Expand", "Tile",
                           "Squeeze", "Unsqueeze", "TopK", "Split", "OneHot", "CumSum", "CumProd", "Upsample",
                           "CenterCropPad", "Trilu", "AffineGrid")},
    "Resize": (1, 2, 3), "Slice": (1, 2, 3, 4), "Pad": (1, 3), "ConstantOfShape": (0,), "Range": (0, 1, 2),
    "NonMaxSuppression": (2, 3, 4), "DFT": (1, 2), "STFT": (1, 3), "HannWindow": (0,), "HammingWindow": (0,),
    "BlackmanWindow": (0,), "MelWeightMatrix": (0, 1), "Col2Im": (1, 2), "MaxUnpool": (2,), "Dropout": (1, 2),
}


# .npy files have no name for these types, so they cross the border as a wider one, with Casts in the model.
SMALL_FLOATS = tuple(getattr(onnx.TensorProto, name) for name in (
    "FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "FLOAT8E8M0", "FLOAT6E2M3", "FLOAT6E3M2",
    "FLOAT4E2M1"))
WIDER = {onnx.TensorProto.BFLOAT16: np.float32, **{code: np.float32 for code in SMALL_FLOATS},
         onnx.TensorProto.INT4: np.int8, onnx.TensorProto.UINT4: np.uint8,
         onnx.TensorProto.INT2: np.int8, onnx.TensorProto.UINT2: np.uint8}
NARROW = {onnx.helper.tensor_dtype_to_np_dtype(code): np.dtype(wide) for code, wide in WIDER.items()}


@dataclass
class Case:
    name: str
    model: onnx.ModelProto
    inputs: list
    outputs: list
    rtol: float
    atol: float


@dataclass
class Result:
    name: str
    stage: str  # "passed", "constants", or where it failed
    note: str = ""


def read_proto(path, type_proto):
    """A tensor of test data; sequences and optionals are None, for torshc refuses them before it reads inputs."""
    if not type_proto.HasField("tensor_type"):
        return None
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.read_bytes())
    return to_array(tensor)


def to_array(value):
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    try:
        return np.asarray(value)
    except ValueError:
        return None


def on_disk(case, kind):
    folder = Path(case.model_dir)
    model = onnx.load(folder / "model.onnx")
    data = sorted(folder.glob("test_data_set_*"))[0]
    initialized = {tensor.name for tensor in model.graph.initializer}
    fed = [value for value in model.graph.input if value.name not in initialized]
    inputs = [read_proto(data / f"input_{i}.pb", value.type) for i, value in enumerate(fed)
              if (data / f"input_{i}.pb").exists()]
    outputs = [read_proto(data / f"output_{i}.pb", value.type) for i, value in enumerate(model.graph.output)]
    return Case(f"{kind}/{case.name}", model, inputs, outputs, case.rtol, case.atol)


def collect(kinds, pattern):
    cases = []
    np.random.seed(0)  # the inputs of many node cases are drawn when they are collected
    for kind in kinds:
        for case in load_model_tests(kind=kind):
            if pattern and not re.search(pattern, f"{kind}/{case.name}"):
                continue
            if kind != "node":
                cases.append(on_disk(case, kind))
                continue
            inputs, outputs = case.data_sets[0]
            cases.append(Case(f"{kind}/{case.name}", case.model, [to_array(x) for x in inputs],
                              [to_array(x) for x in outputs], case.rtol, case.atol))
    return cases


def with_constants(case):
    """The case with its parameters as initializers; None when it feeds none."""
    names = {node.input[i] for node in case.model.graph.node for i in PARAMETERS.get(node.op_type, ())
             if i < len(node.input) and node.input[i]}
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    kept, values = [], []
    for info, value in zip(case.model.graph.input, case.inputs):
        if info.name in names and value is not None:
            model.graph.initializer.append(numpy_helper.from_array(value, info.name))
        else:
            kept.append(info)
            values.append(value)
    if len(kept) == len(case.inputs):
        return None
    del model.graph.input[:]
    model.graph.input.extend(kept)
    return Case(case.name, model, values, case.outputs, case.rtol, case.atol)


def cast(source, target, to):
    """Infinities of 8-bit floats survive, so the Cast must not saturate."""
    return onnx.helper.make_node("Cast", [source], [target], to=to, **({"saturate": 0} if to in SMALL_FLOATS else {}))


def widened(case):
    """The case with inputs and outputs of types that .npy files can hold; exact, for only wider types are used."""
    model = onnx.ModelProto()
    model.CopyFrom(case.model)
    inputs = list(case.inputs)
    before, after = [], []
    initialized = {tensor.name for tensor in model.graph.initializer}
    fed = [info for info in model.graph.input if info.name not in initialized]
    for i, info in enumerate(fed):
        narrow = info.type.tensor_type.elem_type
        if narrow in WIDER and i < len(inputs) and inputs[i] is not None:
            before.append(cast(info.name + "__wide", info.name, narrow))
            info.name += "__wide"
            inputs[i] = inputs[i].astype(WIDER[narrow])
            info.type.tensor_type.elem_type = onnx.helper.np_dtype_to_tensor_dtype(inputs[i].dtype)
    for info in model.graph.output:
        narrow = info.type.tensor_type.elem_type
        if narrow in WIDER:
            wide = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(WIDER[narrow]))
            after.append(cast(info.name, info.name + "__wide", wide))
            info.name += "__wide"
            info.type.tensor_type.elem_type = wide
    nodes = before + list(model.graph.node) + after
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return Case(case.name, model, inputs, case.outputs, case.rtol, case.atol)


def difference(actual, expected, case):
    """Empty when the arrays agree, else what differs."""
    if NARROW.get(expected.dtype) == actual.dtype:
        narrow = actual.astype(expected.dtype)
        unlike = narrow.astype(actual.dtype) != actual
        if (unlike & ~np.isnan(actual.astype(np.float64))).any():
            return f"got values that {expected.dtype} does not have"
        actual = narrow
    if actual.dtype != expected.dtype or actual.shape != expected.shape:
        return f"got {actual.dtype}{list(actual.shape)}, expected {expected.dtype}{list(expected.shape)}"
    kind = expected.dtype
    if kind.kind in "iub" or NARROW.get(kind) in (np.int8, np.uint8):
        wrong = actual != expected
    else:
        a, e = actual.astype(np.float64), expected.astype(np.float64)
        wrong = ~np.isclose(a, e, rtol=max(case.rtol, UNITS.get(kind.name, 0)), atol=case.atol, equal_nan=True)
    if not wrong.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{int(wrong.sum())} of {wrong.size} elements differ, first at {list(at)}: got {actual[at]}, expected {expected[at]}"


def attempt(case, options):
    case = widened(case)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "model.onnx").write_bytes(case.model.SerializeToString())
        out = folder / "out"
        out.mkdir()
        command = [options.torshc, "run", folder / "model.onnx", "--output", out]
        if not options.compiled:
            command.append("--naive")
        initialized = {tensor.name for tensor in case.model.graph.initializer}
        fed = [info for info in case.model.graph.input if info.name not in initialized]
        for i, (info, value) in enumerate(zip(fed, case.inputs)):
            if value is not None and value.dtype.kind not in "OSU":
                np.save(folder / f"input_{i}.npy", value)
                command += ["--input", f"{info.name}={folder / f'input_{i}.npy'}"]
        try:
            done = subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace",
                                  timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return Result(case.name, "timeout", f"more than {SECONDS} s")
        if done.returncode:
            lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
            note = next((line for line in lines if "TSH-" in line or "error" in line), lines[-1] if lines else "")
            return Result(case.name, STAGES.get(done.returncode, f"crash({done.returncode})"), note[:240])
        for info, expected in zip(case.model.graph.output, case.outputs):
            path = out / f"{info.name}.npy"
            if expected is None or not path.exists():
                return Result(case.name, "match", f"output {info.name} was not written as a tensor")
            what = difference(np.load(path), expected, case)
            if what:
                return Result(case.name, "match", f"{info.name}: {what}"[:240])
    return Result(case.name, "passed")


def examine(case, options):
    result = attempt(case, options)
    if result.stage == "passed":
        return result
    constant = with_constants(case)
    if constant is None:
        return result
    again = attempt(constant, options)
    if again.stage == "passed":
        return Result(case.name, "constants")
    # The second form says more: what is missing besides the constants.
    return again


def read_expected(path):
    expected = {}
    for number, line in enumerate(path.read_text().splitlines() if path.exists() else [], 1):
        if not line.strip() or line.startswith("#"):
            continue
        words = line.split(maxsplit=2)
        if len(words) < 3:
            sys.exit(f"{path}:{number}: NAME STAGE REASON is needed")
        expected[words[0]] = (words[1], words[2])
    return expected


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torshc", default=ROOT / "build/bin/torshc")
    parser.add_argument("--compiled", action="store_true", help="compiled code instead of the reference evaluator")
    parser.add_argument("--filter", help="a regular expression over KIND/NAME")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--expected", type=Path, default=Path(__file__).with_name("onnx_nodes_expected.txt"))
    parser.add_argument("--failures", type=Path, help="write all cases that fail as NAME STAGE REASON")
    parser.add_argument("-v", "--verbose", action="store_true", help="print each case")
    options = parser.parse_args()
    if not Path(options.torshc).exists():
        sys.exit(f"{options.torshc} does not exist; build the target torshc first")
    warnings.filterwarnings("ignore")
    expected = read_expected(options.expected)
    cases = collect(options.kinds, options.filter)
    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda case: examine(case, options), cases))

    table, surprises = {}, []
    for result in results:
        kind = result.name.split("/")[0]
        counts = table.setdefault(kind, {"passed": 0, "constants": 0, "expected": 0, "failed": 0})
        known = expected.get(result.name)
        if result.stage in ("passed", "constants"):
            counts[result.stage] += 1
            if known:
                surprises.append(f"{result.name} passes, but is listed as failing ({known[1]})")
        elif known and known[0] == result.stage:
            counts["expected"] += 1
        else:
            counts["failed"] += 1
            listed = f" (listed as {known[0]})" if known else ""
            surprises.append(f"{result.name} fails{listed}: {result.stage}: {result.note}")
        if options.verbose:
            print(f"{result.name:70} {result.stage:12} {result.note}")
    if not options.filter and set(options.kinds) == set(KINDS):
        names = {result.name for result in results}
        surprises += [f"{name} is listed as failing, but there is no such case" for name in expected if name not in names]
    if options.failures:
        lines = [f"{r.name} {r.stage} {r.note or '-'}\n" for r in results if r.stage not in ("passed", "constants")]
        options.failures.write_text("".join(sorted(lines)))

    print(f"{'':20}{'passed':>8}{'constants':>11}{'expected':>10}{'failed':>8}")
    for kind, counts in table.items():
        print(f"{kind:20}{counts['passed']:8}{counts['constants']:11}{counts['expected']:10}{counts['failed']:8}")
    for surprise in surprises:
        print(surprise)
    good = sum(counts["passed"] + counts["constants"] for counts in table.values())
    print(f"{sum(c['constants'] for c in table.values())} of the passed with parameters made constant, "
          f"{sum(c['expected'] for c in table.values())} known not to pass")
    print(f"{good} passed, {len(surprises)} failed")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
