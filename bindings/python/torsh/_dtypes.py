"""numpy dtypes for the runtime's (code, bits) pairs.

The runtime's tensors of fewer than 8 bits share bytes, the first element lowest; ml_dtypes arrays hold one a byte.
"""

import numpy as np

from ._errors import Error

_NUMPY = {
    (0, 8): "int8", (0, 16): "int16", (0, 32): "int32", (0, 64): "int64",
    (1, 8): "uint8", (1, 16): "uint16", (1, 32): "uint32", (1, 64): "uint64",
    (2, 16): "float16", (2, 32): "float32", (2, 64): "float64",
    (5, 64): "complex64", (5, 128): "complex128", (6, 8): "bool",
}
_ML_DTYPES = {
    (4, 16): "bfloat16", (10, 8): "float8_e4m3fn", (11, 8): "float8_e4m3fnuz", (12, 8): "float8_e5m2",
    (13, 8): "float8_e5m2fnuz", (14, 8): "float8_e8m0fnu", (15, 6): "float6_e2m3fn", (16, 6): "float6_e3m2fn",
    (17, 4): "float4_e2m1fn", (0, 2): "int2", (0, 4): "int4", (1, 2): "uint2", (1, 4): "uint4",
}


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


def packed_size(count, bits):
    """Bytes of `count` elements that share bytes."""
    return (count * bits + 7) // 8


def pack(array, bits):
    """One byte an element -> elements of `bits` < 8 bits that share bytes."""
    codes = np.asarray(array).reshape(-1, 1).view(np.uint8)
    low = np.unpackbits(codes, axis=1, count=bits, bitorder="little")
    return np.packbits(low, bitorder="little")


def unpack(packed, shape, dtype, bits):
    """The inverse of pack."""
    count = int(np.prod(shape, dtype=np.int64))
    low = np.unpackbits(packed, count=count * bits, bitorder="little").reshape(count, bits)
    codes = np.packbits(low, axis=1, bitorder="little").reshape(shape)
    if dtype.name in ("int2", "int4"):  # kept as bytes with a sign
        sign = np.int8(1 << (bits - 1))
        codes = (codes.view(np.int8) ^ sign) - sign
    return codes.view(dtype)
