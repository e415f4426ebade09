"""Compile ONNX models to native code and run them.

    import torsh
    module = torsh.compile("model.onnx")          # or torsh.load("model.so")
    outputs = module(array_of_the_first_input, ...)

A Module may be called from any number of threads; Python's lock is released while it runs.

    step = torsh.compile_train_step("model.onnx", loss="cross-entropy", optimizer="adam")
    loss = step(batch, labels, lr=1e-3)           # changes step's parameters in place

    f = torsh.value_and_grad("energy.onnx")       # a model whose output is one number
    value, gradient = f(positions)
"""

from ._compile import compile, compile_train_step, grad, value_and_grad
from ._errors import Error
from ._module import Module, Port, load, verify
from ._native import runtime_build_id
from ._train import TrainStep

__all__ = ["Error", "Module", "Port", "TrainStep", "compile", "compile_train_step", "grad", "load",
           "runtime_build_id", "value_and_grad", "verify"]
