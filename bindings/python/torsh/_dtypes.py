"""numpy dtypes for the runtime's (code, bits) pairs; 4-bit tensors are packed two in a byte, low half first."""

import numpy as np

from ._errors import Error

_NUMPY = {
    (0, 8): "int8", (0, 16): "int16", (0, 32): "int32", (0, 64): "int64",
    (1, 8): "uint8", (1, 16): "uint16", (1, 32): "uint32", (1, 64): "uint64",
    (2, 16): "float16", (2, 32): "float32", (2, 64): "float64",
    (5, 64): "complex64", (5, 128): "complex128", (6, 8): "bool",
}
_ML_DTYPES = {(4, 16): "bfloat16", (10, 8): "float8_e4m3fn", (12, 8): "float8_e5m2", (0, 4): "int4", (1, 4): "uint4"}


def numpy_dtype(code, bits):
    """The numpy dtype, taken from ml_dtypes where numpy has none."""
    if (code, bits) in _NUMPY:
        return np.dtype(_NUMPY[code, bits])
    if (code, bits) not in _ML_DTYPES:
        raise Error("numpy has no dtype for code %d with %d bits" % (code, bits))
    name = _ML_DTYPES[code, bits]
    try:
        import ml_dtypes
    except ImportError:
        raise Error("tensors of type %s need the Python package ml_dtypes" % name) from None
    return np.dtype(getattr(ml_dtypes, name))


def pack(array):
    """One byte an element -> two elements a byte."""
    nibbles = np.asarray(array).reshape(-1).view(np.uint8) & 15
    if nibbles.size % 2:
        nibbles = np.append(nibbles, np.uint8(0))
    return nibbles[0::2] | (nibbles[1::2] << 4)


def unpack(packed, shape, dtype):
    """The inverse of pack."""
    nibbles = np.empty(packed.size * 2, np.uint8)
    nibbles[0::2] = packed & 15
    nibbles[1::2] = packed >> 4
    count = int(np.prod(shape, dtype=np.int64))
    if dtype.name == "int4":
        return ((nibbles[:count].astype(np.int8) ^ 8) - 8).astype(dtype).reshape(shape)
    return nibbles[:count].astype(dtype).reshape(shape)
