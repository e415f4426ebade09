"""include/torsh/torsh.h in ctypes."""

import ctypes
import os
from ctypes import CFUNCTYPE, POINTER, Structure, Union, c_char, c_char_p, c_int32, c_int64
from ctypes import c_uint8, c_uint16, c_uint32, c_uint64, c_void_p

from ._errors import Error

API_VERSION = 0


class CError(Structure):
    _fields_ = [("status", c_int32), ("port", c_int32), ("axis", c_int32), ("reserved", c_int32),
                ("needed", c_uint64), ("message", c_char * 488)]


class Device(Structure):
    _fields_ = [("type", c_int32), ("id", c_int32)]


class DType(Structure):
    _fields_ = [("code", c_uint8), ("bits", c_uint8), ("lanes", c_uint16)]


class Tensor(Structure):
    _fields_ = [("data", c_void_p), ("device", Device), ("ndim", c_int32), ("dtype", DType),
                ("shape", POINTER(c_int64)), ("strides", POINTER(c_int64)), ("byte_offset", c_uint64)]


TENSOR, STRING_TENSOR, SEQUENCE, OPTIONAL = range(4)


class Value(Structure):
    pass


class Strings(Structure):
    _fields_ = [("ndim", c_int32), ("reserved", c_uint32), ("shape", POINTER(c_int64)), ("offsets", POINTER(c_uint64)),
                ("bytes", c_void_p)]


class Sequence(Structure):
    _fields_ = [("count", c_uint64), ("items", POINTER(Value))]


class Optional(Structure):
    _fields_ = [("value", POINTER(Value))]


class ValueUnion(Union):
    # Maps, which are not served yet, are smaller than a tensor.
    _fields_ = [("tensor", Tensor), ("strings", Strings), ("sequence", Sequence), ("optional", Optional)]


Value._fields_ = [("tag", c_uint32), ("flags", c_uint32), ("capacity", c_uint64), ("u", ValueUnion)]


class ExecutorOptions(Structure):
    _fields_ = [("size", c_uint32), ("threads", c_uint32), ("idle_spin_us", c_uint32), ("run_spin_us", c_uint32)]


class LoadOptions(Structure):
    _fields_ = [("size", c_uint32), ("threads", c_uint32), ("executor", c_void_p), ("weights_path", c_char_p),
                ("memory_cap", c_uint64)]


class ModuleInfo(Structure):
    _fields_ = [("size", c_uint32), ("num_inputs", c_uint32), ("num_outputs", c_uint32), ("cpu_level", c_uint32),
                ("metadata", c_void_p), ("metadata_size", c_uint64), ("weights_size", c_uint64),
                ("build_id", c_char_p), ("num_kernels", c_uint32), ("width", c_uint32)]


class PortInfo(Structure):
    _fields_ = [("size", c_uint32), ("rank", c_uint32), ("dtype", DType), ("kind", c_uint32),
                ("name", c_char_p), ("dims", POINTER(c_int64)), ("dim_names", POINTER(c_char_p))]


class StateInfo(Structure):
    _fields_ = [("size", c_uint32), ("role", c_uint32), ("input", c_uint32), ("reserved", c_uint32), ("bytes", c_uint64),
                ("name", c_char_p), ("initial", c_void_p)]


class Stats(Structure):
    _fields_ = [("size", c_uint32), ("reserved", c_uint32)] + [
        (name, c_uint64) for name in ("runs", "failed_runs", "total_ns", "last_ns", "arena_bytes", "output_bytes",
                                      "kernels", "shared_kernels", "waits", "allocations")]


_error = POINTER(CError)
_status = c_int32
_describe = CFUNCTYPE(_status, c_void_p, c_uint32, POINTER(PortInfo))
_out = POINTER(c_void_p)


class Api(Structure):
    # CFUNCTYPE functions release Python's lock while they run.
    _fields_ = [
        ("size", c_uint32), ("version", c_uint32),
        ("runtime_build_id", CFUNCTYPE(c_char_p)),
        ("status_name", CFUNCTYPE(c_char_p, c_int32)),
        ("set_log", c_void_p),
        ("default_width", CFUNCTYPE(c_uint32)),
        ("executor_create", CFUNCTYPE(_status, POINTER(ExecutorOptions), _out, _error)),
        ("executor_create_custom", c_void_p),
        ("executor_destroy", CFUNCTYPE(None, c_void_p)),
        ("executor_width", CFUNCTYPE(c_uint32, c_void_p)),
        ("verify_file", CFUNCTYPE(_status, c_char_p, c_char_p, _error)),
        ("load_file", CFUNCTYPE(_status, c_char_p, POINTER(LoadOptions), _out, _error)),
        ("module_destroy", CFUNCTYPE(None, c_void_p)),
        ("module_info", CFUNCTYPE(_status, c_void_p, POINTER(ModuleInfo))),
        ("input_info", _describe),
        ("output_info", _describe),
        ("context_create", CFUNCTYPE(_status, c_void_p, _out, _error)),
        ("context_destroy", CFUNCTYPE(None, c_void_p)),
        ("set_memory_cap", CFUNCTYPE(_status, c_void_p, c_uint64)),
        ("trim", CFUNCTYPE(_status, c_void_p)),
        ("output_dims", CFUNCTYPE(_status, c_void_p, POINTER(Value), c_uint32, POINTER(Value), c_uint32,
                                  POINTER(c_uint64), _error)),
        ("run", CFUNCTYPE(_status, c_void_p, POINTER(Value), c_uint32, POINTER(Value), c_uint32, _error)),
        ("cancel", CFUNCTYPE(None, c_void_p)),
        ("get_stats", CFUNCTYPE(_status, c_void_p, POINTER(Stats))),
        ("set_trace", c_void_p),
        ("record", c_void_p),
        ("state_create", CFUNCTYPE(_status, c_void_p, _out, _error)),
        ("state_destroy", CFUNCTYPE(None, c_void_p)),
        ("state_reset", CFUNCTYPE(_status, c_void_p)),
        ("state_count", CFUNCTYPE(c_uint32, c_void_p)),
        ("state_info", CFUNCTYPE(_status, c_void_p, c_uint32, POINTER(StateInfo))),
        ("state_tensor", CFUNCTYPE(_status, c_void_p, c_uint32, POINTER(Value))),
        ("step", CFUNCTYPE(_status, c_void_p, c_void_p, POINTER(Value), c_uint32, POINTER(Value), c_uint32, _error)),
    ]


def _open_library():
    path = os.environ.get("TORSH_RUNTIME") or os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                                           "libtorsh_rt.so")
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        raise Error("the runtime library cannot be opened: %s. Build the target torsh_python, or set TORSH_RUNTIME to "
                    "its path." % error) from None
    get_api = library.torsh_get_api
    get_api.argtypes = [c_uint32]
    get_api.restype = POINTER(Api)
    table = get_api(API_VERSION)
    if not table or table.contents.size < ctypes.sizeof(Api):
        raise Error("the runtime library %s does not serve API version %d" % (path, API_VERSION))
    return library, table.contents


_library, api = _open_library()


def check(status, error):
    if status:
        raise Error(error.message.decode(errors="replace"), status, error.port, error.axis, error.needed)


def runtime_build_id():
    """Names the runtime and the sources it was built from."""
    return api.runtime_build_id().decode()
