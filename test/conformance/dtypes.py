"""Each op in each element type that its schema allows, compiled, against ONNX's evaluator.

Models of one op are drawn from onnx.defs: every combination of the types that the schema's parameters may take, with the
shapes of op_rows.py, and every cast from one type to another. Nodes of an op share a model; when it is refused or wrong
its nodes are tried one by one. f16 and bf16 are compared with the same op in f32. What is known not to work stands in
expected/dtypes.txt as `OP TYPES; STAGE; REASON`; what works all the same is a failure of this test.
"""

import argparse
import itertools
import multiprocessing
import pickle
import sys
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from op_rows import ROWS, Input, Row

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "build/python"))
import torsh  # noqa: E402

OPSET = 28
SKIPPED = ("string", "complex64", "complex128")
# Relative to the largest magnitude of the expected output; what an op may add is the row's `loose`.
TOLERANCE = {"double": 1e-11, "float": 4e-6, "float16": 2.0**-10, "bfloat16": 2.0**-7}
NARROW = ("float16", "bfloat16")
CODES = {name: getattr(TensorProto, code) for name, code in (
    ("float", "FLOAT"), ("double", "DOUBLE"), ("float16", "FLOAT16"), ("bfloat16", "BFLOAT16"), ("bool", "BOOL"),
    *((f"{u}int{bits}", f"{u}int{bits}".upper()) for u in ("", "u") for bits in (2, 4, 8, 16, 32, 64)),
    *((name, name.upper()) for name in ("float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "float8e8m0",
                                        "float4e2m1", "float6e2m3", "float6e3m2")))}
NAMES = {code: name for name, code in CODES.items()}


def array_of(name):
    return helper.tensor_dtype_to_np_dtype(CODES[name])


@dataclass
class Case:
    """One node with its inputs."""

    label: str
    row: Row
    types: dict  # type parameter -> type
    arrays: list  # None where an input is left out
    types_of_inputs: list
    types_of_outputs: list


def draw(random, spec, name):
    """Numbers that the type holds."""
    low, high = spec.low, spec.high
    if name == "bool":
        return random.integers(0, 2, spec.shape).astype(bool)
    if "int" in name:
        bits = int(name.rsplit("t", 1)[1])
        low, high = max(low, 0 if name[0] == "u" else -2.0 ** (bits - 1)), min(high, 2.0 ** (bits - (name[0] != "u")) - 1)
        return random.integers(int(np.ceil(low)), int(max(np.ceil(low), high)) + 1, spec.shape).astype(array_of(name))
    if name == "float8e8m0":
        return (2.0 ** random.integers(-3, 4, spec.shape)).astype(np.float32).astype(array_of(name))
    if name in ("float4e2m1", "float6e2m3"):
        low, high = max(low, -4), min(high, 4)
    values = np.round(random.uniform(low, high, spec.shape) / spec.step) * spec.step
    return np.asarray(values).astype(np.float32).astype(array_of(name))


def parameter_of(schema, i, outputs=False):
    formal = list(schema.outputs if outputs else schema.inputs)
    return formal[min(i, len(formal) - 1)].type_str


def plain(text):
    return text[len("tensor("):-1] if text.startswith("tensor(") else None


def cases_of(row, random):
    schema = onnx.defs.get_schema(row.op, OPSET, row.domain)
    allowed = {c.type_param_str: [plain(t) for t in c.allowed_type_strs if plain(t)] for c in schema.type_constraints}
    used = []
    for i, spec in enumerate(row.inputs):
        parameter = parameter_of(schema, i)
        if spec.value is None and spec.shape is not None and parameter in allowed and parameter not in used:
            used.append(parameter)
    choices = [[t for t in allowed[p] if t in CODES and t not in row.exclude.get(p, ())] for p in used]
    for combination in itertools.product(*choices):
        types = dict(zip(used, combination))
        arrays, names = [], []
        for i, spec in enumerate(row.inputs):
            parameter = parameter_of(schema, i)
            if spec.shape is None:
                arrays.append(None)
                names.append(None)
            elif spec.value is not None:
                arrays.append(spec.value)
                names.append(NAMES[helper.np_dtype_to_tensor_dtype(spec.value.dtype)])
            else:
                names.append(types.get(parameter) or plain(parameter))
                arrays.append(draw(random, spec, names[-1]))
        results = []
        for i in range(row.outputs):
            parameter = parameter_of(schema, i, outputs=True)
            results.append(types.get(parameter) or plain(parameter) or
                           {"QuantizeLinear": types.get("T3"), "DequantizeLinear": types.get("T2"),
                            "EyeLike": types.get("T1")}.get(row.op) or (allowed[parameter][0]))
        label = row.op + "".join(f" {key}={value}" for key, value in row.attributes.items())
        yield Case(label, row, types, arrays, names, results)


def cast_cases(random):
    """Every type to every type, of numbers that both have; only floats of 8 bits and fewer round and saturate."""
    for source, target in itertools.product(CODES, CODES):
        if source == target:
            continue
        signed = "int" not in target or target[0] != "u"
        small = "8" in target or "4" in target or "6e" in target
        bound = {"int2": 1, "uint2": 3, "int4": 7, "uint4": 15}.get(target, 1000 if target[0:3] in ("flo", "bfl", "dou") and
                                                                    small and target not in ("int8", "uint8") else 100)
        spec = Input((6, 11), -bound if signed and target != "float8e8m0" else (0.25 if target == "float8e8m0" else 0),
                     bound, step=0.0625)
        row = Row("Cast", [spec], {"to": CODES[target]})
        yield Case(f"Cast to {target}", row, {"T1": source}, [draw(random, spec, source)], [source], [target])


def model_of(cases, widen=False):
    """One model of all nodes. With `widen` f16 and bf16 are f32."""
    def code(name):
        return TensorProto.FLOAT if widen and name in NARROW else CODES[name]

    nodes, inputs, outputs, initializers, feeds = [], [], [], [], {}
    for number, case in enumerate(cases):
        names = []
        for i, (array, kind) in enumerate(zip(case.arrays, case.types_of_inputs)):
            name = f"n{number}_x{i}"
            names.append("" if array is None else name)
            if array is None:
                continue
            array = array.astype(np.float32) if widen and kind in NARROW else array
            if case.row.inputs[i].constant:
                initializers.append(numpy_helper.from_array(array, name))
            else:
                inputs.append(helper.make_tensor_value_info(name, code(kind), array.shape))
                feeds[name] = array
        results = [f"n{number}_y{i}" for i in range(case.row.outputs)]
        attributes = dict(case.row.attributes)
        if widen and case.row.op == "Cast":
            attributes["to"] = code(case.types_of_outputs[0])
        nodes.append(helper.make_node(case.row.op, names, results, name=f"n{number}", domain=case.row.domain, **attributes))
        outputs += [helper.make_tensor_value_info(name, code(kind), None)
                    for name, kind in zip(results, case.types_of_outputs)]
    graph = helper.make_graph(nodes, "types", inputs, outputs, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=13), feeds


def run_artifact(path, feeds, target):
    module = torsh.load(path, threads=1)
    with open(target, "wb") as file:
        pickle.dump(module(*(feeds[port.name] for port in module.inputs)), file)


def compiled(cases, folder):
    """The outputs of all cases, or the reason why there are none."""
    model, feeds = model_of(cases)
    try:
        module = torsh.compile(model.SerializeToString(), target_cpu="x86-64-v3")
    except torsh.Error as error:
        lines = [line.strip(" -") for line in str(error).splitlines() if line.strip()]
        return next((line for line in lines[1:] if "n0" in line), lines[0] if lines else "no message")
    target = folder / "outputs"
    artifact = module._path
    child = multiprocessing.get_context("spawn").Process(target=run_artifact, args=(artifact, feeds, target))
    child.start()
    child.join()
    if child.exitcode:
        return f"the run ended with code {child.exitcode}"
    with open(target, "rb") as file:
        return pickle.load(file)


def expected(case):
    """The evaluator's outputs; None when it cannot tell."""
    widen = any(name in NARROW for name in case.types_of_inputs) and case.row.op not in (
        "Cast", "QuantizeLinear", "DequantizeLinear", "Identity")
    model, feeds = model_of([case], widen)
    try:
        return ReferenceEvaluator(model).run(None, feeds), widen
    except Exception as error:  # whatever its numpy code trips over
        if case.row.op == "Cast" and case.types["T1"] != "float":
            # Between small types ml_dtypes has no direct way; all of them are exact in f32.
            through = Case(case.label, case.row, {"T1": "float"}, [case.arrays[0].astype(np.float32)], ["float"],
                           case.types_of_outputs)
            return expected(through)
        return f"{type(error).__name__}: {error}"[:120], widen


def onnxruntime_agrees(case, outputs):
    """Whether ONNX Runtime gives what was found, where ONNX's evaluator gives something else."""
    if any(name in NARROW or name not in CODES for name in case.types_of_inputs if name):
        return False
    model, feeds = model_of([case])
    model.opset_import[0].version = min(OPSET, 24)  # what it serves
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        want = session.run(None, feeds)
    except Exception:  # an op, a type or a value that it does not take
        return False
    return not any(difference(got, one, kind, tolerance(case, kind))
                   for got, one, kind in zip(outputs, want, case.types_of_outputs))


def tolerance(case, kind):
    """That of the coarsest type which takes part; narrow ones are f32 in the evaluator."""
    kinds = [kind] + ["float" if name in NARROW else name for name in case.types.values()]
    return case.row.loose * max(TOLERANCE.get(name, 0) for name in kinds)


def difference(got, want, kind, relative):
    if got.shape != want.shape:
        return f"shape {got.shape}, expected {want.shape}"
    if got.dtype != array_of(kind):
        return f"dtype {got.dtype}, expected {kind}"
    exact = kind not in TOLERANCE
    a, b = (x.astype(np.float64) if "int" not in kind else x.astype(object) for x in (got, want))
    if exact:
        same = (a == b) | (np.isnan(a) & np.isnan(b)) if "int" not in kind else a == b
        wrong = ~np.asarray(same, bool)
    else:
        finite = np.abs(b[np.isfinite(b)])
        bound = relative * max(1e-3, finite.max() if finite.size else 0.0)
        with np.errstate(invalid="ignore"):
            wrong = ~((np.abs(a - b) <= bound) | (a == b) | (np.isnan(a) & np.isnan(b)))
    if not wrong.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{int(wrong.sum())} of {wrong.size} wrong, first at {list(at)}: {got[at]}, expected {want[at]}"


def judge(case, outputs):
    want, _ = expected(case)
    if isinstance(want, str):
        return "unknown", want
    for got, one, kind in zip(outputs, want, case.types_of_outputs):
        what = difference(got, np.asarray(one), kind, tolerance(case, kind))
        if what:
            return ("passed", "as ONNX Runtime") if onnxruntime_agrees(case, outputs) else ("wrong", what)
    return "passed", ""


def examine(cases):
    """A (case, stage, note) for each."""
    with tempfile.TemporaryDirectory() as folder:
        found = compiled(cases, Path(folder))
    if isinstance(found, str):
        if len(cases) == 1:
            # Ops as such are the business of the suite of the onnx package.
            return [(cases[0], "no op" if "this operator is not supported" in found else "refused", found)]
        half = len(cases) // 2
        return examine(cases[:half]) + examine(cases[half:])
    results, at = [], 0
    for case in cases:
        results.append((case, *judge(case, found[at:at + case.row.outputs])))
        at += case.row.outputs
    return results


def read_expected(path):
    known = {}
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.strip() and not line.startswith("#"):
            name, stage, reason = line.split("; ", 2)
            known[name] = (stage, reason)
    return known


def name_of(case):
    return f"{case.label} {','.join(case.types.values())}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ops", nargs="+", help="only these")
    parser.add_argument("--expected", type=Path, default=Path(__file__).parent / "expected/dtypes.txt")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("-v", "--verbose", action="store_true")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    np.seterr(all="ignore")
    onnxruntime.set_default_logger_severity(4)
    random = np.random.default_rng(options.seed)
    groups = [list(cases_of(row, random)) for row in ROWS]
    casts = list(cast_cases(random))
    groups += [[case for case in casts if case.types["T1"] == source] for source in CODES]
    if options.ops:
        groups = [group for group in groups if group and group[0].row.op in options.ops]
    chunks = [group[i:i + 24] for group in groups for i in range(0, len(group), 24)]
    with ThreadPoolExecutor(options.jobs) as pool:
        results = [result for chunk in pool.map(examine, chunks) for result in chunk]
    known, counts, surprises, seen = read_expected(options.expected), {}, [], set()
    for case, stage, note in results:
        name = name_of(case)
        seen.add(name)
        listed = known.get(name)
        if listed and listed[0] == stage:
            counts["listed"] = counts.get("listed", 0) + 1
        else:
            counts[stage] = counts.get(stage, 0) + 1
            if listed or stage in ("wrong", "refused"):
                surprises.append(f"{name}; {stage}; {note}" + (f" (listed as {listed[0]})" if listed else ""))
        if options.verbose:
            print(f"{name:60} {stage:8} {note}")
    if not options.ops:
        surprises += [f"{name} is listed, but there is no such case" for name in known if name not in seen]
    print("\n".join(surprises))
    print(", ".join(f"{count} {stage}" for stage, count in sorted(counts.items())))
    print(f"{counts.get('passed', 0)} passed, {len(surprises)} failed")
    return 1 if surprises else 0


if __name__ == "__main__":
    sys.exit(main())
