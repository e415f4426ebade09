"""The Python processes that compare.py measures: `worker.py ort|torsh|calibrate ...`.

Each answers "ready", then for a line "run N" N times in nanoseconds, and for "dump" (the first output
goes to a file) "ok". The calibration worker runs a fixed multiplication that fits the cache.
"""

import os
import sys
import time


def serve(once, dump, sweep_mib):
    import numpy as np

    other = np.zeros(sweep_mib << 20, dtype=np.uint8)
    print("ready", flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[:1] == ["run"]:
            times = []
            for index in range(int(words[1])):
                other.fill(index & 255)
                start = time.perf_counter_ns()
                once()
                times.append(time.perf_counter_ns() - start)
            print(*times, flush=True)
        elif words[:1] == ["dump"]:
            dump()
            print("ok", flush=True)
        else:
            return


def ort(model, threads, sweep, target, *files):
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(threads)
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()
    feeds = {i.name: np.load(f) for i, f in zip(session.get_inputs(), files)}
    names = [o.name for o in session.get_outputs()]
    held = [onnxruntime.OrtValue.ortvalue_from_numpy(a) for a in feeds.values()]
    for name, value in zip(feeds, held):
        binding.bind_ortvalue_input(name, value)
    outputs = [onnxruntime.OrtValue.ortvalue_from_numpy(np.zeros_like(a)) for a in session.run(names, feeds)]
    for name, value in zip(names, outputs):
        binding.bind_ortvalue_output(name, value)
    serve(lambda: session.run_with_iobinding(binding), lambda: np.save(target, outputs[0].numpy()), int(sweep))


def torsh(artifact, threads, sweep, target, *files):
    import numpy as np
    import torsh as package

    module = package.load(artifact, threads=int(threads))
    arrays = [np.load(f) for f in files]
    serve(lambda: module(*arrays), lambda: np.save(target, module(*arrays)[0]), int(sweep))


def calibrate(core):
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    import numpy as np

    if core != "any":
        os.sched_setaffinity(0, {int(core)})
    a = np.full((160, 160), 0.5, dtype=np.float32)
    out = np.empty_like(a)

    def once():
        for _ in range(60):
            np.matmul(a, a, out=out)

    serve(once, lambda: None, 0)


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    {"ort": ort, "torsh": torsh, "calibrate": calibrate}[sys.argv[1]](*sys.argv[2:])
