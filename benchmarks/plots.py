"""The plots of the report, each as the text of an SVG element."""

import io
import re

import matplotlib
import numpy as np

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402  after the choice of the back end

from cases import CLASSES  # noqa: E402
from peers import OURS  # noqa: E402
from ratios import LOSS, PREVIOUS, best_peer, settings_of  # noqa: E402

INK, FAINT = "#22272e", "#d0d5db"
LEAST_INTENSITY = 1 / 64
OUR_COLOUR = "#c2410c"
COLOURS = ("#2563eb", "#0d9488", "#9333ea", "#ca8a04", "#64748b", "#be185d", "#111827")
pyplot.rcParams.update({
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 10, "text.color": INK, "axes.labelcolor": INK,
    "axes.edgecolor": FAINT, "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False,
    "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True, "grid.color": FAINT, "grid.linewidth": 0.6})


def svg_of(figure, name):
    """The figure as an inline SVG element; `name` keeps the ids of several figures in one page apart."""
    pyplot.rcParams["svg.hashsalt"] = name
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    text = buffer.getvalue()
    text = text[text.index("<svg"):]
    return re.sub(r'id="(?=(?:axes|figure|patch|text|line2d|matplotlib|xtick|ytick|PathCollection|legend|LineCollection)_)',
                  f'id="{name}-', text)


def colour_table(report):
    names = [n for n in report["peers"] if n != OURS]
    return {OURS: OUR_COLOUR, **{n: COLOURS[i % len(COLOURS)] for i, n in enumerate(names)}}


def title_of(report, name):
    return "previous build" if name == PREVIOUS else report["peers"][name]["title"]


def class_colour(group):
    return COLOURS[list(CLASSES).index(group) % len(COLOURS)] if group in CLASSES else INK


def _rows_of(report, setting):
    return [r for r in report["rows"] if (r["batch"], r["threads"]) == setting]


def _settings_title(batch, threads):
    return f"batch {batch}, {threads} thread{'s' if threads > 1 else ''}"


def _by_model(axis, models):
    axis.set_yticks(range(len(models)), models)
    axis.set_ylim(len(models) - 0.4, -0.6)
    axis.grid(False, axis="y")


def ratio_plot(report):
    """The ratio to the best peer of each model with its interval, a panel for each setting."""
    settings = [s for s in settings_of(report["rows"]) if any(best_peer(r) for r in _rows_of(report, s))]
    models = list(dict.fromkeys(r["model"] for r in report["rows"]))
    figure, axes = pyplot.subplots(1, len(settings), sharex=True, sharey=True, squeeze=False, layout="constrained",
                                   figsize=(2.0 + 2.6 * len(settings), 1.3 + 0.27 * len(models)))
    seen = {}
    for axis, setting in zip(axes[0], settings):
        axis.axvline(1.0, color=INK, linewidth=1)
        axis.axvline(LOSS, color=OUR_COLOUR, linewidth=1, linestyle=":")
        for row in _rows_of(report, setting):
            best = best_peer(row)
            if best is None:
                continue
            ratio, place = row["ratios"][best], models.index(row["model"])
            colour = class_colour(row["class"])
            axis.plot([ratio["low"], ratio["high"]], [place, place], color=colour, linewidth=2, solid_capstyle="round")
            seen[row["class"]] = axis.plot([ratio["ratio"]], [place], "o", color=colour, markersize=5)[0]
        axis.set_title(_settings_title(*setting), fontsize=10)
        _by_model(axis, models)
    axis = axes[0][0]  # all panels share its scale
    axis.set_xscale("log")
    low, high = axis.get_xlim()
    steps = (0.5, 0.7, 1, 1.5, 2, 3) if high / low < 8 else [2.0**e for e in range(-4, 9)]
    ticks = [t for t in steps if low <= t <= high]
    for axis in axes[0]:
        axis.set_xticks(ticks, [f"{t:g}" for t in ticks])
        axis.set_xticks([], minor=True)
        axis.set_xlabel("best peer's time / ours", fontsize=9)
    figure.legend(seen.values(), seen.keys(), loc="outside lower center", ncols=len(seen), frameon=False, fontsize=9)
    return svg_of(figure, "ratio")


def _dots(axis, report, rows, value):
    """A line for each row, with a dot for each runtime; ours is the large one, drawn last."""
    colours = colour_table(report)
    names = [n for n in report["peers"] if any(n in r["sides"] for r in rows)]
    for name in sorted(names, key=lambda n: n == OURS):
        here = [(place, value(row["sides"][name])) for place, row in enumerate(rows) if name in row["sides"]]
        axis.scatter([v for _, v in here], [p for p, _ in here], s=60 if name == OURS else 34, color=colours[name],
                     marker="D" if name == OURS else "o", alpha=0.9, linewidths=0,
                     label=title_of(report, name) if name != OURS else "ours")
    for place, row in enumerate(rows):
        values = [value(side) for name, side in row["sides"].items() if name in report["peers"]]
        axis.plot([min(values), max(values)], [place, place], color=FAINT, linewidth=1.2, zorder=0)
    axis.set_xscale("log")
    _by_model(axis, [r["model"] for r in rows])


def dot_plot(report, name, label, value, rows):
    """One figure of each runtime for each model."""
    figure, axis = pyplot.subplots(layout="constrained", figsize=(8.5, 1.4 + 0.27 * len(rows)))
    _dots(axis, report, rows, value)
    axis.set_xlabel(label)
    figure.legend(loc="outside lower center", ncols=4, frameon=False, fontsize=9)
    return svg_of(figure, name)


def computes(kernel):
    """Whether a kernel does arithmetic worth a place under the roof; the others only move data."""
    return kernel["flops"] >= LEAST_INTENSITY * kernel["bytes"]


def roofline_plot(report):
    """Each of our kernels by its arithmetic per byte and its speed, under the machine's measured roof."""
    kernels = [k for k in report["kernels"] if computes(k)]
    peak = float(np.median([k["peak_flops"] for k in kernels])) * 1e-9
    bandwidth = float(np.median([k["peak_bandwidth"] for k in kernels])) * 1e-9
    group = {r["model"]: r["class"] for r in report["rows"]}
    figure, axis = pyplot.subplots(layout="constrained", figsize=(8.5, 5.4))
    intensity = np.array([k["flops"] / k["bytes"] for k in kernels])
    ends = np.array([intensity.min() / 1.5, max(intensity.max() * 1.5, 4 * peak / bandwidth)])
    knee = peak / bandwidth
    axis.plot([ends[0], knee, ends[1]], [ends[0] * bandwidth, peak, peak], color=INK, linewidth=1.4)
    axis.annotate(f"{peak:.0f} GFLOP/s", (ends[1], peak), textcoords="offset points", xytext=(0, 4), ha="right")
    axis.annotate(f"{bandwidth:.1f} GB/s", (knee / 4, knee / 4 * bandwidth), textcoords="offset points",
                  xytext=(6, -14), ha="left")
    longest = max(k["ms"] for k in kernels)
    for name in (*CLASSES, "other"):
        members = [i for i, k in enumerate(kernels) if group.get(k["model"], "other") == name]
        if members:
            speeds = [kernels[i]["flops"] / kernels[i]["ms"] * 1e-6 for i in members]
            sizes = [8 + 160 * (kernels[i]["ms"] / longest) ** 0.5 for i in members]
            axis.scatter(intensity[members], speeds, s=sizes, color=class_colour(name), alpha=0.5, linewidths=0, label=name)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_xlabel("floating-point operations per byte of traffic")
    axis.set_ylabel("GFLOP/s (area grows with the kernel's time)")
    legend = figure.legend(loc="outside lower center", ncols=5, frameon=False, fontsize=9)
    for handle in legend.legend_handles:
        handle.set_sizes([40])
    return svg_of(figure, "roofline")


def serving_plot(report):
    """The 99th percentile of the response time of each runtime, for each model."""
    served = [s for s in report["serving"] if "p99_ms" in s]
    rows = [{"model": m, "sides": {s["peer"]: s for s in served if s["model"] == m}}
            for m in dict.fromkeys(s["model"] for s in served)]
    return dot_plot(report, "serving", "99th percentile of the response time, ms", lambda s: s["p99_ms"], rows)


def all_plots(report):
    """Pairs of (title, what it shows, SVG) for everything that was measured."""
    plots = []
    settings = settings_of(report["rows"])
    if any(best_peer(r) for r in report["rows"]):
        plots.append(("Ratio to the best peer", "Right of 1 we are faster. The line is the 95 % interval; the dotted "
                      f"line is {LOSS}.", ratio_plot(report)))
    for setting in settings:
        name = _settings_title(*setting)
        plots.append((f"Latency: {name}", "Medians over the rounds.",
                      dot_plot(report, f"latency-{setting[0]}-{setting[1]}", f"ms for a run ({name})",
                               lambda s: s["ms"], _rows_of(report, setting))))
    if any(computes(k) for k in report["kernels"]):
        moving = sum(not computes(k) for k in report["kernels"])
        plots.append(("Roofline of our kernels", "One thread. Each dot is a kernel of a model in its place; peak and "
                      "bandwidth were measured on this machine. A dot above the slope was served by the caches."
                      + (f" {moving} that only move data are left out." if moving else ""), roofline_plot(report)))
    if settings:
        rows, name = _rows_of(report, settings[0]), _settings_title(*settings[0])
        plots.append(("Memory of a run", "Highest resident memory of a process during runs, less what it held before it "
                      "opened the runtime's library.",
                      dot_plot(report, "memory", f"MiB ({name})", lambda s: max(s["run_mib"], 0.1), rows)))
        plots.append(("First answer", "From opening the library over loading the model to the first output.",
                      dot_plot(report, "first", f"ms ({name})", lambda s: s["first_ms"], rows)))
    if any("p99_ms" in s for s in report["serving"]):
        plots.append(("Under load", "Two workers of one thread each, Poisson arrivals at 70 % of each runtime's own "
                      "capacity.", serving_plot(report)))
    return plots
