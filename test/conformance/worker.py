"""Compiles and runs forms of cases in a process of its own: pickled jobs on standard input, pickled answers on the output.

A job is (torshc, mode, case); the answer is (stage, note), stage being "passed" or where it ended: compile, load, run,
match. What crashes takes this process along, which the suite sees.
"""

import contextlib
import os
import pickle
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx

import variants

SECONDS = 60
# A case's tolerance is made for f32; chains of ops in narrow types may end two units in the last place apart.
UNITS = {"bfloat16": 2.0**-6, "float16": 2.0**-9, "float8_e4m3fn": 2.0**-3, "float8_e5m2": 2.0**-2,
         "float8_e4m3fnuz": 2.0**-3, "float8_e5m2fnuz": 2.0**-2}
EXACT = ("int2", "int4", "uint2", "uint4")


class Failed(Exception):
    def __init__(self, stage, note):
        super().__init__(note)
        self.stage, self.note = stage, note


def difference(actual, expected, rtol, atol):
    """Empty when the values agree, else what differs."""
    if isinstance(expected, list) or isinstance(actual, list) or expected is None or actual is None:
        if not isinstance(expected, list) or not isinstance(actual, list):
            return "" if expected is None and actual is None else f"got {type(actual).__name__}"
        if len(actual) != len(expected):
            return f"got {len(actual)} items, expected {len(expected)}"
        return next((f"item {i}: {what}" for i, pair in enumerate(zip(actual, expected))
                     if (what := difference(*pair, rtol, atol))), "")
    actual, expected = np.asarray(actual), np.asarray(expected)
    if expected.dtype.kind in "OSU":
        same = actual.shape == expected.shape and all(
            (a.decode() if isinstance(a, bytes) else str(a)) == (e.decode() if isinstance(e, bytes) else str(e))
            for a, e in zip(actual.ravel(), expected.ravel()))
        return "" if same else f"got {actual.tolist()}, expected {expected.tolist()}"[:200]
    if actual.dtype != expected.dtype or actual.shape != expected.shape:
        return f"got {actual.dtype}{list(actual.shape)}, expected {expected.dtype}{list(expected.shape)}"
    if expected.dtype.kind in "iub" or expected.dtype.name in EXACT:
        wrong = actual != expected
    else:
        wide = np.complex128 if expected.dtype.kind == "c" else np.float64
        wrong = ~np.isclose(actual.astype(wide), expected.astype(wide), rtol=max(rtol, UNITS.get(expected.dtype.name, 0)),
                            atol=atol, equal_nan=True)
    if not wrong.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return f"{int(wrong.sum())} of {wrong.size} elements differ, first at {list(at)}: got {actual[at]}, expected {expected[at]}"


def compare(case, actual, expected):
    model = onnx.load_from_string(case.model)
    if len(actual) != len(expected):
        raise Failed("match", f"{len(actual)} outputs, expected {len(expected)}")
    for info, a, e in zip(model.graph.output, actual, expected):
        if what := difference(a, e, case.rtol, case.atol):
            raise Failed("match", f"{info.name}: {what}"[:240])


def compile_case(torshc, case, folder):
    model, artifact = folder / "model.onnx", folder / "model.so"
    model.write_bytes(case.model)
    try:
        done = subprocess.run([torshc, model, "-o", artifact], capture_output=True, text=True, errors="replace",
                              timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise Failed("timeout", f"compiling took more than {SECONDS} s")
    if done.returncode in (1, 2, 3, 4):
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        # The sentence of the refusal stands behind the count of refusals.
        told = [line for line in lines if "TSH-" in line or "error" in line]
        note = " ".join((told + [line for line in lines if line not in told])[:2]) if told else " ".join(lines[:1])
        raise Failed({3: "malformed", 4: "unsupported"}.get(done.returncode, "compile"),
                     re.sub(r"\S*/model\.onnx", "model", note)[:300])
    if done.returncode:
        raise Failed("crash", f"torshc ended with {done.returncode}")
    return artifact


def call(module, inputs):
    import torsh
    try:
        return module(*inputs)
    except torsh.Error as error:
        raise Failed("run", str(error)[:240])


def load(artifact):
    import torsh
    try:
        return torsh.load(artifact, threads=1)
    except torsh.Error as error:
        raise Failed("load", str(error)[:240])


def run_given(torshc, case, folder):
    compare(case, call(load(compile_case(torshc, case, folder)), case.inputs), case.outputs)
    return ""


def reference(case, inputs):
    """What ONNX Runtime, else ONNX's own evaluator, answers; None when neither takes these sizes."""
    names = [info.name for info in variants.fed_inputs(onnx.load_from_string(case.model).graph)]
    feeds = {name: value for name, value in zip(names, inputs) if value is not None}
    with contextlib.suppress(Exception):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(case.model, options, providers=["CPUExecutionProvider"]).run(None, feeds)
    with contextlib.suppress(Exception):
        from onnx.reference import ReferenceEvaluator
        return ReferenceEvaluator(onnx.load_from_string(case.model)).run(None, feeds)
    return None


def second_run(module, case):
    """Runs the same artifact on another size whose answer is known; says so when there is none."""
    symbols = {}
    for port, value in zip(module.inputs, case.inputs):
        for dim, size in zip(getattr(port, "dims", ()), getattr(value, "shape", ())):
            if isinstance(dim, str) and re.fullmatch(r"\w+", dim):
                symbols[dim] = size
    for sizes in variants.other_sizes(symbols):
        inputs = []
        for port, value in zip(module.inputs, case.inputs):
            if not isinstance(value, np.ndarray):
                inputs.append(value)
                continue
            shape = [dim if isinstance(dim, int) else int(eval(  # the text of a dim expression
                dim.replace("/", "//"), {"floordiv": lambda a, b: a // b, "ceildiv": lambda a, b: -(-a // b),
                                         "mod": lambda a, b: a % b, "min": min, "max": max}, sizes))
                for dim in port.dims]
            inputs.append(variants.resized(value, shape))
        expected = reference(case, inputs)
        if expected is None:
            continue
        import torsh
        try:
            actual = module(*inputs)
        except torsh.Error as error:
            # A guard may say that these sizes do not fit together, which the reference need not mind.
            if "do not fit together" in str(error) or "must have size" in str(error):
                continue
            raise Failed("run", "other sizes: " + str(error)[:200])
        try:
            compare(case, actual, expected)
        except Failed as failed:
            raise Failed("match", "other sizes: " + failed.note)
        return "two sizes"
    return "one size"


def run_symbolic(torshc, case, folder):
    form = variants.symbolic(case)
    if form is None:
        return run_given(torshc, case, folder)
    module = load(compile_case(torshc, form, folder))
    compare(form, call(module, form.inputs), form.outputs)
    return second_run(module, form)


def run_constant(torshc, case, folder):
    forms = list(variants.constants(case)) or [("", case)]
    for number, (name, form) in enumerate(forms):
        place = folder / str(number)
        place.mkdir()
        try:
            run_given(torshc, form, place)
        except Failed as failed:
            raise Failed(failed.stage, f"{name} constant: {failed.note}")
    return f"{len(forms)} forms"


MODES = {"given": run_given, "symbolic": run_symbolic, "constant": run_constant}


def main():
    warnings.filterwarnings("ignore")
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing else may write between the answers
    while True:
        try:
            torshc, mode, case = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        with tempfile.TemporaryDirectory() as folder:
            try:
                answer = ("passed", MODES[mode](torshc, case, Path(folder)))
            except Failed as failed:
                answer = (failed.stage, failed.note)
            except Exception as error:  # a value that the package does not take, and the like
                answer = ("run", f"{type(error).__name__}: {error}"[:240])
        pickle.dump(answer, channel)
        channel.flush()


if __name__ == "__main__":
    main()
