"""Values that are no tensors of numbers: sequences are lists, strings are arrays of str, an absent optional is None."""

import ctypes

import numpy as np

from ._dtypes import numpy_dtype, pack, unpack
from ._errors import Error
from ._native import OPTIONAL, SEQUENCE, STRING_TENSOR, TENSOR, Device, DType, Value

_NAMES = {TENSOR: "tensor", STRING_TENSOR: "strings", SEQUENCE: "sequence", OPTIONAL: "optional"}


def kind_name(kind):
    """ "sequence<tensor>" for a port's kind."""
    name = _NAMES.get(kind & 255, "unknown")
    return "%s<%s>" % (name, kind_name(kind >> 8)) if kind & 255 in (SEQUENCE, OPTIONAL) else name


def _fill_tensor(value, array, keep):
    dims = (ctypes.c_int64 * max(1, array.ndim))(*array.shape)
    tensor = value.u.tensor
    tensor.dtype = dlpack_dtype(array.dtype)
    memory = pack(array) if tensor.dtype.bits == 4 else array
    keep += [memory, dims]
    tensor.data = memory.ctypes.data
    tensor.device = Device(1, 0)
    tensor.ndim = array.ndim
    tensor.shape = ctypes.cast(dims, ctypes.POINTER(ctypes.c_int64))


def _fill_strings(value, given, index, keep):
    array = np.asarray(given)
    if array.dtype.kind not in "OUST" and array.size:
        raise Error("input %d: strings are needed; got dtype %s" % (index, array.dtype), status=8, port=index)
    texts = [s if isinstance(s, bytes) else str(s).encode() for s in array.reshape(-1).tolist()]
    offsets = np.zeros(len(texts) + 1, np.uint64)
    np.cumsum([len(t) for t in texts], out=offsets[1:], dtype=np.uint64)
    data = ctypes.create_string_buffer(b"".join(texts))
    dims = (ctypes.c_int64 * max(1, array.ndim))(*array.shape)
    keep += [offsets, data, dims]
    strings = value.u.strings
    strings.ndim = array.ndim
    strings.shape = ctypes.cast(dims, ctypes.POINTER(ctypes.c_int64))
    strings.offsets = offsets.ctypes.data_as(ctypes.POINTER(ctypes.c_uint64))
    strings.bytes = ctypes.addressof(data)


def from_python(value, kind, given, as_array, index, keep):
    """Fills a C value of this kind; `keep` holds its memory, `as_array` makes an array of the declared dtype."""
    value.tag = kind & 255
    if value.tag == OPTIONAL:
        if given is not None:
            inner = Value()
            keep.append(inner)
            from_python(inner, kind >> 8, given, as_array, index, keep)
            value.u.optional.value = ctypes.pointer(inner)
    elif given is None:
        raise Error("input %d: a value is needed; only optionals may be None" % index, status=1, port=index)
    elif value.tag == SEQUENCE:
        items = (Value * max(1, len(given)))()
        keep.append(items)
        for item, element in zip(items, given):
            from_python(item, kind >> 8, element, as_array, index, keep)
        value.u.sequence.count = len(given)
        value.u.sequence.items = ctypes.cast(items, ctypes.POINTER(Value))
    elif value.tag == STRING_TENSOR:
        _fill_strings(value, given, index, keep)
    else:
        _fill_tensor(value, as_array(given), keep)


_CODES = {}


def dlpack_dtype(dtype):
    """The runtime's dtype of a numpy dtype."""
    if not _CODES:
        for code, bits in [(0, 8), (0, 16), (0, 32), (0, 64), (1, 8), (1, 16), (1, 32), (1, 64), (2, 16), (2, 32), (2, 64),
                           (5, 64), (5, 128), (6, 8)]:
            _CODES[numpy_dtype(code, bits).name] = (code, bits)
        _CODES.update({"bfloat16": (4, 16), "float8_e4m3fn": (10, 8), "float8_e5m2": (12, 8), "int4": (0, 4),
                       "uint4": (1, 4)})
    return DType(*_CODES[dtype.name], 1)


def to_python(value, dtype):
    """A copy of what a C value describes."""
    if value.tag == OPTIONAL:
        return to_python(value.u.optional.value.contents, dtype) if value.u.optional.value else None
    if value.tag == SEQUENCE:
        return [to_python(value.u.sequence.items[i], dtype) for i in range(value.u.sequence.count)]
    if value.tag == STRING_TENSOR:
        strings = value.u.strings
        shape = tuple(strings.shape[:strings.ndim])
        count = int(np.prod(shape, dtype=np.int64))
        offsets = strings.offsets[:count + 1]
        data = ctypes.string_at(strings.bytes, offsets[count]) if count else b""
        result = np.empty(count, object)
        for i in range(count):
            result[i] = data[offsets[i]:offsets[i + 1]].decode(errors="surrogateescape")
        return result.reshape(shape)
    tensor = value.u.tensor
    shape = tuple(tensor.shape[:tensor.ndim])
    packed = tensor.dtype.bits == 4
    actual = numpy_dtype(tensor.dtype.code, tensor.dtype.bits)
    count = int(np.prod(shape, dtype=np.int64))
    result = np.empty((count + 1) // 2, np.uint8) if packed else np.empty(shape, actual)
    if result.nbytes:
        ctypes.memmove(result.ctypes.data, tensor.data, result.nbytes)
    return unpack(result, shape, actual) if packed else result
