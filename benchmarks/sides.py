"""Starts the runtimes that are compared: builds the C hosts, prepares artifacts, and starts workers."""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

import peers
from pairing import Worker, WorkerFailed
from peers.interface import Job

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PREPARE_SECONDS = 1200
ABOUT_SECONDS = 300


@dataclass
class Build:
    """A build of this project: the compiler, the Python package and the runtime."""

    torshc: Path
    package: Path
    runtime: Path
    flags: list = field(default_factory=list)


@dataclass
class Prepared:
    """A job that is ready to be loaded, and what it took."""

    job: Job
    files: dict
    seconds: float = 0.0


def _last_words(done):
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    told = [line[len("refused: "):] for line in lines if line.startswith("refused: ")]
    return (told or lines[-1:] or [f"ended with code {done.returncode}"])[-1][:400]


class Side:
    """One runtime of the comparison."""

    def __init__(self, name, work, python, build=None, label=None):
        self.name = label or name
        self.plugin_name = name
        self.plugin = peers.plugin(name)
        self.title = self.plugin.title
        self.work = work / self.name
        self.work.mkdir(parents=True, exist_ok=True)
        self.python = str(python)
        self.build = build
        self.host = None
        self.library = "-"
        self.version = ""

    def environment(self):
        environment = dict(os.environ, TOKENIZERS_PARALLELISM="false")
        if self.build:
            environment["PYTHONPATH"] = str(self.build.package)
        return environment

    def _python(self, *words):
        return [self.python, str(HERE / "worker.py"), *map(str, words)]

    def _ask(self, seconds, *words):
        try:
            done = subprocess.run(self._python(*words), capture_output=True, text=True, timeout=seconds,
                                  env=self.environment(), errors="replace")
        except FileNotFoundError:
            raise WorkerFailed(f"{self.python} does not exist") from None
        except subprocess.TimeoutExpired:
            raise WorkerFailed(f"took more than {seconds} s") from None
        if done.returncode:
            raise WorkerFailed(_last_words(done))
        return json.loads(done.stdout)

    def open(self, with_hosts=True):
        """Asks the runtime for its version and builds its C host; raises WorkerFailed when it is missing."""
        about = self._ask(ABOUT_SECONDS, "about", self.plugin_name)
        self.version = about["version"]
        library = about.get("library", "")
        if not (with_hosts and self.plugin.c_host and (self.build or library)):
            return
        self.library = library or "-"
        target = self.work / "host"
        command = [os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-I", ROOT / "include",
                   *about.get("flags", []), HERE / "hosts" / self.plugin.c_host, HERE / "hosts/host.c"]
        command += [self.build.runtime] if self.build else []
        done = subprocess.run([str(c) for c in (*command, "-ldl", "-lpthread", "-lm", "-o", target)],
                              capture_output=True, text=True)
        if done.returncode:
            sys.exit(f"Cannot compile {self.plugin.c_host}:\n{done.stderr}")
        self.host = target

    def prepare(self, case):
        """Compiles the case ahead of time, where the runtime does such a thing."""
        files = {}
        for index, (name, array) in enumerate(case.inputs.items()):
            path = self.work / f"input{index}.bin"
            np.ascontiguousarray(array).tofile(path)
            files[name] = path
        options = {"torshc": str(self.build.torshc), "flags": self.build.flags} if self.build else {}
        job = Job(f"{case.name}-b{case.batch}", case.name, case.batch, 1, str(case.model), str(case.source), case.dims,
                  str(self.work), [{"name": n, "dtype": str(a.dtype), "shape": list(a.shape), "file": str(files[n])}
                                   for n, a in case.inputs.items()],
                  [{"name": n, "dtype": str(case.dtypes[n]), "shape": list(a.shape)}
                   for n, a in case.references.items()], str(case.model), options)
        prepared = Prepared(job, files)
        if self.plugin.prepares:
            made = self._ask(PREPARE_SECONDS, "prepare", self.plugin_name, self._write(job))
            job.artifact = made["artifact"]
            prepared.seconds = made["seconds"] if self.plugin.compiles_ahead else 0.0
        return prepared

    def _write(self, job):
        path = self.work / f"job-{time.monotonic_ns()}.json"
        path.write_text(json.dumps(asdict(job)))
        return path

    def command(self, prepared, threads, python, sweep):
        """The command that serves a job, from C or from Python."""
        job = prepared.job
        if python or not self.host:
            job.threads = threads
            return self._python("run", self.plugin_name, self._write(job), sweep, self.work / "output")
        ports = [f"in|{p['name']}|{p['dtype']}|{','.join(map(str, p['shape']))}|{p['file']}" for p in job.inputs]
        ports += [f"out|{p['name']}|{p['dtype']}|{','.join(map(str, p['shape']))}" for p in job.outputs]
        return [str(self.host), self.library, job.artifact, str(threads), str(sweep), str(self.work / "output"), *ports]

    def start(self, prepared, threads, python=False, sweep=0, core=None):
        worker = Worker(self.command(prepared, threads, python, sweep), self.environment(), core)
        worker.cold.setdefault("shipped", os.path.getsize(prepared.job.artifact))
        return worker

    def outputs(self, worker, case):
        """What the worker's last run gave."""
        worker.dump()
        return [np.fromfile(self.work / f"output.{i}", dtype=case.dtypes[n]).reshape(a.shape)
                for i, (n, a) in enumerate(case.references.items())]

    def forget(self):
        """Removes everything that was made for the last case."""
        for path in self.work.iterdir():
            if path != self.host and path.is_file():
                path.unlink()


def make_sides(names, arguments):
    """Ours and the peers that are there: (sides, absent), absent being name to reason."""
    found = arguments.runtime or next(iter(sorted(arguments.build.rglob("libtorsh_rt.a"))), None)
    if found is None:
        sys.exit(f"There is no libtorsh_rt.a under {arguments.build}: build the project first, or give --runtime.")
    builds = [(peers.OURS, Build(arguments.torshc, arguments.package, found, arguments.flag or []))]
    if arguments.previous:
        old = next(iter(sorted(arguments.previous.rglob("libtorsh_rt.a"))), None)
        if old is None:
            sys.exit(f"There is no libtorsh_rt.a under {arguments.previous}.")
        builds.append(("previous", Build(arguments.previous / "bin/torshc", arguments.previous / "python", old)))
    sides, absent = [], {}
    wanted = [Side(peers.OURS, arguments.work, sys.executable, build, label) for label, build in builds]
    for name in names:
        plugin = peers.plugin(name)
        wanted.append(Side(name, arguments.work,
                           arguments.torch_python if plugin.environment == "torch" else sys.executable))
    for side in wanted:
        try:
            side.open(arguments.host != "python")
        except WorkerFailed as failure:
            if side.build:
                sys.exit(f"{side.title} itself cannot be measured: {failure}")
            absent[side.name] = str(failure)
            continue
        sides.append(side)
    return sides, absent
