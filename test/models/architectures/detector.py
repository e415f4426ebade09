"""A one-stage detector with the shape of the YOLOv8 nano model, written from the published description:
a backbone of split-and-concatenate blocks, spatial pyramid pooling, a two-way feature pyramid, and a
decoupled head without anchors whose box sides are expectations over 16 bins.
"""

import torch
from torch import nn
from torch.nn import functional as F

from .entry import STATIC, SYMBOLIC_BN, Architecture, Output, image_cases
from .liven import redraw, settle_batch_norm

BINS = 16
CLASSES = 80
STRIDES = (8, 16, 32)


class ConvUnit(nn.Module):
    def __init__(self, inputs, outputs, kernel=1, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3)

    def forward(self, x):
        return F.silu(self.norm(self.conv(x)))


class Residual(nn.Module):
    def __init__(self, width, add):
        super().__init__()
        self.first = ConvUnit(width, width, 3)
        self.second = ConvUnit(width, width, 3)
        self.add = add

    def forward(self, x):
        y = self.second(self.first(x))
        return x + y if self.add else y


class SplitBlock(nn.Module):
    """Half of the channels go through a chain of blocks; every intermediate value is kept."""

    def __init__(self, inputs, outputs, depth, add):
        super().__init__()
        half = outputs // 2
        self.half = half
        self.enter = ConvUnit(inputs, outputs)
        self.chain = nn.ModuleList(Residual(half, add) for _ in range(depth))
        self.leave = ConvUnit((2 + depth) * half, outputs)

    def forward(self, x):
        parts = list(torch.split(self.enter(x), [self.half, self.half], dim=1))
        for block in self.chain:
            parts.append(block(parts[-1]))
        return self.leave(torch.cat(parts, dim=1))


class PyramidPooling(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.enter = ConvUnit(width, width // 2)
        self.leave = ConvUnit(width * 2, width)

    def forward(self, x):
        parts = [self.enter(x)]
        for _ in range(3):
            parts.append(F.max_pool2d(parts[-1], 5, stride=1, padding=2))
        return self.leave(torch.cat(parts, dim=1))


class Head(nn.Module):
    def __init__(self, widths):
        super().__init__()
        box = max(16, widths[0] // 4, 4 * BINS)
        score = max(widths[0], min(CLASSES, 100))
        self.box = nn.ModuleList(
            nn.Sequential(ConvUnit(w, box, 3), ConvUnit(box, box, 3), nn.Conv2d(box, 4 * BINS, 1)) for w in widths)
        self.score = nn.ModuleList(
            nn.Sequential(ConvUnit(w, score, 3), ConvUnit(score, score, 3), nn.Conv2d(score, CLASSES, 1))
            for w in widths)
        self.register_buffer("bins", torch.arange(BINS, dtype=torch.float32).reshape(1, BINS, 1, 1))

    def raw(self, features):
        return [(b(f), s(f)) for f, b, s in zip(features, self.box, self.score)]

    def forward(self, features):
        boxes, scores = [], []
        for (box, score), stride in zip(self.raw(features), STRIDES):
            batch, _, height, width = box.shape
            sides = box.reshape(batch, 4, BINS, height * width).transpose(1, 2).softmax(dim=1)
            sides = (sides * self.bins).sum(dim=1)
            x = torch.arange(width, device=box.device, dtype=box.dtype) + 0.5
            y = torch.arange(height, device=box.device, dtype=box.dtype) + 0.5
            centre_y, centre_x = torch.meshgrid(y, x, indexing="ij")
            centre = torch.stack([centre_x, centre_y]).reshape(1, 2, height * width)
            low, high = centre - sides[:, :2], centre + sides[:, 2:]
            boxes.append(torch.cat([(low + high) / 2, high - low], dim=1) * float(stride))
            scores.append(score.reshape(batch, CLASSES, height * width))
        return torch.cat([torch.cat(boxes, dim=2), torch.cat(scores, dim=2).sigmoid()], dim=1)


class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        w = (16, 32, 64, 128, 256)
        self.stem = nn.Sequential(ConvUnit(3, w[0], 3, 2), ConvUnit(w[0], w[1], 3, 2), SplitBlock(w[1], w[1], 1, True))
        self.stage3 = nn.Sequential(ConvUnit(w[1], w[2], 3, 2), SplitBlock(w[2], w[2], 2, True))
        self.stage4 = nn.Sequential(ConvUnit(w[2], w[3], 3, 2), SplitBlock(w[3], w[3], 2, True))
        self.stage5 = nn.Sequential(ConvUnit(w[3], w[4], 3, 2), SplitBlock(w[4], w[4], 1, True), PyramidPooling(w[4]))
        self.up4 = SplitBlock(w[4] + w[3], w[3], 1, False)
        self.up3 = SplitBlock(w[3] + w[2], w[2], 1, False)
        self.shrink3 = ConvUnit(w[2], w[2], 3, 2)
        self.down4 = SplitBlock(w[2] + w[3], w[3], 1, False)
        self.shrink4 = ConvUnit(w[3], w[3], 3, 2)
        self.down5 = SplitBlock(w[3] + w[4], w[4], 1, False)
        self.head = Head((w[2], w[3], w[4]))

    def features(self, x):
        c3 = self.stage3(self.stem(x))
        c4 = self.stage4(c3)
        c5 = self.stage5(c4)
        p4 = self.up4(torch.cat([F.interpolate(c5, scale_factor=2.0, mode="nearest"), c4], dim=1))
        p3 = self.up3(torch.cat([F.interpolate(p4, scale_factor=2.0, mode="nearest"), c3], dim=1))
        n4 = self.down4(torch.cat([self.shrink3(p3), p4], dim=1))
        n5 = self.down5(torch.cat([self.shrink4(n4), c5], dim=1))
        return p3, n4, n5

    def forward(self, x):
        return self.head(self.features(x))


def _spread_head(model, images):
    """Scales the last layers so that scores cover 0.1 to 0.9 and box sides use all their bins."""
    with torch.no_grad():
        raw = model.head.raw(model.features(images))
        generator = torch.Generator().manual_seed(41)
        for level, values in enumerate(raw):
            for branch, target, value in ((model.head.box, 2.0, values[0]), (model.head.score, 1.3, values[1])):
                last = branch[level][-1]
                centre = value.mean(dim=(0, 2, 3))
                spread = value.std(dim=(0, 2, 3)).clamp_min(1e-3)
                factor = target / spread
                last.weight *= factor[:, None, None, None]
                last.bias.copy_((last.bias - centre) * factor
                                + 0.4 * torch.randn(last.bias.shape, generator=generator))


def _detector():
    model = redraw(Detector(), 41).eval()
    batches = [tuple(map(torch.from_numpy, a)) for _, a in image_cases([(4, 3, 320, 320)] * 3, seed=41)]
    settle_batch_norm(model, batches)
    _spread_head(model, batches[0][0])
    return model


ARCHITECTURES = [
    Architecture(
        "yolov8n_shape", _detector,
        lambda: image_cases([(1, 3, 320, 320), (2, 3, 320, 320), (1, 3, 256, 384)]),
        ("image",), (Output("detections", slice_axis=1),),
        dims={"image": {0: "batch", 2: "height", 3: "width"}, "detections": {0: "batch", 2: "places"}},
        exports=(STATIC, SYMBOLIC_BN),
    ),
]
