"""PyTorch with torch.compile: the first run compiles, for the sizes it sees."""

from .torch_eager import Plugin as Eager


class Plugin(Eager):
    title = "torch.compile"

    def load(self):
        import torch

        super().load()
        torch._inductor.config.freezing = True  # what an inference user turns on: weights become constants
        self.eager = self.module
        self.module = torch.compile(self.module, dynamic=False)

    def shipped(self):
        self.module = self.eager
        return super().shipped()

    def run(self):
        import torch

        with torch.no_grad():  # freezing does not work on tensors of inference mode
            self.values = self.module(*self.tensors)
