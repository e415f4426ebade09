"""The runtimes that can be measured, by name."""

import importlib

OURS = "torsh"
DEFAULT = ("onnxruntime", "openvino")
ALL = (*DEFAULT, "torch_eager", "torch_compile", "iree", "ncnn")


def plugin(name):
    """The class of a plug-in file; the runtime itself is not imported."""
    return importlib.import_module(f"peers.{name}").Plugin
