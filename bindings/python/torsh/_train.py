"""Compiled train steps: parameters and optimizer state in buffers that a step changes in place."""

import ctypes
import weakref

import numpy as np

from . import _native
from ._dtypes import numpy_dtype
from ._errors import Error
from ._module import Module, _Context
from ._native import api, check

_ROLES = {1: "parameter", 2: "optimizer", 3: "step"}
_step = api.step


class TrainStep:
    """One step of a model's training with its parameters, optimizer state and count of steps.

        step = torsh.TrainStep("step.so")
        loss = step(batch, labels, lr=1e-3)

    Arguments are the model's inputs and then the labels, in their order. One caller at a time: a step on a state that is
    in use is refused.
    """

    def __init__(self, path, threads=None, _folder=None):
        self.module = module = Module(path, threads, _folder)
        count = api.state_count(module._handle)
        if not count:
            raise Error("%s is no train step; compile the model with torshc --train-step" % module._path, status=1)
        handle, error = ctypes.c_void_p(), _native.CError()
        check(api.state_create(module._handle, ctypes.byref(handle), ctypes.byref(error)), error)
        self._handle = handle
        self._slots, self.roles, kept = {}, {}, set()
        for i in range(count):
            info = _native.StateInfo(size=ctypes.sizeof(_native.StateInfo))
            api.state_info(module._handle, i, ctypes.byref(info))
            name = info.name.decode()
            self._slots[name] = self._view(i, info.bytes)
            self.roles[name] = _ROLES.get(info.role, "unknown")
            kept.add(info.input)
        # What a call gives: all inputs but those of the state.
        self._given = [declared for i, declared in enumerate(module._inputs) if i not in kept]
        self._rate = [i for i, declared in enumerate(self._given) if declared.port.name == "lr"]
        self.inputs = [d.port for i, d in enumerate(self._given) if i not in self._rate]
        self._context = _Context(module._handle, self._given, module._outputs)
        module._contexts.append(self._context)  # the module releases it
        self._finalizer = weakref.finalize(self, api.state_destroy, handle)

    def _view(self, index, size):
        """The buffer of one tensor of the state as an array that shares its memory."""
        value = _native.Value()
        api.state_tensor(self._handle, index, ctypes.byref(value))
        tensor = value.u.tensor
        memory = (ctypes.c_char * size).from_address(tensor.data)
        dtype = numpy_dtype(tensor.dtype.code, tensor.dtype.bits)
        return np.frombuffer(memory, dtype=dtype).reshape(tuple(tensor.shape[:tensor.ndim]))

    def __call__(self, *arrays, lr):
        """Runs one step and returns the loss before it, a number."""
        if len(arrays) != len(self.inputs):
            raise Error("a step takes %d arrays (%s) and lr, but %d were given"
                        % (len(self.inputs), ", ".join(p.name for p in self.inputs), len(arrays)), status=1)
        context, rest, keep = self._context, iter(arrays), []
        for i, declared in enumerate(self._given):
            array = declared.as_array(i, lr if i in self._rate else next(rest))
            keep.append(array)
            context.inputs.point(i, array, array.shape)
        results = [np.empty(declared.static_shape or (), declared.dtype) for declared in self.module._outputs]
        for i, result in enumerate(results):
            context.outputs.point(i, result, result.shape)
        status = _step(context.handle, self._handle, context.inputs.pointer, len(self._given), context.outputs.pointer,
                       len(results), context.failure)
        if status:
            check(status, context.error)
        return results[0][()]

    @property
    def steps(self):
        """The number of steps done."""
        return sum(int(self._slots[name]) for name, role in self.roles.items() if role == "step")

    def parameters(self):
        """Copies of the parameters by name."""
        return {name: array.copy() for name, array in self._slots.items() if self.roles[name] == "parameter"}

    def state_dict(self):
        """Copies of all that the next step depends on, by name: parameters, optimizer state, count of steps."""
        return {name: array.copy() for name, array in self._slots.items()}

    def load_state_dict(self, state):
        """Takes over what state_dict gave. Every name must be there, with its shape and dtype."""
        missing, unknown = sorted(set(self._slots) - set(state)), sorted(set(state) - set(self._slots))
        if missing or unknown:
            raise Error("the state does not fit this step: missing %s, unknown %s"
                        % (", ".join(missing) or "none", ", ".join(unknown) or "none"), status=1)
        for name, array in self._slots.items():
            given = np.asarray(state[name])
            if given.shape != array.shape or given.dtype != array.dtype:
                raise Error("%r must be %s%s, got %s%s" % (name, array.dtype, list(array.shape), given.dtype,
                                                           list(given.shape)), status=10)
        for name, array in self._slots.items():
            array[...] = state[name]

    def reset(self):
        """Back to the initial values."""
        api.state_reset(self._handle)

    def save(self, path):
        """Writes the artifact, with the initial values, to `path`."""
        self.module.save(path)

    def __repr__(self):
        count = sum(role == "parameter" for role in self.roles.values())
        return "<torsh.TrainStep with %d parameters, %d steps done>" % (count, self.steps)
