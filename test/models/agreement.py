"""The rule by which two outputs agree. Needs numpy alone.

The error of an output is its largest deviation from the reference, divided by the largest reference
value. It may be 1e-5, or four times the error that ONNX Runtime itself makes where that is larger
(saturated sigmoids, ill-conditioned inputs). Where an output concatenates quantities of different
size along an axis, each slice is judged by its own largest value: boxes up to 320 would otherwise
hide a dead score. Scores of classes and tokens also have to name the same winner.
"""

from dataclasses import dataclass

import numpy as np

EXACT_LIMIT = 1e-5
ORT_FACTOR = 4.0


@dataclass(frozen=True)
class Verdict:
    agrees: bool
    error: float
    limit: float
    reason: str = ""


def slice_errors(value, reference, slice_axis=None):
    """The relative error of each slice along `slice_axis`, or of the whole output, as an array."""
    reference = np.asarray(reference, dtype=np.float64)
    value = np.asarray(value, dtype=np.float64)
    if reference.size == 0:
        return np.zeros(1)
    if slice_axis is None:
        reference, value = reference.reshape(1, -1), value.reshape(1, -1)
    else:
        length = reference.shape[slice_axis]
        reference = np.moveaxis(reference, slice_axis, 0).reshape(length, -1)
        value = np.moveaxis(value, slice_axis, 0).reshape(length, -1)
    same = (value == reference) | (np.isnan(value) & np.isnan(reference))
    with np.errstate(invalid="ignore"):
        deviation = np.where(same, 0.0, np.abs(value - reference))
    deviation = np.where(np.isfinite(deviation), deviation, np.inf).max(axis=1)
    size = np.where(np.isfinite(reference), np.abs(reference), 0.0).max(axis=1)
    return deviation / np.where(size > 0, size, 1.0)


def _same_winner(value, reference, tolerance):
    """Whether the largest of the last axis is at the same place; a tie within `tolerance` counts as the same."""
    chosen = np.take_along_axis(reference, value.argmax(axis=-1)[..., None], axis=-1)[..., 0]
    return bool((reference.max(axis=-1) - chosen <= tolerance).all())


def judge(value, reference, ort_errors=None, slice_axis=None, argmax=False):
    """Compares one output with its reference. `ort_errors`: slice_errors() of ONNX Runtime, if known."""
    value, reference = np.asarray(value), np.asarray(reference)
    if value.shape != reference.shape:
        return Verdict(False, float("inf"), EXACT_LIMIT, f"shape {value.shape} instead of {reference.shape}")
    if reference.dtype.kind not in "fc":
        equal = bool(np.array_equal(value, reference))
        return Verdict(equal, 0.0 if equal else float("inf"), 0.0, "" if equal else "integers differ")
    errors = slice_errors(value, reference, slice_axis)
    limits = np.full(errors.shape, EXACT_LIMIT)
    if ort_errors is not None:
        limits = np.maximum(limits, ORT_FACTOR * np.asarray(ort_errors, dtype=np.float64))
    worst = int(np.argmax(errors / limits))
    error, limit = float(errors[worst]), float(limits[worst])
    if not error <= limit:
        where = "" if slice_axis is None else f" in slice {worst} of axis {slice_axis}"
        return Verdict(False, error, limit, f"error {error:.2e} over {limit:.1e}{where}")
    if argmax and reference.size:
        tolerance = 2 * limit * float(np.abs(reference).max())
        if not _same_winner(value, reference, tolerance):
            return Verdict(False, error, limit, "another winner on the last axis")
    return Verdict(True, error, limit)
