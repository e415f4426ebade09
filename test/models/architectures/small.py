"""Small models for quick tests: an MLP, a LeNet-like network, a two-layer transformer, an LSTM."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .entry import DYNAMO, DYNAMO_SYMBOLIC, STATIC, SYMBOLIC, Architecture, Output, image_cases, token_cases
from .liven import redraw


def _mlp():
    model = nn.Sequential(
        nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.GELU(), nn.Linear(128, 10), nn.Softmax(dim=-1)
    )
    return redraw(model, 11, gain=1.4).eval()


def _mlp_cases():
    rng = np.random.default_rng(5)
    return [(f"b{b}", (rng.standard_normal((b, 784), dtype=np.float32),)) for b in (1, 3, 17)]


class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(torch.tanh(self.conv1(x)), 2)
        x = F.avg_pool2d(F.relu(self.conv2(x)), 2)
        x = torch.flatten(x, 1)
        return self.fc3(F.relu(self.fc2(F.relu(self.fc1(x)))))


class TransformerBlock(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(self, x, mask):
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).chunk(3, dim=-1)
        shape = (batch, length, self.heads, width // self.heads)
        q, k, v = (t.reshape(shape).transpose(1, 2) for t in (q, k, v))
        scores = q @ k.transpose(-2, -1) / math.sqrt(width // self.heads)
        scores = scores.masked_fill(mask, float("-inf"))
        mixed = (scores.softmax(dim=-1) @ v).transpose(1, 2).reshape(batch, length, width)
        x = x + self.proj(mixed)
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class SmallTransformer(nn.Module):
    """A causal language model of two layers."""

    def __init__(self, vocabulary=211, width=64, heads=4, positions=128):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(positions, width)
        self.blocks = nn.ModuleList(TransformerBlock(width, heads) for _ in range(2))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, ids):
        length = ids.shape[1]
        index = torch.arange(length, device=ids.device)
        x = self.tokens(ids) + self.positions(index)
        mask = index[None, :] > index[:, None]
        for block in self.blocks:
            x = block(x, mask)
        return self.head(self.norm(x))


class BidirectionalLstm(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(64, 128, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(256, 32)

    def forward(self, x):
        y, (h, c) = self.lstm(x)
        return self.head(y), h, c


def _lstm_cases():
    rng = np.random.default_rng(6)
    shapes = ((1, 32), (2, 7), (3, 50), (1, 1))
    return [(f"b{b}_s{s}", (rng.standard_normal((b, s, 64), dtype=np.float32),)) for b, s in shapes]


class GruTagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(32, 48, num_layers=1, bidirectional=True)
        self.head = nn.Linear(96, 12)

    def forward(self, x):
        y, h = self.gru(x)
        return self.head(y), h


def _gru_cases():
    rng = np.random.default_rng(7)
    return [(f"b{b}_s{s}", (rng.standard_normal((s, b, 32), dtype=np.float32),)) for b, s in ((1, 16), (3, 9))]


ARCHITECTURES = [
    Architecture(
        "mlp", _mlp, _mlp_cases, ("x",), (Output("probabilities", argmax=True),),
        dims={"x": {0: "batch"}, "probabilities": {0: "batch"}},
        exports=(STATIC, SYMBOLIC, DYNAMO), quick=True,
    ),
    Architecture(
        "lenet", lambda: redraw(LeNet(), 12).eval(), lambda: image_cases([(1, 1, 28, 28), (3, 1, 28, 28)]),
        ("image",), (Output("logits", argmax=True),),
        dims={"image": {0: "batch"}, "logits": {0: "batch"}}, quick=True,
    ),
    Architecture(
        "small_transformer", lambda: redraw(SmallTransformer(), 13, gain=1.2).eval(),
        lambda: token_cases([(1, 16), (2, 7), (3, 33), (1, 1)], 211),
        ("ids",), (Output("logits", argmax=True),),
        dims={"ids": {0: "batch", 1: "seq"}, "logits": {0: "batch", 1: "seq"}},
        exports=(STATIC, SYMBOLIC, DYNAMO_SYMBOLIC), quick=True,
    ),
    Architecture(
        "lstm_bidirectional", lambda: redraw(BidirectionalLstm(), 14).eval(), _lstm_cases,
        ("x",), (Output("y"), Output("h"), Output("c")),
        dims={"x": {0: "batch", 1: "seq"}, "y": {0: "batch", 1: "seq"}, "h": {1: "batch"}, "c": {1: "batch"}},
    ),
    Architecture(
        "gru_bidirectional", lambda: redraw(GruTagger(), 15).eval(), _gru_cases,
        ("x",), (Output("y"), Output("h")),
        dims={"x": {0: "seq", 1: "batch"}, "y": {0: "seq", 1: "batch"}, "h": {1: "batch"}},
    ),
]
