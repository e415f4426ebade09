"""Loaded artifacts as callables over numpy arrays."""

import ctypes
import json
import os
import shutil
import threading
import weakref
from collections import namedtuple

import numpy as np

from . import _native
from ._dtypes import numpy_dtype, pack, packed_size, unpack
from ._errors import Error
from ._native import api, check
from ._values import from_python, kind_name, to_python

Port = namedtuple("Port", ["name", "dtype", "dims", "kind"], defaults=["tensor"])
Port.__doc__ = """One input or output: its name, numpy dtype, and dims, an int where static and a string where symbolic.
kind is "tensor", "strings", "sequence<...>" or "optional<...>"; but for tensors dtype is that of the tensors inside, the
dtype of objects for strings, and dims are not known."""

#Reading a function out of the table makes a new Python object each time.
_output_dims, _run = api.output_dims, api.run
_executors = {}
_executors_lock = threading.Lock()


def _executor(threads):
    """One pool for each width, shared by all modules; its threads start with the first run that needs them."""
    width = api.default_width() if threads is None else int(threads)
    if width < 1:
        raise Error("threads must be at least 1, or None for the processors this process may use; got %r" % (threads,))
    with _executors_lock:
        if width not in _executors:
            options = _native.ExecutorOptions(ctypes.sizeof(_native.ExecutorOptions), width, 0, 0)
            handle, error = ctypes.c_void_p(), _native.CError()
            check(api.executor_create(ctypes.byref(options), ctypes.byref(handle), ctypes.byref(error)), error)
            _executors[width] = handle
        return _executors[width]


class _Declared:
    """A port with what a call needs to know of it."""

    def __init__(self, info):
        self.code, self.bits = info.dtype.code, info.dtype.bits
        self.kind = info.kind
        self.raw_dtype = _native.DType(self.code, self.bits, 1)
        dims = tuple(info.dims[i] if info.dims[i] >= 0 else info.dim_names[i].decode() for i in range(info.rank))
        dtype = numpy_dtype(self.code, self.bits)
        if self.holds_strings():
            dtype = np.dtype(object)
        self.port = Port(info.name.decode(), dtype, dims, kind_name(self.kind))

        self.dtype = self.port.dtype
        self.static_shape = dims if all(isinstance(d, int) for d in dims) else None

    def memory(self, shape):
        """An array that holds an output of this shape; elements of fewer than 8 bits are packed."""
        if self.bits < 8:
            return np.empty(packed_size(int(np.prod(shape, dtype=np.int64)), self.bits), np.uint8)
        return np.empty(shape, self.dtype)
    def holds_strings(self):
        kind = self.kind
        while kind & 255 in (_native.SEQUENCE, _native.OPTIONAL):
            kind >>= 8
        return kind & 255 == _native.STRING_TENSOR

    def as_array(self, index, given):
        """The argument as a contiguous, aligned array of the declared dtype. Arrays are never converted silently."""
        dtype = self.dtype
        if type(given) is np.ndarray and given.dtype == dtype:
            flags = given.flags
            if flags.c_contiguous and flags.aligned:
                return given
        if isinstance(given, np.ndarray) or hasattr(given, "dtype"):
            array = given if isinstance(given, (np.ndarray, np.generic)) else np.from_dlpack(given)
            if array.dtype != dtype:
                raise Error("input %d (%r): expected dtype %s, got %s" % (index, self.port.name, dtype, array.dtype),
                            status=8, port=index)
            return np.require(array, requirements=["C", "A"])
        return np.require(given, dtype=dtype, requirements=["C", "A"])



class _Tensors:
    """The C values of a context's inputs or outputs. They are kept from call to call, because making ctypes objects is
    most of what a call costs; only addresses change, and shapes when they differ."""

    def __init__(self, declared):
        self.values = (_native.Value * max(1, len(declared)))()
        self.pointer = ctypes.cast(self.values, ctypes.POINTER(_native.Value))
        self._tensors = [self.values[i].u.tensor for i in range(len(declared))]  # views of the same memory
        self._shapes = [None] * len(declared)
        self._dims = [None] * len(declared)
        for tensor, port in zip(self._tensors, declared):
            tensor.device = _native.Device(1, 0)
            tensor.dtype = port.raw_dtype

    def point(self, i, array, shape):
        """Points value i at the array's memory, which must outlive the call."""
        tensor = self._tensors[i]
        tensor.data = array.__array_interface__["data"][0]
        if shape != self._shapes[i]:
            dims = self._dims[i] = (ctypes.c_int64 * len(shape))(*shape)
            tensor.ndim = len(shape)
            tensor.shape = ctypes.cast(dims, ctypes.POINTER(ctypes.c_int64))
            self._shapes[i] = shape

    def leave(self, i):
        """Lets the runtime find memory for value i, whose dims only the run knows."""
        tensor = self._tensors[i]
        tensor.data, tensor.shape, self.values[i].flags = None, None, 0

    def copy(self, i, memory):
        """Fills an array with what the runtime holds of value i."""
        ctypes.memmove(memory.ctypes.data, self._tensors[i].data, memory.nbytes)

    def shape(self, i):
        """What the runtime wrote."""
        tensor = self._tensors[i]
        self._shapes[i] = None
        return tuple(tensor.shape[:tensor.ndim])


class _Context:
    """One run at a time: a context of the runtime with the C values of a call."""

    def __init__(self, module, inputs, outputs):
        self.handle, self.error = ctypes.c_void_p(), _native.CError()
        self.failure = ctypes.pointer(self.error)
        check(api.context_create(module, ctypes.byref(self.handle), self.failure), self.error)
        self.inputs, self.outputs = _Tensors(inputs), _Tensors(outputs)


class Module:
    """A compiled model. Call it with one value for each input; it returns a list of values, one for each output. A value is
    an array; a list for a sequence; an array of str for strings; None for an absent optional."""

    def __init__(self, path, threads=None, _folder=None):
        self._path = os.path.abspath(os.fspath(path))
        options = _native.LoadOptions(ctypes.sizeof(_native.LoadOptions), 0, _executor(threads), None, 0)
        handle, error = ctypes.c_void_p(), _native.CError()
        check(api.load_file(os.fsencode(self._path), ctypes.byref(options), ctypes.byref(handle), ctypes.byref(error)),
              error)
        self._handle = handle
        self._contexts = []
        self._finalizer = weakref.finalize(self, _release, handle, self._contexts, _folder, os.getpid())
        info = _native.ModuleInfo(size=ctypes.sizeof(_native.ModuleInfo))
        api.module_info(handle, ctypes.byref(info))
        self._inputs = self._declared(api.input_info, info.num_inputs)
        self._outputs = self._declared(api.output_info, info.num_outputs)
        self._static = all(declared.static_shape is not None for declared in self._outputs)
        self._objects = any(declared.kind for declared in self._inputs + self._outputs)
        self._packed = any(declared.bits < 8 for declared in self._outputs)
        self.inputs = [declared.port for declared in self._inputs]
        self.outputs = [declared.port for declared in self._outputs]
        self.build_id = info.build_id.decode()
        self.cpu_level = "x86-64-v%d" % min(info.cpu_level, 4) + ("+avx512bf16" if info.cpu_level == 5 else "")
        self.threads = info.width
        self._metadata = ctypes.string_at(info.metadata, info.metadata_size)

    def _declared(self, describe, count):
        result = []
        for i in range(count):
            info = _native.PortInfo(size=ctypes.sizeof(_native.PortInfo))
            describe(self._handle, i, ctypes.byref(info))
            result.append(_Declared(info))
        return result

    @property
    def metadata(self):
        """What the compiler wrote about the model, as a dict."""
        return json.loads(self._metadata)

    def __call__(self, *arrays):
        if len(arrays) != len(self._inputs):
            raise Error("the model has %d inputs (%s), but %d were given"
                        % (len(self._inputs), ", ".join(p.name for p in self.inputs), len(arrays)), status=1)
        try:
            context = self._contexts.pop()  # atomic, so that threads need no lock
        except IndexError:
            context = _Context(self._handle, self._inputs, self._outputs)
        try:
            return self._run_objects(context, arrays) if self._objects else self._run(context, arrays)
        finally:
            self._contexts.append(context)

    def _run(self, context, arrays):
        keep = []  # the memory that the C values point to
        inputs, outputs = context.inputs, context.outputs
        for i, declared in enumerate(self._inputs):
            array = declared.as_array(i, arrays[i])
            memory = pack(array, declared.bits) if declared.bits < 8 else array
            keep.append(memory)
            inputs.point(i, memory, array.shape)
        handle, failure = context.handle, context.failure
        if not self._static:
            check(_output_dims(handle, inputs.pointer, len(self._inputs), outputs.pointer, len(self._outputs), None,
                               failure), context.error)
        results, shapes = [], []
        for i, declared in enumerate(self._outputs):
            shape = declared.static_shape if self._static else outputs.shape(i)
            shapes.append(shape)
            if any(size < 0 for size in shape):
                outputs.leave(i)
                results.append(None)
                continue
            memory = declared.memory(shape)
            outputs.point(i, memory, shape)
            results.append(memory)
        status = _run(handle, inputs.pointer, len(self._inputs), outputs.pointer, len(self._outputs), failure)
        if status:
            check(status, context.error)
        for i, declared in enumerate(self._outputs):
            if results[i] is None:
                shapes[i] = outputs.shape(i)
                results[i] = declared.memory(shapes[i])
                outputs.copy(i, results[i])
        if not self._packed:
            return results
        return [unpack(memory, shape, declared.dtype, declared.bits) if declared.bits < 8 else memory
                for declared, memory, shape in zip(self._outputs, results, shapes)]

    def _run_objects(self, context, given):
        """A run whose inputs or outputs are not all tensors, or of sizes that it finds; the outputs are copied."""
        keep = []
        inputs = (_native.Value * max(1, len(self._inputs)))()
        outputs = (_native.Value * max(1, len(self._outputs)))()
        for i, declared in enumerate(self._inputs):
            from_python(inputs[i], declared.kind, given[i], lambda x, d=declared, i=i: d.as_array(i, x), i, keep)
        check(_run(context.handle, inputs, len(self._inputs), outputs, len(self._outputs), context.failure),
              context.error)
        # The memory is the context's until its next run.
        return [to_python(outputs[i], declared.dtype) for i, declared in enumerate(self._outputs)]

    def stats(self):
        """Sums over the contexts that are not in a run: runs, ns, memory held, waits, and so on."""
        total = {}
        for context in list(self._contexts):
            stats = _native.Stats(size=ctypes.sizeof(_native.Stats))
            api.get_stats(context.handle, ctypes.byref(stats))
            for name, _ in _native.Stats._fields_[2:]:
                total[name] = total.get(name, 0) + getattr(stats, name)
        return total

    def save(self, path):
        """Writes the artifact (and its side file of weights, under its own name) to `path`, through a rename."""
        path = os.path.abspath(os.fspath(path))
        sidecar = self.metadata.get("weights_file")
        if sidecar:
            _copy(os.path.join(os.path.dirname(self._path), sidecar), os.path.join(os.path.dirname(path), sidecar))
        _copy(self._path, path)

    def __repr__(self):
        def text(ports):
            return ", ".join("%s: %s[%s]" % (p.name, p.dtype, ", ".join(map(str, p.dims))) if p.kind == "tensor"
                             else "%s: %s" % (p.name, p.kind) for p in ports)
        return "<torsh.Module (%s) -> (%s)>" % (text(self.inputs), text(self.outputs))


def _copy(source, target):
    if os.path.exists(target) and os.path.samefile(source, target):
        return
    partial = "%s.partial.%d" % (target, os.getpid())
    try:
        shutil.copyfile(source, partial)
        os.replace(partial, target)
    except BaseException:
        if os.path.exists(partial):
            os.unlink(partial)
        raise


def _release(handle, contexts, folder, owner):
    for context in contexts:
        api.context_destroy(context.handle)
    api.module_destroy(handle)
    if folder and owner == os.getpid():  # after a fork the files are the parent's
        shutil.rmtree(folder, ignore_errors=True)


def load(path, threads=None):
    """Opens a compiled artifact. threads=None means the processors this process may use."""
    return Module(path, threads)


def verify(path):
    """Checks the digests of code, metadata and weights without running anything of the file."""
    error = _native.CError()
    check(api.verify_file(os.fsencode(os.fspath(path)), None, ctypes.byref(error)), error)
