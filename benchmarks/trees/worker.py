"""One side of the comparison in a process of its own: SIDE MODEL ROWS.npy BATCH THREADS SECONDS.

Prints the seconds of a call, the smallest mean of several stretches of calls, and a checksum of the last results. Calls
take different rows in turn, so that no branch is learnt by heart.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def torsh_side(model, threads):
    sys.path.insert(0, str(ROOT / "build/python"))
    import torsh

    return torsh.load(model, threads=threads)


def onnxruntime_side(model, threads):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda x: session.run(None, {name: x})


def lleaves_side(model, threads):
    import lleaves

    compiled = lleaves.Model(model_file=model)
    compiled.compile(cache=model + ".bin")
    return lambda x: compiled.predict(x, n_jobs=threads)


def main():
    side, model, rows, batch, threads, seconds = sys.argv[1:7]
    if int(threads) == 1:
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[0]})
    run = {"torsh": torsh_side, "onnxruntime": onnxruntime_side, "lleaves": lleaves_side}[side](model, int(threads))
    data, batch = np.load(rows), int(batch)
    if side == "lleaves":
        data = data.astype(np.float64)
    blocks = [np.ascontiguousarray(data[i:i + batch]) for i in range(0, len(data) - batch + 1, batch)]
    calls = 0
    first = time.perf_counter()
    while calls < 3 or time.perf_counter() - first < 0.2:
        result = run(blocks[calls % len(blocks)])
        calls += 1
    each = max(1, int(calls * float(seconds) / 0.2 / 5))
    best, at = float("inf"), 0
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(each):
            run(blocks[at % len(blocks)])
            at += 1
        best = min(best, (time.perf_counter() - started) / each)
    result = run(blocks[0])
    last = result[-1] if isinstance(result, (tuple, list)) else result
    print(json.dumps({"seconds": best, "sum": float(np.asarray(last, np.float64).sum())}))


if __name__ == "__main__":
    main()
