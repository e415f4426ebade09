"""PyTorch with torch.compile: the first run compiles, for the sizes it sees, and takes nothing from a cache."""

import os

from .torch_eager import Plugin as Eager


class Plugin(Eager):
    title = "torch.compile"

    def load(self):
        os.environ["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"
        import torch._inductor.config

        super().load()
        torch._inductor.config.freezing = True  # what an inference user turns on: weights become constants
        self.module = torch.compile(self.module, dynamic=False)

    def run(self):
        import torch

        with torch.no_grad():  # freezing does not work on tensors of inference mode
            self.values = self.module(*self.tensors)
