"""Image classifiers of torchvision with weights drawn by seed."""

import torch
import torchvision

from .entry import DYNAMO, STATIC, SYMBOLIC, SYMBOLIC_BN, Architecture, Output, image_cases
from .liven import redraw, settle_batch_norm


def _classifier(constructor, seed, **options):
    def build():
        torch.manual_seed(seed)
        model = redraw(constructor(weights=None), seed, **options).eval()
        batches = [tuple(torch.from_numpy(a) for a in arrays)
                   for _, arrays in image_cases([(4, 3, 224, 224)] * 2, seed=seed)]
        return settle_batch_norm(model, batches)

    return build


FREE = {"image": {0: "batch", 2: "height", 3: "width"}, "logits": {0: "batch"}}
BATCH = {"image": {0: "batch"}, "logits": {0: "batch"}}
SIZES = [(1, 3, 224, 224), (2, 3, 224, 224), (1, 3, 192, 160), (3, 3, 97, 131)]
LOGITS = (Output("logits", argmax=True),)


def _entry(name, constructor, seed, dims=FREE, sizes=SIZES, exports=(STATIC, SYMBOLIC), **options):
    return Architecture(
        name, _classifier(constructor, seed, **options), lambda: image_cases(sizes),
        ("image",), LOGITS, dims=dims, exports=exports,
    )


models = torchvision.models
ARCHITECTURES = [
    _entry("resnet50", models.resnet50, 21, exports=(STATIC, SYMBOLIC_BN, DYNAMO)),
    _entry("mobilenet_v2", models.mobilenet_v2, 22, exports=(STATIC, SYMBOLIC_BN, DYNAMO)),
    _entry("mobilenet_v3_large", models.mobilenet_v3_large, 23),
    _entry("efficientnet_b0", models.efficientnet_b0, 24),
    _entry("densenet121", models.densenet121, 25),
    _entry("convnext_tiny", models.convnext_tiny, 26, relu_gain=1.0),
    _entry("vit_b_16", models.vit_b_16, 27, dims=BATCH, sizes=SIZES[:2]),
]
