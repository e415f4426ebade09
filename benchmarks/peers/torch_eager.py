"""PyTorch without a compiler. The modules are those from which the ONNX files were made."""

import importlib
import importlib.util
import sys
from pathlib import Path

from .interface import Peer, Refused

MODELS = Path(__file__).resolve().parents[2] / "test/models"


def find_architecture(name):
    """Imports the topics of test/models one by one, since some bring large packages."""
    topics = importlib.import_module("architectures").TOPICS
    for topic in topics:
        for architecture in importlib.import_module(f"architectures.{topic}").ARCHITECTURES:
            if architecture.name == name:
                return architecture
    raise Refused(f"test/models has no architecture {name}")


class Plugin(Peer):
    title = "PyTorch eager"
    environment = "torch"
    prepares = True
    compiles_ahead = False  # prepare() only draws the weights

    @classmethod
    def about(cls):
        import torch

        # A stored module finds its classes here.
        sys.path.insert(0, str(MODELS))
        missing = [n for n in ("torchvision", "transformers") if importlib.util.find_spec(n) is None]
        if missing:
            raise ImportError(f"the models need {' and '.join(missing)}, which this Python has not")
        return {"version": torch.__version__}

    def prepare(self):
        import torch

        sys.path.insert(0, str(MODELS))
        path = Path(self.job.work) / f"{self.job.name}.pt"
        torch.save(find_architecture(self.job.architecture).build().float().eval(), path)
        return str(path)

    def load(self):
        import torch

        torch.set_num_threads(self.job.threads)
        torch.set_num_interop_threads(1)
        torch.set_float32_matmul_precision("highest")
        self.module = torch.load(self.job.artifact, weights_only=False)

    def bind(self, arrays):
        import torch

        self.tensors = [torch.from_numpy(a) for a in arrays]

    def run(self):
        import torch

        with torch.inference_mode():
            self.values = self.module(*self.tensors)

    def outputs(self):
        values = self.values if isinstance(self.values, (tuple, list)) else (self.values,)
        return [v.contiguous().numpy() for v in values]
