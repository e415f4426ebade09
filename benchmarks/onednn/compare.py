#!/usr/bin/env python3
"""Our contractions, compiled for AVX2, against the primitives of oneDNN held to AVX2, one by one on one thread.

Compiles each model for x86-64-v3, takes its distinct convolutions and products with their epilogues, and measures the
kernels alone against the fastest oneDNN primitive for the same work: any layout for its operands, weights packed before,
nothing reordered inside the timing. Prints a line for each contraction and a sum for each model, what loses most first, and
at the end the losses over all models.

usage: benchmarks/onednn/compare.py [--models DIR] [--rounds 15] [--json FILE] [--below 0.95] [NAME...]
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import contractions  # noqa: E402
import kernel_text  # noqa: E402
from summary import Row, model_sum, print_losses, print_tables, to_json  # noqa: E402

SOURCES = ("onednn_host.cpp", "rival.cpp", "job.cpp", "artifact_launches.cpp")
# Ours have channels last, oneDNN's dims are batch, channels, height, width.
ONEDNN_ORDER = (0, 3, 1, 2)
# What oneDNN has to say about its threads and instructions.
ENVIRONMENT = {"ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "1"}


def run(command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, **more)
    if done.returncode:
        raise RuntimeError(f"{Path(str(command[0])).name}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    return done.stdout


def build_host(onednn, folder):
    """The host program, compiled against the library of the environment `onednn`."""
    host = Path(folder) / "onednn_host"
    if not (onednn / "include/oneapi/dnnl/dnnl.hpp").exists():
        sys.exit(f"error: {onednn} has no oneDNN; benchmarks/install.sh --onednn puts it there")
    run(["c++", "-O2", "-std=c++17", f"-I{ROOT}/include", f"-I{onednn}/include", *(HERE / s for s in SOURCES),
         f"-L{onednn}/lib", f"-Wl,-rpath,{onednn}/lib", "-ldnnl", "-ldl", "-o", host])
    return host


def view_words(view, ids, order=None):
    """A View as the host reads it; None says that there is none."""
    if view is None:
        return "-1 0 0 0"
    axes = order or range(len(view.dims))
    dims, strides = [view.dims[a] for a in axes], [view.strides[a] for a in axes]
    return " ".join(str(w) for w in (ids[view.buffer], view.offset, len(dims), *dims, len(strides), *strides))


def weights_view(contraction):
    """The weights in oneDNN's order of dims: (groups,) out, in, height, width for ours of height, width, in, out."""
    view = contraction.weights
    if view is None or contraction.kind == "matmul":
        return view
    (height, width, channels, out), (s_height, s_width, s_in, s_out) = view.dims, view.strides
    groups = contraction.sizes["groups"]
    if groups == 1:
        return contractions.View(view.buffer, view.offset, (out, channels, height, width), (s_out, s_in, s_height, s_width))
    each = out // groups
    return contractions.View(view.buffer, view.offset, (groups, each, channels, height, width),
                             (each * s_out, s_out, s_in, s_height, s_width))


def result_words(contraction, view, ids):
    """A tensor of the result's shape: of a product as batch, rows and columns."""
    s = contraction.sizes
    if contraction.kind == "conv":
        return view_words(view, ids, ONEDNN_ORDER)
    axes = [a for a in range(len(view.dims) - 1) if view.dims[a] != 1]
    if any(view.strides[outer] != view.dims[inner] * view.strides[inner] for outer, inner in zip(axes, axes[1:])):
        raise contractions.NotComparable("a result whose rows lie apart")
    row = view.strides[axes[-1]] if axes else s["columns"]
    return view_words(contractions.View(view.buffer, view.offset, (s["batch"], s["rows"], s["columns"]),
                                        (s["rows"] * row, row, view.strides[-1])), ids)


def job_text(number, contraction):
    """A contraction in the words of job.h."""
    ids = {name: i for i, name in enumerate(contraction.buffers)}
    s = contraction.sizes
    lines = [f"job {number}", f"buffers {len(ids)} " + " ".join(
        f"{tensor.bytes} {int(constant)}" for tensor, constant in contraction.buffers.values())]
    lines.append(f"steps {len(contraction.launches)}")
    for index, kernel, inputs, outputs in contraction.launches:
        lines.append(" ".join(str(w) for w in (index, kernel, len(inputs), *(ids[n] for n in inputs), len(outputs),
                                               *(ids[n] for n in outputs))))
    if contraction.kind == "conv":
        pairs = [s[key + axis] for key in ("in_", "out_", "kernel_", "stride_", "dilation_", "low_", "high_") for axis in "hw"]
        lines.append(" ".join(str(w) for w in ("conv", s["batch"], s["groups"], s["in_channels"], s["out_channels"], *pairs)))
    else:
        lines.append(f"matmul {s['batch']} {s['rows']} {s['depth']} {s['columns']}")
    lines.append("source " + view_words(contraction.source, ids, ONEDNN_ORDER if contraction.kind == "conv" else None))
    lines.append("weights " + view_words(weights_view(contraction), ids))
    lines.append("result " + result_words(contraction, contraction.result, ids))
    bias = contractions.View(contraction.bias, 0, (), ()) if contraction.bias else None
    lines.append("bias " + view_words(bias, ids))
    lines.append("packing " + " ".join(str(n) for n in contraction.packing or (0,) * 5))
    lines.append(f"posts {len(contraction.posts)}")
    for post in contraction.posts:
        numbers = [w for w in post[1:] if isinstance(w, float)] + [0.0, 0.0]
        operand = "-1 0 0 0"
        if post[0] == "sum":
            operand = result_words(contraction, post[1], ids)
        elif post[0].endswith("_channel"):
            operand = view_words(contractions.View(post[1], 0, (), ()), ids)
        lines.append(f"{post[0]} {numbers[0]!r} {numbers[1]!r} {operand}")
    return "\n".join(lines) + "\n"


def compile_model(options, model, folder):
    """(the printed kernels, the artifact, kernel to note)."""
    common = [model, "--target-cpu=x86-64-v3", *(["--exact-conv"] if options.exact_conv else []),
              "--tuning-db", options.tuning_db]
    text, artifact = Path(folder) / "kernels.mlir", Path(folder) / "model.so"
    run([options.torshc, *common, "--emit=kernels", "-o", text])
    run([options.torshc, *common, "-o", artifact])
    notes = {k["name"]: k["code"] for k in json.loads(run([options.torshc, "inspect", artifact, "--json"]))["kernels"]}
    return text.read_text(encoding="utf-8"), artifact, notes


def measure(options, host, model, folder):
    """(Rows of a model, what was left out)."""
    text, artifact, notes = compile_model(options, model, folder)
    found, skipped = contractions.find(kernel_text.read(text))
    jobs = Path(folder) / "jobs"
    chosen = []
    with open(jobs, "w", encoding="utf-8") as f:
        for contraction in found:
            try:
                f.write(job_text(len(chosen), contraction))
                chosen.append(contraction)
            except contractions.NotComparable as reason:
                skipped[contraction.name] = (str(reason), contraction.times)
    core = max(os.sched_getaffinity(0))
    said = run(["taskset", "-c", core, host, artifact, jobs, options.rounds, options.cold],
               env={**os.environ, **ENVIRONMENT})
    artifact.unlink()
    lines = [json.loads(line) for line in said.splitlines()]
    rows = [Row.make(chosen[line["job"]], line, notes[chosen[line["job"]].name]) for line in lines[1:]]
    return lines[0]["onednn"], rows, skipped


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help="models; default: all with fixed sizes")
    parser.add_argument("--models", type=Path, default=ROOT / "build/models", help="folder of .onnx files")
    parser.add_argument("--torshc", type=Path, default=ROOT / "build/bin/torshc")
    parser.add_argument("--onednn", type=Path, default=ROOT / "build/onednn-venv", help="environment with oneDNN")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--cold", type=int, default=80, metavar="MIB", help="memory that copies of the weights take")
    parser.add_argument("--exact-conv", action="store_true", help="our convolutions as direct sums, without Winograd")
    parser.add_argument("--tuning-db", default="none", help="as for torshc; default: no measured choices of the user's")
    parser.add_argument("--below", type=float, help="exit with 1 when the sum of a model is below this ratio")
    parser.add_argument("--json", type=Path, help="also write the result there")
    options = parser.parse_args()
    models = [options.models / f"{name}.onnx" for name in options.names] or [
        m for m in sorted(options.models.glob("*.onnx")) if not m.stem.endswith(("-sym", "-dynamo", "-external", ".pnnxsim"))]
    if not models:
        sys.exit(f"error: there are no models in {options.models}; test/models/generate.py makes them")
    results, failures = {}, []
    with tempfile.TemporaryDirectory() as folder:
        host = build_host(options.onednn.resolve(), folder)
        for model in models:
            try:
                version, rows, skipped = measure(options, host, model, folder)
            except RuntimeError as error:
                failures.append(f"{model.stem}: {error}")
                print(failures[-1], flush=True)
                continue
            results[model.stem] = rows
            print_tables(model.stem, version, rows, skipped)
            if options.json:
                options.json.write_text(json.dumps(to_json(results), indent=1) + "\n", encoding="utf-8")
    print_losses(results)
    low = [name for name, rows in results.items()
           if options.below and rows and model_sum(rows)["ratio"] < options.below]
    for name in low:
        print(f"{name} is below {options.below}")
    return 1 if failures or low else 0


if __name__ == "__main__":
    sys.exit(main())
