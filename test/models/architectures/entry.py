"""How an architecture describes itself to the generator."""

from dataclasses import dataclass, field
from typing import Callable

import numpy as np


@dataclass(frozen=True)
class Output:
    """One output and how it is judged.

    slice_axis: the axis along which the output concatenates different quantities (boxes beside
    scores), each of which is then judged by its own largest value.
    argmax: the last axis holds class or token scores, whose winner has to agree as well.
    """

    name: str
    slice_axis: int | None = None
    argmax: bool = False


@dataclass(frozen=True)
class Export:
    """One .onnx file made of an architecture.

    exporter: "trace" is the classic exporter of PyTorch, "dynamo" the one built on torch.export.
    keep_batch_norm: the classic exporter folds batch norms of an eval module into convolutions;
    with this they stay nodes, as in files that other tools wrote.
    """

    suffix: str = ""
    exporter: str = "trace"
    symbolic: bool = False
    keep_batch_norm: bool = False
    external_data: bool = False
    opset: int = 17


STATIC = Export()
SYMBOLIC = Export(suffix="-sym", symbolic=True)
SYMBOLIC_BN = Export(suffix="-sym", symbolic=True, keep_batch_norm=True)
DYNAMO = Export(suffix="-dynamo", exporter="dynamo", symbolic=False, opset=18)
DYNAMO_SYMBOLIC = Export(suffix="-dynamo", exporter="dynamo", symbolic=True, opset=18)


@dataclass(frozen=True)
class Architecture:
    """A module with seeded weights, its inputs, and the files to make of it.

    cases() yields (case name, arrays in the order of `inputs`); the first case fixes the static
    shapes, the others need a symbolic export unless their shapes are equal to it.
    """

    name: str
    build: Callable[[], "object"]
    cases: Callable[[], list[tuple[str, tuple[np.ndarray, ...]]]]
    inputs: tuple[str, ...]
    outputs: tuple[Output, ...]
    dims: dict[str, dict[int, str]] = field(default_factory=dict)
    exports: tuple[Export, ...] = (STATIC, SYMBOLIC)
    quick: bool = False


def image_cases(shapes, seed=1):
    """Images with smooth structure and noise: neighbouring pixels correlate, as in photographs."""
    rng = np.random.default_rng(seed)
    result = []
    for shape in shapes:
        batch, channels, height, width = shape
        y = np.linspace(-1, 1, height)[None, None, :, None]
        x = np.linspace(-1, 1, width)[None, None, None, :]
        wave = rng.uniform(-4, 4, (4, batch, channels, 1, 1))
        image = np.sin(wave[0] * y + wave[1] * x + wave[2]) * 0.8 + 0.6 * rng.standard_normal(shape)
        result.append((f"b{batch}_{height}x{width}", (image.astype(np.float32),)))
    return result


def token_cases(shapes, vocabulary, seed=1):
    """Token batches named after their shapes."""
    rng = np.random.default_rng(seed)
    return [(f"b{b}_s{s}", (rng.integers(0, vocabulary, (b, s), dtype=np.int64),)) for b, s in shapes]
