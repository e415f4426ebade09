"""A small report with invented figures, for the tests of what is made of reports."""


def side(ms, host="c", **changes):
    return {"host": host, "error": 1e-6, "limit": 1e-5, "strict": True, "compile_s": 0.0, "session_ms": 20.0,
            "first_ms": 30.0, "peak_mib": 40.0, "run_mib": 35.0, "shipped_bytes": 10**6, "ms": ms, **changes}


def row(model, group, ratios, batch=1, threads=1, spread=0.02, **ours):
    """A row with our time 1 ms and a peer at each of `ratios`."""
    return {"model": model, "class": group, "batch": batch, "threads": threads, "rounds": 3, "discarded": 0, "scale": 2.0,
            "failures": {}, "sides": {"torsh": side(1.0, **ours), **{n: side(r) for n, r in ratios.items()}},
            "ratios": {n: {"ratio": r, "low": r - spread, "high": r + spread, "rounds": [r - spread, r, r + spread]}
                       for n, r in ratios.items()}}


def report(rows, **changes):
    return {"format": 1, "commit": "0123456789abcdef", "time": "2020-01-01 00:00Z",
            "machine": {"cpu": "A <fast> processor", "cores": 2, "memory_gib": 8, "kernel": "6", "identity": "here"},
            "settings": {"rounds": 3, "seconds": 0.1, "sweep_mib": 32, "least_scale": 1.9, "quick": False},
            "peers": {"torsh": {"title": "ToRSh", "version": "1", "host": "c"},
                      "onnxruntime": {"title": "ONNX Runtime", "version": "1.0", "host": "c"},
                      "openvino": {"title": "OpenVINO", "version": "2.0", "host": "c"}},
            "absent": {}, "rows": rows, "failures": [], "not_counted": [], "serving": [], "kernels": [], "means": [],
            "losses": [], "regressions": [], **changes}
