"""PyTorch without a compiler. The modules are those from which the ONNX files were made."""

import sys
from pathlib import Path

from .interface import Peer, Refused

MODELS = Path(__file__).resolve().parents[2] / "test/models"


class Plugin(Peer):
    title = "PyTorch eager"
    environment = "torch"

    @classmethod
    def about(cls):
        sys.path.insert(0, str(MODELS))
        import torch
        from architectures import load_all

        load_all()
        return {"version": torch.__version__}

    def shipped(self):
        """The weights: eager PyTorch ships them beside the program text."""
        import torch

        path = Path(self.job.work) / f"{self.job.name}.pt"
        torch.save(self.module.state_dict(), path)
        return [str(path)]

    def load(self):
        sys.path.insert(0, str(MODELS))
        import torch
        from architectures import load_all

        torch.set_num_threads(self.job.threads)
        torch.set_num_interop_threads(1)
        torch.set_float32_matmul_precision("highest")
        found = [a for _, a in load_all() if a.name == self.job.architecture]
        if not found:
            raise Refused(f"test/models has no architecture {self.job.architecture}")
        self.module = found[0].build().float().eval()

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
