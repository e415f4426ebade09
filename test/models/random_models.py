"""What programs of random models share: a model against ONNX Runtime in every way to run it, and the count of seeds."""

import argparse
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

RTOL = 1e-4  # of the largest expected value; models are a dozen ops deep and everything is float32


def call(command):
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=300, errors="replace")
    except subprocess.TimeoutExpired:
        return "took more than 300 s"
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
    return f"exit code {done.returncode}: {lines[0][:400]}"


def compare(torshc, model, levels, inputs, seed, keep):
    """What is wrong with the model, as lines; None when ONNX Runtime itself refuses it.

    levels  flags of a compilation, one string each; the reference evaluator is always tried too
    inputs  pairs of a name for a message and the arrays by input name
    """
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    except Exception:
        return None
    with tempfile.TemporaryDirectory(prefix=f"torsh{seed}_") as name:
        folder = Path(name)
        path = folder / "model.onnx"
        onnx.save(model, path)
        failures, artifacts = [], {}
        for level in levels:
            artifacts[level] = folder / f"model{len(artifacts)}.so"
            if problem := call([torshc, path, "-o", artifacts[level], *level.split(), "--target-cpu", "host", "-j", "1"]):
                failures.append(f"compile {level}: {problem}")
                artifacts[level] = None
        for number, (title, feeds) in enumerate(inputs):
            arguments = []

            def pass_array(flag, name, array):
                file = folder / f"{name}.{number}.npy"
                np.save(file, array)
                arguments.extend([flag, f"{name}={file}"])

            for name, array in feeds.items():
                pass_array("--input", name, array)
            try:
                expected = session.run(None, feeds)
            except Exception:
                return None  # nothing to compare with: the model is not valid for these sizes
            for output, array in zip(session.get_outputs(), expected):
                pass_array("--expect", output.name, array)
            arguments += ["--rtol", RTOL, "--atol", 1e-6, "--threads", 1]
            ways = [(f"run {level}", [artifact]) for level, artifact in artifacts.items() if artifact]
            for way, command in ways + [("naive", [path, "--naive"])]:
                if problem := call([torshc, "run", *command, *arguments]):
                    failures.append(f"{way} with {title}: {problem}")
        if failures and keep:
            shutil.copytree(folder, Path(keep) / f"seed{seed}", dirs_exist_ok=True)
    return failures


def main(description, count, check):
    """Runs `check(torshc, seed, keep)` for the seeds of the command line; returns the exit status."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torshc", required=True)
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=count)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", help="a folder for the models that fail")
    options = parser.parse_args()
    passed = failed = refused = 0
    seeds = range(options.seed, options.seed + options.count)
    with ThreadPoolExecutor(options.jobs) as workers:
        for seed, failures in zip(seeds, workers.map(lambda s: check(options.torshc, s, options.keep), seeds)):
            if failures is None:
                refused += 1
            elif failures:
                failed += 1
                print(f"seed {seed}:", *failures, sep="\n  ", flush=True)
            else:
                passed += 1
    # A generator whose models are not valid ONNX tests nothing.
    if refused * 5 > options.count:
        print(f"ONNX Runtime refused {refused} of {options.count} models: the generator is wrong")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
