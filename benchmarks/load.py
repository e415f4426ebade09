"""Drives workers with MLCommons' load generator: load.py SPEC.json, by serving.py.

First the capacity: requests/s of all workers when each gets its next request at once. Then arrivals of a Poisson
process at a share of it, in one queue before the workers. The last line is JSON.
"""

import json
import queue
import re
import sys
import threading
import time
from pathlib import Path

import mlperf_loadgen

from pairing import Worker

WARM_RUNS = 5
CAPACITY_SECONDS = 3.0
LEAST_REQUESTS = 100
MOST_RATE = 1500.0  # above, handing out requests from here would be what is measured


def capacity(workers, seconds):
    """Requests/s while every worker is busy all the time."""
    done = [0] * len(workers)
    end = time.monotonic() + seconds

    def work(index):
        while time.monotonic() < end or not done[index]:
            workers[index].run(1)
            done[index] += 1

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(workers))]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.monotonic() - start)


def serve_queue(worker, waiting):
    """Answers requests of the queue until a None comes."""
    while (sample := waiting.get()) is not None:
        worker.run(1)
        mlperf_loadgen.QuerySamplesComplete([mlperf_loadgen.QuerySampleResponse(sample.id, 0, 0)])


def poisson(workers, rate, seconds, logs):
    """Runs the load generator's server scenario and returns what it says: figure name to number."""
    waiting = queue.SimpleQueue()
    threads = [threading.Thread(target=serve_queue, args=(w, waiting), daemon=True) for w in workers]
    for thread in threads:
        thread.start()
    settings = mlperf_loadgen.TestSettings()
    settings.scenario = mlperf_loadgen.TestScenario.Server
    settings.mode = mlperf_loadgen.TestMode.PerformanceOnly
    settings.server_target_qps = rate
    settings.server_target_latency_ns = 10**12
    settings.min_duration_ms = int(seconds * 1000)
    settings.min_query_count = min(LEAST_REQUESTS, int(4 * rate * seconds) + 1)
    output = mlperf_loadgen.LogOutputSettings()
    output.outdir = logs
    output.copy_summary_to_stdout = False
    log = mlperf_loadgen.LogSettings()
    log.log_output = output
    log.enable_trace = False
    sut = mlperf_loadgen.ConstructSUT(lambda samples: [waiting.put(s) for s in samples], lambda: None)
    samples = mlperf_loadgen.ConstructQSL(64, 64, lambda _: None, lambda _: None)
    mlperf_loadgen.StartTestWithLogSettings(sut, samples, settings, log)
    mlperf_loadgen.DestroyQSL(samples)
    mlperf_loadgen.DestroySUT(sut)
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join()
    summary = (Path(logs) / "mlperf_log_summary.txt").read_text()
    return {key.strip(): float(value) for key, value in re.findall(r"^(.*?)\s*:\s*(-?[\d.e+]+)\s*$", summary, re.M)}


def main():
    spec = json.loads(Path(sys.argv[1]).read_text())
    workers = [Worker(command, spec["environment"], core) for command, core in zip(spec["commands"], spec["cores"])]
    try:
        for worker in workers:
            worker.run(WARM_RUNS)
        most = capacity(workers, CAPACITY_SECONDS)
        if most > MOST_RATE:
            print(json.dumps({"why": f"{most:.0f} requests/s are more than the load generator can hand out in time"}))
            return
        figures = poisson(workers, spec["share"] * most, spec["seconds"], spec["logs"])
    finally:
        for worker in workers:
            worker.close()
    print(json.dumps({"capacity": most, "rate": figures["Completed samples per second"],
                      "p50_ms": figures["50.00 percentile latency (ns)"] * 1e-6,
                      "p99_ms": figures["99.00 percentile latency (ns)"] * 1e-6,
                      "mean_ms": figures["Mean latency (ns)"] * 1e-6}))


if __name__ == "__main__":
    main()
