"""Compile ONNX models to native code and run them.

    import torsh
    module = torsh.compile("model.onnx")          # or torsh.load("model.so")
    outputs = module(array_of_the_first_input, ...)

A Module may be called from any number of threads; Python's lock is released while it runs.
"""

from ._compile import compile
from ._errors import Error
from ._module import Module, Port, load, verify
from ._native import runtime_build_id

__all__ = ["Error", "Module", "Port", "compile", "load", "runtime_build_id", "verify"]
