"""The networks that training is tested and measured with, as PyTorch modules, and their export to ONNX."""

import warnings

import numpy as np
import torch
from torch import nn


class Mlp(nn.Module):
    """Three layers on flat images."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Linear(64, 256), nn.Linear(256, 128), nn.Linear(128, 10)

    def forward(self, x):
        return self.fc3(torch.relu(self.fc2(torch.relu(self.fc1(x)))))


class LeNet(nn.Module):
    """Two convolutions, one of them with padding, and both poolings (after LeCun et al. 1998). Its tanh is smooth: with a
    ReLU, a value that rounds to the other side of 0 sends Adam elsewhere within 20 steps, whoever computes it."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5)
        self.fc1, self.fc2, self.fc3 = nn.Linear(400, 120), nn.Linear(120, 84), nn.Linear(84, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(torch.tanh(self.conv1(x)), 2)
        x = nn.functional.avg_pool2d(torch.tanh(self.conv2(x)), 2)
        return self.fc3(torch.tanh(self.fc2(torch.tanh(self.fc1(x.flatten(1))))))


class Block(nn.Module):
    """A layer of a transformer with the norms first."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, mask):
        batch, length, width = x.shape
        split = (batch, length, self.heads, width // self.heads)
        q, k, v = (part.reshape(split).transpose(1, 2) for part in self.qkv(self.norm1(x)).split(width, dim=2))
        scores = q @ k.transpose(-2, -1) * (width // self.heads) ** -0.5 + mask
        mixed = (torch.softmax(scores, -1) @ v).transpose(1, 2).reshape(batch, length, width)
        x = x + self.out(mixed)
        return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    """Two layers, learned positions, untied head (after Radford et al. 2019)."""

    def __init__(self, words=128, width=64, heads=4, length=32, layers=2):
        super().__init__()
        self.word, self.position = nn.Embedding(words, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, words, bias=False)
        self.register_buffer("places", torch.arange(length), persistent=False)
        self.register_buffer("mask", torch.full((length, length), -1e9).triu(1), persistent=False)

    def forward(self, words):
        x = self.word(words) + self.position(self.places)
        for block in self.blocks:
            x = block(x, self.mask)
        return self.head(self.norm(x))


def _images(shape):
    def batch(random):
        return random.standard_normal(shape).astype(np.float32), random.integers(0, 10, shape[0])
    return batch


def _words(random):
    text = random.integers(0, 128, (8, 33))
    return text[:, :-1].copy(), text[:, 1:].copy()


# For each network: its module, its batches, the learning rate of the tests.
NETWORKS = {"mlp": (Mlp, _images((64, 64)), 1e-3),
            "lenet": (LeNet, _images((64, 1, 28, 28)), 1e-3),
            "gpt": (Gpt, _words, 1e-3)}


def build(name):
    """The module with its seeded initial weights, in f32."""
    torch.manual_seed(0)
    return NETWORKS[name][0]().train()


def batches(name, count):
    """Inputs and labels of `count` steps."""
    random = np.random.default_rng(7)
    return [NETWORKS[name][1](random) for _ in range(count)]


def rate(name):
    return NETWORKS[name][2]


def loss_of(module, x, labels):
    """Cross-entropy of the logits' last dim, as a mean over all labels."""
    logits = module(x)
    return nn.functional.cross_entropy(logits.reshape(-1, logits.shape[-1]), labels.reshape(-1))


def export(name, module, path):
    """Writes the module as it is trained: nothing is folded into the weights, and every weight keeps its name."""
    x = torch.from_numpy(batches(name, 1)[0][0]).to(torch.int64 if name == "gpt" else next(module.parameters()).dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (x,), str(path), dynamo=False, opset_version=17, do_constant_folding=False,
                          training=torch.onnx.TrainingMode.TRAINING, input_names=["x"], output_names=["logits"],
                          keep_initializers_as_inputs=False)
