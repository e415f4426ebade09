#!/usr/bin/env python3
"""Writes what the tests of training compare with: models, batches, and 20 steps of Adam by PyTorch in two precisions.

    references.py [--out build/training-steps] [NAME...]

For each network: model.onnx and model64.onnx with its initial weights, and case.npz with the batches (x, labels), the learning rate, and
losses32, losses64, param32/NAME, param64/NAME after the last step. Needs the environment of requirements/generate.txt.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

import networks

STEPS = 20


def train(name, dtype):
    """The losses and the final parameters of the steps."""
    module = networks.build(name).to(dtype)
    optimizer = torch.optim.Adam(module.parameters(), lr=networks.rate(name), foreach=False)
    losses = []
    for x, labels in networks.batches(name, STEPS):
        x = torch.from_numpy(x)
        loss = networks.loss_of(module, x.to(dtype) if x.is_floating_point() else x, torch.from_numpy(labels))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return np.array(losses), {key: value.detach().numpy() for key, value in module.named_parameters()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/training-steps"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="some of: " + ", ".join(networks.NETWORKS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.names or list(networks.NETWORKS):
        folder = arguments.out / name
        folder.mkdir(parents=True, exist_ok=True)
        networks.export(name, networks.build(name), folder / "model.onnx")
        networks.export(name, networks.build(name).double(), folder / "model64.onnx")
        given = networks.batches(name, STEPS)
        data = {"x": np.stack([x for x, _ in given]), "labels": np.stack([labels for _, labels in given]),
                "rate": np.float64(networks.rate(name))}
        for bits, dtype in ((32, torch.float32), (64, torch.float64)):
            data[f"losses{bits}"], parameters = train(name, dtype)
            data.update({f"param{bits}/{key}": value for key, value in parameters.items()})
        np.savez(folder / "case.npz", **data)
        print(f"{name}: loss {data['losses64'][0]:.6f} to {data['losses64'][-1]:.6f}, f32 differs by "
              f"{np.abs(data['losses32'] - data['losses64']).max():.1e}")


if __name__ == "__main__":
    main()
