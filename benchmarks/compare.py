#!/usr/bin/env python3
"""Compares this project with other runtimes on the models of test/models, f32 against f32.

Each runtime runs in a fresh process of its own with preallocated outputs, from C where it has a C interface. Rounds are
interleaved; the figure of a model is the median over rounds of (a peer's time / our time) with a 95 % bootstrap
interval. A round with two threads counts only if a calibration kernel scales well before and after it. An answer that
is wrong or of low precision does not count. Above 1 we are faster.

  compare.py            us, ONNX Runtime and OpenVINO; 1 and 2 threads; batch 1 and 8
  compare.py --quick    the same on some models of each class, batch 1, short rounds
  compare.py --full     all peers, and requests under load

Run it with build/benchmark-venv/bin/python, which benchmarks/install.sh makes (--torch: PyTorch's environment too).
"""

import argparse
import json
import os
import signal
import sys
import time
from pathlib import Path

import history
import peers
import ratios
import roofline
from cases import NoCase, choose, make_case, read_manifest
from measure import Settings, measure_case
from pairing import LEAST_SCALE, Calibration
from report import markdown, write_reports
from serving import Serving
from sides import make_sides

ROOT = Path(__file__).resolve().parent.parent


def parse(words=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_argument_group("what is measured")
    what.add_argument("--only", action="append", metavar="MODEL")
    what.add_argument("--quick", action="store_true", help="some models of each class, batch 1, short rounds")
    what.add_argument("--full", action="store_true", help="all peers, and --serve")
    what.add_argument("--peers", action="append", choices=peers.ALL, metavar="NAME",
                      help=f"may be repeated (default {' and '.join(peers.DEFAULT)}); of {', '.join(peers.ALL)}")
    what.add_argument("--threads", action="append", type=int, help="may be repeated (default 1 and 2)")
    what.add_argument("--batch", action="append", type=int, help="may be repeated (default 1 and 8)")
    what.add_argument("--serve", action="store_true", help="requests/s and p99 under Poisson arrivals")
    what.add_argument("--roofline", action=argparse.BooleanOptionalAction, default=True,
                      help="profile our kernels for the roofline plot")
    how = parser.add_argument_group("how")
    how.add_argument("--rounds", type=int, help="valid rounds wanted (default 9; quick 5)")
    how.add_argument("--seconds", type=float, help="length of one runtime's part of a round (default 0.4; quick 0.1)")
    how.add_argument("--starts", type=int, help="starts of each runtime for its cold figures (default 3; quick 1)")
    how.add_argument("--least-scale", type=float, default=LEAST_SCALE, help="calibration that a two-thread round needs")
    how.add_argument("--sweep", type=int, default=32, help="MiB of other memory written before each run")
    how.add_argument("--serve-seconds", type=float, default=15.0, help="length of one measurement under load")
    how.add_argument("--host", choices=("auto", "python"), default="auto",
                     help="what drives a runtime; auto: C where it has a C interface, else Python")
    how.add_argument("--flag", action="append", help="a further flag for torshc, for example --flag=--exact-conv")
    where = parser.add_argument_group("where")
    where.add_argument("--build", type=Path, default=ROOT / "build")
    where.add_argument("--models", type=Path, help="what test/models/generate.py made (default BUILD/models)")
    where.add_argument("--torshc", type=Path, help="default BUILD/bin/torshc")
    where.add_argument("--package", type=Path, help="the Python package's folder (default BUILD/python)")
    where.add_argument("--runtime", type=Path, help="libtorsh_rt.a (default: found under BUILD)")
    where.add_argument("--torch-python", default=os.environ.get("TORSH_TORCH_PYTHON"),
                       help="a Python with PyTorch (default $TORSH_TORCH_PYTHON, else BUILD/torch-venv)")
    where.add_argument("--work", type=Path, help="where artifacts go (default BUILD/benchmark)")
    where.add_argument("--report", type=Path,
                       help="written as .json, .md and .html (default BUILD/results/benchmark)")
    where.add_argument("--continue", action="store_true", dest="resume",
                       help="keep what the last report holds of the same code, machine and peers; measure what it lacks")
    judge = parser.add_argument_group("judgement")
    judge.add_argument("--history", type=Path, help="folder of results by commit (default BUILD/results/history)")
    judge.add_argument("--against", metavar="REV", help="fail when a result of that commit was better beyond noise")
    judge.add_argument("--previous", type=Path, metavar="BUILD",
                       help="an older build, measured in the same rounds; fail where it was faster beyond noise")
    judge.add_argument("--floor-mean", type=float, help="fail when a geometric mean to the best peer is below this")
    judge.add_argument("--floor-each", type=float, help="fail when a model's ratio to the best peer is below this")
    return settle(parser.parse_args(words))


def settle(arguments):
    """Fills in the defaults that depend on other arguments."""
    quick = arguments.quick
    arguments.build = arguments.build.resolve()
    for name, default in (("models", "models"), ("torshc", "bin/torshc"), ("package", "python"), ("work", "benchmark"),
                          ("report", "results/benchmark"), ("history", "results/history")):
        value = getattr(arguments, name)
        setattr(arguments, name, value.resolve() if value else arguments.build / default)
    arguments.torch_python = arguments.torch_python or arguments.build / "torch-venv/bin/python"
    arguments.peers = arguments.peers or list(peers.ALL if arguments.full else peers.DEFAULT)
    arguments.peers = [name for name in peers.ALL if name in arguments.peers]
    arguments.threads = arguments.threads or [1, 2]
    arguments.batch = arguments.batch or ([1] if quick else [1, 8])
    arguments.serve = arguments.serve or arguments.full
    for name, usual, short in (("rounds", 9, 5), ("seconds", 0.4, 0.1), ("starts", 3, 1)):
        if getattr(arguments, name) is None:
            setattr(arguments, name, short if quick else usual)
    return arguments


def measure(arguments, sides, report):
    manifest = read_manifest(arguments.models)
    settings = Settings(arguments.rounds, arguments.seconds, arguments.starts, arguments.sweep,
                        arguments.least_scale, arguments.host, tries=4 if arguments.quick else 12)
    calibration = Calibration() if max(arguments.threads) > 1 else None
    serving = Serving(arguments.work, arguments.serve_seconds, report["serving"]) if arguments.serve else None
    try:
        for name in choose(manifest, arguments.only, arguments.quick):
            for batch in arguments.batch:
                try:
                    case = make_case(arguments.models, manifest, name, batch, arguments.work)
                except NoCase as reason:
                    report["failures"].append({"model": name, "batch": batch, "threads": 0, "why": str(reason)})
                    continue
                after = [serving.measure] if serving and batch == 1 else []
                if arguments.roofline and batch == 1:
                    after.append(lambda case, prepared: roofline.profile(arguments, case, prepared, report["kernels"]))
                known = {(row["model"], row["batch"], row["threads"]) for row in report["rows"]}
                threads = [count for count in arguments.threads if (name, batch, count) not in known]
                if not threads:
                    continue
                measure_case(case, sides, threads, settings, calibration, report, after)
                # A run of hours that is ended from outside leaves what it has measured.
                (arguments.work / "unfinished.json").write_text(json.dumps(report))
    except KeyboardInterrupt:
        report["failures"].append({"model": "the rest", "batch": 0, "threads": 0, "why": "the run was interrupted"})
    finally:
        if calibration:
            calibration.close()


def resume(report, path):
    """Takes over the rows of an earlier report about the same code, which an interruption left unfinished."""
    if not path.exists():
        return
    old = json.loads(path.read_text())
    if not history.same_code(ROOT, old["commit"], report["commit"]) or old["machine"] != report["machine"] or \
            old["peers"] != report["peers"]:
        sys.exit(f"error: {path} is about other code, another machine or other peers; leave out --continue")
    for key in ("rows", "serving", "kernels"):
        report[key] = old[key]


def interrupt(_signal, _frame):
    raise KeyboardInterrupt


def main():
    arguments = parse()
    # Ended by a time limit or by hand, it still writes what it has.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, interrupt)
    started = time.time()
    arguments.work.mkdir(parents=True, exist_ok=True)
    commit = history.commit_of(ROOT)
    old = history.load(arguments.history, arguments.against, ROOT) if arguments.against else None
    sides, absent = make_sides(arguments.peers, arguments)
    for name, why in absent.items():
        print(f"{name} is not measured: {why}", flush=True)
    report = {"format": 1, "commit": commit, "machine": history.machine(), "time": time.strftime("%F %H:%MZ", time.gmtime()),
              "settings": {"rounds": arguments.rounds, "seconds": arguments.seconds, "sweep_mib": arguments.sweep,
                           "least_scale": arguments.least_scale, "quick": arguments.quick},
              "peers": {s.name: {"title": s.title, "version": s.version, "host": "c" if s.host else "python"}
                        for s in sides}, "absent": absent, "rows": [], "failures": [], "not_counted": [], "serving": [],
              "kernels": []}
    if arguments.resume:
        resume(report, arguments.report.with_suffix(".json"))
    measure(arguments, sides, report)
    ratios.conclude(report)
    report["regressions"] = history.slower_than_previous(report["rows"])
    if old:
        report["against"] = old["commit"]
        report["regressions"] += history.regressions(old, report)
    report["minutes"] = round((time.time() - started) / 60, 1)
    write_reports(report, arguments.report)
    history.store(arguments.history, report)
    print("\n" + markdown(report))
    low = ratios.below_floor(report, arguments.floor_mean, arguments.floor_each)
    if low:
        print("Below the floor: " + "; ".join(low))
    print(f"Wrote {arguments.report}.json, .md and .html after {report['minutes']} minutes.")
    return 1 if report["failures"] or low or report["regressions"] or not report["rows"] else 0


if __name__ == "__main__":
    sys.exit(main())
