"""Modules that only PyTorch's own formats carry: control flow over data, lists, writes in place; and ResNet-18."""

import dataclasses

import numpy as np
import torch
import torchvision
from architectures.entry import Architecture, Output, image_cases
from architectures.vision import _classifier
from torch import nn


@dataclasses.dataclass(frozen=True)
class Program(Architecture):
    """An architecture in some forms only."""

    kinds: tuple[str, ...] = ("script",)


class ControlFlow(nn.Module):
    """Conditions and loops over data and over lists, and writes in place through views."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(61)
        self.layers = nn.ModuleList(nn.Linear(16, 16) for _ in range(3))
        self.register_buffer("scale", torch.linspace(0.5, 1.5, 16))

    def forward(self, x: torch.Tensor, steps: torch.Tensor):
        parts = []
        for i, layer in enumerate(self.layers):
            x = torch.tanh(layer(x))
            if i % 2 == 0:
                parts.append(x * self.scale)
        y = torch.cat(parts, 1)
        if bool(y.sum() > 0):
            y = y * 2 + 1
        else:
            y = y.abs() - 0.5
        z = torch.zeros_like(y)
        i = 0
        while bool(z.abs().max() < 3.0) and i < 40:
            if bool(z.mean() > 0.5):
                z = z + 0.25 * y
            else:
                z = z + 0.5 * y.abs()
            i += 1
        for k in range(int(steps)):
            z = torch.sin(z) + k
        w = z.clone()
        w[:, 0] = 1.0
        w[0].mul_(2.0)
        w += y
        return w, z, torch.tensor(i)


class Newton(nn.Module):
    """A while loop that carries a matrix and a number: the square root of a matrix."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(62)
        self.mix = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor):
        one = torch.eye(8, dtype=x.dtype)
        a = x @ x.transpose(0, 1) + one
        y = a / a.norm()
        z = one
        error = a.norm()
        count = 0
        while bool(error > 1e-4) and count < 30:
            t = 0.5 * (3.0 * one - z @ y)
            error = (t - one).abs().max()
            y = y @ t
            z = t @ z
            count += 1
        return self.mix(y), torch.tensor(count)


class ExportedCond(nn.Module):
    """torch.cond and torch.while_loop."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(63)
        self.linear = nn.Linear(6, 6)

    def forward(self, x):
        y = self.linear(x)
        y = torch.cond(y.sum() > 0, lambda v: v.sin() + 1, lambda v: v.cos() * 2, (y,))
        count, y = torch._higher_order_ops.while_loop(
            lambda i, v: (i < 10) & (v.abs().max() < 20), lambda i, v: (i + 1, v * 1.5 + 0.125), (torch.tensor(0), y))
        return y, count


def _cases(*shapes, seed=3, steps=(), shift=0.0):
    rng = np.random.default_rng(seed)
    cases = []
    for number, shape in enumerate(shapes):
        arrays = [(rng.standard_normal(shape) + shift * (-1) ** number).astype(np.float32)]
        if steps:
            arrays.append(np.asarray(steps[number], np.int64))
        cases.append((f"case{number}", tuple(arrays)))
    return cases


PROGRAMS = [
    Program("control_flow", lambda: ControlFlow().eval(),
            lambda: _cases((4, 16), (4, 16), (4, 16), steps=(3, 0, 7), shift=0.5),
            ("x", "steps"), (Output("w"), Output("z"), Output("count")), quick=True),
    Program("newton", lambda: Newton().eval(), lambda: _cases((8, 8), (8, 8), (8, 8)), ("x",),
            (Output("root"), Output("count")), quick=True),
    Program("exported_cond", lambda: ExportedCond().eval(), lambda: _cases((5, 6), (5, 6), (5, 6), shift=1.0), ("x",),
            (Output("y"), Output("count")), kinds=("export",), quick=True),
    Program("resnet18", _classifier(torchvision.models.resnet18, 64), lambda: image_cases([(1, 3, 224, 224), (2, 3, 224, 224)]),
            ("image",), (Output("logits", argmax=True),), dims={"image": {0: "batch"}}, kinds=("trace", "export")),
]
