#!/usr/bin/env python3
"""Generates the training tests: models exported for training, batches, and what PyTorch makes of them in f64.

Runs in the environment of test/models/generate.py (requirements/generate.txt); check.py needs no PyTorch.

  generate.py [--out build/training] [--only NAME]... [--force]
"""

import argparse
import hashlib
import json
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

STEPS = 20
EPSILON = 2.0**-16  # ONNX keeps it as an f32, which must be the same number


class LeNet(nn.Module):
    """Two convolutions, one of stride 2, with both kinds of pooling and a padded border."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 5, padding=2)
        self.conv2 = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.fc1 = nn.Linear(6 * 2 * 2, 16)
        self.fc2 = nn.Linear(16, 5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.avg_pool2d(torch.tanh(self.conv2(x)), 2)
        return self.fc2(F.relu(self.fc1(torch.flatten(x, 1))))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads, self.scale = heads, (width // heads) ** -0.5
        self.norm1, self.norm2 = nn.LayerNorm(width, EPSILON), nn.LayerNorm(width, EPSILON)
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, mask):
        batch, length, width = x.shape
        shape = (batch, length, self.heads, width // self.heads)
        q, k, v = (t.reshape(shape).transpose(1, 2) for t in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        scores = (q @ k.transpose(-2, -1) * self.scale).masked_fill(mask, float("-inf"))
        x = x + self.proj((scores.softmax(dim=-1) @ v).transpose(1, 2).reshape(batch, length, width))
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Gpt(nn.Module):
    def __init__(self, vocabulary=23, width=16, heads=2, length=7):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(2))
        self.norm, self.head = nn.LayerNorm(width, EPSILON), nn.Linear(width, vocabulary, bias=False)
        self.register_buffer("mask", torch.ones(length, length).triu(1).bool(), persistent=False)
        self.register_buffer("index", torch.arange(length), persistent=False)

    def forward(self, ids):
        x = self.tokens(ids) + self.positions(self.index)
        for block in self.blocks:
            x = block(x, self.mask)
        return self.head(self.norm(x))


def _mlp():
    return nn.Sequential(nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, 8), nn.GELU(), nn.Linear(8, 4))


def _classes(logits, labels):
    return F.cross_entropy(logits.flatten(0, -2), labels.flatten())


def _cases():
    """Name, model, input shape or number of tokens, classes, loss, optimizers with the flags of torshc."""
    adam = {"lr": 1e-2}, []
    yield "mlp", _mlp, (8, 12), 4, "cross-entropy", "adam", *adam
    yield "mlp-sgd", _mlp, (8, 12), 4, "cross-entropy", "sgd", {"lr": 0.1, "momentum": 0.9, "weight_decay": 1e-2}, [
        "--momentum=0.9", "--weight-decay=0.01"]
    yield "mlp-nesterov", _mlp, (8, 12), 4, "mse", "sgd", {"lr": 0.1, "momentum": 0.9, "nesterov": True}, [
        "--momentum=0.9", "--nesterov"]
    yield "mlp-adam-decay", _mlp, (8, 12), 4, "mse", "adam", {"lr": 1e-2, "weight_decay": 0.1, "betas": (0.8, 0.95)}, [
        "--weight-decay=0.1", "--beta1=0.8", "--beta2=0.95"]
    yield "mlp-adamw", _mlp, (8, 12), 4, "cross-entropy", "adamw", {"lr": 1e-2, "weight_decay": 0.1, "eps": 1e-6}, [
        "--weight-decay=0.1", "--epsilon=1e-6"]
    yield "lenet", LeNet, (4, 1, 16, 16), 5, "cross-entropy", "adam", *adam
    yield "gpt", Gpt, (3, 7), 23, "cross-entropy", "adam", *adam


OPTIMIZERS = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def _make(folder, build, shape, classes, loss, optimizer, settings, flags):
    torch.manual_seed(1)
    model = build().double().train()
    rng = np.random.default_rng(2)
    tokens = isinstance(model, Gpt)
    x = torch.from_numpy(rng.integers(0, classes, shape) if tokens else rng.standard_normal(shape))
    if loss == "mse":
        labels = torch.from_numpy(rng.standard_normal((shape[0], classes)))
    else:
        labels = torch.from_numpy(rng.integers(0, classes, shape if tokens else shape[:1]))
        labels.view(-1)[0] = -100  # PyTorch's sign for a row that does not count
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (x,), str(folder / "model.onnx"), dynamo=False, opset_version=17,
                          input_names=["x"], output_names=["y"], do_constant_folding=False,
                          training=torch.onnx.TrainingMode.TRAINING)
    names = [name for name, _ in model.named_parameters()]
    arrays = {"x": x.numpy(), "labels": labels.numpy()}
    arrays |= {"initial." + name: p.detach().numpy().copy() for name, p in model.named_parameters()}
    steps = OPTIMIZERS[optimizer](model.parameters(), **settings)
    losses = []
    for _ in range(STEPS):
        steps.zero_grad()
        value = (F.mse_loss if loss == "mse" else _classes)(model(x), labels)
        value.backward()
        steps.step()
        losses.append(value.item())
    arrays |= {"final." + name: p.detach().numpy() for name, p in model.named_parameters()}
    arrays["losses"] = np.array(losses)
    np.savez(folder / "arrays.npz", **arrays)
    states = {"sgd": ["momentum_buffer"], "adam": ["exp_avg", "exp_avg_sq"]}[optimizer.removesuffix("w")]
    return {"loss": loss, "optimizer": optimizer, "lr": settings["lr"], "flags": flags, "parameters": names,
            "states": states if optimizer != "sgd" or settings.get("momentum") else [], "steps": STEPS}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/training"))
    parser.add_argument("--only", action="append", metavar="NAME")
    parser.add_argument("--force", action="store_true", help="make again what is up to date")
    arguments = parser.parse_args()
    recipe = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    manifest = arguments.out / "manifest.json"
    entries = json.loads(manifest.read_text()) if manifest.exists() else {}
    for name, *case in _cases():
        if arguments.only and name not in arguments.only:
            continue
        if not arguments.force and entries.get(name, {}).get("recipe") == recipe:
            print(f"{name}: up to date")
            continue
        entries[name] = {"recipe": recipe, **_make(arguments.out / name, *case)}
        manifest.write_text(json.dumps(entries, indent=1))
        print(f"{name}: made", flush=True)


if __name__ == "__main__":
    main()
