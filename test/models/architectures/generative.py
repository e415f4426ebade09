"""U-Nets with both ways of up-sampling, and the generator of a DCGAN."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .entry import STATIC, SYMBOLIC, SYMBOLIC_BN, Architecture, Output, image_cases
from .liven import redraw, settle_batch_norm


def _double(inputs, outputs):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
    )


class UNet(nn.Module):
    """Four levels. upsampling: "transposed" convolutions, or "resize" followed by a 1x1 convolution."""

    def __init__(self, upsampling, base=32, classes=3):
        super().__init__()
        widths = [base, 2 * base, 4 * base, 8 * base]
        self.upsampling = upsampling
        self.down = nn.ModuleList(_double(i, o) for i, o in zip([3] + widths[:-1], widths))
        self.bottom = _double(widths[-1], 16 * base)
        pairs = list(zip([16 * base] + widths[:0:-1], widths[::-1]))
        if upsampling == "transposed":
            self.widen = nn.ModuleList(nn.ConvTranspose2d(i, o, 2, stride=2) for i, o in pairs)
        else:
            self.widen = nn.ModuleList(nn.Conv2d(i, o, 1) for i, o in pairs)
        self.up = nn.ModuleList(_double(2 * o, o) for _, o in pairs)
        self.head = nn.Conv2d(base, classes, 1)

    def forward(self, x):
        skips = []
        for level in self.down:
            x = level(x)
            skips.append(x)
            x = F.max_pool2d(x, 2)
        x = self.bottom(x)
        for index, (widen, up) in enumerate(zip(self.widen, self.up)):
            skip = skips.pop()
            if self.upsampling == "transposed":
                x = widen(x)
            elif index % 2:
                x = F.interpolate(widen(x), scale_factor=2.0, mode="nearest")
            else:  # the size comes from another tensor, a common way to survive odd image sizes
                x = F.interpolate(widen(x), size=skip.shape[2:], mode="bilinear", align_corners=False)
            x = up(torch.cat([skip, x], dim=1))
        return self.head(x)


class DcganGenerator(nn.Module):
    def __init__(self, latent=100, base=64):
        super().__init__()
        layers = []
        inputs = latent
        for factor, stride, padding in ((8, 1, 0), (4, 2, 1), (2, 2, 1), (1, 2, 1)):
            layers += [nn.ConvTranspose2d(inputs, base * factor, 4, stride, padding, bias=False),
                       nn.BatchNorm2d(base * factor), nn.ReLU()]
            inputs = base * factor
        layers += [nn.ConvTranspose2d(inputs, 3, 4, 2, 1, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def forward(self, z):
        return self.main(z)


def _unet(upsampling, seed):
    model = redraw(UNet(upsampling), seed).eval()
    return settle_batch_norm(model, [tuple(map(torch.from_numpy, a))
                                     for _, a in image_cases([(4, 3, 128, 128)] * 2, seed=seed)])


def _dcgan():
    model = redraw(DcganGenerator(), 33, relu_gain=1.2).eval()
    generator = torch.Generator().manual_seed(3)
    return settle_batch_norm(model, [(torch.randn((16, 100, 1, 1), generator=generator),) for _ in range(2)])


def _latents():
    rng = np.random.default_rng(8)
    return [(f"b{b}", (rng.standard_normal((b, 100, 1, 1), dtype=np.float32),)) for b in (1, 3)]


IMAGE_DIMS = {"image": {0: "batch", 2: "height", 3: "width"}, "mask": {0: "batch", 2: "height", 3: "width"}}
UNET_SIZES = [(1, 3, 128, 128), (2, 3, 128, 128), (1, 3, 96, 160)]
MASK = (Output("mask", slice_axis=1),)

ARCHITECTURES = [
    Architecture("unet_transposed", lambda: _unet("transposed", 31), lambda: image_cases(UNET_SIZES),
                 ("image",), MASK, dims=IMAGE_DIMS, exports=(STATIC, SYMBOLIC_BN)),
    Architecture("unet_resize", lambda: _unet("resize", 32), lambda: image_cases(UNET_SIZES),
                 ("image",), MASK, dims=IMAGE_DIMS, exports=(STATIC, SYMBOLIC)),
    Architecture("dcgan_generator", _dcgan, _latents, ("z",), (Output("image"),),
                 dims={"z": {0: "batch"}, "image": {0: "batch"}}, exports=(STATIC, SYMBOLIC_BN)),
]
