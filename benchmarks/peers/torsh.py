"""This project: torshc's artifact, loaded by the thin runtime."""

import subprocess
from pathlib import Path

from .interface import Peer, Refused


class Plugin(Peer):
    title = "ToRSh"
    prepares = True
    c_host = "torsh_host.c"

    @classmethod
    def about(cls):
        import torsh

        return {"version": torsh.runtime_build_id()}

    def prepare(self):
        artifact = Path(self.job.work) / f"{self.job.name}.so"
        command = [self.job.options["torshc"], self.job.source, "-o", str(artifact), *self.job.options.get("flags", [])]
        for name, size in self.job.dims.items():
            command += ["--dim", f"{name}={size}"]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.strip()]
            raise Refused(f"does not compile: {lines[0] if lines else f'code {done.returncode}'}")
        return str(artifact)

    def load(self):
        import torsh

        self.module = torsh.load(self.job.artifact, threads=self.job.threads)

    def bind(self, arrays):
        self.arrays = arrays

    def run(self):
        self.values = self.module(*self.arrays)

    def outputs(self):
        return list(self.values) if isinstance(self.values, (tuple, list)) else [self.values]
