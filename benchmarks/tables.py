"""The tables and sentences of the report, as text, for Markdown and HTML alike."""

from peers import OURS
from ratios import ALL, BEST, LOSS, PREVIOUS, best_peer, settings_of
from roofline import shares


def setting_name(batch, threads):
    """Words for a cell; 0 stands for every batch, or every number of threads."""
    words = [f"batch {batch}"] if batch else []
    words += [f"{threads} thread{'s' if threads > 1 else ''}"] if threads else []
    return ", ".join(words) or "everything"


def interval_text(ratio):
    return f"{ratio['ratio']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})" if ratio else "-"


def titles(report):
    return {name: peer["title"] if name != PREVIOUS else "previous build" for name, peer in report["peers"].items()}


def mean_rows(report):
    """Rows of the table of means: a class and a setting each."""
    found = {(m["class"], m["batch"], m["threads"], m["peer"]): m for m in report["means"]}
    groups = list(dict.fromkeys(m["class"] for m in report["means"] if m["class"] != ALL)) + [ALL]
    peers = [p for p in report["peers"] if p != OURS]
    rows = []
    for batch, threads in settings_of(report["rows"]):
        for group in groups:
            best = found.get((group, batch, threads, BEST))
            if best:
                others = [found.get((group, batch, threads, p)) for p in peers]
                rows.append([setting_name(batch, threads), group, best["models"],
                             f"{best['mean']:.2f} ({best['low']:.2f} to {best['high']:.2f})",
                             *(f"{m['mean']:.2f}" if m else "-" for m in others)])
    return ["setting", "class", "models", BEST, *(titles(report)[p] for p in peers)], rows


def model_rows(report):
    """Rows of the table of models: times, and the ratio to each peer."""
    peers = [p for p in report["peers"] if p != OURS]
    rows = []
    for row in report["rows"]:
        best = best_peer(row)
        rows.append([row["model"], row["batch"], row["threads"], f"{row['sides'][OURS]['ms']:.3f}",
                     *(f"{row['sides'][p]['ms']:.3f}" if p in row["sides"] else "-" for p in peers),
                     interval_text(row["ratios"].get(best)), titles(report).get(best, "-")])
    return ["model", "batch", "threads", "ours ms", *(f"{titles(report)[p]} ms" for p in peers),
            "best peer / ours", "best peer"], rows


def cost_rows(report):
    """Rows of the table of costs: what a start, a run and an artifact take."""
    rows = []
    for row in report["rows"]:
        for name, side in row["sides"].items():
            rows.append([row["model"], row["batch"], row["threads"], name.replace(OURS, "ours"), side["host"],
                         f"{side['compile_s']:.1f}" if side["compile_s"] else "-", f"{side['session_ms']:.1f}",
                         f"{side['first_ms']:.1f}", f"{side['peak_mib']:.1f}", f"{side['run_mib']:.1f}",
                         f"{side['shipped_bytes'] / 1e6:.1f}", f"{side['error']:.1e}"])
    return ["model", "batch", "threads", "runtime", "host", "compile s", "load ms", "first answer ms", "peak MiB",
            "run MiB", "shipped MB", "error"], rows


def serving_rows(report):
    return (["model", "runtime", "capacity 1/s", "load 1/s", "median ms", "p99 ms", "p99 / ours"],
            [[s["model"], s["peer"].replace(OURS, "ours"), f"{s['capacity']:.1f}", f"{s['rate']:.1f}",
              f"{s['p50_ms']:.2f}", f"{s['p99_ms']:.2f}", _against_ours(report, s)]
             for s in report["serving"] if "p99_ms" in s])


def _against_ours(report, row):
    ours = next((s for s in report["serving"] if s["model"] == row["model"] and s["peer"] == OURS), {})
    return f"{row['p99_ms'] / ours['p99_ms']:.2f}" if "p99_ms" in ours else "-"


def roof_rows(report):
    """Rows of the table of roofs: what share of our kernels' time peak and bandwidth explain."""
    return (["model", "ms in kernels", "share of the roof", "largest losses"],
            [[model, f"{total:.3f}", f"{100 * share:.0f} %", ", ".join(f"{name} {lost:.3f} ms" for name, lost in worst)]
             for model, total, share, worst in shares(report["kernels"])])


def remarks(report):
    """Sentences: what lost, what does not count, what was absent."""
    lines = [f"Wholly below {LOSS}: {row['model']}, {setting_name(row['batch'], row['threads'])}."
             for row in report["losses"]]
    if not report["losses"]:
        lines.append(f"No model's interval lies wholly below {LOSS}.")
    lines += [f"Not measured: {f['model']}, {setting_name(f['batch'], f['threads'])}: {f['why']}"
              for f in report["failures"]]
    grouped = {}
    for item in report["not_counted"]:
        key = (item["peer"], item["model"], item["why"])
        grouped.setdefault(key, []).append(setting_name(item["batch"], item["threads"]))
    lines += [f"Not counted: {peer} on {model} ({'; '.join(where)}): {why}"
              for (peer, model, why), where in grouped.items()]
    lines += [f"Absent: {name}: {why}" for name, why in report["absent"].items()]
    lines += [f"Under load, not measured: {s['peer']} on {s['model']}: {s['why']}"
              for s in report["serving"] if "why" in s]
    lines += [f"Worse than {report.get('against', 'the previous build')[:12]}: {r}" for r in report["regressions"]]
    return lines


def headline(report):
    versions = ", ".join(f"{p['title']} {p['version']}" for n, p in report["peers"].items() if n not in (OURS, PREVIOUS))
    return (f"{report['machine']['cpu']}, {report['machine']['cores']} cores; {versions}; all in f32. Ratio = a peer's time "
            f"/ ours, median of {report['settings']['rounds']} interleaved rounds with its 95 % interval; above 1 we are "
            "faster.")
