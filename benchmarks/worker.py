"""The Python processes that the comparison starts, one for each runtime and purpose:

  worker.py about NAME               one line of JSON: what peers/NAME.py says about its runtime
  worker.py prepare NAME JOB.json    compiles ahead of time; one line of JSON with the artifact and the seconds
  worker.py run NAME JOB.json SWEEP_MIB PREFIX    loads, answers once, then serves the protocol of hosts/host.c
  worker.py calibrate CORE           serves the protocol with a fixed multiplication that fits the cache

A runtime that cannot do its part says so in a line `refused: REASON` on stderr.
"""

import json
import os
import sys
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
ANSWERS = None


def take_stdout():
    """Keeps stdout for the protocol: whatever a runtime prints goes to stderr."""
    global ANSWERS
    ANSWERS = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)


def answer(*words):
    print(*words, file=ANSWERS, flush=True)


def status_kib(key):
    with open("/proc/self/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(key + ":"):
                return int(line.split()[1])
    return 0


def reset_peak():
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def serve(run, dump, sweep_mib):
    import numpy as np

    other = np.zeros(sweep_mib << 20, dtype=np.uint8)
    for line in sys.stdin:
        words = line.split()
        if words[:1] == ["run"]:
            times = []
            for index in range(int(words[1])):
                other.fill(index & 255)
                start = time.perf_counter_ns()
                run()
                times.append(time.perf_counter_ns() - start)
            answer(*times)
        elif words[:1] == ["dump"]:
            dump()
            answer("ok")
        else:
            return


def load_job(path):
    from peers.interface import Job

    with open(path, encoding="utf-8") as file:
        return Job(**json.load(file))


def about(plugin):
    answer(json.dumps(plugin.about()))


def prepare(plugin, job_file):
    peer = plugin(load_job(job_file))
    start = time.perf_counter()
    artifact = peer.prepare()
    seconds = time.perf_counter() - start
    answer(json.dumps({"artifact": artifact, "seconds": seconds}))


def run(plugin, job_file, sweep, prefix):
    import numpy as np

    job = load_job(job_file)
    arrays = [np.fromfile(p["file"], dtype=p["dtype"]).reshape(p["shape"]) for p in job.inputs]
    peer = plugin(job)
    before = status_kib("VmRSS")
    start = time.perf_counter_ns()
    plugin.about()  # imports the runtime
    opened = time.perf_counter_ns()
    peer.load()
    loaded = time.perf_counter_ns()
    peer.bind(arrays)
    peer.run()
    answered = time.perf_counter_ns()
    peer.run()
    peak = status_kib("VmHWM")
    reset_peak()
    peer.run()
    peer.run()
    answer(json.dumps({"open_ns": opened - start, "load_ns": loaded - opened, "first_ns": answered - start,
                       "before_kib": before, "peak_kib": peak, "run_kib": status_kib("VmHWM"),
                       "shipped": sum(os.path.getsize(f) for f in peer.shipped())}))

    def dump():
        for index, (value, port) in enumerate(zip(peer.outputs(), job.outputs, strict=True)):
            if list(value.shape) != port["shape"] or str(value.dtype) != port["dtype"]:
                fail(f"output {port['name']} is {value.dtype}{list(value.shape)} instead of "
                     f"{port['dtype']}{port['shape']}")
            np.ascontiguousarray(value).tofile(f"{prefix}.{index}")

    serve(peer.run, dump, int(sweep))


def calibrate(core):
    import numpy as np

    if core != "any":
        os.sched_setaffinity(0, {int(core)})
    a = np.full((160, 160), 0.5, dtype=np.float32)
    out = np.empty_like(a)

    def once():
        for _ in range(60):
            np.matmul(a, a, out=out)

    answer("{}")
    serve(once, lambda: None, 0)


def fail(reason, folder=""):
    """Ends the process. `folder` is where the job lies, whose name tells nobody anything."""
    reason = reason.replace(folder + "/", "") if folder else reason
    print("refused: " + " ".join(reason.split())[:400], file=sys.stderr)
    sys.exit(1)


def main():
    task, words = sys.argv[1], sys.argv[2:]
    take_stdout()
    if task == "calibrate":
        return calibrate(*words)
    from peers import plugin
    from peers.interface import Refused

    folder = os.path.dirname(words[1]) if len(words) > 1 else ""
    try:
        {"about": about, "prepare": prepare, "run": run}[task](plugin(words[0]), *words[1:])
    except (Refused, ImportError) as error:
        fail(str(error), folder)
    except Exception as error:  # a peer may fail in any way; the comparison lists it
        fail(f"{type(error).__name__}: {error}", folder)
    return None


if __name__ == "__main__":
    main()
