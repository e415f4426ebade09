"""What a runtime has to offer to be measured."""

from dataclasses import dataclass, field


class Refused(Exception):
    """The runtime cannot take this model or setting, and says why."""


@dataclass
class Job:
    """One model in one setting. Travels to a worker as JSON.

    model: an ONNX file with fixed sizes. source, dims: the file it was fixed from and the sizes of that file's named
    dims, for a runtime that fixes them itself. inputs and outputs: dicts with name, dtype, shape; an input's file
    holds raw elements. artifact: what prepare() made, or the model.
    """

    name: str
    architecture: str
    batch: int
    threads: int
    model: str
    source: str
    dims: dict
    work: str
    inputs: list
    outputs: list
    artifact: str = ""
    options: dict = field(default_factory=dict)


class Peer:
    """One runtime on one job. The order of calls is about() or prepare() alone, or load(), bind(), run()..., outputs()."""

    title = ""
    precision = "f32"
    environment = "default"  # which Python has it: "default" or "torch"
    prepares = False  # whether prepare() has work to do before any load
    compiles_ahead = True  # whether prepare() is a compilation, whose time is one of the costs
    c_host = ""  # the program in hosts/ that serves the same runtime without Python

    def __init__(self, job):
        self.job = job

    @classmethod
    def about(cls):
        """A dict with `version`; with a C host also `library` (its path) and `flags` (for the C compiler).
        Raises ImportError or Refused where the runtime is missing."""
        raise NotImplementedError

    def prepare(self):
        """Compiles ahead of time and returns the path of the file to load."""
        return self.job.model

    def shipped(self):
        """The files that an application has to carry for this model, the runtime itself apart."""
        return [self.job.artifact or self.job.model]

    def load(self):
        """From the artifact to something that can run, with job.threads threads and in f32."""
        raise NotImplementedError

    def bind(self, arrays):
        """Takes the inputs, in the order of job.inputs; copies and allocations belong here, not into run()."""
        raise NotImplementedError

    def run(self):
        """One inference."""
        raise NotImplementedError

    def outputs(self):
        """The outputs of the last run as arrays, in the order of job.outputs."""
        raise NotImplementedError
