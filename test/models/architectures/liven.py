"""Weights that let every branch of a module show in its outputs.

Constructors are made for training: torchvision's ViT head is all zeros, ConvNeXt's layer scale is
1e-6, the last batch norm of a residual block may have a weight of zero. A wrong block behind such a
weight cannot be seen from outside, so all parameters are drawn anew and batch norm gets running
statistics from batches that went through the module.
"""

import torch
from torch import nn


def _fan_in(module, weight):
    if isinstance(module, (nn.ConvTranspose1d, nn.ConvTranspose2d)):
        # Each output of a strided transposed convolution sees only part of the kernel.
        taps = weight[0][0].numel() / (module.stride[0] * module.stride[-1])
        return max(weight.shape[0] // module.groups * taps, 1)
    if type(module).__name__ == "Conv1D":  # transformers stores [in, out]
        return weight.shape[0]
    return weight[0].numel()


def redraw(model, seed, gain=1.0, relu_gain=1.414, bias=0.1):
    """Draws every parameter of `model` anew.

    Convolutions get `relu_gain`, dense layers `gain`, so that values neither die nor explode with depth.
    """
    generator = torch.Generator().manual_seed(seed)

    def normal(tensor, std, mean=0.0):
        tensor.copy_(torch.randn(tensor.shape, generator=generator) * std + mean)

    def uniform(tensor, low, high):
        tensor.copy_(torch.rand(tensor.shape, generator=generator) * (high - low) + low)

    seen = set()
    with torch.no_grad():
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                if id(parameter) in seen:
                    continue
                seen.add(id(parameter))
                is_norm = "Norm" in type(module).__name__
                if is_norm and name == "weight":
                    uniform(parameter, 0.6, 1.4)
                elif is_norm or name.endswith("bias") or name.startswith("bias_"):
                    normal(parameter, bias)
                elif name == "layer_scale":
                    uniform(parameter, 0.3, 1.2)
                elif isinstance(module, nn.Embedding):
                    normal(parameter, 0.5)
                elif isinstance(module, nn.MultiheadAttention):
                    normal(parameter, gain / parameter.shape[1] ** 0.5)
                elif name.startswith("weight_"):  # LSTM and GRU
                    normal(parameter, 1.5 / parameter.shape[1] ** 0.5)
                elif name == "weight":
                    is_conv = "Conv" in type(module).__name__ and type(module).__name__ != "Conv1D"
                    normal(parameter, (relu_gain if is_conv else gain) / _fan_in(module, parameter) ** 0.5)
                else:  # class tokens, position tables
                    normal(parameter, 0.5)
    return model


def settle_batch_norm(model, batches):
    """Takes the running statistics of every batch norm from `batches`, then perturbs them a little.

    The perturbation keeps a compiler from being right by accident: the normalised values no longer
    have mean 0 and variance 1.
    """
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over the batches
        norm.train()
    with torch.no_grad():
        for batch in batches:
            model(*batch)
        generator = torch.Generator().manual_seed(99)
        for norm in norms:
            spread = norm.running_var.sqrt()
            norm.running_mean += 0.1 * spread * torch.randn(spread.shape, generator=generator)
            norm.running_var *= torch.rand(spread.shape, generator=generator) * 0.6 + 0.7
    model.eval()
    return model
